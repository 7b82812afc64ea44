"""CNAMEs: of the host, of the TLSA records, of the domain; DNAME, wildcards.

In each, whatever must not count is published too, and would not match: a
client that looks at the wrong place is found out.
"""
from .. import lies
from ..pki import Chain
from ..scenario import (MAY_TLS, MISMATCH, NO_ADDRESS_ANSWER, NO_TLSA_ANSWER,
                        OLD_MX, OLD_MX_MISMATCH, VERIFIED, host, mx, scenario)

UNSIGNED = {"signed": False}
WRONG = "{tlsa:%s 3 1 1 other}"
MX = "@ MX 10 mx\n"


def wrong(name, at):
    """A TLSA record of another certificate for host `name`, at this name."""
    return f"_{{port}}._tcp.{at} TLSA {WRONG % name}\n"


def right(name, at, what="3 1 1"):
    return f"_{{port}}._tcp.{at} TLSA {{tlsa:{name} {what}}}\n"


# --- the host is an alias: RFC 7672 2.2.2 ---

scenario("alias-both", "RFC 7672 2.2.2", "7672-2.2.2-07 7672-2.2.3-03 7671-7-02 "
         "7672-8.1-01 7671-7-04 7671-10.2-01",
         "Secure alias to a secure host, TLSA at both names: the last one counts",
         host("real.~", tlsa="3 1 1"),
         records=MX + "mx CNAME real.~\n" + wrong("real.~", "mx"),
         to="real.~", log=VERIFIED, sni="real.~")
scenario("alias-both-foreign", "RFC 7672 2.2.2", "7672-2.2.2-07 7672-2.2.3-03",
         "TLSA at both names; the one at the last does not match",
         host("real.~", tlsa="3 1 1 other"),
         records=MX + "mx CNAME real.~\n" + right("real.~", "mx"), log=MISMATCH)
scenario("alias-expanded-only", "RFC 7672 2.2.2", "7672-2.2.2-07 7671-7-06",
         "Secure alias, TLSA at the last name only",
         host("real.~", tlsa="3 1 1"), records=MX + "mx CNAME real.~",
         to="real.~", log=VERIFIED, sni="real.~")
scenario("alias-original-only", "RFC 7672 2.2.3",
         "7672-2.2.2-07 7672-2.2.3-09 7671-7-03",
         "Secure alias, TLSA at the first name only", host("real.~"),
         records=MX + "mx CNAME real.~\n" + right("real.~", "mx"),
         to="real.~", log=VERIFIED, sni="mx")
scenario("alias-original-foreign", "RFC 7672 2.2.3", "7672-2.2.3-09",
         "Secure alias, TLSA at the first name only, of another certificate",
         host("real.~"), records=MX + "mx CNAME real.~\n" + wrong("real.~", "mx"),
         log=MISMATCH)
scenario("alias-neither", "RFC 7672 2.2.3", "7672-2.2.3-06",
         "Secure alias, no TLSA at all", host("real.~"),
         records=MX + "mx CNAME real.~", to="real.~", log=MAY_TLS)
scenario("alias-inside", "RFC 7672 2.2.2", "7672-2.2.2-07",
         "An alias inside the zone", host("real", tlsa="3 1 1"),
         records=MX + "mx CNAME real", to="real", log=VERIFIED, sni="real")
scenario("alias-to-insecure", "RFC 7672 2.2.2", "7672-2.2.2-05 7672-2.1.3-04",
         "Secure alias to an unsigned host: TLSA at the first name counts",
         host("real.~", tlsa="3 1 1 other"), zones={"~": UNSIGNED},
         records=MX + "mx CNAME real.~\n" + right("real.~", "mx"),
         to="real.~", log=VERIFIED, sni="mx")
scenario("alias-to-insecure-foreign", "RFC 7672 2.2.2", "7672-2.2.2-05",
         "The same; the record at the first name does not match",
         host("real.~", tlsa="3 1 1"), zones={"~": UNSIGNED},
         records=MX + "mx CNAME real.~\n" + wrong("real.~", "mx"), log=MISMATCH)
scenario("alias-to-insecure-alone", "RFC 7672 2.2.2", "7672-2.2.2-05 6698-4.1-04",
         "Secure alias to an unsigned host, which alone has TLSA: none counts",
         host("real.~", tlsa="3 1 1 other"), zones={"~": UNSIGNED},
         records=MX + "mx CNAME real.~", to="real.~", log=MAY_TLS)
scenario("alias-insecure", "RFC 7672 2.2.2", "7672-2.2.2-06 7672-2.1.3-03",
         "An unsigned alias to a signed host with TLSA: no DANE",
         host("real.~", tlsa="3 1 1 other"), zones={"open": UNSIGNED},
         records="@ MX 10 mx.open\nmx.open CNAME real.~\n" +
         wrong("real.~", "mx.open"), to="real.~", log=MAY_TLS)
scenario("chain-of-three", "RFC 7672 2.2.2", "7672-2.2.2-07 7671-7-02",
         "Three secure links: the last name counts", host("c.~", tlsa="3 1 1"),
         records=MX + "mx CNAME a\na CNAME b\nb CNAME c.~\n" +
         wrong("c.~", "a") + wrong("c.~", "b") + wrong("c.~", "mx"),
         to="c.~", log=VERIFIED, sni="c.~")
scenario("chain-middle", "RFC 7672 2.2.3", "7672-2.2.3-10",
         "TLSA at a name in the middle: never a candidate", host("c"),
         records=MX + "mx CNAME b\nb CNAME c\n" + wrong("c", "b"),
         to="c", log=MAY_TLS, not_asked=("_{port}._tcp.b TLSA",))
scenario("chain-insecure-middle", "RFC 7672 2.1.3", "7672-2.1.3-03 7671-7-01",
         "Signed, unsigned, signed: what follows the insecure link is insecure",
         host("c.~", tlsa="3 1 1 other"), zones={"open": UNSIGNED},
         records=MX + "mx CNAME b.open\nb.open CNAME c.~\n", to="c.~",
         log=MAY_TLS)
scenario("chain-insecure-middle-original", "RFC 7672 2.2.2",
         "7672-2.2.2-05 7672-2.1.3-04",
         "The same, with TLSA at the first name: it counts",
         host("c.~", tlsa="3 1 1 other"), zones={"open": UNSIGNED},
         records=MX + "mx CNAME b.open\nb.open CNAME c.~\n" +
         right("c.~", "mx"), to="c.~", log=VERIFIED, sni="mx")
scenario("alias-loop", "RFC 7672 2.1.3", "7672-2.1.3-01 7672-2.1.3-02",
         "Two aliases of one another: an error, not an absence", mx("b", pref=20),
         records=MX + "mx CNAME a\na CNAME mx\n", to="b", log=MAY_TLS)
scenario("alias-dangling", "RFC 7672 2.2.2", "7672-2.2.2-02",
         "An alias of nothing: a host without address is skipped",
         mx("b", pref=20), records=MX + "mx CNAME nothing\n", to="b", log=MAY_TLS)
scenario("alias-to-bogus", "RFC 7672 2.1.3", "7672-2.1.3-02 7672-2.2.2-08",
         "An alias to a host whose signatures are wrong", host("real.~"),
         zones={"~": {"expired": True}},
         records=MX + "mx CNAME real.~\n" + right("real.~", "mx"),
         log=NO_ADDRESS_ANSWER, untouched=("real.~",))
scenario("alias-tlsa-servfail", "RFC 7672 2.2.2", "7672-2.2.2-08 7672-2.1.2-04",
         "No answer about TLSA at the last name: that at the first is no way out",
         host("real.~", tlsa="3 1 1"),
         records=MX + "mx CNAME real.~\n" + right("real.~", "mx"),
         lies={"_{port}._tcp.real.~ TLSA": lies.servfail}, log=NO_TLSA_ANSWER,
         untouched=("real.~",))

# --- which names a DANE-TA certificate of an alias may have ---

for name, names, good in (("expanded", ("real.~",), True),
                          ("next-hop", ("{domain}",), True),
                          ("original", ("mx.{domain}",), False)):
    scenario(f"alias-ta-{name}", "RFC 7672 3.2.2",
             "7672-3.2.2-02 7672-3.2.2-03 7671-7-05 7671-10.2-02 7671-10.2-03",
             f"Aliased host, DANE-TA at the last name; the certificate: {name}",
             host("real.~", tlsa="2 0 1", chain=Chain(
                 names=("{host}",) if name == "expanded" else names)),
             records=MX + "mx CNAME real.~", to="real.~" if good else None,
             log=VERIFIED if good else MISMATCH)

# --- the TLSA records are an alias: RFC 7672 2.2.3, base domain unmoved ---

TLSA = "_{port}._tcp.mx CNAME "
scenario("tlsa-alias-inside", "RFC 7672 2.2.3", "7672-2.2.3-04 7672-2.2.3-05",
         "TLSA by way of an alias in the zone: the host stays the base domain",
         mx(), records=TLSA + "ta._dane\nta._dane TLSA {tlsa:mx 2 0 1}\n",
         to="mx", log=VERIFIED, sni="mx")
scenario("tlsa-alias-outside", "RFC 7672 2.2.3", "7672-2.2.3-04 7672-2.2.3-05",
         "TLSA by way of an alias into another signed zone",
         mx(), records=TLSA + "ta._dane.~\nta._dane.~ TLSA {tlsa:mx 2 0 1}\n",
         to="mx", log=VERIFIED, sni="mx")
scenario("tlsa-alias-name", "RFC 7672 2.2.3", "7672-2.2.3-05",
         "The alias's target is no name the certificate may have",
         mx(chain=Chain(names=("ta._dane.tlsa-alias-name.test",))),
         records=TLSA + "ta._dane\nta._dane TLSA {tlsa:mx 2 0 1}\n", log=MISMATCH)
scenario("tlsa-alias-insecure", "RFC 7672 2.2.3", "7672-2.2.3-04 6698-4.1-04",
         "TLSA by way of an alias into an unsigned zone: no DANE",
         mx(), zones={"~": UNSIGNED},
         records=TLSA + "d.~\nd.~ TLSA {tlsa:mx 3 1 1 other}\n",
         to="mx", log=MAY_TLS)
scenario("tlsa-alias-insecure-next", "RFC 7672 2.2.3", "7672-2.2.3-04",
         "At the last name such an insecure alias; the first name has TLSA",
         host("real"), zones={"~": UNSIGNED},
         records=MX + "mx CNAME real\n_{port}._tcp.real CNAME d.~\n"
         "d.~ TLSA {tlsa:real 3 1 1 other}\n" + right("real", "mx"),
         to="real", log=VERIFIED, sni="mx")
scenario("tlsa-alias-dangling", "RFC 7672 2.2.3", "7672-2.2.3-04",
         "TLSA by way of an alias of nothing: proved absence", mx(),
         records=TLSA + "nothing\n", to="mx", log=MAY_TLS)
scenario("tlsa-alias-bogus", "RFC 7672 2.1.3", "7672-2.1.3-02 7672-2.1.2-04",
         "TLSA by way of an alias into a zone with wrong signatures", mx(),
         zones={"~": {"expired": True}},
         records=TLSA + "d.~\nd.~ TLSA {tlsa:mx 3 1 1}\n", log=NO_TLSA_ANSWER,
         untouched=("mx",))
scenario("tlsa-alias-loop", "RFC 7672 2.1.3", "7672-2.1.3-01 7672-2.1.3-02",
         "TLSA by way of an alias of itself", mx(), records=TLSA + "a\n"
         "a CNAME b\nb CNAME a\n", log=NO_TLSA_ANSWER, untouched=("mx",))
scenario("tlsa-alias-servfail", "RFC 7672 2.1.3", "7672-2.1.3-02 7672-2.1.2-04",
         "TLSA: alias of an alias, of which there is no answer", mx(),
         records=TLSA + "a\na CNAME d.~\nd.~ TLSA {tlsa:mx 3 1 1}\n",
         lies={"d.~ TLSA": lies.servfail}, log=NO_TLSA_ANSWER, untouched=("mx",))

# --- DNAME and wildcards ---

scenario("dname", "RFC 7672 2.1.3", "7672-2.1.3-05",
         "The host is below a signed DNAME: an alias like any other",
         host("mx.~", tlsa="3 1 1"),
         records="@ MX 10 mx.old\nold DNAME ~\n", to="mx.~", log=VERIFIED,
         sni="mx.~")
scenario("wildcard-tlsa", "RFC 7672 2.2.3", "7672-2.2.3-01",
         "One wildcard has TLSA for every port",
         mx(), records="*._tcp.mx TLSA {tlsa:mx 3 1 1}\n", to="mx",
         log=VERIFIED)
scenario("wildcard-tlsa-foreign", "RFC 7672 2.2.3", "7672-2.2.3-01",
         "A wildcard TLSA that does not match",
         mx(), records="*._tcp.mx TLSA {tlsa:mx 3 1 1 other}\n", log=MISMATCH)
scenario("wildcard-host", "RFC 7672 2.2.2", "7672-2.2.2-04",
         "The host's address comes from a wildcard; its TLSA does not",
         mx("a.pool", address=False, tlsa="3 1 1"),
         records="*.pool A {addr:a.pool}\na.pool A {addr:a.pool}\n",
         to="a.pool", log=VERIFIED, sni="a.pool")
scenario("wildcard-alias", "RFC 7672 2.2.2", "7672-2.2.2-07",
         "A wildcard is an alias, and the host below it",
         host("real.~", tlsa="3 1 1"),
         records="@ MX 10 any.pool\n*.pool CNAME real.~\n", to="real.~",
         log=VERIFIED, sni="real.~")

# --- the domain is an alias: RFC 7672 2.2.1, 3.2.2 ---

ALIAS = {"rcpt": "user@alias.{domain}"}
scenario("domain-alias", "RFC 7672 2.2.1", "7672-2.2.1-13",
         "The domain is a secure alias of one whose host has TLSA",
         host("mx.~", tlsa="3 1 1"), **ALIAS,
         records="alias CNAME ~\n~ MX 10 mx.~\n", to="mx.~", log=VERIFIED)
for name, names in (("original", "alias.{domain}"),
                    ("expanded", "domain-alias-ta-expanded-provider.test"),
                    ("host", "{host}")):
    scenario(f"domain-alias-ta-{name}", "RFC 7672 3.2.2",
             "7672-3.2.2-03 7672-3.2.2-04 7672-3.2.2-07",
             f"Aliased domain, DANE-TA; the certificate's name: {name}",
             host("mx.~", tlsa="2 0 1", chain=Chain(names=(names,))), **ALIAS,
             records="alias CNAME ~\n~ MX 10 mx.~\n", to="mx.~", log=VERIFIED)
scenario("domain-alias-middle", "RFC 7672 3.2.2", "7672-3.2.2-07",
         "Aliased domain, DANE-TA; the certificate has a name in the middle",
         host("mx.~", tlsa="2 0 1", chain=Chain(names=("middle.{domain}",))),
         **ALIAS, records="alias CNAME middle\nmiddle CNAME ~\n~ MX 10 mx.~\n",
         log=MISMATCH)
scenario("domain-alias-insecure", "RFC 7672 2.2.1", "7672-2.2.1-13 7672-2.2.1-07",
         "The domain is an unsigned alias of a signed one: an insecure MX",
         host("mx.~", tlsa="3 1 1"), zones={"open": UNSIGNED},
         rcpt="user@alias.open.{domain}",
         records="alias.open CNAME ~\n~ MX 10 mx.~\n", to="mx.~", log=OLD_MX)
scenario("domain-alias-to-insecure", "RFC 7672 2.2.1", "7672-2.2.1-13",
         "The domain is a signed alias of an unsigned one: an insecure MX",
         host("mx.~", tlsa="3 1 1 other"), zones={"open": UNSIGNED},
         **ALIAS, records="alias CNAME open\nopen MX 10 mx.~\n",
         log=OLD_MX_MISMATCH)
