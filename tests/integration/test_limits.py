"""Next hops that take few recipients at a time (RFC 9422 4.2): each recipient has its
own turn and its own fate, whatever became of the one before."""
import threading
import time

import pytest

from support.sink import Hangup
from support.talk import Talk, message
from support.wait import wait_until

FROM = "sender@home.example"


@pytest.fixture
def relay(danelaw, mail):
    """One message a connection, one connection at a time, to this next hop."""
    def make(hop, retry, **limits):
        return danelaw({
            "relay": {"from": ["127.0.0.0/8"]},
            "route *": {"via": f"smtp:127.0.0.1:{hop.port}"},
            "domain home.example": {"deliver": f"maildir:{mail}/%u"},
            "limits": {"connections_client": 0, "messages_client": 0,
                       "connections": 1, **limits}, "retry": retry})
    return make


def send(server, *rcpts):
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, *rcpts)
        assert talk.data(message())[0] == 250


def one_by_one(where, word):
    """RCPTMAX=1, and this word to whoever is not good, at RCPT or at END."""
    def sin(session):
        session.keywords.append("LIMITS RCPTMAX=1")
        good = session.script[where]

        def choose(rest):
            rcpt = rest if where == "RCPT" else session.current.rcpts[0]
            if "good" in rcpt:
                good(rest)
            else:
                session.say(word)
        session.script[where] = choose
    return sin


def outcome(server, rcpt):
    """What became of a recipient at its first attempt."""
    return wait_until(lambda: server.events("delivery", to=rcpt), rcpt)[0]


@pytest.mark.parametrize("where", ["RCPT", "END"])
@pytest.mark.parametrize("word, of_the_first", [
    ("550 5.1.1 nobody of that name", "failed"), ("452 4.2.2 mailbox full", "deferred"),
    ("450 4.2.1 not now", "deferred")])
def test_what_is_said_of_one_is_nobody_elses(relay, sink, where, word, of_the_first):
    """RFC 5321 4.2.1: a reply is about its command; the next one is asked for."""
    hop = sink(sin=one_by_one(where, word))
    server = relay(hop, {"first": "1h"})
    send(server, "first@far.example", "good@far.example")
    assert outcome(server, "first@far.example")["outcome"] == of_the_first
    assert outcome(server, "good@far.example")["outcome"] == "delivered"
    assert [m.rcpts for m in hop.messages] == [["good@far.example"]]
    assert hop.connections == 1


@pytest.mark.parametrize("word, of_all", [("553 5.1.8 not from there", "failed"),
                                          ("451 4.3.0 not now", "deferred")])
def test_what_is_said_of_the_sender_is_for_all(relay, sink, word, of_all):
    """RFC 5321 3.3: MAIL begins it, and nobody is asked for behind a refusal."""
    def sin(session):
        session.keywords.append("LIMITS RCPTMAX=1")
        session.script["MAIL"] = lambda rest: session.say(word)

    hop = sink(sin=sin)
    server = relay(hop, {"first": "1h"})
    send(server, "first@far.example", "good@far.example")
    assert outcome(server, "good@far.example")["outcome"] == of_all
    assert outcome(server, "first@far.example")["outcome"] == of_all
    assert len([line for line in hop.lines if line.startswith("MAIL")]) == 1


def test_who_was_not_asked_for_is_not_refused(relay, sink):
    """A host refuses one recipient, and hangs up before the other's turn."""
    def sin(session):
        session.keywords.append("LIMITS RCPTMAX=1")

        def refuse(_):
            session.say("550 5.1.1 nobody of that name")
            raise Hangup
        session.script["RCPT"] = refuse

    server = relay(sink(sin=sin), {"first": "1h"})
    send(server, "first@far.example", "good@far.example")
    assert outcome(server, "first@far.example")["outcome"] == "failed"
    told = outcome(server, "good@far.example")
    assert (told["outcome"], told["dsn"]) == ("deferred", "4.5.3"), told


@pytest.mark.parametrize("where, word", [
    ("END", "250 2.0.0 ok"), ("END", "550 5.7.1 not this one"),
    ("RCPT", "550 5.1.1 nobody of that name")])
def test_a_host_that_goes_between_two_says_nothing_of_others(relay, sink, where, word):
    """It takes or refuses one, and is gone for the next: what waits for it, and is
    late, has not been tried, and is neither delivered nor refused."""
    goes = threading.Event()

    def sin(session):
        session.keywords.append("LIMITS RCPTMAX=1")

        def later(_):
            goes.wait(30)
            session.say(word)
        session.script[where] = later

    hop = sink(sin=sin)
    server = relay(hop, {"first": "1s", "longest": "1s", "warn": "1s", "lifetime": "1h"},
                   messages_connection=1)
    send(server, "one@far.example", "two@far.example")
    hop.wait_connections(1)
    send(server, "waits@far.example")
    time.sleep(2)  # until its sender is owed a word about the delay
    hop.stop()
    goes.set()
    assert outcome(server, "two@far.example")["outcome"] == "deferred"
    back = sink(port=hop.port)
    back.wait(2)
    assert sorted(m.rcpts for m in back.messages) == [["two@far.example"],
                                                      ["waits@far.example"]]


def test_many_connections_for_one_message_are_no_vain_search(relay, sink):
    """RFC 9422 4.1, 4.2: one recipient a connection, and more of them than hosts are tried."""
    def sin(session):
        session.keywords.append("LIMITS MAILMAX=1 RCPTMAX=1")

    hop = sink(sin=sin)
    server = relay(hop, {"first": "1h"})
    rcpts = [f"r{i}@far.example" for i in range(30)]
    send(server, *rcpts)
    for rcpt in rcpts:
        assert outcome(server, rcpt)["outcome"] == "delivered"
    assert hop.connections == 30
