"""Who counts what sessions came to, while a reload is under way and behind it."""
import os
import signal
import time

import pytest
from support.daemon import merge
from support.reporter import FROM, RECORD, ZONE
from support.talk import Talk, message
from support.wait import wait_until
from test_report_send import reporter  # noqa: F401  a fixture

DOMAINS = 24
LONG = ".".join(["a" * 57] * 4)
MANY = 500   # and what is told of them has no room in a socket


@pytest.fixture
def counting(reporter, sink):  # noqa: F811
    """Two processes that deliver, and a domain for each session."""
    zones = {f"d{n}.example": ZONE + RECORD.format("mailto:r@reports.example")
             for n in range(DOMAINS)}
    zones["w.example"] = "* MX 10 mx\nmx A 127.0.0.1\n"
    return reporter(sink().port, zones, {
        "receive_processes": 1, "deliver_processes": 2, "timeouts": {"drain": "2s"}})


def post(one, *numbers):
    for n in numbers:
        one.post(f"user@d{n}.example")
    for n in numbers:
        one.server.wait_event("delivery", to=f"user@d{n}.example", outcome="delivered")


def are_counted(one, *numbers):
    want = [(f"d{n}.example", 1) for n in sorted(numbers, key=str)]
    wait_until(lambda: one.file.exists() and one.ask(
        "SELECT domain, sum(successes + failures) FROM counts GROUP BY domain"
        " ORDER BY domain") == want, f"each of {len(want)} sessions is counted")
    assert one.server.events("report-lost") == []


def hang_up(one):
    one.server.process.send_signal(signal.SIGHUP)


def starting(one, role):
    """Stop a new one before it is ready: all before it; None: it was too quick."""
    before = one.server.pids()
    done = len(one.server.events("reloaded"))
    hang_up(one)
    new = wait_until(lambda: set(one.server.pids().get(role, [])) - set(before[role]),
                     f"a new {role} role", step=0.001)
    for pid in new:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)  # or it has said so already
    if not any(int(line["pid"]) in new for line in one.server.events("role-ready")):
        return before
    for pid in new:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(one.server.events("reloaded")) > done, "reloaded")
    wait_until(lambda: len(one.server.pids()["report"]) == 1, "the old ones are gone", 30)
    return None


def give_up(one, role, old):
    """What is new of them dies until the reload is refused."""
    def refused():
        for pid in set(one.server.pids().get(role, [])) - old:
            os.kill(pid, signal.SIGKILL)
        return one.server.events("reload-refused")
    wait_until(refused, "the reload is refused", 30)


def test_a_refused_reload_takes_nobody_away(counting):
    """The report role in force goes on to hear of sessions, those of new processes, too."""
    one = counting
    post(one, 0, 1)
    old = next(filter(None, (starting(one, "receive") for _ in range(5))))
    wait_until(lambda: set(one.server.pids()["deliver"]) - set(old["deliver"]) <= {
        int(line["pid"]) for line in one.server.events("role-ready")}, "new ones are ready")
    assert len(one.server.pids()["report"]) == 2
    for pid in old["deliver"]:
        os.kill(pid, signal.SIGSTOP)
    for n in range(2, 12):
        one.post(f"user@d{n}.example")
    try:
        wait_until(lambda: len(one.server.events("delivery")) > 2, "a new one delivers")
    finally:
        for pid in old["deliver"]:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(one.server.events("delivery")) == 12, "all do")
    give_up(one, "receive", set(old["receive"]))
    post(one, *range(12, 18))
    are_counted(one, *range(18))
    wait_until(lambda: len(one.server.pids()["report"]) == 1, "the new one is gone", 30)
    post(one, *range(18, 24))
    are_counted(one, *range(24))


def test_a_reload_loses_no_session(counting):
    """Those of before tell the new role, and nothing keeps the old one."""
    one = counting
    post(one, 0, 1)
    (old,) = one.server.pids()["report"]
    hang_up(one)
    for n in range(2, 18):
        one.post(f"user@d{n}.example")
    one.server.wait_event("reloaded")
    post(one, 18, 19)
    wait_until(lambda: old not in one.server.pids()["report"], "the old one has ended")
    post(one, *range(20, 24))
    are_counted(one, *range(24))


def test_a_role_that_dies_is_followed(counting):
    """Also for the processes that were there before."""
    one = counting
    post(one, 0, 1)
    are_counted(one, 0, 1)
    os.kill(one.server.pids()["report"][0], signal.SIGKILL)
    wait_until(lambda: len(one.server.events("role-ready", child="report")) == 2, "the next one")
    post(one, 2, 3)
    are_counted(one, *range(4))


def test_a_slow_role_counts_what_it_was_told(counting):
    """It does not read while another takes its place."""
    one = counting
    one.server.stop()
    one.server.write_config(merge(one.config, {
        "deliver_processes": 1, "limits": {"deliveries": 40}, "timeouts": {"idle": "100ms"}}))
    one.server.start()
    post(one, 0)
    are_counted(one, 0)   # so the store is its
    (old,) = one.server.pids()["report"]
    os.kill(old, signal.SIGSTOP)
    try:
        for first in range(0, MANY, 100):
            with Talk(one.server.port) as talk:
                talk.hello()
                talk.envelope(FROM, *(f"u@d{n}.{LONG}.w.example"
                                      for n in range(first, first + 100)))
                assert talk.data(message())[0] == 250
        wait_until(lambda: len(one.server.events("delivery", outcome="delivered")) > MANY,
                   "all are delivered", 60)
        time.sleep(1)
        hang_up(one)
        one.server.wait_event("reloaded")
        time.sleep(1)
    finally:
        os.kill(old, signal.SIGCONT)
    wait_until(lambda: one.ask("SELECT sum(successes + failures) FROM counts")
               == [(MANY + 1,)], f"all of {MANY} sessions are counted")
    assert one.server.events("report-lost") == []
