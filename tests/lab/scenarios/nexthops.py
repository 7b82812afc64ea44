"""Next hops without MX: implicit, configured, literal; and the operator."""
from .. import lies
from ..pki import Chain
from ..scenario import (MAY_CLEAR, MAY_TLS, MISMATCH, NO_OFFER, NO_TLSA_ANSWER,
                        OPERATOR_DANE, VERIFIED, host, mx, scenario)


def via(target, domain="{domain}"):
    return {f"route {domain}": {"via": target}}


# --- implicit MX, null MX, literals ---

scenario("implicit-mx", "RFC 7672 2.2.2", "7672-2.2.2-09 7672-8.1-01",
         "No MX: the domain itself is the host, and has TLSA",
         host("@", tlsa="3 1 1"), to="@", log=VERIFIED, sni="@")
scenario("implicit-mx-foreign", "RFC 7672 2.2.2", "7672-2.2.2-09",
         "No MX: the domain's own TLSA does not match",
         host("@", tlsa="3 1 1 other"), log=MISMATCH)
scenario("implicit-mx-insecure", "RFC 7672 2.2.2", "7672-2.2.2-03",
         "No MX, an unsigned domain", host("@", tlsa="3 1 1 other"),
         zone={"signed": False}, to="@", log=MAY_TLS)
scenario("implicit-mx-alias", "RFC 7672 3.2.2", "7672-2.2.2-09 7672-3.2.2-06",
         "No MX; the domain is an alias of a host with TLSA, and in its certificate",
         host("real.~", tlsa="2 0 1", chain=Chain(names=("alias.{domain}",))),
         rcpt="user@alias.{domain}", records="alias CNAME real.~\n",
         to="real.~", log=VERIFIED, sni="real.~")
scenario("null-mx", "RFC 7505 3", "7672-2.2.1-10",
         "Null MX, although there is an address and TLSA",
         host("@", tlsa="3 1 1"), records="@ MX 0 .\n", outcome="failed",
         untouched=("@",))
scenario("literal", "RFC 7672 2.2", "7672-2.2-12",
         "An address literal: no names, no DANE, no SNI",
         mx(tlsa="3 1 1 other"), rcpt="user@[{addr:mx}]", to="mx", log=MAY_TLS,
         sni="-", not_asked=("_{port}._tcp.mx TLSA",))

# --- configured next hops ---

scenario("relay-host", "RFC 7672 2.2.2", "7672-2.2.2-09 7672-2.2.3-02 6698-4-01",
         "A configured host and port: TLSA is looked for at that port",
         host("relay", tlsa="3 1 1", port="port2"),
         conf=via("smtp:relay.{domain}:{port2}"), to="relay", log=VERIFIED,
         sni="relay", asked=("_{port2}._tcp.relay TLSA",))
scenario("relay-host-foreign", "RFC 7672 2.2.2", "7672-2.2.2-09",
         "A configured host whose TLSA does not match",
         host("relay", tlsa="3 1 1 other", port="port2"),
         conf=via("smtp:relay.{domain}:{port2}"), log=MISMATCH)
scenario("relay-other-port", "RFC 6698 4", "6698-4-01 7672-2.2.3-02",
         "A configured host with TLSA at the port of MX hosts: not its own",
         host("relay", port="port2"), conf=via("smtp:relay.{domain}:{port2}"),
         records="_{port}._tcp.relay TLSA {tlsa:relay 3 1 1 other}\n",
         to="relay", log=MAY_TLS)
scenario("relay-insecure-domain", "RFC 7672 2.2.2", "7672-2.2.2-09",
         "A configured host is no less secure for an unsigned domain",
         host("relay.~", tlsa="3 1 1", port="port2"), zone={"signed": False},
         conf=via("smtp:relay.relay-insecure-domain-provider.test:{port2}"),
         to="relay.~", log=VERIFIED)
scenario("relay-alias", "RFC 7672 3.2.2", "7672-3.2.2-06 7672-2.2.2-09",
         "A configured host that is an alias; the certificate has its first name",
         host("real.~", tlsa="2 0 1", port="port2",
              chain=Chain(names=("relay.{domain}",))),
         records="relay CNAME real.~\n", conf=via("smtp:relay.{domain}:{port2}"),
         to="real.~", log=VERIFIED, sni="real.~")
scenario("relay-tlsa-servfail", "RFC 7672 2.1.2", "7672-2.1.2-04 7672-2.2.2-09",
         "A configured host: no answer about its TLSA",
         host("relay", tlsa="3 1 1", port="port2"),
         conf=via("smtp:relay.{domain}:{port2}"), log=NO_TLSA_ANSWER,
         lies={"_{port2}._tcp.relay TLSA": lies.servfail}, untouched=("relay",))
scenario("relay-no-starttls", "RFC 7672 2.2", "7672-2.2-02 7672-2.2.2-09",
         "A configured host with TLSA and without STARTTLS",
         host("relay", tlsa="3 1 1", port="port2", starttls=False),
         conf=via("smtp:relay.{domain}:{port2}"), log=NO_OFFER)
scenario("relay-address", "RFC 7672 2.2", "7672-2.2-12",
         "A configured address: no DANE",
         host("relay", tlsa="3 1 1 other", port="port2"),
         conf=via("smtp:[{addr:relay}]:{port2}"), to="relay", log=MAY_TLS,
         sni="-")
scenario("relay-mx", "RFC 7672 2.2.1", "7672-2.2.1-10",
         "Another domain's MX hosts: that domain is the next hop",
         host("mx.~", tlsa="2 0 1", chain=Chain(names=("relay-mx-provider.test",))),
         records="~ MX 10 mx.~\n", conf=via("mx:relay-mx-provider.test"),
         to="mx.~", log=VERIFIED)

# --- the operator's rules ---


def tls(level=None, **more):
    return {"tls {domain}": {**({"level": level} if level else {}), **more}}


def operator(wanted, got, rule):
    return f"{wanted}/{got}/operator/operator-{rule}"


FOREIGN = mx(tlsa="3 1 1 other")
PER_DOMAIN = "7672-9.1-03"
scenario("rule-none", "RFC 7672 9.1", PER_DOMAIN,
         "level none: no TLS at all, and so no policy",
         FOREIGN, conf=tls("none", reason="their TLS is broken, says their admin"),
         to="mx", log="never/not-asked/operator/operator-none", clear=True)
scenario("rule-opportunistic", "RFC 7672 9.1", PER_DOMAIN,
         "level opportunistic: TLS, whatever the certificate",
         FOREIGN, conf=tls("opportunistic"), to="mx",
         log=operator("may", "encrypted", "opportunistic"))
scenario("rule-until-past", "RFC 7672 9.1", PER_DOMAIN + " 7672-9.1-02",
         "An exemption that has ended: DANE is in force again",
         FOREIGN, conf=tls("none", until="2020-01-31"), log=MISMATCH)
scenario("rule-encrypt", "RFC 7672 2.2", PER_DOMAIN,
         "level encrypt, no TLSA: TLS", mx(), conf=tls("encrypt"), to="mx",
         log=operator("encrypt", "encrypted", "encrypt"))
scenario("rule-encrypt-no-tls", "RFC 7672 2.2", PER_DOMAIN,
         "level encrypt, no TLSA, no STARTTLS: nothing in cleartext",
         mx(starttls=False), conf=tls("encrypt"),
         log=operator("encrypt", "no-offer", "encrypt"))
scenario("rule-encrypt-foreign", "RFC 7672 2.2", "7672-9.1-02",
         "level encrypt is a floor: TLSA that does not match is no less in force",
         FOREIGN, conf=tls("encrypt"), log=MISMATCH)
scenario("rule-verify-unknown", "RFC 7672 9.1", PER_DOMAIN,
         "level verify: no authority we know has signed it",
         mx(), conf=tls("verify", match=["mx.{domain}"]),
         log=operator("pkix", "encrypted", "verify"))

MANDATORY = "7672-2.2-10 7672-2.2-11 7672-6-01"
scenario("rule-dane", "RFC 7672 2.2", MANDATORY, "level dane, and it matches",
         mx(tlsa="3 1 1"), conf=tls("dane"), to="mx",
         log=operator("dane", "verified", "dane"))
scenario("rule-dane-no-tlsa", "RFC 7672 2.2", MANDATORY,
         "level dane, and there is no TLSA", mx(), conf=tls("dane"),
         log=OPERATOR_DANE, untouched=("mx",))
scenario("rule-dane-unusable", "RFC 7671 10.3",
         MANDATORY + " 7671-10.3-02 7671-14-02",
         "level dane, and no record is usable", mx(tlsa="3 1 1 cut:31"),
         conf=tls("dane"), log=OPERATOR_DANE, untouched=("mx",))
scenario("rule-dane-insecure-mx", "RFC 7672 2.2.1", "7672-2.2.1-05",
         "level dane, an unsigned domain, a host with TLSA that matches",
         mx("mx.~", tlsa="3 1 1"), zone={"signed": False}, conf=tls("dane"),
         log=OPERATOR_DANE, untouched=("mx.~",))
scenario("rule-dane-insecure", "RFC 7672 2.2.1", "7672-2.2.1-05 7672-2.2-11",
         "level dane, and nothing is signed", mx(tlsa="3 1 1"),
         zone={"signed": False}, conf=tls("dane"), log=OPERATOR_DANE,
         untouched=("mx",))
scenario("rule-dane-next", "RFC 7672 2.2", MANDATORY,
         "level dane: a host without TLSA is skipped, the next one matches",
         mx("a"), mx("b", pref=20, tlsa="3 1 1"), conf=tls("dane"), to="b",
         log=operator("dane", "verified", "dane"), untouched=("a",))
scenario("rule-secure", "RFC 7672 9.1", PER_DOMAIN,
         "level secure, and DANE matches: authenticated is authenticated",
         mx(tlsa="3 1 1"), conf=tls("secure"), to="mx",
         log=operator("dane", "verified", "secure"))
scenario("rule-secure-old-mx", "RFC 7672 2.2.1", "7672-2.2.1-09",
         "level secure, DANE matches, but the MX is insecure: not this domain",
         mx("mx.~", tlsa="3 1 1"), zone={"signed": False}, conf=tls("secure"),
         log=operator("dane[+]pkix", "encrypted", "secure"))
scenario("rule-secure-nothing", "RFC 7672 9.1", PER_DOMAIN,
         "level secure, and no authority we trust knows the host",
         mx(), conf=tls("secure"),
         log=operator("pkix", "encrypted", "secure"))
scenario("rule-secure-foreign", "RFC 7672 2.2", "7672-9.1-02",
         "level secure, and TLSA does not match", FOREIGN, conf=tls("secure"),
         log=operator("dane", "encrypted", "secure"))
scenario("rule-verify-dane", "RFC 7672 9.1", PER_DOMAIN,
         "level verify, and DANE matches; no authority we trust knows the host",
         mx(tlsa="3 1 1"), conf=tls("verify"),
         log=operator("dane[+]pkix", "encrypted", "verify"))

# --- audit: RFC 7672 9.1 ---

AUDIT = {"to": "mx"}
# What fell short, and what asked for it.
RECORDS = {"audit": r"(no matching DANE TLSA records|the server does not offer"
                    r" STARTTLS) \(required by usable TLSA records\)"}
for group, conf in (("all", tls(enforcement="audit")), ("audit", {})):
    what = "this domain" if group == "all" else "all domains"
    scenario(f"audit-{group}-foreign", "RFC 7672 9.1", "7672-9.1-01",
             f"Audit of {what}: TLSA does not match; told and delivered",
             FOREIGN, conf=conf, group=group, log=MISMATCH, keys=RECORDS, **AUDIT)
    scenario(f"audit-{group}-no-tls", "RFC 7672 9.1", "7672-9.1-01",
             f"Audit of {what}: no STARTTLS; told and delivered",
             mx(tlsa="3 1 1", starttls=False), conf=conf, group=group,
             clear=True, log=NO_OFFER, keys=RECORDS, **AUDIT)
    scenario(f"audit-{group}-tlsa-servfail", "RFC 7672 9.1", "7672-9.1-01",
             f"Audit of {what}: no answer about TLSA; told and delivered",
             mx(tlsa="3 1 1"), conf=conf, group=group,
             lies={"_{port}._tcp.mx TLSA": lies.servfail}, **AUDIT,
             log="defer/encrypted/dane/tlsa-lookup",
             keys={"audit": "TLSA lookup failed"})
    scenario(f"audit-{group}-fine", "RFC 7672 9.1", "7672-9.1-01",
             f"Audit of {what}: TLSA matches; nothing to tell",
             mx(tlsa="3 1 1"), conf=conf, group=group, to="mx", log=VERIFIED,
             keys={"audit": ""})
scenario("audit-all-cleartext", "RFC 7672 9.1", "7672-9.1-01",
         "Audit: without TLSA there is nothing to tell of cleartext, either",
         mx(starttls=False), conf=tls(enforcement="audit"), to="mx", clear=True,
         log=MAY_CLEAR, keys={"audit": ""})
