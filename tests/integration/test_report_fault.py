"""What is wrong with our own resolver is told of nobody: RFC 8460 4.3 is about the policies of
the receiver."""
import time

import pytest
from support import daemon
from support.lab_fixtures import SCENARIOS, Run, ending, open_lab
from support.wait import wait_until
from test_lab_report import told

pytestmark = pytest.mark.limit(180)

BROKEN = "tlsa-servfail"      # its TLSA records cannot be looked up
GOOD = "ee-311"               # they match
PLAIN = "no-tlsa"             # a signed domain without
UNSIGNED = "insecure-unsigned"
ALL = BROKEN, GOOD, PLAIN, UNSIGNED


@pytest.fixture(scope="module")
def lab(request):
    with open_lab(request, "report-fault", [SCENARIOS[name] for name in ALL]) as made:
        yield made


@pytest.fixture
def run(lab, tmp_path):
    """A daemon that counts, with this test of its resolver; says what that came to."""
    def make(resolver, **more):
        one = Run(lab, tmp_path / "danelaw", "all", daemon.merge(more, {
            "resolver": resolver, "deliver_processes": 1, "reporting": {"collect": True}}))
        one.daemon.start()
        return one, one.daemon.wait_event("dnssec", seconds=40)["resolver"]
    return make


def send(one, *names):
    """What became of each."""
    rcpts = [one.lab.recipient(SCENARIOS[name]) for name in names]
    one.send(rcpts)
    return [wait_until(lambda to=rcpt: one.daemon.events("delivery", to=to),
                       f"word of {rcpt}")[0]["outcome"] for rcpt in rcpts]


@pytest.mark.parametrize("enforcement, outcome", [("enforce", "deferred"), ("audit", "delivered")])
def test_a_resolver_that_does_not_validate(run, lab, enforcement, outcome):
    """RFC 7672 2.1.1: mail waits, for all TLSA records are unknown; and that is all."""
    one, ability = run({"self_test": SCENARIOS[UNSIGNED].domain}, enforcement=enforcement)
    with ending(one):
        assert ability == "does not validate"
        assert send(one, GOOD, PLAIN, UNSIGNED) == [outcome] * 3
        time.sleep(2.5)
        assert told(one) == {}


def test_a_resolver_that_has_no_answers(run, lab):
    """What is known is told, for there are answers that it has had."""
    one, ability = run({
        "self_test": "dead.example",
        "stub dead.example": {"server": ["127.0.0.1:9"], "insecure": True}})
    with ending(one):
        assert ability == "does not answer"
        assert send(one, BROKEN) == ["deferred"]
        assert send(one, GOOD) == ["delivered"]
        wait_until(lambda: told(one), "a session is told")
        time.sleep(1)
        assert list(told(one)) == [SCENARIOS[GOOD].domain]


def test_a_resolver_that_works(run, lab):
    """The same domain, and it is theirs."""
    one, ability = run({})
    with ending(one):
        assert ability == "works"
        assert send(one, BROKEN) == ["deferred"]
        (policy,) = wait_until(lambda: told(one), "it is told")[SCENARIOS[BROKEN].domain]["policies"]
        assert policy["failure-details"][0]["result-type"] == "dnssec-invalid"
