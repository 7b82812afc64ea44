"""Reports that we send, when the store, the clock or a host gives trouble."""
import fcntl
import json
import socket
import sqlite3
import threading
import time

from support.reporter import AS_FAR
from support.talk import Talk, message
from support.wait import wait_until
from test_report_send import (  # noqa: F401  fixtures
    RECORD, ZONE, arrives, host, overdue, posting, reporter, reports)


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
    """A write failed, and nothing can be written for a while; the lock stays with the role."""
    one, place = posting(reporter, host, "slow", sink())
    wait_until(lambda: host[0].asked and host[0].asked[-1].body, "it is posted")
    pid = one.server.pids()["report"]
    reader, waiting = reading(one), Waiting(one)
    one.post()
    one.server.wait_event("report-not-written")
    host[0].go.set()
    one.server.wait_event("report-sent", to=place)
    reader.close()
    assert one.server.pids()["report"] == pid
    wait_until(lambda: one.ask("SELECT sum(failures) FROM counts WHERE day ="
                               " strftime('%s') / 86400") == [(1,)], "it is counted", 40)
    assert not waiting.has.is_set()
    # what could not be noted is due again when the lease ends
    overdue(one)
    one.ends(place, "sent")
    one.server.stop()
    assert waiting.has.wait(20)
    waiting.give()


def test_what_can_be_read_and_not_written(reporter, sink):  # noqa: F811
    """It is trouble for as long as that lasts, and said once."""
    one = reporter(sink().port)
    one.post()
    one.counted()
    one.let_a_day_pass()
    one.ends("r@reports.example", "sent")
    db = sqlite3.connect(one.file, isolation_level=None)
    db.execute("UPDATE tries SET state = 0, next = strftime('%s') + 5")
    db.execute("BEGIN IMMEDIATE")
    one.server.wait_event("report-not-written")
    for _ in range(20):
        shown = one.server.ctl("--json", "status", check=False).stdout
        assert "database is locked" in shown
        time.sleep(0.4)
    db.execute("ROLLBACK")
    db.close()
    one.server.wait_event("report-written")
    one.ends("r@reports.example", "sent")
    assert len(one.server.events("report-not-written")) == 1
    wait_until(lambda: "database is locked" not in one.server.ctl(
        "--json", "status", check=False).stdout, "the trouble is over")


def test_what_cannot_be_read_for_a_while(reporter, sink):  # noqa: F811
    """That a file is open already, or nothing is looked for, ends no trouble."""
    one = reporter(sink().port)
    one.post()
    one.counted()
    one.let_a_day_pass()
    one.ends("r@reports.example", "sent")
    db = sqlite3.connect(one.file, isolation_level=None, timeout=20)
    db.execute("BEGIN EXCLUSIVE")
    one.server.wait_event("report-not-written")
    time.sleep(8)
    assert len(one.server.events("report-not-written")) == 1
    assert not one.server.events("report-written")
    db.execute("ROLLBACK")
    db.close()
    one.server.wait_event("report-written")


def test_a_store_that_breaks_while_it_is_open(reporter, sink):  # noqa: F811
    """It is said as it is of one that is broken at the start, once, and a new one begun."""
    one = reporter(sink().port)
    one.post()
    one.counted()
    with one.file.open("r+b") as file:
        file.write(b"this is no database of ours")
    line = one.server.wait_event("report-damaged")
    assert "not a database" in line["reason"]
    wait_until(lambda: one.ask("SELECT 1 FROM sqlite_schema WHERE name = 'domains'"), "a new one")
    assert one.ask("SELECT count(*) FROM domains") == [(0,)]
    time.sleep(3)
    assert len(one.server.events("report-damaged")) == 1


def test_a_lease_that_ends_early(reporter, sink, host):  # noqa: F811
    """The clock was set forward: what is on its way does not go again."""
    one, place = posting(reporter, host, "slow", sink())
    wait_until(lambda: host[0].asked and host[0].asked[-1].body, "it is posted")
    overdue(one)
    time.sleep(3)
    host[0].go.set()
    one.ends(place, "sent")
    assert len(host[0].asked) == 1


def test_a_domain_of_slow_hosts_is_not_all(reporter, sink, host):  # noqa: F811
    """Ten places that never answer leave room for mails, and for other hosts."""
    made, more = host
    slow = [f"https://mta-sts.slow.test:{made.port}/{i}" for i in range(10)]
    good = f"https://mta-sts.ok.test:{made.port}/"
    strings = [f'"{place},"' for place in slow]
    hop = sink()
    one = reporter(hop.port, {
        "bad.example": ZONE + '_smtp._tls TXT "v=TLSRPTv1; rua=" ' + " ".join(strings)[:-2] + '"\n',
        "far.example": ZONE + RECORD.format(f"mailto:r@reports.example,{good}"),
        "test": "mta-sts.slow A 127.0.0.1\nmta-sts.ok A 127.0.0.1\n"}, more)
    one.post("user@bad.example")
    one.counted("bad.example")
    one.post()
    one.counted()
    one.let_a_day_pass("UPDATE tries SET next = 1")
    wait_until(lambda: len(one.tries()) == 12, "all are planned", 90)
    one.ends("r@reports.example", "sent", 90)
    one.ends(good, "sent", 90)
    assert 0 < sum("slow" in post.sni for post in made.asked) <= 2
    made.go.set()
    for place in slow:
        one.ends(place, "sent", 90)


def test_a_zone_of_slow_hosts_is_not_all(reporter, sink, host):  # noqa: F811
    """Whoever has many names below his own has no more, though all of them are due before."""
    made, more = host
    slow = " ".join(f'"https://mta-sts.slow.test:{made.port}/{i},"' for i in range(10))[:-2] + '"'
    good = f"https://mta-sts.ok.test:{made.port}/"
    names = [f"a{i}" for i in range(12)]
    one = reporter(sink().port, {
        "bad.example": ZONE + "".join(
            f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua=" {slow}\n' for name in names),
        "far.example": ZONE + RECORD.format(good),
        "test": "mta-sts.slow A 127.0.0.1\nmta-sts.ok A 127.0.0.1\n"}, more)
    one.post()
    one.counted()
    one.let_a_day_pass(*(sql.format(f"{name}.bad.example") for name in names for sql in AS_FAR))
    wait_until(lambda: one.ask("SELECT count(*) FROM tries") == [(121,)], "all are planned", 90)
    one.ends(good, "sent", 90)
    one.let_a_day_pass("UPDATE tries SET state = 0, tries = 0, next = 1",
                       f"UPDATE tries SET next = 2 WHERE rua = '{good}'")
    before = len(made.asked)
    one.ends(good, "sent", 30)
    assert sum("slow" in post.sni for post in made.asked[before:]) <= 2
    made.go.set()


def test_whose_place_it_is(reporter, sink, host):  # noqa: F811
    """Who names another's place, and has it refuse that, does not silence the other."""
    made, more = host
    place = f"https://mta-sts.broken.test:{made.port}/"
    one = reporter(sink().port, {
        "bad.example": ZONE + RECORD.format(place), "far.example": ZONE + RECORD.format(place),
        "test": "mta-sts.broken A 127.0.0.1\n"}, more)
    one.post("user@bad.example")
    one.counted("bad.example")
    one.let_a_day_pass()
    one.server.wait_event("report-deferred", to=place, domain="bad.example")
    one.post()
    one.counted()
    one.let_a_day_pass("UPDATE tries SET next = 1, tries = 10")
    one.server.wait_event("report-given-up", to=place, domain="bad.example")
    line = one.server.wait_event("report-deferred", to=place, domain="far.example")
    assert "500" in line["reason"]
    assert one.server.events("report-given-up", domain="far.example") == []


def test_a_mail_that_we_would_not_take(reporter, sink):  # noqa: F811
    """limits.message is ours: the place is not left alone for it."""
    one = reporter(sink().port, more={"limits": {"message": "64K"}})
    one.post()
    one.counted()
    one.let_a_day_pass(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 490)"
        " INSERT INTO failures SELECT day, domain, policy, result, sender,"
        " hex(randomblob(127)), helo, receiver, more, hex(randomblob(127)), 1 FROM failures, n")
    assert "too large" in one.ends("r@reports.example", "given-up")
    assert one.ask("SELECT count(*) FROM troubles") == [(0,)]


def test_whoever_reads_the_list_takes_his_time(reporter, sink):  # noqa: F811
    """danelaw report list, into a pipe that nobody empties: sessions are counted."""
    one = reporter(sink().port)
    one.post()
    one.counted()
    one.let_a_day_pass(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        " INSERT INTO tries SELECT day, domain, i || '@reports.example', i + 20, 1, 1, 0,"
        " hex(randomblob(50)) FROM domains, n")
    one.ends("r@reports.example", "sent")
    with one.server.ctl_popen("report", "list", "--json") as lister:
        time.sleep(1)
        one.post()
        wait_until(lambda: one.ask("SELECT sum(failures) FROM counts WHERE day ="
                                   " strftime('%s') / 86400") == [(1,)], "it is counted", 8)
        lines = lister.stdout.read().splitlines()
    assert one.server.events("report-not-written") == []
    assert len({json.loads(line)["to"] for line in lines}) == len(lines) == 2501


def test_a_day_that_was_told_is_still_shown(reporter, sink):  # noqa: F811
    """danelaw report show --day 1d"""
    one = reporter(sink().port)
    one.post()
    one.counted()
    one.let_a_day_pass()
    one.ends("r@reports.example", "sent")
    (line,) = one.server.ctl("report", "show", "--day", "1d").stdout.splitlines()
    assert json.loads(line)["policies"][0]["policy"]["policy-domain"] == "far.example"


def test_what_comes_back_is_the_contacts(reporter, sink, tmp_path):  # noqa: F811
    """RFC 5321 4.5.5: a bounce of a report, though no list has its recipient."""
    listed = tmp_path / "recipients"
    listed.write_text("tls\n")
    listed.chmod(0o644)
    hop = sink()
    one = reporter(hop.port, more={"domain home.example": {
        "deliver": f"maildir:{tmp_path}/home", "recipients": f"file:{listed}",
        "delimiter": ""}})
    one.post()
    one.counted()
    one.let_a_day_pass()
    (got,) = arrives(hop)
    with Talk(one.server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<>")
        talk.expect(550, "RCPT TO:<tls+tlsrpt-0123456x@home.example>")
        talk.expect(550, "RCPT TO:<tls+other@home.example>")
        talk.expect(250, f"RCPT TO:<{got.sender}>")
        assert talk.data(message())[0] == 250
    assert one.server.wait_event("delivery", **{"from": "", "to": "tls@home.example"})


def test_it_goes_out_when_the_role_before_has_ended(reporter, sink):  # noqa: F811
    """A reload: the store is another's for as long as its mails are under way."""
    hop = sink()
    one = reporter(hop.port)
    one.post()
    one.counted()
    before = []

    def hold(lock):
        fcntl.flock(lock, fcntl.LOCK_EX)
        before.append(lock)

    one.let_a_day_pass(then=lambda: hold(one.file.with_suffix(".lock").open("r+")))
    one.server.wait_event("report-not-written")
    assert reports(hop) == []
    # it is no trouble, for a minute
    assert "report.lock" not in one.server.ctl("--json", "status", check=False).stdout
    before[0].close()
    arrives(hop)
    one.ends("r@reports.example", "sent")


def test_slow_servers_hold_up_nobody_else(reporter, sink):  # noqa: F811
    """Names whose servers never answer, of one zone and of many, and due before it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        away = {"server": [f"127.0.0.1:{silent.getsockname()[1]}"], "insecure": True}
        hop = sink()
        one = reporter(hop.port, more={"resolver": {
            "timeout": "60s", "stub slow": away, "stub bad.example": away}})
        one.post()
        one.counted()
        names = [f"a{i}.bad.example" for i in range(60)] + [f"a{i}.slow" for i in range(60)]
        earlier = [f"UPDATE {table} SET day = day - 1 WHERE domain <> 'far.example'"
                   for table in ("domains", "counts")]
        began = time.monotonic()
        one.let_a_day_pass(*(sql.format(name) for name in names for sql in AS_FAR), *earlier)
        arrives(hop)
        took = time.monotonic() - began
        line = one.server.wait_event("report-not-planned")
        assert "took longer than others could wait" in line["reason"]
        # They had their turn before it, and some gave way to it.
        told = [text for text in one.server.log_text().splitlines() if "-planned" in text]
        assert "far.example" not in told[0]
    assert took < 30, took
