"""The cache of MTA-STS policies: what changes a policy, and what does not.

Time is moved: while the daemon is down, what it has cached becomes older.
"""
import itertools
import time

import pytest

from support.lab_fixtures import SCENARIOS, open_group
from support.wait import wait_until

from lab import lies  # noqa: E402
from lab.check import PATIENCE  # noqa: E402
from lab.pki import Chain  # noqa: E402
from lab.policy_host import answer, silent  # noqa: E402
from lab.scenario import (  # noqa: E402
    MAY_CLEAR, MAY_TLS, STS, STS_MISMATCH, STS_NO_MATCH, STS_NO_OFFER)
from lab.sts import SOON, WEEK, policy, status, whatever  # noqa: E402

pytestmark = pytest.mark.limit(120)

NUMBERS = itertools.count(1)
MINUTE, HOUR, DAY = 60, 3600, 86400
UNKNOWN = "defer/nothing/sts/sts-unknown"
FORGET = 2.2    # seconds until a resolver has forgotten what it knows


@pytest.fixture(scope="module")
def run(request):
    yield from open_group(request, "sts-changes")


class Domain:
    """A domain of the laboratory, its policy host, and mail for it."""

    def __init__(self, run, name):
        self.run, self.lab = run, run.lab
        self.name = f"sts-change-{name}"
        self.scenario = SCENARIOS[self.name]
        self.server = self.lab.servers.get((self.name, "mx"))   # None: it is down

    @property
    def site(self):
        return self.lab.site(self.name)

    def post(self):
        """A message to somebody new; the line of its first attempt."""
        self.rcpt = f"user{next(NUMBERS)}@{self.scenario.domain}"
        return self.run.post(self.rcpt)

    def goes(self, tls=None):
        line = self.post()
        assert (line["outcome"], line["tls"]) == \
            ("delivered", tls or self.scenario.log), line
        return line

    def waits(self, tls):
        line = self.post()
        assert (line["outcome"], line["tls"]) == ("deferred", tls), line
        assert self.lab.arrivals.of(self.rcpt) == []
        return line

    def ends(self, tls):
        """The message that waited is delivered after all."""
        line = self.run.daemon.wait_event("delivery", PATIENCE, to=self.rcpt,
                                          outcome="delivered")
        assert line["tls"] == tls, line

    def begins(self):
        """The message the scenario is about."""
        line = self.post()
        assert (line["outcome"], line["tls"]) == \
            (self.scenario.expected, self.scenario.log), line

    def attempts(self):
        """The lines of the last message."""
        return self.run.daemon.events("delivery", to=self.rcpt)

    def fetches(self):
        return len(self.site.asked)

    def row(self):
        return self.run.cached(self.name)

    def publish(self, **sts):
        self.lab.publish(self.name, **sts)
        time.sleep(FORGET)

    def passes(self, seconds):
        """So much time."""
        self.run.daemon.stop()
        self.run.age(seconds, self.name)
        self.run.daemon.start()


@pytest.fixture
def domain(run):
    return lambda name: Domain(run, name)


# --- when a policy is fetched: RFC 8461 3, 3.3, 5.1 ---

def test_the_same_id_asks_nobody(domain):
    """RFC 8461 3: the record says that the cached policy is current."""
    site = domain("twice")
    site.goes()
    site.goes()
    assert site.fetches() == 1
    site.passes(HOUR)   # nor does a daemon that starts
    site.goes()
    assert site.fetches() == 1
    row = site.row()
    assert (row["id"], row["failures"]) == ("1", 0)
    assert row["expires_at"] - row["fetched_at"] == WEEK


def test_a_new_id_counts_at_once(domain):
    """RFC 8461 3.1, 5.1: the delivery that sees it waits for the new policy."""
    site = domain("id")
    site.waits(STS_NO_MATCH)
    site.passes(2 * MINUTE)
    site.publish(id="0", text=policy())   # ids have no order
    site.goes(STS)
    assert (site.fetches(), site.row()["id"]) == (2, "0")


def test_a_new_id_may_be_stricter(domain):
    site = domain("stricter")
    site.goes()
    site.passes(2 * MINUTE)
    site.publish(id="2", text=policy("mx2.{domain}"))
    site.waits(STS_NO_MATCH)
    assert site.row()["id"] == "2"


def test_ids_that_change_all_the_time_cause_no_fetch_each(domain):
    site = domain("flood")
    site.goes()
    for number in range(2, 5):
        site.publish(id=str(number))
        site.goes()
    assert site.fetches() == 1


def test_a_policy_that_refuses_mail_is_looked_at_again(domain):
    """RFC 8461 5.1: before mail fails for good, though the id is the same."""
    site = domain("text")
    site.waits(STS_NO_MATCH)
    site.site.change(text=policy(mode="none"))
    site.passes(6 * MINUTE)
    site.ends(MAY_TLS)
    assert (site.fetches(), site.row()["id"]) == (2, "1")


def test_a_host_that_shows_the_wrong_certificate(domain):
    """RFC 8461 5.1: a newer policy is looked for in the same attempt, and
    counts in it; the hosts are not tried once more by the same policy."""
    site = domain("cert")
    site.waits(STS_MISMATCH)
    site.passes(6 * MINUTE)
    wait_until(lambda: site.fetches() == 2, "a policy that is looked for anew")
    site.run.daemon.stop()
    before = site.attempts()
    assert {line["tls"] for line in before} == {STS_MISMATCH}
    assert site.server.connections == len(before)
    assert site.fetches() == 2
    site.site.change(text=policy(mode="none"))
    site.run.age(6 * MINUTE, site.name)
    site.run.daemon.start()
    site.ends(MAY_TLS)
    assert len(site.attempts()) == len(before) + 1
    assert (site.fetches(), site.row()["id"]) == (3, "1")


def test_hosts_that_are_gone_when_a_newer_policy_is_there(domain):
    """They are looked up once more, and what was known of them is over."""
    site = domain("astray")

    def lose_hosts(body):
        site.lab.lie(site.name, "@ MX", lies.servfail)
        return slowly(body, SOON - 0.5)   # nobody knows the old ones

    site.waits(STS_MISMATCH)
    site.site.change(text=policy(mode="none"), behave=lose_hosts)
    site.passes(6 * MINUTE)
    line = site.run.daemon.wait_event("delivery", PATIENCE, to=site.rcpt,
                                      tls="defer/nothing/dns/mx-lookup")
    assert int(line["ms"]) > 1000, line   # it is the attempt that began well
    assert "host" not in line and "sts" not in line, line
    site.lab.lie(site.name, "@ MX", None)
    site.ends(MAY_TLS)


def test_a_host_that_is_down_is_no_reason(domain):
    """RFC 8461 B: a connection that fails says nothing of the policy."""
    site = domain("down")
    site.waits("pkix/nothing/sts/sts")
    site.passes(6 * MINUTE)
    before = len(site.attempts())
    wait_until(lambda: len(site.attempts()) > before, "another attempt")
    assert site.fetches() == 1


def test_leaving(domain):
    """RFC 8461 8.3: mode none and a new id."""
    site = domain("leave")
    site.goes()
    site.server.offer(site.lab.new_chain(site.name, "mx", Chain("self")))
    site.passes(2 * MINUTE)
    site.publish(id="2", text=policy(mode="none", max_age=60))
    site.goes(MAY_TLS)


def test_refreshed_before_it_expires_and_nobody_waits(domain):
    """RFC 8461 3.3, 10.2: daily, whatever the record says."""
    site = domain("refresh")
    site.goes()
    before = site.row()
    site.passes(DAY + 4 * HOUR)
    site.site.change(behave=lambda body: slowly(body, SOON / 2))
    began = time.monotonic()
    site.goes()
    took = time.monotonic() - began
    wait_until(lambda: site.row()["fetched_at"] >= before["fetched_at"],
               "the policy of today")
    assert site.fetches() == 2
    assert time.monotonic() - began >= SOON / 2 > took
    assert site.row()["id"] == "1"


def slowly(body, seconds):
    def behave(talk):
        time.sleep(seconds)
        answer(body)(talk)
    return behave


def test_a_refresh_that_fails_costs_nothing(domain):
    """RFC 8461 3.3: what is cached stays, and applies until its time has come."""
    site = domain("refresh-fails")
    site.goes()
    for days in (2, 2, 2):
        site.site.change(behave=status("500 Internal Server Error"))
        site.passes(days * DAY)
        site.goes()
    wait_until(lambda: site.row()["failures"] == 3, "three refreshes that failed")
    # RFC 8461 10.2: the administrator is told by the third time
    assert [(line["level"], line["failures"]) for line in site.run.daemon.events(
        "sts-fetch-failed", domain=site.scenario.domain)] == \
        [("info", "1"), ("info", "2"), ("warn", "3")]
    site.site.change(behave=answer)
    site.passes(DAY - HOUR)
    site.goes()
    wait_until(lambda: site.row()["failures"] == 0, "a refresh that succeeds")
    assert site.row()["expires_at"] > time.time() + WEEK - HOUR


@pytest.mark.parametrize("name", ["left", "never"])
def test_nobody_is_told(domain, name):
    """RFC 8461 3.3, 10.2: of a domain that has left, or never had a policy."""
    site = domain(name)
    site.goes()
    site.site.change(behave=status("500 Internal Server Error"))
    for failures in range(1, 4):
        if failures > 1 or name == "left":
            site.passes(2 * DAY)
            site.goes()
        wait_until(lambda n=failures: site.row()["failures"] == n, f"failure {failures}")
    site.run.daemon.stop()
    said = site.run.daemon.events("sts-fetch-failed", domain=site.scenario.domain)
    site.run.daemon.start()
    assert [(line["level"], line["failures"]) for line in said] == \
        [("info", "1"), ("info", "2"), ("info", "3")]


# --- how long it counts: RFC 8461 3.2, 5.1 ---

def test_kept_until_it_expires(domain):
    """Through restarts, without record and policy host; and then no more."""
    site = domain("expire")
    site.goes()
    site.server.stop_offering()
    site.site.change(listens=False)
    site.publish(txt=())
    for seconds in (DAY, WEEK - DAY - HOUR):
        site.passes(seconds)
        site.waits(STS_NO_OFFER)
    site.passes(HOUR + MINUTE)
    site.ends(MAY_CLEAR)
    site.goes(MAY_CLEAR)


def test_expires_by_the_clock(domain):
    site = domain("brief")
    site.goes()
    site.lab.publish(site.name, txt=())
    site.server.stop_offering()
    time.sleep(4.2)
    site.goes(MAY_CLEAR)


def test_of_no_time_at_all(domain):
    """RFC 8461 3.2: max_age 0 serves for the minute in which nobody fetches."""
    site = domain("moment")
    site.goes()
    time.sleep(1.2)
    site.goes()
    assert site.fetches() == 1
    site.passes(MINUTE)
    site.goes()
    assert site.fetches() == 2
    site.passes(MINUTE)
    site.server.stop_offering()
    site.publish(txt=())
    site.goes(MAY_CLEAR)


@pytest.fixture
def wrong_clock(run, clock):
    """A daemon whose clock is an hour ahead, until it is set; it looks all the time
    what is to be refreshed, and what may be forgotten."""
    config = run.daemon.config_file.read_text()
    assert config.count("mta_sts {") == 1
    run.daemon.stop()
    run.daemon.write_config(text=config.replace("mta_sts {", 'mta_sts { refresh = "200ms"'))
    clock.drive(run.daemon)
    clock.set(HOUR)
    run.daemon.start()
    yield clock
    run.daemon.stop()
    run.daemon.write_config(text=config)
    run.daemon.environment = {}
    run.daemon.start()


def lose_all(site):
    """Neither record nor policy host nor TLS: only what is cached protects."""
    site.server.stop_offering()
    site.site.change(listens=False)
    site.publish(txt=())


def test_a_clock_set_back_and_forward_costs_no_policy(domain, wrong_clock):
    """Nor does it keep one for longer than its max_age and the step."""
    site = domain("clock")
    site.goes()
    lose_all(site)
    for ahead in (0, HOUR, 0):
        wrong_clock.set(ahead)
        site.waits(STS_NO_OFFER)
    assert site.fetches() == 1
    row = site.row()
    assert WEEK - MINUTE < row["expires_at"] - time.time() < WEEK + HOUR
    site.passes(WEEK - HOUR - 5 * MINUTE)
    site.waits(STS_NO_OFFER)
    site.passes(HOUR + 10 * MINUTE)
    site.ends(MAY_CLEAR)
    site.goes(MAY_CLEAR)


def test_a_clock_that_was_ahead_has_ended_no_policy(domain, wrong_clock):
    """It shows as over for as long, and is there again."""
    site = domain("clock-short")
    wrong_clock.set(0)
    site.goes()
    lose_all(site)
    wrong_clock.set(HOUR)
    site.goes(MAY_CLEAR)
    time.sleep(1)
    wrong_clock.set(0)
    site.waits(STS_NO_OFFER)
    site.passes(1800 + MINUTE)
    site.ends(MAY_CLEAR)


# --- what cannot be had, and what cannot be read ---

def test_a_failed_fetch_is_not_tried_again_soon(domain):
    """RFC 8461 3.3: five minutes for each id."""
    site = domain("again")
    site.goes()
    site.goes()
    site.passes(2 * MINUTE)
    site.goes()
    assert site.fetches() == 1
    site.site.change(behave=answer)
    site.goes()
    assert site.fetches() == 1
    site.passes(4 * MINUTE)
    site.waits("pkix/encrypted/sts/sts")   # now there is a policy
    assert site.fetches() == 2


def test_a_domain_begins(domain):
    """No record, then one."""
    site = domain("later")
    site.goes()
    site.publish(txt=None)
    site.waits("pkix/encrypted/sts/sts")


def test_a_cache_that_cannot_be_read_is_not_no_policy(run, domain):
    """RFC 8461 5.1: mail waits; DANE under secure MX records needs none of it."""
    names = ("unreadable", "unreadable-dane", "unreadable-none")
    held, dane, none = map(domain, names)
    for site in (held, dane, none):
        site.begins()
    run.daemon.stop()
    store = run.state / "sts.db"
    good = store.read_bytes()
    with store.open("r+b") as file:   # whose it is stays as it was
        file.truncate(0)
        file.write(b"no database at all " * 1000)
    run.daemon.start()
    try:
        held.waits(UNKNOWN)
        none.waits(UNKNOWN)
        dane.goes()
        # Mail stands still: somebody should look.
        said = run.daemon.ctl("status", check=False)
        assert said.returncode == 1 and "state: degraded" in said.stdout
        assert "trouble: " in said.stdout and "sts.db" in said.stdout
    finally:
        run.daemon.stop()
        with store.open("r+b") as file:
            file.truncate(0)
            file.write(good)
        run.daemon.start()
    held.ends(STS)
    none.ends(MAY_CLEAR)
    assert "state: running" in run.daemon.ctl("status").stdout


def test_a_host_that_is_silent_keeps_mail_for_seconds(domain):
    """RFC 8461 3.3: a time limit; and the mail that waited goes."""
    site = domain("silent")
    site.site.change(behave=whatever(silent))
    began = time.monotonic()
    site.goes(MAY_TLS)
    assert SOON - 0.5 < time.monotonic() - began < SOON + 8
