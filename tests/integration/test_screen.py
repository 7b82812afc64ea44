"""Who the client is, and what others say of it: PROXY, block lists, greylist."""
import re
import socket
import struct
import time

import pytest

from support.maildir import Maildir
from support.talk import Talk, message

DOMAIN = "test.example"
PROXY = "127.0.0.3"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture
def mx(danelaw, tmp_path, mail):
    def make(config=None, **options):
        (tmp_path / "who").write_text("user\npostmaster\n")
        base = {"receive_processes": 1, f"domain {DOMAIN}": {
            "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/who"}}
        return danelaw({**base, **(config or {})}, **options)
    return make


def connect(server, source):
    return socket.create_connection(
        ("127.0.0.1", server.port), 20, source_address=(source, 0))


class Proxied(Talk):
    """A client behind a proxy that says this of it."""

    def __init__(self, server, header, source=PROXY):
        self.buffer = b""
        self.sock = connect(server, source)
        self.send(header)
        try:
            self.greeting = self.reply()
        except (EOFError, ConnectionResetError):
            self.greeting = None


def v2(client, tlvs=b""):
    body = socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + \
        struct.pack(">HH", 4711, 25) + tlvs
    return SIGNATURE + b"\x21\x11" + struct.pack(">H", len(body)) + body


def v1(client):
    return f"PROXY TCP4 {client} 127.0.0.1 4711 25\r\n".encode()


def behind(**config):
    """A listener with a proxy."""
    return {"listen mx": {"proxy": [PROXY]}, **config}


@pytest.mark.parametrize("header", [v1, v2, lambda client: v2(client, b"\x04\0\1x")],
                         ids=["v1", "v2", "v2-tlv"])
def test_the_client_is_whom_the_proxy_tells(mx, mail, header):
    server = mx(behind())
    with Proxied(server, header("192.0.2.77")) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message())[0] == 250
    line = server.wait_event("accepted")
    assert line["client"] == "192.0.2.77"
    text = Maildir(mail / "user").wait(1)[0]
    assert b"[192.0.2.77]" in text


def test_limits_are_for_the_client_that_is_told(mx):
    server = mx(behind(limits={"sessions_client": 1},
                       relay={"from": ["127.0.0.0/8"]}))
    with Proxied(server, v1("192.0.2.1")) as one, \
            Proxied(server, v1("192.0.2.1")) as again, \
            Proxied(server, v2("192.0.2.2")) as other:
        assert [t.greeting[0] for t in (one, again, other)] == [220, 421, 220]
        one.hello()
        one.expect(250, "MAIL FROM:<a@client.example>")
        # The proxy may relay, its clients may not.
        one.expect("550 5.7.1", "RCPT TO:<x@elsewhere.example>")


def test_a_proxy_speaks_for_itself(mx):
    server = mx(behind(log_level="debug"))
    for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
        with Proxied(server, header) as talk:
            assert talk.greeting[0] == 220
    assert [e["client"] for e in server.events("proxied")] == [PROXY] * 2


@pytest.mark.parametrize("header", [
    b"EHLO client.example\r\n", b"PROXY TCP4 x y 1 2\r\n",
    SIGNATURE + b"\x21\x11\0\1x", b"PROXY " + b"x" * 200,
    SIGNATURE + b"\x21\x11\xff\xff"])
def test_no_header_is_no_session(mx, header):
    server = mx(behind())
    with Proxied(server, header) as talk:
        assert talk.greeting is None
    assert server.wait_event("refused", kind="proxy")["proxy"] == PROXY


def test_only_listed_addresses_are_proxies(mx):
    server = mx(behind())
    with Proxied(server, v1("192.0.2.1"), source="127.0.0.9") as talk:
        assert talk.greeting[0] == 220
        assert talk.reply()[0] == 500
        talk.hello()
    assert server.events(client="192.0.2.1") == []


def test_a_header_in_pieces(mx):
    server = mx(behind())
    header = v2("192.0.2.1")
    with connect(server, PROXY) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in header:
            sock.sendall(bytes([octet]))
            time.sleep(0.002)
        assert sock.recv(100)[:3] == b"220"
        # One that never comes does not keep the daemon from ending.
        with connect(server, PROXY) as late:
            late.sendall(header[:5])
            server.stop()


# --- block lists --------------------------------------------------------------

LISTED = """\
1.0.0.127 A 127.0.0.2
1.0.0.127 TXT "listed, see" " https://bl.example/"
7.0.0.127 A 127.255.255.254
8.0.0.127 A 192.0.2.1
"""


@pytest.fixture
def listed(mx, nsd):
    """A server that asks two zones; the second lists 127.0.0.1 and .9, too."""
    def make(first=1, second=1, **defence):
        names = nsd({"bl.example": LISTED,
                     "more.example": "1.0.0.127 A 127.0.0.4\n9.0.0.127 A 127.0.0.4\n"})
        return mx({**names.resolver(), "defence": {
            "dnsbl bl.example": {"weight": first},
            "dnsbl more.example": {"weight": second}, **defence}})
    return make


def test_who_is_listed_is_refused_but_to_postmaster(listed):
    """RFC 5782 2.1; RFC 5321 4.5.1"""
    server = listed()
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        lines = talk.expect("550 5.7.1", f"RCPT TO:<user@{DOMAIN}>")
        assert "127.0.0.1 is listed by bl.example: listed, see https://bl.example/" \
            in lines[-1] or "listed by more.example" in lines[-1]
        talk.expect(250, f"RCPT TO:<postmaster@{DOMAIN}>")
    server.wait_event("refused", kind="dnsbl")


def test_weights_are_added_and_tags_told(listed, mail):
    """Together they are enough; one alone is told in the header."""
    server = listed(first=2, second=1, dnsbl_reject=3)
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.7.1", f"RCPT TO:<user@{DOMAIN}>")
    with Proxied(server, b"", "127.0.0.9") as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message())[0] == 250
    text = Maildir(mail / "user").wait(1)[0]
    assert b"X-Danelaw-DNSBL: score=1; more.example=127.0.0.4" in text


@pytest.mark.parametrize("source", ["127.0.0.5", "127.0.0.7", "127.0.0.8"])
def test_no_listing_is_none(listed, mail, source):
    """Nothing, an error of the zone, and an address that is no answer."""
    server = listed()
    with Proxied(server, b"", source) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message())[0] == 250
    text = Maildir(mail / "user").wait(1)[0]
    assert b"X-Danelaw-DNSBL" not in text
    assert (server.events("dnsbl-failed") != []) == (source == "127.0.0.7")


def test_dns_that_fails_lists_nobody_in_bounded_time(mx):
    """The resolver's server does not answer at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        server = mx({"resolver": {"forward .": {"server": [f"127.0.0.1:{port}"]},
                                  "self_test": ""},
                     "defence": {"dnsbl bl.example": {}, "dnsbl_timeout": "500ms"}})
        with Talk(server.port) as talk, Talk(server.port) as gone:
            gone.hello()
            gone.send(f"MAIL FROM:<>\r\nRCPT TO:<user@{DOMAIN}>\r\n")
            talk.hello()
            talk.expect(250, "MAIL FROM:<a@client.example>")
            gone.close()
            began = time.monotonic()
            talk.expect(250, f"RCPT TO:<user@{DOMAIN}>")
            assert time.monotonic() - began < 5
    assert server.events("dnsbl-failed") != []


# --- greylisting --------------------------------------------------------------

def attempt(server, sender, rcpt=f"user@{DOMAIN}"):
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{sender}>")
        code, lines = talk.command(f"RCPT TO:<{rcpt}>")
        return f"{code} {lines[-1]}"


def test_greylisting_takes_who_comes_again(mx):
    """RFC 6647"""
    server = mx({"receive_processes": 2, "defence": {"greylist": {
        "enabled": True, "delay": "2s", "allow_after": 2}}})
    assert attempt(server, "a@client.example").startswith("450 4.7.1")
    assert re.search("try again in [12] seconds", attempt(server, "a@client.example"))
    assert attempt(server, "a@client.example", f"nobody@{DOMAIN}").startswith("550 5.1.1")
    assert attempt(server, "a@client.example", f"postmaster@{DOMAIN}").startswith("250")
    time.sleep(3.1)  # the delay, and a part of a second
    assert attempt(server, "a@client.example").startswith("250")
    assert attempt(server, "b@client.example").startswith("450 4.7.1")
    time.sleep(3.1)
    assert attempt(server, "b@client.example").startswith("250")
    assert attempt(server, "c@client.example").startswith("250")
    assert len(server.events("refused", kind="greylist")) == 3
    assert (server.spool / "state/greylist.db").exists()


def test_greylisting_leaves_starttls_as_it_is(mx, certificate):
    """RFC 7672 9.2: who comes for the first time finds TLS as everybody does."""
    chain = certificate("mx.test.example")
    server = mx({"certificate mx": {"chain": chain.chain, "key": chain.key},
                 "defence": {"greylist": {"enabled": True}}})
    with Talk(server.port) as talk:
        assert "STARTTLS" in talk.hello()
        talk.starttls()
        talk.expect(250, "MAIL FROM:<new@client.example>")
        talk.expect("450 4.7.1", f"RCPT TO:<user@{DOMAIN}>")


def test_greylisting_spares_whom_we_know(mx):
    server = mx({"defence": {"allow": ["127.0.0.1/32"],
                             "greylist": {"enabled": True}}})
    assert attempt(server, "a@client.example").startswith("250")
