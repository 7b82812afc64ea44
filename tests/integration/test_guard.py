"""Port 25 against those who do not behave: limits, delays, slow ones."""
import json
import socket
import time

import pytest

from support.talk import Talk
from support.wait import wait_until

DOMAIN = "test.example"


@pytest.fixture
def mx(danelaw, tmp_path, mail):
    """A server with one recipient, whose waits are short."""
    def make(config=None, **options):
        (tmp_path / "who").write_text("user\n")
        base = {"receive_processes": 1, f"domain {DOMAIN}": {
            "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/who"}}
        return danelaw({**base, **(config or {})}, **options)
    return make


def refused(server):
    """{kind: how many} as `danelaw status` has them."""
    lines = server.ctl("status", "--json").stdout.splitlines()
    return {key[len("refused_"):]: n
            for key, n in json.loads(lines[-1]).items() if key.startswith("refused_")}


def wait_refused(server, kind, count):
    """The roles tell it within a second."""
    wait_until(lambda: refused(server).get(kind) == count, f"{count} {kind}")
    assert len(server.events("refused", kind=kind)) == count


def raw(server, source=None):
    return socket.create_connection(("127.0.0.1", server.port), 10,
                                    source_address=(source, 0) if source else None)


def read_to_end(sock):
    got = b""
    try:
        while more := sock.recv(4096):
            got += more
    except ConnectionResetError:
        pass
    return got


def test_connections_of_a_network_have_a_pace(mx):
    server = mx({"limits": {"connections_client": 3}})
    greetings = []
    for _ in range(6):
        with raw(server, "127.0.0.7") as sock:
            greetings.append(sock.recv(512)[:3])
    assert greetings == [b"220"] * 3 + [b"421"] * 3
    with raw(server, "127.0.0.8") as sock:
        assert sock.recv(512)[:3] == b"220"
    wait_refused(server, "connections_client", 3)


def test_messages_of_a_network_have_a_pace(mx):
    server = mx({"limits": {"messages_client": 2}})
    with Talk(server.port) as talk:
        talk.hello()
        for expected in (250, 250, "450 4.7.1", "450 4.7.1"):
            talk.expect(expected, "MAIL FROM:<a@client.example>")
            talk.expect(250, "RSET")
    wait_refused(server, "messages_client", 2)


def test_unknown_recipients_end_the_session(mx):
    server = mx({"limits": {"unknown_recipients": 2}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.1.1", f"RCPT TO:<one@{DOMAIN}>")
        talk.expect("550 5.1.1", f"RCPT TO:<two@{DOMAIN}>")
        talk.expect(250, f"RCPT TO:<user@{DOMAIN}>")
        talk.expect("421 4.7.0", f"RCPT TO:<three@{DOMAIN}>")
        assert talk.closed()
    wait_refused(server, "unknown_recipients", 1)


def test_commands_without_a_message_end_the_session(mx):
    server = mx({"limits": {"commands": 100}})
    with Talk(server.port) as talk:
        talk.hello()
        for _ in range(99):
            talk.expect(250, "NOOP")
        talk.expect("421 4.7.0", "NOOP")
        assert talk.closed()
    wait_refused(server, "commands", 1)


def test_allowed_clients_are_exempt(mx):
    server = mx({"limits": {"connections_client": 1, "sessions_client": 1,
                            "messages_client": 1, "unknown_recipients": 1},
                 "defence": {"allow": ["127.0.0.0/8"], "greeting_delay": "30s",
                             "tarpit_after": 1, "tarpit_delay": "30s"}})
    for _ in range(3):
        with Talk(server.port) as talk:
            talk.hello()
            talk.expect(250, "MAIL FROM:<a@client.example>")
            for _ in range(4):
                talk.expect("550 5.1.1", f"RCPT TO:<one@{DOMAIN}>")
    assert server.events("refused") == [] and refused(server) == {}


@pytest.mark.parametrize("action, code", [("defer", b"421"), ("reject", b"554")])
def test_early_talkers_are_turned_away(mx, action, code):
    """RFC 5321 4.3.1, 3.1"""
    server = mx({"defence": {"greeting_delay": "1s", "early_talkers": action}})
    with raw(server) as sock:
        sock.sendall(b"EHLO early.example\r\n")
        began = time.monotonic()
        if action == "reject":
            assert sock.recv(512)[:3] == code
            sock.sendall(b"EHLO again.example\r\nQUIT\r\n")
            assert read_to_end(sock)[:3] == b"503"
        else:
            assert read_to_end(sock)[:3] == code
        assert time.monotonic() - began < 0.9
    wait_refused(server, "early_talker", 1)


def test_who_waits_for_the_greeting_is_served(mx):
    server = mx({"defence": {"greeting_delay": "300ms"}})
    began = time.monotonic()
    with Talk(server.port) as talk:
        assert 0.29 < time.monotonic() - began < 5
        talk.hello()
        talk.expect(221, "QUIT")


def test_replies_to_faults_are_held_back(mx):
    server = mx({"defence": {"tarpit_after": 2, "tarpit_delay": "300ms"}})
    with Talk(server.port) as talk, Talk(server.port) as other:
        talk.hello()
        other.hello()
        began = time.monotonic()
        talk.expect("500", "BOGUS")
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.1.1", f"RCPT TO:<one@{DOMAIN}>")
        assert time.monotonic() - began < 0.29
        # Pipelined ones wait each for their own time.
        talk.send("".join(f"RCPT TO:<{n}@{DOMAIN}>\r\n" for n in range(3)))
        other.expect(250, "NOOP")
        assert time.monotonic() - began < 0.29
        for n in range(3):
            assert talk.reply()[0] == 550
            assert time.monotonic() - began > 0.3 * (n + 1) - 0.01
        talk.expect(250, "NOOP")


def slow(server, opening, octets, every):
    """Octets one by one; what comes back in the end, and when."""
    with raw(server) as sock:
        sock.settimeout(every)
        sock.sendall(opening)
        began, got = time.monotonic(), b""
        for octet in octets:
            try:
                sock.sendall(bytes([octet]))
                if not (more := sock.recv(4096)):
                    break
                got += more
            except socket.timeout:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        return got, time.monotonic() - began


TRANSACTION = (b"EHLO slow.example\r\nMAIL FROM:<a@client.example>\r\n"
               b"RCPT TO:<user@test.example>\r\n")


@pytest.mark.parametrize("opening", [
    b"", TRANSACTION + b"DATA\r\n", TRANSACTION + b"BDAT 100000\r\n"])
def test_slow_senders_are_cut(mx, opening):
    server = mx({"defence": {"slow_octets": 600, "slow_time": "1s"}})
    got, seconds = slow(server, opening, b"x" * 60, 0.2)
    assert b"\r\n421 4.4.2 " in got and b"too slow" in got
    assert 1 < seconds < 5
    wait_refused(server, "slow", 1)


def test_silence_in_a_message_is_slow_too(mx):
    server = mx({"defence": {"slow_octets": 600, "slow_time": "1s"}})
    with raw(server) as sock:
        sock.sendall(TRANSACTION + b"DATA\r\nx")
        assert b"too slow" in read_to_end(sock)


def test_fast_enough_ones_and_idle_ones_are_not(mx):
    server = mx({"defence": {"slow_octets": 60, "slow_time": "1s"}})
    with Talk(server.port) as idle:
        idle.hello()
        got, seconds = slow(server, TRANSACTION + b"DATA\r\n",
                            b"Subject: x\r\n\r\n.\r\n", 0.15)
        assert b"250 2.0.0 Ok: queued" in got and seconds > 2
        idle.expect(250, "NOOP")


def test_sessions_that_wait_end_with_the_daemon(mx):
    server = mx({"defence": {"greeting_delay": "60s", "tarpit_after": 1,
                             "tarpit_delay": "60s"}, "receive_processes": 1},
                start=False)
    server.start(wait=False)
    server.wait_event("started")
    waiting = raw(server)
    wait_until(lambda: server.ctl("status", check=False).returncode == 0,
               "an answer to status")
    with waiting:
        began = time.monotonic()
        server.stop()
        assert read_to_end(waiting)[:3] in (b"220", b"421", b"")
        assert time.monotonic() - began < 20
