"""What a report has to say of a scenario (RFC 8460 4.3, 4.4), from its facts.

    told = Told(lab)
    told.of(scenario)        # {next hop: [Policy, ...]}, one attempt to deliver

The policies are those of RFC 7672 and RFC 8461, judged each by itself; what a
host does, what it shows and what becomes of mail stands in the scenario.  Of
the code that is tested nothing is used.
"""
import re
from dataclasses import dataclass, field

from .names import Names, State
from .pki import AUTHORITIES
from .policy_host import answer
from .webpki import EXPIRED, NAME, OTHER, UNTRUSTED, below, defects

US = "mx.test.example"
OURS = "127.0.0.1"
TLSA, STS, NONE = "tlsa", "sts", "no-policy-found"
NO_TLS = "starttls-not-supported"
GENERAL = "validation-failure"
CERTIFICATE = {EXPIRED: "certificate-expired", NAME: "certificate-host-mismatch",
               UNTRUSTED: "certificate-not-trusted", OTHER: GENERAL}
LONGEST = 4096   # octets of a line of a policy, with the dots of one that is cut

NOT_OFFERED = ("ehlo_refused",)
REFUSED = ("starttls_refused", "starttls_554")
BROKEN = ("handshake_garbage", "starttls_garbage", "starttls_hangs", "starttls_closes",
          "starttls_injects", "starttls_needed_and_broken")
MUTE = ("greeting_never",)


@dataclass(frozen=True)
class Failure:
    """One of failure-details."""
    result: str
    host: str                # receiving-mx-hostname
    address: str = None      # of the host; None: nothing was connected to
    reason: str = ".+"       # a regular expression


@dataclass
class Policy:
    """One of policies, with what sessions under it came to."""
    kind: str
    domain: str
    strings: list = field(default_factory=list)
    mx: list = field(default_factory=list)
    good: int = 0
    failures: list = field(default_factory=list)

    def key(self):
        return self.kind, self.domain, tuple(self.strings), tuple(self.mx)


@dataclass
class Served:
    """What MTA-STS comes to for a domain: nothing, a failure, or a policy."""
    result: str = ""
    mode: str = "none"
    strings: list = field(default_factory=list)
    mx: list = field(default_factory=list)

    def names(self, host):
        """RFC 8461 4.1: a wildcard stands for one label."""
        return any(host == one or one.startswith("*.") and
                   host.partition(".")[2] == one[2:] for one in self.mx)


@dataclass
class Records:
    """TLSA records of a host: RFC 7672 2.2.2, 2.2.3."""
    base: str
    known: bool = True
    texts: list = field(default_factory=list)

    def usable(self):
        return any(map(usable, self.texts))


def usable(text):
    """RFC 7672 3.1, RFC 6698 4.1: usages 2 and 3, and data of its right size."""
    usage, selector, matching, data = text.split(" ")
    if usage not in "23" or selector not in "01" or matching not in "012":
        return False
    size = {"1": 64, "2": 128}.get(matching)
    return len(data) == size if size else len(data) > 100   # junk is shorter


def field_of(record):
    """RFC 8461 3.1: the fields of a record in order, or None."""
    grammar = r"v=STSv1(\s*;\s*[A-Za-z0-9][\w.-]{0,31}=[!-:<>-~]+)*\s*;?\s*"
    if not re.fullmatch(grammar, record):
        return None
    return [one.strip().split("=") for one in record.split(";")[1:] if one.strip()]


def has_record(records):
    """Exactly one that begins as one has to, and it has an id."""
    ours = [one for one in records if one.startswith("v=STSv1;")]
    fields = field_of(ours[0]) if len(ours) == 1 else None
    ids = [value for name, value in fields or () if name == "id"]
    return bool(ids) and re.fullmatch(r"[A-Za-z0-9]{1,32}", ids[0]) is not None


def read_policy(text):
    """RFC 8461 3.2: its fields, the first of each and all mx; None: it is bad."""
    found, mx = {}, []
    for line in filter(None, re.split(r"\r?\n", text)):
        got = re.fullmatch(r"([A-Za-z0-9][\w.-]{0,31}):[ \t]*(.*?)[ \t]*", line)
        if not got:
            return None
        name, value = got.groups()
        found.setdefault(name, value)
        mx += [value] if name == "mx" else []
    label = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
    good = (found.get("version") == "STSv1" and
            found.get("mode") in ("enforce", "testing", "none") and
            re.fullmatch(r"[0-9]{1,10}", found.get("max_age", "")) and
            all(re.fullmatch(rf"(\*\.)?{label}(\.{label})+", one) for one in mx) and
            (mx or found["mode"] == "none"))
    return Served("", found["mode"], lines_of(text), [one.lower() for one in mx]) \
        if good else None


def lines_of(text):
    """As they are served (RFC 8460 4.5); a long one is cut."""
    return [line if len(line) <= LONGEST else line[:LONGEST - 3] + "..."
            for line in re.split(r"\r?\n", text) if line]


def next_hop(lab, s):
    """(its name, with its last dot; "smtp" where the operator wrote it down, "mx"
    else; the port).  Without a name, as by an address, nobody asks for reports."""
    domain = lab.recipient(s).partition("@")[2]
    via = next((v["via"] for k, v in s.conf.items() if k.startswith("route ")),
               f"mx:{domain}")
    kind, _, target = lab.fill(s, via).partition(":")
    port = lab.port
    if kind == "smtp":
        target, _, port = target.rpartition(":")
    name = "" if target.startswith("[") else target.lower().rstrip(".") + "."
    return name, kind, int(port)


def level(s):
    """(the operator's level, its enforcement) for the domain."""
    rule = next((v for k, v in s.conf.items() if k.startswith("tls ")), {})
    ended = rule.get("until", "9999") < "2025"
    return (None if ended else rule.get("level")), rule.get("enforcement")


class Told:
    """Of the scenarios of a laboratory, one message to each."""

    def __init__(self, lab):
        self.lab = lab
        self.all, self.blind = Names(lab), Names(lab, blind=True)
        self.hosts = {lab.address(s.name, h.name): (s, h)
                      for s in lab.scenarios.values() for h in s.hosts}

    def of(self, s):
        """{next hop: policies}; {}: there is nothing to report."""
        names = self.blind if s.group == "blind" else self.all
        hop = Hop(self, s, names)
        if not hop.name or "TLS-Required" in s.header or \
                level(s)[0] in ("none", "opportunistic"):
            return {}
        hop.go()
        return {hop.name.rstrip("."): hop.policies} if hop.policies else {}


class Hop:
    """The way of one message: where to, and what is found there."""

    def __init__(self, told, s, names):
        self.told, self.lab, self.s, self.names = told, told.lab, s, names
        self.policies = []
        self.name, self.kind, self.port = next_hop(told.lab, s)

    def go(self):
        for host in self._ordered():
            if self.visit(host):
                return

    def _ordered(self):
        """The hosts, the better first: RFC 5321 5.1, RFC 7505."""
        if self.kind == "smtp":
            self.trust = State.SECURE
            return [self.name]
        found = self.names.look(self.name, "MX")
        self.trust = found.state
        if not found.state.known:
            return []    # no host, so no session with one
        if not found.data:
            return [self.name]
        us = min((pref for pref, host in found.data if host == US + "."), default=1 << 16)
        hosts = sorted((pref, not self._met(host), host) for pref, host in found.data
                       if pref < us and host != ".")
        return [host for _, _, host in hosts]

    def _met(self, host):
        """Was it connected to?  Of two hosts of one preference, nobody else knows
        which was the first."""
        return any(self._connections(address)
                   for address in self.names.addresses(host).data)

    def _connections(self, address):
        other, h = self.told.hosts.get(address, (None, None))
        server = h and self.lab.servers.get((other.name, h.name))
        return server.connections if server else 0

    # --- what is known of a host before it is connected to ---

    def records(self, host, where):
        """Which TLSA records are its: RFC 7672 2.2.2, 2.2.3."""
        aliased = where.name != host
        bases = [where.name] if where.state == State.SECURE else []
        if aliased and where.first == State.SECURE:
            bases.append(host)
        for base in bases:
            found = self.names.look(f"_{self.port}._tcp.{base}", "TLSA")
            if not found.state.known:
                return Records(host.rstrip("."), False)
            if found.data and found.state == State.SECURE:
                return Records(base.rstrip("."), True, found.data)
        return Records(host.rstrip("."))

    def served(self):
        """RFC 8461 3: the policy of the next hop."""
        state, texts = self.names.texts("_mta-sts." + self.name)
        if not state.known or not has_record(texts):
            return Served()
        where = self.names.look("mta-sts." + self.name, "A")
        spec = self.s.sts
        if not where.state.known or not where.data or not spec.listens:
            return Served("sts-policy-fetch-error")
        if spec.versions[1] < "TLSv1_2":
            return Served("sts-policy-fetch-error")   # nobody was judged
        host = self.lab.full_name(self.s, spec.host).rstrip(".")
        if defects(self.lab.pki, spec.chain, ("mta-sts." + self.name).rstrip("."),
                   host=host, domain=self.s.domain):
            return Served("sts-webpki-invalid")
        # What a host does beside serving is known to who wrote the scenario.
        if spec.behave is not answer and not self.s.keys.get("sts") and \
                not self.s.log.startswith("pkix"):
            return Served("sts-policy-fetch-error")
        text = self.lab.fill(self.s, spec.text)
        if len(text.encode("utf-8", "surrogateescape")) > 65536:
            return Served("sts-policy-fetch-error")
        return read_policy(text) or Served("sts-policy-invalid")

    # --- a host ---

    def visit(self, host):
        """Try one; did it end there?"""
        where = self.names.addresses(host)
        name = host.rstrip(".")
        literal = re.fullmatch(r"[0-9.]+", name)
        if literal:
            where.state, where.data = State.INSECURE, [name]
        if where.state == State.BOGUS:
            self.fail(TLSA, name, Failure("dnssec-invalid", name))
        if not where.state.known or not where.data:
            return False
        records = Records("") if literal else self.records(host, where)
        sts = self.served()
        if self._ruled_out(name, records, sts):
            return False
        for address in where.data:
            self._session(name, address, records, sts, len(where.data) > 1)
        return self._ends(where.data)

    def _ends(self, addresses):
        """Does the message stay there?"""
        for address in addresses:
            s, h = self.told.hosts.get(address, (None, None))
            if h is None or s.name != self.s.name or h.name == self.s.to:
                return True
        later = [h.name for h in self.s.hosts if h.name in self.s.untouched]
        return bool(h.name in self.s.shown and later and not self.s.to)

    def _ruled_out(self, name, records, sts):
        """By a lookup, a policy or a demand, before anything is connected to."""
        demand, enforcement = level(self.s)
        audit = "audit" in (enforcement or self.s.group)
        secure = records.usable() and self.trust == State.SECURE
        if not records.known and not audit:
            self.fail(TLSA, records.base, Failure("dnssec-invalid", name))
        if not records.known:
            return not audit
        if sts.mode == "enforce" and not sts.names(name) and not secure and not audit:
            self.fail(STS, self.name, Failure(GENERAL, name), sts)
            return True
        if demand == "dane" and not secure:
            result = "tlsa-invalid" if records.texts and not records.usable() \
                else "dane-required"
            self.fail(TLSA, records.base, Failure(result, name), records)
            return True
        return self._not_vouched_for(name, secure, sts)

    def _not_vouched_for(self, name, secure, sts):
        """RFC 8689 2: for whom REQUIRETLS cannot be kept, nobody is called."""
        graded = any("requiretls" in rule for rule in self.s.conf.values())
        return bool(self.s.params and not graded and self.trust != State.SECURE and
                    not secure and not (sts.mode == "enforce" and sts.names(name)))

    def _session(self, name, address, records, sts, several):
        """One connection, under each policy that there is."""
        s, h = self.told.hosts.get(address, (None, None))
        if h is None or not h.listens or h.sin in MUTE or \
                several and not self._connections(address):
            return
        no_tls = without_tls(h)
        told = not records.known or bool(records.texts)
        if not records.known:   # RFC 7672 2.1.2; audit went there all the same
            self.judge(TLSA, records.base, name, address, None,
                       ("dnssec-invalid", ".+"))
        elif records.texts:
            self.judge(TLSA, records.base, name, address, records,
                       no_tls or self._by_records(s, h, records))
        if sts.mode != "none":
            told = True
            self.judge(STS, self.name, name, address, sts,
                       self._by_policy(s, h, name, sts, no_tls))
        elif sts.result:
            told = True
            self.judge(STS, self.name, name, address, sts, (sts.result, ".*"))
        if not told:
            self.judge(NONE, self.name, name, address, None, no_tls)

    def _by_records(self, s, h, records):
        """None, or (result, reason): RFC 7672 3.2, RFC 8460 4.3.2.1."""
        if not records.usable():
            return "tlsa-invalid", "no usable TLSA records"
        if self._matches(s, h):
            return None
        return self._short_of(s, h), ".+"

    def _short_of(self, s, h):
        """What a certificate is called that no record vouches for.  Below an
        anchor it can be said what is wrong; else nobody knows whether it is the
        record or the certificate."""
        texts = h.tlsa or re.findall(rf"{{tlsa:{h.name} ([^}}]*)}}", s.records)
        strongest = max((text.split()[2] for text in texts), default="")  # RFC 7671 9
        for text in texts:
            usage, _, matching, *words = text.split()
            if matching not in ("0", strongest):
                continue
            anchor = words[0] if words else "root"
            wrong = below(self.lab.pki, h.chain, anchor, matching != "0") \
                if usage == "2" and anchor in AUTHORITIES else None
            if wrong is not None:
                return CERTIFICATE[[*wrong, NAME][0]]
        return GENERAL

    def _matches(self, s, h):
        """The scenario says so, where there is one host; else its records do."""
        wanted, _, rest = self.s.log.partition("/")
        if len(self.s.hosts) <= 1 and re.search("dane|encrypt", wanted) and \
                "+" not in wanted:
            return rest.startswith("verified")
        return any(not re.search(r"other|flip|hex|cut|pad", text) for text in h.tlsa)

    def _by_policy(self, s, h, name, sts, no_tls):
        """None, or (result, reason): RFC 8461 4.1, 4.2."""
        if not sts.names(name):
            return GENERAL, "the policy does not name this MX host"
        if no_tls:
            return no_tls
        real = self.lab.full_name(s, h.name).rstrip(".")
        wrong = defects(self.lab.pki, h.chain, name, host=real, domain=s.domain)
        return (CERTIFICATE[wrong[0]], ".+") if wrong else None

    # --- writing down ---

    def policy(self, kind, domain, what):
        made = Policy(kind, domain.rstrip("."), sorted(getattr(what, "texts", [])) or
                      list(getattr(what, "strings", [])), list(getattr(what, "mx", [])))
        for one in self.policies:
            if one.key() == made.key():
                return one
        self.policies.append(made)
        return made

    def judge(self, kind, domain, name, address, what, wrong):
        if wrong is None:
            self.policy(kind, domain, what).good += 1
        else:
            self.fail(kind, domain, Failure(wrong[0], name, address, wrong[1]), what)

    def fail(self, kind, domain, failure, what=None):
        self.policy(kind, domain, what).failures.append(failure)


def without_tls(h):
    """None, or (result, reason): RFC 8460 4.3.1, 4.3.3."""
    if not h.starttls or h.sin in NOT_OFFERED:
        return NO_TLS, ""
    if h.sin in REFUSED:
        return NO_TLS, "STARTTLS was refused"
    if h.sin in BROKEN or h.versions[1] < "TLSv1_2" or \
            h.sni_only and not any("domain" in name or "mx" in name or "real" in name
                                   for name in h.sni):
        return GENERAL, ".+"
    return None
