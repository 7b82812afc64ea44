"""REQUIRETLS and "TLS-Required: No": messages that say what they need.

What becomes of a message holds for one with the wish that the story begins
with.  test_lab_requiretls.py sends others to these domains as well; nothing is
sent beforehand.
"""
from ..pki import Chain
from ..scenario import mx, scenario

OFFERS = {"sin": "requiretls"}


def plain(name, section, rows, story, *hosts, **how):
    scenario(name, f"RFC 8689 {section}", rows, story, *hosts,
             group="requiretls", **how)


def required(name, section, rows, story, *hosts, **how):
    plain(name, section, rows, f"REQUIRETLS: {story}", *hosts,
          params=" REQUIRETLS", **how)


def waived(name, section, rows, story, *hosts, **how):
    plain(name, section, rows, f"TLS-Required: No: {story}", *hosts,
          header="TLS-Required: No\r\n", **how)


def grade(word):
    return {"conf": {"tls {domain}": {"requiretls": word}}}


required("rtls-dane", "4.2.1", "8689-2-05 8689-4.2.1-14",
         "Offered by a host that TLSA records verify",
         mx(tlsa="3 1 1", **OFFERS), to="mx")
required("rtls-pkix", "2", "8689-2-04 8689-2-05",
         "Offered under secure MX records, a certificate by WebPKI",
         mx(**OFFERS), to="mx")
required("rtls-pkix-name", "4.2.1", "8689-4.2.1-05",
         "Offered under secure MX records, the certificate of another host",
         mx(chain=Chain(names=("elsewhere.example",)), **OFFERS))
required("rtls-unusable", "2", "8689-2-06",
         "Offered; the TLSA records are unusable, nobody trusts the rest",
         mx(tlsa="3 1 255", chain=Chain("other-inter"), **OFFERS))
required("rtls-foreign", "4.2.1", "8689-4.2.1-04",
         "Offered by a host whose TLSA records do not match",
         mx(tlsa="3 1 1 other", **OFFERS))
required("rtls-insecure", "4.2.1", "8689-2-04 8689-4.2.1-02",
         "Offered under MX records nobody vouches for",
         mx(**OFFERS), zone={"signed": False}, outcome="failed")
required("rtls-clear", "4.2.1", "8689-2-03 8689-4.2.1-13",
         "Secure MX records, and no STARTTLS", mx(starttls=False), outcome="failed")
required("rtls-missing", "4.2.1", "8689-2-08 8689-4.2.1-12",
         "Verified, and not offered", mx(tlsa="3 1 1"), outcome="failed")
required("rtls-early", "4.2.1", "8689-4.2.1-06",
         "Verified, and offered in the clear only",
         mx(tlsa="3 1 1", sin="requiretls_before_tls"), outcome="failed")
required("rtls-helo", "4.2.1", "8689-4.2.1-03",
         "Verified, and EHLO is not known",
         mx(tlsa="3 1 1", sin="ehlo_refused_behind_tls"), outcome="failed")
required("rtls-second", "4.2.1", "8689-4.2.1-08",
         "The better host does not offer it, the other does",
         mx("mx1", pref=10, tlsa="3 1 1"),
         mx("mx2", pref=20, tlsa="3 1 1", **OFFERS),
         to="mx2")
plain("rtls-home", "5", "8689-5-01",
      "Where bounces go that may say it",
      mx(tlsa="3 1 1", **OFFERS), to="mx")
plain("rtls-away", "5", "8689-5-05",
      "Where bounces go that may not", mx(starttls=False),
      to="mx", clear=True)
required("rtls-encrypt", "4.3", "8689-4.3-04",
         "The operator asks for TLS only",
         mx(chain=Chain("other-inter")), zone={"signed": False},
         to="mx", **grade("encrypt"))
required("rtls-encrypt-clear", "4.3", "8689-4.3-04",
         "The operator asks for TLS, and there is none",
         mx(starttls=False), zone={"signed": False}, **grade("encrypt"))
required("rtls-prefer", "4.3", "8689-4.3-04",
         "The operator asks for nothing",
         mx(starttls=False), zone={"signed": False},
         to="mx", clear=True, **grade("opportunistic"))
required("rtls-off", "4.3", "8689-4.3-04",
         "The operator asks for nothing, and says nothing onward",
         mx(tlsa="3 1 1", **OFFERS),
         to="mx", **grade("off"))
waived("rtls-waived", "3", "8689-3-01 8689-3-02",
       "TLSA records that do not match, for mail that waives them",
       mx(tlsa="3 1 1 other"), to="mx")
waived("rtls-waived-insists", "4.2.2", "8689-4.2.2-03",
       "A host that takes no mail without a TLS it breaks",
       mx(tlsa="3 1 1", sin="starttls_needed_and_broken"),
       outcome="failed", shown=("mx",))
