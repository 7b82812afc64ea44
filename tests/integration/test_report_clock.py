"""The day of a report, by a clock that is set: RFC 8460 4, each session once."""
import sqlite3
import time

from support.clock import HOUR
from support.reporter import DAY, RECORD, ZONE, Reporter, arrives, read, reports
from support.wait import wait_until

PLACE = "mailto:r@reports.example"
DAYS = ("far.example", "near.example")


def told(hop):
    """{(domain, first hour of its day): sessions}"""
    found = {}
    for got in reports(hop):
        mail, report = read(got.body)
        place = mail["TLS-Report-Domain"], report["date-range"]["start-datetime"]
        assert place not in found, f"a second report about {place}"
        found[place] = sum(policy["summary"][kind] for policy in report["policies"] for kind in (
            "total-successful-session-count", "total-failure-session-count"))
    return found


def test_back_an_hour_over_midnight_and_forward_again(danelaw, nsd, sink, clock, tmp_path):
    """Whose report of the day has gone hears of what came behind it the day after."""
    hop = sink()
    one = Reporter(danelaw, nsd, tmp_path, {
        **{name: ZONE + RECORD.format(PLACE) for name in DAYS}, "reports.example": ZONE},
        hop.port, {"timeouts": {"idle": 0}})
    one.server.stop()
    midnight = (int(time.time()) // DAY + 1) * DAY
    late = midnight - 600 - time.time()   # ten minutes to midnight
    clock.drive(one.server)
    clock.set(late)
    one.server.start()
    posted = 0

    def post(rcpt):
        nonlocal posted
        posted += 1
        one.post(rcpt)
        one.counted()
        wait_until(lambda: one.ask("SELECT sum(successes + failures) FROM counts") == [(posted,)],
                   f"{posted} sessions are counted")

    post("a@far.example")
    clock.set(late + HOUR)
    arrives(hop)
    post("b@far.example")
    clock.set(late)
    post("c@far.example")
    post("d@near.example")
    clock.set(late + HOUR)
    arrives(hop, 2)
    clock.set(late + HOUR + DAY)
    arrives(hop, 3)
    time.sleep(2.5)
    today, next_day = (time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(midnight + n * DAY))
                       for n in (-1, 0))
    assert told(hop) == {("far.example", today): 1, ("near.example", today): 1,
                         ("far.example", next_day): 2}


def test_days_ahead_for_seconds(danelaw, nsd, sink, clock, tmp_path):
    """Nothing that is kept goes by such a clock, and nothing waits until it is that late."""
    place = "https://mta-sts.away.test:9/"
    one = Reporter(danelaw, nsd, tmp_path, {
        "far.example": ZONE + RECORD.format(place), "test": "mta-sts.away A 127.0.0.1\n"},
        sink().port, {"timeouts": {"idle": 0},
                      "domain home.example": {"tls_reports": ["reports"]}})
    inbound = one.server.spool / "state" / "inbound.db"
    today = int(time.time()) // DAY

    def seen(sql):
        with sqlite3.connect(inbound) as db:
            return db.execute(sql).fetchall()

    one.post()
    one.counted()
    wait_until(lambda: inbound.exists() and seen("SELECT 1 FROM sqlite_schema")
               and seen("SELECT 1 FROM seen"), "it is counted")
    clock.drive(one.server)
    one.let_a_day_pass(
        "INSERT INTO domains (day, domain) SELECT day - 20, 'old.example' FROM domains",
        "INSERT INTO troubles VALUES ('old.example', 'x', 1, strftime('%s') + 86400 * 130)")
    seen("UPDATE days SET day = day - 20 RETURNING day")
    seen("UPDATE seen SET day = day - 20 RETURNING day")
    one.server.wait_event("report-deferred", to=place)
    clock.set(100 * DAY)
    one.post()
    wait_until(lambda: one.ask(f"SELECT 1 FROM counts WHERE day = {today + 100}") and
               seen(f"SELECT 1 FROM seen WHERE day = {today + 100}"), "it is counted, too")
    wait_until(lambda: one.ask("SELECT tries FROM tries WHERE tries > 1"), "it is tried again")
    one.post()
    time.sleep(3)
    clock.set(0)
    soon = int(time.time()) + 4 * HOUR + 60
    wait_until(lambda: one.ask(f"SELECT next FROM tries WHERE next < {soon}"), "it is due in time")
    assert one.ask("SELECT state FROM tries") == [(0,)]
    assert one.ask("SELECT until < strftime('%s') + 86400 * 33 FROM troubles"
                   " WHERE rua = 'x'") == [(1,)]
    assert one.ask("SELECT day FROM domains WHERE domain = 'old.example'") == [(today - 21,)]
    assert one.ask(f"SELECT 1 FROM counts WHERE day = {today - 1}") == [(1,)]
    assert seen(f"SELECT 1 FROM seen WHERE day = {today - 20}")
    assert seen(f"SELECT 1 FROM days WHERE day = {today - 20}")
