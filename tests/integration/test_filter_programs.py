"""Mail of programs of this machine passes the filters, too."""
import concurrent.futures
import os
import threading

import pytest

from support import milter as m
from support.maildir import field, split
from support.programs import drops, fine, sendmail
from support.socketmap import Socketmap
from support.wait import wait_until
from test_filter import DOMAIN, USER, box, milter, mx  # noqa: F401
from test_filter_real import key, opendkim  # noqa: F401

ME = f"me@{DOMAIN}"


def hand_in(server, *to, text=b"Subject: hello\n\none\n", sender=ME, uid=None):
    fine(sendmail(server, "-i", "-f", sender, *(to or [USER]), text=text, uid=uid))


def gone(server):
    wait_until(lambda: not drops(server), "an empty drop folder")


def test_it_is_told_all_of_it(milter, mx, box):
    filt = milter({"E": m.add("X-Seen", "yes") + m.packet(b"+", m.texts(f"<more@{DOMAIN}>"))
                   + m.CONTINUE})
    server = mx(filt)
    hand_in(server, USER, f"other@{DOMAIN}")
    (got,) = box().wait(1)
    assert field(got, "X-Seen") == ["yes"] and split(got)[1] == b"one\n"
    assert field(got, "Received")[0].startswith("by ")
    for user in ("other", "more"):
        box(user).wait(1)
    assert filt.letters() == "OCHMRTLNBEQ"[:len(filt.letters())]
    assert filt.data("C") == [b"localhost\0U"]
    assert filt.data("M")[0].split(b"\0")[0] == f"<{ME}>".encode()
    assert [d.split(b"\0")[0] for d in filt.data("R")] == [
        f"<{USER}>".encode(), f"<other@{DOMAIN}>".encode()]
    assert filt.data("B") == [b"one\r\n"]
    assert filt.macros("T")["i"] == server.wait_event("accepted")["id"]
    assert "{client_addr}" not in filt.macros("C")
    gone(server)


def test_it_may_be_left_out(milter, mx, box):
    filt = milter({"M": m.code("550 5.7.1 no")})
    hand_in(mx({"address": filt.address, "programs": "skip"}))
    box().wait(1)
    assert filt.connections == 0


def test_what_it_refuses_comes_back(milter, mx, box):
    """At each place, and a recipient alone; the others get theirs."""
    def no(data):
        return m.code("550 5.7.1 not them") if b"other" in data else m.CONTINUE
    server = mx(milter({"R": no}))
    hand_in(server, USER, f"other@{DOMAIN}")
    box().wait(1)
    (bounce,) = box("me").wait(1)
    assert b"other@" in bounce and b"not them" in bounce
    assert not box("other").messages()
    gone(server)


def test_a_message_that_is_refused_comes_back(milter, mx, box):
    for number, letter in enumerate("MTE"):
        server = mx(milter({letter: m.code("554 5.7.1 never")}, name=f"at{letter}"))
        hand_in(server)
        assert b"never" in box("me").wait(number + 1)[-1] or number
        gone(server)
        server.stop()
    assert box().messages() == []


def test_what_is_put_off_holds_up_nobody(milter, mx, box):
    """4yz: it stays, the next one goes out, and in time it is tried again."""
    patience = []

    def later(data):
        if b"slow@" not in data or len(patience) > 1:
            return m.CONTINUE
        patience.append(data)
        return m.code("451 4.7.1 not now")
    server = mx(milter({"M": later}))
    hand_in(server, f"first@{DOMAIN}", sender=f"slow@{DOMAIN}")
    server.wait_event("drop-waits")
    hand_in(server, f"second@{DOMAIN}")
    box("second").wait(1)
    assert len(drops(server)) == 1
    box("first").wait(1)
    assert len(patience) == 2
    gone(server)


def test_a_filter_that_is_slow_with_some_holds_up_few(milter, mx, box):
    """Three wait for its word; a fourth goes out meanwhile; none is read twice."""
    release = threading.Event()

    def slow(data):
        if b"slow" in data:
            assert release.wait(60)
        return m.CONTINUE
    filt = milter({"M": slow})
    server = mx(filt)
    for i in range(3):
        hand_in(server, f"one@{DOMAIN}", sender=f"slow{i}@{DOMAIN}")
        wait_until(lambda n=i + 1: len(filt.data("M")) == n, "its question")
    hand_in(server, f"second@{DOMAIN}")
    box("second").wait(1)
    assert len(drops(server)) == 3 and not box("one").messages()
    release.set()
    box("one").wait(3)
    gone(server)
    assert len(filt.data("M")) == 4 and len(server.events("accepted")) == 4


def test_as_many_as_are_read_may_wait(milter, mx, box):
    """The one behind them is read when one of them is through."""
    release = threading.Semaphore(0)

    def slow(_data):
        assert release.acquire(timeout=60)
        return m.CONTINUE
    filt = milter({"E": slow})
    server = mx(filt)
    for _ in range(6):
        hand_in(server)
    wait_until(lambda: len(filt.data("E")) == 4, "as many as are read at once")
    assert len(drops(server)) == 6 and len(filt.data("M")) == 4
    release.release()
    wait_until(lambda: len(filt.data("E")) == 5, "the fifth")
    server.stop()  # in the midst of it
    for _ in range(20):
        release.release()
    server.start()
    box().wait(6)
    gone(server)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_who_hands_in_many_slow_ones_holds_up_nobody_else(milter, mx, box):
    """Nobody has more of the places than are left; all are read, and none twice."""
    release = threading.Semaphore(0)

    def slow(data):
        if b"slow" in data:
            assert release.acquire(timeout=60)
        return m.CONTINUE
    filt = milter({"M": slow})
    server = mx(filt)
    seen = 0
    for uid, many, read in ((12341, 7, 4), (12342, 4, 2), (12343, 2, 1)):
        for _ in range(many):
            hand_in(server, f"one@{DOMAIN}", sender=f"slow@{DOMAIN}", uid=uid)
        seen += read
        wait_until(lambda n=seen: len(filt.data("M")) == n, "as many as it may have")
    for n in range(3):
        hand_in(server, f"second@{DOMAIN}", uid=12344)
        box("second").wait(n + 1)
    assert len(filt.data("M")) == seen + 3
    assert len(drops(server)) == 13 and not box("one").messages()
    for n in range(13):
        release.release()
        box("one").wait(n + 1)
    gone(server)
    assert len(filt.data("M")) == len(server.events("accepted")) == 16


def test_many_at_once_are_each_taken_once(milter, mx, box):
    """Whatever else comes while they are read, and while they are written."""
    server = mx(milter())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: hand_in(server, USER, text=f"Subject: {n}\n\n".encode()),
                      range(40)))
    got = box().wait(40)
    gone(server)
    assert sorted(int(field(one, "Subject")[0]) for one in got) == list(range(40))
    assert len(server.events("accepted")) == 40


@pytest.fixture
def asked(mx, started, tmp_path):
    """Behind this filter, with senders at asked.example: nobody can say who they are until
    `down` is cleared."""
    down = threading.Event()
    down.set()
    who = Socketmap(lambda _, key: "TEMP down" if down.is_set() else f"OK box@{DOMAIN}")
    started.append(who)
    (tmp_path / "nobody").write_text("")
    nobody = {"deliver": "discard", "recipients": f"file:{tmp_path}/nobody"}
    return lambda filt: (mx(filt, **{
        "lookup map": {"source": f"socketmap:inet:127.0.0.1:{who.port}:x"},
        "domain asked.example": {**nobody, "aliases": "lookup:map"},
        "domain nobody.example": nobody}), down)


def test_a_refused_message_of_whose_sender_nobody_can_say(milter, asked, box):
    """It is asked before anybody has it, so that nobody has it twice."""
    filt = milter({"R": lambda data: m.code("550 5.7.1 not them") if b"other" in data
                   else m.CONTINUE})
    server, down = asked(filt)
    hand_in(server, USER, f"other@{DOMAIN}", sender="me@asked.example")
    server.wait_event("drop-waits")
    assert len(drops(server)) == 1 and not server.events("accepted")
    down.clear()
    (bounce,) = box("box").wait(1)
    assert b"not them" in bounce
    gone(server)
    assert len(box().wait(1)) == len(server.events("accepted")) == 1


def test_a_filter_need_not_see_what_waits_for_its_sender(milter, asked, box):
    filt = milter()
    server, down = asked(filt)
    hand_in(server, USER, "x@nobody.example", sender="me@asked.example")
    server.wait_event("drop-waits")
    assert filt.connections == 0
    down.clear()
    assert len(box("box").wait(1)) == len(box().wait(1)) == 1
    assert len(filt.data("M")) == 1


def test_what_is_put_off_for_too_long_comes_back(milter, mx, box):
    """RFC 5321 4.5.4.1: when its lifetime is over the sender hears of it."""
    server = mx(milter({"M": lambda data: m.code("451 4.7.1 not now")
                        if b"slow@" in data else m.CONTINUE}),
                retry={"first": "1s", "longest": "1s", "lifetime": "4s", "warn": "0"})
    hand_in(server, sender=f"slow@{DOMAIN}")
    server.wait_event("drop-waits")
    (bounce,) = box("slow").wait(1)
    assert b"not now" in bounce and not box().messages()
    gone(server)


def test_discarded(milter, mx, box):
    server = mx(milter({"E": m.packet(b"d")}))
    hand_in(server)
    assert server.wait_event("discarded")["session"].startswith("drop-")
    gone(server)
    assert box().messages() == [] and box("me").messages() == []


def test_a_filter_that_is_down_keeps_it(milter, mx, box):
    filt = milter()
    server = mx({"address": filt.address, "retry": "100ms"})
    filt.stop()
    hand_in(server)
    server.wait_event("drop-waits")
    assert len(drops(server)) == 1
    filt.start()
    box().wait(1)
    gone(server)


def test_stopped_in_the_middle_it_is_there_again(milter, mx, box):
    filt = milter({"E": m.slowly(3)})
    server = mx(filt)
    hand_in(server)
    wait_until(lambda: filt.data("E"), "the end")
    server.stop()
    assert len(drops(server)) == 1
    filt.replies = {}
    server.start()
    box().wait(1)
    gone(server)


def test_opendkim_signs(opendkim, mx, box):
    server = mx(opendkim())
    hand_in(server, text=f"From: {ME}\nSubject: hello\n\none\n".encode())
    (got,) = box().wait(1)
    assert len(field(got, "DKIM-Signature")) == 1
