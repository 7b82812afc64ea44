"""Lookups that fail: RFC 7672 2.1.2.  Nothing is sent, nobody is called."""
from .. import lies
from ..scenario import (MAY_TLS, MISMATCH, NO_ADDRESS_ANSWER, NO_MX_ANSWER,
                        NO_TLSA_ANSWER, VERIFIED, host, mx, scenario)

FAILED = ("7672-2.1.1-10 7672-2.1.2-04 7672-2.1.2-05 7672-2.1.2-06 7672-2.1.2-08 "
          "7672-2.2.1-12 7672-2.2-09 7672-10-01 6698-4.1-11 6698-4.1-12")
TLSA = "_{port}._tcp.mx TLSA"

# How the answer about TLSA, which is there and matches, is kept from us.
LIES = {
    "servfail": "the server has failed",
    "refused": "the server will not say (lame)",
    "notimp": "the server does not know TLSA",
    "formerr": "the server did not understand",
    "silence": "nobody answers",
    "garbage": "the answer is garbage",
    "cut_rdata": "the answer ends inside a record",
    "empty": "no record, no proof",
    "nodata_unproved": "\"no such records\", without proof",
    "nxdomain_unproved": "\"no such name\", without proof",
    "unsigned": "the signatures are stripped",
    "tlsa_dropped": "the records are dropped, the signatures left",
    "flipped": "a bit of the record is another",
    "never_whole": "the answer is always cut short",
}
for name, story in LIES.items():
    scenario(f"tlsa-{name.replace('_', '-')}", "RFC 7672 2.1.2", FAILED,
             f"TLSA: {story}", mx(tlsa="3 1 1"), lies={TLSA: getattr(lies, name)},
             log=NO_TLSA_ANSWER, untouched=("mx",))
    if name in ("servfail", "silence", "flipped", "nodata_unproved"):
        scenario(f"tlsa-{name.replace('_', '-')}-next", "RFC 7672 2.2.1",
                 FAILED + " 7672-2.1.2-07",
                 f"TLSA of the first host: {story}; the second is fine",
                 mx(tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1"),
                 lies={TLSA: getattr(lies, name)}, to="b", log=VERIFIED,
                 untouched=("mx",))

scenario("tlsa-foreign-proof", "RFC 7672 2.1.2", FAILED,
         "TLSA: a signed proof that another name has none",
         mx(tlsa="3 1 1"), records="zz TXT x\n",
         lies={TLSA: lies.proof_of("zzz.tlsa-foreign-proof.test.")},
         log=NO_TLSA_ANSWER, untouched=("mx",))
scenario("tlsa-forged", "RFC 7672 2.1.2", FAILED + " 6698-4.1-03",
         "TLSA: forged, without signature",
         mx(tlsa="3 1 1"), lies={TLSA: lies.forged(
             ("TLSA", bytes.fromhex("030101" + "00" * 32)))},
         log=NO_TLSA_ANSWER, untouched=("mx",))
scenario("tlsa-forged-alias", "RFC 7672 2.1.2", FAILED,
         "TLSA: a forged alias into an unsigned zone",
         mx(tlsa="3 1 1"), zones={"~": {"signed": False}},
         lies={TLSA: lies.forged_alias("x.tlsa-forged-alias-provider.test")},
         records="x.~ TXT x\n", log=NO_TLSA_ANSWER, untouched=("mx",))
scenario("tlsa-tcp-only", "RFC 7672 2.1.1", "7672-2.1.1-10",
         "TLSA: only TCP tells the truth, and that is enough",
         mx(tlsa="3 1 1"), lies={TLSA: lies.tcp_only}, to="mx", log=VERIFIED)
scenario("tlsa-bad-signature", "RFC 7672 2.1.2", FAILED + " 6698-4.1-03",
         "TLSA: changed in the zone after signing", mx(),
         records=TLSA.replace("TLSA", "TLSA 3 1 1 ") + "ab" * 32 + "\n",
         zone={"spoil": ("3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32)},
         log=NO_TLSA_ANSWER, untouched=("mx",))

# --- the zone of the domain, as a whole ---

ZONES = {
    "expired": ({"expired": True}, "its signatures have expired"),
    "future": ({"early": True}, "its signatures are not yet valid"),
    "wrong-ds": ({"ds": "wrong"}, "the zone above vouches for another key"),
    "ds-unsigned": ({"strip": "RRSIG|DNSKEY|NSEC"},
                    "the zone above vouches for it, and it is unsigned"),
}
for name, (how, story) in ZONES.items():
    scenario(f"zone-{name}", "RFC 7672 2.1.2", "7672-2.1.2-01 6698-4.1-05",
             f"The domain is bogus: {story}", mx(tlsa="3 1 1"), zone=how,
             log=NO_MX_ANSWER, untouched=("mx",))
    scenario(f"host-{name}", "RFC 7672 2.1.2", "7672-2.1.2-02 6698-4.1-05",
             f"The host's zone is bogus: {story}", mx("mx.~", tlsa="3 1 1"),
             zones={"~": how}, log=NO_ADDRESS_ANSWER, untouched=("mx.~",))

for name in ("silence", "servfail"):
    scenario(f"dnskey-{name}", "RFC 7672 2.1.1", "7672-2.1.1-04",
             f"The keys of the host's zone: {name}; not to know is not insecure",
             mx("mx.~", tlsa="3 1 1"), lies={"~ DNSKEY": getattr(lies, name)},
             log=NO_ADDRESS_ANSWER, untouched=("mx.~",))
scenario("ds-unproved", "RFC 7672 2.1.1", "7672-2.1.1-04",
         "\"No DS\" without proof: the zone is not thereby unsigned",
         mx("mx.~", tlsa="3 1 1"), lies={"~ DS": lies.nodata_unproved},
         log=NO_ADDRESS_ANSWER, untouched=("mx.~",))

# --- MX and addresses ---

for name in ("servfail", "silence", "refused", "flipped", "unsigned", "empty"):
    scenario(f"mx-{name}", "RFC 7672 2.1.2", "7672-2.1.2-01",
             f"MX: {LIES[name]}", mx(tlsa="3 1 1"),
             lies={"@ MX": getattr(lies, name)}, log=NO_MX_ANSWER,
             untouched=("mx",))
for name in ("servfail", "silence", "flipped", "unsigned", "nodata_unproved"):
    scenario(f"address-{name.replace('_', '-')}", "RFC 7672 2.1.2",
             "7672-2.1.2-01 7672-2.1.2-02 7672-2.2.2-08",
             f"Address: {LIES[name]}", mx(tlsa="3 1 1"),
             lies={"mx A": getattr(lies, name)}, log=NO_ADDRESS_ANSWER,
             untouched=("mx",))
scenario("address-servfail-next", "RFC 7672 2.1.2", "7672-2.1.2-02 7672-2.1.2-07",
         "Address of the first host: the server has failed; the second is fine",
         mx(tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1"),
         lies={"mx A": lies.servfail}, to="b", log=VERIFIED, untouched=("mx",))
scenario("aaaa-bogus-next", "RFC 7672 2.1.2", "7672-2.1.2-07",
         "A is fine, AAAA bogus: this host is skipped, the second is fine",
         mx(tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1"),
         records="mx AAAA 2001:db8::1\n", lies={"mx AAAA": lies.flipped},
         to="b", log=VERIFIED, untouched=("mx",))
scenario("no-address", "RFC 7672 2.2.2", "7672-2.2.2-02",
         "The first host has no address, proved: skipped, TLSA is not asked for",
         mx(address=False, tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1"),
         to="b", log=VERIFIED, not_asked=(TLSA,))
scenario("address-first", "RFC 7672 2.2.2", "7672-2.2.2-01 7672-2.2.2-04 "
         "7672-2.1.2-03 6698-3-01",
         "Addresses, then TLSA, at one name only", mx(tlsa="3 1 1"), to="mx",
         log=VERIFIED, asked=("mx A", TLSA))
scenario("forged-mx-secure", "RFC 7672 2.1.2", "7672-2.1.2-01",
         "A man in the middle names his own host in a signed domain",
         mx(tlsa="3 1 1"), host("evil.~"),
         lies={"@ MX": lies.forged_mx("evil.forged-mx-secure-provider.test")},
         log=NO_MX_ANSWER, untouched=("mx", "evil.~"))
scenario("mx-insecure-servfail-host", "RFC 7672 2.2.1", "7672-2.2.1-12",
         "An unsigned domain; TLSA of its signed host: the server has failed",
         mx("mx.~", tlsa="3 1 1"), zone={"signed": False},
         lies={"_{port}._tcp.mx.~ TLSA": lies.servfail}, log=NO_TLSA_ANSWER,
         untouched=("mx.~",))
scenario("one-of-two-unknown", "RFC 7672 2.1.2", "7672-2.1.2-06",
         "TLSA of the first host fails, that of the second does not match",
         mx(tlsa="3 1 1"), mx("b", pref=20, tlsa="3 1 1 other"),
         lies={TLSA: lies.servfail}, untouched=("mx",),
         log=MISMATCH)
scenario("no-tlsa-next-to-unknown", "RFC 7672 2.2.1", "7672-2.2.1-01",
         "TLSA of the first host fails, the second has none: it gets the mail",
         mx(tlsa="3 1 1"), mx("b", pref=20), lies={TLSA: lies.servfail},
         to="b", log=MAY_TLS, untouched=("mx",))
