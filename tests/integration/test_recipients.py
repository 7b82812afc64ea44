"""Who exists, what aliases stand for, and how that changes while mail comes in."""
import contextlib
import json
import signal
import threading
import time

import pytest

from support import drop
from support.maildir import Maildir
from support.programs import drops, fine, move_in, sendmail
from support.talk import Talk, message
from support.wait import wait_until

FROM = "sender@client.example"


def judge(port, *rcpts):
    """The first words of the reply to each RCPT."""
    with Talk(port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        out = []
        for rcpt in rcpts:
            code, lines = talk.command(f"RCPT TO:<{rcpt}>")
            out.append(f"{code} {lines[-1].split()[0]}")
        return out


def send(port, *rcpts, subject="test"):
    with Talk(port) as talk:
        talk.hello()
        talk.envelope(FROM, *rcpts)
        code, lines = talk.data(message(subject))
        assert code == 250, lines


def test_extensions_aliases_and_the_rest(danelaw, mail, tmp_path):
    """RFC 5233 1, RFC 5321 4.5.1: whose mail comes to which box."""
    (tmp_path / "people").write_text("bob\nann+list\n")
    (tmp_path / "aliases").write_text("team: bob, all@rest.example\nboss: team\n")
    server = danelaw({
        "postmaster": "bob@ours.example",
        "domain ours.example": {"deliver": f"maildir:{mail}/%u",
                                "recipients": f"file:{tmp_path}/people",
                                "aliases": f"file:{tmp_path}/aliases"},
        "domain rest.example": {"deliver": f"maildir:{mail}/rest-%u",
                                "catch_all": "one@rest.example"}})
    assert judge(server.port, "bob+x@ours.example", "eve@ours.example", "ann@ours.example",
                 "ann+list@ours.example", "Boss+x@ours.example", "postmaster",
                 "postmaster@rest.example") == [
        "250 2.1.5", "550 5.1.1", "550 5.1.1", "250 2.1.5", "250 2.1.5", "250 2.1.5",
        "250 2.1.5"]
    send(server.port, "Bob+Shop@ours.example", "bob@ours.example", subject="one of two")
    send(server.port, "boss@ours.example", subject="by alias")
    bob, one = Maildir(mail / "bob"), Maildir(mail / "rest-one")
    bob.wait(2)
    one.wait(1)
    assert sorted(p.name for p in mail.iterdir()) == ["bob", "rest-one"]


def test_a_message_for_too_many_is_told_at_the_recipient(danelaw, mail, tmp_path):
    """RFC 5321 4.5.3.1.10: the rest comes in another transaction; of a program's
    message the sender hears."""
    lists = {"one": range(600), "two": range(600, 1200), "half": range(300, 900)}
    (tmp_path / "aliases").write_text("".join(
        f"{name}: {', '.join(f'm{n}@many.example' for n in members)}\n"
        for name, members in lists.items()))
    server = danelaw({
        "domain many.example": {"deliver": "discard"},
        "domain ours.example": {"deliver": f"maildir:{mail}/%u",
                                "aliases": f"file:{tmp_path}/aliases"}})
    assert judge(server.port, "one@ours.example", "bob@ours.example", "two@ours.example",
                 "half@ours.example", "two@ours.example") == [
        "250 2.1.5", "250 2.1.5", "452 4.5.3", "250 2.1.5", "452 4.5.3"]
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        talk.expect(250, "RCPT TO:<one@ours.example>")
        talk.expect("452 4.5.3", "RCPT TO:<two@ours.example>")
        assert talk.data(message())[0] == 250
        talk.envelope(FROM, "two@ours.example")   # it begins anew
        assert talk.data(message())[0] == 250
    wait_until(lambda: len(server.events("accepted")) == 2, "both")
    assert [line["rcpts"] for line in server.events("accepted")] == ["600", "600"]
    fine(sendmail(server, "-i", "-f", "me@ours.example", "bob@ours.example", "one@ours.example",
                  "two@ours.example"))
    (bounce,) = Maildir(mail / "me").wait(1)
    assert b"two@ours.example" in bounce and b"too many recipients" in bounce
    assert b"one@ours.example" not in bounce.partition(b"Reporting-MTA")[2].partition(
        b"Subject: hello")[0]
    Maildir(mail / "bob").wait(1)
    wait_until(lambda: not drops(server), "an empty drop folder")
    assert not drops(server, "-bad")


def test_loops_and_strangers_are_told(danelaw, tmp_path):
    (tmp_path / "ours").write_text("a: b@theirs.example\nc: nobody\n")
    (tmp_path / "theirs").write_text("b: a+x@ours.example\n")
    server = danelaw({
        "domain ours.example": {"deliver": "discard", "recipients": f"{tmp_path}/ours"},
        "domain theirs.example": {"deliver": "discard", "recipients": f"{tmp_path}/theirs"}},
        start=False)
    done = server.ctl("check-config", check=False)
    assert done.returncode == 1
    assert f"{tmp_path}/ours:1: this alias leads to a@ours.example, which leads back" \
        in done.stderr + done.stdout
    assert f'warning: {tmp_path}/ours:2: "nobody@ours.example": there is no such' \
        in done.stderr + done.stdout


def test_reload_under_load_refuses_nobody(danelaw, tmp_path):
    """Recipients change while sessions go on; a bad file changes nothing."""
    people = tmp_path / "people"
    people.write_text("old\nboth\n")
    server = danelaw({
        "limits": {"sessions_client": 100000},
        "domain ours.example": {"deliver": "discard", "recipients": str(people)}})
    end, told, trouble = threading.Event(), [], []

    def knock():
        while not end.is_set():
            try:
                told.append(judge(server.port, "both@ours.example")[0])
            except (OSError, EOFError, AssertionError) as failure:
                trouble.append(repr(failure))

    threads = [threading.Thread(target=knock) for _ in range(4)]
    with Talk(server.port) as before:
        before.hello()
        before.expect(250, f"MAIL FROM:<{FROM}>")
        for thread in threads:
            thread.start()
        try:
            for text, told_of, fresh, gone in (
                    ("new\nboth\n", None, "new", "old"),
                    ("both: both2\nboth2: both\n", "leads back to itself", "new", "old"),
                    ("old\nboth\n", None, "old", "new"),
                    ("no address\n", "expected user, user@domain", "old", "new")):
                people.write_text(text)
                server.process.send_signal(signal.SIGHUP)
                if told_of:
                    wait_until(lambda: told_of in server.log_text(), told_of)
                wait_until(lambda: all(
                    judge(server.port, f"{fresh}@ours.example", f"{gone}@ours.example") ==
                    ["250 2.1.5", "550 5.1.1"] for _ in range(8)), f"{fresh} and not {gone}")
        finally:
            end.set()
            for thread in threads:
                thread.join(20)
        # Who came before has the people of before.
        before.expect(250, "RCPT TO:<old@ours.example>")
        before.expect("550 5.1.1", "RCPT TO:<new@ours.example>")
    assert trouble == []
    assert len(told) > 20 and set(told) == {"250 2.1.5"}


def test_the_command_says_what_would_be(danelaw, tmp_path):
    """`danelaw recipient` without the daemon, with a lookup that is down, too."""
    (tmp_path / "people").write_text("bob\nteam: bob, eve@far.example\n")
    server = danelaw({
        "postmaster": "bob@ours.example",
        "lookup map": {"source": f"socketmap:unix:{tmp_path}/nothing:m"},
        "domain ours.example": {"deliver": "maildir:/m/%u", "recipients": f"{tmp_path}/people"},
        "domain asks.example": {"deliver": "discard", "recipients": "lookup:map"}}, start=False)
    done = server.ctl("recipient", "Bob+x@ours.example", "team@ours.example", "postmaster")
    assert done.stdout == (
        "Bob+x@ours.example: accepted\n  Bob@ours.example  maildir:/m/bob\n"
        "team@ours.example: accepted\n  bob@ours.example  maildir:/m/bob\n"
        "  eve@far.example  mx:far.example\n"
        "postmaster: accepted\n  bob@ours.example  maildir:/m/bob\n")
    done = server.ctl("--json", "recipient", "eve@ours.example", "x@asks.example",
                      "x@far.example", check=False)
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(f["verdict"], f.get("dsn")) for f in found] == [
        ("refused", "5.1.1"), ("later", "4.4.1"), ("relayed", None)]
    done = server.ctl("--json", "recipient", b"b\xffb@ours.example", check=False)
    assert json.loads(done.stdout) == {
        "address": "b\\xffb@ours.example", "verdict": "refused", "recipients": [],
        "dsn": "5.1.3", "reason": "no address"}
    assert server.ctl("recipient", check=False).returncode == 2


def test_one_clients_lists_are_not_in_the_way_of_others(danelaw, tmp_path):
    """Hundreds of them at once are work, and each takes its turn."""
    members = [f"member-{i}" for i in range(900)]
    names = tmp_path / "names"
    names.write_text(f"all: {', '.join(members)}\n" + "".join(f"{m}\n" for m in members))
    server = danelaw({"receive_processes": 1,
                      "domain box.example": {"deliver": "discard", "recipients": str(names)}})
    with Talk(server.port) as many, Talk(server.port) as other:
        many.hello()
        other.hello()
        many.send("MAIL FROM:<a@client.example>\r\n" + 200 * "RCPT TO:<all@box.example>\r\n")
        assert many.reply()[0] == 250 and many.reply()[0] == 250
        other.expect(250, "NOOP")
        many.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            many.buffer += many.sock.recv(1 << 20)
        assert many.buffer.count(b"\r\n") < 150, "they were all judged first"


@pytest.mark.parametrize("asks", [False, True])
def test_a_programs_lists_are_not_in_the_way_of_clients(danelaw, tmp_path, asks):
    """One file names an alias of hundreds by hundreds of names."""
    members = [f"member-{i}" for i in range(250)]
    (tmp_path / "names").write_text(
        f"all: {', '.join(members)}\n" + "".join(f"{m}\n" for m in members))
    others = {"lookup map": {"source": "socketmap:inet:127.0.0.1:1:x"},
              "domain far.example": {"deliver": "discard", "recipients": "lookup:map"}}
    server = danelaw({
        "receive_processes": 1, **(others if asks else {}),
        "domain box.example": {"deliver": "discard", "recipients": f"file:{tmp_path}/names"}})
    data = drop.make(b"X: y\r\n\r\na\r\n", *[f"all+{n}@box.example" for n in range(300)],
                     sender="member-1@box.example")
    took = []
    with Talk(server.port) as talk:
        talk.hello()
        move_in(server, data, "8" * 32)
        while not server.events("accepted"):
            begun = time.monotonic()
            talk.expect(250, "NOOP")
            took.append(time.monotonic() - begun)
    assert max(took) < sum(took) / 4, "most were judged in one go"
    assert server.events("accepted")[0]["rcpts"] == "250"
