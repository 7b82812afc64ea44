"""What is around us fails, and comes back: nothing is lost, replies and the status say
why, and nobody has to lend a hand.

Mail filters that are down are in test_filter.py, a block list without an answer in
test_screen.py, who verifies recipients in test_lookups.py; a resolver that is down
when a certificate is renewed, in test_renewal_unknown.py; what becomes of reports and of
policies when the clock is set, in test_report_clock.py and test_lab_sts_changes.py.
"""
import errno
import json
import os
import subprocess
import time

import pytest

from support import milter as m
from support.clock import HOUR
from support.daemon import open_way
from support.maildir import Maildir, field
from support.programs import fine, sendmail
from support.talk import Talk, message
from support.wait import wait_until

QUICK = {"retry": {"first": "1s", "longest": "1s"}, "receive_processes": 1}


def post(server, to, subject="test", body="hello\r\n"):
    """The reply to a message, whenever it comes: "250 ..."."""
    with Talk(server.port) as talk:
        talk.hello()
        for word in ("MAIL FROM:<sender@home.example>", f"RCPT TO:<{to}>"):
            code, lines = talk.command(word)
            if code != 250:
                return f"{code} {lines[-1]}"
        code, lines = talk.data(message(subject=subject, body=body, to=to))
        return f"{code} {lines[-1]}"


def status(server):
    """(exit status, the last line) of `danelaw status`."""
    done = server.ctl("status", "--json", check=False)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def calm(server):
    code, said = status(server)
    return code == 0 and said["state"] == "running" and "trouble" not in said


def waiting(server):
    return len(server.ctl("queue", "list", "--json").stdout.splitlines())


# --- the disk is full ---------------------------------------------------------------

MIB = 1 << 20


class Disk:
    """A file system of its own, and something that takes its room."""

    def __init__(self, folder, size):
        self.folder = folder
        open_way(folder)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs",
                               str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")

    def left(self):
        seen = os.statvfs(self.folder)
        return seen.f_bavail * seen.f_frsize

    def leave(self, octets):
        """So much room and no more."""
        self.free()
        with open(self.folder / "ballast", "wb") as file:
            for _ in range(100):   # whoever writes takes some meanwhile
                try:
                    if octets < self.left():
                        os.posix_fallocate(file.fileno(), 0, self.left() - octets)
                    return
                except OSError as why:
                    assert why.errno == errno.ENOSPC
                file.truncate(0)
        raise AssertionError("the disk does not come to rest")

    def free(self):
        (self.folder / "ballast").unlink(missing_ok=True)

    def stop(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


@pytest.fixture
def disk(tmp_path, started):
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system")
    made = Disk(tmp_path / "disk", 64 * MIB)
    started.append(made)
    return made


@pytest.fixture
def milter(tmp_path, started):
    def make():
        made = m.Milter(m.owned(tmp_path / "sockets") / "filter")
        started.append(made)
        return made
    return make


def test_the_disk_is_full(danelaw, sink, disk):
    """452 4.3.1 to MAIL, and at the end of what had begun; then it goes on by itself."""
    hop = sink()
    hop.stop()
    server = danelaw({
        **QUICK, "spool": str(disk.folder / "spool"), "relay": {"from": ["127.0.0.1"]},
        "limits": {"space": "8M", "segment": "1M", "inline_message": "64K"},
        "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    acknowledged = {f"early {n}" for n in range(5)}
    for name in sorted(acknowledged):
        assert post(server, "a@far.example", name).startswith("250")
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("sender@home.example", "a@far.example")
        talk.expect(354, "DATA")   # there is room, as yet
        disk.leave(0)
        reply = post(server, "a@far.example")
        assert reply.startswith("452 4.3.1 not enough free space in the spool"), reply
        talk.send(message(subject="begun", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 30000)
                  + ".\r\n")
        code, lines = talk.reply()
        assert (code, lines[-1][:5]) == (452, "4.3.1"), lines
        talk.expect(250, "NOOP")
    server.wait_event("refused", kind="space", dsn="4.3.1")
    server.wait_event("not-accepted", dsn="4.3.1")
    server.wait_event("spool-full")
    wait_until(lambda: "not enough free space" in status(server)[1].get("trouble", ""),
               "a status that says so")
    assert status(server)[0] == 1 and status(server)[1]["state"] == "degraded"
    # The worst of it: everybody dies, and starts again on a full disk.
    server.kill()
    server.start(wait=False)
    time.sleep(3)
    disk.free()
    hop = sink(port=hop.port)
    wait_until(lambda: {field(got.body, "Subject")[0] for got in hop.messages} >= acknowledged,
               "all that was acknowledged", 90)
    assert {field(got.body, "Subject")[0] for got in hop.messages} == acknowledged
    wait_until(lambda: calm(server), "a calm status", 60)
    assert post(server, "a@far.example", "late").startswith("250")
    wait_until(lambda: field(hop.messages[-1].body, "Subject") == ["late"], "the next one", 30)
    wait_until(lambda: waiting(server) == 0, "an empty queue")


@pytest.mark.parametrize("kept", ["as it comes", "for a filter"])
def test_what_strangers_send_leaves_the_reserve(danelaw, disk, milter, kept):
    """MAIL was taken while there was room: each does, and then sends all it may."""
    filters = {"milter f": {"address": milter().address}} if kept == "for a filter" else {}
    server = danelaw({
        **QUICK, **filters, "spool": str(disk.folder / "spool"),
        "domain test.example": {"deliver": f"maildir:{disk.folder}/mail/%u"},
        "limits": {"space": "8M", "segment": "1M", "inline_message": "64K"}})
    disk.leave(10 * MIB)
    reply = post(server, "a@test.example", body=("y" * 70 + "\r\n") * 60000)
    assert reply.startswith("452 4.3.1 not enough free space in the spool"), reply
    wait_until(lambda: disk.left() >= 9 * MIB, "what it had sent to go")
    server.wait_event("not-accepted", dsn="4.3.1")
    assert post(server, "a@test.example").startswith("250")


def test_a_program_s_message_without_room_holds_up_no_other(danelaw, disk):
    """It waits until there is some; those that are smaller do not."""
    server = danelaw({
        **QUICK, "spool": str(disk.folder / "spool"),
        "domain test.example": {"deliver": "discard"},
        "limits": {"space": "8M", "segment": "1M", "inline_message": "64K"}})
    server.stop()
    for octets, who in ((10, "small"), (6 * MIB, "large"), (10, "small")):
        fine(sendmail(server, f"{who}@test.example",
                      text=b"Subject: x\n\n" + octets // 70 * (b"y" * 69 + b"\n")))
    disk.leave(12 * MIB)
    server.start()
    wait_until(lambda: len(server.events("delivery", to="small@test.example")) == 2, "both small")
    server.wait_event("drop-waits", dsn="4.3.1")
    assert not server.events("delivery", to="large@test.example")
    disk.free()
    server.wait_event("delivery", to="large@test.example")


def test_it_is_told_without_anybody_asking(danelaw, disk):
    """Nobody sends mail: the status has it all the same, and when it is over."""
    server = danelaw({**QUICK, "spool": str(disk.folder / "spool"),
                      "limits": {"space": "8M", "segment": "1M", "inline_message": "64K"}})
    assert calm(server)
    disk.leave(4 * MIB)
    server.wait_event("spool-full", dsn="4.3.1")
    wait_until(lambda: "in the spool" in status(server)[1].get("trouble", ""), "a status with it")
    disk.free()
    server.wait_event("spool-has-room")
    wait_until(lambda: calm(server), "a calm status")


# --- names cannot be looked up ------------------------------------------------------

def test_the_resolver_is_down(danelaw, nsd, sink):
    """Mail waits for an answer, and none is a "no"; block lists list nobody meanwhile."""
    hop = sink()
    names = nsd({"far.example": "@ MX 10 mx\nmx A 127.0.0.1\n",
                 "bl.example": "9.0.0.127 A 127.0.0.2\n"})
    names.stop()
    server = danelaw({
        **QUICK, **names.resolver(), "relay": {"from": ["127.0.0.1"]}, "mx_port": hop.port,
        "domain home.example": {"deliver": "discard"},
        "defence": {"dnsbl bl.example": {}, "dnsbl_timeout": "1s", "greeting_delay": "0s"}})
    assert post(server, "a@far.example").startswith("250")
    waits = server.wait_event("delivery", 60, outcome="deferred")
    assert waits["dsn"] in ("4.4.3", "4.4.4"), waits
    assert waiting(server) == 1

    def listed():
        with Talk(server.port, source="127.0.0.9") as talk:
            talk.hello()
            talk.expect(250, "MAIL FROM:<a@client.example>")
            return talk.command("RCPT TO:<a@home.example>")[0]
    assert listed() == 250
    assert server.events("dnsbl-failed")
    names.start()
    assert hop.wait(1, 90)[0].rcpts == ["a@far.example"]
    wait_until(lambda: waiting(server) == 0, "an empty queue")
    wait_until(lambda: listed() == 550, "a block list that answers", 60, 1)


# --- where mail goes ----------------------------------------------------------------

def test_lmtp_is_down(danelaw, dovecot):
    """250 all the same: it waits here, and goes when Dovecot is back."""
    real = dovecot()
    real.stop()
    server = danelaw({**QUICK, "domain test.example": {"deliver": f"lmtp:unix:{real.socket}"}})
    names = [f"letter {n}" for n in range(3)]
    for name in names:
        assert post(server, "user@test.example", name).startswith("250")
    waits = server.wait_event("delivery", outcome="deferred")
    assert waits["dsn"].startswith("4.4"), waits
    lines = [json.loads(line) for line in server.ctl("queue", "list", "--json").stdout.splitlines()]
    assert len(lines) == 3
    assert any(line["reason"].startswith(waits["dsn"]) for line in lines), lines
    real.start()
    got = real.maildir("user").wait(3, 60)
    assert sorted(field(one, "Subject")[0] for one in got) == names
    wait_until(lambda: waiting(server) == 0, "an empty queue")


def test_the_next_hop_is_down(danelaw, sink):
    """The same by SMTP; what it has taken is not sent twice."""
    hop = sink()
    server = danelaw({**QUICK, "relay": {"from": ["127.0.0.1"]}, "timeouts": {"idle": 0},
                      "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    assert post(server, "a@far.example", "before").startswith("250")
    hop.wait(1)
    hop.stop()
    assert post(server, "a@far.example", "meanwhile").startswith("250")
    waits = server.wait_event("delivery", outcome="deferred")
    assert waits["dsn"].startswith("4.4"), waits
    again = sink(port=hop.port)
    assert field(again.wait(1, 30)[0].body, "Subject") == ["meanwhile"]
    wait_until(lambda: waiting(server) == 0, "an empty queue")
    assert len(hop.messages) == len(again.messages) == 1


# --- the clock ----------------------------------------------------------------------

@pytest.mark.parametrize("begin, end", [(0, -HOUR), (0, HOUR), (10 * 365 * 24 * HOUR, 0)])
def test_the_clock_is_set(danelaw, sink, clock, begin, end):
    """Back an hour, on an hour, from nonsense to the truth: what waits goes when it would
    have gone, and what comes later goes at once."""
    hop = sink()
    hop.stop()
    server = danelaw({"receive_processes": 1, "retry": {"first": "3s", "longest": "3s"},
                      "relay": {"from": ["127.0.0.1"]},
                      "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}}, start=False)
    clock.drive(server)
    clock.set(begin)
    server.start()
    assert post(server, "a@far.example", "waits").startswith("250")
    server.wait_event("delivery", outcome="deferred")
    clock.set(end)
    hop = sink(port=hop.port)
    assert hop.wait(1, 30)[0].rcpts == ["a@far.example"]
    assert post(server, "a@far.example", "later").startswith("250")
    hop.wait(2, 15)
    assert calm(server)
    if end < begin:
        stepped = server.wait_event("clock-set-back")
        assert abs(int(stepped["seconds"]) - (begin - end)) < 30
    shown = json.loads(server.ctl("--json", "status").stdout.splitlines()[-1])
    assert 0 <= shown["uptime"] < 600


def test_greylisting_under_a_clock_that_was_set_back(danelaw, mail, clock):
    """Who was put off waits once more at most, and not for an hour."""
    server = danelaw({"receive_processes": 1, "domain test.example": {
        "deliver": f"maildir:{mail}/%u"}, "defence": {
            "greeting_delay": "0s", "greylist": {"enabled": True, "delay": "2s"}}}, start=False)
    clock.drive(server)
    server.start()
    assert post(server, "user@test.example").startswith("450 4.7.1")
    clock.set(-HOUR)

    def taken():
        return post(server, "user@test.example").startswith("250")
    wait_until(taken, "it is taken", 20, 0.5)
    assert len(Maildir(mail / "user").wait()) == 1
