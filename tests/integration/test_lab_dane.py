"""The laboratory's scenarios, each a test of that name: tests/lab/scenarios/.

All scenarios of a group go through one daemon at once; a test then looks what
became of its own.  Only those that were chosen (-k) are built and sent.
"""
import csv

import pytest

from support.lab_fixtures import SCENARIOS, check, names_of, open_lab, open_runs

pytestmark = pytest.mark.limit(300)

# Groups whose scenarios are sent all at once.
TOGETHER = ("all", "audit", "roots", "blind")

# Each row of corpora/dane/outbound-scenarios.tsv, by its situation, and the
# scenarios that show it.
PEERS = {
    "usage not allowed (only PKIX-TA published and not allowed)":
        ["pkix-001", "pkix-011"],
    "mixed allowed / not allowed usages":
        ["pkix-beside-ee", "all-usages", "pkix-matches-ee-does-not"],
    "TLSA insecure, or CNAME insecure":
        ["insecure-unsigned", "tlsa-alias-insecure", "alias-insecure"],
    "TLSA under CNAME target preferred, else under the original name":
        ["alias-both", "alias-original-only", "alias-both-foreign"],
    "truncated digest / unknown usage, alone":
        ["unusable-digest-31", "unusable-usage-4"],
    "truncated digest or unknown usage next to a good record":
        ["digest-31-and-good", "usage-4-and-good"],
    "DANE-TA, leaf for another name": ["ta-foreign-name"],
    "DANE-TA, expired leaf": ["ta-expired"],
    "2 0 0 full TA certificate, TA not sent by the server": ["ta-full-unsent"],
    # RFC 6698 4.1: malformed data is unusable, so TLS without authentication.
    "2 0 0 with unparsable certificate": ["unusable-ta-junk", "ta-junk-and-good"],
    "all records unusable, TLS up": ["unusable-all-kinds"],
    "all records unusable, no TLS": ["unusable-no-starttls"],
    "usable TLSA, server without STARTTLS": ["starttls-not-offered"],
    "usable TLSA, handshake fails": ["starttls-garbage"],
    "TLSA lookup error": ["tlsa-servfail"],
    "A not authenticated": ["insecure-host"],
}

# What implementations of DANE get wrong, and the scenarios that find it out.
# Stale data and connections that rest are test_lab_reuse.py and
# test_lab_mitm.py; strictness about SNI is a receiver's sin.
PITFALLS = {
    "01-base-domain-of-an-aliased-host":
        "alias-both alias-both-foreign alias-original-only alias-to-insecure "
        "alias-insecure chain-middle chain-of-three",
    "02-alias-at-the-tlsa-name":
        "tlsa-alias-inside tlsa-alias-outside tlsa-alias-name",
    "03-insecure-final-answer":
        "alias-to-insecure alias-to-insecure-foreign "
        "chain-insecure-middle-original",
    "04-failure-is-not-absence":
        "tlsa-servfail tlsa-silence tlsa-garbage tlsa-refused "
        "tlsa-nodata-unproved tlsa-foreign-proof tlsa-bad-signature",
    "05-no-question-in-unsigned-zones":
        "insecure-tlsa-servfail insecure-tlsa-silence insecure-host",
    "06-insecure-mx-secure-tlsa":
        "old-mx old-mx-foreign old-mx-ta-host old-mx-ta-next-hop old-mx-alias",
    "07-usage-3-ignores-names-and-dates":
        "ee-expired ee-not-yet ee-foreign-name ee-unknown-issuer "
        "ee-everything-wrong",
    "08-usage-2-needs-names-dates-and-anchor":
        "ta-foreign-name ta-expired ta-unsent ta-full-unsent trusted-unsent-ta",
    "09-three-reference-identifiers":
        "ta-name-next-hop domain-alias-ta-original domain-alias-ta-expanded "
        "domain-alias-ta-host domain-alias-middle",
    "10-all-unusable-is-never-cleartext":
        "unusable-all-kinds unusable-no-starttls pkix-001 unusable-digest-31",
    "11-usability-before-agility":
        "agility-strong-fails agility-malformed-strong agility-other-selector "
        "agility-full",
    "12-sni-is-the-base-domain": "ee-311 alias-both alias-original-only "
        "sni-expanded",
    "14-security-never-beats-preference":
        "better-host-without-tlsa second-host loop-beats-security",
    "15-no-cleartext-after-a-failed-handshake":
        "starttls-garbage unusable-handshake-broken may-starttls-garbage",
    "17-digest-of-what": "ee-301 ee-311 ee-rsa ee-ed25519 selectors-swapped",
    "18-port-in-the-owner-name": "relay-host relay-other-port implicit-mx",
}


@pytest.fixture(scope="module")
def lab(request):
    names = names_of(request.session, test_scenario, test_pitfall, pitfalls=PITFALLS)
    chosen = [s for s in SCENARIOS.values() if s.name in names]
    with open_lab(request, "lab-dane", chosen) as made:
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


def test_peers_rows_are_all_run(corpora):
    """Each situation other servers test has a scenario here."""
    path = corpora / "dane/outbound-scenarios.tsv"
    if not path.is_file():
        pytest.skip("no dane/outbound-scenarios.tsv among the corpora")
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows
    for row in rows:
        situation = row["DNS / server situation"]
        assert situation in PEERS, f"no scenario for: {situation}"
        for name in PEERS[situation]:
            expected, scenario = row["expected outbound outcome"], SCENARIOS[name]
            if expected.startswith("not delivered"):
                assert scenario.to is None, (situation, name)
