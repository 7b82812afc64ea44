"""The unit under a real systemd, installed as docs/INSTALL.md says it."""
import json
import os
import re
import subprocess
import time

import pytest

from support.daemon import ROOT
from support.maildir import Maildir
from support.systemd_box import Box, CannotStart, missing
from support.talk import Talk, message
from support.wait import wait_until

RELEASE = ROOT / "build-release"
EXAMPLE = "docs/examples/danelaw.service"
UNIT = os.environ.get("DANELAW_UNIT", EXAMPLE)
CONFIG = "/etc/danelaw/danelaw.conf"
SPOOL = "/var/spool/danelaw"
MAIL = "/var/mail/example.org"
# Nobody answers in the box: who asks the DNS there waits.
ALONE = """
resolver { forward "." { server = {"127.0.0.1:9"} } self_test = "" }
renewal  { tlsa = no mta_sts = no }
defence  { greeting_delay = 0s }
retry    { first = 1s longest = 1s }
route "elsewhere.example" { via = "smtp:[127.0.0.1]:2525" }
"""
GUEST = "12345"  # a user id nobody has
CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5,
                "SETGID": 6, "SETUID": 7, "NET_BIND_SERVICE": 10}  # capability.h


def blocks():
    """What INSTALL.md gives to be typed or written, block by block."""
    text = (ROOT / "docs/INSTALL.md").read_text()
    return [re.sub(r"(?m)^ {4}", "", block)
            for block in re.findall(r"(?m)(?:^ {4}.*\n|^\n(?= {4}))+", text)]


def block(words):
    """The one that has these words."""
    found = [text for text in blocks() if words in text]
    assert len(found) == 1, f"{len(found)} blocks with {words!r}"
    return found[0].strip("\n") + "\n"


def configuration():
    """The example of INSTALL.md, but that mail goes to Maildirs."""
    text = block('hostname = "mx1.example.org"')
    text, replaced = re.subn(r'deliver +=.*', f'deliver = "maildir:{MAIL}/%u"', text)
    assert replaced == 1
    return text + ALONE


def typed(box, text):
    """As somebody types it, in the checkout, who stops at the first failure."""
    return box.says("sh", "-ec", f"cd {ROOT}\n{text}")


def installed(box):
    """All but the start: INSTALL.md from top to bottom."""
    typed(box, block("adduser --system"))
    box.file(CONFIG).write_text(configuration())
    typed(box, block("openssl req"))
    box.file("/etc/danelaw/recipients").write_text("someone@example.org\n")
    box.run("install", "-d", "-o", "danelaw", MAIL)
    typed(box, block("danelaw check-config"))


class Service:
    """The daemon as an operator has it."""

    def __init__(self, box):
        self.box = box

    def systemctl(self, *words, check=True):
        return self.box.run("systemctl", *words, check=check)

    def shows(self, *names):
        """Properties of the unit, as systemd tells them."""
        said = self.systemctl("show", "danelaw", "-p", ",".join(names)).stdout
        return dict(line.partition("=")[::2] for line in said.splitlines())

    def status(self):
        """(a row for each role, the whole)"""
        *roles, whole = map(json.loads, self.box.says(
            "danelaw", "status", "--json").splitlines())
        return roles, whole

    def journal(self, *words):
        """What the journal has of it, an entry each."""
        said = self.box.says("journalctl", "-u", "danelaw", "-o", "json", *words)
        return [json.loads(line) for line in said.splitlines()]

    def told(self, words):
        return [e for e in self.journal() if words in e["MESSAGE"]]

    def configure(self, text):
        self.box.file(CONFIG).write_text(text)

    def talk(self):
        with self.box.network():
            return Talk(25)

    def greets(self):
        try:
            with self.talk() as talk:
                return talk.greeting
        except (OSError, EOFError):
            return None

    def take(self, subject, to="someone@example.org"):
        """It has our 250 for a message."""
        with self.talk() as talk:
            talk.hello()
            talk.envelope("a@client.example", to)
            assert talk.data(message(subject, to=to))[0] == 250

    def arrived(self, subject, person="someone"):
        """How often it is in the Maildir."""
        box = Maildir(self.box.file(f"{MAIL}/{person}"))
        line = f"Subject: {subject}\n".encode()
        return sum(line in text.replace(b"\r\n", b"\n") for text in box.messages())

    def waiting(self):
        said = self.box.says("danelaw", "queue", "list", "--json")
        return [json.loads(line) for line in said.splitlines()]


@pytest.fixture(scope="module")
def box(run_folder):
    why = missing()
    if why:
        pytest.skip(why)
    if not os.access(RELEASE / "mta/danelawd", os.X_OK):
        pytest.skip("no release build here")
    made = Box(run_folder / "systemd")
    subprocess.run(["meson", "install", "--no-rebuild", "--quiet", "-C", RELEASE,
                    "--destdir", made.root], check=True, timeout=60, capture_output=True)
    try:
        made.start(ROOT)
    except CannotStart as failure:
        pytest.skip(f"no systemd of our own: {failure}")
    yield made
    made.stop()
    made.remove()


@pytest.fixture(scope="module")
def installation(box):
    installed(box)
    typed(box, block("systemctl enable --now").replace(EXAMPLE, UNIT))
    return Service(box)


@pytest.fixture
def service(installation):
    """Running with the configuration it was installed with, whatever was before."""
    installation.configure(configuration())
    installation.systemctl("restart", "danelaw")
    return installation


def test_it_is_started_as_the_guide_says(service):
    told = service.shows("ActiveState", "SubState", "UnitFileState", "NRestarts")
    assert told == {"ActiveState": "active", "SubState": "running",
                    "UnitFileState": "enabled", "NRestarts": "0"}
    _, status = service.status()
    assert status["state"] == "running", status
    assert str(status["pid"]) == service.shows("MainPID")["MainPID"]
    assert service.greets()[1][0].split()[0] == "mx1.example.org"


def test_roles_confine_themselves_under_the_unit(service):
    """The unit takes nothing away that the sandbox of a role is made with."""
    for role in service.status()[0]:
        assert role["state"] == "running" and role["seccomp"] == "enforces", role
        assert role["landlock"] >= 1 and role["no_new_privs"] and not role["dumpable"], role


def test_the_supervisor_has_what_the_unit_leaves_it(service):
    pid = service.shows("MainPID")["MainPID"]
    said = service.box.says("cat", f"/proc/{pid}/status")
    status = dict(re.findall(r"(?m)^(\w+):\s+(.*)$", said))
    assert int(status["CapBnd"], 16) == sum(1 << bit for bit in CAPABILITIES.values())


@pytest.mark.parametrize("path, may", [
    (SPOOL, True), ("/var/mail", True), ("/etc/danelaw", False), ("/usr/local", False),
    ("/var/lib", False), ("/root", False), ("/home", False)])
def test_what_can_be_written_in_its_file_system(service, path, may):
    pid = service.shows("MainPID")["MainPID"]
    done = service.box.run("nsenter", "--target", pid, "--mount", "sh", "-c",
                           f"echo > {path}/probe && rm {path}/probe", check=False)
    assert (done.returncode == 0) == may, done.stderr


def test_mail_is_taken_and_delivered(service):
    service.take("delivered")
    wait_until(lambda: service.arrived("delivered") == 1, "the message")


def test_the_log_is_in_the_journal(service):
    """log = "syslog": with its name, its level and its process."""
    [entry] = [e for e in service.journal("_PID=" + service.shows("MainPID")["MainPID"])
               if "event=started" in e["MESSAGE"]]
    assert (entry["SYSLOG_IDENTIFIER"], entry["PRIORITY"]) == ("danelaw", "6")


def test_a_reload_is_waited_for(service):
    """Once systemctl is back, the new configuration is in use."""
    service.configure(configuration().replace('"mx1.example.org"', '"mx2.example.org"', 1))
    service.systemctl("reload", "danelaw")
    assert service.greets()[1][0].split()[0] == "mx2.example.org"


def test_it_waits_for_a_slow_reload(service):
    """As long as `danelaw reload`, which says why when it gives up."""
    told = service.shows("TimeoutStartUSec")["TimeoutStartUSec"]
    unit = sum(int(n) * {"s": 1, "min": 60, "h": 3600}[of]
               for n, of in re.findall(r"(\d+)(min|s|h)", told))
    reload = re.search(r"RELOAD_WAIT_S (\d+)", (ROOT / "mta/ctl/reload.c").read_text())
    assert unit > int(reload[1]), told


def test_a_reload_that_is_refused_fails(service):
    """systemctl says so, the journal why, and the old one is in use."""
    service.configure(configuration() + "colour = blue\n")
    line = configuration().count("\n") + 1
    done = service.systemctl("reload", "danelaw", check=False)
    assert done.returncode == 1 and "failed" in done.stderr
    assert service.told(f'{CONFIG}:{line}: unknown key "colour"')
    assert service.shows("ActiveState") == {"ActiveState": "active"}
    assert service.greets()[0] == 220


def test_a_renewed_certificate_is_noticed(service):
    """The watch on files works in the file system that the unit gives it."""
    def valid_days():
        said = service.box.says("danelaw", "certs", "--json").splitlines()
        return [json.loads(line)["days_left"] for line in said]

    renewed = block("openssl req").replace("-days 90", "-days 400")
    before = len(service.told("event=certificate-renewed"))
    typed(service.box, renewed)
    wait_until(lambda: len(service.told("event=certificate-renewed")) > before,
               "that it is noticed")
    assert valid_days()[0] > 390


def test_a_stop_ends_sessions_and_keeps_mail(service):
    """With somebody connected, and a message that nobody takes."""
    service.take("kept", "b@elsewhere.example")
    with service.talk() as talk:
        talk.hello()
        began = time.monotonic()
        service.systemctl("stop", "danelaw")
        assert time.monotonic() - began < 60
    told = service.shows("ActiveState", "Result", "ExecMainStatus")
    assert told == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    service.systemctl("start", "danelaw")
    assert "b@elsewhere.example" in json.dumps(service.waiting())


def test_what_is_killed_is_started_again(service):
    """Its roles end with it, and what it said 250 to is there."""
    service.take("survives", "c@elsewhere.example")
    old = {role["pid"] for role in service.status()[0]}
    service.systemctl("kill", "--kill-whom=main", "--signal=KILL", "danelaw")
    wait_until(lambda: service.shows("NRestarts")["NRestarts"] == "1"
               and service.shows("ActiveState")["ActiveState"] == "active",
               "that it is started again")
    roles = service.status()[0]
    inside = {int(pid) for pid in service.box.says(
        "sh", "-c", "cat /sys/fs/cgroup/system.slice/danelaw.service/cgroup.procs").split()}
    assert not old & inside and {role["pid"] for role in roles} < inside
    assert "c@elsewhere.example" in json.dumps(service.waiting())


def test_it_is_tried_until_it_can_start(service):
    """A wrong configuration is told at once, and mended without a hand on the unit."""
    service.configure("colour = blue\n" + configuration())
    done = service.systemctl("restart", "danelaw", check=False)
    assert done.returncode == 1
    assert service.told(f'{CONFIG}:1: unknown key "colour"')
    assert service.shows("SubState") == {"SubState": "auto-restart"}
    service.configure(configuration())
    wait_until(lambda: service.shows("ActiveState") == {"ActiveState": "active"},
               "that it is started by itself")


def test_programs_hand_in_mail_while_it_is_down(service):
    """sendmail as INSTALL.md links it, called by a user without rights."""
    if not service.box.file("/usr/sbin/sendmail").is_symlink():
        service.box.run("rm", "-f", "/usr/sbin/sendmail", "/usr/bin/mailq")
        typed(service.box, block("/usr/sbin/sendmail"))
    service.systemctl("stop", "danelaw")
    service.box.run("/usr/sbin/sendmail", "someone@example.org", user=GUEST,
                    text="Subject: from a program\n\nbody\n")
    service.systemctl("start", "danelaw")
    wait_until(lambda: service.arrived("from a program") == 1, "the message")
