"""danelaw sendmail: as cron, git and PHP call it."""
import os
import stat
import subprocess

import pytest

from support import drop
from support.maildir import Maildir, field, split
from support.programs import (  # noqa: F401  a fixture
    ROOT, STRANGER, drops, fine, gone, sendmail, server)
from support.wait import wait_until


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
