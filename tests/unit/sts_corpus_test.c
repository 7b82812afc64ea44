/*
 * MTA-STS as other projects' tests see it, through our code.  Where they
 * expect otherwise, a table says so, and which section settles it.
 */
#include <stdio.h>
#include <string.h>

#include "policy/sts_policy.h"
#include "policy/sts_record.h"

#include "tests/support/corpus.h"
#include "tests/support/test.h"
#include "tests/support/txt_answer.h"

#define RECORDS TXT_ANSWER_RECORDS

/* Records of one string each. */
static struct sts_record
read_texts(const struct span *texts, size_t n)
{
	struct dns_answer answer = txt_answer(texts, n, 255);

	return sts_record_read(&answer);
}

static const struct {
	const char *peer;
	const char *text;
	const char *because;
} record_deviations[] = {
    {"DomainDetective (TLSRPT)", "v=TLSRPTv1;rua=mailto:a@example.com",
	"RFC 8461 3.1: not of MTA-STS; RFC 8460 3: nor one record"},
};

static bool
is_record_deviation(const char *peer, struct span text)
{
	for (size_t i = 0; i < ROWS(record_deviations); i++)
		if (strcmp(peer, record_deviations[i].peer) == 0 &&
		    span_eq(text, span_of(record_deviations[i].text)))
			return true;
	return false;
}

static void
records_are_judged_alike(void **state)
{
	json_t *rows = corpus_jsonl("mta-sts/txt-records.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (rows == NULL)
		skip();
	assert_int_equal(json_array_size(rows), 25);
	json_array_foreach(rows, i, row)
	{
		struct span text = corpus_span(row, "input");
		struct sts_record record = read_texts(&text, 1);
		bool accept = span_eq(
		    corpus_span(row, "peer_verdict"), SPAN("accept"));

		if (accept != (record.state == STS_RECORD_FOUND))
			fail_msg("%s: %s, %s", corpus_span(row, "id").p,
			    sts_record_state_name(record.state), record.why);
	}
	json_decref(rows);
}

/* The rows tell lookups as words: how they ended, or the aliases passed. */
static struct sts_record
read_row(const json_t *rrset)
{
	struct span list[RECORDS];
	size_t n = json_array_size(rrset);
	const char *arrow;

	assert_in_range(n, 1, RECORDS);
	for (size_t i = 0; i < n; i++)
		list[i] = span_of(json_string_value(json_array_get(rrset, i)));
	if (span_starts_nocase(list[0], SPAN("SERVFAIL")))
		return sts_record_read(&(struct dns_answer){0});
	if (span_eq(list[0], SPAN("NXDOMAIN")))
		n = 0;
	/* RFC 8461 3.1: aliases are followed, by the resolver. */
	while (n == 1 && (arrow = strstr(list[0].p, "-> ")) != NULL)
		list[0] = span_of(arrow + 3);
	return read_texts(list, n);
}

static enum sts_record_state
verdict_of(struct span peer)
{
	static const struct {
		const char *start;
		enum sts_record_state state;
	} words[] = {
	    {"record", STS_RECORD_FOUND},
	    {"available", STS_RECORD_FOUND},
	    {"syntax error", STS_RECORD_MALFORMED},
	    {"error: multiple", STS_RECORD_NONE},
	    {"no", STS_RECORD_NONE},
	    {"temporary", STS_RECORD_FAILED},
	};

	for (size_t i = 0; i < ROWS(words); i++)
		if (span_starts_nocase(peer, span_of(words[i].start)))
			return words[i].state;
	return STS_RECORD_UNKNOWN;
}

static void
answers_are_judged_alike(void **state)
{
	json_t *rows = corpus_jsonl("mta-sts/txt-rrsets.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (rows == NULL)
		skip();
	assert_int_equal(json_array_size(rows), 14);
	json_array_foreach(rows, i, row)
	{
		const json_t *rrset = json_object_get(row, "rrset");
		const char *first = json_string_value(json_array_get(rrset, 0));
		struct sts_record record = read_row(rrset);
		enum sts_record_state want = verdict_of(
		    corpus_span(row, "peer_verdict"));
		bool other = is_record_deviation(
		    corpus_span(row, "peer").p, span_of(first));

		if ((record.state == want) == other)
			fail_msg("row %zu: %s, %s", i,
			    sts_record_state_name(record.state), record.why);
	}
	json_decref(rows);
}

static const struct {
	const char *id;
	const char *because;
} policy_deviations[] = {
    {"chasquid-001", "RFC 8461 3.2: a line begins with the name of its field"},
    {"chasquid-005",
	"RFC 8461 3.2: ten digits are grammar; kept as a year (erratum 7282)"},
    {"postfix-mta-sts-resolver-005",
	"RFC 8461 3.2: ten digits are grammar; kept as a year (erratum 7282)"},
};

static bool
is_policy_deviation(struct span id)
{
	for (size_t i = 0; i < ROWS(policy_deviations); i++)
		if (span_eq(id, span_of(policy_deviations[i].id)))
			return true;
	return false;
}

static void
policies_are_judged_alike(void **state)
{
	json_t *rows = corpus_jsonl("mta-sts/policies.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (rows == NULL)
		skip();
	assert_int_equal(json_array_size(rows), 42);
	json_array_foreach(rows, i, row)
	{
		struct arena *arena = arena_new(STS_POLICY_ARENA);
		struct sts_policy policy = {0};
		struct err err = {.text = "taken"};
		bool taken = sts_policy_read(corpus_span(row, "input"), arena,
				 &policy, &err) == 0;
		bool accept = span_eq(
		    corpus_span(row, "peer_verdict"), SPAN("accept"));

		if ((taken == accept) ==
		    is_policy_deviation(corpus_span(row, "id")))
			fail_msg("%s: %s", corpus_span(row, "id").p, err.text);
		arena_free(&arena);
	}
	json_decref(rows);
}

static const struct {
	const char *pattern;
	const char *host;
	const char *because;
} mx_deviations[] = {
    {"a.b.", "a.b", "RFC 8461 3.2, RFC 5321 4.1.2: Domain ends in no dot"},
    {"\xc3\xb1"
     "aca.com",
	"\xc3\xb1"
	"aca.com",
	"RFC 8461 3.2: mx is an A-label"},
    {"\xc3\xb1"
     "aca.com",
	"\xc3\x91"
	"aca.com",
	"RFC 8461 3.2: mx is an A-label"},
    {"\xc3\x91"
     "aca.com",
	"\xc3\xb1"
	"aca.com",
	"RFC 8461 3.2: mx is an A-label"},
    {"x.xn--aca-6ma.com",
	"x.\xc3\xb1"
	"aca.com",
	"RFC 8461 4.1: the MX record's name, which has A-labels"},
    {"*.\xd7\x9e\xd7\x99\xd7\x99\xd7\x9c.\xd7\xa7\xd7\x95\xd7\x9d",
	"mx.xn--eebajf.xn--9dbq2a", "RFC 8461 3.2: mx is an A-label"},
};

static bool
is_mx_deviation(const char *pattern, const char *host)
{
	for (size_t i = 0; i < ROWS(mx_deviations); i++)
		if (strcmp(pattern, mx_deviations[i].pattern) == 0 &&
		    strcmp(host, mx_deviations[i].host) == 0)
			return true;
	return false;
}

/* A policy that names the pattern: is it one? */
static bool
is_mx(const char *pattern, struct arena *arena, struct sts_policy *policy)
{
	char text[300];
	struct err err;

	(void)snprintf(text, sizeof(text),
	    "version: STSv1\nmode: enforce\nmax_age: 1\nmx: %s\n", pattern);
	return sts_policy_read(span_of(text), arena, policy, &err) == 0;
}

/* "a.example, *.b.example": a list, each on its own line in a policy. */
static bool
peer_matches(const char *patterns, const char *host)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA * 3);
	bool match = false;

	while (*patterns != '\0') {
		size_t n = strcspn(patterns, ",");
		char *one = arena_strndup(arena, patterns, n);
		struct sts_policy policy = {0};

		if (is_mx(one, arena, &policy))
			match |= sts_policy_allows_mx(&policy, host);
		patterns += n;
		patterns += strspn(patterns, ", ");
	}
	arena_free(&arena);
	return match;
}

static void
hosts_match_alike(void **state)
{
	struct buf file;
	json_t *rows;
	size_t i;
	json_t *row;

	(void)state;
	if (corpus_read("mta-sts/mx-match.json", &file) < 0) {
		buf_free(&file);
		skip();
	}
	rows = json_loadb(file.p, file.n, 0, NULL);
	assert_int_equal(json_array_size(rows), 33);
	json_array_foreach(rows, i, row)
	{
		const char *pattern = corpus_span(row, "pattern").p;
		const char *host = corpus_span(row, "mx").p;
		bool match = json_is_true(json_object_get(row, "match"));

		if ((peer_matches(pattern, host) == match) ==
		    is_mx_deviation(pattern, host))
			fail_msg("%s and %s", pattern, host);
	}
	json_decref(rows);
	buf_free(&file);
}

/* Of what servers do, the size alone is a matter of the text. */
static void
sizes_are_judged_alike(void **state)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct sts_policy policy;
	struct buf file;
	struct buf text;
	struct err err;

	(void)state;
	if (corpus_read("mta-sts/http-layer.tsv", &file) < 0) {
		buf_free(&file);
		arena_free(&arena);
		skip();
	}
	assert_int_equal(buf_add(&file, (struct span){"", 1}), 0);
	assert_non_null(strstr(file.p, "200, body 65538 bytes\treject"));
	buf_init(&text, 65538);
	assert_int_equal(
	    buf_printf(&text, "version: STSv1\nmode: none\nmax_age: 1\nx: "),
	    0);
	while (text.n < 65538)
		assert_int_equal(buf_add(&text, SPAN("a")), 0);
	assert_int_equal(
	    sts_policy_read(buf_span(&text), arena, &policy, &err), -1);
	buf_free(&text);
	buf_free(&file);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_judged_alike),
	    cmocka_unit_test(answers_are_judged_alike),
	    cmocka_unit_test(policies_are_judged_alike),
	    cmocka_unit_test(hosts_match_alike),
	    cmocka_unit_test(sizes_are_judged_alike),
	};

	return cmocka_run_group_tests_name("sts_corpus", tests, NULL, NULL);
}
