"""Finding the way: MX, implicit MX, null MX, several hosts and addresses."""
import socket

import pytest

from support.maildir import Maildir
from support.sink import Sink
from support.talk import Talk, message
from support.wait import free_port

FROM = "sender@home.example"


@pytest.fixture
def post(danelaw, nsd, tmp_path):
    """Send one message to user@far.example over the MX of these zones."""
    def make(records, port, rcpt="user@far.example", more=None):
        names = nsd({"far.example": records})
        server = danelaw({
            **names.resolver(), "mx_port": port,
            "relay": {"from": ["127.0.0.0/8"]},
            "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
            "retry": {"first": "1s", "longest": "2s"}, **(more or {})})
        with Talk(server.port) as talk:
            talk.hello()
            talk.envelope(FROM, rcpt)
            assert talk.data(message())[0] == 250
        return server
    return make


@pytest.fixture
def bounces(tmp_path):
    return Maildir(tmp_path / "home")


def test_mx_is_followed(post, sink):
    hop = sink()
    post("@ MX 10 mx\nmx A 127.0.0.1", hop.port)
    assert hop.wait(1)[0].rcpts == ["user@far.example"]


def test_the_host_is_named_to_tls(post, sink, certificate):
    """RFC 7672 8.1, RFC 8461 7.1: SNI is the name of the MX host."""
    hop = sink(certificate=certificate("mx.far.example"))
    post("@ MX 10 mx\nmx A 127.0.0.1", hop.port)
    assert hop.wait(1)[0].tls
    assert hop.names == ["mx.far.example"]


def test_implicit_mx(post, sink):
    """RFC 5321 5.1: no MX, so the domain itself is the host."""
    hop = sink()
    post("@ A 127.0.0.1", hop.port)
    hop.wait(1)


def test_null_mx_bounces(post, bounces):
    """RFC 7505 4.2: 556 5.1.10, and no connection."""
    post("@ MX 0 .\n@ A 127.0.0.1", 9)
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.1.10" in bounce


def test_domain_that_does_not_exist_bounces(post, bounces):
    """RFC 3463 3.2: 5.1.2"""
    post("@ A 127.0.0.1", 9, rcpt="user@nowhere.far.example")
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.1.2" in bounce or b"\nStatus: 5.4.4" in bounce


def test_name_server_without_an_answer_defers(danelaw, bounces):
    server = danelaw({"relay": {"from": ["127.0.0.0/8"]},
                      "resolver": {"timeout": "2s"}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, "user@far.example")
        talk.data(message())
    line = server.wait_event("delivery", seconds=60)
    assert line["outcome"] == "deferred" and line["dsn"].startswith("4.4.")
    assert bounces.messages() == []


def test_lower_preference_first(post, sink):
    """RFC 5321 5.1: the better host is asked; the other is not."""
    good = sink()
    post("@ MX 20 b\n@ MX 10 a\na A 127.0.0.1\nb A 127.0.0.2", good.port)
    good.wait(1)


def test_next_host_when_the_first_is_down(post):
    port = free_port()
    hop = at_address("127.0.0.2", port)
    post("@ MX 10 a\n@ MX 20 b\na A 127.0.0.1\nb A 127.0.0.2", port)
    hop.wait(1)
    hop.stop()


def test_next_address_when_the_first_is_down(post):
    port = free_port()
    hop = at_address("127.0.0.3", port)
    post("@ MX 10 a\na A 127.0.0.1\na A 127.0.0.2\na A 127.0.0.3", port)
    hop.wait(1)
    hop.stop()


def test_next_host_when_the_first_has_no_address(post, sink):
    hop = sink()
    post("@ MX 10 a\n@ MX 20 b\na TXT nothing\nb A 127.0.0.1", hop.port)
    hop.wait(1)


@pytest.mark.parametrize("records", ["@ MX 10 a\n@ A 127.0.0.1\na TXT nothing",
                                     "@ MX 10 a\n@ A 127.0.0.1",
                                     "@ MX 10 a\n@ A 127.0.0.1\na A 127.0.0.9"])
def test_a_domain_with_mx_is_no_host_itself(post, sink, records):
    """RFC 5321 5.1: where there are MX records and none will do, that is an error."""
    hop = sink()
    server = post(records, hop.port)
    told = server.wait_event("delivery")
    assert told["outcome"] in ("deferred", "failed"), told
    assert hop.connections == 0


def test_half_a_name_is_not_made_whole(post, sink):
    """RFC 5321 5.1, 2.3.5: no domain is put behind it."""
    hop = sink()
    server = post("@ MX 10 mx\nmx A 127.0.0.1\nsub MX 10 mx", hop.port, rcpt="user@sub",
                  more={"hostname": "far.example"})
    assert server.wait_event("delivery")["outcome"] in ("deferred", "failed")
    assert hop.connections == 0


def test_next_host_after_a_temporary_greeting(post):
    port = free_port()
    bad, good = at_address("127.0.0.1", port, "greeting_421"), \
        at_address("127.0.0.2", port)
    post("@ MX 10 a\n@ MX 20 b\na A 127.0.0.1\nb A 127.0.0.2", port)
    good.wait(1)
    assert bad.connections >= 1
    bad.stop()
    good.stop()


@pytest.mark.parametrize("sin", ["mail_451", "rcpt_451", "data_451", "end_451",
                                 "data_closes"])
def test_next_host_when_the_first_takes_nothing(post, sin):
    """RFC 5321 5.1: each address, until a delivery attempt succeeds."""
    port = free_port()
    bad, good = at_address("127.0.0.1", port, sin), at_address("127.0.0.2", port)
    post("@ MX 10 a\n@ MX 20 b\na A 127.0.0.1\nb A 127.0.0.2", port,
         more={"retry": {"first": "1h"}})
    good.wait(1)
    assert bad.connections == good.connections == 1
    bad.stop()
    good.stop()


def test_no_other_host_when_in_doubt(post):
    """Lost behind the final dot: the first may have it."""
    port = free_port()
    bad = at_address("127.0.0.1", port, "end_closes")
    good = at_address("127.0.0.2", port)
    server = post("@ MX 10 a\n@ MX 20 b\na A 127.0.0.1\nb A 127.0.0.2", port,
                  more={"retry": {"first": "1h"}})
    assert server.wait_event("delivery")["outcome"] == "deferred"
    assert good.connections == 0
    bad.stop()
    good.stop()


def test_one_host_that_may_yet_do_is_enough(post):
    """What one host refuses for good another may take tomorrow."""
    port = free_port()
    never = at_address("127.0.0.2", port, "greeting_554_close")
    server = post("@ MX 10 a\n@ MX 20 b\na A 127.0.0.1\nb A 127.0.0.2", port)
    assert server.wait_event("delivery")["outcome"] == "deferred"
    assert never.connections >= 1
    never.stop()


def test_address_literal(post, sink, certificate):
    """RFC 5321 4.1.3: the port is that of MX hosts; RFC 6066 3: no SNI."""
    hop = sink(certificate=certificate("mx.far.example"))
    post("@ A 127.0.0.9", hop.port, rcpt="user@[127.0.0.1]")
    assert hop.wait(1)[0].tls
    assert hop.names == [None]


def test_domain_with_neither_host_nor_address_bounces(post, bounces):
    post("@ TXT nothing", 9)
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.1.2" in bounce


@pytest.mark.parametrize("rcpt", ["user@far.example", "user@[127.0.0.1]"])
def test_our_own_loopback_is_no_mail_host(danelaw, nsd, tmp_path, bounces, rcpt):
    """Else a stranger's MX would send mail around in us, hop by hop."""
    names = nsd({"far.example": "@ MX 10 a\na A 127.0.0.1"})
    server = danelaw(start=False)
    server.write_config({
        **names.resolver(), "mx_port": server.port,
        "relay": {"from": ["127.0.0.0/8"]},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"}})
    server.start()
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, rcpt)
        assert talk.data(message())[0] == 250
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.4.6" in bounce
    assert len(server.events("accepted")) == 1


def test_ipv6(post, sink):
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    hop = sink(host="::1")
    post("@ MX 10 a\na AAAA ::1", hop.port)
    hop.wait(1)


def test_cname_is_followed(post, sink):
    """RFC 5321 5.1: an alias is processed as its canonical name."""
    hop = sink()
    post("www CNAME real\nreal MX 10 mx\nmx A 127.0.0.1", hop.port,
         rcpt="user@www.far.example")
    hop.wait(1)


def test_mx_loop_to_ourselves_bounces(post, bounces):
    """RFC 5321 5.1: we are the best MX, and do not know the domain: 5.4.6."""
    post("@ MX 10 mx.test.example.", 9,
         more={"hostname": "mx.test.example"})
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.4.6" in bounce


def at_address(address, port, sin=None):
    """A sink on a loopback address and port of our choice."""
    return Sink(sin, host=address, port=port)


def test_a_destination_that_put_one_off_is_not_dead(post, sink):
    """RFC 5321 4.2.1: a full mailbox is about itself, also where the next host is down."""
    def sin(session):
        good = session.script["RCPT"]
        session.script["RCPT"] = lambda rest: session.say("452 4.2.2 mailbox full") \
            if "full" in rest else good(rest)

    hop = sink(sin=sin)
    server = post("@ MX 10 a\na A 127.0.0.1\n@ MX 20 b\nb A 127.0.0.2", hop.port,
                  rcpt="full@far.example", more={"retry": {"first": "1h"}})
    assert server.wait_event("delivery", to="full@far.example")["outcome"] == "deferred"
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, "good@far.example")
        assert talk.data(message())[0] == 250
    assert server.wait_event("delivery", to="good@far.example")["outcome"] == "delivered"
