"""Connections that rest: they serve again, but no other requirement.

A resting connection was verified, or not, for one set of records and one
domain: RFC 6698 8.2.
"""
import pytest

from support.lab_fixtures import open_group
from test_lab_mitm import Domain

pytestmark = pytest.mark.limit(120)
VERIFIED = "dane/verified/dane/dane"
MAY = "may/encrypted/none/default"


@pytest.fixture(scope="module")
def run(request):
    yield from open_group(request, "reuse")


@pytest.fixture
def domain(run):
    return lambda name: Domain(run, name)


def sessions(domain):
    """The connections its messages came over."""
    return [e.session for e in domain.lab.arrivals.all()
            if e.kept and e.rcpt.endswith(f"@{domain.domain}")]


def test_two_messages_over_one_connection(domain):
    """What was verified for the first holds for the second, and is said."""
    site = domain("reuse-twice")
    assert [site.post()["tls"] for _ in range(2)] == [VERIFIED, VERIFIED]
    first, second = sessions(site)
    assert first == second


def test_connection_does_not_outlive_its_records(domain):
    """RFC 6698 8.2: other records, other verdict, whatever rests."""
    site = domain("reuse-change")
    site.good()
    site.lab.publish(site.name, {"mx": ("3 1 1 other",)})
    site.forget()
    site.refused()


def test_unverified_connection_does_not_serve_dane(domain):
    """TLSA has appeared: what rests was never verified."""
    site = domain("reuse-begin")
    site.good()
    site.lab.publish(site.name, {"mx": ("3 1 1 other",)})
    site.forget()
    site.refused()
    site.lab.publish(site.name, {"mx": ("3 1 1",)})
    site.forget()
    assert site.post()["tls"] == VERIFIED
    first, *later = sessions(site)
    assert later and first not in later


def test_host_that_fails_for_one_serves_another(domain):
    """Neither does the one profit, nor does the other suffer."""
    victim, exempt, plain = map(domain, (
        "shared-foreign", "shared-exempt", "shared-address"))
    victim.refused()
    assert exempt.post()["tls"] == "may/encrypted/operator/operator-opportunistic"
    assert plain.post()["tls"] == MAY
    victim.refused()
    assert plain.post()["outcome"] == "delivered"
    victim.refused()


def test_host_verified_for_one_is_not_for_another(domain):
    """RFC 7672 3.2.2: the names that will do are those of each domain."""
    good, other, plain = map(domain, (
        "shared-good", "shared-other-name", "shared-good-address"))
    assert good.post()["tls"] == VERIFIED
    other.refused()
    assert plain.post()["tls"] == MAY
    assert good.post()["tls"] == VERIFIED
