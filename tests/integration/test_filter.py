"""Mail filters (milter protocol): what they are told, what they may do, what
becomes of mail when they misbehave."""
import os
import re
import signal
import socket
import struct
import time

import pytest

from support import milter as m
from support.maildir import Maildir, field, split
from support.talk import Talk, message
from support.wait import wait_until

DOMAIN = "test.example"
USER = f"user@{DOMAIN}"


@pytest.fixture
def milter(tmp_path, started):
    def make(replies=None, name="filter", **options):
        folder = m.owned(tmp_path / "sockets")
        made = m.Milter(folder / name, replies, **options)
        started.append(made)
        return made
    return make


@pytest.fixture
def mx(danelaw, mail):
    """A final hop with these filters in their order: an address, or a section."""
    def make(*filters, **more):
        sections = {}
        for i, one in enumerate(filters):
            if not isinstance(one, dict):
                one = {"address": getattr(one, "address", one)}
            sections[f"milter f{i}"] = one
        return danelaw({f"domain {DOMAIN}": {"deliver": f"maildir:{mail}/%u"},
                        **sections, **more})
    return make


@pytest.fixture
def box(mail):
    return lambda user="user": Maildir(mail / user)


def send(server, text=None, *rcpts, sender="a@client.example"):
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(sender, *(rcpts or [USER]))
        return talk.data(text or message())


# --- what it is told ---

def test_a_filter_is_told_everything_in_order(milter, mx, box):
    filt = milter()
    server = mx(filt)
    assert send(server)[0] == 250
    box().wait(1)
    assert filt.letters().startswith("OCHMRTLNBE")
    assert filt.data("C")[0][:12] == b"[127.0.0.1]\0"
    assert re.fullmatch(rb"\[127\.0\.0\.1\]\x004..127\.0\.0\.1\x00", filt.data("C")[0], re.S)
    assert filt.data("H") == [b"client.test.example\0"]
    assert filt.data("M") == [b"<a@client.example>\0"]
    assert filt.data("R") == [b"<user@test.example>\0"]
    names = [d.split(b"\0")[0] for d in filt.data("L")]
    assert names == [b"From", b"To", b"Subject", b"Date", b"Message-ID"]
    assert filt.data("L")[2] == b"Subject\0test\0"
    assert filt.data("B") == [b"hello\r\n"]
    assert filt.macros("C")["j"] == "mx.test.example"
    assert filt.macros("C")["{client_addr}"] == "127.0.0.1"
    assert filt.macros("M")["{mail_addr}"] == "a@client.example"
    assert filt.macros("R")["{rcpt_addr}"] == USER
    (accepted,) = server.events("accepted")
    assert filt.macros("E")["i"] == accepted["id"]
    assert filt.macros("T")["i"] == accepted["id"]


def test_a_message_nobody_changes_stays_as_it_is(milter, mx, box):
    text = message(subject="  two  blanks", body=".\r\n..x\r\n\r\n\r\n")
    assert send(mx(milter(), milter(name="second")), text)[0] == 250
    (got,) = box().wait(1)
    assert got.replace(b"\n", b"\r\n").endswith(text.encode())
    (trace,) = field(got, "Received")
    assert "mx.test.example (Danelaw)" in trace


def test_the_same_by_bdat(milter, mx, box):
    filt = milter({"E": m.add("X-A", "b") + m.CONTINUE})
    body = message(body=".\r\nend").encode()
    with Talk(mx(filt).port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        talk.send(b"BDAT 10\r\n" + body[:10])
        assert talk.reply()[0] == 250
        talk.send(b"BDAT %d LAST\r\n" % (len(body) - 10) + body[10:])
        assert talk.reply()[0] == 250
    (got,) = box().wait(1)
    assert field(got, "X-A") == ["b"] and got.endswith(b"\n\n.\nend\n")
    assert filt.data("B") == [b".\r\nend\r\n"]


def test_leading_blanks_for_who_asks(milter, mx):
    filt = milter(flags=m.LEADING_SPACE)
    assert send(mx(filt), message(subject=" a\r\n\tb"))[0] == 250
    assert b"Subject\0  a\n\tb\0" in filt.data("L")


def test_stages_it_does_not_want(milter, mx):
    filt = milter(flags=m.NO_BODY | m.NO_HEADER)
    assert send(mx(filt))[0] == 250
    assert filt.letters().startswith("OCHMRTNE")


def test_promised_silence_is_not_waited_for(milter, mx):
    filt = milter(flags=m.NR_HEADER | m.NR_BODY)
    assert send(mx(filt), message(body="x" * 900 + "\r\n"))[0] == 250


def test_a_large_body_comes_in_pieces(milter, mx, box):
    """Longer than what is kept in memory: through a file without a name."""
    line = "y" * 998 + "\r\n"
    filt = milter({"E": m.add("X-Large", "yes") + m.CONTINUE})
    server = mx(filt, limits={"inline_message": "64K"})
    assert send(server, message(body=line * 1500))[0] == 250
    assert b"".join(filt.data("B")) == line.encode() * 1500
    assert max(map(len, filt.data("B"))) <= 65535
    (got,) = box().wait(1)
    assert field(got, "X-Large") == ["yes"]
    assert got.endswith(line.encode().replace(b"\r\n", b"\n") * 1500)
    assert not list(server.spool.glob("*tmp*"))


def test_skip_ends_the_body(milter, mx, box):
    filt = milter({"B": m.packet(b"s")}, flags=m.SKIP)
    assert send(mx(filt), message(body=("z" * 998 + "\r\n") * 300))[0] == 250
    assert len(filt.data("B")) == 1


def test_one_connection_a_session(milter, mx, box):
    filt = milter()
    with Talk(mx(filt).port) as talk:
        talk.hello()
        for i in range(3):
            talk.envelope("a@client.example", USER)
            assert talk.data(message(subject=f"n{i}"))[0] == 250
        talk.envelope("a@client.example", USER)
        talk.expect(250, "RSET")
        talk.envelope("b@client.example", USER)
        assert talk.data(message())[0] == 250
    box().wait(4)
    assert filt.connections == 1
    assert len(filt.data("C")) == 1 and len(filt.data("H")) == 1
    assert len(filt.data("M")) == 5 and len(filt.data("A")) == 1
    wait_until(lambda: filt.data("Q"), "goodbye")


def test_refused_recipients_are_told_to_who_asks(milter, mx, tmp_path, mail):
    (tmp_path / "who").write_text("user\n")
    filt = milter(flags=m.RCPT_REJ)
    deaf = milter(name="deaf")
    server = mx(filt, deaf, **{f"domain {DOMAIN}": {
        "deliver": f"maildir:{mail}/%u", "recipients": f"file:{tmp_path}/who"}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.1.1", f"RCPT TO:<nobody@{DOMAIN}>")
    assert filt.data("R") == [b"<nobody@test.example>\0"] and deaf.data("R") == []
    assert filt.macros("R")["{rcpt_mailer}"] == "error"


# --- what it says ---

VERDICTS = [
    ("M", m.REJECT, "550 5.7.1"), ("M", m.TEMPFAIL, "450 4.7.1"),
    ("M", m.code("553 5.1.8 no such\tsender"), "553 5.1.8 no such"),
    ("C", m.REJECT, "550 5.7.1"), ("H", m.code("550 bad name"), "550 5.7.1 bad name"),
    ("R", m.REJECT, "550 5.7.1"), ("R", m.code("451 4.7.1 Greylisted"), "451 4.7.1 Greylisted"),
    ("T", m.REJECT, "554 5.7.1"), ("T", m.TEMPFAIL, "451 4.7.1"),
    ("L", m.REJECT, "554 5.7.1"), ("N", m.TEMPFAIL, "451 4.7.1"),
    ("B", m.code("552 5.7.0 virus"), "552 5.7.0 virus"),
    ("E", m.REJECT, "554 5.7.1"), ("E", m.code("550-5.7.1 one\r\n550 5.7.1 two"),
                                   "550 5.7.1 one two"),
    ("E", m.code("550 4.7.1 other class"), "550 5.7.1 4.7.1 other class"),
]


@pytest.mark.parametrize("letter,reply,expected", VERDICTS)
def test_what_it_refuses_is_refused(milter, mx, box, letter, reply, expected):
    server = mx(milter({letter: reply}))
    with Talk(server.port) as talk:
        talk.hello()
        steps = [("CHM", f"MAIL FROM:<a@client.example>"), ("R", f"RCPT TO:<{USER}>"),
                 ("T", "DATA")]
        for letters, line in steps:
            got, lines = talk.command(line)
            if letter in letters:
                break
            assert got in (250, 354)
        else:
            talk.send(message() + ".\r\n")
            got, lines = talk.reply()
        assert f"{got} {lines[-1]}".startswith(expected)
        talk.expect(250, "NOOP")
    (line,) = server.events("filtered")
    assert line["filter"] == "f0" and line["dsn"][0] == expected[0]
    assert box().messages() == []


def test_a_recipient_is_refused_alone(milter, mx, box):
    filt = milter({"R": lambda data: m.REJECT if b"other" in data else m.CONTINUE})
    with Talk(mx(filt).port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("550 5.7.1", f"RCPT TO:<other@{DOMAIN}>")
        talk.expect(250, f"RCPT TO:<{USER}>")
        assert talk.data(message())[0] == 250
    box().wait(1)
    assert box("other").messages() == []


@pytest.mark.parametrize("reply", [m.SHUTDOWN, m.code("421 4.3.2 go away")])
def test_it_may_end_the_session(milter, mx, reply):
    with Talk(mx(milter({"R": reply})).port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect("421 4.", f"RCPT TO:<{USER}>")
        assert talk.closed()


@pytest.mark.parametrize("letter", "MRTLBE")
def test_discarded_mail_is_taken_and_gone(milter, mx, box, letter):
    server = mx(milter({letter: m.DISCARD}))
    assert send(server)[0] == 250
    (line,) = server.events("discarded")
    assert line["filter"] == "f0" and server.events("accepted") == []
    assert server.ctl("queue", "list", "--json").stdout.strip() in ("", "[]")
    assert box().messages() == []


@pytest.mark.parametrize("letter", "CMRE")
def test_who_accepts_is_asked_no_more(milter, mx, box, letter):
    filt, second = milter({letter: m.ACCEPT}), milter(name="second")
    assert send(mx(filt, second))[0] == 250
    box().wait(1)
    assert filt.letters().rstrip("AQ").endswith(letter)
    assert "E" in second.letters()


def test_several_in_order_each_sees_what_came_before(milter, mx, box):
    first = milter({"E": m.insert(1, "X-First", "1") + m.packet(b"b", b"new\r\n") + m.CONTINUE})
    second = milter({"E": m.insert(1, "X-Second", "2") + m.CONTINUE}, name="second")
    assert send(mx(first, second))[0] == 250
    assert second.data("L")[0] == b"X-First\0001\0" and second.data("B") == [b"new\r\n"]
    (got,) = box().wait(1)
    names = [f.split(b":")[0] for f in split(got)[0]]
    assert names.index(b"Received") < names.index(b"X-Second") < names.index(b"X-First") \
        < names.index(b"From")


def test_changes_of_the_header(milter, mx, box):
    filt = milter({"E": m.add("X-End", "last\n\tfolded") + m.insert(0, "X-Top", "t")
                   + m.change(1, "Subject", "changed") + m.change(1, "X-None", "made")
                   + m.change(1, "Message-ID", "") + m.change(1, "Received", "forged")
                   + m.CONTINUE})
    assert send(mx(filt))[0] == 250
    (got,) = box().wait(1)
    fields = split(got)[0]
    assert field(got, "Subject") == ["changed"] and field(got, "Message-ID") == []
    assert field(got, "X-None") == ["made"] and field(got, "X-End") == ["last folded"]
    # Ours is not theirs to change: another one is added.
    traces = field(got, "Received")
    assert "Danelaw" in traces[0] and traces[1] == "forged"
    names = [f.split(b":")[0] for f in fields]
    assert names.index(b"X-Top") < names.index(b"Received")
    assert b"\r" not in got and got.endswith(b"\n\nhello\n")


def test_a_new_body(milter, mx, box):
    pieces = m.packet(b"b", b"one\r\ntwo\nth") + m.packet(b"b", b"ree\rfour")
    assert send(mx(milter({"E": pieces + m.CONTINUE})))[0] == 250
    (got,) = box().wait(1)
    assert got.endswith(b"\n\none\ntwo\nthree\nfour\n")


def test_changes_of_the_envelope(milter, mx, box):
    changes = (m.packet(b"+", m.texts(f"<more@{DOMAIN}>")) + m.packet(b"-", m.texts(f"<{USER}>"))
               + m.packet(b"2", m.texts(f"<quiet@{DOMAIN}>", "NOTIFY=NEVER"))
               + m.packet(b"e", m.texts("<other@client.example>")))
    assert send(mx(milter({"E": changes + m.CONTINUE})))[0] == 250
    (got,) = box("more").wait(1)
    assert field(got, "Return-Path") == ["<other@client.example>"]
    box("quiet").wait(1)
    assert box().messages() == []


def test_all_recipients_deleted_is_discarded(milter, mx, box):
    server = mx(milter({"E": m.packet(b"-", m.texts(f"<{USER}>")) + m.CONTINUE}))
    assert send(server)[0] == 250
    assert server.wait_event("discarded")["filter"] == "all recipients deleted"


def test_quarantine_is_taken_and_held(milter, mx, box):
    server = mx(milter({"E": m.packet(b"q", m.texts("looks odd")) + m.CONTINUE}))
    assert send(server)[0] == 250
    (line,) = server.events("filter-changed")
    assert line["held"] == "looks odd"
    def held():
        return "held" in server.ctl("queue", "list").stdout
    wait_until(held, "a held message in the queue")
    server.stop()
    server.start()
    wait_until(held, "a held message after a restart")
    assert box().messages() == []
    server.ctl("queue", "release", line["id"])
    box().wait(1)


# --- what it does wrong ---

WRONG = {
    "garbage": {"M": b"\0\0\0\1?"},
    "empty packet": {"M": b"\0\0\0\0"},
    "huge packet": {"E": struct.pack(">I", 1 << 30) + b"b" * 100},
    "hangs up": {"E": m.hang_up},
    "hangs up early": {"O": m.hang_up},
    "slow": {"E": m.slowly(8)},
    "other options": {"O": m.packet(b"O", struct.pack(">III", 6, 0x1ff, 0))},
    "old version": {"O": m.packet(b"O", struct.pack(">III", 1, 1, 0))},
    "change too early": {"M": m.add("X-A", "b")},
    "no name": {"E": m.add("X A", "b") + m.CONTINUE},
    "second field": {"E": m.add("X-A", "b\r\nX-B: c") + m.CONTINUE},
    "end of header": {"E": m.add("X-A", "b\r\n\r\nbody") + m.CONTINUE},
    "reply of success": {"M": m.code("250 fine")},
    "no address": {"E": m.packet(b"+", m.texts("<a b@c>")) + m.CONTINUE},
    "twice": {"M": m.CONTINUE + m.CONTINUE},
    "too many": {"E": m.add("X-A", "b") * 1001 + m.CONTINUE},
    "half of it": {"E": lambda _d: m.add("X-A", "b") + b"\0\0\0\5b"},
}
TIMES = {"connect_timeout": "2s", "reply_timeout": "2s", "end_timeout": "2s", "retry": "300ms"}


@pytest.mark.parametrize("how", ["tempfail", "accept", "reject"])
@pytest.mark.parametrize("sin", WRONG)
def test_who_misbehaves_is_as_if_it_were_down(milter, mx, box, sin, how):
    if how != "tempfail" and sin not in ("half of it", "hangs up", "other options"):
        pytest.skip("once is enough")
    filt = milter(WRONG[sin])
    server = mx({"address": filt.address, "on_failure": how, **TIMES})
    with Talk(server.port) as talk:
        talk.hello()
        talk.send(f"MAIL FROM:<a@client.example>\r\nRCPT TO:<{USER}>\r\n")
        codes = [talk.reply() for _ in range(2)]
        if codes[0][0] == 250 and codes[1][0] == 250:
            codes.append(talk.data(message()))
        worst = max(codes, key=lambda c: c[0])
        said = f"{codes[0][0]} {codes[0][1][-1]}" if codes[0][0] != 250 else \
            f"{codes[-1][0]} {codes[-1][1][-1]}"
    if how == "accept":
        assert worst[0] == 250
        (got,) = box().wait(1)
        assert field(got, "X-A") == []
    else:
        assert re.match({"tempfail": "45[01] 4.3.0 a mail filter",
                         "reject": "55[04] 5.3.0 a mail filter"}[how], said), said
        assert box().messages() == []
    line = server.wait_event("filter-failed")
    assert line["filter"] == "f0" and line["action"] == how and line["reason"]


def test_half_a_body_is_none(milter, mx, box):
    first = milter({"E": m.packet(b"b", b"half\r\n") + b"\0\0\0\0"})
    second = milter({"E": m.packet(b"b", b"whole\r\n") + m.CONTINUE}, name="second")
    server = mx({"address": first.address, "on_failure": "accept"}, second)
    assert send(server)[0] == 250
    (got,) = box().wait(1)
    assert got.endswith(b"\n\nwhole\n") and b"half" not in got


def test_progress_is_patience(milter, mx, box):
    begin = time.monotonic()

    def at_work(_data):
        for _ in range(5):
            time.sleep(0.6)
            filt.open[-1].sendall(m.PROGRESS)
        return m.CONTINUE
    filt = milter({"E": at_work})
    server = mx({"address": filt.address, **TIMES, "end_timeout": "1500ms"})
    assert send(server)[0] == 250
    assert time.monotonic() - begin > 3
    box().wait(1)


def test_a_filter_that_is_down_and_comes_back(milter, mx, box):
    filt = milter()
    server = mx({"address": filt.address, **TIMES})
    filt.stop()
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect("451 4.3.0", "MAIL FROM:<a@client.example>")
    server.wait_event("filter-down")
    wait_until(lambda: re.search("filter f0 is down .*tempfail",
                                 server.ctl("status", check=False).stdout), "a status that says so")
    filt.start()
    server.wait_event("filter-up")  # nobody sent mail meanwhile
    wait_until(lambda: "f0 is down" not in server.ctl("status", check=False).stdout, "a calm status")
    assert send(server)[0] == 250
    box().wait(1)


def test_a_dead_filter_delays_nobody_twice(milter, mx, started):
    """What is not answered is found out once; then it is known for a while."""
    filt = milter({"O": m.slowly(30)})
    server = mx({"address": filt.address, **TIMES, "retry": "1m"}, receive_processes=1)
    took = []
    for _ in range(3):
        with Talk(server.port) as talk:
            talk.hello()
            begin = time.monotonic()
            talk.expect("45", "MAIL FROM:<a@client.example>")
            took.append(time.monotonic() - begin)
    assert took[0] > 1.5 and max(took[1:]) < 1
    assert filt.connections == 1


def test_clients_we_relay_for_may_pass_without(milter, mx, box):
    filt = milter({"M": m.REJECT})
    server = mx({"address": filt.address, "relay_clients": "skip"},
                relay={"from": ["127.0.0.0/8"]})
    assert send(server)[0] == 250
    assert filt.seen == []


def test_a_client_that_leaves_in_the_middle(milter, mx, box):
    filt = milter({"E": m.slowly(1)})
    server = mx(filt)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        talk.expect(354, "DATA")
        talk.send(message() + ".\r\n")
        wait_until(lambda: "E" in filt.letters(), "the end")
    server.wait_event("session-end")
    assert server.events("accepted") == []
    assert send(server)[0] == 250


def test_reload_and_stop_let_a_filter_finish(milter, mx, box):
    filt = milter({"E": m.slowly(1.5)})
    server = mx(filt)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        talk.expect(354, "DATA")
        talk.send(message() + ".\r\n")
        wait_until(lambda: "E" in filt.letters(), "the end")
        server.process.send_signal(signal.SIGHUP)
        assert talk.reply()[0] == 250
    box().wait(1)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        talk.expect(354, "DATA")
        talk.send(message("second") + ".\r\n")
        wait_until(lambda: len(filt.data("E")) == 2, "the end")
        server.process.send_signal(signal.SIGTERM)
        assert talk.reply()[0] == 250
    server.process.wait(30)
    server.start()
    box().wait(2)


def test_killed_in_the_middle_nothing_was_acknowledged(milter, mx, box):
    filt = milter({"E": m.slowly(2)})
    server = mx(filt, receive_processes=1)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        assert talk.data(message("first"))[0] == 250
        talk.envelope("a@client.example", USER)
        talk.expect(354, "DATA")
        talk.send(message("second") + ".\r\n")
        wait_until(lambda: len(filt.data("E")) == 2, "the end")
        for pid in server.pids()["receive"]:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises((EOFError, ConnectionError, socket.timeout)):
            talk.reply()
    got = box().wait(1)
    assert len(got) == 1 and field(got[0], "Subject") == ["first"]
    def again():
        try:
            return send(server, message("third"))[0] == 250
        except (OSError, EOFError):
            return False
    wait_until(again, "mail after it")
    assert len(box().wait(2)) == 2
