"""The folder of programs' mail: what others put there, and what becomes of it at each end."""
import os
import pathlib
import pwd
import stat
import struct
import subprocess
import sys
import time

import pytest

from support import drop
from support.daemon import SERVANT
from support.maildir import Maildir, field
from support.programs import (  # noqa: F401  a fixture
    ROOT, STRANGER, drops, fine, gone, honest, move_in, put, sendmail, server)
from support.talk import Talk
from support.wait import wait_until


def test_hostile_files(server, mail):
    """Nothing of this is mail; it is moved away, told, and kills nobody."""
    daemon = server()
    daemon.stop()
    good = honest(daemon)
    folder = daemon.spool / "drop"
    names = iter(f"{i:032x}" for i in range(1000))
    hostile = [b"", b"x", good[:39], good[:-1], good + b"x", good[:40],
               good.replace(b"a@home", b"b@home"), good.replace(b"Subject", b"Subject\n"),
               b"\0" * 4096, b"DANELAWd" + b"\xff" * 100,
               good[:8] + struct.pack("<I", 2) + good[12:]]
    hostile += [good[:i] + bytes([good[i] ^ 1]) + good[i + 1:] for i in range(0, len(good), 3)]
    for data in hostile:
        put(daemon, data, next(names))
    count = len(hostile)
    (folder / next(names)).symlink_to("/etc/passwd")
    os.mkfifo(folder / next(names))
    (folder / next(names)).mkdir()
    linked = put(daemon, good, next(names))
    os.link(linked, daemon.folder / "elsewhere")
    put(daemon, b"x", "notes.txt")
    put(daemon, b"x", "tmp." + "1" * 32)
    old = put(daemon, b"x", "tmp." + "2" * 32)
    os.utime(old, (0, 0))
    put(daemon, good, next(names))
    daemon.start()
    assert len(Maildir(mail / "a").wait()) == 1
    wait_until(lambda: len(drops(daemon)) == 1, "only the young temporary file")
    assert drops(daemon)[0].name == "tmp." + "1" * 32
    # an empty folder of somebody else is removed instead
    assert len(drops(daemon, "-bad")) == count + (4 if ROOT else 5)
    # all that may have been mail, and what is none: notes.txt, half a file
    assert len(daemon.events("drop-refused")) == count + 5
    assert len(Maildir(mail / "a").files()) == 1 and not (mail / "b").exists()


def test_names_that_are_no_drops_hold_up_no_client(danelaw):
    """Thousands of them at once are work; of most the log has the number alone."""
    many = 4000
    server = danelaw({"receive_processes": 1, "domain home.example": {"deliver": "discard"}})
    for n in range(many):
        (server.spool / "drop" / f"junk-{n}").touch()
    between = 0
    with Talk(server.port) as talk:
        talk.hello()
        move_in(server, drop.make(b"X: y\r\n\r\na\r\n", "a@home.example"), "5" * 32)
        while (moved := len(os.listdir(f"{server.spool}/drop-bad"))) < many:
            between += moved > 0
            talk.expect(250, "NOOP")
    assert between > 4, "all of them were moved first"
    gone(server)
    told = server.events("drop-refused")
    assert len(told) == 11 and told[-1]["more"] == str(many - 10)


REPLACED = r"""
import os, sys, time
os.chdir(sys.argv[1])
drop, name = bytes.fromhex(sys.argv[2]), "ab" * 16

def write(to):
    with open(to, "wb") as file:
        file.write(drop)
    os.chmod(to, 0o644)

def by_folder():
    os.rename(name + ".try", "tmp.x")
    os.mkdir(name + ".try")
    os.mkdir(name + ".try/x")

def by_drop():
    os.stat(name + ".try")
    os.rename("tmp.y", name + ".try")

write("tmp.y")
for _ in range(100):
    write("tmp." + name)
    os.rename("tmp." + name, name)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            by_folder() if sys.argv[3] == "folder" else by_drop()
            sys.exit(0)
        except FileNotFoundError:
            pass
sys.exit("the daemon was always first")
"""


def replace(server, what):
    """While it is on its way to the disk."""
    data = drop.make(b"X: y\r\n\r\na\r\n", "a@home.example")
    subprocess.run([sys.executable, "-c", REPLACED, str(server.spool / "drop"), data.hex(), what],
                   user=STRANGER, group=STRANGER, extra_groups=[], check=True, timeout=120)
    wait_until(lambda: server.events("accepted"), "the first")
    return len(server.events("accepted"))


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_who_puts_a_folder_in_the_place_of_his_file_stops_nobody(server, mail):
    """The daemon can neither remove nor move it."""
    daemon = server()
    replace(daemon, "folder")
    fine(sendmail(daemon, "b@home.example"))
    Maildir(mail / "b").wait(1)
    assert daemon.wait_event("drop-refused")["moved"] == "no"
    assert not daemon.events("drop-stuck")


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_a_message_in_the_place_of_another_is_taken(server, mail):
    daemon = server()
    before = replace(daemon, "drop")
    fine(sendmail(daemon, "b@home.example"))
    Maildir(mail / "b").wait(1)
    Maildir(mail / "a").wait(before + 1)
    gone(daemon)


@pytest.mark.skipif(not ROOT, reason="needs root to give the folder to somebody else")
def test_a_file_that_cannot_be_removed(server, mail):
    """It is told, nothing else is taken twice meanwhile, and it goes on by itself."""
    daemon = server()
    folder = daemon.spool / "drop"
    was = folder.stat()
    os.chown(folder, 0, 0)
    folder.chmod(0o755)
    data = drop.make(b"X: y\r\n\r\na\r\n", "a@home.example")
    move_in(daemon, data, "6" * 32)
    stuck = daemon.wait_event("drop-stuck")
    assert (stuck["file"], stuck["reason"]) == ("6" * 32, "Permission denied")
    move_in(daemon, data, "7" * 32)
    time.sleep(1)
    done = daemon.ctl("status", check=False)
    assert done.returncode == 1 and "cannot be removed (Permission denied)" in done.stdout
    assert len(drops(daemon)) == 2 and len(daemon.events("accepted")) == 1
    os.chown(folder, was.st_uid, was.st_gid)
    folder.chmod(stat.S_IMODE(was.st_mode))
    Maildir(mail / "a").wait(2)
    gone(daemon)
    daemon.wait_event("drop-goes-on")
    assert daemon.ctl("status").returncode == 0
    assert len(daemon.events("accepted")) == 2 and len(daemon.events("drop-stuck")) == 1


def set_aside(server, why):
    """Of a file that came to nothing, or not to all of it, somebody hears."""
    line = server.wait_event("drop-refused")
    assert line["reason"].startswith("its sender cannot be told of ") and why in line["reason"]
    assert line["moved"] == "yes" and not drops(server) and len(drops(server, "-bad")) == 1


def test_a_message_for_which_no_bounce_has_room(server, mail, tmp_path):
    """A thousand that do not exist, where no message may be so long as to name them all."""
    (tmp_path / "people").write_text("a\n")
    daemon = server(more={"limits": {"message": "64K"}, "domain home.example": {
        "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/people"}})
    fine(sendmail(daemon, "-f", "a@home.example", "a@home.example",
                  *[f"nobody-{n}@home.example" for n in range(900)]))
    set_aside(daemon, "900: message too large")
    time.sleep(6)  # it would be tried again
    assert len(daemon.events("bounce-failed")) == 1 and len(Maildir(mail / "a").wait(1)) == 1


def test_a_message_whose_sender_is_too_many(server, mail, tmp_path):
    """His alias is wrong, as the files have it, and stays so: nobody waits for that."""
    (tmp_path / "people").write_text(
        "a\nall: " + ", ".join(f"m{n}@far.example" for n in range(1001)) + "\n")
    daemon = server(more={"domain home.example": {
        "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/people"}})
    fine(sendmail(daemon, "-f", "all@home.example", "a@home.example", "x@home.example"))
    set_aside(daemon, "1: an alias stands for too many")
    assert len(Maildir(mail / "a").wait(1)) == 1


def limit(pid, descriptors):
    """Who runs it may do that; root need not, in a container."""
    who = {"user": SERVANT, "group": pwd.getpwnam(SERVANT).pw_gid,
           "extra_groups": []} if ROOT else {}
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={descriptors}:"],
                   check=True, timeout=10, **who)


def test_no_descriptor_left_is_not_the_file_s_fault(server, mail):
    daemon = server(more={"receive_processes": 1})
    pid = daemon.pids()["receive"][0]
    daemon.wait_event("session-end")  # of whoever looked whether it is up
    time.sleep(0.5)                   # and its descriptor is gone
    used = {int(fd.name) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    free = [n for n in range(len(used) + 2) if n not in used]
    # one for the folder, none for the file in it
    limit(pid, free[1])
    fine(sendmail(daemon, "a@home.example"))
    assert daemon.wait_event("drop-waits")["uid"] == str(os.getuid())
    assert not drops(daemon, "-bad") and len(drops(daemon)) == 1
    limit(pid, 1024)
    assert len(Maildir(mail / "a").wait()) == 1


def test_bare_line_ends_in_a_drop_are_refused(server, mail):
    """RFC 5321 2.3.8: a drop written by hand cannot smuggle."""
    daemon = server()
    daemon.stop()
    fine(sendmail(daemon, "-i", "a@home.example", text=b"X: y\n\na\n.\nb\n"))
    put(daemon, drop.make(b"X: y\r\n\r\na\n.\r\nMAIL FROM:<>\r\n", "a@home.example"), "1" * 32)
    put(daemon, drop.make(b"X: y\r\n\r\na\r.\r\n", "a@home.example"), "2" * 32)
    daemon.start()
    Maildir(mail / "a").wait(1)
    wait_until(lambda: len(drops(daemon, "-bad")) == 2, "both refused")
    assert {e["reason"] for e in daemon.events("drop-refused")} == {"bare-lf", "bare-cr"}


def test_more_recipients_than_a_job_takes(server, mail):
    """Refused by the program, and in a file of somebody else; neither waits for ever."""
    daemon = server(more={"limits": {"recipients": 1000}})
    most = [f"u{n}@home.example" for n in range(1000)]
    done = sendmail(daemon, *most, "more@home.example")
    assert done.returncode == 65 and b"too many recipients" in done.stderr
    daemon.stop()
    put(daemon, drop.make(b"X: y\r\n\r\na\r\n", *most, "more@home.example"))
    daemon.start()
    wait_until(lambda: len(drops(daemon, "-bad")) == 1, "it is refused")
    assert "too many recipients" in daemon.events("drop-refused")[0]["reason"]
    fine(sendmail(daemon, *most))
    gone(daemon)
    wait_until(lambda: len(list(mail.iterdir())) == 1000, "everybody has it", 60)


def test_mail_to_a_stranger_s_flood(server, mail):
    """Many at once share their syncs, and all arrive once."""
    daemon = server()
    daemon.stop()
    for i in range(20):
        fine(sendmail(daemon, "a@home.example", text=b"Subject: %d\n\nx\n" % i))
    base = drops(daemon)
    data = [f.read_bytes() for f in base]
    for n in range(200):
        put(daemon, data[n % 20], f"{n + 100:032x}")
    daemon.start()
    Maildir(mail / "a").wait(220)
    gone(daemon)
    time.sleep(0.2)
    assert len(Maildir(mail / "a").files()) == 220


@pytest.mark.parametrize("moment", [0, 0.01, 0.03, 0.1, 0.2])
def test_killed_between(server, mail, moment):
    """kill -9 at any moment: each message at least once, none lost."""
    daemon = server()
    daemon.stop()
    for i in range(30):
        fine(sendmail(daemon, "a@home.example", text=b"Subject: %d\n\nx\n" % i))
    daemon.start(wait=False)
    daemon.wait_event("role-ready")
    time.sleep(moment)
    daemon.kill()
    daemon.start()
    box = Maildir(mail / "a")
    wait_until(lambda: {field(m, "Subject")[0] for m in box.messages()} ==
               {str(i) for i in range(30)}, "every message")
    gone(daemon)


def test_what_a_crash_left_is_told(server, mail):
    daemon = server()
    daemon.stop()
    put(daemon, honest(daemon), "3" * 32 + ".try")
    daemon.start()
    Maildir(mail / "a").wait()
    assert daemon.wait_event("accepted")["again"] == "yes"
    gone(daemon)


def test_reload_hands_the_folder_on(server, mail):
    """The old process lets go of the folder, the new one takes it."""
    daemon = server()
    fine(sendmail(daemon, "a@home.example"))
    Maildir(mail / "a").wait(1)
    daemon.process.send_signal(1)
    daemon.wait_event("reloaded")
    fine(sendmail(daemon, "a@home.example"))
    Maildir(mail / "a").wait(2)


def test_a_folder_elsewhere(server, mail, tmp_path):
    daemon = server(more={"drop": str(tmp_path / "inbox")})
    fine(sendmail(daemon, "a@home.example"))
    Maildir(mail / "a").wait(1)
    assert (tmp_path / "inbox-bad").is_dir()
    assert not (daemon.spool / "drop").exists()
