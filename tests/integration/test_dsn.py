"""RFC 3461: who is told what, and by whom."""
import pytest

from support.maildir import Maildir, field
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
    """RFC 3461 5.2.1: in the mailbox, and NOTIFY=SUCCESS: delivered."""
    send(relay("discard"), "a@box.example",
         " NOTIFY=SUCCESS ORCPT=rfc822;first+40box.example", " ENVID=QQ314159")
    Maildir(tmp_path / "a").wait(1)
    (told,) = home.wait(1)
    assert field(told, "Return-Path") == ["<>"]
    assert b"\nAction: delivered" in told and b"\nStatus: 2." in told
    assert b"\nOriginal-Envelope-Id: QQ314159" in told
    assert b"rfc822;first@box.example" in told.replace(b"; ", b";")


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
