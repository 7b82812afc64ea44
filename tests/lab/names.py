"""What a validating resolver has to say of the laboratory's names, by itself.

    names = Names(lab)
    answer = names.look("mx.a.test.", "A")
    answer.state, answer.data, answer.name, answer.first

RFC 4035 5 in few words, from the zones as they are written and the lies that
are told of them: nothing is asked, and nothing of Danelaw is used.
"""
import enum
import re
from dataclasses import dataclass, field

from . import lies

HOPS = 12
# RFC 8460 4.3.2.1 speaks of records that are not valid: what is lost on the
# way is another matter.
LOST = (lies.servfail, lies.refused, lies.notimp, lies.formerr, lies.silence,
        lies.garbage, lies.cut_rdata, lies.never_whole)


class State(enum.IntEnum):
    """How an answer is to be taken; the lowest of a chain is that of all."""
    LOST = 0
    BOGUS = 1
    INSECURE = 2
    SECURE = 3

    @property
    def known(self):
        return self >= State.INSECURE


@dataclass
class Answer:
    """name: the last of the aliases; first: the state of the first of them."""
    state: State
    name: str
    data: list = field(default_factory=list)
    first: State = State.SECURE


def of_zone(how):
    """The state of a zone that is signed like this: see SignedTree."""
    if how.get("expired") or how.get("early") or how.get("strip") or \
            how.get("ds") == "wrong":
        return State.BOGUS
    if how.get("signed") is False or how.get("ds") in ("algorithm", "digest", "none"):
        return State.INSECURE
    return State.SECURE


class Names:
    """All zones of a laboratory; blind: to one that has no trust anchor."""

    def __init__(self, lab, blind=False):
        self.lab, self.blind = lab, blind
        self.zones, self.records, self.spoilt, self.lies = {}, {}, [], {}
        self.known = set()   # owners, and what stands above them
        for s in lab.scenarios.values():
            how = {lab.full_name(s, ""): s.zone,
                   **{lab.full_name(s, n): z for n, z in s.zones.items()}}
            for zone, text in lab.zone_texts(s).items():
                self.zones[zone] = of_zone(how[zone])
                self.spoilt += how[zone].get("spoil", ())[:1]
                for line in text.splitlines()[1:]:
                    self._add(s, *line.split(None, 2))
            for text, lie in s.lies.items():
                self.lies[lab.question(s, text)] = lie

    def _add(self, s, owner, kind, data):
        if kind == "TYPE52":   # RFC 3597: \# 3 USMMTT
            numbers = bytes.fromhex(data.split()[-1])
            kind, data = "TLSA", "{} {} {} ".format(*numbers)
        if kind in ("CNAME", "DNAME"):
            data = self.lab.full_name(s, data).lower()
        elif kind == "MX":
            pref, host = data.split()
            data = int(pref), self.lab.full_name(s, host).lower()
        owner = self.lab.full_name(s, owner).lower()
        self.records.setdefault((owner, kind), []).append(data)
        while owner:
            self.known.add(owner)
            owner = owner.partition(".")[2]

    def zone_of(self, name):
        while name and name not in self.zones:
            name = name.partition(".")[2]
        return name

    def _of_zone(self, name):
        """The state of a zone, by those above it, too."""
        if self.blind:
            return State.INSECURE
        zone = self.zone_of(name)
        if not zone:
            return State.SECURE
        if self.lies.get((zone, "DNSKEY")) is lies.silence:
            return State.LOST   # to wait in vain shows nothing: RFC 8460 4.3.4
        if (zone, "DNSKEY") in self.lies or (zone, "DS") in self.lies:
            return State.BOGUS
        above = self._of_zone(zone.partition(".")[2])
        return min(self.zones[zone], above)

    def _lied_about(self, name, kind, state):
        """What becomes of a question about which somebody lies, or None."""
        lie = self.lies.get((name, kind))
        if lie is None or lie is lies.tcp_only:
            return None
        if lie is lies.empty and state == State.INSECURE:
            return State.INSECURE
        if lie in LOST:
            return State.LOST
        return State.BOGUS if state == State.SECURE else None

    def _owner(self, name):
        """The owner of what is said of a name: itself, or a wildcard."""
        above = name
        while above and above not in self.known:
            above = above.partition(".")[2]
        return name if above == name else "*." + above

    def _dname(self, name):
        above = name.partition(".")[2]
        while above:
            for target in self.records.get((above, "DNAME"), []):
                return name.removesuffix(above) + target
            above = above.partition(".")[2]
        return None

    def look(self, name, kind):
        """Follow aliases to the end; no data: there is none, and that is proved."""
        name = name.lower()
        answer = Answer(State.SECURE, name)
        for hop in range(HOPS):
            state = self._of_zone(name)
            lied = self._lied_about(name, kind, state)
            answer.state = min(answer.state, state if lied is None else lied)
            answer.name = name
            if hop == 0:
                answer.first = answer.state
            if not answer.state.known:
                return answer
            if lied is not None:
                return answer   # that there is nothing
            owner = self._owner(name)
            answer.data = self.records.get((owner, kind), [])
            if any(spoil in str(one) for spoil in self.spoilt for one in answer.data):
                answer.state = State.BOGUS
            alias = self.records.get((owner, "CNAME"), [self._dname(name)])[0]
            if answer.data or alias is None:
                return answer
            name = alias
        answer.state = State.LOST
        return answer

    def addresses(self, name):
        """Both kinds: RFC 7672 2.1.2 wants to know all of it."""
        four, six = self.look(name, "A"), self.look(name, "AAAA")
        four.state = min(four.state, six.state)
        return four

    def texts(self, name):
        """(state, the TXT records, their strings joined)"""
        answer = self.look(name, "TXT")
        return answer.state, ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', one))
                              for one in answer.data]
