"""TLS as clients find it: versions, suites, session tickets."""
import json
import signal
import socket
import ssl
import subprocess

import pytest

from support.talk import Talk, message
from support.wait import free_port, wait_until


def guest(minimum=None, maximum=None, ciphers=None):
    """A client that verifies nothing; one for all visits, so that it can resume."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = minimum or ssl.TLSVersion.TLSv1_2
    if maximum:
        context.maximum_version = maximum
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def visit(context, port, name="mx.test.example", session=None):
    """(resumed, the session to come back with, version, suite)"""
    with Talk(port) as talk:
        talk.hello()
        talk.expect(220, "STARTTLS")
        talk.sock = context.wrap_socket(talk.sock, server_hostname=name, session=session)
        talk.hello()  # a ticket of TLS 1.3 comes before the reply
        seen = talk.sock
        return seen.session_reused, seen.session, seen.version(), seen.cipher()[0]


def refused(context, port):
    """The handshake fails, and the connection with it."""
    with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
        visit(context, port)
    return True


@pytest.fixture
def server(danelaw, certificate, tmp_path):
    """server(config...) -> a daemon with a chain for three names and a log of each session."""
    both = certificate("mx.test.example", "other.test.example", "*.test.example")

    def make(start=True, **more):
        return danelaw({"certificate both": {"chain": both.chain, "key": both.key},
                        "log_level": "debug", **more}, start=start)
    return make


def by_role(daemon):
    """How many sessions each receive process has begun."""
    count = {}
    for line in daemon.events("session"):
        count[line["role"]] = count.get(line["role"], 0) + 1
    return count


def reload(daemon):
    before = len(daemon.events("reloaded"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(daemon.events("reloaded")) > before, "the reload")


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_any_process_resumes_what_another_began(server, version):
    """RFC 5077, RFC 9325 3.4: the keys are those of the daemon, and outlive a reload."""
    daemon = server()
    context = guest(version, version)
    resumed, session, *_ = visit(context, daemon.port)
    assert not resumed
    before = by_role(daemon)

    def both_resumed():
        nonlocal session
        resumed, session, *_ = visit(context, daemon.port, session=session)
        assert resumed
        now = by_role(daemon)
        return all(now.get(f"receive-{i}", 0) > before.get(f"receive-{i}", 0)
                   for i in (0, 1))
    wait_until(both_resumed, "sessions with both processes")
    old = set(daemon.pids()["receive"])
    reload(daemon)
    wait_until(lambda: not old & set(daemon.pids()["receive"]), "the old roles to end")
    for _ in range(4):
        resumed, session, *_ = visit(context, daemon.port, session=session)
        assert resumed
    daemon.stop()
    daemon.start()
    resumed, *_ = visit(context, daemon.port, session=session)
    assert not resumed, "the keys have outlived the daemon"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_counts_where_it_was_given(server, version):
    """RFC 8446 4.6.1: by listener and by name; elsewhere there is a full handshake."""
    port = free_port()
    daemon = server(**{"listen other": {"address": [f"127.0.0.1:{port}"]}})
    context = guest(version, version)
    _, session, *_ = visit(context, daemon.port, "mx.test.example")
    for at, name, wanted in ((daemon.port, "other.test.example", False),
                             (daemon.port, "unknown.example", False),
                             (port, "mx.test.example", False),
                             (daemon.port, "MX.Test.Example", True)):
        resumed, *_ = visit(context, at, name, session)
        assert resumed == wanted, (at, name)


def test_starttls_as_it_is_offered(server):
    """RFC 3207 2, 4.2: a word without parameters, before TLS and not within it."""
    with Talk(server().port) as talk:
        assert [line for line in talk.hello() if "TLS" in line] == ["STARTTLS"]
        within = talk.starttls()
        assert [line for line in within if "TLS" in line] == ["REQUIRETLS"]
        talk.expect("503 5.5.1", "STARTTLS")


def said(daemon):
    """The last line of `danelaw status`."""
    return json.loads(daemon.ctl("status", "--json").stdout.splitlines()[-1])


def test_who_has_to_speak_tls(server, mail):
    """RFC 3207 4 and 6: chosen clients alone, and without TLS they get nothing done."""
    daemon = server(tls_server={"require": ["127.0.0.2"]}, receive_processes=1,
                    **{"domain test.example": {"deliver": f"maildir:{mail}/%u"}})
    with Talk(daemon.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", "user@test.example")
    with Talk(daemon.port, source="127.0.0.2") as talk:
        assert "STARTTLS" in talk.hello()
        for word in ("NOOP", "EHLO again.example"):
            talk.expect("250", word)
        for word in ("MAIL FROM:<a@client.example>", "RCPT TO:<user@test.example>", "DATA",
                     "HELO client.example", "RSET", "VRFY user", "HELP", "WHAT"):
            talk.expect("530 5.7.0 Must issue a STARTTLS command first", word)
        talk.send("BDAT 29\r\nRCPT TO:<user@test.example>\r\n")
        assert talk.reply()[0] == 530
        talk.expect("221", "QUIT")
    refused = daemon.wait_event("refused", kind="clear", client="127.0.0.2")
    assert refused["dsn"] == "5.7.0" and "tls_server" in refused["reason"]
    wait_until(lambda: said(daemon).get("refused_clear") == 1, "the count")
    with Talk(daemon.port, source="127.0.0.2") as talk:
        talk.hello()
        talk.starttls()
        talk.envelope("a@client.example", "user@test.example")
        assert talk.data(message())[0] == 250
        talk.expect("221", "QUIT")
    assert len(daemon.events("refused", kind="clear")) == 1
    wait_until(lambda: list(mail.glob("user/new/*")), "the message")


def test_rules_about_tls_are_told(server):
    """Those in force, of clients and of next hops; what has run out is not."""
    daemon = server(
        tls_server={"minimum": "1.3", "tickets": False, "require": ["127.0.0.2", "[2001:db8::]/32"]},
        **{"tls partner.example": {"level": "verify", "match": ["mx.partner.example"],
                                   "until": "2099-12-31", "reason": "by contract"},
           "tls .odd.example": {"enforcement": "audit", "requiretls": "encrypt"},
           "tls over.example": {"level": "none", "until": "2001-01-31"}})
    now = said(daemon)
    assert {key: now[key] for key in now if "tls" in key and key != "tls_rules"} == {
        "starttls": True, "tls_minimum": "1.3", "tls_ciphers": "modern", "tls_tickets": False,
        "tls_require": "127.0.0.2, [2001:db8::]/32", "requiretls": "enforce"}
    assert sorted(now["tls_rules"], key=lambda rule: rule["pattern"]) == [
        {"pattern": ".odd.example", "enforcement": "audit", "requiretls": "encrypt"},
        {"pattern": "partner.example", "level": "verify", "match": "mx.partner.example",
         "until": "2099-12-31", "reason": "by contract"}]
    told = daemon.ctl("status").stdout
    assert "tls_require: 127.0.0.2, [2001:db8::]/32\n" in told
    assert "pattern partner.example; level verify; match mx.partner.example" in told
    many = server(**{f"tls d{i}.example": {"level": "encrypt"} for i in range(40)})
    now = said(many)
    assert (len(now["tls_rules"]), now["tls_rules_more"]) == (30, 10)
    assert "tls_require" not in now


def test_a_public_host_is_warned(server):
    """RFC 3207 4: it MUST NOT require TLS of everybody."""
    daemon = server(start=False, tls_server={"require": ["0.0.0.0/0", "10.0.0.0/8", "[::]/0"]})
    assert "require" not in daemon.ctl("check-config").stdout
    daemon.write_config(text=daemon.config_file.read_text().replace(f":{daemon.port}", ":25"))
    warned = [line for line in daemon.ctl("check-config").stdout.splitlines()
              if "require" in line]
    assert len(warned) == 2 and all(line.startswith("warning: ") for line in warned), warned
    assert '"0.0.0.0/0"' in warned[0] and '"[::]/0"' in warned[1]
    assert "RFC 3207" in warned[0]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_certificate_of_a_client_is_asked_for(server, version):
    """RFC 8314 4.2: nobody here would know what to do with it."""
    spoken = subprocess.run(
        ["openssl", "s_client", "-starttls", "smtp", "-msg", version, "-connect",
         f"127.0.0.1:{server().port}"], input="QUIT\n", capture_output=True, text=True,
        check=False, timeout=60).stdout
    assert "Certificate\n" in spoken or ", Certificate" in spoken
    assert "CertificateRequest" not in spoken


@pytest.mark.parametrize("version", VERSIONS)
def test_close_notify_comes_before_the_end(server, version):
    """RFC 8314 3.4, RFC 8446 6.1: what was said is known to be all of it."""
    with Talk(server().port) as talk:
        talk.hello()
        talk.expect(220, "STARTTLS")
        context = guest(version, version)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        talk.sock = context.wrap_socket(
            talk.sock, server_hostname="mx.test.example", suppress_ragged_eofs=False)
        talk.hello()
        talk.expect(221, "QUIT")
        assert talk.sock.recv(1) == b"", "else an SSLEOFError"


def test_without_tickets_each_handshake_is_a_full_one(server):
    daemon = server(tls_server={"tickets": False})
    for version in VERSIONS:
        context = guest(version, version)
        _, session, *_ = visit(context, daemon.port)
        assert session is None or not session.has_ticket
        for _ in range(4):
            resumed, *_ = visit(context, daemon.port, session=session)
            assert not resumed


def test_what_is_spoken_by_default(server):
    """RFC 9325 4.2, RFC 8996 4 and 5."""
    daemon = server()
    _, _, version, suite = visit(guest(), daemon.port)
    assert (version, suite) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    _, _, version, suite = visit(guest(maximum=VERSIONS[0]), daemon.port)
    assert (version, suite) == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")
    old = ssl.TLSVersion.TLSv1_1
    assert refused(guest(ssl.TLSVersion.TLSv1, old, "ALL:@SECLEVEL=0"), daemon.port)
    assert refused(guest(maximum=VERSIONS[0], ciphers="ECDHE-ECDSA-AES128-SHA"), daemon.port)
    failed = daemon.wait_event("tls-failed")
    assert failed["reason"]


def test_what_can_be_set(server):
    """RFC 9325 4.1: wider only where the configuration says so; 1.3 alone."""
    wide = server(tls_server={"ciphers": "wide"})
    _, _, _, suite = visit(
        guest(maximum=VERSIONS[0], ciphers="ECDHE-ECDSA-AES128-SHA"), wide.port)
    assert suite == "ECDHE-ECDSA-AES128-SHA"
    old = ssl.TLSVersion.TLSv1_1
    assert refused(guest(ssl.TLSVersion.TLSv1, old, "ALL:@SECLEVEL=0"), wide.port)
    new = server(tls_server={"minimum": "1.3"})
    assert refused(guest(maximum=VERSIONS[0]), new.port)
    assert visit(guest(), new.port)[2] == "TLSv1.3"
    with socket.create_connection(("127.0.0.1", new.port), 5) as sock:
        assert sock.recv(4) == b"220 ", "it listens still"
