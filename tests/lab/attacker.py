"""Somebody between us and the DNS, the policy host and the MX host of a domain.

    attack = Attacker(lab, "sts-attack-...")
    attack.begin("txt-none", "strip")    # words of WAYS, all at once
    attack.end()                         # everything is as it was

He has a domain of his own, EVIL, with a host, a policy host and certificates
of a known authority for them; he has none for other names, and no key of DNSSEC.
"""
from . import lies
from .pki import Chain
from .policy_host import MOVED, drip
from .sts import policy, status, whatever

EVIL = "sts-evil"
NONE = policy(mode="none")
LARGE = NONE + "x: " + "y" * 70000


def _lie(question, lie):
    return lambda attack: attack.lie(question, lie)


def _records(*texts):
    return _lie("_mta-sts TXT", lies.forged_txt(*texts))


def _site(**how):
    return lambda attack: attack.site.change(**how)


def _sin(name):
    return lambda attack: attack.server.change(name)


# What he does: for people, and to the laboratory.
WAYS = {
    "txt-none": ("the record is gone",
                 _lie("_mta-sts TXT", lies.nxdomain_unproved)),
    "txt-servfail": ("the record is not to be had",
                     _lie("_mta-sts TXT", lies.servfail)),
    "txt-refused": ("the record is refused", _lie("_mta-sts TXT", lies.refused)),
    "txt-bogus": ("the record is not as it was signed",
                  _lie("_mta-sts TXT", lies.flipped)),
    "txt-two": ("there are two records",
                _records("v=STSv1; id=1;", "v=STSv1; id=2;")),
    "txt-malformed": ("the record is malformed", _records("v=STSv1; id=;")),
    "txt-other": ("the record is of something else", _records("v=spf1 -all")),
    "txt-new": ("the record has a new id", _records("v=STSv1; id=666;")),
    "host-dead": ("the policy host is dead", _site(listens=False)),
    "host-moved": ("the policy host redirects",
                   _site(behave=status("302 Found", MOVED))),
    "host-missing": ("the policy host has none (404)",
                     _site(behave=status("404 Not Found"))),
    "host-broken": ("the policy is broken",
                    _site(text=NONE.replace("max_age: ", "max_age: -"))),
    "host-large": ("the policy is oversized", _site(text=LARGE)),
    "host-drip": ("the policy comes an octet at a time",
                  _site(behave=whatever(drip))),
    "host-self": ("the policy is none, the policy host's certificate signed by itself",
                  _site(text=NONE, chain=Chain("self"))),
    "host-other": ("the policy is none, the policy host's certificate another's",
                   _site(text=NONE, chain=Chain(names=("mta-sts.evil.test",)))),
    "host-evil": ("the policy host's address leads to him",
                  lambda attack: attack.lie("mta-sts A", attack.his("mta-sts"))),
    "mx-forged": ("the MX record names his host",
                  _lie("@ MX", lies.forged_mx(f"mx.{EVIL}.test"))),
    "mx-address": ("the MX host's address leads to him",
                   lambda attack: attack.lie("mx A", attack.his("mx"))),
    "mx-self": ("the MX host's certificate is signed by itself",
                lambda attack: attack.offer(Chain("self"))),
    "strip": ("STARTTLS is stripped",
              lambda attack: attack.server.stop_offering()),
    "refuse": ("STARTTLS is refused", _sin("starttls_refused")),
    "break": ("the handshake is broken", _sin("handshake_garbage")),
}
# What alone costs no mail, as long as there is a cached policy.
HARMLESS = tuple(way for way in WAYS if way.startswith(("txt-", "host-")))


class Attacker:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.site = lab.site(name)
        self.server = lab.server(name, "mx")
        self.lies = []

    def lie(self, question, lie):
        self.lies.append(question)
        self.lab.lie(self.name, question, lie)

    def his(self, host):
        return lies.forged_address(self.lab.address(EVIL, host))

    def offer(self, chain):
        self.server.offer(self.lab.new_chain(self.name, "mx", chain))

    def begin(self, *ways):
        for way in ways:
            WAYS[way][1](self)

    def end(self):
        for question in self.lies:
            self.lab.lie(self.name, question, None)
        self.lies.clear()
        self.site.change(self.lab.scenarios[self.name].sts)
        made = self.lab.made[self.name, "mx"]
        self.server.change(None)
        self.server.offer(made)
        self.server.certificate = made
