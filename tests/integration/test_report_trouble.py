"""Reports that we send, when the store, the clock or a host gives trouble."""
import fcntl
import sqlite3
import threading
import time

from support.wait import wait_until
from test_report_send import host, overdue, posting, reporter  # noqa: F401  fixtures


def reading(one):
    """Somebody reads the store, and nobody can write until that is over."""
    db = sqlite3.connect(f"file:{one.file}?mode=ro", uri=True, isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM tries").fetchall()
    return db


class Waiting(threading.Thread):
    """As a report role that is to follow: it has the store's lock as soon as it can."""

    def __init__(self, one):
        super().__init__(daemon=True)
        self.lock = one.file.with_suffix(".lock").open("r+")
        self.has = threading.Event()
        self.start()

    def run(self):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.has.set()

    def give(self):
        self.lock.close()


def test_an_answer_finds_no_store(reporter, sink, host):  # noqa: F811
    """A write failed, and the store cannot be opened again for a while."""
    one, place = posting(reporter, host, "slow", sink())
    wait_until(lambda: host[0].asked and host[0].asked[-1].body, "it is posted")
    pid = one.server.pids()["report"]
    reader, waiting = reading(one), Waiting(one)
    one.post()
    assert waiting.has.wait(20)
    reader.close()
    host[0].go.set()
    one.server.wait_event("report-sent", to=place)
    waiting.give()
    assert one.server.pids()["report"] == pid
    wait_until(lambda: one.ask("SELECT sum(failures) FROM counts WHERE day ="
                               " strftime('%s') / 86400") == [(1,)], "it is counted", 40)
    # what could not be noted is due again when the lease ends
    overdue(one)
    one.ends(place, "sent")


def test_a_lease_that_ends_early(reporter, sink, host):  # noqa: F811
    """The clock was set forward: what is on its way does not go again."""
    one, place = posting(reporter, host, "slow", sink())
    wait_until(lambda: host[0].asked and host[0].asked[-1].body, "it is posted")
    overdue(one)
    time.sleep(3)
    host[0].go.set()
    one.ends(place, "sent")
    assert len(host[0].asked) == 1
