"""A scenario: a domain, its DNS and its hosts, and what has to become of mail.

    scenario("ee-key-sha256", "RFC 7672 3.1.1", "7672-3.1.1-01",
             "3 1 1 matches: that is all a host has to show",
             mx(tlsa="3 1 1"), to="mx", log=VERIFIED)

The name is the domain's (ee-key-sha256.test) and the test's.  A new one goes
into a file of scenarios/; nothing else is to be done.

Text is filled in: {domain}, {port} and {port2} of the hosts, {addr:mx} the
address of a host ({addr:other/mx}: of another scenario, {addr:mta-sts}: of the
policy host), {tlsa:mx 3 1 1} the data of a TLSA record for the certificates of
host mx.

A name is relative to the domain.  "mx.~" is in another signed zone, beside the
domain: NAME-provider.test; it is there when the scenario speaks of it, and text
that wants its name without a dot at the end says {provider}.

TLSA data is said in words: "USAGE SELECTOR TYPE [what] [change]...".  what is
"leaf" (default for usages 1 and 3), an authority of pki.py (default "root"),
or the name of another host for its leaf.  A change is flip (the last octet is
another), cut:N, pad:N (this many octets), or hex:DIGITS for the whole.
"""
from dataclasses import dataclass, field

from .pki import Chain
from .sts import Sts

# tls= of the line event=delivery: wanted/got/source/rule; regular expressions.
VERIFIED = "dane/verified/dane/dane"
MISMATCH = "dane/encrypted/dane/dane"
NO_OFFER = "dane/no-offer/dane/dane"
REFUSED = "dane/refused/dane/dane"
BROKEN = "dane/broken/dane/dane"
UNUSABLE = "encrypt/encrypted/dane/tlsa-unusable"
MAY_TLS = "may/encrypted/none/default"
MAY_CLEAR = "may/no-offer/none/default"
MAY_REFUSED = "may/refused/none/default"
MAY_BROKEN = "may/broken/none/default"
OLD_MX = "dane/verified/dane/dane-insecure-mx"
OLD_MX_MISMATCH = "dane/encrypted/dane/dane-insecure-mx"
NO_TLSA_ANSWER = "defer/nothing/dane/tlsa-lookup"
NO_ADDRESS_ANSWER = "defer/nothing/dns/address-lookup"
NO_MX_ANSWER = "defer/nothing/dns/mx-lookup"

OPERATOR_DANE = "defer/nothing/operator/operator-dane"

STS = "pkix/verified/sts/sts"
STS_MISMATCH = "pkix/encrypted/sts/sts"
STS_NO_OFFER = "pkix/no-offer/sts/sts"
STS_REFUSED = "pkix/refused/sts/sts"
STS_BROKEN = "pkix/broken/sts/sts"
STS_NO_MATCH = "defer/nothing/sts/sts-no-match"
BOTH = "dane[+]pkix/verified/dane/dane-and-sts"
BOTH_MISMATCH = "dane[+]pkix/encrypted/dane/dane-and-sts"

SCENARIOS = {}


@dataclass
class Host:
    """An SMTP server; pref: of its MX record, None when it has none."""
    name: str = "mx"
    pref: int = 10
    tlsa: tuple = ()             # texts, see above; at _PORT._tcp.NAME
    chain: Chain = Chain()
    sni: dict = field(default_factory=dict)   # {name: other Chain}
    sni_only: bool = False       # an alert for every other name
    starttls: bool = True        # False: not offered
    versions: tuple = ("TLSv1_2", "TLSv1_3")
    sin: str = None              # a method of the sinks' Sins
    address: bool = True         # False: no A record
    listens: bool = True         # False: connections are refused
    port: str = "port"           # or "port2"


def mx(name="mx", **how):
    """A host with an MX record."""
    tlsa = how.pop("tlsa", ())
    return Host(name, tlsa=(tlsa,) if isinstance(tlsa, str) else tuple(tlsa),
                **how)


def host(name, **how):
    """A host without one."""
    return mx(name, pref=None, **how)


@dataclass
class Scenario:
    name: str
    section: str
    rows: tuple
    story: str
    hosts: tuple
    tld: str = "test"
    records: str = ""            # lines of a zone file, relative to the domain
    zone: dict = field(default_factory=dict)    # of the domain, see SignedTree
    zones: dict = field(default_factory=dict)   # {"below": {...}}
    lies: dict = field(default_factory=dict)    # {"name TYPE": lies.servfail}
    sts: Sts = None              # what it says of MTA-STS; None: nothing
    conf: dict = field(default_factory=dict)    # of danelaw.conf
    rcpt: str = "user@{domain}"
    params: str = ""             # of MAIL FROM, " REQUIRETLS"
    header: str = ""             # lines above those of every message
    group: str = "all"           # scenarios of a group share a daemon
    # What has to come out:
    to: str = None               # the host that gets the message, None: nobody
    outcome: str = None          # of the log line; None: as `to` says
    log: str = ".*"              # its tls=, a regular expression
    keys: dict = field(default_factory=dict)    # more of its keys
    clear: bool = False          # it came in cleartext; None: either way
    sni: str = None              # what the host saw, "-" for none
    shown: tuple = ()            # hosts that may see an envelope in vain
    untouched: tuple = ()        # hosts nobody may connect to
    fetched: bool = None         # was the policy host asked?  None: either way
    asked: tuple = ()            # ("name TYPE", ...) that was looked up
    not_asked: tuple = ()
    why: str = None              # a regular expression for reason= or why=

    @property
    def domain(self):
        return f"{self.name}.{self.tld}"

    @property
    def provider(self):
        """The zone "~", with its last dot."""
        return f"{self.name}-provider.{self.tld}."

    @property
    def expected(self):
        """The outcome= of the log line."""
        return self.outcome or ("delivered" if self.to else "deferred")

    def in_words(self):
        """What has to happen, for people."""
        if self.to:
            over = "in cleartext" if self.clear else "over TLS"
            name = self.to.replace("~", self.provider).rstrip(".")
            return f"to {name} {over}"
        return self.expected


def scenario(name, section, rows, story, *hosts, **how):
    """Add one; see Scenario for what there is to say."""
    if name in SCENARIOS:
        raise ValueError(f"two scenarios called {name}")
    made = Scenario(name, section, tuple(rows.split()), story, hosts, **how)
    if "~" in made.records or any("~" in h.name for h in hosts):
        made.zones.setdefault("~", {})
    SCENARIOS[name] = made
    return made
