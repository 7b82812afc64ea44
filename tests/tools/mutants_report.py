#!/usr/bin/python3
"""Is what we write of TLS-RPT guarded?  See mutation.py.

    mutants_report.py [WORDS]
"""
import sys

import mutation

RECORD_C, RUA_C = "reporting/record.c", "reporting/rua.c"
RECORD = "unit:tlsrpt_record_test"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the record
    ("another version will do", RECORD_C, 'SPAN("v=TLSRPTv1;")', 'SPAN("v=TLSRPTv")', RECORD),
    ("no semicolon is needed", RECORD_C, 'SPAN("v=TLSRPTv1;")', 'SPAN("v=TLSRPTv1")', RECORD),
    ("only the first rua counts", RECORD_C, "list = span_from(list, n + 1);", "break;", RECORD),
    ("blanks belong to a URI", RECORD_C, "text_trim(span_first(list, n), TXT_WSP)",
     "span_first(list, n)", RECORD),
    ("one bad URI ends the list", RECORD_C,
     "!tlsrpt_rua_read(uri, places->arena, &rua) ||\n\t    is_known",
     "is_known", RECORD),
    ("a place counts twice", RECORD_C, "if (strcmp(places->list[i].to, to) == 0)", "if (0)", RECORD),
    ("there are nine places", RECORD_C, "places->n == TLSRPT_RUA_MAX ||",
     "places->n == TLSRPT_RUA_MAX - 1 ||", RECORD),
    ("no rua is no fault", RECORD_C, "if (places->n > 0)\n\t\treturn NULL;", "return NULL;", RECORD),
    ("unknown fields are anything", RECORD_C, "wrong = txt_check_unknown(&field);", "(void)0;",
     RECORD),
    ("a failed lookup is no record", RECORD_C, "return without_rua(TLSRPT_RECORD_FAILED, \"the lookup",
     "return without_rua(TLSRPT_RECORD_NONE, \"the lookup", RECORD),
    ("two records are a bad one", RECORD_C, "TLSRPT_RECORD_NONE, \"there is more",
     "TLSRPT_RECORD_MALFORMED, \"there is more", RECORD),
    # --- its places
    ("escapes are not looked at", RUA_C, "if (s.p[i] == '%' && escaped(span_from(s, i)) < 0)",
     "if (0)", RECORD),
    ("a URI may have anything in it", RUA_C, "if (s.p[i] != '%' && !is_uri_character(s.p[i]))",
     "if (0)", RECORD),
    ("a bang is no matter", RUA_C, '"-._~:/?#[]@$&\'()*+="', '"-._~:/?#[]@!$&\'()*+="', RECORD),
    ("URIs have any length", RUA_C, "s.n > 0 && s.n <= TLSRPT_URI_MAX", "s.n > 0", RECORD),
    ("nothing is decoded", RUA_C, "if (s.p[i] != '%') {\n\t\t\tto[n++]", "if (1) {\n\t\t\tto[n++]",
     RECORD),
    ("two dots are one", RUA_C, "if (c == '.' && dot)", "if (0)", RECORD),
    ("a dot ends a local part", RUA_C, "local.n <= LOCAL_MAX && !dot", "local.n <= LOCAL_MAX",
     RECORD),
    ("local parts have any length", RUA_C, "local.n <= LOCAL_MAX && !dot", "!dot", RECORD),
    ("local parts have anything in them", RUA_C, "if (!text_is_alnum(c) &&", "if (0 &&", RECORD),
    ("a domain ends at a NUL", RUA_C, " || memchr(host.p, '\\0', host.n) != NULL", "", RECORD),
    ("header fields are an address", RUA_C,
     "end == NULL ? rest", "true ? rest", RECORD),
    ("a host is not needed", RUA_C, "authority.n == 0 || authority.p[0] == ':' ||", "", RECORD),
    ("a port is a host", RUA_C, "authority.p[0] == ':' ||", "", RECORD),
    ("passwords are no matter", RUA_C, "authority.p[0] == ':' ||\n\t    memchr(authority.p, '@', "
     "authority.n) != NULL)", "authority.p[0] == ':')", RECORD),
    ("a path has no at", RUA_C, "authority = span_first(authority, n);", "", RECORD),
    ("schemes are in small letters", RUA_C, 'span_starts_nocase(uri, SPAN("mailto:"))',
     'span_eq(span_first(uri, 7), SPAN("mailto:"))', RECORD),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
