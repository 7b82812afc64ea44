"""Each usage with each selector and each matching type."""
from itertools import product

from ..scenario import MISMATCH, UNUSABLE, VERIFIED, mx, scenario

SELECTORS = {"0": "the certificate", "1": "its key"}
TYPES = {"0": "in full", "1": "as SHA2-256", "2": "as SHA2-512"}

for selector, matching in product(SELECTORS, TYPES):
    what = f"{SELECTORS[selector]} {TYPES[matching]}"
    number = selector + matching

    scenario(f"ee-3{number}", "RFC 7672 3.1.1",
             "7672-3.1.1-01 7671-2-01 7671-2-02 6698-2.1.1-02 6698-2.1.3-01 "
             "6698-6-01 6698-6-02 7672-2.2-02 7672-2.2.3-01",
             f"DANE-EE, {what}, matches",
             mx(tlsa=f"3 {selector} {matching}"), to="mx", log=VERIFIED,
             sni="mx", keys={"match": f"3 {selector} {matching}"})

    scenario(f"ee-3{number}-foreign", "RFC 7672 3.2",
             "7672-2.2-03 7672-3.2-01 7672-3.2-02 7672-9.1-02 6698-4.1-10 "
             "7671-4.1-01",
             f"DANE-EE, {what}, of another certificate",
             mx(tlsa=f"3 {selector} {matching} other"), log=MISMATCH)

    scenario(f"ta-2{number}", "RFC 7672 3.1.2",
             "6698-2.1.1-01 7671-2-01 7671-2-02 7672-3.2.2-01 6698-6-01",
             f"DANE-TA, {what}, matches the root, which is sent",
             mx(tlsa=f"2 {selector} {matching}"), to="mx", log=VERIFIED,
             sni="mx", keys={"match": f"2 {selector} {matching}"})

    scenario(f"ta-2{number}-foreign", "RFC 7672 3.2",
             "7672-3.2-01 7672-3.2-02 6698-4.1-10",
             f"DANE-TA, {what}, of another authority",
             mx(tlsa=f"2 {selector} {matching} other"), log=MISMATCH)

    for usage, name in (("0", "PKIX-TA"), ("1", "PKIX-EE")):
        scenario(f"pkix-{usage}{number}", "RFC 7672 3.1.3",
                 "7672-3.1.3-02 7672-2.2-05 7671-4-02 7671-4.1-02 7671-10.3-03",
                 f"{name} ({what}) alone is unusable: TLS, not authenticated",
                 mx(tlsa=f"{usage} {selector} {matching}"), to="mx",
                 log=UNUSABLE)

scenario("all-usages", "RFC 7671 4", "7671-4-01 7672-3.1.3-02",
         "All four usages; only DANE-EE counts, and matches",
         mx(tlsa=["0 0 1 other", "1 1 1 other", "2 0 1 other", "3 1 1"]),
         to="mx", log=VERIFIED)
scenario("pkix-matches-ee-does-not", "RFC 7672 3.1.3", "7672-3.1.3-02",
         "1 1 1 would match, 3 1 1 does not: 3 1 1 decides",
         mx(tlsa=["1 1 1", "3 1 1 other"]), log=MISMATCH)
scenario("pkix-beside-ee", "RFC 7672 3.1.3", "7672-3.1.3-02 7671-4-02",
         "1 1 1 of another certificate beside a 3 1 1 that matches",
         mx(tlsa=["1 1 1 other", "3 1 1"]), to="mx", log=VERIFIED)
scenario("ee-of-the-issuer", "RFC 6698 2.1.1", "6698-2.1.1-02",
         "DANE-EE with the digest of the intermediate: the leaf has to match",
         mx(tlsa="3 1 1 inter"), log=MISMATCH)
scenario("ta-of-the-leaf", "RFC 7672 3.1.2", "6698-2.1.1-01",
         "DANE-TA with the digest of a leaf that some authority issued",
         mx(tlsa="2 1 1 leaf"), log=MISMATCH)
scenario("ee-or-ta", "RFC 6698 4.1", "6698-4.1-02",
         "DANE-EE does not match, DANE-TA does: one is enough",
         mx(tlsa=["3 1 1 other", "2 0 1"]), to="mx", log=VERIFIED)
scenario("selectors-swapped", "RFC 6698 2.1.2", "6698-2.1.2-01",
         "3 0 1 with the digest of the key, 3 1 1 with that of a foreign one",
         mx(tlsa=["3 0 1 other", "3 1 1 renewed"]), log=MISMATCH)
scenario("no-tlsa", "RFC 7672 2.2", "7672-2.2-07 7672-2.2.3-06",
         "A signed domain without TLSA: TLS when offered, with any certificate",
         mx(), to="mx", log="may/encrypted/none/default", sni="mx")
scenario("no-tlsa-no-tls", "RFC 7672 2.2", "7672-2.2-07",
         "A signed domain without TLSA, whose host has no TLS: cleartext",
         mx(starttls=False), to="mx", log="may/no-offer/none/default", clear=True)
