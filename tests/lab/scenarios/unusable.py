"""Records nobody can use, alone and among others; digest agility."""
from ..pki import Chain
from ..scenario import MISMATCH, UNUSABLE, VERIFIED, mx, scenario

# One record that must not count, whatever the host shows.
BAD = {
    "digest-0": "3 1 1 cut:0", "digest-3": "3 1 1 cut:3",
    "digest-19": "3 1 1 cut:19", "digest-31": "3 1 1 cut:31",
    "digest-33": "3 1 1 pad:33", "digest-65": "3 1 1 pad:65",
    "sha512-32": "3 1 2 cut:32", "sha512-63": "3 1 2 cut:63",
    "sha512-65": "3 1 2 pad:65", "ta-digest-31": "2 0 1 cut:31",
    "usage-4": "4 1 1 leaf", "usage-255": "255 1 1 leaf",
    "selector-2": "3 2 1", "selector-255": "3 255 1",
    "type-3": "3 1 3", "type-255": "3 1 255",
    "full-empty": "3 0 0 cut:0",
    "ta-junk": "2 0 0 hex:deadbeef", "ta-key-junk": "2 1 0 hex:3003020100",
}
for name, tlsa in BAD.items():
    scenario(f"unusable-{name}", "RFC 7672 2.2",
             "7672-2.2-05 7671-14-01 7671-10.3-03 6698-4.1-07 6698-4.1-08",
             f"Nothing but {tlsa}: TLS, not authenticated",
             mx(tlsa=tlsa, chain=Chain("self", names=("elsewhere.example",))),
             to="mx", log=UNUSABLE, sni="mx")
    scenario(f"{name}-and-good", "RFC 6698 4.1",
             "6698-4.1-07 6698-4.1-08 7671-9-05",
             f"{tlsa} beside a 3 1 1 that matches",
             mx(tlsa=[tlsa, "3 1 1"]), to="mx", log=VERIFIED)

scenario("unusable-and-foreign", "RFC 7672 2.2", "6698-4.1-10 7671-9-05",
         "An unusable record does not soften one that does not match",
         mx(tlsa=["3 1 1 cut:31", "255 1 1 leaf", "3 1 1 other"]), log=MISMATCH)
scenario("unusable-all-kinds", "RFC 7672 2.2", "7672-2.2-05 7671-14-01",
         "Five records, and none is usable",
         mx(tlsa=["0 0 1", "1 1 1", "3 1 3", "3 1 2 cut:63", "9 9 9 leaf"]),
         to="mx", log=UNUSABLE)

for name, how, log in (
        ("no-starttls", {"starttls": False}, "no-offer"),
        ("starttls-454", {"sin": "starttls_refused"}, "refused"),
        ("handshake-broken", {"sin": "handshake_garbage"}, "broken"),
        ("tls11-only", {"versions": ("TLSv1", "TLSv1_1")}, "broken")):
    scenario(f"unusable-{name}", "RFC 7672 2.2.3",
             "7672-2.2-06 7672-2.2.3-08 7671-10.3-04",
             f"Only unusable records, and no TLS ({name}): nothing in cleartext",
             mx(tlsa="3 1 1 cut:31", **how),
             log=f"encrypt/{log}/dane/tlsa-unusable")

scenario("unusable-second-host", "RFC 7672 2.2", "7672-2.2-06",
         "Unusable records and no STARTTLS; the next host has TLS",
         mx("a", tlsa="0 0 1", starttls=False), mx("b", pref=20), to="b",
         log="may/encrypted/none/default")

# RFC 7671 9: of each usage and selector, Full(0) and the strongest digest.
AGILITY = "7671-2-04 7671-9-01 7671-9-06 7672-5-01 7672-5-02"
scenario("agility-strong-fails", "RFC 7671 9", AGILITY,
         "3 1 1 matches, but 3 1 2 is stronger and does not",
         mx(tlsa=["3 1 1", "3 1 2 other"]), log=MISMATCH)
scenario("agility-weak-fails", "RFC 7671 9", AGILITY,
         "3 1 2 matches; that 3 1 1 does not is nothing",
         mx(tlsa=["3 1 1 other", "3 1 2"]), to="mx", log=VERIFIED,
         keys={"match": "3 1 2"})
scenario("agility-malformed-strong", "RFC 7671 9", "7671-9-05",
         "A malformed 3 1 2 is dropped before strength is compared",
         mx(tlsa=["3 1 1", "3 1 2 cut:63"]), to="mx", log=VERIFIED)
scenario("agility-short-strong", "RFC 7671 9", "7671-9-05",
         "A 3 1 2 of 20 octets is dropped, too",
         mx(tlsa=["3 1 1", "3 1 2 other cut:20"]), to="mx", log=VERIFIED)
scenario("agility-unknown-type", "RFC 7671 9", "7671-9-05 6698-4.1-07",
         "A matching type nobody knows is not strong but unusable",
         mx(tlsa=["3 1 1", "3 1 3 other", "3 1 255 other"]), to="mx",
         log=VERIFIED)
scenario("agility-full", "RFC 7671 9", AGILITY,
         "Full(0) counts beside any digest: 3 1 0 matches, 3 1 2 does not",
         mx(tlsa=["3 1 0", "3 1 2 other"]), to="mx", log=VERIFIED)
scenario("agility-full-weak", "RFC 7671 9", AGILITY,
         "Full(0) and 3 1 2 of others; 3 1 1 would match and does not count",
         mx(tlsa=["3 1 0 other", "3 1 1", "3 1 2 other"]), log=MISMATCH)
scenario("agility-other-selector", "RFC 7671 9", AGILITY,
         "3 0 2 is another selector: 3 1 1 still counts",
         mx(tlsa=["3 1 1", "3 0 2 other"]), to="mx", log=VERIFIED)
scenario("agility-other-usage", "RFC 7671 9", AGILITY,
         "2 1 2 is another usage: 3 1 1 still counts",
         mx(tlsa=["3 1 1", "2 1 2 other"]), to="mx", log=VERIFIED)
scenario("agility-pkix-usage", "RFC 7671 9", "7671-9-05 7672-3.1.3-02",
         "1 1 2 is not usable, so it is not stronger than 3 1 1",
         mx(tlsa=["3 1 1", "1 1 2 other"]), to="mx", log=VERIFIED)
scenario("agility-ta", "RFC 7671 9", AGILITY,
         "2 0 1 matches, but 2 0 2 is stronger and does not",
         mx(tlsa=["2 0 1", "2 0 2 other"]), log=MISMATCH)
scenario("agility-ta-strong", "RFC 7671 9", AGILITY,
         "2 0 2 matches; that 2 0 1 does not is nothing",
         mx(tlsa=["2 0 1 other", "2 0 2"]), to="mx", log=VERIFIED)
scenario("agility-two-strong", "RFC 7671 9", AGILITY,
         "Two of the strongest kind; one matches",
         mx(tlsa=["3 1 1 other", "3 1 2 other", "3 1 2"]), to="mx", log=VERIFIED)

scenario("rollover", "RFC 7671 8", "6698-4.1-02",
         "The key of today and that of tomorrow",
         mx(tlsa=["3 1 1", "3 1 1 other"]), to="mx", log=VERIFIED)
scenario("duplicate-digests", "RFC 6698 4.1", "6698-4.1-02",
         "The same digest in different records",
         mx(tlsa=["3 1 1", "2 1 1", "3 0 1", "2 0 1"]), to="mx", log=VERIFIED)
scenario("large-set", "RFC 7672 2.2", "6698-4.1-02",
         "Sixty records need TCP; the last one matches",
         mx(tlsa=[f"3 1 2 hex:{n:0128x}" for n in range(60)] + ["3 1 2"]),
         to="mx", log=VERIFIED)
scenario("large-set-foreign", "RFC 7672 2.2", "6698-4.1-10",
         "Sixty records, and none matches",
         mx(tlsa=[f"3 1 2 hex:{n:0128x}" for n in range(60)]), log=MISMATCH)
