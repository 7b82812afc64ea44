"""A daemon that trusts the laboratory's root like any public authority.

DANE must not profit from that; the operator's levels verify and secure do.
"""
from ..pki import EXPIRED, Chain
from ..scenario import MISMATCH, OPERATOR_DANE, UNUSABLE, VERIFIED, mx, scenario

WITH = {"group": "roots"}


def rule(level, **more):
    return {"conf": {"tls {domain}": {"level": level, **more}}, **WITH}


# --- RFC 7672 3.2: with usable records, nothing but the records ---

scenario("trusted-foreign-ee", "RFC 7672 3.2", "7672-3.2-01 7672-9.1-02",
         "A certificate everybody trusts, and a 3 1 1 that does not match",
         mx(tlsa="3 1 1 other"), log=MISMATCH, **WITH)
scenario("trusted-foreign-ta", "RFC 7672 3.2", "7672-3.2-01",
         "A certificate everybody trusts, and a 2 0 1 that does not match",
         mx(tlsa="2 0 1 other"), log=MISMATCH, **WITH)
scenario("trusted-unsent-ta", "RFC 7672 3.1.2", "7672-3.2-01 7671-5.2.2-02",
         "2 0 1 of a root we have ourselves, and the host does not send",
         mx(tlsa="2 0 1", chain=Chain(send=("leaf", "inter"))), log=MISMATCH,
         **WITH)
scenario("trusted-pkix-usage", "RFC 7671 4.1", "7671-4.1-02 7672-3.1.3-02",
         "1 1 1 matches a certificate everybody trusts: still not authenticated",
         mx(tlsa="1 1 1"), to="mx", log=UNUSABLE, **WITH)
scenario("trusted-no-tlsa", "RFC 7672 2.2", "7672-2.2-07",
         "A certificate everybody trusts, and nobody asks for it",
         mx(), to="mx", log="may/encrypted/none/default", **WITH)
scenario("trusted-ta", "RFC 7672 3.1.2", "6698-2.1.1-01",
         "2 0 1 of a root nobody trusts but the records",
         mx(tlsa="2 0 1 other", chain=Chain("other-inter")), to="mx",
         log=VERIFIED, **WITH)

# --- RFC 7672 9.1: the operator's own wish ---

LOG = "pkix/{}/operator/operator-{}"
WISHES = {
    "verify": ("verify", {}, Chain(), True, "the host's name"),
    "verify-match": ("verify", {"match": ["partner.example"]},
                     Chain(names=("partner.example",)), True, "the name wished for"),
    "verify-match-below": ("verify", {"match": [".partner.example"]},
                           Chain(names=("a.partner.example",)), True,
                           "a name below the one wished for"),
    "verify-match-other": ("verify", {"match": ["partner.example"]}, Chain(), False,
                           "the host's name, another is wished for"),
    "verify-foreign": ("verify", {}, Chain(names=("elsewhere.example",)), False,
                       "another name"),
    "verify-expired": ("verify", {}, Chain(days=EXPIRED), False,
                       "the right name, expired"),
    "verify-gap": ("verify", {}, Chain(send=("leaf",)), False,
                   "the right name, no intermediate sent"),
    "verify-untrusted": ("verify", {}, Chain("other-inter"), False,
                         "the right name, from an authority nobody trusts"),
    "verify-self-signed": ("verify", {}, Chain("self"), False,
                           "the right name, signed by itself"),
    "secure-domain": ("secure", {}, Chain(names=("{domain}",)), True,
                      "the domain's name"),
    "secure-below": ("secure", {}, Chain(), True, "a name below the domain"),
    "secure-foreign": ("secure", {}, Chain(names=("mx.elsewhere.example",)), False,
                       "another name"),
}
for name, (level, more, chain, good, story) in WISHES.items():
    scenario(f"rule-trusted-{name}", "RFC 7672 9.1", "7672-9.1-03",
             f"level {level}; the certificate has {story}", mx(chain=chain),
             to="mx" if good else None, **rule(level, **more),
             log=LOG.format("verified" if good else "encrypted", level))

scenario("rule-trusted-both", "RFC 7672 9.1", "7672-9.1-03",
         "level verify on top of DANE: both are met", mx(tlsa="3 1 1"), to="mx",
         log="dane[+]pkix/verified/operator/operator-verify", **rule("verify"))
scenario("rule-trusted-both-foreign", "RFC 7672 9.1", "7672-3.2-01 7672-9.1-02",
         "level verify on top of DANE that does not match: nothing makes up for it",
         mx(tlsa="3 1 1 other"), **rule("verify"),
         log="dane[+]pkix/encrypted/operator/operator-verify")
scenario("rule-trusted-secure-dane", "RFC 7672 9.1", "7672-3.2-01 7672-9.1-02",
         "level secure: a certificate everybody trusts does not outweigh DANE",
         mx(tlsa="3 1 1 other"), **rule("secure"),
         log="dane/encrypted/operator/operator-secure")
scenario("rule-trusted-dane", "RFC 7672 2.2", "7672-2.2-11",
         "level dane, no TLSA: a certificate everybody trusts is no way out",
         mx(), **rule("dane"), log=OPERATOR_DANE, untouched=("mx",))
