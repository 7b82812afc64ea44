"""Domains that test_lab_mitm.py and test_lab_reuse.py change under way.

They say how things are before the attack.  Groups: "mitm" rests no
connection, "reuse" rests them for long.  Records live a second.
"""
from ..pki import Chain
from ..scenario import MAY_TLS, MISMATCH, VERIFIED, host, mx, scenario

QUICK = {"ttl": 1}
OPEN = {"ttl": 1, "signed": False}
SIXTEEN = "6698-8.2-01 6698-8.2-02"

for name, story in {
        "strip": "STARTTLS is stripped", "swap": "the certificate is swapped",
        "drop": "TLSA answers are dropped", "unsign": "all signatures are stripped",
        "unprove": "NODATA without proof", "fail": "the name server fails",
        "silent": "the name server falls silent", "break": "handshakes are broken",
        "refuse": "STARTTLS is refused", "old": "TLS 1.1 is all there is",
        "vanish": "TLSA is withdrawn, and that is proved",
        "change": "TLSA is changed, the certificate is not",
        "follow": "TLSA and the certificate are changed together",
        "cheat": "the proof that another name has no TLSA"}.items():
    scenario(f"mitm-{name}", "RFC 7672 1.3", SIXTEEN,
             f"Once delivered as it should be; then {story}",
             mx(tlsa="3 1 1"), zone=QUICK, group="mitm", to="mx", log=VERIFIED)

scenario("mitm-mx-signed", "RFC 7672 2.1.2", "7672-2.1.2-01",
         "MX of a signed domain is forged", mx(tlsa="3 1 1"), host("evil"),
         zone=QUICK, group="mitm", to="mx", log=VERIFIED)
scenario("mitm-mx-unsigned", "RFC 7672 2.2.1", "7672-2.2.1-06",
         "MX of an unsigned domain is forged; nothing forbids it",
         mx(), host("evil"), zone=OPEN, group="mitm", to="mx", log=MAY_TLS)
scenario("mitm-mx-signed-evil", "RFC 7672 2.2.1", "7672-2.2.1-09",
         "The forged host has TLSA of its own: never secure for the domain",
         mx(), host("evil.~", tlsa="3 1 1"), zone=OPEN, group="mitm", to="mx",
         log=MAY_TLS)
for level, more in (("dane", {}), ("secure", {}),
                    ("verify", {"match": ["mx.{domain}"]})):
    scenario(f"mitm-mx-{level}", "RFC 7672 2.2.1", "7672-2.2.1-05",
             f"The same with the operator's level {level}: not there",
             mx(), host("evil.~", tlsa="3 1 1"), zone=OPEN, group="mitm",
             conf={"tls {domain}": {"level": level, **more}})

for name, tlsa, log in (("dane", "3 1 1", VERIFIED), ("may", (), MAY_TLS)):
    scenario(f"hello-{name}", "RFC 7672 8.2",
             "7672-8.1-02 7672-8.2-01 7672-8.2-02 7671-5.1-04 7671-3-03",
             f"What the client offers ({name})", mx(tlsa=tlsa), zone=QUICK,
             group="mitm", to="mx", log=log)

# --- what rests from one delivery must not serve another requirement ---

scenario("reuse-twice", "RFC 6698 8.2", SIXTEEN, "Two messages, one connection",
         mx(tlsa="3 1 1"), zone=QUICK, group="reuse", to="mx", log=VERIFIED)
scenario("reuse-change", "RFC 6698 8.2", SIXTEEN,
         "TLSA is changed while a connection rests",
         mx(tlsa="3 1 1"), zone=QUICK, group="reuse", to="mx", log=VERIFIED)
scenario("reuse-begin", "RFC 6698 8.2", SIXTEEN,
         "TLSA appears while a connection rests",
         mx(), zone=QUICK, group="reuse", to="mx", log=MAY_TLS)

# One host, known by several domains; its certificate is not that of its TLSA.
scenario("shared-foreign", "RFC 7672 2.2.1", "7672-2.2.1-01",
         "A host that does not match", mx(tlsa="3 1 1 other"), zone=QUICK,
         group="reuse", log=MISMATCH)
scenario("shared-exempt", "RFC 7672 9.1", "7672-9.1-03",
         "The same host, for a domain the operator exempts", zone=QUICK,
         records="@ MX 10 mx.shared-foreign.test.\n", group="reuse",
         conf={"tls {domain}": {"level": "opportunistic"}})
scenario("shared-address", "RFC 7672 2.2.1", "7672-2.2.1-01",
         "The same address by a name without TLSA", zone=QUICK, group="reuse",
         records="@ MX 10 mx\nmx A {addr:shared-foreign/mx}\n")
# And one that matches.
scenario("shared-good", "RFC 7672 2.2.1", "7672-2.2.1-01",
         "A host that matches, with the domain's name in its certificate",
         mx(tlsa="2 0 1", chain=Chain(names=("{domain}",))), zone=QUICK,
         group="reuse", to="mx", log=VERIFIED)
scenario("shared-other-name", "RFC 7672 3.2.2", "7672-3.2.2-03",
         "The same host for a domain whose name is not in its certificate",
         zone=QUICK, group="reuse", records="@ MX 10 mx.shared-good.test.\n",
         log=MISMATCH)
scenario("shared-good-address", "RFC 7672 2.2.1", "7672-2.2.1-01",
         "The same address by a name without TLSA", zone=QUICK, group="reuse",
         records="@ MX 10 mx\nmx A {addr:shared-good/mx}\n")
