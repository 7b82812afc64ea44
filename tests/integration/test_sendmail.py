"""danelaw sendmail: as cron, git and PHP call it, and what others drop."""
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
from support.daemon import SERVANT, binary, environment
from support.maildir import Maildir, field, split
from support.talk import Talk
from support.wait import wait_until

ROOT = os.getuid() == 0
STRANGER = 12345  # a user id nobody has


@pytest.fixture
def server(danelaw, mail):
    """Takes mail for home.example; peers go nowhere."""
    def make(start=True, more=None):
        return danelaw({
            "domain home.example": {"deliver": f"maildir:{mail}/%u"},
            "domain mx.test.example": {"deliver": f"maildir:{mail}/local-%u"},
            **(more or {})}, start=start)
    return make


def sendmail(server, *arguments, text=b"Subject: hello\n\nbody\n", uid=None, name=None):
    """Run it; its end."""
    program = [binary("danelaw"), "-c", str(server.config_file), "sendmail"]
    if name:
        link = server.folder / name
        if not link.exists():
            link.symlink_to(binary("danelaw"))
        program = [str(link), "-C", str(server.config_file)]
    more = {"user": uid, "group": uid, "extra_groups": []} if uid else {}
    return subprocess.run([*program, *arguments], input=text, capture_output=True,
                          timeout=60, check=False, env=environment(), **more)


def fine(done):
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done


def drops(server, suffix=""):
    folder = pathlib.Path(str(server.spool) + "/drop" + suffix)
    return sorted(folder.iterdir())


def gone(server):
    wait_until(lambda: not drops(server), "an empty drop folder")


def test_cron(server, mail):
    """Debian's cron: sendmail -FCronDaemon -i -B8BITMIME -oem root"""
    box = Maildir(mail / "local-root")
    daemon = server()
    fine(sendmail(daemon, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root",
                  text=b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@x> ls\n"
                       b"Content-Type: text/plain; charset=UTF-8\n\n.\n\xc3\xa4\n"))
    got = box.wait()[0]
    assert split(got)[1] == b".\n\xc3\xa4\n"
    assert field(got, "From") == ["root (Cron Daemon)"]
    assert len(field(got, "Date")) == len(field(got, "Message-ID")) == 1
    trace = field(got, "Received")[0]
    assert trace.startswith("by mx.test.example (Danelaw, from userid "
                            f"{os.getuid()}) id ")
    gone(daemon)
    assert daemon.wait_event("accepted")["uid"] == str(os.getuid())


def test_git(server, mail):
    """git send-email: sendmail -i to@one cc@two, the header names others."""
    daemon = server()
    fine(sendmail(daemon, "-i", "a@home.example", "b@home.example",
                  text=b"From: A U Thor <a@x.example>\nTo: List <l@far.example>\n"
                       b"Bcc: hidden@far.example\nMessage-ID: <1@x>\nDate: now\n\npatch\n"))
    for user in "ab":
        got = Maildir(mail / user).wait()[0]
        assert field(got, "To") == ["List <l@far.example>"]
        assert field(got, "Bcc") == [] and field(got, "Message-ID") == ["<1@x>"]
        assert field(got, "Date") == ["now"]
    assert daemon.events("accepted")[0]["rcpts"] == "2"


def test_php(server, mail):
    """PHP's mail(): sendmail -t -i, CRLF or LF, and an -f of the site's."""
    daemon = server()
    fine(sendmail(daemon, "-t", "-i", "-fweb@home.example",
                  text=b"To: =?utf-8?Q?=C3=84nn?= <a@home.example>,\r\n (x) b@home.example\r\n"
                       b"Subject: t\r\nCc: Group: \"c, d\" <c@home.example>;\r\n"
                       b"Bcc: d@home.example\r\n\r\nline\r\n"))
    for user in "abcd":
        got = Maildir(mail / user).wait()[0]
        assert b"Bcc" not in got and split(got)[1] == b"line\n"
        assert field(got, "Return-Path") in ([], ["<web@home.example>"])
        assert field(got, "From") == ["web@home.example"]


def test_from_and_full_name(server, mail):
    daemon = server()
    fine(sendmail(daemon, "-F", "Ä \"Quote\"", "-f", "me@x.example", "a@home.example"))
    fine(sendmail(daemon, "-F", "Q \"Quote\"", "-f", "me@x.example", "b@home.example"))
    got = Maildir(mail / "a").wait()[0]
    assert field(got, "From") == ["=?utf-8?B?w4QgIlF1b3RlIg==?= <me@x.example>"]
    got = Maildir(mail / "b").wait()[0]
    assert field(got, "From") == ['"Q \\"Quote\\"" <me@x.example>']
    assert {e["from"] for e in daemon.events("accepted")} == {"me@x.example"}


@pytest.mark.parametrize("options, body", [([], b"one\n"), (["-i"], b"one\n.\ntwo\n"),
                                           (["-oi"], b"one\n.\ntwo\n")])
def test_a_lone_dot(server, mail, options, body):
    daemon = server()
    fine(sendmail(daemon, *options, "a@home.example", text=b"X: y\n\none\n.\ntwo\n"))
    assert split(Maildir(mail / "a").wait()[0])[1] == body


def test_stray_cr_ends_no_line(server, mail):
    daemon = server()
    fine(sendmail(daemon, "-i", "a@home.example",
                  text=b"Subject: x\r\rBcc: y\n\na\r.\r\r\nb\rc"))
    got = Maildir(mail / "a").wait()[0]
    assert b"\r" not in got
    assert split(got)[1] == b"a . \nb c\n"


def test_daemon_down_then_up(server, mail):
    """Accepted while nobody is there; it goes out when the daemon is back."""
    daemon = server()
    daemon.stop()
    for i in range(5):
        fine(sendmail(daemon, "a@home.example", text=b"Subject: %d\n\nx\n" % i))
    assert len(drops(daemon)) == 5
    for file in drops(daemon):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    daemon.start()
    got = Maildir(mail / "a").wait(5)
    assert sorted(field(m, "Subject")[0] for m in got) == list("01234")
    gone(daemon)


def test_never_started(server):
    daemon = server(start=False)
    done = sendmail(daemon, "a@home.example")
    assert done.returncode == 75 and b"/spool/drop: " in done.stderr


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_unprivileged(server, mail):
    """Any user may send; none sees what others sent."""
    daemon = server()
    daemon.stop()
    fine(sendmail(daemon, "a@home.example", uid=STRANGER))
    file = drops(daemon)[0]
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (STRANGER, 0o640)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o3733
    other = {"user": STRANGER + 1, "group": STRANGER + 1, "extra_groups": []}
    for command in (["ls", file.parent], ["cat", file], ["rm", "-f", file],
                    ["mv", file, file.parent / "x"], ["ls", daemon.spool / "segment"]):
        assert subprocess.run(command, capture_output=True, check=False,
                              **other).returncode != 0, command
    daemon.start()
    got = Maildir(mail / "a").wait()[0]
    assert f"from userid {STRANGER})" in field(got, "Received")[0]
    assert field(got, "From") == [f"uid{STRANGER}@mx.test.example"]


@pytest.mark.parametrize("arguments, text, status, says", [
    ([], b"x", 64, b"no recipients were named"),
    (["-t"], b"Subject: x\n\nx", 64, b"names no recipients"),
    (["-Z"], b"", 64, b"-Z: unknown option"),
    (["-bd"], b"", 64, b"danelawd"),
    (["-N", "never,delay", "a@b.example"], b"", 64, b"stands alone"),
    (["-R", "all", "a@b.example"], b"", 64, b"full or hdrs"),
    (["-V", "a b", "a@b.example"], b"", 64, b"xtext"),
    (["a@b@c"], b"", 65, b""),
    (["a@"], b"", 65, b""),
    (["two words"], b"", 65, b"blanks"),
    (["-f", "x y", "a@b.example"], b"", 65, b"blanks"),
    (["-t"], b"To: \"a\n\nx", 65, b"without its end"),
    (["a@b.example"], b"X: " + b"y" * (2 << 20), 65, b"header is too large"),
    (["a@b.example"], b"X: y\n\n" + b"y" * (2 << 20), 65, b"a line is too long"),
    (["a@b.example"], b"X: y\n" * 300000, 65, b"header is too large"),
    (["a@b.example"], b"\n" + b"Received: x\n" * 3 + b"x" * 79 + b"\n" * (60 << 20), 65,
     b"message is too large"),
    (["a@b.example"], b"Received: x\n" * 200 + b"\n", 65, b"in circles"),
], ids=lambda x: None if isinstance(x, int) else str(x)[:20])
def test_refusals(server, arguments, text, status, says):
    daemon = server(start=False)
    (daemon.spool / "drop").mkdir(parents=True)
    done = sendmail(daemon, *arguments, text=text)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(b"sendmail: ") and says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert drops(daemon) == []


@pytest.mark.parametrize("arguments, says", [
    (["-Z"], "-Z: unknown option"), (["-tZ"], "-Z: unknown option"),
    (["-t", "-f"], "-f: a value is missing"), (["-tf"], "-f: a value is missing")])
@pytest.mark.parametrize("name", [None, "sendmail", "mailq"])
def test_a_wrong_option_is_told_once(server, arguments, says, name):
    done = sendmail(server(start=False), *arguments, name=name)
    assert done.returncode == 64
    assert done.stderr.decode() == f"sendmail: {says}; see danelaw(8)\n"


def test_configuration_that_cannot_be_read(server):
    daemon = server(start=False)
    daemon.config_file.unlink()
    assert sendmail(daemon, "a@b.example").returncode == 78


def test_harmless_options(server, mail):
    fine(sendmail(server(), "-v", "-om", "-oem", "-odb", "-Am", "-G", "-U", "-B", "8BITMIME",
                  "-h", "3", "-L", "tag", "-O", "Timeout=1", "-X", "/dev/null", "-d0-99.1",
                  "--", "a@home.example"))
    assert len(Maildir(mail / "a").wait()) == 1


def test_dsn_options_reach_the_next_hop(server, sink):
    """RFC 3461 5: -N, -R and -V become parameters."""
    hop = sink()
    daemon = server(more={"route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    fine(sendmail(daemon, "-N", "success,delay", "-R", "hdrs", "-V", "id+2B1",
                  "-f", "a@home.example", "b@far.example"))
    wait_until(lambda: daemon.events("accepted"), "the message")
    hop.wait(1)
    assert daemon.wait_event("delivery")["outcome"] in ("delivered", "relayed")


def test_unknown_recipients_are_bounced(server, mail, tmp_path):
    """Nobody is there to hear 550, so a notification says it."""
    (tmp_path / "people").write_text("a\nali: a\n")
    daemon = server(more={"domain home.example": {
        "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/people"}})
    fine(sendmail(daemon, "-f", "a@home.example", "ali@home.example", "x@home.example",
                  "y@home.example"))
    got = Maildir(mail / "a").wait(2)
    bounce = next(m for m in got if b"multipart/report" in m)
    assert b"5.1.1" in bounce and b"x@home.example" in bounce
    assert b"y@home.example" in bounce and b"Subject: hello" in bounce
    assert not (mail / "x").exists()
    # nobody but the sender is left
    fine(sendmail(daemon, "-f", "a@home.example", "x@home.example"))
    Maildir(mail / "a").wait(3)
    fine(sendmail(daemon, "-f", "<>", "x@home.example"))
    wait_until(lambda: daemon.events("no-bounce"), "no bounce for <>")
    gone(daemon)


def test_bounces_follow_aliases(server, mail, tmp_path):
    """Those of root go to whom root stands for, and make no Maildir."""
    names = tmp_path / "names"
    names.write_text("admin\nroot: admin\n")
    daemon = server(more={"domain home.example": {
        "deliver": f"maildir:{mail}/%u", "recipients": str(names)}})
    fine(sendmail(daemon, "-f", "root@home.example", "x@home.example"))
    (bounce,) = Maildir(mail / "admin").wait(1)
    assert b"x@home.example" in bounce
    fine(sendmail(daemon, "-f", "nobody@home.example", "x@home.example"))
    daemon.wait_event("no-bounce")
    assert [path.name for path in mail.iterdir()] == ["admin"]


def test_large_message(server, mail):
    """Larger than what a segment takes, in many chunks."""
    body = b"0123456789abcdef" * 4 + b"\n"
    fine(sendmail(server(), "a@home.example", text=b"X: y\n\n" + body * 40000))
    assert split(Maildir(mail / "a").wait()[0])[1] == body * 40000


def test_smtp_on_standard_input(server, mail):
    """RFC 5321 over a pipe; pipelined, as RFC 2920 allows."""
    done = fine(sendmail(server(), "-bs", text=(
        b"EHLO me\r\nMAIL FROM:<m@x.example> SIZE=30\r\nRCPT TO:<a@home.example>\r\n"
        b"RCPT TO:<b@home.example>\r\nDATA\r\nSubject: s\r\n\r\n..x\r\n.\r\nQUIT\r\n")))
    codes = [line[:3] for line in done.stdout.splitlines() if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"250", b"354", b"250", b"221"]
    assert split(Maildir(mail / "a").wait()[0])[1] == b".x\n"
    assert len(Maildir(mail / "b").wait()) == 1


def test_smtp_that_breaks_off_leaves_nothing(server):
    daemon = server(start=False)
    (daemon.spool / "drop").mkdir(parents=True)
    done = sendmail(daemon, "-bs", text=b"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>"
                                        b"\r\nDATA\r\nSubject: s\r\n")
    assert done.returncode == 0 and drops(daemon) == []


def test_other_names(server, mail):
    daemon = server()
    fine(sendmail(daemon, "a@home.example", name="sendmail"))
    assert len(Maildir(mail / "a").wait()) == 1
    assert fine(sendmail(daemon, name="newaliases")).stdout == b""
    wait_until(lambda: fine(sendmail(daemon, name="mailq")).stdout ==
               b"Mail queue is empty\n", "an empty queue")


@pytest.mark.parametrize("name, words", [
    ("mailq", []), ("sendmail", ["-bp"]), ("sendmail", ["-q"])])
def test_the_queue_without_a_configuration(server, name, words):
    daemon = server()
    daemon.config_file.unlink()
    done = sendmail(daemon, *words, name=name)
    assert done.returncode == 78, done


def test_mailq(server):
    """-bp: what is queued, and why."""
    daemon = server(more={"route *": {"via": "smtp:127.0.0.1:1"}})
    fine(sendmail(daemon, "-f", "me@x.example", "b@far.example", "c@far.example"))
    daemon.wait_event("delivery")
    lines = fine(sendmail(daemon, "-bp")).stdout.decode().splitlines()
    assert lines[0].startswith("-Queue ID-") and lines[1].endswith(" me@x.example")
    assert any("4.4" in line and line.strip().startswith("(") for line in lines)
    assert any(line.strip() == "b@far.example, c@far.example" for line in lines)
    assert lines[-1] == "-- 1 Kbytes in 1 Request."
    fine(sendmail(daemon, "-q"))


# --- what is in the folder and no drop of ours ------------------------------

def honest(server, text=b"Subject: x\n\nx\n", rcpt="a@home.example"):
    """The bytes of a real drop."""
    fine(sendmail(server, "-f", "s@x.example", rcpt, text=text))
    file = drops(server)[0]
    data = file.read_bytes()
    file.unlink()
    return data


def put(server, data, name="0" * 32, owner=STRANGER):
    file = server.spool / "drop" / name
    file.write_bytes(data)
    file.chmod(0o644)
    if ROOT:
        os.chown(file, owner, owner)
    return file


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


def move_in(server, data, name):
    """As a program does it: the daemon is told."""
    put(server, data, "tmp." + name).rename(server.spool / "drop" / name)


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
