#!/usr/bin/python3
"""Is what we make of MTA-STS policies guarded?  See mutation.py.

    mutants_sts_policy.py [WORDS]

The record, the policy's text, and what a cached one is good for; the cache on
disk is in mutants_sts.py.
"""
import sys

import mutation

TXT_C = "policy/txt.c"
RECORD_C, POLICY_C, CACHE_C = (f"policy/sts_{name}.c" for name in ("record", "policy", "cache"))
RECORD, POLICY = "unit:sts_record_test", "unit:sts_policy_test"
CACHE, FETCHED = "unit:sts_cache_test", "unit:sts_fetched_test"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the record
    ("the last of two records counts", TXT_C, "several |= one != NULL;", "", RECORD),
    ("other records count", TXT_C, "\t\t\tcontinue;\n\t\tseveral", "\t\t\t(void)0;\n\t\tseveral",
     RECORD),
    ("a failed lookup is no record", RECORD_C,
     "\treturn without_id(STS_RECORD_FAILED,", "\treturn without_id(STS_RECORD_NONE,", RECORD),
    ("a lookup that was not made has failed", RECORD_C, "if (answer->not_asked)", "if (0)",
     RECORD),
    ("a record that was not asked for is none", CACHE_C,
     "return sts_cache_untried(entry, now);\n\tcase STS_RECORD_FAILED",
     "return ask_without_id(entry, false, now, jitter);\n\tcase STS_RECORD_FAILED", CACHE),
    ("a bogus answer is one", TXT_C, "answer->trust <= DNS_BOGUS", "answer->trust < DNS_BOGUS",
     RECORD),
    ("strings that are cut are strings", TXT_C, "n > rdata.n || buf_add", "buf_add", RECORD),
    ("only the first string is read", TXT_C,
     "rdata = span_from(rdata, n);\n\t}\n\treturn 0;", "break;\n\t}\n\treturn 0;", RECORD),
    ("long records are cut", RECORD_C, "buf_init(&text, TXT_TEXT_MAX)",
     "buf_init(&text, 65278)", RECORD),
    ("the version is of any case", TXT_C, "!span_eq(span_first(buf_span(rest), version.n), version)",
     "!span_eq_nocase(span_first(buf_span(rest), version.n), version)", RECORD),
    ("the last of two ids counts", RECORD_C, "SPAN(\"id\")) || id[0] != '\\0'", "SPAN(\"id\"))",
     RECORD),
    ("an id has anything in it", RECORD_C, "if (!text_is_alnum(id.p[i]))", "if (0)", RECORD),
    ("an id has any length", RECORD_C, "id.n <= STS_ID_MAX;", "id.n <= 33;", RECORD),
    ("a record needs no id", RECORD_C, "id[0] == '\\0' ? \"there is no id\" : NULL", "NULL",
     RECORD),
    ("other fields are anything", TXT_C, "return txt_is_value(field->value)",
     "return true", RECORD),
    ("names have no length", TXT_C, "name.n > NAME_MAX_LENGTH ||", "", RECORD),
    # --- the policy
    ("any version is ours", POLICY_C, "if (!span_eq(value, SPAN(\"STSv1\")))", "if (0)", POLICY),
    ("modes are of any case", POLICY_C, "span_eq(value, span_of(sts_mode_name(mode)))",
     "span_eq_nocase(value, span_of(sts_mode_name(mode)))", POLICY),
    ("a mode is called unknown", POLICY_C, "mode = STS_MODE_NONE; mode <=",
     "mode = STS_MODE_UNKNOWN; mode <=", POLICY),
    ("a year is no limit", POLICY_C, "seconds < STS_MAX_AGE ? (uint32_t)seconds",
     "true ? (uint32_t)seconds", POLICY),
    ("eleven digits are a number", POLICY_C, "value.n > DIGITS_MAX ||", "", POLICY),
    ("the last of doubled fields counts", POLICY_C,
     "reader->seen[field]++ > 0 && field != FIELD_MX",
     "reader->seen[field]++ > 0 && field == FIELD_OTHER", POLICY),
    ("one mx is enough", POLICY_C, "reader->seen[field]++ > 0 && field != FIELD_MX",
     "reader->seen[field]++ > 0", POLICY),
    ("fields may be missing", POLICY_C, "reader->seen[i] > 0)", "reader->seen[i] > 0 || i > 2)",
     POLICY),
    ("mode none needs an mx", POLICY_C, "i == FIELD_MX && reader->policy.mode == STS_MODE_NONE",
     "false", POLICY),
    ("no mode needs an mx", POLICY_C, "i == FIELD_MX && reader->policy.mode == STS_MODE_NONE",
     "i == FIELD_MX", POLICY),
    ("a CR is part of a line", POLICY_C, "line.n > 0 && line.p[line.n - 1] == '\\r'", "false",
     POLICY),
    ("controls are text", POLICY_C,
     "(unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f", "value.p[i] == 0x7f", POLICY),
    ("octets are text", POLICY_C, "value.n > 0 && text_is_utf8(value)", "value.n > 0", POLICY),
    ("an mx is anything", POLICY_C, "if (!is_domain(span_from(value, from)))", "if (0)", POLICY),
    ("patterns keep their case", POLICY_C, "text_fold(copy);", "", POLICY),
    ("patterns are without number", POLICY_C, "reader->policy.nmx == STS_MX_MAX",
     "false", POLICY),
    ("a text is without end", POLICY_C, "if (body.n > STS_POLICY_MAX)", "if (0)", POLICY),
    ("what is read half is a policy", POLICY_C, "struct span rest;\n\n\tif (start(",
     "struct span rest;\n\n\tret->nmx = 0;\n\tif (start(", POLICY),
    ("a wildcard is any number of labels", POLICY_C, "dot = memchr(host.p, '.', host.n);",
     "dot = memrchr(host.p, '.', host.n);\n\tfor (const char *p = host.p; p != NULL && p < dot;"
     " p++)\n\t\tif (span_eq_nocase(span_from(pattern, 1), span_from(host, (size_t)(p - host.p))))"
     "\n\t\t\treturn true;", POLICY),
    ("a wildcard is no label, too", POLICY_C, "dot == NULL || dot == host.p", "dot == NULL",
     POLICY),
    ("a host ends with its dot", POLICY_C, "name.n > 1 && name.p[name.n - 1] == '.'", "false",
     POLICY),
    # --- what a cached one is good for
    ("the last second is none", CACHE_C, "now <= entry->expires_at;", "now < entry->expires_at;",
     CACHE),
    ("a policy lives for ever", CACHE_C, "STS_ENTRY_POLICY && now <= entry->expires_at;",
     "STS_ENTRY_POLICY;", CACHE),
    ("it ends with its record", CACHE_C, "if (sts_cache_counts(entry, now))\n\t\t/* RFC 8461 10.2",
     "if (0)\n\t\t/* RFC 8461 10.2", CACHE),
    ("it is current without a lookup", CACHE_C, "asked,\n\t\t    \"there is no record to go by",
     "true,\n\t\t    \"there is no record to go by", CACHE),
    ("ids have an order", CACHE_C, "if (cached && strcmp(id, entry->id) == 0)",
     "if (cached && strcmp(id, entry->id) <= 0)", CACHE),
    ("a cache that was not read is empty", CACHE_C, "if (entry->state == STS_ENTRY_UNKNOWN)\n",
     "if (0)\n", CACHE),
    ("a lookup that was not made found nothing", CACHE_C, "case STS_RECORD_UNKNOWN:\n\t\treturn unknown;",
     "case STS_RECORD_UNKNOWN:", CACHE),
    ("failures make no pause longer", CACHE_C, "while (failures > 1 && first < most)",
     "while (0)", CACHE),
    ("five minutes are four", CACHE_C, "#define PAUSE_FIRST (5 * MINUTE)",
     "#define PAUSE_FIRST (4 * MINUTE)", CACHE),
    ("a policy of no age is fetched each time", CACHE_C, "int64_t pause = PAUSE_LEAST;",
     "int64_t pause = sts_cache_counts(entry, now) ? PAUSE_LEAST : 0;", CACHE),
    ("it applies to one delivery", CACHE_C, "sts_cache_counts(entry, now) || serves(entry, now);",
     "sts_cache_counts(entry, now);", CACHE),
    ("it is not refreshed", CACHE_C, "return elapsed(now, entry->fetched_at) >= age;",
     "(void)age;\n\treturn false;", CACHE),
    ("the end is no nearer", CACHE_C, "clamped((entry->expires_at - now) / 4,",
     "clamped((entry->expires_at - now),", CACHE),
    ("who has one waits for each fetch", CACHE_C,
     "cached && entry->failures > 0 ? STS_STEP_REFRESH", "false ? STS_STEP_REFRESH", CACHE),
    ("what nobody uses is refreshed", CACHE_C, "now - entry->last_used <= LATELY", "true", CACHE),
    # --- fetches and clocks
    ("a failure drops the policy", CACHE_C, "\t(void)settle(entry, now);",
     "\tentry->state = STS_ENTRY_EMPTY;", FETCHED),
    ("what was not tried is a failure", CACHE_C,
     "if (fetch->fetched == STS_FETCHED_NOT_TRIED)", "if (0)", FETCHED),
    ("a life counts from the first fetch", CACHE_C,
     "entry->expires_at = now + entry->policy.max_age;\n\tentry->failures",
     "entry->expires_at = entry->last_try + entry->policy.max_age;\n\tentry->failures", FETCHED),
    ("a refresh without a record takes the id", CACHE_C,
     "if (fetch->id[0] != '\\0')\n\t\t(void)text_copy(entry->id", "(void)text_copy(entry->id",
     FETCHED),
    ("a refresh without a record takes the pause", CACHE_C,
     "if (fetch->id[0] != '\\0')\n\t\t(void)text_copy(\n", "(void)text_copy(\n", FETCHED),
    ("a clock set back makes it wait", CACHE_C, "then > now ? INT64_MAX : now - then",
     "now - then", FETCHED),
    ("what is of a day to come is young", CACHE_C,
     "entry->fetched_at > now || entry->last_try > now", "false", FETCHED),
    ("what was seen to be of a day to come is young", CACHE_C,
     "entry->fetched_at > now || entry->last_try > now", "entry->fetched_at > now", FETCHED),
    ("it lives from the day to come", CACHE_C, "bool settled = settle(entry, now);",
     "bool settled = false;", FETCHED),
    ("a failure leaves it its life", CACHE_C, "\t(void)settle(entry, now);", "\t(void)now;",
     FETCHED),
    ("a clock that is ahead forgets it", CACHE_C, "entry->last_try < entry->expires_at)",
     "false)", FETCHED),
    ("it is forgotten at once", CACHE_C, "return now - entry->last_try > DAY;", "return true;",
     FETCHED),
    ("the administrator hears of the first failure", CACHE_C, "#define ALERT_FAILURES 3",
     "#define ALERT_FAILURES 1", FETCHED),
    ("and of those of mode none", CACHE_C, "entry->policy.mode != STS_MODE_NONE &&", "", FETCHED),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
