"""MTA-STS: which MX hosts a policy takes, and what they have to show."""
from ..pki import EXPIRED, FUTURE, Chain
from ..policy_host import answer
from ..scenario import (MAY_BROKEN, MAY_CLEAR, MAY_REFUSED, MAY_TLS, STS,
                        STS_BROKEN, STS_MISMATCH, STS_NO_MATCH, STS_NO_OFFER,
                        STS_REFUSED, host, mx, scenario)
from ..sts import Sts, policy
from .nexthops import via

OPEN = {"signed": False}
OWN = Chain("self")
TESTING = Sts(policy(mode="testing"))


def sts(name, section, rows, story, *hosts, **how):
    scenario(f"sts-{name}", f"RFC 8461 {section}", rows, story, *hosts,
             **{"sts": Sts(), "zone": OPEN, "group": "sts", **how})


def told(verdict):
    """What the log says beside `tls`: in testing as in enforce."""
    return {"keys": {"sts": verdict}}


# --- the certificate and STARTTLS: RFC 8461 4.2, 5 ---

SHOWN = {
    "expired": ("8461-4.2-01", "that has expired", Chain(days=EXPIRED)),
    "future": ("8461-4.2-01", "of the future", Chain(days=FUTURE)),
    "self-signed": ("8461-4.2-02", "it signed itself", OWN),
    "unknown-ca": ("8461-4.2-02", "of an authority nobody knows",
                   Chain("other-inter")),
    "no-chain": ("8461-4.2-02", "without what links it to the authority",
                 Chain(send=("leaf",))),
    "other-name": ("8461-4.2-03", "for another host",
                   Chain(names=("elsewhere.example",))),
    "domain-name": ("8461-4.2-03", "for the recipient's domain",
                    Chain(names=("{domain}",))),
    "common-name": ("8461-4.2-03", "with its name where no name belongs",
                    Chain(names=(), cn="{host}")),
    "deep-wildcard": ("8461-4.2-03", "with a wildcard for two labels",
                      Chain(names=("*.test",))),
    "part-wildcard": ("8461-4.2-03", "with a wildcard for part of a label",
                      Chain(names=("m*.{domain}",))),
    "client": ("8461-4.2-02", "for clients", Chain(purpose="client")),
}
for name, (rows, story, chain) in SHOWN.items():
    sts(f"cert-{name}", "4.2", f"{rows} 8461-4-02 8461-5-01 8461-5-06",
        f"A host with a certificate {story}", mx(chain=chain), log=STS_MISMATCH,
        **told("match/certificate"))
    sts(f"testing-cert-{name}", "5", "8461-5-03",
        f"Mode testing, a host with a certificate {story}", mx(chain=chain),
        sts=TESTING, to="mx", log=MAY_TLS, fetched=True,
        **told("testing-match/certificate"))
sts("cert-wildcard", "4.2", "8461-4.2-03",
    "A host with a certificate for all hosts of the domain",
    mx(chain=Chain(names=("*.{domain}",))), to="mx", log=STS)
sts("cert-rsa", "4.2", "8461-4.2-02", "A host with an RSA certificate",
    mx(chain=Chain(key="rsa")), to="mx", log=STS)
DENIED = {
    "not-offered": ({"starttls": False}, STS_NO_OFFER, MAY_CLEAR,
                    "does not offer STARTTLS"),
    "454": ({"sin": "starttls_refused"}, STS_REFUSED, MAY_REFUSED,
            "refuses STARTTLS for now"),
    "554": ({"sin": "starttls_554"}, STS_REFUSED, MAY_REFUSED,
            "refuses STARTTLS for good"),
    "garbage": ({"sin": "handshake_garbage"}, STS_BROKEN, MAY_BROKEN,
                "breaks the handshake"),
    "injects": ({"sin": "starttls_injects"}, STS_BROKEN, MAY_BROKEN,
                "sends cleartext behind STARTTLS"),
    "old": ({"versions": ("TLSv1", "TLSv1_1")}, STS_BROKEN, MAY_BROKEN,
            "speaks TLS 1.1"),
    "no-ehlo": ({"sin": "ehlo_refused"}, STS_NO_OFFER, MAY_CLEAR,
                "does not know EHLO"),
}
for name, (how, log, testing, story) in DENIED.items():
    sts(f"tls-{name}", "5", "8461-4-02 8461-5-01 8461-5-06",
        f"A host that {story}", mx(**how), log=log, **told("match/no-tls"))
    sts(f"testing-tls-{name}", "5", "8461-5-03",
        f"Mode testing, a host that {story}: cleartext", mx(**how), sts=TESTING,
        to="mx", log=testing, clear=True, fetched=True,
        **told("testing-match/no-tls"))

# --- which hosts: RFC 8461 4.1 ---

NAMED = {
    "wildcard-apex": ("8461-4.1-03", "a wildcard, the host is the domain itself",
                      host("@"), policy("*.{domain}")),
    "wildcard-two": ("8461-4.1-03", "a wildcard, the host is two labels below",
                     mx("mx.deep"), policy("*.{domain}")),
    "other-host": ("8461-4-01", "another host of the domain", mx(),
                   policy("mx2.{domain}")),
    "parent": ("8461-4.1-01", "the domain, the host is below", mx(),
               policy("{domain}")),
    "tail": ("8461-4.1-01", "a name that ours ends with", mx("mx.mx"),
             policy("mx.{domain}")),
}
for name, (rows, story, one, text) in NAMED.items():
    sts(f"match-{name}", "4.1", f"{rows} 8461-5-01", f"The policy names {story}",
        one, sts=Sts(text), log=STS_NO_MATCH, untouched=(one.name,),
        **told("no-match/host-not-named"))
    sts(f"testing-match-{name}", "5", f"{rows} 8461-5-03",
        f"Mode testing, the policy names {story}", one,
        sts=Sts(text.replace("enforce", "testing")), to=one.name, log=MAY_TLS,
        fetched=True, **told("testing-no-match/host-not-named"))
sts("match-alias", "4.1", "8461-4.1-01 8461-7.1-03",
    "The host is an alias; the policy and the certificate have its first name",
    host("real.~", chain=Chain(names=("mx.{domain}",))),
    records="@ MX 10 mx\nmx CNAME real.~\n", to="real.~", log=STS, sni="mx")
sts("match-alias-target", "4.1", "8461-4.1-01",
    "The host is an alias; the policy has its last name",
    host("real.~"), records="@ MX 10 mx\nmx CNAME real.~\n",
    sts=Sts(policy("real.{provider}")), log=STS_NO_MATCH, untouched=("real.~",))
sts("match-alias-cert", "4.2", "8461-4.2-03",
    "The host is an alias; the certificate has its last name",
    host("real.~"), records="@ MX 10 mx\nmx CNAME real.~\n", log=STS_MISMATCH)
sts("match-capitals", "4.1", "8461-4.1-02", "The MX record is in capitals",
    host("mx"), records="@ MX 10 MX.{domain}.\n", to="mx", log=STS)
sts("match-provider", "4.1", "8461-4.1-01",
    "A host of somebody else, whom the policy names", mx("mx.~"),
    sts=Sts(policy("mx.{provider}")), to="mx.~", log=STS, sni="mx.~")
sts("match-implicit", "4.1", "8461-4-01",
    "No MX: the domain itself is the host, and the policy names it", host("@"),
    sts=Sts(policy("{domain}")), to="@", log=STS, sni="@")

# --- several hosts: RFC 8461 5.1, 8.4 ---

TWO = Sts(policy("a.{domain}", "b.{domain}"))
sts("hosts-second-named", "5.1", "8461-5.1-02 8461-8.4-01",
    "The policy names the second host only", mx("a"), mx("b", pref=20),
    sts=Sts(policy("b.{domain}")), to="b", log=STS, untouched=("a",))
sts("hosts-second-cert", "5.1", "8461-5.1-02",
    "The first host's certificate is another's", mx("a", chain=OWN),
    mx("b", pref=20), sts=TWO, to="b", log=STS)
sts("hosts-second-tls", "5.1", "8461-5.1-02",
    "The first host has no STARTTLS", mx("a", starttls=False), mx("b", pref=20),
    sts=TWO, to="b", log=STS)
sts("hosts-first", "8.4", "8461-8.4-01",
    "Both hosts will do: the better one gets it", mx("a"), mx("b", pref=20),
    sts=TWO, to="a", log=STS, untouched=("b",))
sts("hosts-first-down", "B", "8461-B-01",
    "The first host is down, which is no matter of MTA-STS",
    mx("a", listens=False), mx("b", pref=20), sts=TWO, to="b", log=STS)
sts("hosts-all-down", "B", "8461-B-01",
    "All hosts are down: connections fail, not a policy",
    mx("a", listens=False), mx("b", pref=20, listens=False), sts=TWO,
    log="pkix/nothing/sts/sts", why="refused|connect")
sts("hosts-none", "5.1", "8461-5.1-02 8461-5-01",
    "None of three will do", mx("a", chain=OWN),
    mx("b", pref=20, starttls=False), mx("c", pref=30), sts=TWO,
    log=".*/sts/sts.*", untouched=("c",))
sts("hosts-loop", "8.4", "8461-8.4-01",
    "We are MX 20; the policy names MX 30 only, which must not get it",
    mx("a"), mx("c", pref=30), records="@ MX 20 mx.test.example.\n",
    sts=Sts(policy("c.{domain}")), log=STS_NO_MATCH, untouched=("a", "c"))
sts("hosts-two-addresses", "4.2", "8461-5.1-02",
    "One host, two addresses: the first shows another certificate",
    mx(), host("evil", chain=OWN), records="mx A {addr:evil}\n", to="mx", log=STS)

# --- whose policy: RFC 8461 3.4 ---

RELAY = Sts(policy("relay.{domain}"), at="relay")
sts("relay", "3.4", "8461-3.4-01",
    "A smart host with a policy for its own name",
    host("relay", port="port2"), conf=via("smtp:relay.{domain}:{port2}"),
    sts=RELAY, to="relay", log=STS, sni="relay",
    asked=("_mta-sts.relay TXT",), not_asked=("_mta-sts TXT",))
sts("relay-cert", "3.4", "8461-3.4-01 8461-5-01",
    "The same, its certificate is another's",
    host("relay", port="port2", chain=OWN), sts=RELAY,
    conf=via("smtp:relay.{domain}:{port2}"), log=STS_MISMATCH)
sts("relay-not-the-domain", "3.4", "8461-3.4-01",
    "A smart host; the recipient's domain has a policy that does not name it",
    host("relay", port="port2", chain=OWN), to="relay", log=MAY_TLS,
    conf=via("smtp:relay.{domain}:{port2}"), not_asked=("_mta-sts TXT",),
    fetched=False)
sts("relay-address", "3.4", "8461-3.4-02",
    "A smart host without a name: no policy",
    host("relay", port="port2", chain=OWN), to="relay", log=MAY_TLS,
    conf=via("smtp:[{addr:relay}]:{port2}"), not_asked=("_mta-sts TXT",),
    fetched=False)
sts("relay-mx", "3.4", "8461-3.4-01",
    "Another domain's MX hosts: its policy counts",
    host("mx.~"), records="~ MX 10 mx.~\n_mta-sts.~ TXT \"v=STSv1; id=1;\"\n"
    "mta-sts.~ A {addr:mta-sts}\n", conf=via("mx:{provider}"),
    sts=Sts(policy("mx.{provider}"), txt=(), address=False,
            chain=Chain(names=("mta-sts.sts-relay-mx-provider.test",))),
    to="mx.~", log=STS, not_asked=("_mta-sts TXT",))
sts("literal", "3.4", "8461-3.4-02",
    "An address literal: no policy", mx(chain=OWN), rcpt="user@[{addr:mx}]",
    to="mx", log=MAY_TLS, not_asked=("_mta-sts TXT",), fetched=False)
sts("subdomain", "3.4", "8461-3.4-03",
    "A domain below another has a policy of its own", host("mx"),
    rcpt="user@sub.{domain}", records="sub MX 10 mx\n",
    sts=Sts(at="sub", behave=answer), to="mx", log=STS)
sts("testing", "5", "8461-5-03", "Mode testing, and all is well", mx(),
    sts=TESTING, to="mx", log=MAY_TLS, fetched=True, **told("testing-match/passed"))
