"""MTA-STS: policies, good ones and broken ones, and the hosts that serve them.

Where there is a policy, the MX host is what it asks for, and the log says that
it was held to it.  Where there is none, the MX host has a certificate of its
own, which a policy that was used after all would have refused.
"""
from .. import lies
from ..pki import EXPIRED, FUTURE, Chain
from ..policy_host import (LIMIT, MOVED, ZIPPED, answer, chunked, cut, drip, endless,
                           interim_then, raw, silent, until_close)
from ..scenario import MAY_CLEAR, MAY_TLS, STS, mx, scenario
from ..sts import Sts, policy, status, typed, whatever

OPEN = {"signed": False}
OWN = Chain("self")


def filled_up(domain, size):
    """A policy of so many octets."""
    text = policy(f"mx.{domain}")
    return text + "x: " + "y" * (size - len(text) - 3)


def held(name, section, rows, story, sts=Sts(), host="mx", **how):
    """There is a policy."""
    scenario(f"sts-{name}", f"RFC 8461 {section}", rows, story, mx(host),
             **{"sts": sts, "zone": OPEN, "to": host, "log": STS, "group": "sts",
                "keys": {"sts": "match/passed"}, "sni": host, "fetched": True,
                **how})


def free(name, section, rows, story, sts=Sts(), host="mx", **how):
    """There is none, or none that could be used."""
    scenario(f"sts-{name}", f"RFC 8461 {section}", rows, story,
             mx(host, chain=OWN), **{"sts": sts, "zone": OPEN, "to": host,
                                     "log": MAY_TLS, "keys": {"sts": ""},
                                     "group": "sts", **how})


# --- the text: RFC 8461 3.2 ---

held("good", "3.2", "8461-3.2-01 8461-4-01 8461-4-02 8461-4.2-02 8461-4.2-03",
     "A policy that enforces, a host that does what it says",
     asked=("_mta-sts TXT", "mta-sts A"))
held("signed", "3.2", "8461-3.2-01", "The same in a signed zone", zone={})
TEXT = {
    "lf": ("8461-3.2-04", "lines that end with LF", policy(end="\n")),
    "mixed": ("8461-3.2-04", "lines that end with LF and with CRLF",
              "version: STSv1\nmode: enforce\r\nmx: mx.{domain}\nmax_age: 86400\r\n"),
    "no-last-end": ("8461-3.2-04", "a last line that does not end",
                    policy().rstrip()),
    "empty-lines": ("8461-3.2-04", "empty lines", policy(end="\r\n\r\n")),
    "order": ("8461-3.2-16", "its fields in another order",
              "max_age: 86400\r\nmx: mx.{domain}\r\nmode: enforce\r\n"
              "version: STSv1\r\n"),
    "blanks": ("8461-3.2-15", "blanks behind the colons and the values",
               "version:STSv1 \r\nmode:\t enforce\t\r\nmx:mx.{domain}\r\n"
               "max_age:   86400\r\n"),
    "unknown": ("8461-3.2-16 8461-3.2-17", "fields nobody knows",
                policy(more=("x-colour: red, and blue", "Mode: none"))),
    "doubled": ("8461-3.2-18", "fields that come twice: the first counts",
                policy(more=("mode: none", "version: STSv2", "max_age: x"))),
    "many-mx": ("8461-3.2-10", "many mx, ours the last",
                policy(*(f"mx{n}.elsewhere.example" for n in range(998)),
                       "mx.{domain}")),
    "case": ("8461-4.1-02", "the host in capitals", policy("MX.{domain}")),
    "wildcard": ("8461-4.1-03", "a wildcard for one label", policy("*.{domain}")),
    "age-0": ("8461-3.2-07", "a max_age of nothing, good for this delivery",
              policy(max_age=0)),
    "age-huge": ("8461-3.2-08", "a max_age of three centuries: counts as a year",
                 policy(max_age=9999999999)),
    "largest": ("8461-3.3-11", "as many octets as we take",
                filled_up("sts-text-largest.test", LIMIT)),
}
for name, (rows, story, text) in TEXT.items():
    held(f"text-{name}", "3.2", rows, f"A policy with {story}", Sts(text))
held("text-a-label", "3.2", "8461-3.2-11 8461-4.1-02",
     "A policy and a host with a name of other letters than ours",
     Sts(policy("XN--BCHER-KVA.{domain}")), host="xn--bcher-kva")

BROKEN = {
    "empty": ("8461-3.2-14", "no text at all", ""),
    "no-version": ("8461-3.2-05", "no version", policy().split("\n", 1)[1]),
    "version-2": ("8461-3.2-05", "a version of the future",
                  policy().replace("STSv1", "STSv2")),
    "no-mode": ("8461-3.2-14", "no mode", policy().replace("mode", "x-mode")),
    "mode": ("8461-3.2-06", "a mode in capitals", policy(mode="Enforce")),
    "no-mx": ("8461-3.2-13", "no mx", policy().replace("mx:", "x-mx:")),
    "no-age": ("8461-3.2-14", "no max_age", policy().replace("max_age", "x-age")),
    "age-minus": ("8461-3.2-07", "a max_age before now", policy(max_age=-1)),
    "age-11": ("8461-3.2-07", "a max_age of eleven digits",
               policy(max_age=10000000000)),
    "age-words": ("8461-3.2-07", "a max_age in words", policy(max_age="1w")),
    "colon": ("8461-3.2-15", "a blank before a colon",
              policy().replace("mx:", "mx :")),
    "dot": ("8461-3.2-12", "an mx with a dot at its end", policy("mx.{domain}.")),
    "u-label": ("8461-3.2-11", "an mx in letters of its own",
                policy("m\u00fcller.{domain}", "mx.{domain}")),
    "star": ("8461-3.2-12", "an mx that is any host", policy("*")),
    "star-inside": ("8461-3.2-12", "an mx with a wildcard inside",
                    policy("mx.*.test", "mx.{domain}")),
    "list": ("8461-3.2-10", "two mx on one line",
             policy("mx.{domain}, mx2.{domain}")),
    "html": ("8461-3.2-02", "a page about something else",
             "<html><body>404, and we say 200</body></html>\r\n"),
    "last-line": ("8461-3.2-15", "a last line that is cut",
                  policy(more=("mx.{domain}",))),
}
for name, (rows, story, text) in BROKEN.items():
    free(f"broken-{name}", "3.2", f"{rows} 8461-3.3-13",
         f"A policy with {story}: none", Sts(text), fetched=True)

# --- the answer: RFC 8461 3.3 ---

ANSWERS = {
    "parameters": ("8461-3.2-03", "says its type with parameters",
                   typed("content-type: Text/Plain ; charset=utf-8; x=y")),
    "chunked": ("8461-3.3-06", "sends it in chunks", chunked),
    "until-close": ("8461-3.3-06", "ends it with the connection",
                    lambda body: until_close(True, body=body)),
    "interim": ("8461-3.3-06", "sends something else first", interim_then),
}
for name, (rows, story, behave) in ANSWERS.items():
    held(f"host-{name}", "3.3", rows, f"A policy host that {story}",
         Sts(behave=behave))
REFUSED = {
    "moved": ("8461-3.3-07", "knows a better place (301)",
              status("301 Moved Permanently", MOVED)),
    "found": ("8461-3.3-07", "knows another place (302), and sends a policy",
              lambda body: answer(body, MOVED, status="302 Found")),
    "temporary": ("8461-3.3-07", "knows another place (307)",
                  status("307 Temporary Redirect", MOVED)),
    "unmodified": ("8461-3.3-08", "takes us for a cache (304)",
                   status("304 Not Modified", body=b"")),
    "missing": ("8461-3.3-06", "has none (404)", status("404 Not Found")),
    "gone": ("8461-3.3-06", "has none any more (410), and sends it",
             lambda body: answer(body, status="410 Gone")),
    "broken": ("8461-3.3-06", "fails (500)", status("500 Internal Server Error")),
    "no-content": ("8461-3.3-06", "has nothing to say (204)",
                   status("204 No Content", body=b"")),
    "partial": ("8461-3.3-06", "sends a part (206)",
                lambda body: answer(body, "Content-Range: bytes 0-9/10",
                                    status="206 Partial Content")),
    "type": ("8461-3.2-02", "calls it HTML", typed("Content-Type: text/html")),
    "no-type": ("8461-3.2-02", "says no type", typed(None)),
    "zipped": ("8461-3.2-02", "compresses it unasked",
               whatever(answer(ZIPPED, "Content-Encoding: gzip"))),
    "cut": ("8461-3.3-06", "stops before the end", whatever(cut)),
    "endless": ("8461-3.3-11", "never stops sending", whatever(endless)),
    "drip": ("8461-3.3-10", "sends an octet now and then", whatever(drip)),
    "silent": ("8461-3.3-10", "says nothing", whatever(silent)),
    "no-http": ("8461-3.3-06", "does not speak HTTP", raw),
}
for name, (rows, story, behave) in REFUSED.items():
    free(f"host-{name}", "3.3", f"{rows} 8461-3.3-13",
         f"A policy host that {story}: no policy", Sts(behave=behave), fetched=True)

free("host-too-large", "3.3", "8461-3.3-11 8461-3.3-13",
     "A policy host that sends one octet more than 64 KiB: no policy",
     Sts(filled_up("sts-host-too-large.test", LIMIT + 1)), fetched=True)
free("host-too-large-chunks", "3.3", "8461-3.3-11 8461-3.3-13",
     "The same, in chunks: no policy",
     Sts(filled_up("sts-host-too-large-chunks.test", LIMIT + 1), behave=chunked),
     fetched=True)

# --- its certificate: RFC 8461 3.3 ---

held("host-wildcard", "3.3", "8461-3.3-04",
     "A policy host with a certificate for *.the domain",
     Sts(chain=Chain(names=("*.{domain}",))))
CERTIFICATES = {
    "expired": ("8461-3.3-02", "that has expired", Chain(days=EXPIRED)),
    "future": ("8461-3.3-02", "of the future", Chain(days=FUTURE)),
    "self-signed": ("8461-3.3-02", "it signed itself", OWN),
    "unknown-ca": ("8461-3.3-02", "of an authority nobody knows", Chain("other")),
    "no-chain": ("8461-3.3-02", "without what links it to the authority",
                 Chain(send=("leaf",))),
    "wrong-name": ("8461-3.3-02", "for the domain only", Chain(names=("{domain}",))),
    "mx-name": ("8461-3.3-02", "for the MX host", Chain(names=("mx.{domain}",))),
    "common-name": ("8461-3.3-03", "with its name where no name belongs",
                    Chain(names=(), cn="{host}")),
    "deep-wildcard": ("8461-3.3-04", "with a wildcard for two labels",
                      Chain(names=("*.test",))),
    "part-wildcard": ("8461-3.3-04", "with a wildcard for part of a label",
                      Chain(names=("mta-*.{domain}",))),
    "client": ("8461-3.3-02", "for clients", Chain(purpose="client")),
}
for name, (rows, story, chain) in CERTIFICATES.items():
    free(f"host-{name}", "3.3", f"{rows} 8461-3.3-13",
         f"A policy host with a certificate {story}: no policy",
         Sts(chain=chain), fetched=True)
free("host-old-tls", "3.3", "8461-7.2-01",
     "A policy host that speaks TLS 1.1: no policy",
     Sts(versions=("TLSv1", "TLSv1_1")), fetched=True)
free("host-closed", "3.3", "8461-3.3-13",
     "A policy host where nobody listens: no policy", Sts(listens=False))

# --- the way to it ---

held("host-alias", "3.3", "8461-3.2-01",
     "A policy host that is an alias; its certificate has its first name",
     Sts(address=False), records="mta-sts CNAME policies.~\n"
     "policies.~ A {addr:mta-sts}\n")
free("host-alias-name", "3.3", "8461-3.3-02",
     "A policy host that is an alias; its certificate has its last name",
     Sts(address=False, chain=Chain(names=("policies.sts-host-alias-name-provider"
                                           ".test",))),
     records="mta-sts CNAME policies.~\npolicies.~ A {addr:mta-sts}\n", fetched=True)
held("host-second-address", "3.3", "8461-3.2-01",
     "A policy host of two addresses, one of them dead",
     records="mta-sts A 127.0.0.99\n")
free("host-no-address", "3.3", "8461-3.3-13",
     "A policy host without an address: no policy", Sts(address=False),
     fetched=False)
WAYS = {"servfail": (lies.servfail, OPEN), "refused": (lies.refused, OPEN),
        "silence": (lies.silence, OPEN), "bogus": (lies.flipped, {})}
for name, (lie, zone) in WAYS.items():
    free(f"host-{name}", "3.3", "8461-3.3-13",
         f"A policy host whose address nobody gets to know ({name})",
         lies={"mta-sts A": lie}, zone=zone, fetched=False)
free("parent", "3.4", "8461-3.4-03",
     "A domain below one with a policy: none, and nobody asks for the other",
     rcpt="user@below.{domain}", records="below MX 10 mx\n",
     asked=("_mta-sts.below TXT",), not_asked=("_mta-sts TXT",), fetched=False)
free("host-of-mx", "3.4", "8461-3.4-01",
     "The domain of the MX host has a policy, the recipient's has none",
     Sts(policy("mx.mail.{domain}"), at="mail"), host="mx.mail", fetched=False)
free("mode-none", "5", "8461-5-04", "Mode none: as if there were no policy",
     Sts(policy(mode="none")), fetched=True)
free("mode-none-no-mx", "3.2", "8461-3.2-13 8461-5-04",
     "Mode none, no mx", Sts("version: STSv1\nmode: none\nmax_age: 60\n"),
     fetched=True)
scenario("sts-nothing", "RFC 8461 3.1", "8461-3.1-11 8461-3.1-01",
         "Neither record nor policy, a host without TLS", mx(starttls=False),
         zone=OPEN, to="mx", log=MAY_CLEAR, clear=True, group="sts",
         asked=("_mta-sts TXT",), not_asked=("mta-sts A",))
