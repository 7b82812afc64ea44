"""Starting, refusing to start, reloading, losing a role, stopping."""
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from support.daemon import alive, binary, environment
from support.maildir import Maildir
from support.talk import Talk, message
from support.wait import answers, wait_until

ROOT = pathlib.Path(__file__).parents[2]


def check(danelaw, text):
    """(exit status, what was said) of danelawd -t over this configuration."""
    server = danelaw(text=text, start=False)
    done = subprocess.run([binary("danelawd"), "-t", "-c", str(server.config_file)],
                          capture_output=True, text=True, timeout=30, check=False,
                          env=environment())
    return done.returncode, done.stdout + done.stderr


def test_starts_and_stops(danelaw):
    server = danelaw({"receive_processes": 0})
    roles = server.pids()
    assert len(roles["deliver"]) == os.cpu_count()
    assert len(roles["receive"]) == (os.cpu_count() + 1) // 2
    assert len(roles["queue"]) == 1
    server.stop()


def test_greets_with_its_name(danelaw):
    server = danelaw({"hostname": "mx7.test.example"})
    with Talk(server.port) as talk:
        assert talk.greeting[0] == 220
        assert talk.greeting[1][0].split()[0] == "mx7.test.example"


@pytest.mark.parametrize("text, told", [
    ('hostname = "a.example"\n', ["spool"]),
    ('hostname = "a.example"\nspool = "/tmp/x"\nhostnam = "b"\n', [":3:", "hostnam"]),
    ('hostname = "a.example"\nspool = "/tmp/x"\n'
     'listen "mx" {\n  address = {"0.0.0.0"}\n}\n', [":4:", "address", "PORT"]),
    ('hostname = "a.example"\nspool = "/tmp/x"\n'
     'domain "b.example" {\n  deliver = "pigeon:coop"\n}\n', [":4:", "deliver"]),
    ('hostname = "a.example"\nspool = "/tmp/x"\n'
     'limits { message = "many" }\n', [":3:", "message"]),
    ('hostname = "a.example\nspool = "/tmp/x"\n', [":"]),
    ("", ["hostname"]),
])
def test_bad_configuration_is_told(danelaw, text, told):
    status, said = check(danelaw, text)
    assert status == 1
    for words in told:
        assert words in said


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
@pytest.mark.parametrize("user, told", [
    (None, "an account for its roles"), ("root", "must not run as root"),
    ("nosuch", "there is no such account")])
def test_roles_need_an_account_of_their_own(danelaw, user, told):
    server = danelaw(start=False)
    lines = server.config_file.read_text().splitlines()
    lines = [line for line in lines if not line.startswith("user")]
    text = "\n".join(lines + ([f'user = "{user}"'] if user else [])) + "\n"
    status, said = check(danelaw, text)
    assert status == 1 and told in said
    server.config_file.write_text(text)
    done = server.ctl("check-config", check=False)
    assert done.returncode == 1 and told in done.stderr
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert told in server.log_text()
    server.process = None


@pytest.mark.skipif(os.getuid() != 0, reason="root alone gives rights up")
@pytest.mark.parametrize("key", ["ca_file", "resolver: trust_anchor"])
def test_files_that_only_root_can_read(danelaw, tmp_path, key):
    """The roles run as another: that is seen before they stumble."""
    path = tmp_path / "secret"
    path.write_bytes(pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes())
    path.chmod(0o600)
    tmp_path.chmod(0o755)
    server = danelaw(start=False)
    block, _, name = key.rpartition(": ")
    text = f'{name} = "{path}"\n'
    good = server.config_file.read_text()
    server.config_file.write_text(
        good.replace(f"{block} {{\n", f"{block} {{\n    {text}") if block
        else text + good)
    done = server.ctl("check-config", check=False)
    assert (done.returncode, f'{key} "{path}": Permission denied' in
            done.stderr + done.stdout) == (1, True), done
    path.chmod(0o644)
    done = server.ctl("check-config", check=False)
    assert "Permission denied" not in done.stderr + done.stdout


@pytest.mark.parametrize("content, told", [
    (None, "No such file or directory"), ("", "no certificate or crl found"),
    ("no PEM\n", "no certificate or crl found"), ("/", "it is no file")])
def test_authorities_that_do_not_load(danelaw, tmp_path, content, told):
    """In the same words by whoever looks, and a running daemon goes on."""
    path = tmp_path / "authorities.pem"
    if content == "/":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    words = f"ca_file: {path}: {told}"
    server = danelaw()
    good = server.config_file.read_text()
    server.config_file.write_text(f'ca_file = "{path}"\n' + good)
    for command in (lambda: server.ctl("check-config", check=False),
                    lambda: server.ctl("probe", "x@a.example", check=False)):
        done = command()
        assert done.returncode == 1, done
        assert words.removeprefix("" if "ca_file" in done.stderr else "ca_file: ") \
            in done.stderr
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: words in server.log_text(), "the reload is refused")
    assert answers(server.port)
    server.stop()
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert server.log_text().count(words) == 2
    server.process = None


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_starts_with_no_more_rights_than_the_unit_gives(danelaw):
    """systemd is not there, but what takes its rights away is."""
    unit = (ROOT / "docs/examples/danelaw.service").read_text()
    rights = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", unit)[1].lower().split()
    bounding = ",".join(["-all", *(f"+{r.removeprefix('cap_')}" for r in rights)])
    # The folder that users drop mail into passes on its group: mode 03733.
    assert "RestrictSUIDSGID=yes" not in unit
    server = danelaw(start=False)
    drop = server.spool / "drop"
    for _ in range(2):   # with a spool to be made, and with one that is there
        server.before = ["setpriv", "--no-new-privs", "--bounding-set", bounding]
        server.start()
        server.stop()
        assert stat.S_IMODE(drop.stat().st_mode) == 0o3733
    server.before[-1] = bounding.replace(",+fsetid", "")
    server.start()   # what is right is not touched
    server.stop()
    assert stat.S_IMODE(drop.stat().st_mode) == 0o3733
    drop.chmod(0o1733)
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert f"{drop}: mode 3733 cannot be set; is CAP_FSETID" in server.log_text()
    server.process = None


def test_start_that_fails_is_told_beside_syslog_too(danelaw):
    server = danelaw({"log": "syslog"}, start=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        server.start(wait=False)
        assert server.process.wait(20) == 1
    said = [line for line in server.log_text().splitlines() if line.startswith("danelawd: ")]
    assert len(said) == 1 and str(server.port) in said[0], server.log_text()
    server.process = None


def test_missing_files_are_told(danelaw, tmp_path):
    server = danelaw(start=False)
    server.write_config({
        "certificate mx": {"chain": f"{tmp_path}/no.pem", "key": f"{tmp_path}/no.key"},
        "domain test.example": {"deliver": "discard",
                                "recipients": f"file:{tmp_path}/nobody"}})
    status, said = check(danelaw, server.config_file.read_text())
    assert status == 1
    assert f"{tmp_path}/no.pem" in said and f"{tmp_path}/nobody" in said


def test_key_of_another_certificate_is_told(danelaw, certificate):
    one, other = certificate("mx.test.example"), certificate("other.example")
    server = danelaw(start=False)
    server.write_config({"certificate mx": {"chain": one.chain, "key": other.key}})
    status, said = check(danelaw, server.config_file.read_text())
    assert status == 1 and "key" in said


def test_good_configuration_is_told(danelaw):
    server = danelaw(start=False)
    status, said = check(danelaw, server.config_file.read_text())
    assert (status, "fine" in said) == (0, True), said


def test_missing_configuration_ends_with_1(tmp_path):
    done = subprocess.run([binary("danelawd"), "-f", "-c", f"{tmp_path}/none.conf"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "none.conf" in done.stderr


def test_bad_usage_ends_with_2():
    done = subprocess.run([binary("danelawd"), "--what"], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2 and "usage" in done.stderr


def test_taken_port_is_told(danelaw):
    server = danelaw(start=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        server.start(wait=False)
        assert server.process.wait(20) == 1
    assert str(server.port) in server.log_text()
    server.process = None


def test_reload_takes_the_new_configuration(danelaw):
    server = danelaw()
    server.write_config({"hostname": "new.test.example"})
    server.process.send_signal(signal.SIGHUP)

    def renamed():
        with Talk(server.port) as talk:
            return talk.greeting[1][0].startswith("new.test.example")
    wait_until(renamed, "the new name in the greeting")


def test_reload_cuts_no_session_and_refuses_no_connection(danelaw):
    # Some thousand connections of one client: their number is not the point.
    server = danelaw({"domain test.example": {"deliver": "discard"},
                      "limits": {"sessions_client": 100000}})
    with Talk(server.port) as before:
        before.hello()
        before.envelope("a@client.example", "user@test.example")
        old = server.pids()["receive"]
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            assert answers(server.port)
        new = server.pids()["receive"]
        assert set(new) != set(old), "no process was replaced"
        assert before.data(message())[0] == 250
        before.expect(221, "QUIT")


def test_reload_does_not_change_the_user(danelaw):
    """The spool would belong to the account before."""
    if os.getuid() != 0:
        pytest.skip("only root has a choice")
    server = danelaw()
    server.write_config({"user": "daemon"})
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "user: needs a restart" in server.log_text(), "the reason")
    status = server.ctl("status", check=False)
    assert status.returncode == 1, status.stdout
    assert "reload_problem: user: needs a restart" in status.stdout


def test_spool_of_another_account_is_told(danelaw):
    if os.getuid() != 0:
        pytest.skip("only root has a choice")
    server = danelaw()
    server.stop()
    server.write_config({"user": "daemon"})
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert "chown -R daemon" in server.log_text()
    server.process = None


def test_daemon_without_f_tells_how_it_went(danelaw):
    """danelawd(8): 0 when all roles run, 1 with the reason when they do not."""
    server = danelaw(start=False)
    command = [binary("danelawd"), "-c", str(server.config_file)]
    good = subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env=environment())
    assert good.returncode == 0, good.stderr
    second = subprocess.run(command, capture_output=True, text=True, timeout=60,
                            env=environment())
    assert second.returncode == 1 and "cannot listen" in second.stderr
    status = json.loads(server.ctl("--json", "status").stdout.splitlines()[-1])
    os.kill(status["pid"], signal.SIGTERM)

    def gone():
        try:
            os.kill(status["pid"], 0)
        except ProcessLookupError:
            return True
        return False
    wait_until(gone, "the daemon to end")


def test_status_is_degraded_without_its_roles(danelaw):
    """A role that dies again and again is somebody's business."""
    if os.getuid() != 0:
        pytest.skip("the folder's owner gets in all the same")
    server = danelaw()
    journal = server.spool / "journal"
    journal.chmod(0)
    os.kill(server.pids()["queue"][0], signal.SIGKILL)
    wait_until(lambda: "degraded" in server.ctl("status", check=False).stdout,
               "degraded")
    assert server.ctl("status", check=False).returncode == 1
    journal.chmod(0o700)
    wait_until(lambda: "state: running" in server.ctl("status", check=False).stdout,
               "running")


def test_bad_reload_keeps_the_old_configuration(danelaw):
    server = danelaw()
    server.write_config(text="nonsense = 3\n")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "nonsense" in server.log_text(), "the reason in the log")
    with Talk(server.port) as talk:
        assert talk.greeting[1][0].startswith("mx.test.example")
    assert server.process.poll() is None


def test_reload_asked_for_while_starting_is_not_lost(danelaw):
    server = danelaw(start=False).start(wait=False)
    wait_until(lambda: answers(server.port), "the first greeting")
    server.write_config({"hostname": "new.test.example"})
    server.process.send_signal(signal.SIGHUP)

    def renamed():
        with Talk(server.port) as talk:
            return talk.greeting[1][0].startswith("new.test.example")
    wait_until(renamed, "the new name in the greeting")


def test_reloads_in_a_row_end_with_the_last(danelaw):
    server = danelaw()
    for n in range(5):
        server.write_config({"hostname": f"n{n}.test.example"})
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)

    def renamed():
        with Talk(server.port) as talk:
            return talk.greeting[1][0].startswith("n4.test.example")
    wait_until(renamed, "the last name in the greeting")


@pytest.mark.parametrize("role", ["receive", "queue", "deliver"])
def test_dead_role_is_restarted(danelaw, mail, role):
    server = danelaw({"domain test.example": {"deliver": f"maildir:{mail}/%u"}})
    dead = server.pids()[role]
    for pid in dead:
        os.kill(pid, signal.SIGKILL)

    def back():
        now = server.pids().get(role, [])
        return len(now) == len(dead) and not set(now) & set(dead)
    wait_until(back, f"new {role} processes")
    wait_until(lambda: answers(server.port), "a greeting again")
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", "user@test.example")
        assert talk.data(message())[0] == 250
    Maildir(mail / "user").wait(1)


def test_roles_end_without_their_supervisor(danelaw):
    """A session that is open does not keep them for longer than the drain time."""
    server = danelaw({"timeouts": {"drain": "500ms"}})
    roles = server.role_pids()
    with Talk(server.port) as talk:
        talk.hello()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
        wait_until(lambda: not any(alive(pid) for pid in roles),
                   "the roles have ended", 15)
    server.process = None
    server.assert_clean()


def test_status_names_the_roles(danelaw):
    server = danelaw()
    said = server.ctl("status").stdout
    for role in ("receive", "queue", "deliver"):
        assert role in said


def test_sd_notify(danelaw, tmp_path, monkeypatch):
    """Under systemd: READY=1 once it serves, STOPPING=1 at the end."""
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        server = danelaw()
        assert b"READY=1" in s.recv(4096)
        server.stop()
        said = b""
        while b"STOPPING=1" not in said:
            said += s.recv(4096)
