"""A day of all the laboratory's scenarios, told to each in a report of its own.

One message goes to each scenario; then the day is over, and the reports are sent
by mail to a collector.  What each has to say stands in tests/lab/reported.py: it
is worked out from the scenario, from policy and result to counts and addresses.
"""
import collections
import dataclasses
import email
import gzip
import json
import re
import sqlite3
import time

import pytest

from support import report_keys
from support.lab_fixtures import SCENARIOS, Run, names_of, open_lab
from support.sink import Sink
from support.wait import wait_until

from lab.reported import OURS, Told, next_hop  # noqa: E402

pytestmark = pytest.mark.limit(300)

# Groups that a daemon can have at once: before anything is changed or attacked,
# their scenarios are like any others.
SHARE = {"mitm": "all", "reuse": "all", "roots": "sts", "requiretls": "sts",
         "sts-attack": "sts", "sts-changes": "sts"}
TABLES = ("domains", "counts", "failures", "tries")
EACH = 200   # scenarios of a daemon, which sends eight reports a second
CONTACT = "tls@archive.example"


def record(lab, s):
    """Each next hop has a place of its own for reports."""
    name, _, _ = next_hop(lab, s)
    return f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:{s.name}@archive.example"' \
        if name else ""


def shares(scenarios):
    """(group, some of its scenarios): a daemon each."""
    for group in dict.fromkeys(s.group for s in scenarios):
        some = [s for s in scenarios if s.group == group]
        for n in range(0, len(some), EACH):
            yield group, some[n:n + EACH]


class Day:
    """One daemon, of one group: it counts, and sends when the day is over."""

    def __init__(self, lab, group, scenarios, keys, collector):
        self.lab = lab
        folder = lab.folder / f"danelaw-{group}-{scenarios[0].name}"
        self.run = Run(lab, folder, group, {
            "retry": {"first": "2h", "longest": "4h"}, "timeouts": {"idle": "0s"},
            "route archive.example": {"via": f"smtp:127.0.0.1:{collector.port}"},
            "reporting": {"collect": True, "send": True, "spread": "0s", "private_places": True,
                          "contact": CONTACT, **report_keys.config(keys)}})
        self.run.scenarios = scenarios

    def count(self):
        """All are delivered, or put off, or refused; nothing is tried twice."""
        for s in self.run.scenarios:
            self.run.first_line(self.lab.recipient(s))

    def end(self):
        self.run.daemon.stop()   # what is counted is told before it ends
        with sqlite3.connect(self.run.state / "report.db") as db:
            for table in TABLES:
                db.execute(f"UPDATE {table} SET day = day - 1")
            self.domains = {name for name, in db.execute("SELECT domain FROM domains")}
        db.close()
        self.run.daemon.start()

    def is_sent(self):
        with sqlite3.connect(f"file:{self.run.state}/report.db?mode=ro", uri=True) as db:
            sent = {name for name, in db.execute("SELECT domain FROM tries WHERE state = 1")}
        return sent == self.domains


class Days:
    """What became of the day: the reports that came, and what they should be."""

    def __init__(self, lab, keys):
        self.lab, self.collector = lab, Sink()
        self.days = [Day(lab, group, some, keys, self.collector)
                     for group, some in shares(lab.scenarios.values())]
        for day in self.days:
            day.run.start()
        for day in self.days:
            day.count()
        self.told = Told(lab)
        self.expected = {s.name: self.told.of(s) for s in lab.scenarios.values()}
        for day in self.days:
            day.end()
        for day in self.days:
            wait_until(day.is_sent, "all reports are sent", 60)
        self.reports = collections.defaultdict(list)
        for got in self.collector.messages:
            mail = email.message_from_bytes(got.body)
            _, part = mail.get_payload()
            self.reports[got.rcpts[0].partition("@")[0]].append(
                (mail, json.loads(gzip.decompress(part.get_payload(decode=True)))))

    def stop(self):
        for day in self.days:
            day.run.stop()
        self.collector.stop()


@pytest.fixture(scope="module")
def days(request, tmp_path_factory):
    names = names_of(request.session, test_scenario)
    chosen = [dataclasses.replace(s, group=SHARE.get(s.group, s.group))
              for s in SCENARIOS.values() if s.name in names]
    keys = report_keys.pair(tmp_path_factory.mktemp("keys"))
    with open_lab(request, "lab-report-day", chosen, records=record) as lab:
        made = Days(lab, keys)
        yield made
        made.stop()


def same(policy, wanted):
    """What is wrong with a policy of a report, or ""."""
    told, summary = policy["policy"], policy["summary"]
    strings = told.get("policy-string", [])
    if wanted.kind == "tlsa":
        strings = sorted(strings)
    head = (told["policy-type"], told["policy-domain"], strings, told.get("mx-host", []),
            summary["total-successful-session-count"],
            summary["total-failure-session-count"])
    if head != (wanted.kind, wanted.domain, wanted.strings, wanted.mx, wanted.good,
                len(wanted.failures)):
        return f"the report has {head}"
    return same_failures(policy.get("failure-details", []), wanted.failures)


def same_failures(details, failures):
    """Each failure is in one of the details, and these have no others."""
    left = list(failures)
    for one in details:
        for _ in range(one["failed-session-count"]):
            found = next((f for f in left if same_failure(one, f)), None)
            if found is None:
                return f"nothing is known of {one}"
            left.remove(found)
    return f"nothing is told of {left}" if left else ""


def same_failure(one, failure):
    ends = {"sending-mta-ip": OURS, "receiving-ip": failure.address,
            "receiving-mx-helo": "sink.test.example"} if failure.address else {}
    rest = {k: v for k, v in one.items() if k not in (
        "result-type", "failure-reason-code", "failed-session-count")}
    return one["result-type"] == failure.result and \
        re.fullmatch(failure.reason, one.get("failure-reason-code", "")) and \
        rest == {**ends, "receiving-mx-hostname": failure.host}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(days, name):
    """RFC 8460 4.2, 4.3, 4.4"""
    s, expected = SCENARIOS[name], days.expected[name]
    got = days.reports[name]
    story = f"{name}: {s.story}\nexpected: {expected}\n"
    assert len(got) == len(expected), story + str([report for _, report in got])
    for (hop, policies), (mail, report) in zip(expected.items(), got):
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        assert mail["TLS-Report-Domain"] == hop
        assert report["report-id"] == f"{day}.{hop}@mx.test.example"
        assert report["organization-name"] == "mx.test.example"
        assert report["contact-info"] == CONTACT
        assert report["date-range"] == {"start-datetime": f"{day}T00:00:00Z",
                                        "end-datetime": f"{day}T23:59:59Z"}
        assert len(report["policies"]) == len(policies), story + str(report)
        for wanted in policies:
            wrong = [same(policy, wanted) for policy in report["policies"]]
            assert "" in wrong, story + "\n".join(wrong)
