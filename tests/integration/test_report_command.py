"""danelaw report: reports about TLS of others, read and kept."""
import base64
import json
import pathlib
import subprocess

import pytest

from support import daemon
from support.desk import TOOL, Desk, day, mail, report

CORPUS = pathlib.Path(__file__).parents[3] / "shared" / "corpora" / "tlsrpt"


# --- read ---

@pytest.mark.parametrize("name", [
    "reports-eml/mox-microsoft.eml", "reports-json/mail-auth-rpt01.json"])
def test_reports_of_others_are_told(desk, name):
    path = CORPUS / name
    if not path.exists():
        pytest.skip("the corpora are not here")
    status, out, err = desk.run("read", path)
    assert (status, err) == (0, "")
    assert "sessions fine" in out
    status, out, _ = desk.run("read", "--json", path)
    said = json.loads(out)
    assert (status, len(said["policies"])) == (0, 1)


def test_a_file_may_come_by_standard_input(desk):
    text = json.dumps(report(bad=3))
    done = subprocess.run([daemon.binary("danelaw"), "report", "read", "-"],
                          input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0
    assert "sts for ours.example: 100 sessions fine, 3 failed" in done.stdout
    assert "means: The host showed a certificate that has expired." in done.stdout


def test_what_is_odd_is_told(desk):
    bare = mail(report()).replace("TLS-Report-Submitter", "X-Other")
    _, out, _ = desk.run("read", desk.file(bare))
    assert "  odd: there is no TLS-Report-Submitter\n" in out


def test_what_is_no_report_is_said(desk):
    status, out, err = desk.run("read", desk.file("From: a@b\n\nHello\n"),
                                desk.folder / "missing", desk.file(report()))
    assert status == 1
    assert err.count("danelaw: ") == 2
    assert f"danelaw: {desk.folder}/missing: No such file or directory\n" in err
    assert "100 sessions fine" in out


def test_texts_of_others_cannot_steer_a_terminal(desk):
    text = report(org="Evil\x1b[2J\nsecond line")
    status, out, _ = desk.run("read", desk.file(text))
    assert status == 0
    assert "\x1b" not in out and "\nsecond line" not in out


def test_names_of_files_cannot_either(desk):
    evil = desk.folder / "x\x1b]0;pwn\a.json"
    evil.write_text(json.dumps(report()))
    evil.chmod(0o644)
    lost = desk.folder / "y\x1b[2J.json"
    status, out, err = desk.run("read", evil, lost, desk.file(report()))
    assert (status, "\x1b" in out + err) == (1, False)
    assert f"{desk.folder}/x\\x1b]0;pwn\\x07.json: Reporter\n" in out
    assert f"danelaw: {desk.folder}/y\\x1b[2J.json: No such file or directory\n" == err
    out = desk.run("ingest", "--unsigned", evil, lost)[1]
    assert "\x1b" not in out
    assert f"{desk.folder}/x\\x1b]0;pwn\\x07.json: kept, from Reporter\n" in out
    assert f"{desk.folder}/y\\x1b[2J.json: not kept: " in out


def test_several_files_are_told_apart(desk):
    one, two = desk.file(report(org="One")), desk.file(report(org="Two"))
    assert desk.run("read", one)[1].startswith("One\n")
    out = desk.run("read", one, two)[1].splitlines()
    assert f"{one}: One" in out and f"{two}: Two" in out
    out = desk.run("read", "--json", one, two)[1].splitlines()
    assert [json.loads(line)["file"] for line in out] == [str(one), str(two)]


@pytest.mark.parametrize(("host", "ip", "said"), [
    ("mx1.ours.example", "192.0.2.9", "      at mx1.ours.example (192.0.2.9)"),
    ("", "192.0.2.9", "      at 192.0.2.9"),
    ("mx1.ours.example", "", "      at mx1.ours.example"),
    ("", "", None)], ids=["both", "address", "host", "neither"])
def test_where_it_failed(desk, host, ip, said):
    text = report(bad=1)
    text["policies"][0]["failure-details"][0].update(
        {"receiving-mx-hostname": host, "receiving-ip": ip})
    out = desk.run("read", desk.file(text))[1].splitlines()
    assert [line for line in out if line.startswith("      at ")] == ([said] if said else [])


MBOX = "From tls@reporter.example  Sun Nov 29 10:00:00 2026\n"


def test_a_mail_may_come_as_a_mailbox_of_one(desk):
    path = desk.file(MBOX + mail(report()).replace("A report.", "\nFrom us to you.\n"))
    status, out, _ = desk.run("read", path)
    assert (status, "100 sessions fine" in out) == (0, True)
    assert ": kept, from Reporter" in desk.run("ingest", "--unsigned", path)[1]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_mailbox_of_several_is_refused(desk, end):
    """Read as one it would be the first of them."""
    text = MBOX + mail(report()) + "\n" + MBOX + mail(report(ago=2))
    path = desk.folder / "mailbox"
    path.write_bytes(text.replace("\n", end).encode())
    path.chmod(0o644)
    words = "it is a mailbox of several mails; name files of one mail each\n"
    assert desk.run("read", path) == (1, "", f"danelaw: {path}: {words}")
    assert desk.run("ingest", "--unsigned", path)[:2] == (
        1, f"{path}: does not count: {words}")


# --- ingest ---

def test_a_report_is_kept_once(desk):
    path = desk.file(mail(report()))
    assert desk.run("ingest", "--unsigned", path)[:2] == (
        0, f"{path}: kept, from Reporter\n")
    assert desk.run("ingest", "--unsigned", path)[:2] == (
        0, f"{path}: known already, from Reporter\n")
    status, out, _ = desk.run("received", "--json")
    (line,) = map(json.loads, out.splitlines())
    assert (status, line["domain"], line["successes"], line["signer"]) == (
        0, "ours.example", 100, "")


@pytest.mark.skipif(daemon.SERVANT is None, reason="only root becomes the account")
def test_root_reads_the_files_of_a_mailbox(desk):
    """These are nobody's but their owner's, and not that of the daemon."""
    path = desk.file(report())
    path.chmod(0o600)
    assert desk.run("ingest", "--unsigned", path)[:2] == (
        0, f"{path}: kept, from Reporter\n")
    kept = pathlib.Path(desk.server.spool, "state", "inbox.db")
    assert kept.owner() == daemon.SERVANT


def test_too_much_at_once(desk):
    """What is not read is not said to be no report."""
    path = desk.folder / "large"
    path.write_bytes(b"From: a@b.example\n\n" + b"x" * (9 << 20))
    path.chmod(0o644)
    status, out, _ = desk.run("ingest", "--unsigned", *[path] * 30, desk.file(report()))
    assert (status, out.count(": does not count: "), out.count(": kept, ")) == (1, 28, 1)
    assert out.count(": not kept: these are more than 268435456 octets; name fewer "
                     "at a time\n") == 2


def test_standard_input_without_names(desk):
    done = subprocess.run(
        [daemon.binary("danelaw"), "-c", desk.server.config_file, "report", "ingest",
         "--unsigned"],
        input=json.dumps(report()), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "-: kept, from Reporter\n")


@pytest.mark.parametrize(("text", "why"), [
    (mail(report(domain="theirs.example"), domain="theirs.example"),
     "it is about no domain of the configuration"),
    (report(domain="theirs.example"), "it is about no domain of the configuration"),
    ("From: a@b.example\n\nHello\n", "does not count: "),
    ('{"organization-name": ', "does not count: "),
], ids=["a mail", "a file", "another mail", "a broken file"])
def test_the_rest_is_set_aside(desk, text, why):
    status, out, _ = desk.run("ingest", "--unsigned", desk.file(text))
    assert (status, why in out) == (1, True), out
    assert desk.run("received") == (0, "", "danelaw: nothing is kept\n")
    assert desk.run("received", "--json") == (0, "", "")


def test_one_that_is_set_aside_stops_no_other(desk):
    files = [desk.file("nothing"), desk.file(report()), desk.folder / "missing"]
    status, out, _ = desk.run("ingest", "--unsigned", *files)
    assert (status, out.count(": does not count: "), out.count(": not kept: "),
            out.count(": kept, from ")) == (1, 1, 1, 1)


def test_our_mail_host_is_ours_too(desk):
    """RFC 8460 4.2: a policy of DANE is that of a host."""
    text = report(domain="mx.test.example")
    text["policies"][0]["policy"]["policy-type"] = "tlsa"
    desk.keeps(text)


# --- who vouches ---

@pytest.fixture
def signed(danelaw, nsd, tmp_path):
    """A desk that finds the reporter's key, and who signs with it."""
    tmp_path.chmod(0o755)
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key],
                   check=True, capture_output=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
        check=True, capture_output=True).stdout[-32:]
    record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(public).decode()
    zone = "\n".join(
        f'{selector}._domainkey TXT "{record}{more}"'
        for selector, more in (("t", ""), ("tls", "; s=tlsrpt"), ("web", "; s=web")))
    names = nsd({"reporter.example": zone, "forger.example": zone})
    resolver = names.resolver()
    # Refused by whoever is asked.
    resolver["resolver"]["stub away.example"] = {
        "server": [names.server], "insecure": True}
    desk = Desk(danelaw, tmp_path, **resolver)

    def sign(text, selector="t", domain="reporter.example", more=()):
        words = [TOOL, "sign", "-d", domain, *more]
        for field in ("From", "To", "Subject", "Date", "TLS-Report-Domain",
                      "TLS-Report-Submitter"):
            words += ["-f", field]
        done = subprocess.run(
            [*words, f"{selector}={key}"], capture_output=True, check=True,
            input=text.replace("\n", "\r\n").encode())
        return done.stdout.decode().replace("\r\n", "\n")
    return desk, sign


@pytest.mark.parametrize("selector", ["t", "tls"])
def test_the_reporter_vouches(signed, selector):
    """RFC 8460 3; the file has the line ends of a file (RFC 6376 2.7)."""
    desk, sign = signed
    status, out, _ = desk.run("ingest", desk.file(sign(mail(report()), selector)))
    assert (status, ": kept, from Reporter" in out) == (0, True), out
    (line,) = map(json.loads, desk.run("received", "--json")[1].splitlines())
    assert line["signer"] == "reporter.example"


def test_the_reporter_vouches_in_a_mailbox(signed):
    desk, sign = signed
    path = desk.file(MBOX + sign(mail(report())) + "\n")
    assert ": kept, from Reporter" in desk.run("ingest", path)[1]


def test_nobody_vouches(signed):
    """RFC 8460 3: such a report MUST be ignored."""
    desk, sign = signed
    good = mail(report())
    for text in (good,
                 sign(good).replace("Date: Sun", "Date: Mon"),
                 sign(good).replace("A report.", "Another report."),
                 sign(mail(report(), sender="other.example")),
                 sign(good, selector="missing"),
                 sign(good, selector="web"),
                 json.dumps(report())):
        status, out, _ = desk.run("ingest", desk.file(text))
        assert (status, "nobody vouches for" in out) == (1, True), (text, out)
    assert desk.run("received")[:2] == (0, "")


def test_who_forwards_does_not_vouch(signed):
    """The signature is the outer message's, the report somebody else's."""
    desk, sign = signed
    text = f"""From: somebody@reporter.example
To: reports@ours.example
Subject: Fwd: Report
Date: Sun, 29 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: message/rfc822

{mail(report(), sender="other.example")}"""
    path = desk.file(sign(text))
    status, out, _ = desk.run("ingest", path)
    assert (status, ": does not count: nobody vouches for a report that is forwarded "
            in out) == (1, True), out
    assert desk.run("received")[:2] == (0, "")
    desk.run("ingest", "--unsigned", path)
    (line,) = map(json.loads, desk.run("received", "--json")[1].splitlines())
    assert (line["signer"], line["notes"].count("forwarded")) == ("", 1)


def test_who_quotes_does_not_vouch(signed):
    """A mail that came back, under a Content-Type nobody signed."""
    desk, sign = signed
    forged = mail(report(org="Forged"), sender="reporter.example")
    inner = forged[forged.index("--b\n"):]
    text = f"""From: postmaster@reporter.example
To: forger@forger.example
Subject: Undelivered
Date: Sun, 29 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="outer"

--outer
Content-Type: message/rfc822

{forged}
--outer--
"""
    bounce = sign(text, more=["-o", "From"])
    assert inner in bounce
    for more in ("", "TLS-Report-Domain: ours.example\n"
                 "TLS-Report-Submitter: reporter.example\n"):
        path = desk.file(more + bounce.replace(
            'delivery-status; boundary="outer"', 'tlsrpt; boundary="b"'))
        status, out, _ = desk.run("ingest", path)
        assert (status, "neither Content-Type nor the fields of a report are signed"
                in out) == (1, True), out
    assert desk.run("received")[:2] == (0, "")


def test_a_key_that_cannot_be_asked_for_now(signed):
    """RFC 6376 6.1.2: it is no verdict about the report."""
    desk, sign = signed
    path = desk.file(sign(mail(report(), sender="away.example"), domain="away.example"))
    assert desk.run("ingest", path)[:2] == (
        1, f"{path}: not kept: key t of away.example: the key could not be looked up "
           "(RFC 6376 6.1.2); try again\n")
    # Nor is it one that nobody vouches for: it would count a second time.
    assert f"{path}: not kept: key t of " in desk.run("ingest", "--unsigned", path)[1]
    # That of somebody else does not matter.
    path = desk.file(sign(mail(report()), domain="away.example"))
    assert ": does not count: nobody vouches for it: no " in desk.run("ingest", path)[1]


def test_who_vouches_is_known_where_nobody_has_to(signed):
    """Else it counts twice, once as somebody else's."""
    desk, sign = signed
    path = desk.file(sign(mail(report())))
    for said in ("kept", "known already"):
        status, out, _ = desk.run("ingest", "--unsigned", path)
        assert (status, f": {said}, from " in out) == (0, True), out
    assert ": known already, from " in desk.run("ingest", path)[1]
    (line,) = map(json.loads, desk.run("received", "--json")[1].splitlines())
    assert line["signer"] == "reporter.example"


def test_the_rfc_is_named_once(signed):
    desk, sign = signed
    for text in (mail(report()), sign(mail(report()), selector="missing")):
        assert desk.run("ingest", desk.file(text))[1].count("RFC 8460 3") == 1


def test_a_report_is_its_signer_s(signed):
    """Who signs may call himself what he wants: nobody's place is taken."""
    desk, sign = signed
    forged = mail(report(org="Reporter", good=1, bad=1), sender="forger.example")
    for text, domain in ((forged, "forger.example"), (mail(report()), "reporter.example")):
        status, out, _ = desk.run("ingest", desk.file(sign(text, domain=domain)))
        assert (status, ": kept, from Reporter" in out) == (0, True), out
    out = desk.run("summary")[1]
    assert "reporter.example (Reporter): 100 fine, 0 failed" in out, out
    assert "forger.example (Reporter): 1 fine, 1 failed" in out, out
    (said,) = map(json.loads, desk.run("summary", "--json")[1].splitlines())
    assert [(r["name"], r["organization"]) for r in said["reporter"]] == [
        ("forger.example", "Reporter"), ("reporter.example", "Reporter")]


def test_a_signer_is_one_reporter(signed):
    """By however many names: two reporters are two who vouch."""
    desk, sign = signed
    desk.run("ingest", *(desk.file(sign(mail(report(ago=n, org=org))))
                         for n in range(1, 16) for org in ("One", "Two")))
    said = json.loads(desk.run("advise", "--json", "ours.example")[1])
    assert (said["clean_days"], said["reporters"], said["enforce"]) == (15, 1, False)
    assert said["names"] == ["reporter.example"]
    assert "  reporters: reporter.example (" in desk.run("advise", "ours.example")[1]


def test_nobody_signs_in_another_s_name(signed):
    """An organization that is called like a domain is not whoever signs for it."""
    desk, sign = signed
    desk.run("ingest", *(desk.file(sign(mail(report(ago=n)))) for n in range(1, 16)))
    desk.keeps(*(report(ago=n, org="reporter.example", bad=1) for n in range(1, 16)))
    out = desk.run("summary")[1]
    assert "reporter.example (Reporter): 600 fine, 0 failed" in out, out
    assert "    reporter.example (unsigned): 600 fine, 6 failed" in out, out
    said = json.loads(desk.run("advise", "--json", "ours.example")[1])
    assert (said["clean_days"], said["unsigned"]["failures"]) == (15, 15)


def test_a_list_for_people(signed):
    desk, sign = signed
    desk.keeps(report(org="Anybody", bad=3))
    desk.run("ingest", desk.file(sign(mail(report(ago=2)))))
    assert [line.split() for line in desk.run("received")[1].splitlines()] == [
        ["day", "domain", "fine", "failed", "signed", "by", "organization"],
        [day(1), "ours.example", "100", "3", "(unsigned)", "Anybody"],
        [day(2), "ours.example", "100", "0", "reporter.example", "Reporter"]]


# --- forget ---

def test_what_nobody_vouches_for_is_forgotten(signed):
    desk, sign = signed
    desk.keeps(report(), report(ago=2), mail(report(ago=3)))
    desk.run("ingest", desk.file(sign(mail(report()))))
    assert desk.run("forget", "--unsigned")[:2] == (0, "3 reports forgotten\n")
    (line,) = map(json.loads, desk.run("received", "--json")[1].splitlines())
    assert line["signer"] == "reporter.example"
    assert desk.run("forget", "--all")[:2] == (0, "1 report forgotten\n")
    assert desk.run("received")[:2] == (0, "")


def test_a_damaged_file_is_set_aside(desk):
    desk.keeps(report())
    state = pathlib.Path(desk.server.spool, "state")
    (state / "inbox.db").write_bytes(b"this is no database " * 100)
    for words in (("received",), ("summary",), ("forget", "--unsigned")):
        status, _, err = desk.run(*words)
        assert (status, '; "danelaw report forget --all" sets it aside\n' in err) == (
            1, True), err
    status, out, _ = desk.run("forget", "--all")
    assert (status, "inbox.db was damaged" in out) == (0, True)
    assert (state / "inbox.db.damaged").exists()
    desk.keeps(report())


KEPT_IN = [(("received",), "inbox.db"), (("summary",), "inbox.db"),
           (("advise", "ours.example"), "inbox.db"), (("forget", "--unsigned"), "inbox.db"),
           (("show",), "report.db"), (("list",), "report.db"),
           (("send", "--dry-run"), "report.db"), (("aside",), "reports-in")]


@pytest.mark.parametrize("words, name", KEPT_IN)
def test_what_may_not_be_read_is_named(desk, words, name):
    """One wording for all: where, and what the system says."""
    place = pathlib.Path(desk.server.spool, "state", name)
    if name.endswith(".db"):
        place.write_bytes(b"")
    else:
        place.mkdir()
    place.chmod(0)   # of whoever runs the tests
    status, out, err = desk.run(*words)
    assert (status, out, err.splitlines()[-1]) == (
        1, "", f"danelaw: report: {place}: Permission denied")
    place.chmod(0o700)


@pytest.mark.parametrize("words, name", KEPT_IN[:-1])
def test_what_is_damaged_is_named(desk, words, name):
    """And who sets it aside."""
    place = pathlib.Path(desk.server.spool, "state", name)
    place.write_bytes(b"this is no database " * 100)
    daemon.give(place)
    status, out, err = desk.run(*words)
    assert (status, out) == (1, "")
    last = err.splitlines()[-1]
    assert last.startswith(f"danelaw: report: {place}: file is not a database; ")
    assert last.endswith("sets it aside" if name == "inbox.db" else
                         "danelawd sets it aside when it next writes to it")


def test_received_since(desk):
    desk.keeps(report(ago=20), report(ago=2))
    assert len(desk.run("received", "--json")[1].splitlines()) == 2
    assert len(desk.run("received", "--json", "--since", "5d")[1].splitlines()) == 1
    assert desk.run("received", "--since", "soon")[0] == 2


@pytest.mark.parametrize("words", [
    ("ingest", "--unsigned"), ("received",), ("summary",), ("advise", "ours.example"),
    ("forget", "--all"), ("show",)])
def test_before_the_daemon_ever_ran(desk, words):
    state = pathlib.Path(desk.server.spool, "state")
    state.rmdir()
    if words[0] == "ingest":
        words = (*words, desk.file(report()))
    assert desk.run(*words) == (
        1, "", f"danelaw: report: the state folder {state} is not there; "
               "start danelawd once\n")


@pytest.mark.parametrize("words", [
    [], ["tell"], ["read"], ["advise"], ["advise", "a.example", "b.example"],
    ["received", "--unsigned"], ["received", "--all"], ["forget"],
    ["forget", "--all", "--unsigned"], ["forget", "--all", "ours.example"],
    ["forget", "--all", "--json"], ["summary", "--since", "5d"], ["ingest", "--json"], ["aside", "ours.example"]])
def test_usage(desk, words):
    assert desk.run(*words)[0] == 2
