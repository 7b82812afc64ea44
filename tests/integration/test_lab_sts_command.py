"""danelaw sts refresh, with policy hosts of the laboratory."""
import fcntl
import json
import os

import pytest

from support.daemon import give
from support.lab_fixtures import SCENARIOS, open_lab
from support.wait import wait_until

from lab.check import Run  # noqa: E402
from lab.policy_host import answer  # noqa: E402
from lab.scenario import STS, STS_NO_MATCH  # noqa: E402
from lab.sts import policy, status  # noqa: E402

pytestmark = pytest.mark.limit(120)

GOOD, NONE = "sts-good", "sts-txt-none"


@pytest.fixture(scope="module")
def lab(request):
    names = (GOOD, NONE)
    with open_lab(request, "lab-sts-command", [SCENARIOS[n] for n in names]) as made:
        yield made


@pytest.fixture
def run(lab, tmp_path):
    """A daemon with nothing in its cache, and the policy host as it was."""
    site = lab.site(GOOD)
    site.change(SCENARIOS[GOOD].sts)
    site.asked.clear()
    made = Run(lab, tmp_path / "danelaw", "sts")
    made.daemon.start()
    yield made
    site.change(SCENARIOS[GOOD].sts)
    made.stop()


def refresh(run, *words):
    done = run.daemon.ctl("sts", "refresh", *words, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def domain_of(run, name):
    return run.lab.scenarios[name].domain


def post(run):
    return run.post(run.lab.recipient(run.lab.scenarios[GOOD]))["tls"]


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
