"""Reports about TLS that come by mail: from SMTP to what is kept of them."""
import base64
import glob
import gzip
import json
import os
import pathlib
import signal
import smtplib
import socket
import subprocess
import time

import pytest

from support import daemon
from support.maildir import Maildir
from support.wait import free_port, wait_until
from support.desk import TOOL, day, mail, report

FIELDS = ("From", "To", "Subject", "Date", "TLS-Report-Domain", "TLS-Report-Submitter")


class Post:
    """A daemon that takes reports, and a reporter who signs."""

    def __init__(self, danelaw, nsd, folder, deliver, **more):
        self.box = None
        self.key = folder / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key],
                       check=True, capture_output=True)
        public = subprocess.run(
            ["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"],
            check=True, capture_output=True).stdout[-32:]
        self.zone = 't._domainkey TXT "v=DKIM1; k=ed25519; p=' + \
            base64.b64encode(public).decode() + '"'
        names = nsd({"reporter.example": self.zone})
        config = names.resolver()
        # Nobody is there yet.
        self.later = free_port()
        config["resolver"]["stub away.example"] = {
            "server": [f"127.0.0.1:{self.later}"], "insecure": True}
        # Somebody is there, and never says anything.
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        config["resolver"]["stub silent.example"] = {
            "server": [f"127.0.0.1:{self.silent.getsockname()[1]}"], "insecure": True}
        config["domain ours.example"] = {
            "deliver": deliver, "tls_reports": ["Reports"]}
        config.update(more)
        self.server = danelaw(config)
        self.state = pathlib.Path(self.server.spool, "state")

    def sign(self, text, domain="reporter.example", fields=FIELDS, once=False):
        """RFC 6376 8.15: once, and another field of that name may be put before it."""
        words = [TOOL, "sign", "-d", domain, *(("-o", "From") if once else ())]
        for field in fields:
            words += ["-f", field]
        return subprocess.run(
            [*words, f"t={self.key}"], capture_output=True, check=True,
            input=text.replace("\n", "\r\n").encode()).stdout

    def send(self, octets, to="reports@ours.example", sender="tls@reporter.example"):
        if isinstance(octets, str):
            octets = octets.replace("\n", "\r\n").encode()
        with smtplib.SMTP("127.0.0.1", self.server.port, local_hostname="c.example") as c:
            c.sendmail(sender, to, octets)

    def received(self):
        out = self.server.ctl("report", "received", "--json").stdout
        return [json.loads(line) for line in out.splitlines()]

    def aside(self, state="aside"):
        out = self.server.ctl("report", "aside", "--json").stdout
        listed = [json.loads(line) for line in out.splitlines()]
        return [mail for mail in listed if mail["state"] == state]

    def status(self):
        """What it says of itself, without its processes."""
        out = self.server.ctl("status", "--json", check=False).stdout
        return json.loads(out.splitlines()[-1])

    def waiting(self):
        folder = self.state / "reports-in"
        return sorted(p.name for p in folder.iterdir()
                      if not p.name.startswith(".")) if folder.is_dir() else []

    def role(self):
        """The process of the report role."""
        task = f"/proc/{self.server.process.pid}/task/{self.server.process.pid}/children"
        for pid in pathlib.Path(task).read_text().split():
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"report" in words:
                return int(pid)
        return None


@pytest.fixture
def post(danelaw, nsd, tmp_path, mail):  # pylint: disable=redefined-outer-name
    made = Post(danelaw, nsd, tmp_path, f"maildir:{mail}/%u")
    made.box = Maildir(mail / "reports")
    yield made
    made.silent.close()


def stopped(post):
    """The report role, held: what is delivered now is read by another."""
    role = post.role()
    os.kill(role, signal.SIGSTOP)
    return role


text_of = mail  # the fixture of that name is the folder of mailboxes


# --- what comes of one ---

def test_a_report_by_mail_is_kept(post):
    """RFC 8460 5.3: in the mailbox, and within seconds in what was received."""
    post.send(post.sign(text_of(report(good=90, bad=3))))
    line = post.server.wait_event("report-received", known="no")
    assert (line["domain"], line["reporter"], line["organization"], line["successes"],
            line["failures"]) == ("ours.example", "reporter.example", "Reporter", "90", "3")
    (kept,) = post.received()
    assert (kept["day"], kept["signer"], kept["successes"], kept["failures"]) == (
        day(1), "reporter.example", 90, 3)
    (letter,) = post.box.wait()
    assert b"TLS-Report-Domain: ours.example" in letter
    wait_until(lambda: post.waiting() == [], "nothing waits")
    assert post.aside() == []
    # RFC 8460 4.4: also from whose address it failed, which is looked for here.
    (result,) = json.loads(
        post.server.ctl("report", "summary", "--json", check=False).stdout)["result"]
    assert result["senders"] == 1 and result["here"][0]["sending_mta_ip"] == "192.0.2.1"


def test_the_same_report_counts_once(post):
    for _ in range(2):
        post.send(post.sign(text_of(report())))
    post.server.wait_event("report-received", known="no")
    post.server.wait_event("report-received", known="yes")
    assert [r["successes"] for r in post.received()] == [100]
    post.box.wait(2)


def test_only_mail_to_that_address_is_read(post):
    post.send(post.sign(text_of(report())), to="postmaster@ours.example")
    post.send(post.sign(text_of(report(ago=2))), to="REPORTS@ours.example")
    post.server.wait_event("report-received")
    assert [r["day"] for r in post.received()] == [day(2)]


def bomb():
    """Sixty megabytes of JSON in sixty kilobytes."""
    octets = gzip.compress(b'{"policies": [' + b" " * (60 << 20) + b"]}")
    text = text_of(report())
    head, _, _ = text.partition("H4sI")
    return head + base64.encodebytes(octets).decode() + "--b--\n"


@pytest.mark.parametrize(("make", "why"), [
    (lambda post: text_of(report()), "nobody vouches for it: there is no signature"),
    (lambda post: post.sign(text_of(report())).replace(b"A report.", b"A rapport."),
     "nobody vouches for it: signature t of reporter.example: "),
    (lambda post: post.sign(text_of(report())).replace(b"s=t;", b"s=old;"),
     "nobody vouches for it: signature old of reporter.example: there is no key"),
    (lambda post: post.sign(text_of(report(domain="theirs.example"),
                                    domain="theirs.example")),
     "it is about no domain of the configuration"),
    (lambda post: "From: a@reporter.example\nSubject: Hello\n\nHello\n", ""),
    (lambda post: post.sign(bomb()), ""),
], ids=["unsigned", "forged", "without a key", "about others", "a letter", "a bomb"])
def test_the_rest_is_set_aside(post, make, why):
    """It is in the mailbox all the same, and nobody gets mail for it."""
    role = post.role()
    octets = make(post)
    post.send(octets)
    line = post.server.wait_event("report-set-aside")
    assert why in line["reason"]
    (aside,) = post.aside()
    assert (aside["id"], aside["reason"]) == (line["id"], line["reason"])
    assert aside["from"] == line["from"] == "reporter.example"
    assert abs(aside["arrived"] - time.time()) < 60
    assert pathlib.Path(aside["file"]).stat().st_size >= len(octets)
    head, shown, reason, file = post.server.ctl("report", "aside").stdout.splitlines()
    assert head.split() == ["state", "arrived", "due", "octets", "from"]
    assert shown.startswith("aside ") and shown.endswith(" reporter.example") and len(shown) < 80
    assert (reason, file) == (f"    reason: {line['reason']}", f"    file: {aside['file']}")
    assert (post.received(), post.waiting()) == ([], [])
    post.box.wait()
    # The role lives, and takes the next.
    post.send(post.sign(text_of(report())))
    post.server.wait_event("report-received")
    assert post.role() == role
    assert {e["to"] for e in post.server.events("delivery")} == {"reports@ours.example"}


def test_by_lmtp(danelaw, nsd, tmp_path, dovecot):
    """By LMTP to Dovecot: it is read, too."""
    real = dovecot()
    post = Post(danelaw, nsd, tmp_path, f"lmtp:unix:{real.socket}")
    post.send(post.sign(text_of(report())))
    post.server.wait_event("report-received", known="no")
    assert [r["successes"] for r in post.received()] == [100]
    real.maildir("reports").wait()


def test_one_that_is_not_delivered_is_not_read(post):
    """The mailbox comes first."""
    post.box.path.parent.mkdir(exist_ok=True)
    post.box.path.write_text("no folder")
    post.send(post.sign(text_of(report())))
    post.server.wait_event("delivery", outcome="deferred")
    time.sleep(0.5)
    assert (post.received(), post.waiting()) == ([], [])


def test_a_folder_that_is_full_takes_no_more(post):
    """The log tells, and the mail is where it belongs."""
    stopped(post)
    folder = post.state / "reports-in"
    with open(folder / "large", "wb") as f:
        f.truncate(256 << 20)
    post.send(post.sign(text_of(report())))
    line = post.server.wait_event("report-not-taken")
    assert line["reason"] == "too many wait in reports-in to be read"
    post.box.wait()
    (done,) = post.server.events("delivery")
    assert (done["outcome"], done["id"]) == ("delivered", line["id"])
    assert post.waiting() == ["large"]
    (folder / "large").unlink()
    os.kill(post.role(), signal.SIGCONT)


def test_what_is_too_large_is_no_report(post):
    """RFC 8460 5.2"""
    post.send("From: a@b.example\n\n" + (10 << 20) // 64 * ("x" * 63 + "\n"))
    line = post.server.wait_event("report-not-taken")
    assert line["reason"] == "it is larger than 10485760 octets"
    post.box.wait()


@pytest.mark.parametrize(("people", "why"), [
    ("user\n", "there is no such recipient"),
    ("user\nreports: user\n", "it is an alias; name the mailbox it stands for"),
    ("@ours.example\n", None), ("Reports\n", None)],
    ids=["nobody", "an alias", "everybody", "a mailbox"])
def test_it_has_to_be_a_mailbox(danelaw, tmp_path, people, why):
    users = tmp_path / "recipients"
    users.write_text(people)
    server = danelaw({"domain ours.example": {
        "deliver": f"maildir:{tmp_path}/%u", "recipients": f"file:{users}",
        "tls_reports": ["reports"]}}, start=False)
    done = server.ctl("check-config", check=False)
    assert done.returncode == (0 if why is None else 1), done.stdout + done.stderr
    if why is not None:
        lines = server.config_file.read_text().splitlines()
        line, = (n for n, text in enumerate(lines, 1) if "tls_reports" in text)
        assert (f'{server.config_file}:{line}: domain "ours.example": tls_reports: "reports": '
                f'{why}\n') in done.stderr, done.stderr


def test_what_lies_aside_can_be_taken(post):
    """By hand, once the operator has looked at it; then it lies there no more."""
    post.send(text_of(report()))
    post.send("From: a@reporter.example\nSubject: Hello\n\nHello\n")
    wait_until(lambda: len(post.aside()) == 2, "both are set aside")
    files = glob.glob(str(post.state / "reports-aside/*"))
    assert sorted(files) == sorted(a["file"] for a in post.aside())
    done = post.server.ctl("report", "ingest", "--unsigned", *files, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert ": kept, from Reporter" in done.stdout
    assert done.stdout.count("\n") == 2
    (letter,) = post.aside()
    assert f"{letter['file']}: does not count: " in done.stdout
    assert [r["successes"] for r in post.received()] == [100]


# --- nothing is lost ---

@pytest.mark.parametrize("whole", [False, True], ids=["the role", "the daemon"])
def test_a_crash_between_mailbox_and_reading(post, whole):
    role = stopped(post)
    post.send(post.sign(text_of(report())))
    post.box.wait()
    wait_until(post.waiting, "a copy waits")
    post.server.wait_event("delivery")
    if whole:
        post.server.kill()
        wait_until(lambda: not daemon.alive(role), "the role has gone")
        post.server.start()
    else:
        os.kill(role, signal.SIGKILL)
    post.server.wait_event("report-received", known="no")
    assert [r["successes"] for r in post.received()] == [100]
    wait_until(lambda: post.waiting() == [], "nothing waits")


def test_a_crash_between_keeping_and_removing(post):
    """Then it is there once more, and known."""
    role = stopped(post)
    post.send(post.sign(text_of(report())))
    (name,) = wait_until(post.waiting, "a copy waits")
    copy = (post.state / "reports-in" / name).read_bytes()
    os.kill(role, signal.SIGCONT)
    post.server.wait_event("report-received", known="no")
    wait_until(lambda: post.waiting() == [], "nothing waits")
    again = post.state / "reports-in" / name
    again.write_bytes(copy)
    daemon.give(again)
    os.kill(post.role(), signal.SIGKILL)
    post.server.wait_event("report-received", known="yes")
    assert [r["successes"] for r in post.received()] == [100]


def test_a_key_that_cannot_be_asked_for_now(post, nsd):
    """RFC 6376 6.1.2: it waits, and is taken when its key can be had."""
    post.send(post.sign(text_of(report(), sender="away.example"), domain="away.example"))
    line = post.server.wait_event("report-waits", **{"from": "away.example"})
    assert "could not be looked up" in line["reason"]
    assert (post.received(), post.aside()) == ([], [])
    assert len(post.waiting()) == 1
    (listed,) = post.aside("waiting")
    assert (listed["id"], listed["from"], listed["reason"]) == (
        line["id"], "away.example", line["reason"])
    assert 0 < listed["due"] - listed["arrived"] < 60
    shown = post.server.ctl("report", "aside").stdout
    assert "waiting" in shown and line["reason"] in shown
    # What can be read does not wait behind it.
    post.send(post.sign(text_of(report())))
    post.server.wait_event("report-received", reporter="reporter.example")
    nsd({"away.example": post.zone}, post.later)
    post.server.wait_event("report-received", 60, reporter="away.example")
    wait_until(lambda: post.waiting() == [], "nothing waits")
    assert post.aside() == post.aside("waiting") == []
    assert list((post.state / "reports-in").iterdir()) == []


@pytest.mark.parametrize(("mails", "seconds"), [(12, 3), (50, 5)],
                         ids=["some", "more than there are places"])
def test_a_silent_name_server_holds_up_nobody_else(post, mails, seconds):
    """Anybody can send mails whose key nobody will ever tell."""
    for i in range(mails):
        name = f"a{i}.silent.example"
        post.send(post.sign(text_of(report(), sender=name), domain=name))
    began = time.monotonic()
    post.send(post.sign(text_of(report())))
    post.server.wait_event("report-received", reporter="reporter.example")
    assert time.monotonic() - began < seconds
    wait_until(lambda: len(post.waiting()) == mails, "they are there")
    # They wait, as others whose key cannot be had.
    line = post.server.wait_event("report-waits", 30)
    assert "could not be looked up" in line["reason"]
    assert post.aside() == []


def test_a_report_about_somebody_is_none_about_us(post):
    """RFC 8460 5.3: who passes it on has put our name on it, which is not signed."""
    text = text_of(report(domain="theirs.example"), domain="theirs.example")
    signed = post.sign(text, fields=("From", "Content-Type", "TLS-Report-Domain"), once=True)
    post.send(b"TLS-Report-Domain: ours.example\r\n" + signed)
    line = post.server.wait_event("report-set-aside")
    assert line["reason"] == "it is about no domain of the configuration"
    assert (line["from"], post.received()) == ("reporter.example", [])


def test_one_that_waits_for_a_key_is_begun_once(post):
    """Others are looked for meanwhile: what is under way is none of them."""
    post.send(post.sign(text_of(report(), sender="silent.example"), domain="silent.example"))
    post.server.wait_event("report-waits", 30)
    post.send(post.sign(text_of(report())))   # more looks
    post.server.wait_event("report-received")
    time.sleep(2)
    assert len(post.server.events("report-waits")) == 1


def test_a_mail_to_two_of_our_domains_is_one_report(danelaw, nsd, tmp_path, mail):  # pylint: disable=redefined-outer-name
    """Two jobs of one process put the same message, at the same time."""
    post = Post(danelaw, nsd, tmp_path, f"maildir:{mail}/%u", **{
        "domain more.example": {"deliver": f"maildir:{mail}/%u", "tls_reports": ["Reports"]}})
    for i in range(20):
        post.send(post.sign(text_of(report(ago=i + 1, pad="x" * 200000))),
                  ["reports@ours.example", "reports@more.example"])
    wait_until(lambda: len(post.received()) == 20 and not post.waiting(), "all are kept", 60)
    assert post.aside() == []
    post.silent.close()


def test_a_store_that_will_not_is_trouble(post):
    """Reports wait for somebody who looks: the log is not enough."""
    assert post.status()["state"] == "running"
    inbox = post.state / "inbox.db"
    inbox.write_text("no database" * 100)
    daemon.give(inbox)
    post.send(post.sign(text_of(report())))
    line = post.server.wait_event("report-inbox-trouble")
    status = wait_until(lambda: "trouble" in post.status() and post.status(),
                        "the status has it")
    assert (status["state"], status["trouble"]) == ("degraded", line["reason"])
    assert "inbox.db" in status["trouble"]
    assert len(post.waiting()) == 1
    post.server.ctl("report", "forget", "--all")
    post.server.wait_event("report-received", 60)
    wait_until(lambda: post.status()["state"] == "running", "it is over")
    assert "trouble" not in post.status()
