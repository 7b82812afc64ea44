"""MTA-STS: the TXT record that says that there is a policy.

Behind each record there is a good policy.  Where the record says nothing, the
policy host is left alone, and the MX host has a certificate that the policy
would have refused.
"""
from .. import lies
from ..sts import Sts
from .sts_policies import free, held

GOOD = '"v=STSv1; id=20260101;"'
FOUND = {
    "no-last-semicolon": ("8461-3.1-02", "no semicolon at its end",
                          ('"v=STSv1; id=1"',)),
    "no-blanks": ("8461-3.1-02", "no blanks", ('"v=STSv1;id=1;"',)),
    "blanks": ("8461-3.1-02", "many blanks", ('"v=STSv1;  id=1 ; "',)),
    "extension": ("8461-3.2-16 8461-3.1-08", "fields nobody knows, before the id",
                  ('"v=STSv1; a-b.c=d:e,f; id=1; z=1;"',)),
    "doubled": ("8461-3.2-18", "two ids, of which the first counts",
                ('"v=STSv1; id=1; id=2;"',)),
    "strings": ("8461-3.1-14", "parts that are joined without a blank",
                ('"v=ST" "Sv1; id=" "2026" "0101" ";"',)),
    "longest": ("8461-3.1-05", "an id of 32 letters",
                (f'"v=STSv1; id={"aZ09" * 8};"',)),
    "beside-others": ("8461-3.1-10", "records of other things beside it",
                      ('"v=spf1 -all"', '"v=STSv2; id=1;"', '"v=STSv1x; id=1;"',
                       '""', GOOD)),
}
for name, (rows, story, txt) in FOUND.items():
    held(f"txt-{name}", "3.1", rows, f"A record with {story}", Sts(txt=txt))

NOTHING = {
    "none": ("8461-3.1-11", "No record, though there is a policy", ()),
    "two": ("8461-3.1-11", "Two records", (GOOD, '"v=STSv1; id=2;"')),
    "good-and-bad": ("8461-3.1-11", "Two records, of which one is no good",
                     (GOOD, '"v=STSv1; id=;"')),
    "version-only": ("8461-3.1-10", "A record that is a version, without semicolon",
                     ('"v=STSv1"',)),
    "no-semicolon": ("8461-3.1-10", "A blank for a semicolon", ('"v=STSv1 id=1;"',)),
    "blank-before": ("8461-3.1-10", "A blank before the first semicolon",
                     ('"v=STSv1 ; id=1;"',)),
    "version-late": ("8461-3.1-07", "The id before the version",
                     ('"id=1; v=STSv1;"',)),
    "blank-first": ("8461-3.1-07", "A blank before the version",
                    ('" v=STSv1; id=1;"',)),
    "version-2": ("8461-3.1-10", "A version of the future", ('"v=STSv2; id=1;"',)),
    "version-case": ("8461-3.1-09", "The version in capitals",
                     ('"V=STSV1; id=1;"',)),
    "id-case": ("8461-3.1-09", "The id called in capitals", ('"v=STSv1; ID=1;"',)),
    "no-id": ("8461-3.1-12", "No id", ('"v=STSv1;"',)),
    "id-empty": ("8461-3.1-12", "An id of nothing", ('"v=STSv1; id=;"',)),
    "id-long": ("8461-3.1-05", "An id of 33 letters", (f'"v=STSv1; id={"a" * 33};"',)),
    "id-signs": ("8461-3.1-05", "An id with other signs than letters",
                 ('"v=STSv1; id=2026-01-01;"',)),
    "id-blank": ("8461-3.1-12", "A blank in the id", ('"v=STSv1; id=20 26;"',)),
    "empty-field": ("8461-3.1-12", "A field of nothing", ('"v=STSv1;; id=1;"',)),
    "other-quotes": ("8461-3.1-07", "Quotes inside of quotes",
                     ('"\\"v=STSv1; id=1;\\""',)),
}
for name, (rows, story, txt) in NOTHING.items():
    free(f"txt-{name}", "3.1", rows, f"{story}: no policy", Sts(txt=txt),
         fetched=False)

held("txt-alias", "3.1", "8461-3.1-15 8461-3.1-16",
     "A record that is an alias of another's",
     Sts(txt=()), records=f"_mta-sts CNAME hosted._mta-sts.~\n"
     f"hosted._mta-sts.~ TXT {GOOD}\n")
held("txt-alias-secure", "3.1", "8461-3.1-15 8461-3.1-16",
     "The same, in zones that are signed", Sts(txt=()), zone={},
     records=f"_mta-sts CNAME hosted._mta-sts.~\nhosted._mta-sts.~ TXT {GOOD}\n")
held("txt-wildcard", "3.1", "8461-3.1-01",
     "A wildcard that has a record for every name", Sts(txt=()),
     records=f"* TXT {GOOD}\n")
free("txt-alias-nowhere", "3.1", "8461-3.1-16",
     "A record that is an alias of nothing", Sts(txt=()),
     records="_mta-sts CNAME hosted._mta-sts.~\nother.~ TXT x\n", fetched=False)

# RFC 8461 10.2: without a cached policy nothing says that there is one
for name in ("servfail", "refused", "garbage", "empty"):
    free(f"txt-{name}", "10.2", "8461-3.3-13",
         f"No answer about the record ({name}), and nothing cached",
         lies={"_mta-sts TXT": getattr(lies, name)}, fetched=False)
free("txt-bogus", "10.2", "8461-3.3-13",
     "A record in a signed zone that somebody has changed, and nothing cached",
     zone={}, lies={"_mta-sts TXT": lies.flipped}, fetched=False)
