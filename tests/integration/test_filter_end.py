"""The end of a message with filters: whom they added, and what is large."""
import threading

from support import milter as m
from support.maildir import field, split
from support.socketmap import Socketmap
from support.talk import Talk, message
from support.wait import wait_until
from test_filter import DOMAIN, USER, box, milter, mx, send  # noqa: F401

OURS = "ours.example"


def adds(*addresses, less=()):
    return (b"".join(m.packet(b"+", m.texts(f"<{a}>")) for a in addresses)
            + b"".join(m.packet(b"-", m.texts(f"<{a}>")) for a in less) + m.CONTINUE)


def people(tmp_path, mail, *names):
    (tmp_path / "who").write_text("".join(f"{name}\n" for name in names))
    return {f"domain {DOMAIN}": {"deliver": f"maildir:{mail}/%u",
                                 "recipients": f"file:{tmp_path}/who"}}


def test_whom_a_filter_adds_must_exist(milter, mx, box, tmp_path, mail):
    """Who does not is left out, and the log says so; the others get it."""
    server = mx(milter({"E": adds(f"more@{DOMAIN}", f"nobody@{DOMAIN}", f"last@{DOMAIN}")}),
                **people(tmp_path, mail, "user", "more", "last"))
    assert send(server)[0] == 250
    for user in ("user", "more", "last"):
        box(user).wait(1)
    told = server.wait_event("filter-recipient")
    assert told["to"] == f"nobody@{DOMAIN}" and told["dsn"] == "5.1.1" and told["id"]
    assert server.wait_event("accepted")["rcpts"] == "3"
    assert not (mail / "nobody").exists()


def test_nobody_left_is_refused(milter, mx, tmp_path, mail):
    """A message does not vanish because its filter has a wrong address."""
    server = mx(milter({"E": adds(f"nobody@{DOMAIN}", less=[USER])}),
                **people(tmp_path, mail, "user"))
    code, words = send(server)[:2]
    assert code == 554 and "5.1.1" in str(words)
    assert not server.events("accepted") and not server.events("discarded")


def test_who_knows_of_them_is_asked(milter, mx, box, tmp_path, mail, started):
    """A lookup that fails is 451 for the message, as for any recipient."""
    down = threading.Event()
    asked = []

    def answer(_, key):
        asked.append(key)
        if key.startswith("temp"):
            return "TEMP down" if down.is_set() else f"OK {USER}"
        return f"OK more@{DOMAIN}" if key == f"bob@{OURS}" else "NOTFOUND "
    map_server = Socketmap(answer)
    started.append(map_server)
    (tmp_path / "none").write_text("")
    server = mx(milter({"E": adds(f"bob@{OURS}", f"eve@{OURS}", f"temp@{OURS}")}),
                **{"lookup map": {"source": f"socketmap:inet:127.0.0.1:{map_server.port}:v"},
                   f"domain {OURS}": {"deliver": "discard", "aliases": "lookup:map",
                                      "recipients": f"file:{tmp_path}/none"}})
    down.set()
    assert send(server)[0] == 451
    down.clear()
    assert send(server)[0] == 250
    box("more").wait(1)
    box().wait(1)
    assert f"eve@{OURS}" in asked
    assert server.wait_event("filter-recipient")["to"] == f"eve@{OURS}"


def test_a_large_message_is_written_in_pieces(milter, mx, box):
    """It waits on the disk, and is written turn by turn, whole."""
    body = "".join(f"{n:07} {'x' * 60}\n" for n in range(50000))
    server = mx(milter({"E": m.add("X-Seen", "yes") + m.CONTINUE}), receive_processes=1)
    assert send(server, message("large", body.replace("\n", "\r\n")))[0] == 250
    (got,) = box().wait(1)
    assert field(got, "X-Seen") == ["yes"]
    assert split(got)[1].decode() == body


def test_a_large_body_in_the_shortest_pieces(milter, mx, box):
    """Each line is but a stuffed dot or two: the file has them all, in their order."""
    lines = "".join(f"{'.' * (n % 4)}\r\n" for n in range(30000))
    filt = milter()
    server = mx(filt, limits={"inline_message": "1K"})
    assert send(server, message(body=lines))[0] == 250
    assert b"".join(filt.data("B")) == lines.encode()
    (got,) = box().wait(1)
    assert got.endswith(message(body=lines).replace("\r\n", "\n").encode())


def lines(octets):
    return ("X-Long: " + "y" * 990 + "\r\n") * (octets // 1000)


def hold(server, octets):
    """A session with so much of a header section, which has not ended."""
    talk = Talk(server.port)
    talk.hello()
    talk.envelope("a@client.example", USER)
    talk.expect(250, f"BDAT {octets}\r\n{lines(octets)}"[:-2])
    return talk


def test_header_sections_count_as_memory(milter, mx, box):
    """They stay in memory until the filters have spoken, whatever their sender does: one
    that has no room is put off, others go on, and what goes gives back what it had."""
    server = mx(milter(), receive_processes=1,
                limits={"memory": "1M", "inline_message": "16K"})
    for n in range(4):
        held = [hold(server, 400000) for _ in range(2)]
        code, words = send(server, lines(300000) + message())[:2]
        assert code == 452 and words[-1].startswith("4.3.1 too many messages"), words
        assert send(server)[0] == 250
        if n % 2:   # one is refused, or let through; the other one hangs up
            held[0].expect(250, "BDAT 0 LAST")
        else:
            held[0].expect(250, "RSET")
        for talk in held:
            talk.close()
        wait_until(lambda: send(server, lines(300000) + message())[0] == 250, "room again")


def test_a_header_section_that_is_refused_is_given_back(milter, mx, box):
    """Filters are not shown it; the session goes on and holds nothing of it."""
    server = mx(milter(), receive_processes=1,
                limits={"memory": "1M", "inline_message": "16K"})
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        code, words = talk.data(("X: " + "y" * 65 + "\r\n") * 10001 + message())
        assert code == 552 and words[-1].startswith("5.3.4 "), (code, words)
        assert send(server, lines(500000) + message())[0] == 250
        talk.expect(250, "NOOP")
