"""What sessions with the laboratory's domains come to, as a report tells it."""
import json
import os
import signal
import time

import pytest

from support.lab_fixtures import SCENARIOS, Run, open_lab
from support.wait import wait_until

pytestmark = pytest.mark.limit(180)

FINE = (1, 0)
FAILED = (0, 1)
# Each with its group: what its report says, a line a policy: type, sessions
# that went well and failed, the result, and whose policy it is.
ALL = {
    "ee-311": [("tlsa", FINE, None, "_mx")],
    "ee-311-foreign": [("tlsa", FAILED, "validation-failure", "_mx")],
    "starttls-not-offered": [("tlsa", FAILED, "starttls-not-supported", "_mx")],
    "unusable-digest-0": [("tlsa", FAILED, "tlsa-invalid", "_mx")],
    "tlsa-servfail": [("tlsa", FAILED, "dnssec-invalid", "_mx")],
    "no-tlsa": [("no-policy-found", FINE, None, "")],
    "no-tlsa-no-tls": [("no-policy-found", FAILED, "starttls-not-supported", "")],
}
STS = {
    "sts-good": [("sts", FINE, None, "")],
    "sts-cert-expired": [("sts", FAILED, "certificate-expired", "")],
    "sts-cert-other-name": [("sts", FAILED, "certificate-host-mismatch", "")],
    "sts-cert-self-signed": [("sts", FAILED, "certificate-not-trusted", "")],
    "sts-tls-not-offered": [("sts", FAILED, "starttls-not-supported", "")],
    "sts-match-other-host": [("sts", FAILED, "validation-failure", "")],
    # RFC 8461 5: testing is told as if it were in force.
    "sts-testing-cert-expired": [("sts", FAILED, "certificate-expired", "")],
    # RFC 8460 4.3.2.2: there is a record, and no policy.
    "sts-host-missing": [("sts", FAILED, "sts-policy-fetch-error", "")],
    "sts-host-expired": [("sts", FAILED, "sts-webpki-invalid", "")],
    # RFC 8460 4: each of two policies by itself.
    "sts-both-pass": [("sts", FINE, None, ""), ("tlsa", FINE, None, "_mx")],
}


@pytest.fixture(scope="module")
def lab(request):
    scenarios = [SCENARIOS[name] for name in (*ALL, *STS)]
    with open_lab(request, "lab-report", scenarios) as made:
        yield made


@pytest.fixture(scope="module")
def runs(lab):
    """run("group"): a daemon that collects; nothing is sent yet."""
    made = {}

    def run(group):
        if group not in made:
            made[group] = Run(lab, lab.folder / f"report-{group}", group, {
                "retry": {"first": "1h"}, "timeouts": {"idle": "1m"},
                "reporting": {"collect": True}})
            made[group].daemon.start()
        return made[group]
    yield run
    for one in made.values():
        one.stop()


def told(one, *words):
    """domain: its report, as it stands now."""
    done = one.daemon.ctl("report", "show", *words, check=False)
    reports = map(json.loads, done.stdout.splitlines())
    return {r["report-id"].removeprefix(time.strftime("%Y-%m-%d.", time.gmtime()))
            .split("@")[0]: r for r in reports}


def sessions(report):
    return sum(sum(p["summary"].values()) for p in report["policies"])


@pytest.fixture(scope="module")
def reports(runs, lab):
    """What is told of each scenario after one message to each."""
    said = {}
    for group, names in (("all", ALL), ("sts", STS)):
        one = runs(group)
        one.send([lab.recipient(SCENARIOS[name]) for name in names])
        for name in names:
            wait_until(lambda rcpt=lab.recipient(SCENARIOS[name]):
                       one.daemon.events("delivery", to=rcpt), f"word of {name}")
        domains = {SCENARIOS[name].domain for name in names}
        end = time.monotonic() + 10
        while not domains <= set(told(one)) and time.monotonic() < end:
            time.sleep(0.2)
        assert domains <= set(told(one)), domains - set(told(one))
        said |= told(one)
    return said


@pytest.mark.parametrize("name", [*ALL, *STS])
def test_a_report_says_what_the_scenario_is(lab, reports, name):
    """RFC 8460 4: policy, result and counts."""
    scenario = SCENARIOS[name]
    report = reports[scenario.domain]
    seen = []
    for policy in report["policies"]:
        summary = policy["summary"]
        details = policy.get("failure-details", [])
        domain = policy["policy"]["policy-domain"]
        seen.append((policy["policy"]["policy-type"],
                     (summary["total-successful-session-count"],
                      summary["total-failure-session-count"]),
                     details[0]["result-type"] if details else None,
                     "" if domain == scenario.domain else "_mx"))
        assert len(details) == (1 if summary["total-failure-session-count"] else 0)
        if policy["policy"]["policy-type"] == "tlsa" and name != "tlsa-servfail":
            assert policy["policy"]["policy-string"], policy
        if details and details[0]["result-type"].startswith("cert"):
            assert details[0]["receiving-ip"].startswith("127.")
            assert details[0]["sending-mta-ip"].startswith("127.")
            assert details[0]["receiving-mx-hostname"].endswith(scenario.domain)
    assert sorted(seen) == sorted((*rest, mx) for *rest, mx in
                                  (ALL.get(name) or STS[name])), report


def test_one_report_is_of_one_utc_day(reports):
    today = time.strftime("%Y-%m-%d", time.gmtime())
    for report in reports.values():
        assert report["date-range"]["start-datetime"] == f"{today}T00:00:00Z"
        assert report["date-range"]["end-datetime"] == f"{today}T23:59:59Z"
        assert report["organization-name"] == "mx.test.example"


def test_more_mail_over_the_same_connection_is_one_session(runs, lab, reports):
    one = runs("all")
    domain = SCENARIOS["ee-311"].domain
    before = sessions(told(one, domain)[domain])
    rcpt = lab.recipient(SCENARIOS["ee-311"])
    n = len(one.daemon.events("delivery", to=rcpt))
    for _ in range(3):
        n += 1
        one.send([rcpt])
        wait_until(lambda: len(one.daemon.events("delivery", to=rcpt)) >= n,
                   "one more delivery")
    time.sleep(1.5)
    assert sessions(told(one, domain)[domain]) - before <= 1


@pytest.mark.parametrize("how", ["the role is killed", "a reload", "a restart"])
def test_counts_outlive(runs, lab, reports, how):
    one = runs("sts")
    name = "sts-cert-expired"
    domain, rcpt = SCENARIOS[name].domain, lab.recipient(SCENARIOS[name])
    before = sessions(told(one, domain)[domain])
    n = len(one.daemon.events("delivery", to=rcpt))
    if how == "the role is killed":
        done = len(one.daemon.events("role-ready", child="report"))
        status = one.daemon.ctl("--json", "status").stdout
        pid = next(item["pid"] for item in map(json.loads, status.splitlines())
                   if item.get("role") == "report")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(one.daemon.events("role-ready", child="report")) >
                   done, "another report role")
    elif how == "a reload":
        one.daemon.process.send_signal(signal.SIGHUP)
        one.daemon.wait_event("reloaded")
    else:
        one.daemon.stop()
        one.daemon.start()
        n = len(one.daemon.events("delivery", to=rcpt))
    one.daemon.ctl("queue", "flush")
    wait_until(lambda: len(one.daemon.events("delivery", to=rcpt)) > n,
               "one more attempt")
    wait_until(lambda: sessions(told(one, domain)[domain]) > before,
               "one more session")


def test_nothing_is_collected_unasked(lab, tmp_path):
    one = Run(lab, tmp_path / "danelaw", "all")
    one.daemon.start()
    try:
        status = one.daemon.ctl("status").stdout
        assert "report" not in status
        assert not (tmp_path / "danelaw/spool/state/report.db").exists()
        done = one.daemon.ctl("report", "show")
        assert (done.stdout, "collect = no" in done.stderr) == ("", True)
    finally:
        one.stop()


def test_usage(runs):
    one = runs("all")
    for words in (["show", "--day", "soon"], ["show", "--day", "2020-11-31"],
                  ["show", "--since", "7d"], ["received", "--day", "1d"],
                  ["summary", "--since", "7d"]):
        assert one.daemon.ctl("report", *words, check=False).returncode == 2, words
    done = one.daemon.ctl("report", "show", "nothing.example", check=False)
    assert (done.returncode, "nothing was counted" in done.stderr) == (1, True)
    done = one.daemon.ctl("report", "show", "--day", "2020-01-01", check=False)
    assert (done.returncode, done.stdout) == (0, "")
