"""The laboratory's scenarios of MTA-STS, each a test of that name: see
tests/lab/scenarios/sts_*.py.  All of a group go through one daemon at once.
"""
import collections
import json
import re

import pytest

from support.lab_fixtures import (
    SCENARIOS, Run, check, ending, names_of, open_lab, open_runs)

from lab import sts  # noqa: E402

pytestmark = pytest.mark.limit(300)

TOGETHER = ("sts", "sts-audit")

ADDRESSES = ("sts-literal", "sts-relay-address")
# What danelaw_delivered_by_security_total has these under.
COUNTED = {
    "sts-dane-and": "dane", "sts-dane-second": "dane", "sts-both-pass": "dane",
    "sts-good": "pkix", "sts-audit-one-fine": "pkix",
    "sts-audit-one-cert": "encrypted", "sts-testing-tls-not-offered": "none"}
# What implementations of MTA-STS get wrong, and the scenarios that find it out.
# What a cache makes of it is test_lab_sts_changes.py.
PITFALLS = {
    "19-exactly-one-record":
        "sts-txt-two sts-txt-good-and-bad sts-txt-beside-others sts-txt-blank-before",
    "23-rules-of-the-fetch":
        "sts-host-moved sts-host-found sts-host-missing sts-host-common-name "
        "sts-host-drip sts-host-too-large sts-host-type sts-host-parameters",
    "24-line-ends-and-grammar":
        "sts-text-lf sts-text-mixed sts-text-no-last-end sts-text-doubled "
        "sts-broken-colon sts-mode-none-no-mx",
    "25-max-age": "sts-text-age-0 sts-text-age-huge sts-broken-age-11",
    "26-wildcards":
        "sts-text-wildcard sts-match-wildcard-apex sts-match-wildcard-two "
        "sts-cert-common-name sts-cert-domain-name",
    "27-testing-is-not-off": "sts-testing-cert-expired sts-testing-tls-not-offered "
        "sts-testing-match-other-host",
    "29-the-policy-domain":
        "sts-relay sts-relay-not-the-domain sts-parent sts-host-of-mx sts-literal",
    "30-never-overrides-dane":
        "sts-dane-foreign sts-dane-servfail sts-both-foreign sts-both-cert",
}


@pytest.fixture(scope="module")
def lab(request):
    names = names_of(request.session, test_scenario, test_pitfall, pitfalls=PITFALLS)
    functions = [item.function for item in request.session.items]
    if test_what_a_policy_host_is_asked in functions:
        names.add("sts-good")
    if test_no_address_is_asked_for_its_policy in functions:
        names.update(ADDRESSES)
    if test_what_was_verified_is_counted_so in functions:
        names.update(COUNTED)
    chosen = [s for s in SCENARIOS.values() if s.name in names]
    with open_lab(request, "lab-sts", chosen) as made:
        yield made


@pytest.fixture(scope="module")
def runs(lab):
    yield from open_runs(lab)


@pytest.mark.parametrize(
    "name", [s.name for s in SCENARIOS.values() if s.group in TOGETHER])
def test_scenario(runs, name):
    check(runs, name)


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_pitfall(runs, pitfall):
    check(runs, *PITFALLS[pitfall].split())


def test_what_a_policy_host_is_asked(runs):
    """RFC 8461 3.2, 3.3: that path, of that host, and nothing cached."""
    run = runs("sts")
    run.check(SCENARIOS["sts-good"])
    (head,) = run.lab.site("sts-good").asked
    lines = head.lower().split("\r\n")
    assert lines[0] == "get /.well-known/mta-sts.txt http/1.1"
    assert [line for line in lines if line.startswith("host:")] == [
        "host: mta-sts.sts-good.test"]
    assert not re.search(r"(?m)^(if-|cookie|authorization)", head.lower())


def test_no_address_is_asked_for_its_policy(runs):
    """RFC 8461 3.4: neither a literal nor a smart host without a name."""
    run = runs("sts")
    for name in ADDRESSES:
        run.check(SCENARIOS[name])
    asked = [name for name, _ in run.lab.front.asked
             if name.rstrip(".").rpartition(".")[2].isdigit()]
    assert asked == []


def test_what_was_verified_is_counted_so(lab, tmp_path):
    """In audit, too, only what was verified the wanted way."""
    with ending(Run(lab, tmp_path / "danelaw", "sts")) as run:
        run.daemon.start()
        run.send(lab.recipient(SCENARIOS[name]) for name in COUNTED)
        for name in COUNTED:
            run.first_line(lab.recipient(SCENARIOS[name]))
        told = map(json.loads, run.daemon.ctl("metrics", "--json").stdout.splitlines())
    family = "danelaw_delivered_by_security_total"
    found = {one["labels"]: one["value"] for one in told if one["name"] == family}
    counts = collections.Counter(COUNTED.values())
    assert found == {f'security="{word}"': counts[word]
                     for word in ("dane", "pkix", "encrypted", "none", "local")}


def test_there_are_enough():
    """Policy hosts, records and MX hosts; and what stands beside MTA-STS."""
    made = [s for s in SCENARIOS.values() if s.sts]
    beside = [s for s in made if s.params or s.header or s.conf or
              any(h.tlsa for h in s.hosts)]
    assert len(made) - len(beside) >= 50 and len(beside) >= 25
    assert all(re.fullmatch(r"sts-.*", s.name) for s in made)


def test_policies_are_as_long_as_they_say():
    """The largest that is taken has 65536 octets, the next one does not."""
    sizes = [len(SCENARIOS[name].sts.text) for name in (
        "sts-text-largest", "sts-host-too-large", "sts-host-too-large-chunks")]
    assert sizes == [65536, 65537, 65537]
    assert "{" not in SCENARIOS["sts-text-largest"].sts.text
    assert sts.policy().endswith("\r\n")
