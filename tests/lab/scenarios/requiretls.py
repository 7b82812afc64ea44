"""REQUIRETLS and "TLS-Required: No": messages that say what they need.

test_lab_requiretls.py sends to these domains; nothing is sent beforehand.
"""
from ..pki import Chain
from ..scenario import mx, scenario

OFFERS = {"sin": "requiretls"}


def domain(name, section, rows, story, *hosts, **how):
    scenario(name, f"RFC 8689 {section}", rows, story, *hosts,
             group="requiretls", **how)


def grade(word):
    return {"conf": {"tls {domain}": {"requiretls": word}}}


domain("rtls-dane", "4.2.1", "8689-2-05 8689-4.2.1-14",
       "Offered by a host that TLSA records verify",
       mx(tlsa="3 1 1", **OFFERS))
domain("rtls-pkix", "2", "8689-2-04 8689-2-05",
       "Offered under secure MX records, a certificate by WebPKI",
       mx(**OFFERS))
domain("rtls-pkix-name", "4.2.1", "8689-4.2.1-05",
       "Offered under secure MX records, the certificate of another host",
       mx(chain=Chain(names=("elsewhere.example",)), **OFFERS))
domain("rtls-unusable", "2", "8689-2-06",
       "Offered; the TLSA records are unusable, nobody trusts the rest",
       mx(tlsa="3 1 255", chain=Chain("other-inter"), **OFFERS))
domain("rtls-foreign", "4.2.1", "8689-4.2.1-04",
       "Offered by a host whose TLSA records do not match",
       mx(tlsa="3 1 1 other", **OFFERS))
domain("rtls-insecure", "4.2.1", "8689-2-04 8689-4.2.1-02",
       "Offered under MX records nobody vouches for",
       mx(**OFFERS), zone={"signed": False})
domain("rtls-clear", "4.2.1", "8689-2-03 8689-4.2.1-13",
       "Secure MX records, and no STARTTLS", mx(starttls=False))
domain("rtls-missing", "4.2.1", "8689-2-08 8689-4.2.1-12",
       "Verified, and not offered", mx(tlsa="3 1 1"))
domain("rtls-early", "4.2.1", "8689-4.2.1-06",
       "Verified, and offered in the clear only",
       mx(tlsa="3 1 1", sin="requiretls_before_tls"))
domain("rtls-helo", "4.2.1", "8689-4.2.1-03",
       "Verified, and EHLO is not known",
       mx(tlsa="3 1 1", sin="ehlo_refused_behind_tls"))
domain("rtls-second", "4.2.1", "8689-4.2.1-08",
       "The better host does not offer it, the other does",
       mx("mx1", pref=10, tlsa="3 1 1"),
       mx("mx2", pref=20, tlsa="3 1 1", **OFFERS))
domain("rtls-home", "5", "8689-5-01",
       "Where bounces go that may say it",
       mx(tlsa="3 1 1", **OFFERS))
domain("rtls-away", "5", "8689-5-05",
       "Where bounces go that may not", mx(starttls=False))
domain("rtls-encrypt", "4.3", "8689-4.3-04",
       "The operator asks for TLS only",
       mx(chain=Chain("other-inter")), zone={"signed": False},
       **grade("encrypt"))
domain("rtls-encrypt-clear", "4.3", "8689-4.3-04",
       "The operator asks for TLS, and there is none",
       mx(starttls=False), zone={"signed": False}, **grade("encrypt"))
domain("rtls-prefer", "4.3", "8689-4.3-04",
       "The operator asks for nothing",
       mx(starttls=False), zone={"signed": False}, **grade("opportunistic"))
domain("rtls-off", "4.3", "8689-4.3-04",
       "The operator asks for nothing, and says nothing onward",
       mx(tlsa="3 1 1", **OFFERS), **grade("off"))
domain("rtls-waived", "3", "8689-3-01 8689-3-02",
       "TLSA records that do not match, for mail that waives them",
       mx(tlsa="3 1 1 other"))
domain("rtls-waived-insists", "4.2.2", "8689-4.2.2-03",
       "A host that takes no mail without a TLS it breaks",
       mx(tlsa="3 1 1", sin="starttls_needed_and_broken"))
