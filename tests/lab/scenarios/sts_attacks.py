"""Domains with MTA-STS that test_lab_sts_attacker.py attacks after one good
delivery, and that test_lab_sts_changes.py changes.  Their records live a second.

The name of an attack says what he does, in the words of attacker.py; what stands
here is how things are before.
"""
from ..attacker import EVIL, WAYS
from ..pki import Chain
from ..scenario import (MAY_CLEAR, MAY_TLS, STS, STS_MISMATCH, STS_NO_MATCH, VERIFIED,
                        mx, scenario)
from ..sts import Sts, policy, status

OPEN = {"signed": False, "ttl": 1}
OWN = Chain("self")
KEPT = "8461-3.1-13 8461-3.3-14"

scenario(EVIL, "RFC 8461 10.2", "8461-3.3-14",
         "The attacker's own domain, with a policy of mode none",
         mx(), sts=Sts(policy(mode="none")), zone=OPEN, group="sts-attack",
         to="mx", log=MAY_TLS)

ATTACKS = (
    # at the host's door
    "strip", "refuse", "break", "mx-forged", "mx-address", "mx-self",
    # the record, and a host without TLS
    *(f"{txt} strip" for txt in (
        "txt-none", "txt-servfail", "txt-refused", "txt-bogus", "txt-two",
        "txt-malformed", "txt-other")),
    # a new id whose policy cannot be had, and another host
    *(f"txt-new {host} mx-forged" for host in (
        "host-dead", "host-moved", "host-missing", "host-broken", "host-large",
        "host-drip", "host-self", "host-other", "host-evil")),
    # whatever there is
    "txt-none host-dead mx-forged", "txt-none host-evil mx-address",
    "txt-servfail host-self mx-self", "txt-new host-other strip",
    "txt-two host-moved mx-self", "txt-new host-evil mx-address refuse",
    # what costs no mail
    "txt-none", "txt-servfail", "txt-bogus", "txt-two host-dead",
    "txt-new host-dead", "txt-new host-evil", "txt-new host-self",
    "txt-new host-other", "txt-new host-broken", "txt-malformed host-missing",
)


def named(attack):
    return "sts-attack-" + attack.replace(" ", "-")


for attack in ATTACKS:
    ways = attack.split()
    scenario(named(attack), "RFC 8461 10.2", KEPT,
             "Once delivered as it should be; then " +
             ", and ".join(WAYS[way][0] for way in ways),
             mx(), sts=Sts(), zone={"ttl": 1} if "txt-bogus" in ways else OPEN,
             group="sts-attack", to="mx", log=STS)


# --- what changes by itself ---

def changing(name, section, rows, story, one=mx(), **how):
    scenario(f"sts-change-{name}", f"RFC 8461 {section}", rows, story, one,
             **{"sts": Sts(), "zone": OPEN, "group": "sts-changes", "to": "mx",
                "log": STS, **how})


OTHERS = Sts(policy("mx2.{domain}"))
changing("twice", "3", "8461-3-01", "Two messages, one fetch")
changing("id", "5.1", "8461-3.1-06 8461-10.2-01",
         "A policy for another host; then a new id and a policy for ours",
         sts=OTHERS, to=None, log=STS_NO_MATCH)
changing("stricter", "5.1", "8461-3.1-06",
         "A policy for our host; then a new id and a policy for another")
changing("flood", "5.1", "8461-3.1-06", "An id that changes all the time")
changing("silent", "3.3", "8461-3.3-10 8461-3.3-13",
         "A policy host that says nothing", mx(chain=OWN), log=MAY_TLS)
changing("text", "5.1", "8461-5-05 8461-5.1-03",
         "A policy for another host; then mode none, and the same id",
         sts=OTHERS, to=None, log=STS_NO_MATCH)
changing("cert", "5.1", "8461-5-05 8461-5.1-03 8461-5.1-04",
         "A host with a certificate of its own; then mode none, and the same id",
         mx(chain=OWN), to=None, log=STS_MISMATCH)
changing("astray", "5.1", "8461-5.1-03",
         "Mode none at last, and its MX records cannot be had any more",
         mx(chain=OWN), zone={"signed": False, "ttl": 0}, to=None,
         log=STS_MISMATCH)
changing("down", "B", "8461-B-01 8461-5.1-04", "A host that is down",
         mx(listens=False), to=None, log="pkix/nothing/sts/sts")
changing("leave", "8.3", "8461-5-04", "A new id, and mode none")
changing("refresh", "3.3", "8461-3.3-15 8461-10.2-02",
         "A policy that is a day old, and the same id")
changing("refresh-fails", "3.3", "8461-3.3-14 8461-3.3-15",
         "A policy that is days old, and the policy host has gone")
changing("left", "10.2", "8461-3.3-16 8461-10.2-03",
         "A policy of mode none, and the policy host has gone",
         mx(chain=OWN), sts=Sts(policy(mode="none")), log=MAY_TLS)
changing("never", "10.2", "8461-3.3-16 8461-10.2-03",
         "A policy host that never had one", mx(chain=OWN),
         sts=Sts(behave=status("500 Internal Server Error")), log=MAY_TLS)
changing("expire", "5.1", "8461-5.1-01 8461-3.2-09",
         "A policy whose time has come")
changing("brief", "5.1", "8461-5.1-01 8461-3.2-09",
         "A policy of three seconds", sts=Sts(policy(max_age=3)))
changing("moment", "3.2", "8461-3.2-07", "A policy of no time at all",
         sts=Sts(policy(max_age=0)))
changing("clock", "5.1", "8461-3.2-09",
         "A clock that was an hour ahead, and is again")
changing("clock-short", "5.1", "8461-3.2-09",
         "A policy of half an hour, and a clock that is an hour ahead for a while",
         sts=Sts(policy(max_age=1800)))
changing("again", "3.3", "8461-3.3-09", "A policy that cannot be had, and then can",
         mx(chain=OWN), sts=Sts(behave=status("404 Not Found")), log=MAY_TLS)
changing("later", "3.1", "8461-3.3-13", "No record at first",
         mx(chain=OWN), sts=Sts(txt=()), log=MAY_TLS)
changing("unreadable", "5.1", "8461-3.3-14", "A cache that cannot be read")
changing("unreadable-dane", "2", "8461-2-01",
         "A cache that cannot be read, and DANE", mx(tlsa="3 1 1"),
         zone={"ttl": 1}, log=VERIFIED)
changing("unreadable-none", "5.1", "8461-3.3-14",
         "A cache that cannot be read, and nothing to read in it",
         mx(starttls=False), sts=None, log=MAY_CLEAR, clear=True)
