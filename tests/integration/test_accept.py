"""What the receiving side takes and what it refuses, and with which words."""
import re
import smtplib
import ssl

import pytest

from support.maildir import Maildir, field
from support.talk import Talk, message

DOMAIN = "test.example"


@pytest.fixture
def mx(danelaw, certificate, mail, tmp_path):
    """A final hop for user@ and other@test.example, with a certificate."""
    def make(more=None):
        cert = certificate("mx.test.example")
        users = tmp_path / "recipients"
        users.write_text("user\nother\nboss: user, other\n")
        return danelaw({
            "certificate mx": {"chain": cert.chain, "key": cert.key},
            f"domain {DOMAIN}": {"deliver": f"maildir:{mail}/%u",
                                 "recipients": f"file:{users}"},
            **(more or {})})
    return make


@pytest.fixture
def box(mail):
    return lambda user="user": Maildir(mail / user)


def test_starttls_then_mail(mx, box):
    server = mx()
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="c.example") as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=ssl._create_unverified_context())
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("a@client.example", [f"user@{DOMAIN}"], message())
    (got,) = box().wait(1)
    (trace,) = field(got, "Received")
    assert " with ESMTPS" in trace and "TLSv1.3" in trace
    assert trace.startswith("from c.example")
    assert field(got, "Return-Path") == ["<a@client.example>"]
    assert got.replace(b"\n", b"\r\n").endswith(message().encode())


def test_extensions_are_announced(mx):
    with Talk(mx().port) as talk:
        words = {line.split()[0] for line in talk.hello()}
        assert words >= {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING",
                         "ENHANCEDSTATUSCODES", "DSN", "STARTTLS"}


def test_no_starttls_without_a_certificate(danelaw):
    with Talk(danelaw().port) as talk:
        assert "STARTTLS" not in talk.hello()


def test_starttls_with_input_behind_it_ends_the_session(mx):
    """RFC 3207 4.2: nothing said before the handshake counts after it."""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.send("STARTTLS\r\nRSET\r\n")
        try:
            code, _ = talk.reply()
            assert code >= 500 or code == 421
        except EOFError:
            pass
        assert talk.closed()


def test_handshake_failure_ends_the_session_only(mx):
    server = mx()
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(220, "STARTTLS")
        talk.send(b"this is no handshake" * 10)
        talk.closed()
    with Talk(server.port) as talk:
        talk.hello()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(mx, version):
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with Talk(mx().port) as talk:
        talk.hello()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            talk.starttls(context=context)


def test_relaying_is_refused(mx):
    with Talk(mx().port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.7.1", "RCPT TO:<someone@elsewhere.example>")
        talk.expect("550 5.7.1", f"RCPT TO:<@{DOMAIN}:someone@elsewhere.example>")
        talk.expect("55", f'RCPT TO:<"someone@elsewhere.example"@{DOMAIN}>')
        talk.expect("55", f"RCPT TO:<someone%elsewhere.example@{DOMAIN}>")


def test_relaying_is_for_those_named(mx):
    with Talk(mx({"relay": {"from": ["127.0.0.0/8"]}}).port) as talk:
        talk.hello()
        talk.envelope("a@client.example", "someone@elsewhere.example")
        talk.expect(250, "RSET")


def test_unknown_recipient(mx):
    with Talk(mx().port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.1.1", f"RCPT TO:<nobody@{DOMAIN}>")
        talk.expect(250, f"RCPT TO:<USER@{DOMAIN.upper()}>")


def test_postmaster_always_exists(mx):
    """RFC 5321 4.5.1: <Postmaster> without a domain too."""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("", f"postmaster@{DOMAIN}", "Postmaster")


def test_alias_goes_to_all_it_names(mx, box):
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"boss@{DOMAIN}")
        assert talk.data(message())[0] == 250
    box("user").wait(1)
    box("other").wait(1)


def test_pipelined_transaction(mx, box):
    with Talk(mx().port) as talk:
        talk.hello()
        talk.send(f"MAIL FROM:<a@client.example>\r\nRCPT TO:<nobody@{DOMAIN}>\r\n"
                  f"RCPT TO:<user@{DOMAIN}>\r\nDATA\r\n")
        assert [talk.reply()[0] for _ in range(4)] == [250, 550, 250, 354]
        talk.send(message().encode() + b".\r\nMAIL FROM:<b@client.example>\r\n"
                  b"RSET\r\nQUIT\r\n")
        assert [talk.reply()[0] for _ in range(4)] == [250, 250, 250, 221]
    box().wait(1)


def test_chunking(mx, box):
    """RFC 3030: binary-clean chunks, dots untouched."""
    body = message(body=".\r\n..\r\nend\r\n").encode()
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        talk.send(b"BDAT 10\r\n" + body[:10])
        assert talk.reply()[0] == 250
        talk.send(b"BDAT %d\r\n" % (len(body) - 10) + body[10:] + b"BDAT 0 LAST\r\n")
        assert [talk.reply()[0], talk.reply()[0]] == [250, 250]
    (got,) = box().wait(1)
    assert got.replace(b"\n", b"\r\n").endswith(body)


def test_who_hangs_up_takes_only_what_is_open(mx, box):
    """RFC 5321 4.1.1.5, 4.1.1.10: as if RSET had been said, and no more."""
    server = mx()
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message(subject="whole"))[0] == 250
        talk.envelope("b@client.example", f"user@{DOMAIN}")
        talk.expect(354, "DATA")
        talk.send("Subject: open\r\n\r\nno end\r\n.\r")
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("c@client.example", f"other@{DOMAIN}")
        talk.expect(354, "DATA")
    server.wait_event("session-end", messages="1")
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("d@client.example", f"user@{DOMAIN}")
        assert talk.data(message(subject="next"))[0] == 250
    assert sorted(field(m, "Subject")[0] for m in box().wait(2)) == ["next", "whole"]
    assert box("other").messages() == []
    assert len(server.events("accepted")) == 2


def test_many_sessions_at_once(mx, box):
    """RFC 5321 4.5.4.2: it goes on listening, whoever it talks to."""
    server = mx()
    talks = [Talk(server.port) for _ in range(60)]
    for talk in talks:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        talk.expect(354, "DATA")
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"other@{DOMAIN}")
        assert talk.data(message())[0] == 250
    for talk in talks:
        talk.send(message().encode() + b".\r\n")
    assert [talk.reply()[0] for talk in talks] == [250] * 60
    for talk in talks:
        talk.close()
    box("other").wait(1)
    box().wait(60)


def test_dots_are_undone(mx, box):
    """RFC 5321 4.5.2"""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message(body=".\r\n..x\r\n...\r\n"))[0] == 250
    (got,) = box().wait(1)
    assert got.endswith(b"\n\n.\n..x\n...\n")


@pytest.mark.parametrize("ending", ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r"])
def test_only_crlf_ends_data(mx, box, ending):
    """RFC 5321 4.1.1.4: what looks like an end to others is refused whole."""
    smuggled = (f"MAIL FROM:<evil@client.example>\r\nRCPT TO:<user@{DOMAIN}>\r\n"
                "DATA\r\nsmuggled\r\n.\r\n")
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        talk.expect(354, "DATA")
        talk.send("Subject: first\r\n\r\nx" + ending + smuggled)
        code, lines = talk.reply()
        assert 500 <= code < 600, lines
        rest = b""
        try:
            while chunk := talk.sock.recv(4096):
                rest += chunk
        except OSError:
            pass
        assert b"250" not in talk.buffer + rest
    assert box().messages() == []


@pytest.mark.parametrize("line", [
    "MAIL FROM:<a@client.example>\nRCPT TO:<user@test.example>\r\n",
    "NOOP \rx\r\n"])
def test_bare_line_ends_in_commands_are_refused(mx, line):
    with Talk(mx().port) as talk:
        talk.hello()
        talk.send(line)
        code, _ = talk.reply()
        assert 500 <= code < 600


@pytest.mark.parametrize("by", ["DATA", "BDAT"])
def test_a_large_message_in_the_shortest_pieces(mx, box, by):
    """Lines that are but a stuffed dot, chunks of an octet: all of it, in its order."""
    server = mx({"limits": {"inline_message": "1K"}})
    body = "".join(f"{'.' * (n % 4)}\r\n" for n in range(30000))
    whole = message(body=body)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        if by == "DATA":
            assert talk.data(whole)[0] == 250
        else:
            first, rest = whole[:-1500], whole[-1500:]
            talk.send(f"BDAT {len(first)}\r\n{first}"
                      + "".join(f"BDAT 1\r\n{c}" for c in rest) + "BDAT 0 LAST\r\n")
            assert {talk.reply()[0] for _ in range(2 + len(rest))} == {250}
    (got,) = box().wait(1)
    assert got.replace(b"\n", b"\r\n").endswith(whole.encode())


def test_too_large_by_size_and_by_fact(mx):
    with Talk(mx({"limits": {"message": "100K"}}).port) as talk:
        lines = talk.hello()
        assert "SIZE 102400" in lines
        talk.expect("552 5.3.4", "MAIL FROM:<a@client.example> SIZE=102401")
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        code, lines = talk.data(message(body="x" * 900 + "\r\n") * 120)
        assert (code, lines[-1][:5]) == (552, "5.3.4")
        talk.envelope("a@client.example", f"user@{DOMAIN}")


def test_too_many_recipients(mx):
    with Talk(mx({"limits": {"recipients": 100}}).port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        for _ in range(100):
            talk.expect(250, f"RCPT TO:<user@{DOMAIN}>")
        talk.expect("452 4.5.3", f"RCPT TO:<user@{DOMAIN}>")


def test_loop_is_detected(mx):
    trace = "Received: from a by b; Thu, 1 Jan 2026 00:00:00 +0000\r\n"
    with Talk(mx({"limits": {"hops": 10}}).port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        code, lines = talk.data(trace * 11 + message())
        assert (code, lines[-1][:5]) == (554, "5.4.6")


def test_too_many_errors_end_the_session(mx):
    with Talk(mx({"limits": {"errors": 5}}).port) as talk:
        talk.hello()
        codes = []
        for _ in range(10):
            try:
                codes.append(talk.command("BOGUS")[0])
            except (EOFError, OSError):
                break
        assert codes[-1] == 421 and len(codes) <= 7


def test_idle_session_is_ended(mx):
    with Talk(mx({"timeouts": {"command": "300ms"}}).port) as talk:
        talk.hello()
        code, lines = talk.reply()
        assert (code, lines[-1][:5]) == (421, "4.4.2")
        assert talk.closed()


def test_session_limit_a_client(mx):
    server = mx({"receive_processes": 1, "limits": {"sessions_client": 3}})
    server.wait_event("session-end")  # of the look whether it is there
    talks = [Talk(server.port) for _ in range(3)]
    with Talk(server.port) as talk:
        assert talk.greeting[0] == 421
    for talk in talks:
        talk.expect(221, "QUIT")
        talk.close()
    with Talk(server.port) as talk:
        assert talk.greeting[0] == 220


@pytest.mark.parametrize("line, code", [
    ("RCPT TO:<user@test.example>", "503"),
    ("DATA", "503"),
    ("MAIL FROM:<a@client.example", "501"),
    ("MAIL FROM:<a@client.example> WHAT=1", "555"),
    ("MAIL FROM:<a b@client.example>", "501"),
    ("NOOP " + "x" * 3000, "500"),
    ("NO\x01OP", "501"),
    ("EHLO my_host", "501"),
    ("EXPN list", "502"),
    ("VRFY user", "252"),
    ("HELP", "214"),
    ("WHAT", "500"),
])
def test_replies_to_what_is_wrong(mx, line, code):
    """RFC 5321 4.2.4, 4.3.2"""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.expect(code, line)
        talk.expect(250, "NOOP")


def test_odd_names_where_the_operator_bears_them(mx):
    """RFC 5321 4.1.2, the other way; RFC 5321 7.5: and what we are."""
    with Talk(mx({"defence": {"any_hello": "yes"}}).port) as talk:
        talk.hello("MY_PRINTER")
        code, lines = talk.command("HELP")
        assert code == 214 and re.match(r"2\.0\.0 Danelaw \d+\.\d+", lines[-1])


def test_chunk_of_unknown_size_ends_the_session(mx):
    """RFC 3030 3: nobody knows where the next command begins."""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        talk.expect("501", "BDAT x")
        assert talk.closed()


def test_utf8_needs_smtputf8(mx):
    """RFC 6531 3.4, 3.5: 550 for a sender, 553 for a recipient."""
    with Talk(mx().port) as talk:
        talk.hello()
        talk.expect("550 5.6.7", "MAIL FROM:<grüße@client.example>")
        talk.expect(250, "MAIL FROM:<grüße@client.example> SMTPUTF8")


@pytest.mark.parametrize("log", ["logfmt", "json"])
def test_the_log_has_utf8_as_it_is_meant(mx, log):
    """In ASCII, escaped as JSON has it (RFC 8259 7)."""
    names = ["grüße@client.example", "\u4f60@client.example", "a\U0001f600z@client.example"]
    server = mx({"log_format": log})
    with Talk(server.port) as talk:
        talk.hello()
        for name in names:
            talk.expect(250, f"MAIL FROM:<{name}> SMTPUTF8")
            talk.expect(250, f"RCPT TO:<user@{DOMAIN}>")
            assert talk.data(message())[0] == 250
    text = server.log_text()
    assert text.isascii()
    assert [line["from"] for line in server.events("accepted")] == names


def test_full_disk_is_452(mx):
    """Less room than limits.space: refused before anything is taken."""
    server = mx({"limits": {"space": "1000G"}})
    with Talk(server.port) as talk:
        talk.hello()
        codes = [talk.command("MAIL FROM:<a@client.example>")]
        if codes[-1][0] == 250:
            codes.append(talk.command(f"RCPT TO:<user@{DOMAIN}>"))
            codes.append(talk.command("DATA"))
        assert (codes[-1][0], codes[-1][1][-1][:5]) == (452, "4.3.1")


def test_sessions_hear_of_the_end(mx):
    server = mx({"timeouts": {"drain": "500ms"}})
    with Talk(server.port) as talk:
        talk.hello()
        server.process.terminate()
        code, lines = talk.reply()
        assert (code, lines[-1][:5]) == (421, "4.3.2")
