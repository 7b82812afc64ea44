"""RFC 3461: who is told what, and by whom."""
import os
import signal
import threading
import time

import pytest

from support.maildir import Maildir, field
from support.sins import Sins
from support.socketmap import Socketmap
from support.talk import Talk, message
from support.wait import wait_until

FROM = "sender@home.example"


@pytest.fixture
def home(tmp_path):
    return Maildir(tmp_path / "home")


@pytest.fixture
def relay(danelaw, tmp_path):
    def make(via):
        return danelaw({
            "relay": {"from": ["127.0.0.0/8"]}, "route *": {"via": via},
            "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
            "domain box.example": {"deliver": f"maildir:{tmp_path}/%u"},
            "retry": {"first": "1s", "longest": "1s", "warn": "1s",
                      "lifetime": "60s"}})
    return make


def send(server, rcpt, params, sender_params=""):
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>{sender_params}")
        talk.expect(250, f"RCPT TO:<{rcpt}>{params}")
        assert talk.data(message())[0] == 250


def test_success_in_a_maildir_is_told(relay, home, tmp_path):
    """RFC 3461 5.2, RFC 3461 5.2.1: in the mailbox, and NOTIFY=SUCCESS: delivered."""
    send(relay("discard"), "a@box.example",
         " NOTIFY=SUCCESS ORCPT=rfc822;first+40box.example", " ENVID=QQ314159")
    Maildir(tmp_path / "a").wait(1)
    (told,) = home.wait(1)
    assert field(told, "Return-Path") == ["<>"]
    assert b"\nAction: delivered" in told and b"\nStatus: 2." in told
    assert b"\nOriginal-Envelope-Id: QQ314159" in told
    assert b"rfc822;first@box.example" in told.replace(b"; ", b";")


def test_success_of_what_is_discarded_is_told(relay, home):
    """RFC 3461 5.2.3 (a): it has come to its end; who asked hears of it, no other."""
    server = relay("discard")
    send(server, "quiet@far.example", "")
    send(server, "never@far.example", " NOTIFY=NEVER")
    send(server, "a@far.example", " NOTIFY=SUCCESS,FAILURE", " ENVID=QQ314159")
    (told,) = home.wait(1)
    assert b"\nAction: delivered" in told and b"\nStatus: 2." in told
    assert b"\nFinal-Recipient: rfc822; a@far.example" in told
    assert b"\nOriginal-Envelope-Id: QQ314159" in told
    server.wait_event("delivery", to="quiet@far.example", outcome="delivered")
    server.wait_event("delivery", to="never@far.example", outcome="delivered")
    assert len(home.messages()) == 1


def test_success_is_not_told_unasked(relay, home, tmp_path):
    """RFC 3461 4.1: without NOTIFY nobody hears of a success."""
    server = relay("discard")
    send(server, "a@box.example", "")
    send(server, "a@box.example", " NOTIFY=NEVER")
    Maildir(tmp_path / "a").wait(2)
    server.wait_event("delivery", outcome="delivered")
    assert home.messages() == []


def test_relayed_where_the_next_hop_has_no_dsn(relay, sink, home):
    """RFC 3461 5.2.2: handed on, and nobody there will tell."""
    hop = sink("ehlo_without_anything")
    send(relay(f"smtp:127.0.0.1:{hop.port}"), "a@far.example",
         " NOTIFY=SUCCESS,FAILURE")
    hop.wait(1)
    (told,) = home.wait(1)
    assert b"\nAction: relayed" in told


def test_dsn_parameters_are_passed_on(relay, sink, home):
    """RFC 3461 5.2.1: where DSN is offered the next hop is asked instead."""
    hop = sink()
    send(relay(f"smtp:127.0.0.1:{hop.port}"), "a@far.example",
         " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@far.example", " RET=HDRS ENVID=abc")
    (got,) = hop.wait(1)
    said = f"{got.mail_params} {got.rcpt_params}"
    assert "NOTIFY=SUCCESS,DELAY" in said and "ORCPT=rfc822;x@far.example" in said
    assert "RET=HDRS" in said and "ENVID=abc" in said
    assert home.messages() == []


def test_an_alias_of_several_is_told_as_expanded(danelaw, sink, home, tmp_path):
    """RFC 3461 5.2.7.3 (c): SUCCESS is answered here and asked of nobody else;
    what else NOTIFY says goes on to each."""
    hop, names = sink(), tmp_path / "names"
    names.write_text("all: a, b@far.example\na\n")
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "route *": {"via": f"smtp:127.0.0.1:{hop.port}"},
        "domain box.example": {"deliver": f"maildir:{tmp_path}/%u",
                               "recipients": str(names)},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"}})
    send(server, "all@box.example",
         " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;team@x.example", " RET=HDRS ENVID=q7")
    Maildir(tmp_path / "a").wait(1)
    (got,) = hop.wait(1)
    assert got.rcpts == ["b@far.example"]
    said = " ".join(got.rcpt_params[0] + got.mail_params)
    assert "NOTIFY=FAILURE" in said and "SUCCESS" not in said
    assert "ORCPT=rfc822;team@x.example" in said and "RET=HDRS ENVID=q7" in said
    (told,) = home.wait(1)
    assert told.count(b"\nAction:") == 1 and b"\nAction: expanded" in told
    assert b"\nFinal-Recipient: rfc822; all@box.example" in told
    assert b"\nOriginal-Recipient: rfc822; team@x.example" in told
    server.wait_event("delivery", to="all@box.example", target="expanded")
    assert len(home.messages()) == 1


def test_an_alias_of_the_most_is_told_as_expanded(danelaw, home, tmp_path):
    """RFC 3461 5.1: the entry of who is told is none of the 1000 who get it."""
    names = tmp_path / "names"
    names.write_text("all: " + ", ".join(f"m{i}" for i in range(1000)) + "\n"
                     + "".join(f"m{i}\n" for i in range(1000)))
    server = danelaw({
        "domain box.example": {"deliver": "discard", "recipients": str(names)},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"}})
    send(server, "all@box.example", " NOTIFY=SUCCESS")
    (told,) = home.wait(1)
    assert told.count(b"\nAction:") == 1 and b"\nAction: expanded" in told
    wait_until(lambda: len(server.events("delivery", target="discard",
                                         outcome="delivered")) == 1000, "all of them")


def test_never_means_no_bounce(relay, sink, home):
    """RFC 3461 4.1: NOTIFY=NEVER, and the failure stays between servers."""
    hop = sink("rcpt_550")
    server = relay(f"smtp:127.0.0.1:{hop.port}")
    send(server, "a@far.example", " NOTIFY=NEVER")
    server.wait_event("no-bounce")
    assert home.messages() == []


def test_delay_is_told_once(relay, sink, home):
    """RFC 3461 6: one word about the delay, however often it is tried."""
    hop = sink("rcpt_451")
    server = relay(f"smtp:127.0.0.1:{hop.port}")
    send(server, "a@far.example", " NOTIFY=DELAY")
    (told,) = home.wait(1)
    assert b"\nAction: delayed" in told and b"\nWill-Retry-Until:" in told
    wait_until(lambda: len(server.events("delivery", outcome="deferred")) >= 5,
               "five attempts")
    assert len(home.messages()) == 1


@pytest.mark.parametrize("sin", ["rcpt_550", "rcpt_451", None])
def test_a_socket_is_named_to_nobody(danelaw, sink, home, tmp_path, sin):
    """RFC 3464 2.3.5: a name in the DNS; who is behind a socket is on this host."""
    path = tmp_path / "lmtp"
    if sin:
        sink(sin, lmtp=True, unix=path)
    server = danelaw({
        "domain box.example": {"deliver": f"lmtp:unix:{path}"},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
        "retry": {"first": "1s", "longest": "1s", "warn": "0", "lifetime": "2s"}})
    send(server, "a@box.example", "")
    (told,) = home.wait(1)
    assert str(path).encode() not in told
    assert (b"\nRemote-MTA: dns; mx.test.example" in told) == bool(sin)


def test_a_maildir_is_named_to_nobody(danelaw, home, tmp_path):
    """Where it lies is for the log, what is wrong with it for the sender, too."""
    path = tmp_path / "missing/box"
    server = danelaw({
        "domain box.example": {"deliver": f"maildir:{path}"},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
        "retry": {"first": "1s", "longest": "1s", "warn": "0", "lifetime": "2s"}})
    send(server, "a@box.example", "")
    (told,) = home.wait(1)
    assert str(tmp_path).encode() not in told
    assert b"Maildir: its parent folder: " in told
    line = server.events("delivery", outcome="deferred")[0]
    assert line["target"] == f"maildir:{path}" and "/" not in line["reason"], line


class Directory(Socketmap):
    """Knows where senders are, and may keep everybody waiting for that."""

    def __init__(self):
        self.free = threading.Event()
        super().__init__(self.say)

    def say(self, _, key):
        self.free.wait(60)
        return "OK sender@box.example" if key == FROM else "NOTFOUND "

    def config(self, tmp_path, via, **retry):
        (tmp_path / "nobody").write_text("")
        return {"lookup map": {"source": f"socketmap:inet:127.0.0.1:{self.port}:x",
                               "timeout": "60s"},
                "relay": {"from": ["127.0.0.0/8"]}, "route *": {"via": via},
                "domain home.example": {"deliver": "discard", "aliases": "lookup:map",
                                        "recipients": f"file:{tmp_path}/nobody"},
                "domain box.example": {"deliver": f"maildir:{tmp_path}/home"},
                "retry": {"first": "1s", "longest": "1s", **retry}}


@pytest.fixture
def directory(started):
    made = Directory()
    started.append(made)
    return made


@pytest.mark.parametrize("then", [None, "rcpt_451_unless_good"])
def test_no_delay_is_told_of_what_has_arrived_meanwhile(danelaw, sink, home, tmp_path,
                                                        directory, then):
    """Nobody could say where the sender is before the next hop took some of it, or all."""
    hop = sink("rcpt_451")
    server = danelaw({**directory.config(tmp_path, f"smtp:127.0.0.1:{hop.port}", warn="1s"),
                      "timeouts": {"idle": 0}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, "good@far.example", "late@far.example")
        assert talk.data(message())[0] == 250
    wait_until(lambda: directory.asked, "a delay to be told of")
    hop.change(then)
    wait_until(lambda: len(server.events("delivery", outcome="delivered")) == (1 if then else 2),
               "who gets it")
    directory.free.set()
    if then:
        (told,) = home.wait(1)
        assert told.count(b"\nAction: delayed") == 1 and b"; late@far.example" in told
    else:
        server.wait_event("no-bounce", action="delayed")
        assert not server.events("bounce") and home.messages() == []
    assert not server.events("bounce-failed")


def test_a_delay_that_could_not_be_told_is_by_the_next(danelaw, sink, home, tmp_path, directory):
    """Nobody knew where the sender is before all was stopped."""
    hop = sink("rcpt_451")
    server = danelaw({**directory.config(tmp_path, f"smtp:127.0.0.1:{hop.port}", warn="1s"),
                      "timeouts": {"drain": "1s"}})
    send(server, "late@far.example", "")
    wait_until(lambda: directory.asked, "a delay to be told of")
    server.stop()
    server.start()
    directory.free.set()
    (told,) = home.wait(1)
    assert told.count(b"\nAction: delayed") == 1 and b"; late@far.example" in told
    # And by that one for good.
    server.stop()
    server.start()
    tries = len(server.events("delivery", outcome="deferred"))
    wait_until(lambda: len(server.events("delivery", outcome="deferred")) > tries + 1, "two tries")
    assert len(home.messages()) == 1


def test_a_success_that_cannot_be_told_is_not_delivered_twice(danelaw, sink, home, tmp_path,
                                                              directory):
    """No word is better than the mail twice: nobody knew where the sender is, to the end."""
    hop = sink("ehlo_without_anything")
    server = danelaw({**directory.config(tmp_path, f"smtp:127.0.0.1:{hop.port}"),
                      "timeouts": {"drain": "1s"}})
    send(server, "a@far.example", " NOTIFY=SUCCESS")
    hop.wait(1)
    wait_until(lambda: directory.asked, "a success to be told of")
    server.stop()
    server.start()
    directory.free.set()
    wait_until(lambda: "a@far.example" not in server.ctl("queue", "list").stdout, "its end")
    assert len(hop.messages) == 1 and home.messages() == []


def test_who_waits_for_a_bounce_is_in_the_way_of_nobody(danelaw, sink, home, tmp_path, directory):
    """Nobody can say where the sender is, for as many as may go there at once."""
    hop = sink("rcpt_550_unless_good")
    server = danelaw({**directory.config(tmp_path, f"smtp:127.0.0.1:{hop.port}"),
                      "limits": {"connections": 2}})
    for i in range(2):
        send(server, f"bad{i}@far.example", "")
    wait_until(lambda: len(server.events("delivery", outcome="failed")) == 2, "both to fail")
    send(server, "good@far.example", "")
    hop.wait(1)
    ids = {line["id"] for line in server.events("delivery", outcome="failed")}
    assert all(one in server.ctl("queue", "list").stdout for one in ids)
    server.ctl("queue", "remove", *ids)
    assert "far.example" not in server.ctl("queue", "list").stdout
    directory.free.set()
    wait_until(lambda: len(server.events("no-bounce", action="failed")) == 2, "their end")
    assert home.messages() == []


def takes_one_without_dsn(session):
    Sins().rcpt_550_unless_good(session)
    session.keywords = []


def test_a_stop_while_a_success_waits_to_be_told(danelaw, sink, home, tmp_path, directory):
    """Of one message: who failed is owed no word, and is settled in the same breath."""
    hop = sink(takes_one_without_dsn)
    server = danelaw({**directory.config(tmp_path, f"smtp:127.0.0.1:{hop.port}"),
                      "timeouts": {"drain": "1s"}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        for who in ("good", "bad"):
            talk.expect(250, f"RCPT TO:<{who}@far.example> NOTIFY=SUCCESS")
        assert talk.data(message())[0] == 250
    hop.wait(1)
    wait_until(lambda: directory.asked, "a success to be told of")
    server.stop()
    server.start()
    directory.free.set()
    wait_until(lambda: "far.example" not in server.ctl("queue", "list").stdout, "its end")
    assert len(hop.messages) == 1 and home.messages() == []


def test_a_success_that_a_reload_has_parted_waits_as_a_whole(danelaw, sink, home, tmp_path,
                                                             directory):
    """Who delivered it goes before it is told of: none of it goes out again."""
    reloaded = threading.Event()

    def slowly(session):
        session.keywords, done = [], session.script["END"]

        def later(rest):
            reloaded.wait(30)
            done(rest)
        session.script["END"] = later

    old, new = sink(slowly), sink()
    config = {**directory.config(tmp_path, f"smtp:127.0.0.1:{old.port}"), "deliver_processes": 1}
    server = danelaw(config)
    (process,) = server.pids()["deliver"]
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        for who in ("a@one.example", "b@two.example"):
            talk.expect(250, f"RCPT TO:<{who}> NOTIFY=SUCCESS")
        assert talk.data(message())[0] == 250
    old.wait_connections(1)
    server.write_config({**config, "route two.example": {"via": f"smtp:127.0.0.1:{new.port}"}})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("role-ready", seconds=30, child="queue", generation="2")
    reloaded.set()
    wait_until(lambda: directory.asked, "a success to be told of")
    os.kill(process, signal.SIGKILL)
    server.wait_event("role-ended", pid=str(process))
    time.sleep(1)
    directory.free.set()
    (told,) = home.wait(1)
    assert told.count(b"\nAction: relayed") == 2
    assert len(old.messages) == 1 and new.messages == []


@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS", "DELAY", "SUCCESS,DELAY"])
def test_a_failure_is_told_to_those_who_may_hear(relay, sink, home, notify):
    """RFC 3461 5.2.6: without NOTIFY or with FAILURE; RFC 3461 5.2.8: and only
    of those recipients, in one report."""
    server = relay(f"smtp:127.0.0.1:{sink('rcpt_550').port}")
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        for rcpt, params in (("none", ""), ("yes", " NOTIFY=FAILURE"),
                             ("no", f" NOTIFY={notify}")):
            talk.expect(250, f"RCPT TO:<{rcpt}@far.example>{params}")
        assert talk.data(message())[0] == 250
    (told,) = home.wait(1)
    assert told.count(b"\nAction: failed") == 2
    assert b"none@far.example" in told and b"yes@far.example" in told
    assert b"; no@far.example" not in told and b"<no@far.example>" not in told
    # RFC 3461 6.3: no ENVID, no ORCPT, no such fields
    assert b"Original-Envelope-Id" not in told and b"Original-Recipient" not in told
    assert b"\nRemote-MTA: dns; " in told and b"\nDiagnostic-Code: smtp; 550" in told


@pytest.mark.parametrize("params, whole", [
    ("", True), (" RET=FULL", True), (" RET=HDRS", False)])
def test_as_much_comes_back_as_was_asked_for(relay, sink, home, params, whole):
    """RFC 3461 6.2: RET; a failure returns the message when nothing is said."""
    send(relay(f"smtp:127.0.0.1:{sink('rcpt_550').port}"), "a@far.example", "", params)
    (told,) = home.wait(1)
    assert (b"Content-Type: message/rfc822" in told) == whole
    assert (b"Content-Type: text/rfc822-headers" in told) != whole
    assert (b"\nhello" in told) == whole and b"Subject: test" in told


@pytest.mark.parametrize("sin, notify, delayed", [
    ("rcpt_451", "", True), ("rcpt_451", " NOTIFY=FAILURE", False),
    ("rcpt_451", " NOTIFY=SUCCESS,FAILURE", False)])
def test_a_delay_is_told_when_it_may_be(relay, sink, home, sin, notify, delayed):
    """RFC 3461 5.2.5: with DELAY, or when nothing was said."""
    server = relay(f"smtp:127.0.0.1:{sink(sin).port}")
    send(server, "a@far.example", notify)
    wait_until(lambda: len(server.events("delivery", outcome="deferred")) >= 4,
               "four attempts")
    assert len(home.messages()) == int(delayed)


def test_a_report_asks_for_no_report(danelaw, sink):
    """RFC 3461 6.1: from <>, no RET, no ENVID, and NOTIFY=NEVER or nothing."""
    refuses, takes = sink("rcpt_550"), sink()
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "route far.example": {"via": f"smtp:127.0.0.1:{refuses.port}"},
        "route home.example": {"via": f"smtp:127.0.0.1:{takes.port}"}})
    send(server, "a@far.example", " NOTIFY=FAILURE ORCPT=rfc822;b@far.example",
         " RET=FULL ENVID=a+2Bb")
    (got,) = takes.wait(1)
    params = " ".join(got.mail_params)
    assert got.sender == "" and "RET" not in params and "ENVID" not in params
    assert got.rcpts == [FROM]
    assert " ".join(" ".join(p) for p in got.rcpt_params) in ("", "NOTIFY=NEVER")
    # RFC 3461 6.3 (a): without the xtext
    assert b"\nOriginal-Envelope-Id: a+b\r\n" in got.body
    assert b"\nOriginal-Recipient: rfc822; b@far.example\r\n" in got.body


def test_utf8_addresses_in_a_report(relay, sink, home):
    """RFC 6533 4: a sender who writes UTF-8 gets the report in UTF-8."""
    server = relay(f"smtp:127.0.0.1:{sink('no_smtputf8').port}")
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<jürgen@home.example> SMTPUTF8 BODY=8BITMIME")
        talk.expect(250, "RCPT TO:<用户@far.example> ORCPT=utf-8;用户@far.example")
        assert talk.data(message(subject="Grüße"))[0] == 250
    (told,) = home.wait(1)
    assert b"Content-Type: message/global-delivery-status" in told
    assert "Final-Recipient: utf-8; 用户@far.example".encode() in told
    assert "Original-Recipient: utf-8; 用户@far.example".encode() in told
    assert b"\nStatus: 5.6.7" in told
    assert b"letters beyond ASCII" in b" ".join(told.split())
    assert b"Use another address of the recipient" in b" ".join(told.split())


def test_utf8_orcpt_in_ascii_goes_on_as_it_is(relay, sink):
    """RFC 6533 3: the form of seven bits is for servers without SMTPUTF8; mail
    that came with SMTPUTF8, and so with the other form, never gets to them."""
    hop = sink("no_smtputf8")
    with Talk(relay(f"smtp:127.0.0.1:{hop.port}").port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        talk.expect(250, "RCPT TO:<b@far.example> NOTIFY=FAILURE "
                         r"ORCPT=utf-8;\x{7528}\x{6237}@far.example")
        assert talk.data(message())[0] == 250
    (got,) = hop.wait(1)
    params = " ".join(" ".join(p) for p in got.rcpt_params)
    assert params.isascii() and r"ORCPT=utf-8;\x{7528}\x{6237}@far.example" in params
