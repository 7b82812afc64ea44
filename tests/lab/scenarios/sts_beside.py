"""MTA-STS beside DANE, the sender's wish, the operator's rules and audit."""
from .. import lies
from ..pki import EXPIRED, Chain
from ..scenario import (BOTH, BOTH_MISMATCH, BROKEN, MAY_CLEAR, MISMATCH,
                        NO_OFFER, NO_TLSA_ANSWER, OLD_MX, OLD_MX_MISMATCH,
                        OPERATOR_DANE, STS, STS_MISMATCH, STS_NO_MATCH,
                        STS_NO_OFFER, UNUSABLE, VERIFIED, mx, scenario)
from ..sts import Sts, policy, status
from .nexthops import operator, tls

OPEN = {"signed": False}
OWN = Chain("self")
OTHERS = Sts(policy("mx2.{domain}"))
TESTING = Sts(policy(mode="testing"))
WAIVER = "TLS-Required: No\r\n"


def sts(name, rfc, section, rows, story, *hosts, **how):
    scenario(f"sts-{name}", f"RFC {rfc} {section}", rows, story, *hosts,
             **{"sts": Sts(), "group": "sts", **how})


# --- DANE under secure MX records decides alone: RFC 8461 2 ---

def dane(name, story, *hosts, rows="8461-2-01", **how):
    sts(f"dane-{name}", 8461, "2", rows, story, *hosts, **how)


dane("and", "DANE and MTA-STS, and the host does both", mx(tlsa="3 1 1"),
     to="mx", log=VERIFIED, sni="mx",
     keys={"sts": "match/passed"})
dane("own-cert", "A certificate by its TLSA record alone, and a policy",
     mx(tlsa="3 1 1", chain=Chain("self", names=(), days=EXPIRED)), to="mx",
     log=VERIFIED,
     keys={"sts": "match/certificate"})
dane("not-named", "TLSA matches, the policy names another host",
     mx(tlsa="3 1 1"), sts=OTHERS, to="mx", log=VERIFIED,
     keys={"sts": "no-match/host-not-named"})
dane("foreign", "TLSA does not match; what the policy wants is all there",
     mx(tlsa="3 1 1 other"), log=MISMATCH,
     keys={"sts": "match/passed"})
dane("foreign-ta", "The same with DANE-TA", mx(tlsa="2 0 1 other"), log=MISMATCH)
dane("no-tls", "TLSA, a policy, and no STARTTLS", mx(tlsa="3 1 1", starttls=False),
     log=NO_OFFER)
dane("garbage", "TLSA, a policy, and a broken handshake",
     mx(tlsa="3 1 1", sin="handshake_garbage"), log=BROKEN)
dane("foreign-testing", "TLSA does not match, mode testing: no less refused",
     mx(tlsa="3 1 1 other"), sts=TESTING, log=MISMATCH)
dane("foreign-none", "TLSA does not match, mode none: no less refused",
     mx(tlsa="3 1 1 other"), sts=Sts(policy(mode="none")), log=MISMATCH,
     keys={"sts": ""})
dane("servfail", "No answer about TLSA; the policy is content",
     mx(tlsa="3 1 1"), lies={"_{port}._tcp.mx TLSA": lies.servfail},
     log=NO_TLSA_ANSWER, untouched=("mx",))
dane("no-policy-host", "TLSA matches, the policy host is dead", mx(tlsa="3 1 1"),
     sts=Sts(listens=False), to="mx", log=VERIFIED,
     keys={"sts": ""})
dane("second", "The policy names both, TLSA matches at the second",
     mx("a", tlsa="3 1 1 other"), mx("b", pref=20, tlsa="3 1 1"), to="b",
     sts=Sts(policy("a.{domain}", "b.{domain}")), log=VERIFIED)
dane("first-only", "TLSA at the first, which does not match; the second has what "
     "the policy wants", mx("a", tlsa="3 1 1 other"), mx("b", pref=20), to="b",
     sts=Sts(policy("*.{domain}")), log=STS)
dane("first-other", "The same, and the policy does not name the second",
     mx("a", tlsa="3 1 1 other"), mx("b", pref=20, chain=OWN),
     sts=Sts(policy("a.{domain}")), log=f"{MISMATCH}|{STS_NO_MATCH}",
     untouched=("b",))
# TLSA records of which none is usable do not suspend a policy
dane("unusable", "No usable TLSA record, a certificate the policy wants",
     mx(tlsa="3 1 1 cut:31"), to="mx", log=STS)
dane("unusable-cert", "No usable TLSA record, a certificate nobody vouches for",
     mx(tlsa="3 1 1 cut:31", chain=OWN), log=STS_MISMATCH)
dane("unusable-not-named", "No usable TLSA record, the policy names another host",
     mx(tlsa="0 0 1"), sts=OTHERS, log=STS_NO_MATCH, untouched=("mx",))
dane("unusable-testing", "No usable TLSA record, mode testing",
     mx(tlsa="1 1 1", chain=OWN), sts=TESTING, to="mx", log=UNUSABLE)

# --- DANE under insecure MX records: both must pass ---


def both(name, story, *hosts, **how):
    sts(f"both-{name}", 7672, "2.2.1", "8461-2-01 8461-5-01", story, *hosts,
        **{"zone": OPEN, "sts": Sts(policy("mx.{provider}")), **how})


both("pass", "An unsigned domain, a host with TLSA that matches, a policy",
     mx("mx.~", tlsa="3 1 1"), to="mx.~", log=BOTH, sni="mx.~")
both("ta", "The same with DANE-TA", mx("mx.~", tlsa="2 0 1"), to="mx.~", log=BOTH)
both("foreign", "TLSA does not match, the policy is content",
     mx("mx.~", tlsa="3 1 1 other"), log=BOTH_MISMATCH)
both("cert", "TLSA matches, no authority we know has signed it",
     mx("mx.~", tlsa="3 1 1", chain=OWN), log=BOTH_MISMATCH)
both("expired", "TLSA matches, the certificate has expired",
     mx("mx.~", tlsa="3 1 1", chain=Chain(days=EXPIRED)), log=BOTH_MISMATCH)
both("name", "TLSA matches, the certificate is for another name",
     mx("mx.~", tlsa="3 1 1", chain=Chain(names=("elsewhere.example",))),
     log=BOTH_MISMATCH)
both("no-tls", "TLSA, a policy, and no STARTTLS",
     mx("mx.~", tlsa="3 1 1", starttls=False),
     log="dane[+]pkix/no-offer/dane/dane-and-sts")
both("not-named", "TLSA matches, the policy names another host",
     mx("mx.~", tlsa="3 1 1"), sts=OTHERS, log=STS_NO_MATCH, untouched=("mx.~",))
both("testing", "TLSA matches, mode testing, a certificate of its own",
     mx("mx.~", tlsa="3 1 1", chain=OWN), to="mx.~", log=OLD_MX,
     keys={"sts": "testing-match/certificate"},
     sts=Sts(policy("mx.{provider}", mode="testing")))
both("testing-foreign", "TLSA does not match, mode testing",
     mx("mx.~", tlsa="3 1 1 other"), log=OLD_MX_MISMATCH,
     sts=Sts(policy("mx.{provider}", mode="testing")))
both("servfail", "No answer about TLSA, the policy is content",
     mx("mx.~", tlsa="3 1 1"), log=NO_TLSA_ANSWER, untouched=("mx.~",),
     lies={"_{port}._tcp.mx.~ TLSA": lies.servfail})

# --- the sender's wish: RFC 8689 ---

OFFERS = {"sin": "requiretls"}


def wants(name, section, story, *hosts, **how):
    sts(f"rtls-{name}", 8689, section, "8689-2-04", story, *hosts,
        **{"zone": OPEN, "params": " REQUIRETLS", **how})


wants("enforce", "2", "REQUIRETLS: the policy vouches for the host's name",
      mx(**OFFERS), to="mx", log=STS)
wants("missing", "4.2.1", "REQUIRETLS: the host does not offer it", mx(),
      outcome="failed", log=STS, keys={"dsn": "5.7.30"})
wants("cert", "2", "REQUIRETLS: the certificate proves nothing",
      mx(chain=OWN, **OFFERS), log=STS_MISMATCH)
wants("not-named", "2", "REQUIRETLS: the policy names another host",
      mx(**OFFERS), sts=OTHERS, log=STS_NO_MATCH, untouched=("mx",))
wants("testing", "2", "REQUIRETLS: a policy that enforces nothing vouches for nothing",
      mx(**OFFERS), sts=TESTING, outcome="failed", keys={"dsn": "5.7.10"},
      log="defer/nothing/sender/requiretls", untouched=("mx",))
wants("no-policy", "2", "REQUIRETLS: the policy cannot be had", mx(**OFFERS),
      sts=Sts(behave=status("404 Not Found")), keys={"dsn": "4.7.5"},
      log="defer/nothing/sender/requiretls", untouched=("mx",))
wants("no-answer", "2", "REQUIRETLS: no answer whether there is a policy",
      mx(**OFFERS), lies={"_mta-sts TXT": lies.servfail}, keys={"dsn": "4.7.5"},
      log="defer/nothing/sender/requiretls", untouched=("mx",))
wants("no-record", "2", "REQUIRETLS: there is no record, so no policy",
      mx(**OFFERS), sts=Sts(txt=()), outcome="failed", keys={"dsn": "5.7.10"},
      log="defer/nothing/sender/requiretls", untouched=("mx",))
wants("signed-testing", "2", "REQUIRETLS: DNSSEC vouches for the name, mode testing",
      mx(**OFFERS), sts=TESTING, zone={}, to="mx",
      log="pkix/verified/sender/requiretls")
wants("both", "2", "REQUIRETLS: an unsigned domain, TLSA and a policy",
      mx("mx.~", tlsa="3 1 1", **OFFERS), sts=Sts(policy("mx.{provider}")),
      to="mx.~", log=BOTH)
wants("second", "4.2.1", "REQUIRETLS: the policy names the second host, which "
      "offers it", mx("a", **OFFERS), mx("b", pref=20, **OFFERS), to="b",
      sts=Sts(policy("b.{domain}")), log=STS, untouched=("a",))


def waives(name, story, *hosts, **how):
    sts(f"waived-{name}", 8689, "3", "8689-3-01 8689-3-02", story, *hosts,
        **{"zone": OPEN, "header": WAIVER, "to": "mx",
           "log": "may/encrypted/sender/tls-required-no", **how})


waives("cert", "TLS-Required: No, a certificate of its own", mx(chain=OWN))
waives("not-named", "TLS-Required: No, the policy names another host", mx(),
       sts=OTHERS)
waives("no-tls", "TLS-Required: No, no STARTTLS", mx(starttls=False), clear=True,
       log="may/no-offer/sender/tls-required-no")
waives("both", "TLS-Required: No, an unsigned domain, TLSA that does not match",
       mx("mx.~", tlsa="3 1 1 other"), sts=Sts(policy("mx.{provider}")), to="mx.~")
waives("operator", "TLS-Required: No does not waive the operator's level encrypt",
       mx(starttls=False), conf=tls("encrypt"), to=None, clear=False,
       log=operator("encrypt", "no-offer", "encrypt"))

# --- the operator's rules ---


def rule(name, story, one, level, **how):
    sts(f"rule-{name}", 8461, "5", "8461-5-01", story, one,
        **{"zone": OPEN, "conf": tls(level) if isinstance(level, str) else level,
           **how})


# RFC 7672 9.1: an exempted domain's policy is not even looked for
EXEMPT = {"to": "mx", "keys": {"sts": ""}, "fetched": False,
          "not_asked": ("_mta-sts TXT",)}
rule("none", "level none: no TLS, and so no policy", mx(chain=OWN), "none",
     clear=True, log=operator("never", "not-asked", "none"), **EXEMPT)
rule("may", "level opportunistic: the policy is not enforced", mx(chain=OWN),
     "opportunistic", log=operator("may", "encrypted", "opportunistic"), **EXEMPT)
rule("may-not-named", "level opportunistic: nor which hosts it names", mx(),
     "opportunistic", sts=OTHERS, log=operator("may", "encrypted", "opportunistic"),
     **EXEMPT)
rule("encrypt", "level encrypt is a floor: the policy is no less in force",
     mx(chain=OWN), "encrypt", log=STS_MISMATCH)
rule("encrypt-testing", "level encrypt, mode testing: TLS", mx(chain=OWN),
     "encrypt", sts=TESTING, to="mx", log=operator("encrypt", "encrypted", "encrypt"))
rule("encrypt-no-tls", "level encrypt, mode testing, no STARTTLS",
     mx(starttls=False), "encrypt", sts=TESTING,
     log=operator("encrypt", "no-offer", "encrypt"))
rule("verify", "level verify, and the policy: one certificate for both", mx(),
     "verify", to="mx", log=operator("pkix", "verified", "verify"))
rule("verify-match", "level verify for another name than the host's",
     mx(), tls("verify", match=["elsewhere.example"]),
     log=operator("pkix", "encrypted", "verify"))
rule("verify-not-named", "level verify does not take a host the policy does not name",
     mx(), "verify", sts=OTHERS, log=STS_NO_MATCH, untouched=("mx",))
rule("secure", "level secure: the policy is what it asks for", mx(), "secure",
     to="mx", log=operator("pkix", "verified", "secure"))
rule("secure-provider", "level secure, a host of somebody else whom the policy names",
     mx("mx.~"), "secure", sts=Sts(policy("mx.{provider}")), to="mx.~",
     log=operator("pkix", "verified", "secure"))
rule("secure-testing", "level secure, mode testing: a host of somebody else is "
     "not the next hop", mx("mx.~"), "secure",
     sts=Sts(policy("mx.{provider}", mode="testing")),
     log=operator("pkix", "encrypted", "secure"))
rule("dane", "level dane: no policy makes up for it", mx(), "dane",
     log=OPERATOR_DANE, untouched=("mx",))

# --- audit: RFC 7672 9.1 ---

for group, conf in (("sts", tls(enforcement="audit")), ("sts-audit", {})):
    what = "this domain" if group == "sts" else "all domains"
    AUDIT = {"zone": OPEN, "to": "mx", "conf": conf, "group": group}
    ROWS = (7672, "9.1", "7672-9.1-01")
    sts(f"audit-{group[4:] or 'one'}-cert", *ROWS,
        f"Audit of {what}: a certificate of its own; told and delivered",
        mx(chain=OWN), log=STS_MISMATCH, keys={"audit": ".+"}, **AUDIT)
    sts(f"audit-{group[4:] or 'one'}-no-tls", *ROWS,
        f"Audit of {what}: no STARTTLS; told and delivered",
        mx(starttls=False), log=STS_NO_OFFER, clear=True, keys={"audit": ".+"},
        **AUDIT)
    sts(f"audit-{group[4:] or 'one'}-not-named", *ROWS,
        f"Audit of {what}: a host the policy does not name; told and delivered",
        mx(), log="defer/encrypted/sts/sts-no-match",
        keys={"audit": "the MTA-STS policy does not name this host"},
        **{**AUDIT, "sts": OTHERS})
    sts(f"audit-{group[4:] or 'one'}-fine", *ROWS,
        f"Audit of {what}: all is well; nothing to tell", mx(), log=STS,
        keys={"audit": ""}, **AUDIT)
sts("audit-testing", 8461, "5", "8461-5-03",
    "Audit and mode testing: cleartext is nothing to tell of", mx(starttls=False),
    sts=TESTING, zone=OPEN, conf=tls(enforcement="audit"), to="mx", clear=True,
    log=MAY_CLEAR, keys={"audit": ""})
sts("audit-requiretls", 8689, "2", "8689-2-04",
    "Audit does not let go of what the sender asks for",
    mx(chain=OWN, **OFFERS), zone=OPEN, params=" REQUIRETLS",
    conf=tls(enforcement="audit"), log=STS_MISMATCH)
