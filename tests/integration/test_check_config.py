"""What check-config warns of, beside what it refuses."""
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess

import pytest

from support import report_keys
from support.daemon import SERVANT, alive, binary, environment, open_way
from support.wait import wait_until

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may look for others")


def warnings(server, user=None):
    """The lines of check-config that warn, but for those about DNSSEC."""
    done = subprocess.run([binary("danelaw"), "-c", server.config_file, "check-config"],
                          capture_output=True, text=True, check=False, timeout=30,
                          env=environment(), user=user)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines()
            if line.startswith("warning: ") and "trust_anchor" not in line
            and "no certificate" not in line]


def ours(path):
    return {"deliver": f"maildir:{path}"}


def weak(name, words, rest):
    return f'warning: tls "{name}": a wider rule has {words}, so {rest}'


def test_rules_that_a_wider_one_weakens(danelaw):
    """A level that nobody enforces is no floor, and its author may not know."""
    audit = "enforcement = audit", "its level is not enforced"
    less = "what senders demand counts for less"
    server = danelaw({
        "tls *": {"enforcement": "audit", "level": "encrypt"},
        "tls .example": {"requiretls": "opportunistic"},
        "tls a.example": {"level": "secure"},
        "tls b.example": {"level": "secure", "enforcement": "enforce"},
        "tls c.example": {"level": "dane", "requiretls": "enforce"},
        "tls d.example": {"level": "dane", "requiretls": "off", "enforcement": "audit"},
        "tls e.example": {"level": "opportunistic"},
        "tls f.example": {"enforcement": "enforce"},
        "tls .test": {"enforcement": "enforce"},
        "tls g.test": {"level": "encrypt"},
        "tls h.test": {"level": "encrypt", "until": "2001-01-01"}}, start=False)
    assert warnings(server) == [
        weak("a.example", *audit), weak("a.example", "requiretls = opportunistic", less),
        weak("b.example", "requiretls = opportunistic", less), weak("c.example", *audit),
        'warning: tls "h.test": until is over, and the rule counts no more']
    # For all of them it is the same.
    server.write_config({
        "enforcement": "audit", "requiretls": "off",
        "tls *": {"enforcement": "audit", "requiretls": "encrypt"},
        "tls a.example": {"level": "secure"}})
    assert warnings(server) == []


@as_root
def test_maildirs_that_the_roles_cannot_write(danelaw, tmp_path):
    shut, private = tmp_path / "shut", tmp_path / "private"
    shut.mkdir()  # root's, 0755
    private.mkdir(mode=0o700)
    (private / "inner").mkdir(mode=0o777)
    (tmp_path / "file").write_text("")
    box = tmp_path / "box"
    open_way(box)
    box.chmod(0o500)
    server = danelaw({
        "domain a.example": ours(f"{tmp_path}/none/%u"),
        "domain b.example": ours(f"{shut}/%d-%u"),
        "domain c.example": ours(f"{private}/inner/%u"),
        "domain d.example": ours(f"{tmp_path}/file/%u/Maildir"),
        "domain e.example": ours(box),
        "domain f.example": ours(f"{shut}/one"),
        "domain g.example": ours(f"{shut}/%d/mail/%u"),
        "domain h.example": ours(f"{tmp_path}/none/%u"),
        "route x.example": {"via": f"maildir:{shut}/%d"}}, start=False)
    account = f'the account "{SERVANT}" cannot'
    assert warnings(server) == [
        f'warning: domain "a.example": {account} make a Maildir in {tmp_path}/none: '
        "No such file or directory",
        f'warning: domain "b.example": {account} make a Maildir in {shut}: Permission denied',
        f'warning: domain "c.example": {account} make a Maildir in {private}/inner: '
        "Permission denied",
        f'warning: domain "d.example": {account} come to {tmp_path}/file: Not a directory',
        f'warning: domain "e.example": {account} write to the Maildir {box}: '
        "Permission denied",
        f'warning: domain "f.example": {account} make a Maildir in {shut}: Permission denied',
        f'warning: domain "g.example": {account} make a Maildir in {shut}/g.example/mail: '
        "No such file or directory",
        f'warning: route "x.example": {account} make a Maildir in {shut}: Permission denied']
    # Somebody else cannot know what the account may.
    assert warnings(server, user="daemon") == []
    assert len(warnings(server, user=SERVANT)) == 8
    # So does -t, and a start does not look: a mount may hang.
    done = subprocess.run([binary("danelawd"), "-t", "-c", server.config_file],
                          capture_output=True, text=True, check=True, env=environment())
    assert done.stderr.count(account) == 8, done.stderr
    server.start()
    assert account not in server.log_text()


def test_maildirs_that_they_can(danelaw, tmp_path):
    for name in ("mail", "box", "home"):
        open_way(tmp_path / name)
    (tmp_path / "home").chmod(0o555)
    server = danelaw({
        "domain a.example": ours(f"{tmp_path}/mail/%u"),
        "domain b.example": ours(f"{tmp_path}/mail/100%%-%d-%u/"),
        "domain c.example": ours(tmp_path / "box"),
        "domain d.example": ours(f"{tmp_path}/mail/one"),
        "domain e.example": ours(f"{tmp_path}/home/%u/Maildir"),
        "domain f.example": ours("/%u/Maildir"),
        "route x.example": {"via": f"maildir:{tmp_path}/mail/%d"}}, start=False)
    assert warnings(server) == []


def test_sockets_that_are_not_there(danelaw, tmp_path):
    """Who listens may come later: a start says nothing, a reload tells the log."""
    none, away, file = tmp_path / "none", tmp_path / "away/s", tmp_path / "file"
    file.write_text("")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{tmp_path}/made")
    peers = {
        "domain a.example": {"deliver": f"lmtp:unix:{away}", "verify": "lmtp"},
        "domain b.example": {"deliver": f"lmtp:unix:{tmp_path}/made"},
        "domain c.example": {"deliver": f"lmtp:unix:{away}"},
        "domain d.example": {"deliver": f"lmtp:unix:{none}", "aliases": "lookup:map"},
        "route e.example": {"via": f"lmtp:unix:{file}"},
        "route f.example": {"via": "lmtp:[127.0.0.1]:24"},
        "lookup map": {"source": f"socketmap:unix:{none}:virtual"},
        "lookup inet": {"source": "socketmap:inet:127.0.0.1:9:virtual"},
        "milter one": {"address": f"unix:{away}"},
        "milter two": {"address": f"unix:{tmp_path}/made"},
        "milter three": {"address": "inet:127.0.0.1:9"}}
    server = danelaw(peers, start=False)
    nobody = [f'{block}: nobody can listen at {path}: {why}' for block, path, why in (
        ('domain "a.example"', away, "its folder is not there"),
        ('domain "d.example"', none, "there is no such socket"),
        ('route "e.example"', file, "it is no socket"),
        ('lookup "map"', none, "there is no such socket"),
        ('milter "one"', away, "its folder is not there"))]
    assert warnings(server) == [f"warning: {line}" for line in nobody]
    done = subprocess.run([binary("danelawd"), "-t", "-c", server.config_file],
                          capture_output=True, text=True, check=True, env=environment())
    assert [line for line in nobody if f"warning: {line}\n" not in done.stderr] == []
    server.start()
    assert "nobody can listen" not in server.log_text()
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    assert [event["reason"] for event in server.events("configuration-warning")
            if "nobody" in event["reason"]] == nobody


@as_root
def test_a_socket_where_one_may_not_look(danelaw, tmp_path):
    """Who asks cannot know, and root does."""
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    server = danelaw({"domain a.example": {"deliver": f"lmtp:unix:{shut}/none"}}, start=False)
    assert warnings(server, user=SERVANT) == []
    assert len(warnings(server)) == 1


@pytest.mark.parametrize("where", ["certificate", "dkim"])
def test_a_key_that_anybody_may_read(danelaw, certificate, tmp_path, where):
    """By its mode and those of the folders above; a warning, and no more."""
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in tmp_path.parents):
        pytest.skip("nobody else comes here")
    folder = tmp_path / "keys"
    folder.mkdir()
    folder.chmod(0o755)
    if where == "dkim":
        key = report_keys.ReportKey(folder, "ed25519", "mx").path
        config = {"reporting": {"collect": True, "send": True, "contact": "tls@ours.example",
                                "dkim mx": {"key": str(tmp_path / "link")}}}
    else:
        made = certificate("mx.test.example")
        key = folder / "key.pem"
        key.write_bytes(pathlib.Path(made.key).read_bytes())
        config = {"certificate mx": {"chain": made.chain, "key": str(tmp_path / "link")}}
    (tmp_path / "link").symlink_to(key)
    server = danelaw(config, start=False)
    told = f'{where} "mx": every account may read the key in {tmp_path}/link'

    def warned():
        return [line for line in warnings(server) if "may read" in line]
    for mode, shut in (0o600, 0o755), (0o640, 0o755), (0o604, 0o754), (0o666, 0o700):
        key.chmod(mode)
        folder.chmod(shut)
        assert warned() == [], (oct(mode), oct(shut))
    folder.chmod(0o711)
    key.chmod(0o644)
    assert warned() == [f"warning: {told}"]
    said = server.ctl("certs").stdout
    assert (f"    problems: warning: {told.partition(': ')[2]}\n" in said) == (where != "dkim")
    server.start()
    assert f"warning: {told}\n" in server.log_text()
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    assert told in [event["reason"] for event in server.events("configuration-warning")]


@pytest.mark.skipif(os.path.exists("/dev/log"), reason="somebody listens to syslog here")
def test_a_log_that_nobody_hears(danelaw):
    """It is said before the start, at the start, and no line is lost."""
    server = danelaw({"log": "syslog"}, start=False)
    words = "nobody listens at /dev/log: No such file or directory"
    assert [words in line for line in warnings(server)] == [True]
    server.start()
    assert f"\nwarning: log: {words}; " in server.log_text()
    for event in server.events():
        assert "time" in event
    roles = {event["role"] for event in server.events("syslog-away")}
    assert "supervisor" in roles and "queue-0" in roles
    assert server.events("started")
    server.stop()
    server.write_config({"log": "stderr"})
    assert warnings(server) == []
    # Without -f there is no standard error, but for a moment.
    done = subprocess.run([binary("danelawd"), "-c", server.config_file], timeout=30,
                          capture_output=True, text=True, check=True, env=environment())
    pid = json.loads(server.ctl("--json", "status").stdout.splitlines()[-1])["pid"]
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), "its end")
    assert words in done.stderr
    assert words not in subprocess.run([binary("danelawd"), "-t", "-c", server.config_file],
                                       capture_output=True, text=True, check=True).stderr
