"""A man in the middle, in a laboratory: he gets no mail that the rules forbid.

Each domain is delivered to once, as it should be; then he begins.  All hosts
of the laboratory are looked at each time, not only the right one.
"""
import itertools
import re
import time

import pytest

from support.lab_fixtures import SCENARIOS, open_group

from lab import hello, lies  # noqa: E402
from lab.pki import Chain  # noqa: E402

pytestmark = pytest.mark.limit(120)


@pytest.fixture(scope="module")
def run(request):
    yield from open_group(request, "mitm")


NUMBERS = itertools.count(1)


class Domain:
    """A scenario's domain and what became of each message to it."""

    def __init__(self, run, name):
        self.run, self.lab, self.name = run, run.lab, name
        self.scenario = SCENARIOS[name]
        self.domain = self.lab.recipient(self.scenario).partition("@")[2]

    def post(self):
        """One more message, to somebody new; the line of its first attempt."""
        self.rcpt = f"user{next(NUMBERS)}@{self.domain}"
        return self.run.post(self.rcpt)

    def good(self):
        """One message goes as the scenario says."""
        line = self.post()
        assert line["outcome"] == self.scenario.expected, line
        assert re.fullmatch(self.scenario.log, line["tls"]), line
        return line

    def refused(self):
        """One more message: nobody gets it, or sees it."""
        line = self.post()
        assert line["outcome"] == "deferred", line
        assert self.lab.arrivals.of(self.rcpt) == []
        assert "verified" not in line["tls"], line
        return line

    def server(self, host="mx"):
        return self.lab.server(self.name, host)

    def lie(self, question, lie):
        self.lab.lie(self.name, question, lie)

    def forget(self):
        """Until what a resolver knows of this domain has run out."""
        time.sleep(max(self.scenario.zone["ttl"], 1) + 1.2)


@pytest.fixture
def domain(run):
    return lambda name: Domain(run, name)


TLSA = "_{port}._tcp.mx TLSA"


# --- at the host's door ---

def test_starttls_is_stripped(domain):
    """RFC 7672 2.2: a good delivery before is no reason to trust the next."""
    victim = domain("mitm-strip")
    victim.good()
    victim.server().stop_offering()
    assert victim.refused()["tls"] == "dane/no-offer/dane/dane"


@pytest.mark.parametrize("name, sin, got", [
    ("mitm-refuse", "starttls_refused", "refused"),
    ("mitm-break", "handshake_garbage", "broken")])
def test_starttls_is_spoilt(domain, name, sin, got):
    """RFC 7672 2.2: no cleartext after a handshake that failed."""
    victim = domain(name)
    victim.good()
    victim.server().change(sin)
    assert victim.refused()["tls"] == f"dane/{got}/dane/dane"


@pytest.mark.parametrize("issuer", ["self", "other-inter", "inter"])
def test_certificate_is_swapped(domain, issuer):
    """RFC 7672 3.2: whoever has signed it, and whatever names are in it."""
    victim = domain("mitm-swap")
    mine = victim.lab.made["mitm-swap", "mx"]
    victim.server().offer(mine)
    victim.good()
    victim.server().offer(victim.lab.new_chain("mitm-swap", "mx", Chain(issuer)))
    victim.refused()


def test_only_old_tls_is_left(domain):
    """RFC 8996 3"""
    victim = domain("mitm-old")
    victim.good()
    server = victim.server()
    server.spec.versions = ("TLSv1", "TLSv1_1")
    server.offer(victim.lab.made["mitm-old", "mx"])
    assert victim.refused()["tls"] == "dane/broken/dane/dane"


# --- in the DNS ---

@pytest.mark.parametrize("name, question, lie", [
    ("mitm-drop", TLSA, lies.tlsa_dropped),
    ("mitm-unprove", TLSA, lies.nodata_unproved),
    ("mitm-fail", TLSA, lies.servfail),
    ("mitm-silent", TLSA, lies.silence),
    ("mitm-cheat", TLSA, lies.proof_of("mitm-cheat.test.")),
    ("mitm-unsign", "*.mitm-unsign.test. ANY", lies.unsigned)])
def test_tlsa_is_kept_from_us(domain, name, question, lie):
    """RFC 7672 2.1.2: no answer is not "no records", not even once."""
    victim = domain(name)
    victim.good()
    connections = victim.server().connections
    victim.lie(question, lie)
    victim.forget()
    victim.server().stop_offering()  # he would now like cleartext
    line = victim.refused()
    assert line["tls"].startswith("defer/"), line
    assert victim.server().connections == connections


def test_mx_of_a_signed_domain_is_forged(domain):
    """RFC 7672 2.1.2: bogus MX, nobody to call."""
    victim = domain("mitm-mx-signed")
    victim.good()
    victim.lie("@ MX", lies.forged_mx("evil.mitm-mx-signed.test"))
    victim.forget()
    victim.refused()
    assert victim.server("evil").connections == 0


def test_mx_of_an_unsigned_domain_is_forged(domain):
    """RFC 7672 2.2.1: nobody can prevent that, but nobody calls it secure."""
    victim = domain("mitm-mx-unsigned")
    victim.good()
    victim.lie("@ MX", lies.forged_mx("evil.mitm-mx-unsigned.test"))
    victim.forget()
    line = victim.post()
    assert (line["host"], line["tls"]) == (
        "evil.mitm-mx-unsigned.test", "may/encrypted/none/default")


def test_forged_host_with_tlsa_is_not_the_domain(domain):
    """RFC 7672 2.2.1: the host is verified; the domain is not."""
    victim = domain("mitm-mx-signed-evil")
    victim.good()
    victim.lie("@ MX", lies.forged_mx("evil.mitm-mx-signed-evil-provider.test"))
    victim.forget()
    assert victim.post()["tls"] == "dane/verified/dane/dane-insecure-mx"


@pytest.mark.parametrize("level", ["dane", "secure", "verify"])
def test_forged_mx_does_not_meet_the_operator(domain, level):
    """RFC 7672 2.2.1: mandatory DANE and an insecure MX do not go together."""
    victim = domain(f"mitm-mx-{level}")
    victim.lie("@ MX", lies.forged_mx(f"evil.mitm-mx-{level}-provider.test"))
    victim.refused()


@pytest.mark.parametrize("name", ["hello-dane", "hello-may"])
def test_what_the_client_offers(domain, name):
    """RFC 7672 8.1, RFC 7672 8.2: TLS, no SSLv2 hello; no anonymous suite; SNI.

    RFC 7671 5.1: no raw public keys, since nothing here could check them.
    """
    site = domain(name)
    site.good()
    offered = hello.parse(site.server().hellos[-1])
    assert not offered.suites & (hello.ANONYMOUS | hello.NULL)
    assert offered.versions <= {0x0303, 0x0304}
    assert offered.name == f"mx.{name}.test"
    assert hello.CERTIFICATE_TYPE not in offered.extensions


# --- no man, but a change: RFC 6698 8.2 ---

def test_tlsa_is_withdrawn(domain):
    """A proof that there is none any more: as if there had never been any."""
    site = domain("mitm-vanish")
    site.good()
    site.lab.publish(site.name, {"mx": ()})
    site.forget()
    site.server().stop_offering()
    assert site.post()["tls"] == "may/no-offer/none/default"


def test_tlsa_is_changed(domain):
    """RFC 6698 8.2: neither the old records nor a TLS session outlive them."""
    site = domain("mitm-change")
    site.good()
    site.good()
    assert site.lab.arrivals.of(site.rcpt)[-1].resumed, "no session to outlive them"
    site.lab.publish(site.name, {"mx": ("3 1 1 other",)})
    site.forget()
    site.refused()
    site.lab.publish(site.name, {"mx": ("3 1 1",)})
    site.forget()
    site.good()


def test_certificate_and_tlsa_are_changed_together(domain):
    site = domain("mitm-follow")
    site.good()
    made = site.lab.new_chain(site.name, "mx", Chain("self"))
    site.lab.made[site.name, "mx"] = made
    site.lab.publish(site.name, {"mx": ("3 1 1",)})
    site.server().offer(made)
    site.forget()
    site.good()


def test_all_in_all_nothing_went_astray(run):
    """Whatever the tests above have done: no cleartext, but where it may be."""
    astray = [e for e in run.lab.arrivals.all()
              if not e.tls and e.scenario != "mitm-vanish"]
    assert astray == []
    evil = {e.rcpt.partition("@")[2] for e in run.lab.arrivals.all()
            if e.host.startswith("evil")}
    assert evil <= {"mitm-mx-unsigned.test", "mitm-mx-signed-evil.test"}
