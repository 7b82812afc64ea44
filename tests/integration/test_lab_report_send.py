"""A day of the laboratory's scenarios, as the reports of the day after tell it."""
import email
import gzip
import json
import sqlite3
import time

import pytest

from support import daemon, report_keys
from support.lab_fixtures import SCENARIOS, Run, open_lab
from support.maildir import Maildir
from support.wait import wait_until

from test_lab_report import ALL, STS, sessions

pytestmark = pytest.mark.limit(180)

GROUPS = {"all": ALL, "sts": STS}
TABLES = ("domains", "counts", "failures", "tries")
# Each domain wants its reports at its own hosts, whatever they do about TLS.
RECORD = '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{domain}"'


@pytest.fixture(scope="module")
def lab(request):
    scenarios = [SCENARIOS[name] for names in GROUPS.values() for name in names]
    with open_lab(request, "lab-report-send", scenarios, records=RECORD) as made:
        yield made


def told(one, *words):
    """domain: its report."""
    lines = one.daemon.ctl("report", "show", *words, check=False).stdout.splitlines()
    return {r["policies"][0]["policy"]["policy-domain"] if not r["report-id"] else
            r["report-id"].split("@")[0].partition(".")[2]: r for r in map(json.loads, lines)}


class Sent:
    """A daemon that counts on one day and sends on the next."""

    def __init__(self, lab, group, keys):
        self.lab, self.names = lab, GROUPS[group]
        self.folder = lab.folder / f"send-{group}"
        self.run = Run(lab, self.folder, group, {
            "timeouts": {"idle": "1m"},
            "domain archive.example": {"deliver": f"maildir:{self.folder}/archive"},
            "reporting": {"collect": True, "send": True, "spread": "0s", "private_places": True,
                          "contact": "tls@archive.example",
                          "copies": ["all@archive.example"], **report_keys.config(keys)}})
        daemon.open_way(self.folder / "archive")
        self.archive = Maildir(self.folder / "archive")
        self.counted = {}

    def day(self):
        """One message to each; then the night."""
        self.run.daemon.start()
        self.run.send([self.lab.recipient(SCENARIOS[name]) for name in self.names])
        domains = {SCENARIOS[name].domain for name in self.names}
        wait_until(lambda: domains <= set(told(self.run)), "all are counted", 60)
        self.run.daemon.stop()
        with sqlite3.connect(self.run.state / "report.db") as db:
            for table in TABLES:
                db.execute(f"UPDATE {table} SET day = day - 1")
        db.close()
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        self.counted = told(self.run, "--day", day)
        self.run.daemon.start()
        self.archive.wait(len(domains), 60)
        return self

    def reports(self):
        """domain: the report that was sent."""
        found = {}
        for text in self.archive.messages():
            mail = email.message_from_bytes(text)
            _, part = mail.get_payload()
            found[mail["TLS-Report-Domain"]] = json.loads(
                gzip.decompress(part.get_payload(decode=True)))
        return found


@pytest.fixture(scope="module")
def sent(lab, tmp_path_factory):
    keys = report_keys.pair(tmp_path_factory.mktemp("keys"))
    made = {}

    def group(name):
        if name not in made:
            made[name] = Sent(lab, name, keys)
            made[name].day()
        return made[name]
    yield group
    for one in made.values():
        one.run.stop()


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_sent_is_what_was_counted(sent, group):
    """RFC 8460 4: of each scenario; test_lab_report.py has what they come to."""
    one = sent(group)
    assert one.reports() == one.counted
    for name, policies in one.names.items():
        report = one.reports()[SCENARIOS[name].domain]
        assert len(report["policies"]) == len(policies)
        assert sessions(report) == sum(sum(counts) for _, counts, *_ in policies)


@pytest.mark.parametrize("name", [*ALL, *STS])
def test_a_report_arrives_whatever_is_wrong_with_tls(lab, sent, name):
    """RFC 8460 3, 5.3.1: the very hosts that fail get word of it."""
    one = sent("all" if name in ALL else "sts")
    rcpt = f"tls@{SCENARIOS[name].domain}"
    line = one.run.daemon.wait_event("delivery", 60, to=rcpt)
    assert line["outcome"] == "delivered", line
    assert line["session"].startswith("tlsrpt-")
    assert len(lab.arrivals.of(rcpt, kept=True)) == 1


@pytest.mark.parametrize("group", GROUPS)
def test_reports_are_not_reported(sent, group):
    """RFC 8460 3: nor would the next day bring any."""
    one = sent(group)
    for name in one.names:
        one.run.daemon.wait_event("report-sent", 60, to=f"tls@{SCENARIOS[name].domain}")
    time.sleep(1.5)
    assert told(one.run) == {}
    rows = sqlite3.connect(one.run.state / "report.db").execute(
        "SELECT count(*), sum(state = 1) FROM tries").fetchone()
    assert rows == (2 * len(one.names), 2 * len(one.names))
