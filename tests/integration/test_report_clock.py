"""The day of a report, by a clock that is set: RFC 8460 4, each session once."""
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
