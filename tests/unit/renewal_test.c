/*
 * May a renewed chain be presented?  RFC 7671 8, RFC 7671 8.1, RFC 7671 8.2,
 * RFC 7672 2.1.1, RFC 8461 4.2, RFC 8461 5, RFC 8461 8.3.
 */
#include <string.h>

#include "policy/renewal.h"

#include "tests/support/test.h"

#define NOW INT64_C(1800000000)
#define TTL 3600
#define AGE 86400

/* How the records stand to the new chain and to the one in use. */
enum tlsa_fact {
	T_OFF = 0, /* no host is asked about */
	T_FAILED,
	T_NONE,
	T_UNUSABLE,
	T_BOTH,
	T_NEW,
	T_OLD,
	T_NEITHER,
};

enum {
	INVALID = 1,
	OLD_INVALID = 2
};

struct row {
	const char *what;
	enum tlsa_fact tlsa;
	enum sts_mode sts;
	unsigned web; /* WebPKI about the chains */
	bool no_old, old_expired;
	struct renewal_memory memory;
	enum renewal_step step;
	enum renewal_rule rule;
};

static const enum tlsa_state states[] = {
    [T_OFF] = TLSA_NOT_EVALUATED,
    [T_FAILED] = TLSA_LOOKUP_FAILED,
    [T_NONE] = TLSA_NONE,
    [T_UNUSABLE] = TLSA_UNUSABLE,
    [T_BOTH] = TLSA_USABLE,
    [T_NEW] = TLSA_USABLE,
    [T_OLD] = TLSA_USABLE,
    [T_NEITHER] = TLSA_USABLE,
};

/* In front of it stands a name about which all is well. */
static void
judge_with_ttl(const struct row *row, uint32_t ttl, struct renewal_verdict *ret)
{
	const struct renewal_host hosts[] = {
	    {.name = "fine.example",
		.tlsa = TLSA_NONE,
		.why = "",
		.astray = "",
		.publish = ""},
	    {.name = "mx.example",
		.tlsa = states[row->tlsa],
		.why = "SERVFAIL",
		.matches = row->tlsa == T_BOTH || row->tlsa == T_NEW,
		.old_matches = row->tlsa == T_BOTH || row->tlsa == T_OLD,
		.astray = "",
		.ttl = ttl,
		.publish = "RECORD"},
	};
	const struct renewal_domain domains[] = {
	    {.name = "none.example", .mode = STS_MODE_NONE, .why = ""},
	    {.name = "example.org",
		.mode = row->sts,
		.why = "no route",
		.max_age = AGE,
		.host = (row->web & INVALID) != 0 ? "mx.example" : NULL,
		.host_why = "self-signed",
		.old_valid = (row->web & OLD_INVALID) == 0},
	};
	struct renewal_facts facts = {.now = NOW,
	    .has_old = !row->no_old,
	    .old_expired = row->old_expired,
	    .hosts = hosts,
	    .nhosts = 2,
	    .domains = domains,
	    .ndomains = 2,
	    .memory = row->memory};

	renewal_judge(&facts, ret);
}

static void
judge(const struct row *row, struct renewal_verdict *ret)
{
	judge_with_ttl(row, TTL, ret);
}

/* clang-format off */
#define NO_STS STS_MODE_NONE, 0
static const struct row rows[] = {
    {"nothing is published", T_NONE, NO_STS, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"not asked", T_OFF, NO_STS, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"records nobody can use", T_UNUSABLE, NO_STS, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"the same key", T_BOTH, NO_STS, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"another key", T_OLD, NO_STS, false, false, {0, 0, 0},
	RENEWAL_KEEP, RENEWAL_BY_TLSA},
    {"neither", T_NEITHER, NO_STS, false, false, {0, 0, 0},
	RENEWAL_KEEP, RENEWAL_BY_TLSA},
    {"another key, and the old one is over", T_OLD, NO_STS, false, true,
	{0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_TLSA},
    {"another key, nothing in use", T_NEITHER, NO_STS, true, false, {0, 0, 0},
	RENEWAL_KEEP, RENEWAL_BY_TLSA},
    {"bogus or silent", T_FAILED, NO_STS, false, false, {0, 0, 0},
	RENEWAL_KEEP, RENEWAL_BY_TLSA_UNKNOWN},
    {"the old one does not match, the new one does", T_NEW, NO_STS, false,
	false, {TTL, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"RFC 7671 8.1: published a moment ago", T_BOTH, NO_STS, false, false,
	{TTL, 0, 0}, RENEWAL_LATER, RENEWAL_BY_CACHES},
    {"still too early", T_BOTH, NO_STS, false, false, {TTL, 0, NOW + 1},
	RENEWAL_LATER, RENEWAL_BY_CACHES},
    {"two TTLs later", T_BOTH, NO_STS, false, false, {TTL, 0, NOW},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"the old one is over: no time to wait", T_BOTH, NO_STS, false, true,
	{TTL, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"nothing in use: nothing to wait for", T_BOTH, NO_STS, true, false,
	{TTL, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"valid, whatever the policy", T_NONE, STS_MODE_ENFORCE, 0, false, false,
	{0, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"valid, the policy unknown", T_NONE, STS_MODE_UNKNOWN, 0, false, false,
	{0, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"RFC 8461 4.2: enforce", T_NONE, STS_MODE_ENFORCE, INVALID, false, false,
	{0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_STS},
    {"neither is valid", T_NONE, STS_MODE_ENFORCE, INVALID | OLD_INVALID,
	false, false, {0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_STS},
    {"TLSA does not help", T_BOTH, STS_MODE_ENFORCE, INVALID, false, false,
	{0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_STS},
    {"no policy to be had", T_NONE, STS_MODE_UNKNOWN, INVALID, false, false,
	{0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_STS_UNKNOWN},
    {"testing", T_NONE, STS_MODE_TESTING, INVALID, false, false, {0, 0, 0},
	RENEWAL_KEEP, RENEWAL_BY_STS_TESTING},
    {"testing, no worse than before", T_NONE, STS_MODE_TESTING,
	INVALID | OLD_INVALID, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"testing, the old one is over", T_NONE, STS_MODE_TESTING, INVALID, false,
	true, {0, 0, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"mode none", T_NONE, STS_MODE_NONE, INVALID, false, false, {0, 0, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"RFC 8461 8.3: others still have one in mode enforce", T_NONE,
	STS_MODE_NONE, INVALID, false, false, {0, AGE, 0}, RENEWAL_LATER,
	RENEWAL_BY_CACHES},
    {"still have it", T_NONE, STS_MODE_NONE, INVALID, false, false,
	{0, AGE, NOW + 1}, RENEWAL_LATER, RENEWAL_BY_CACHES},
    {"its max_age later", T_NONE, STS_MODE_NONE, INVALID, false, false,
	{0, AGE, NOW}, RENEWAL_LOAD, RENEWAL_FITS},
    {"they have it, and neither is valid", T_NONE, STS_MODE_NONE,
	INVALID | OLD_INVALID, false, false, {0, AGE, 0},
	RENEWAL_LOAD, RENEWAL_FITS},
    {"they have it, and the old one is over", T_NONE, STS_MODE_NONE, INVALID,
	false, true, {0, AGE, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"they have it, and nothing is in use", T_NONE, STS_MODE_NONE, INVALID,
	true, false, {0, AGE, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"valid by now, whoever has what", T_NONE, STS_MODE_NONE, 0, false, false,
	{0, AGE, 0}, RENEWAL_LOAD, RENEWAL_FITS},
    {"what is known weighs more", T_FAILED, STS_MODE_ENFORCE, INVALID, false,
	false, {0, 0, 0}, RENEWAL_KEEP, RENEWAL_BY_STS},
};
/* clang-format on */

static void
each_row_is_judged(void **state)
{
	struct renewal_verdict verdict;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		judge(&rows[i], &verdict);
		if (verdict.step != rows[i].step ||
		    verdict.rule != rows[i].rule)
			fail_msg("%s: %d, %s", rows[i].what, (int)verdict.step,
			    renewal_rule_name(verdict.rule));
		/* Who is refused hears why, and what to do. */
		assert_int_equal(
		    verdict.reason[0] != '\0', verdict.step != RENEWAL_LOAD);
		assert_int_equal(
		    verdict.remedy[0] != '\0', verdict.step != RENEWAL_LOAD);
	}
}

static void
zero_keeps(void **state)
{
	const struct renewal_verdict verdict = {.reason = ""};
	const struct renewal_host host = {
	    .name = "x", .why = "", .astray = "", .publish = ""};
	const struct renewal_facts facts = {.hosts = &host, .nhosts = 1};
	struct renewal_verdict judged;

	(void)state;
	assert_int_equal(verdict.step, RENEWAL_KEEP);
	renewal_judge(&facts, &judged);
	assert_int_equal(judged.step, RENEWAL_KEEP);
}

static void
expect_in(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, text);
}

static void
the_remedy_is_said(void **state)
{
	struct renewal_verdict verdict;

	(void)state;
	judge(&(struct row){.tlsa = T_OLD, .sts = STS_MODE_NONE}, &verdict);
	assert_string_equal(verdict.reason,
	    "no TLSA record of mx.example matches the new chain");
	assert_string_equal(verdict.remedy,
	    "publish first, beside the records there: RECORD; the new chain "
	    "is taken by itself two TTLs (7200 s) after that is seen, not "
	    "before Fri, 15 Jan 2027 10:00:00 +0000");
	judge(&(struct row){.tlsa = T_NEITHER, .sts = STS_MODE_NONE}, &verdict);
	expect_in(verdict.reason, "; the one in use matches none either");
	assert_string_equal(verdict.remedy,
	    "publish: RECORD; the new chain is taken once that is seen");
	judge(
	    &(struct row){
		.tlsa = T_OLD, .sts = STS_MODE_NONE, .old_expired = true},
	    &verdict);
	expect_in(verdict.reason, "; the one in use has expired");
	judge(
	    &(struct row){
		.tlsa = T_NEITHER, .sts = STS_MODE_NONE, .no_old = true},
	    &verdict);
	assert_string_equal(verdict.remedy, "publish: RECORD");
	judge(
	    &(struct row){
		.tlsa = T_NONE, .sts = STS_MODE_ENFORCE, .web = INVALID},
	    &verdict);
	expect_in(verdict.reason, "the MTA-STS policy of example.org is in "
				  "mode enforce, and the new chain is not "
				  "valid for mx.example: self-signed");
	expect_in(verdict.remedy,
	    "; the new chain is taken by itself when that has been seen for "
	    "the max_age of the old one (86400 s), not before Sat, 16 Jan "
	    "2027 08:00:00 +0000");
	judge(&(struct row){.tlsa = T_NONE,
		  .sts = STS_MODE_ENFORCE,
		  .web = INVALID | OLD_INVALID},
	    &verdict);
	expect_in(verdict.remedy,
	    "; others have the old one for its max_age (86400 s), until Sat, "
	    "16 Jan 2027 08:00:00 +0000");
}

/* From the refusal over the record to the new key: the memory goes along. */
static void
two_ttls_pass(void **state)
{
	struct row row = {.tlsa = T_OLD, .sts = STS_MODE_NONE};
	struct renewal_verdict verdict;

	(void)state;
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.absent_ttl, TTL);
	assert_int_equal(verdict.memory.until, 0);
	row.memory = verdict.memory;
	row.tlsa = T_FAILED; /* in between */
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.absent_ttl, TTL);
	row.memory = verdict.memory;
	row.tlsa = T_BOTH;
	judge(&row, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
	assert_int_equal(verdict.memory.until, NOW + 2 * TTL);
	/* A clock that went back does not make it longer. */
	row.memory = (struct renewal_memory){TTL, 0, NOW + 1000 * TTL};
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.until, NOW + 2 * TTL);
	/* The record has gone again. */
	row.tlsa = T_OLD;
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.until, 0);
}

/* Behind a forwarder a TTL is what is left of it. */
static void
the_greatest_ttl_counts(void **state)
{
	static const uint32_t seen[] = {5, TTL, 7};
	struct row row = {.tlsa = T_OLD, .sts = STS_MODE_NONE};
	struct renewal_verdict verdict = {.memory = {0}};

	(void)state;
	for (size_t i = 0; i < ROWS(seen); i++) {
		row.memory = verdict.memory;
		judge_with_ttl(&row, seen[i], &verdict);
	}
	assert_int_equal(verdict.memory.absent_ttl, TTL);
	/* At the end of its time; the set of now was asked for anew. */
	row.memory = (struct renewal_memory){0};
	judge_with_ttl(&row, 0, &verdict);
	row.memory = verdict.memory;
	row.tlsa = T_BOTH;
	judge(&row, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
	assert_int_equal(verdict.memory.until, NOW + 2 * TTL);
	/* One seen while time runs counts from its beginning. */
	row.memory = verdict.memory;
	row.memory.until = NOW + 1;
	judge_with_ttl(&row, 2 * TTL, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
	assert_int_equal(verdict.memory.until, NOW + 1 + 2 * TTL);
	row.memory = verdict.memory;
	judge_with_ttl(&row, 2 * TTL, &verdict);
	assert_int_equal(verdict.memory.until, NOW + 1 + 2 * TTL);
	judge_with_ttl(&row, TTL, &verdict);
	assert_int_equal(verdict.memory.until, NOW + 1 + 2 * TTL);
	/* And so does one that is seen when time would be over. */
	row.memory = (struct renewal_memory){TTL, 0, NOW - 1};
	judge_with_ttl(&row, TTL + 1, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
	assert_int_equal(verdict.memory.until, NOW + 1);
	/* What is waited for is a policy, and for longer. */
	row.sts = STS_MODE_NONE;
	row.web = INVALID;
	row.memory = (struct renewal_memory){TTL, AGE, NOW + 1};
	judge_with_ttl(&row, 2 * TTL, &verdict);
	assert_int_equal(verdict.memory.until, NOW + 1);
	row.web = 0;
	/* Zero is no way around it. */
	row.memory = (struct renewal_memory){0};
	row.tlsa = T_OLD;
	judge_with_ttl(&row, 0, &verdict);
	row.memory = verdict.memory;
	row.tlsa = T_BOTH;
	judge_with_ttl(&row, 0, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
}

/* RFC 8461 8.3: from mode enforce over mode none to the new chain. */
static void
a_max_age_passes(void **state)
{
	struct row row = {
	    .tlsa = T_BOTH, .sts = STS_MODE_ENFORCE, .web = INVALID};
	struct renewal_verdict verdict;

	(void)state;
	row.memory = (struct renewal_memory){.until = NOW + 1};
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.max_age, AGE);
	assert_int_equal(verdict.memory.until, 0);
	row.memory = verdict.memory;
	row.sts = STS_MODE_UNKNOWN; /* in between */
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.max_age, AGE);
	row.memory = verdict.memory;
	row.sts = STS_MODE_NONE;
	judge(&row, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LATER);
	assert_int_equal(verdict.memory.until, NOW + AGE);
	expect_in(verdict.reason, "but one of before does");
	/* A clock that went back does not make it longer. */
	row.memory.until = NOW + 2 * AGE;
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.until, NOW + AGE);
	/* "may have been served with a greater max_age" */
	row.memory = (struct renewal_memory){.max_age = 2 * AGE};
	row.sts = STS_MODE_ENFORCE;
	judge(&row, &verdict);
	assert_int_equal(verdict.memory.max_age, 2 * AGE);
	/* Whatever else is wrong, it is kept in mind. */
	row.memory = (struct renewal_memory){0};
	row.tlsa = T_OLD;
	judge(&row, &verdict);
	assert_int_equal(verdict.rule, RENEWAL_BY_TLSA);
	assert_int_equal(verdict.memory.max_age, AGE);
}

static void
what_fits_may_have_a_warning(void **state)
{
	const struct renewal_host hosts[] = {
	    {.name = "a.example",
		.tlsa = TLSA_USABLE,
		.matches = true,
		.astray = "3 1 2"},
	    {.name = "b.example", .tlsa = TLSA_UNUSABLE, .astray = "2 0 1"},
	    {.name = "c.example",
		.tlsa = TLSA_USABLE,
		.matches = true,
		.astray = "2 1 1"},
	};
	const struct renewal_facts facts = {.hosts = hosts, .nhosts = 3};
	struct renewal_verdict verdict;

	(void)state;
	renewal_judge(&facts, &verdict);
	assert_int_equal(verdict.step, RENEWAL_LOAD);
	/* RFC 7671 8 */
	assert_string_equal(verdict.warning,
	    "no TLSA record of a.example with the parameters 3 1 2 matches; "
	    "no TLSA record of c.example with the parameters 2 1 1 matches");
}

static void
long_words_are_left_out_whole(void **state)
{
	char record[RENEWAL_TEXT_SIZE];
	struct renewal_host hosts[3];
	const struct renewal_facts facts = {
	    .now = NOW, .hosts = hosts, .nhosts = 3};
	struct renewal_verdict verdict;

	(void)state;
	memset(record, 'r', sizeof(record) - 1);
	record[600] = '\0';
	for (size_t i = 0; i < 3; i++)
		hosts[i] = (struct renewal_host){.name = "x.example",
		    .tlsa = TLSA_USABLE,
		    .why = "",
		    .astray = "",
		    .publish = record};
	renewal_judge(&facts, &verdict);
	assert_int_equal(verdict.step, RENEWAL_KEEP);
	assert_string_equal(verdict.reason, "no TLSA record of x.example "
					    "matches the chain, nor of 2 more "
					    "names");
	assert_int_equal(strlen(verdict.remedy), strlen("publish: ") + 600);
}

static void
rules_have_names(void **state)
{
	(void)state;
	for (unsigned k = 0; k < RENEWAL_RULES; k++)
		assert_string_not_equal(
		    renewal_rule_name((enum renewal_rule)k), "unknown");
	assert_false(renewal_rule_contradicts(RENEWAL_BY_NOTHING));
	assert_false(renewal_rule_contradicts(RENEWAL_BY_TLSA_UNKNOWN));
	assert_false(renewal_rule_contradicts(RENEWAL_BY_CACHES));
	assert_true(renewal_rule_contradicts(RENEWAL_BY_TLSA));
	assert_true(renewal_rule_contradicts(RENEWAL_BY_STS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_judged),
	    cmocka_unit_test(zero_keeps),
	    cmocka_unit_test(the_remedy_is_said),
	    cmocka_unit_test(two_ttls_pass),
	    cmocka_unit_test(the_greatest_ttl_counts),
	    cmocka_unit_test(a_max_age_passes),
	    cmocka_unit_test(what_fits_may_have_a_warning),
	    cmocka_unit_test(long_words_are_left_out_whole),
	    cmocka_unit_test(rules_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
