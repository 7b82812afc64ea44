"""Several MX hosts, and what they do to STARTTLS and to the mail."""
from .. import lies
from ..pki import Chain
from ..scenario import (BROKEN, MAY_BROKEN, MAY_CLEAR, MAY_REFUSED, MAY_TLS,
                        MISMATCH, NO_OFFER, REFUSED, VERIFIED, host, mx,
                        scenario)

PER_HOST = "7672-2.2.1-01 7672-2.2.1-10"

# --- preference and security: RFC 7672 2.2.1 ---

scenario("second-host", "RFC 7672 2.2", "7672-2.2-04 " + PER_HOST,
         "The first host does not match, the second does",
         mx("a", tlsa="3 1 1 other"), mx("b", pref=20, tlsa="3 1 1"), to="b",
         log=VERIFIED, sni="b")
scenario("third-host", "RFC 7672 2.2", "7672-2.2-04 " + PER_HOST,
         "No match, no STARTTLS, a match",
         mx("a", tlsa="3 1 1 other"), mx("b", pref=20, tlsa="3 1 1", starttls=False),
         mx("c", pref=30, tlsa="2 0 1"), to="c", log=VERIFIED)
scenario("equal-hosts", "RFC 7672 2.2", "7672-2.2-04 " + PER_HOST,
         "Two hosts of one preference; the one that matches gets it",
         mx("a", tlsa="3 1 1 other"), mx("b", tlsa="3 1 1"), to="b", log=VERIFIED)
scenario("all-hosts-fail", "RFC 7672 2.2", "7672-2.2-04 7672-2.1.2-06",
         "Three hosts, and none matches",
         mx("a", tlsa="3 1 1 other"), mx("b", pref=20, tlsa="2 0 1 other"),
         mx("c", pref=30, tlsa="3 1 2 flip"), log=MISMATCH)
scenario("backup-without-tlsa", "RFC 7672 2.2.1", PER_HOST + " 7672-2.2-04",
         "The first host does not match, the backup has no TLSA",
         mx("a", tlsa="3 1 1 other"), mx("b", pref=20), to="b", log=MAY_TLS)
scenario("better-host-without-tlsa", "RFC 7672 2.2.1",
         "7672-2.2.1-02 7672-2.2.1-03 " + PER_HOST,
         "A worse host with TLSA does not go before a better one without",
         mx("a"), mx("b", pref=20, tlsa="3 1 1"), to="a", log=MAY_TLS,
         untouched=("b",))
scenario("first-host-down", "RFC 7672 2.2.1", PER_HOST,
         "The first host is down, the second matches",
         mx("a", tlsa="3 1 1", listens=False), mx("b", pref=20, tlsa="3 1 1"),
         to="b", log=VERIFIED)
scenario("first-host-takes-it", "RFC 7672 2.2.1", "7672-2.2.1-02",
         "Both match; the better one gets it",
         mx("a", tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1"), to="a",
         log=VERIFIED, untouched=("b",))
scenario("loop-beats-security", "RFC 7672 2.2.1", "7672-2.2.1-04",
         "We are MX 20; MX 10 does not match; MX 30 must not get it",
         mx("a", tlsa="3 1 1 other"), mx("c", pref=30, tlsa="3 1 1"),
         records="@ MX 20 mx.test.example.\n", log=MISMATCH, untouched=("c",))
scenario("mx-is-an-address", "RFC 7672 2.2", "7672-2.2-13",
         "MX wrongly holds an address: tried, but never by DANE",
         mx(), mx("b", pref=20, tlsa="3 1 1"), records="@ MX 5 {addr:mx}.\n",
         to="mx", log=MAY_TLS, untouched=("b",))
scenario("one-name-two-addresses", "RFC 7672 2.2.1", PER_HOST,
         "One host, two addresses: the first shows another certificate",
         mx(tlsa="3 1 1"), host("evil"), records="mx A {addr:evil}\n",
         to="mx", log=VERIFIED)

# --- STARTTLS denied: RFC 7672 2.2 ---

NEVER_CLEAR = "7672-2.2-02 7672-2.2-04 7672-2.2.3-08 7672-9.1-02"
DENIED = {
    "not-offered": ({"starttls": False}, NO_OFFER, "STARTTLS is not offered"),
    "454": ({"sin": "starttls_refused"}, REFUSED, "STARTTLS is refused for now"),
    "554": ({"sin": "starttls_554"}, REFUSED, "STARTTLS is refused for good"),
    "garbage": ({"sin": "handshake_garbage"}, BROKEN, "the handshake is garbage"),
    "more": ({"sin": "starttls_garbage"}, BROKEN, "bytes come before the handshake"),
    "hangs": ({"sin": "starttls_hangs"}, BROKEN, "the handshake hangs"),
    "closes": ({"sin": "starttls_closes"}, BROKEN, "STARTTLS closes the connection"),
    "injects": ({"sin": "starttls_injects"}, BROKEN, "cleartext after STARTTLS"),
    "alert": ({"sni_only": True, "sni": {"nobody.example": Chain()}}, BROKEN,
              "no SNI is good enough"),
    "no-ehlo": ({"sin": "ehlo_refused"}, NO_OFFER, "EHLO is refused"),
}
for name, (how, log, story) in DENIED.items():
    scenario(f"starttls-{name}", "RFC 7672 2.2", NEVER_CLEAR,
             f"TLSA is there, but {story}: nothing in cleartext",
             mx(tlsa="3 1 1", **how), log=log)
for name in ("not-offered", "454", "garbage"):
    how, _, story = DENIED[name]
    scenario(f"starttls-{name}-next", "RFC 7672 2.2", NEVER_CLEAR,
             f"The same ({story}), and a second host that matches",
             mx(tlsa="3 1 1", **how), mx("b", pref=20, tlsa="3 1 1"), to="b",
             log=VERIFIED)
    scenario(f"may-starttls-{name}", "RFC 7672 2.2", "7672-2.2-07 7672-2.2-08",
             f"No TLSA, and {story}: cleartext will do", mx(**how), to="mx",
             clear=True, log={"not-offered": MAY_CLEAR, "454": MAY_REFUSED,
                              "garbage": MAY_BROKEN}[name])
scenario("may-tls11-only", "RFC 8996 3", "7671-3-01 7672-2.2-08",
         "No TLSA, nothing newer than TLS 1.1: cleartext is no worse",
         mx(versions=("TLSv1", "TLSv1_1")), to="mx", log=MAY_BROKEN, clear=True)

# --- SNI: RFC 7672 8.1 ---

scenario("sni-needed", "RFC 7672 8.1", "7672-8.1-01 7671-10.2-01 7671-3-03",
         "The right chain is shown only to those that name the host",
         mx(tlsa="2 0 1", chain=Chain(names=("default.example",)),
            sni={"mx.{domain}": Chain()}), to="mx", log=VERIFIED, sni="mx")
scenario("sni-demanded", "RFC 7672 8.1", "7672-8.1-01",
         "The handshake fails for those that do not name the host",
         mx(tlsa="2 0 1", sni_only=True, sni={"mx.{domain}": Chain()}),
         to="mx", log=VERIFIED, sni="mx")
scenario("sni-domain", "RFC 7672 8.1", "7672-8.1-01",
         "Another chain for the domain's name: it is not what is asked for",
         mx(tlsa="3 1 1", sni={"{domain}": Chain("self")}), to="mx",
         log=VERIFIED, sni="mx")
scenario("sni-expanded", "RFC 7672 8.1", "7672-8.1-01 7671-7-04 7672-2.2.3-03",
         "Aliased host: the right chain is shown for the last name only",
         host("real.~", tlsa="2 0 1", sni_only=True,
              sni={"real.sni-expanded-provider.test": Chain()}),
         records="@ MX 10 mx\nmx CNAME real.~\n", to="real.~", log=VERIFIED,
         sni="real.~")

# --- after TLS all was well: what the host says is as ever ---

scenario("verified-then-451", "RFC 7672 2.2", "7672-2.2-03",
         "Verified, then MAIL is put off", mx(tlsa="3 1 1", sin="mail_451"),
         outcome="deferred", log=VERIFIED, shown=("mx",))
scenario("verified-then-550", "RFC 7672 2.2", "7672-2.2-03",
         "Verified, then the recipient is refused for good",
         mx(tlsa="3 1 1", sin="rcpt_550"), outcome="failed", log=VERIFIED,
         shown=("mx",))
scenario("verified-then-next", "RFC 7672 2.2", "7672-2.2-03",
         "Verified, the recipient put off; the second host takes it",
         mx("a", tlsa="3 1 1", sin="rcpt_451"), mx("b", pref=20, tlsa="3 1 1"),
         to="b", log=VERIFIED, shown=("a",))
scenario("in-doubt-stays-here", "RFC 5321 4.5.3.2.6", "7672-2.2-03",
         "Verified, lost behind the message: it may have been taken, so not the second",
         mx("a", tlsa="3 1 1", sin="end_closes"), mx("b", pref=20, tlsa="3 1 1"),
         outcome="deferred", log=VERIFIED, shown=("a",), untouched=("b",))
scenario("greylisted-then-foreign", "RFC 7672 2.2", "7672-2.2-04",
         "The first host puts it off; the second does not match",
         mx("a", tlsa="3 1 1", sin="rcpt_451"),
         mx("b", pref=20, tlsa="3 1 1 other"), log=MISMATCH, shown=("a",))
scenario("silent-host", "RFC 7672 2.2", "7672-2.2-04",
         "A host that never greets, and a second that matches",
         mx("a", tlsa="3 1 1", sin="greeting_never"),
         mx("b", pref=20, tlsa="3 1 1"), to="b", log=VERIFIED)
scenario("tlsa-unknown-first", "RFC 7672 2.2.1", PER_HOST,
         "TLSA of the first fails, the second refuses STARTTLS, the third matches",
         mx("a", tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1", sin="starttls_refused"),
         mx("c", pref=30, tlsa="3 1 1"), to="c", log=VERIFIED,
         lies={"_{port}._tcp.a TLSA": lies.servfail}, untouched=("a",))
