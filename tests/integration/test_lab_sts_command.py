"""danelaw sts refresh, with policy hosts of the laboratory."""
import contextlib
import fcntl
import json
import os
import time

import pytest

from support.daemon import give
from support.lab_fixtures import SCENARIOS, Run, ending, open_lab
from support.wait import wait_until

from lab.policy_host import answer  # noqa: E402
from lab.scenario import MAY_TLS, STS, STS_NO_MATCH  # noqa: E402
from lab.sts import policy, status  # noqa: E402

pytestmark = pytest.mark.limit(120)

GOOD, NONE = "sts-good", "sts-txt-none"
# With good policies, and so many that one process hardly gets them all.
OTHERS = tuple(f"sts-text-{name}" for name in (
    "lf", "mixed", "no-last-end", "empty-lines", "order", "blanks", "unknown",
    "doubled", "case", "wildcard"))
HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def lab(request):
    names = (GOOD, NONE, *OTHERS)
    with open_lab(request, "lab-sts-command", [SCENARIOS[n] for n in names]) as made:
        yield made


@pytest.fixture
def begin(lab, tmp_path):
    """begin({...}): a daemon with nothing in its cache and more in its
    configuration, and the policy hosts as they were."""
    def restore():
        for name in (GOOD, *OTHERS):
            lab.site(name).change(SCENARIOS[name].sts)
            lab.site(name).asked.clear()

    def make(more=None):
        restore()
        made = ends.enter_context(ending(
            Run(lab, tmp_path / "danelaw", "sts", more)))
        made.daemon.start()
        return made
    with contextlib.ExitStack() as ends:
        yield make
        restore()
        lab.publish(GOOD)


@pytest.fixture
def run(begin):
    return begin()


def refresh(run, *words):
    done = run.daemon.ctl("sts", "refresh", *words, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def domain_of(run, name):
    return run.lab.scenarios[name].domain


def line_of(run, name):
    return run.post(run.lab.recipient(run.lab.scenarios[name]))


def post(run):
    return line_of(run, GOOD)["tls"]


def test_it_is_fetched_shown_and_kept(run):
    """Without the daemon; and whatever the record says, once more."""
    domain = domain_of(run, GOOD)
    run.daemon.stop()
    code, lines, said = refresh(run, domain)
    assert (code, said) == (0, "")
    assert f"domain: {domain}" in lines and "mode: enforce" in lines
    assert f"  mx: mx.{domain}" in lines
    row = run.cached(GOOD)
    assert (row["id"], row["failures"]) == ("1", 0)
    code, lines, said = refresh(run, "--json", domain)
    assert (code, said) == (0, "")
    (item,) = map(json.loads, lines)
    assert item["policy"] == run.lab.fill(SCENARIOS[GOOD], policy())
    assert len(run.lab.site(GOOD).asked) == 2
    # It is the daemon's, too.
    run.daemon.start()
    assert post(run) == STS
    assert len(run.lab.site(GOOD).asked) == 2


def test_a_running_daemon_goes_by_it(run):
    """Though the id is the same, and it has the old one in memory."""
    assert post(run) == STS
    run.lab.site(GOOD).change(text=policy("elsewhere.example"))
    assert post(run) == STS
    code, lines, _ = refresh(run, domain_of(run, GOOD))
    assert code == 0 and "  mx: elsewhere.example" in lines
    assert post(run) == STS_NO_MATCH
    assert len(run.lab.site(GOOD).asked) == 2


RESTS = {"timeouts": {"idle": "1m"}}


def sessions(run):
    """The connections that mail came over."""
    return [e.session for e in run.lab.arrivals.all()
            if e.kept and e.scenario == GOOD]


def test_what_rests_does_not_go_by_what_was_known(begin):
    run = begin(RESTS)
    assert [post(run), post(run)] == [STS, STS]
    *_, first, second = sessions(run)
    assert first == second
    run.lab.site(GOOD).change(text=policy("elsewhere.example"))
    assert refresh(run, domain_of(run, GOOD))[0] == 0
    assert post(run) == STS_NO_MATCH


def test_what_rests_does_not_outlive_its_policy(begin):
    """RFC 8461 5.1: a policy without a record and a host, in its last seconds."""
    run = begin(RESTS)
    assert post(run) == STS
    run.daemon.stop()
    run.lab.publish(GOOD, txt=(), listens=False)
    left = 9
    run.age(run.cached(GOOD)["expires_at"] - int(time.time()) - left, GOOD)
    end = time.monotonic() + left + 1.2
    run.daemon.start()
    assert [post(run), post(run)] == [STS, STS]
    *_, first, second = sessions(run)
    assert first == second
    time.sleep(max(end - time.monotonic(), 0))
    assert post(run) == MAY_TLS


def test_each_process_goes_by_it(begin):
    """Whichever of them it is that has mail for the domain: that goes by a
    hash, so there are many domains for two processes."""
    run = begin({"deliver_processes": 2})
    names = (GOOD, *OTHERS)
    lines = [line_of(run, name) for name in names]
    assert {line["tls"] for line in lines} == {STS}
    assert len({line["role"] for line in lines}) == 2
    for name in names:
        run.lab.site(name).change(text=policy("elsewhere.example"))
    assert refresh(run, *(domain_of(run, name) for name in names))[0] == 0
    assert {line_of(run, name)["tls"] for name in names} == {STS_NO_MATCH}


def test_it_is_refreshed_though_nobody_sends(begin):
    """RFC 8461 3.3, 10.2: with an hour between two tries."""
    run = begin({"mta_sts": {"refresh": "1s"}})
    assert post(run) == STS
    run.daemon.stop()
    run.age(DAY + 4 * HOUR)
    before = run.cached(GOOD)
    run.daemon.start()
    wait_until(lambda: run.cached(GOOD)["fetched_at"] > before["fetched_at"] + DAY,
               "the policy of today")
    assert len(run.lab.site(GOOD).asked) == 2
    assert run.cached(GOOD)["last_used"] == before["last_used"]


def test_what_cannot_be_fetched_is_told(run):
    """And costs nothing: what is kept applies on."""
    domain = domain_of(run, GOOD)
    site = run.lab.site(GOOD)
    site.change(behave=status("404 Not Found"))
    code, lines, said = refresh(run, domain)
    assert (code, lines) == (1, []) and f"{domain}: " in said and "404" in said
    assert "applies on" not in said and run.cached(GOOD)["failures"] == 1
    site.change(behave=answer)
    assert refresh(run, domain)[0] == 0
    site.change(text="no policy")
    code, lines, said = refresh(run, domain)
    assert (code, lines) == (1, []) and "line 1" in said and "applies on" in said
    row = run.cached(GOOD)
    assert row["text"].startswith(b"version: STSv1") and row["failures"] == 1
    assert post(run) == STS


def test_without_a_record_there_is_nothing_to_fetch(run):
    domain = domain_of(run, NONE)
    code, lines, said = refresh(run, domain, domain_of(run, GOOD))
    assert code == 1 and f"{domain}: there is no record" in said
    assert f"domain: {domain_of(run, GOOD)}" in lines   # the other is refreshed
    assert run.lab.site(NONE).asked == []
    code, lines, said = refresh(run)
    assert code == 2 and "wants domains" in said


def test_what_cannot_be_kept_is_told(run):
    """The file is damaged: it is left, and nothing is said to be kept."""
    domain = domain_of(run, GOOD)
    assert refresh(run, domain)[0] == 0
    run.daemon.stop()
    store = run.state / "sts.db"
    with store.open("r+b") as file:
        file.truncate(0)
        file.write(b"no database " * 1000)
    code, lines, said = refresh(run, domain)
    assert (code, lines) == (1, []) and "sts.db: file is not a database" in said
    run.daemon.start()


def test_nor_what_is_fetched_while_another_writes(run):
    domain = domain_of(run, GOOD)
    lock = run.state / "sts.lock"
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        give(lock)
        code, lines, said = refresh(run, domain)
    assert (code, lines) == (1, []) and "it was fetched, but not kept" in said
    assert refresh(run, domain)[0] == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a choice")
def test_root_leaves_the_files_to_their_account(run):
    run.daemon.stop()
    owners = {run.state.stat().st_uid}
    assert 0 not in owners
    assert refresh(run, domain_of(run, GOOD))[0] == 0
    assert {path.stat().st_uid for path in run.state.iterdir()} == owners
    run.daemon.start()
    wait_until(lambda: run.daemon.events("started"), "a daemon that starts")
    assert post(run) == STS
