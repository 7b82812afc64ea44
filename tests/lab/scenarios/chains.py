"""Certificates with every defect, against DANE-EE (all is well) and DANE-TA."""
from ..pki import EXPIRED, FUTURE, Chain
from ..scenario import BROKEN, MISMATCH, VERIFIED, mx, scenario

EE = "7672-3.1.1-01 7672-3.1.1-02 7672-3.1.1-03 7672-3.2.1-01 7671-5.1-01 7671-5.1-02"

# RFC 7672 3.1.1: neither names nor dates nor the chain matter for usage 3.
EE_CHAINS = {
    "expired": ("the leaf has expired", Chain(days=EXPIRED)),
    "not-yet": ("the leaf is not yet valid", Chain(days=FUTURE)),
    "foreign-name": ("the leaf is for another name",
                     Chain(names=("elsewhere.example",))),
    "nameless": ("the leaf has no name at all", Chain(names=())),
    "self-signed": ("the leaf is signed by itself", Chain(issuer="self")),
    "unknown-issuer": ("nobody knows the issuer, which is not sent",
                       Chain(issuer="other-inter", send=("leaf",))),
    "client-only": ("the leaf is for clients", Chain(purpose="client")),
    "disordered": ("the chain is out of order",
                   Chain(send=("leaf", "root", "inter"))),
    "rsa": ("an RSA key", Chain(key="rsa")),
    "ed25519": ("an Ed25519 key", Chain(key="ed25519")),
    "everything-wrong": ("expired, foreign, self-signed, for clients",
                         Chain(issuer="self", days=EXPIRED, purpose="client",
                               names=("elsewhere.example",))),
}
for name, (story, chain) in EE_CHAINS.items():
    scenario(f"ee-{name}", "RFC 7672 3.1.1", EE + " 7671-4.2-01 6698-2.1.2-01",
             f"DANE-EE matches; {story}", mx(tlsa="3 1 1", chain=chain),
             to="mx", log=VERIFIED)

scenario("ee-cert-expired", "RFC 7671 5.1", EE,
         "3 0 1 instead of 3 1 1: just as little matters",
         mx(tlsa="3 0 1", chain=EE_CHAINS["everything-wrong"][1]),
         to="mx", log=VERIFIED)
scenario("ee-and-ta-expired", "RFC 7671 5.1", EE,
         "DANE-EE matches, DANE-TA would, but for the date",
         mx(tlsa=["3 1 1", "2 0 1"], chain=Chain(days=EXPIRED)),
         to="mx", log=VERIFIED)

TA_GOOD = {
    "inter": ("an intermediate is the anchor", "2 0 1 inter", Chain()),
    "inter-key": ("the key of an intermediate", "2 1 1 inter", Chain()),
    "inter-alone": ("the intermediate is the anchor; no root is sent",
                    "2 0 1 inter", Chain(send=("leaf", "inter"))),
    "deep": ("two intermediates below the root", "2 0 1", Chain("deep")),
    "direct": ("the root itself has signed the leaf", "2 0 1", Chain("root")),
    "disordered": ("the chain is out of order", "2 0 1",
                   Chain(send=("leaf", "root", "inter"))),
    "too-much": ("certificates that do not belong there are sent, too",
                 "2 0 1", Chain(send=("leaf", "other", "inter", "root"))),
    "full-unsent": ("2 0 0: the root is in DNS only", "2 0 0",
                    Chain(send=("leaf", "inter"))),
    "full-inter-unsent": ("2 0 0: the intermediate is in DNS only",
                          "2 0 0 inter", Chain(send=("leaf",))),
    "key-reused": ("2 1 1: the root was renewed and kept its key", "2 1 1",
                   Chain("inter", send=("leaf", "inter", "renewed"))),
    "no-purpose": ("a leaf without extended key usage", "2 0 1",
                   Chain(purpose=None)),
    "rsa": ("an RSA key", "2 0 1", Chain(key="rsa")),
    "ed25519": ("an Ed25519 key", "2 0 1", Chain(key="ed25519")),
}
for name, (story, tlsa, chain) in TA_GOOD.items():
    scenario(f"ta-{name}", "RFC 7671 5.2.2",
             "7671-5.2.2-02 7671-4.2-02 6698-2.1.1-01 6698-2.1.2-01",
             f"DANE-TA: {story}", mx(tlsa=tlsa, chain=chain), to="mx",
             log=VERIFIED)

TA_BAD = {
    "expired": ("the leaf has expired", "2 0 1", Chain(days=EXPIRED)),
    "not-yet": ("the leaf is not yet valid", "2 0 1", Chain(days=FUTURE)),
    "foreign-name": ("the leaf is for another name", "2 0 1",
                     Chain(names=("elsewhere.example",))),
    "inter-expired": ("the intermediate has expired", "2 0 1",
                      Chain("inter-old")),
    "unsent": ("2 0 1, but the root is not sent", "2 0 1",
               Chain(send=("leaf", "inter"))),
    "key-unsent": ("2 1 1, but the root is not sent", "2 1 1",
                   Chain(send=("leaf", "inter"))),
    "gap": ("the intermediate is missing", "2 0 1",
            Chain(send=("leaf", "root"))),
    "leaf-alone": ("the leaf alone is sent", "2 0 1 inter",
                   Chain(send=("leaf",))),
    "foreign": ("the chain ends at another root", "2 0 1",
                Chain("other-inter")),
    "foreign-padded": ("another chain, and our root sent with it", "2 0 1",
                       Chain("other-inter",
                             send=("leaf", "other-inter", "other", "root"))),
    "self-signed": ("the leaf is signed by itself", "2 0 1",
                    Chain("self", send=("leaf", "root"))),
    "client-only": ("the leaf is for clients", "2 0 1",
                    Chain(purpose="client")),
    "no-ca": ("the issuer is no authority", "2 0 1", Chain("no-ca")),
    "renewed": ("2 0 1: the root was renewed, key or no key", "2 0 1",
                Chain(send=("leaf", "inter", "renewed"))),
    "sha1": ("the intermediate is signed with SHA-1", "2 0 1",
             Chain("inter-sha1")),
}
for name, (story, tlsa, chain) in TA_BAD.items():
    scenario(f"ta-{name}", "RFC 7672 3.1.2", "7672-3.2-01 7672-3.2-02 7672-3.2.2-01 "
             "6698-2.1.1-01",
             f"DANE-TA: {story}", mx(tlsa=tlsa, chain=chain), log=MISMATCH)

scenario("ta-path-length", "RFC 7672 3.1.2", "7672-3.1.2-05",
         "The anchor allows no authority below it, and there is one",
         mx(tlsa="2 0 1 short", chain=Chain("below-short")), log=MISMATCH)
scenario("ta-name-constraint", "RFC 7671 5.2.1", "7671-5.2.1-03",
         "The anchor may vouch for another domain only",
         mx(tlsa="2 0 1 confined", chain=Chain("confined")), log=MISMATCH)

# The names a DANE-TA certificate may carry: RFC 7672 3.2.2 and 3.2.3.
NAMES = {
    "next-hop": (True, "7672-3.2.2-03", "the next-hop domain", ("{domain}",)),
    "several": (True, "7672-3.2.2-02", "one of several names",
                ("elsewhere.example", "{host}")),
    "capitals": (True, "7672-3.2.2-02", "capital letters",
                 ("MX.TA-NAME-CAPITALS.TEST",)),
    "wildcard": (True, "7672-3.2.3-03", "a wildcard for the first label",
                 ("*.{domain}",)),
    "partial-wildcard": (False, "7672-3.2.3-02",
                         "a wildcard for a part of a label", ("m*.{domain}",)),
    "deep-wildcard": (False, "7672-3.2.3-04",
                      "a wildcard one label too high", ("*.test",)),
    "inner-wildcard": (False, "7672-3.2.3-02",
                       "a wildcard as the second label", ("mx.*.test",)),
    "parent": (False, "7672-3.2.2-01", "the domain above", ("test",)),
    "child": (False, "7672-3.2.2-01", "a name below the host", ("a.{host}",)),
    "longer": (False, "7672-3.2.2-01", "the name with more letters",
               ("a{host}", "{host}.example")),
    "tlsa-owner": (False, "7672-2.2.3-05", "the name of the TLSA records",
                   ("_25._tcp.{host}",)),
}
for name, (good, rows, story, names) in NAMES.items():
    scenario(f"ta-name-{name}", "RFC 7672 3.2.2", rows,
             f"DANE-TA, the certificate has: {story}",
             mx(tlsa="2 0 1", chain=Chain(names=names)),
             to="mx" if good else None, log=VERIFIED if good else MISMATCH)

scenario("ta-name-cn", "RFC 7672 3.2.3", "7672-3.2.3-01 7672-1.1-01",
         "DANE-TA: no DNS name; the common name is the host's",
         mx(tlsa="2 0 1", chain=Chain(names=(), cn="{host}")), to="mx",
         log=VERIFIED)
scenario("ta-name-cn-ignored", "RFC 7672 3.2.3", "7672-3.2.3-01",
         "DANE-TA: another DNS name; the common name is the host's",
         mx(tlsa="2 0 1", chain=Chain(names=("elsewhere.example",), cn="{host}")),
         log=MISMATCH)
scenario("ta-name-none", "RFC 7672 1.1", "7672-1.1-01",
         "DANE-TA: no name at all",
         mx(tlsa="2 0 1", chain=Chain(names=())), log=MISMATCH)
scenario("ta-name-idn", "RFC 6698 3", "6698-3-02",
         "DANE-TA: the host's name is in another script",
         mx("xn--mller-kva", tlsa="2 0 1"), to="xn--mller-kva", log=VERIFIED,
         sni="xn--mller-kva")

# What the client itself demands of TLS, whatever the records say.
scenario("tls12-only", "RFC 7671 3", "7671-3-02 7671-3-03", "No more than TLS 1.2",
         mx(tlsa="3 1 1", versions=("TLSv1_2", "TLSv1_2")), to="mx",
         log=VERIFIED, sni="mx", keys={"protocol": "TLSv1.2"})
scenario("tls13-only", "RFC 7671 3", "7671-3-02", "No less than TLS 1.3",
         mx(tlsa="3 1 1", versions=("TLSv1_3", "TLSv1_3")), to="mx",
         log=VERIFIED, keys={"protocol": "TLSv1.3"})
scenario("tls11-only", "RFC 8996 3", "7671-3-01", "No more than TLS 1.1",
         mx(tlsa="3 1 1", versions=("TLSv1", "TLSv1_1")), log=BROKEN)
