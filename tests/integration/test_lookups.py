"""Who exists, asked of databases, of socketmap servers and of a real Dovecot."""
import os
import socket
import sqlite3
import threading
import time

import pytest

from support import drop
from support.maildir import Maildir
from support.programs import drops, fine, sendmail
from support.socketmap import Socketmap
from support.talk import Talk, message
from support.wait import wait_until
from test_recipients import judge, send

FROM = "sender@client.example"


def make_database(path, people, aliases=()):
    db = sqlite3.connect(path)
    db.execute("create table people (address text primary key)")
    db.execute("create table aliases (address text, target text)")
    db.executemany("insert into people values (?)", [(p,) for p in people])
    db.executemany("insert into aliases values (?, ?)", aliases)
    db.commit()
    db.close()
    path.chmod(0o644)


def sqlite_config(path, mail, **more):
    return {
        "lookup people": {"source": f"sqlite:{path}", **more,
                          "query": "select 1 from people where address = ?"},
        "lookup aliases": {"source": f"sqlite:{path}", **more,
                           "query": "select target from aliases where address = ?"},
        "domain ours.example": {"deliver": f"maildir:{mail}/%u", "recipients": "lookup:people",
                                "aliases": "lookup:aliases"}}


def test_a_database_says_who_exists(danelaw, mail, tmp_path):
    make_database(tmp_path / "db", ["bob@ours.example", "it's@ours.example"],
                  [("team@ours.example", "bob"), ("team@ours.example", "eve@far.example"),
                   ("boss@ours.example", "team@ours.example, x'); drop table people; --"),
                   ("wrong@ours.example", "|/bin/sh"), ("loop@ours.example", "pool"),
                   ("pool@ours.example", "loop@ours.example")])
    server = danelaw({**sqlite_config(tmp_path / "db", mail),
                      "route *": {"via": "discard"}})
    assert judge(server.port, "Bob@ours.example", "bob+tag@ours.example", "eve@ours.example",
                 "it's@ours.example", "x'or'1'='1@ours.example", "team@ours.example",
                 "boss@ours.example", "wrong@ours.example", "loop@ours.example",
                 "postmaster@ours.example") == [
        "250 2.1.5", "250 2.1.5", "550 5.1.1", "250 2.1.5", "550 5.1.1", "250 2.1.5",
        "451 4.3.5", "451 4.3.5", "451 4.4.6", "250 2.1.5"]
    send(server.port, "team+x@ours.example", "Bob@ours.example")
    Maildir(mail / "bob").wait(1)
    accepted = server.wait_event("accepted")
    assert accepted["rcpts"] == "2"
    # Another file in its place is seen at once, and what is changed in it.
    make_database(tmp_path / "new", ["ann@ours.example"])
    os.replace(tmp_path / "new", tmp_path / "db")
    assert judge(server.port, "bob@ours.example", "ann@ours.example") == \
        ["550 5.1.1", "250 2.1.5"]


def test_a_database_that_cannot_say(danelaw, mail, tmp_path):
    """Not unknown, not accepted: later."""
    make_database(tmp_path / "db", ["bob@ours.example"])
    server = danelaw(sqlite_config(tmp_path / "db", mail, timeout="1s"))
    assert judge(server.port, "bob@ours.example", "eve@ours.example") == \
        ["250 2.1.5", "550 5.1.1"]
    holder = sqlite3.connect(tmp_path / "db", isolation_level=None)
    holder.execute("begin exclusive")
    before = time.monotonic()
    assert judge(server.port, "bob@ours.example", "eve@ours.example") == \
        ["451 4.3.0", "451 4.3.0"]
    assert time.monotonic() - before < 8
    holder.close()
    assert judge(server.port, "bob@ours.example") == ["250 2.1.5"]
    (tmp_path / "db").write_bytes(b"no database" * 1000)
    assert judge(server.port, "bob@ours.example") == ["451 4.3.0"]


@pytest.mark.parametrize("query, told", [
    ("select 1 from nowhere where address = ?", "no such table: nowhere"),
    ("select who from people where address = ?", "no such column: who"),
    ("select 1 from people where address = ? or address = ?", "expected one parameter"),
    ("delete from people where address = ?", "expected a select"),
    ("select '?' from people", "expected one parameter"),
    ("select (? ", "incomplete input"),
])
def test_a_query_that_does_not_fit_is_told(danelaw, mail, tmp_path, query, told):
    make_database(tmp_path / "db", [])
    config = sqlite_config(tmp_path / "db", mail)
    config["lookup people"]["query"] = query
    done = danelaw(config, start=False).ctl("check-config", check=False)
    assert done.returncode == 1 and told in done.stderr, done.stderr


def socketmap_config(tmp_path, where, **more):
    (tmp_path / "nobody").write_text("")
    return {"lookup map": {"source": f"socketmap:{where}:virtual", **more},
            "domain ours.example": {"deliver": "discard", "aliases": "lookup:map",
                                    "recipients": f"file:{tmp_path}/nobody"}}


def test_a_socketmap_server_says_who_exists(danelaw, started, tmp_path):
    words = {"bob@ours.example": "OK bob@ours.example, Ann@far.example",
             "late@ours.example": "TIMEOUT too slow", "temp@ours.example": "TEMP not now",
             "perm@ours.example": "PERM what?", "word@ours.example": "MAYBE",
             "raw@ours.example": b"12", "long@ours.example": b"99999999:",
             "two@ours.example": b"9:NOTFOUND ,9:NOTFOUND ,"}
    path = tmp_path / "map"
    map_server = Socketmap(lambda _, key: words.get(key, "NOTFOUND "), path)
    started.append(map_server)
    path.chmod(0o666)
    server = danelaw({**socketmap_config(tmp_path, f"unix:{path}", timeout="1s"),
                      "receive_processes": 1})
    assert judge(server.port, "Bob@ours.example", "bob+x@ours.example", "eve@ours.example") == \
        ["250 2.1.5", "250 2.1.5", "550 5.1.1"]
    assert map_server.asked[0] == ("virtual", "bob@ours.example")
    assert ("virtual", "bob+x@ours.example") in map_server.asked
    assert map_server.connections == 1
    assert judge(server.port, *(f"{w}@ours.example" for w in (
        "late", "temp", "perm", "word", "raw", "long", "two"))) == [
        "451 4.3.0", "451 4.3.0", "451 4.3.0", "451 4.3.0", "451 4.4.2", "451 4.3.0",
        "451 4.3.0"]
    # A kept connection that has gone is no answer.
    assert judge(server.port, "bob@ours.example") == ["250 2.1.5"]
    map_server.hang_up()
    assert judge(server.port, "bob@ours.example") == ["250 2.1.5"]
    map_server.stop()
    assert judge(server.port, "bob@ours.example", "eve@ours.example") == \
        ["451 4.4.1", "451 4.4.1"]
    # RFC 5321 4.5.1: what is no question of the map goes on.
    with Talk(server.port) as talk:
        talk.hello()


def test_who_waits_for_a_map_holds_up_nobody_else(danelaw, started, tmp_path):
    """While one session waits, others go on; and who hangs up is let go."""
    gate = threading.Event()
    map_server = Socketmap(lambda _, key: gate.wait(30) and "OK x@far.example"
                           if key.startswith("slow") else "OK x@far.example")
    started.append(map_server)
    server = danelaw({**socketmap_config(tmp_path, f"inet:127.0.0.1:{map_server.port}", timeout="20s"),
                      "receive_processes": 1})
    with Talk(server.port) as waits, Talk(server.port) as leaves:
        for talk in (waits, leaves):
            talk.hello()
            talk.expect(250, f"MAIL FROM:<{FROM}>")
        waits.send("RCPT TO:<slow1@ours.example>\r\nRSET\r\nNOOP\r\n")
        leaves.send("RCPT TO:<slow2@ours.example>\r\n")
        wait_until(lambda: len(map_server.asked) == 2, "both questions")
        leaves.close()
        assert judge(server.port, "fast@ours.example") == ["250 2.1.5"]
        gate.set()
        assert [waits.reply()[0] for _ in range(3)] == [250, 250, 250]


def lmtp_config(socket_path, **more):
    return {"receive_processes": 1,
            "domain ours.example": {"deliver": f"lmtp:unix:{socket_path}", "verify": "lmtp",
                                    **more}}


def test_dovecot_is_asked(danelaw, dovecot):
    """RFC 2033: against the real thing, which is then gone."""
    box = dovecot(people=["bob", "ann"])
    server = danelaw(lmtp_config(box.socket, verify_found="1h", verify_missing="0"))
    assert judge(server.port, "Bob@ours.example", "bob+x@ours.example", "eve@ours.example",
                 "postmaster@ours.example") == \
        ["250 2.1.5", "250 2.1.5", "550 5.1.1", "250 2.1.5"]
    send(server.port, "bob+x@ours.example")
    box.maildir("bob").wait(1)
    box.stop()
    # What is known is known; of the others nobody can say.
    assert judge(server.port, "bob@ours.example", "ann@ours.example", "eve@ours.example") == \
        ["250 2.1.5", "451 4.4.1", "451 4.4.1"]
    send(server.port, "bob@ours.example")
    deferred = server.wait_event("delivery", outcome="deferred")
    assert deferred["to"] == "bob@ours.example"


def test_an_lmtp_server_with_other_words(danelaw, sink, started, tmp_path):
    """Over quota is not unknown; a greeting of 421 is no answer at all."""
    path, said = tmp_path / "lmtp", {}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o666)
    listener.listen(4)

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk_to, args=(peer,), daemon=True).start()

    def talk_to(peer):
        def say(words):
            peer.sendall(words.encode() + b"\r\n")
        try:
            say(said.get("hello", "220 here"))
            for line in peer.makefile("r"):
                line = line.strip()
                key = line.partition("TO:")[2] or line.split()[0]
                say(said.get(key, "250 fine"))
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    server = danelaw(lmtp_config(path, verify_found="0", verify_missing="0"))
    said["<full@ours.example>"] = "552 5.2.2 mailbox full"
    said["<gone@ours.example>"] = "550 who?"
    said["<busy@ours.example>"] = "450 4.2.1 busy"
    said['<"a b"@ours.example>'] = "550 5.1.1 quoted as it has to be"
    try:
        assert judge(server.port, "bob@ours.example", "full@ours.example", "gone@ours.example",
                     "busy@ours.example", '"a b"@ours.example') == [
            "250 2.1.5", "552 5.2.2", "550 5.1.1", "450 4.2.1", "550 5.1.1"]
        said["MAIL"] = "421 closing"
        assert judge(server.port, "bob@ours.example") == ["451 4.3.0"]
        del said["MAIL"]
        said["RSET"] = "500 what"
        assert judge(server.port, "bob@ours.example", "bob@ours.example") == ["250 2.1.5"] * 2
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_programs_and_bounces_ask_too(danelaw, mail, started, sink, tmp_path):
    """A bounce to a sender behind a map, and mail of a program here."""
    down = threading.Event()
    map_server = Socketmap(lambda _, key: "TEMP down" if down.is_set() else (
        "OK box@plain.example" if key == "bob@ours.example" else "NOTFOUND "))
    started.append(map_server)
    hop = sink(sin="rcpt_550")
    server = danelaw({**socketmap_config(tmp_path, f"inet:127.0.0.1:{map_server.port}"),
                      "domain plain.example": {"deliver": f"maildir:{mail}/%u"},
                      "relay": {"from": ["127.0.0.0/8"]},
                      "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("bob@ours.example", "x@far.example")
        assert talk.data(message())[0] == 250
    Maildir(mail / "box").wait(1)
    server.wait_event("bounce")


@pytest.fixture
def sender_map(danelaw, mail, started, tmp_path):
    """The sender's domain is asked for, and cannot be until `down` is cleared; that of the
    recipients is a file."""
    down = threading.Event()
    down.set()
    map_server = Socketmap(lambda _, key: "TEMP down" if down.is_set() else "OK box@plain.example")
    started.append(map_server)
    (tmp_path / "known").write_text("known\n")

    def make(**more):
        return danelaw({**socketmap_config(tmp_path, f"inet:127.0.0.1:{map_server.port}"),
                        "domain files.example": {"deliver": f"maildir:{mail}/%u",
                                                 "recipients": f"file:{tmp_path}/known"},
                        "domain plain.example": {"deliver": f"maildir:{mail}/%u"}, **more}), down
    return make


def hand_in(server, *to, sender="me@ours.example", options=()):
    fine(sendmail(server, "-i", "-f", sender, *options, *to))


@pytest.mark.parametrize("others", [0, 1])
def test_a_program_s_mail_of_whose_sender_nobody_can_say(sender_map, mail, others):
    """Who is to be told of a recipient that does not exist: all of it waits for that."""
    server, down = sender_map()
    hand_in(server, "typo@files.example", *["known@files.example"] * others)
    server.wait_event("drop-waits")
    assert len(drops(server)) == 1 and not server.events("accepted")
    down.clear()
    (bounce,) = Maildir(mail / "box").wait(1)
    assert b"typo@files.example" in bounce
    wait_until(lambda: not drops(server), "an empty drop folder")
    assert len(server.events("accepted")) == others and not server.events("no-bounce")
    assert len(Maildir(mail / "known").wait(others)) == others


def test_a_sender_of_whom_nobody_can_say_for_too_long(sender_map, mail):
    """RFC 5321 4.5.4.1: then who is there has it, and the operator hears of the rest."""
    server, _ = sender_map(retry={"first": "1s", "longest": "1s", "lifetime": "4s", "warn": "0"})
    hand_in(server, "typo@files.example", "known@files.example")
    server.wait_event("drop-waits")
    Maildir(mail / "known").wait(1)
    reason = server.wait_event("drop-refused", moved="yes")["reason"]
    assert reason.startswith("its sender cannot be told of 1: ")
    assert not drops(server) and len(drops(server, "-bad")) == 1
    assert len(Maildir(mail / "known").files()) == 1


def test_a_sender_who_need_not_be_told_is_not_waited_for(sender_map, mail):
    server, _ = sender_map()
    hand_in(server, "known@files.example")
    hand_in(server, "typo@files.example", "known@files.example", options=("-N", "never"))
    Maildir(mail / "known").wait(2)
    wait_until(lambda: not drops(server), "an empty drop folder")
    assert server.wait_event("no-bounce") and not server.events("drop-waits")


def test_a_map_that_fails_holds_up_only_who_needs_it(danelaw, mail, started, tmp_path):
    """What programs left for others goes out meanwhile, in the same pass."""
    down = threading.Event()
    down.set()
    map_server = Socketmap(lambda _, key: "TEMP down" if down.is_set() else "OK box@plain.example")
    started.append(map_server)
    server = danelaw({**socketmap_config(tmp_path, f"inet:127.0.0.1:{map_server.port}"),
                      "domain plain.example": {"deliver": f"maildir:{mail}/%u"}}, start=False)
    folder = server.spool / "drop"
    server.start()
    server.stop()
    for i in range(9):
        to = "fine@plain.example" if i % 3 == 0 else "bob@ours.example"
        file = folder / (str(i) * 32)
        file.write_bytes(drop.make(b"X: y\r\n\r\nbody\r\n", to))
        file.chmod(0o644)
    server.start()
    Maildir(mail / "fine").wait(3)
    assert not server.events("accepted")[3:] and len(list(folder.iterdir())) == 6
    down.clear()
    Maildir(mail / "box").wait(6)
