"""Unsigned domains, unsigned hosts, and both; proofs of absence."""
from .. import lies
from ..pki import Chain
from ..scenario import (MAY_CLEAR, MAY_TLS, MISMATCH, OLD_MX, OLD_MX_MISMATCH,
                        VERIFIED, host, mx, scenario)

UNSIGNED = {"signed": False}
OLD = "7672-2.2.1-06 7672-2.2.1-07 7672-2.2.1-09"

# --- RFC 7672 2.1.1: insecure is insecure, whatever the reason ---

STATES = {
    "unsigned": ({"zone": UNSIGNED}, "an unsigned zone in a signed one"),
    "opt-out": ({"zone": UNSIGNED, "tld": "example"},
                "an unsigned zone, its absence in the signed one opted out"),
    "unknown-algorithm": ({"zone": {"ds": "algorithm"}},
                          "a zone signed in a way nobody knows"),
    "unknown-digest": ({"zone": {"ds": "digest"}},
                       "a zone vouched for in a way nobody knows"),
    "island": ({"zone": {"ds": "none"}}, "a signed zone nobody vouches for"),
}
for name, (how, story) in STATES.items():
    scenario(f"insecure-{name}", "RFC 7672 2.1.1",
             "7672-2.1.1-02 7672-2.1.1-11 7672-2.2.2-03 6698-4.1-04 6698-4.1-01",
             f"TLSA of another certificate in {story}: it is not even asked for",
             mx(tlsa="3 1 1 other"), **how, to="mx", log=MAY_TLS,
             not_asked=("_{port}._tcp.mx TLSA",))
scenario("insecure-no-tls", "RFC 7672 2.2", "7672-2.2-07 7672-2.1.1-11",
         "An unsigned zone, a host without TLS: cleartext",
         mx(starttls=False, tlsa="3 1 1"), zone=UNSIGNED, to="mx",
         log=MAY_CLEAR, clear=True)
for name in ("servfail", "silence", "refused", "notimp"):
    scenario(f"insecure-tlsa-{name}", "RFC 7672 2.2.2", "7672-2.2.2-03",
             f"An unsigned zone whose servers answer TLSA with {name}: who cares",
             mx(), zone=UNSIGNED, to="mx", log=MAY_TLS,
             lies={"_{port}._tcp.mx TLSA": getattr(lies, name)},
             not_asked=("_{port}._tcp.mx TLSA",))
scenario("insecure-host", "RFC 7672 2.2.1", "7672-2.2.1-11 7672-2.2.2-03",
         "A signed domain, its host in an unsigned zone",
         mx("mx.~", tlsa="3 1 1 other"), zones={"~": UNSIGNED}, to="mx.~",
         log=MAY_TLS, not_asked=("_{port}._tcp.mx.~ TLSA",))
scenario("insecure-below-signed", "RFC 7672 2.1.1", "7672-2.1.1-02",
         "The host in an unsigned zone below the signed domain",
         mx("mx.open", tlsa="3 1 1 other"), zones={"open": UNSIGNED},
         to="mx.open", log=MAY_TLS)

scenario("no-anchor", "RFC 7672 2.1.1", "7672-2.1.1-05",
         "We have no trust anchor at all: nothing is secure, nothing is bogus",
         mx(tlsa="3 1 1 other"), group="blind", to="mx", log=MAY_TLS,
         not_asked=("_{port}._tcp.mx TLSA",))

# --- an insecure MX, a secure host with TLSA: RFC 7672 2.2.1 ---

scenario("old-mx", "RFC 7672 2.2.1", OLD, "An unsigned domain, a host with TLSA",
         mx("mx.~", tlsa="3 1 1"), zone=UNSIGNED, to="mx.~", log=OLD_MX,
         sni="mx.~")
scenario("old-mx-foreign", "RFC 7672 2.2.1", OLD,
         "An unsigned domain; its host's TLSA does not match",
         mx("mx.~", tlsa="3 1 1 other"), zone=UNSIGNED, log=OLD_MX_MISMATCH)
scenario("old-mx-no-tls", "RFC 7672 2.2.1", OLD,
         "An unsigned domain; its host has TLSA and no STARTTLS",
         mx("mx.~", tlsa="3 1 1", starttls=False), zone=UNSIGNED,
         log="dane/no-offer/dane/dane-insecure-mx")
scenario("old-mx-ta-host", "RFC 7672 3.2.2", "7672-3.2.2-05",
         "Insecure MX, DANE-TA: the host's name is the only one that counts",
         mx("mx.~", tlsa="2 0 1"), zone=UNSIGNED, to="mx.~", log=OLD_MX)
scenario("old-mx-ta-next-hop", "RFC 7672 3.2.2", "7672-3.2.2-05",
         "Insecure MX, DANE-TA: the domain's name does not count",
         mx("mx.~", tlsa="2 0 1", chain=Chain(names=("{domain}",))),
         zone=UNSIGNED, log=OLD_MX_MISMATCH)
scenario("old-mx-alias", "RFC 7672 3.2.2", "7672-3.2.2-05 7672-2.2.1-08",
         "Insecure MX, aliased host, DANE-TA: the last name counts",
         host("real.~", tlsa="2 0 1"), zone=UNSIGNED,
         records="@ MX 10 mx.~\nmx.~ CNAME real.~\n", to="real.~", log=OLD_MX,
         sni="real.~", keys={"host": "mx.~"})
scenario("old-mx-unsigned-alias", "RFC 7672 2.2.2", "7672-2.2.2-06",
         "Insecure MX, the host an unsigned alias of a signed one with TLSA",
         host("real.~", tlsa="3 1 1 other"), zone=UNSIGNED,
         records="@ MX 10 mx\nmx CNAME real.~\n", to="real.~", log=MAY_TLS)
scenario("old-mx-some", "RFC 7672 2.2.1", "7672-2.2.1-01 7672-2.2.1-03",
         "Insecure MX: the better host has no TLSA, the other has",
         mx("a"), mx("b.~", pref=20, tlsa="3 1 1"), zone=UNSIGNED, to="a",
         log=MAY_TLS, untouched=("b.~",))

# --- absence, proved: RFC 7672 2.1.1 ---

ABSENT = "7672-2.1.1-09 7672-2.2-07 7672-2.2.3-06"
PROOFS = {
    "nxdomain": ({}, "the name does not exist"),
    "nodata": ({"records": "_{port}._tcp.mx TXT other\n"},
               "the name has other records"),
    "empty-name": ({"records": "x._{port}._tcp.mx TXT other\n"},
                   "the name has nothing but names below it"),
    "nsec3-nxdomain": ({"zone": {"nsec3": True}}, "NSEC3, no such name"),
    "nsec3-nodata": ({"zone": {"nsec3": True},
                      "records": "_{port}._tcp.mx TXT other\n"},
                     "NSEC3, other records"),
    "nsec3-opt-out": ({"zone": {"nsec3": True, "opt_out": True}},
                      "NSEC3 with opt-out, no such name"),
    "wildcard-nodata": ({"records": "*._tcp.mx TXT other\n"},
                        "a wildcard has other records"),
}
for name, (how, story) in PROOFS.items():
    scenario(f"absent-{name}", "RFC 7672 2.1.1", ABSENT,
             f"TLSA is proved to be absent: {story}", mx(), **how, to="mx",
             log=MAY_TLS)
scenario("nsec3-present", "RFC 7672 2.2", "7672-2.2-03 6698-4.1-05",
         "A zone with NSEC3 has TLSA that matches", mx(tlsa="3 1 1"),
         zone={"nsec3": True}, to="mx", log=VERIFIED)
scenario("nsec3-foreign", "RFC 7672 2.2", "7672-2.2-03 6698-4.1-05",
         "A zone with NSEC3 and opt-out has TLSA that does not match",
         mx(tlsa="3 1 1 other"), zone={"nsec3": True, "opt_out": True},
         log=MISMATCH)
scenario("under-opt-out", "RFC 7672 2.2", "7672-2.2-03",
         "A signed domain below an opted-out one", mx(tlsa="3 1 1"),
         tld="example", to="mx", log=VERIFIED)
