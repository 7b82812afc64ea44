/* The TXT record of TLS-RPT: which of them counts, and where reports go. */
#include <stdio.h>
#include <string.h>

#include "reporting/record.h"

#include "tests/support/corpus.h"
#include "tests/support/test.h"
#include "tests/support/txt_answer.h"

#define V    "v=TLSRPTv1;"
#define ID32 "abcdefghijklmnopqrstuvwxyz012345"

/* "mailto a@b, https https://c/" or the state; good until the next call. */
static const char *
described(const struct tlsrpt_record *record)
{
	static char text[TLSRPT_RUA_MAX * (TLSRPT_URI_MAX + 10)];
	size_t n = 0;

	assert_int_equal(
	    record->nrua > 0, record->state == TLSRPT_RECORD_FOUND);
	assert_int_equal(
	    record->why[0] == '\0', record->state == TLSRPT_RECORD_FOUND);
	(void)snprintf(
	    text, sizeof(text), "%s", tlsrpt_record_state_name(record->state));
	for (size_t i = 0; i < record->nrua; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s",
		    i == 0 ? "" : ", ", rua_scheme_name(record->rua[i].scheme),
		    record->rua[i].to);
	return text;
}

static void
check(const struct span *texts, size_t n, size_t most, const char *want)
{
	struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
	struct dns_answer answer = txt_answer(texts, n, most);
	struct tlsrpt_record record = tlsrpt_record_read(&answer, arena);
	const char *got = described(&record);

	if (strcmp(got, want) != 0)
		fail_msg("\"%.*s\": %s (%s), not %s", (int)texts[0].n,
		    texts[0].p, got, record.why, want);
	arena_free(&arena);
}

static const struct {
	const char *text;
	const char *want;
} texts[] = {
    /* RFC 8460 3.1 */
    {V "rua=mailto:reports@example.com", "mailto reports@example.com"},
    {V " rua=https://reporting.example.com/v1/tlsrpt",
	"https https://reporting.example.com/v1/tlsrpt"},
    {V "rua=mailto:a@example.com,https://example.com/",
	"mailto a@example.com, https https://example.com/"},
    {V " \t rua=mailto:a@example.com \t,\t https://example.com/ ; ",
	"mailto a@example.com, https https://example.com/"},
    {V "rua=https://example.com/?a=b&c=%2C;",
	"https https://example.com/?a=b&c=%2C"},
    /* two of the field: both */
    {V "rua=mailto:a@example.com; rua=mailto:b@example.com",
	"mailto a@example.com, mailto b@example.com"},
    {V "rua=mailto:a@example.com,mailto:a@EXAMPLE.com.",
	"mailto a@example.com"},
    /* RFC 8460 3: a superset is to be accepted */
    {V "x=1; rua=mailto:a@example.com; y-.=!", "mailto a@example.com"},
    {V "v=TLSRPTv2; rua=mailto:a@example.com", "mailto a@example.com"},
    {V "RUA=mailto:b@example.com; rua=mailto:a@example.com",
	"mailto a@example.com"},
    {V ID32 "=1; rua=mailto:a@example.com", "mailto a@example.com"},
    {V ID32 "6=1; rua=mailto:a@example.com", "malformed"},
    {V "rua=mailto:a@example.com; x=", "malformed"},
    {V "rua=mailto:a@example.com; x", "malformed"},
    {V "rua=mailto:a@example.com; x=a=b", "malformed"},
    {V "rua=mailto:a@example.com;;", "malformed"},
    {V ";rua=mailto:a@example.com", "malformed"},
    /* rua is required, with a place that we know how to send to */
    {V, "malformed"},
    {V " ", "malformed"},
    {V "x=1", "malformed"},
    {V "rua", "malformed"},
    {V "rua=", "malformed"},
    {V "rua=,, ,", "malformed"},
    {V "rua =mailto:a@example.com", "malformed"},
    {V "rua=http://example.com/", "malformed"},
    {V "rua=example.com", "malformed"},
    {V "rua=ftp://example.com/,http://example.com/,mailto:a@example.com,x:",
	"mailto a@example.com"},
    /* RFC 8460 3: what is not of TLS-RPT is discarded */
    {"v=TLSRPTv1", "none"},
    {"v=TLSRPTv1 ;rua=mailto:a@example.com", "none"},
    {"v=TLSRPTv10;rua=mailto:a@example.com", "none"},
    {"v=TLSRPTv2;rua=mailto:a@example.com", "none"},
    {"v=tlsrptv1;rua=mailto:a@example.com", "none"},
    {" " V "rua=mailto:a@example.com", "none"},
    {"rua=mailto:a@example.com;" V, "none"},
    {"v=STSv1;rua=mailto:a@example.com", "none"},
    {"", "none"},
};

/* RFC 8460 3: strings of one record are joined, wherever they are cut. */
static void
one_record_names_places(void **state)
{
	static const size_t cuts[] = {255, 1, 3, 10, 11, 12, 17};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++)
		for (size_t k = 0; k < ROWS(cuts); k++) {
			struct span text = span_of(texts[i].text);

			check(&text, 1, cuts[k], texts[i].want);
		}
}

static const struct {
	const char *uri;
	const char *want; /* NULL: none to send to */
} uris[] = {
    {"mailto:a@example.com", "a@example.com"},
    {"MAILTO:a@example.com", "a@example.com"},
    {"mailto:A.b+c=d@Example.COM", "A.b+c=d@example.com"},
    /* RFC 6068 2, with what RFC 3986 2.1 has encoded */
    {"mailto:%61%40example.com", "a@example.com"},
    {"mailto:a%2Bb@example.com", "a+b@example.com"},
    {"mailto:a%25b@example.com", "a%b@example.com"},
    {"mailto:a%21b@example.com", "a!b@example.com"},
    {"mailto:a@example.com?subject=x", "a@example.com"},
    {"mailto:a@b%C3%BCcher.example", "a@xn--bcher-kva.example"},
    {"mailto:", NULL},
    {"mailto:?to=a@example.com", NULL},
    {"mailto:a", NULL},
    {"mailto:@example.com", NULL},
    {"mailto:a@", NULL},
    {"mailto:a@.", NULL},
    {"mailto:a@b@example.com", NULL},
    {"mailto:a@example..com", NULL},
    {"mailto:.a@example.com", NULL},
    {"mailto:a.@example.com", NULL},
    {"mailto:a..b@example.com", NULL},
    {"mailto:a%2Cb@example.com", NULL},
    {"mailto:a@example.com%2Cb@example.com", NULL},
    {"mailto:a%0D%0Ab@example.com", NULL},
    {"mailto:a@example.com%0D%0A", NULL},
    {"mailto:a@example.com%00", NULL},
    {"mailto:a%00@example.com", NULL},
    {"mailto:%22a%22@example.com", NULL},
    {"mailto:a%20b@example.com", NULL},
    {"mailto:a%C3%BC@example.com", NULL},
    {"mailto:a@[192.0.2.1]", NULL},
    {"mailto:a%@example.com", NULL},
    {"mailto:a%4@example.com", NULL},
    {"mailto:a%4g@example.com", NULL},
    {"mailto:a@example.com%", NULL},
    /* a suffix of DMARC (RFC 7489 6.2); "!" is to be encoded */
    {"mailto:a@example.com!10m", NULL},
    {"mailto:a;b@example.com", NULL},
    {"https://example.com", "https://example.com"},
    {"HTTPS://example.com/a%2Cb?c#d", "HTTPS://example.com/a%2Cb?c#d"},
    {"https://example.com:8443/", "https://example.com:8443/"},
    /* addresses: to be refused by name, so that it is said */
    {"https://[2001:db8::1]/", "https://[2001:db8::1]/"},
    {"https://192.0.2.1/", "https://192.0.2.1/"},
    {"https://127.1:8443/", "https://127.1:8443/"},
    /* what https_uri_read() has for no host's name */
    {"https:", NULL},
    {"https:/example.com", NULL},
    {"https://", NULL},
    {"https:///x", NULL},
    {"https://?x", NULL},
    {"https://:443/", NULL},
    {"https://user:secret@example.com/", NULL},
    {"https://example.com/@x", "https://example.com/@x"},
    {"https://example.com/!", NULL}, /* RFC 3986 2, RFC 8460 3 */
    {"https://example.com/ x", NULL},
    {"https://example.com/\"", NULL},
    {"https://example.com/\xc3\xbc", NULL},
    {"https://example.com/%0", NULL},
    {"http://example.com/", NULL},
    {"httpsx://example.com/", NULL},
    {"mailt:a@example.com", NULL},
    {"", NULL},
};

static void
places_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(uris); i++) {
		struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
		struct tlsrpt_rua rua;
		bool good = tlsrpt_rua_read(span_of(uris[i].uri), arena, &rua);

		if (good != (uris[i].want != NULL))
			fail_msg("%s: %s", uris[i].uri, good ? rua.to : "none");
		if (good)
			assert_string_equal(rua.to, uris[i].want);
		arena_free(&arena);
	}
}

/* RFC 8460 3: "If the number of resulting records is not one" */
static void
exactly_one_record_counts(void **state)
{
	static const struct {
		const char *texts[TXT_ANSWER_RECORDS];
		const char *want;
	} rows[] = {
	    {{"x", V "rua=mailto:a@b.example", "v=spf1"}, "mailto a@b.example"},
	    {{V "rua=mailto:a@b.example", "v=TLSRPTv2;rua=mailto:a@b.example"},
		"mailto a@b.example"},
	    {{V "rua=mailto:a@b.example", V "rua=mailto:a@b.example"}, "none"},
	    {{V "rua=mailto:a@b.example", "x", V}, "none"},
	    {{"x", "y"}, "none"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct span list[TXT_ANSWER_RECORDS];
		size_t n = 0;

		for (; n < TXT_ANSWER_RECORDS && rows[i].texts[n] != NULL; n++)
			list[n] = span_of(rows[i].texts[n]);
		check(list, n, 255, rows[i].want);
	}
}

static void
failed_lookups_say_nothing(void **state)
{
	static const struct {
		enum dns_trust trust;
		enum tlsrpt_record_state state;
	} rows[] = {
	    {DNS_FAILED, TLSRPT_RECORD_FAILED},
	    {DNS_BOGUS, TLSRPT_RECORD_FAILED},
	    {DNS_INSECURE, TLSRPT_RECORD_FOUND},
	    {DNS_SECURE, TLSRPT_RECORD_FOUND},
	};
	struct span text = span_of(V "rua=mailto:a@example.com");
	struct span cut_short = SPAN("\x40" V "rua=mailto:a@example.com");
	struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
	struct dns_answer answer;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		answer = txt_answer(&text, 1, 255);
		answer.trust = rows[i].trust;
		assert_int_equal(
		    tlsrpt_record_read(&answer, arena).state, rows[i].state);
	}
	answer.rdata = &cut_short;
	assert_int_equal(
	    tlsrpt_record_read(&answer, arena).state, TLSRPT_RECORD_FAILED);
	answer.nrdata = 0;
	assert_int_equal(
	    tlsrpt_record_read(&answer, arena).state, TLSRPT_RECORD_NONE);
	arena_free(&arena);
}

/* However much a zone says: so many places, and none too long. */
static void
records_are_bounded(void **state)
{
	static char text[TXT_ANSWER_RDATA];
	static char uri[TLSRPT_URI_MAX + 2];
	struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
	struct dns_answer answer;
	struct tlsrpt_record record;
	struct tlsrpt_rua rua;
	struct span all;
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), V "rua=");
	for (int i = 0; i < 60; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "https://example.com/%0*d,", TLSRPT_URI_MAX - 20, i);
	all = (struct span){text, (size_t)n};
	answer = txt_answer(&all, 1, 255);
	record = tlsrpt_record_read(&answer, arena);
	assert_int_equal(record.state, TLSRPT_RECORD_FOUND);
	assert_int_equal(record.nrua, TLSRPT_RUA_MAX);
	for (size_t i = 0; i < record.nrua; i++)
		assert_int_equal(strlen(record.rua[i].to), TLSRPT_URI_MAX);
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "https://a/", 10);
	assert_true(
	    tlsrpt_rua_read((struct span){uri, TLSRPT_URI_MAX}, arena, &rua));
	assert_false(tlsrpt_rua_read(
	    (struct span){uri, TLSRPT_URI_MAX + 1}, arena, &rua));
	memcpy(uri, "mailto:a@b.example?", 19);
	assert_true(
	    tlsrpt_rua_read((struct span){uri, TLSRPT_URI_MAX}, arena, &rua));
	assert_false(tlsrpt_rua_read(
	    (struct span){uri, TLSRPT_URI_MAX + 1}, arena, &rua));
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "mailto:", 7);
	memcpy(uri + 7 + 64, "@b.example", 10);
	assert_true(tlsrpt_rua_read((struct span){uri, 81}, arena, &rua));
	memcpy(uri + 7 + 64, "a@b.example", 11);
	assert_false(tlsrpt_rua_read((struct span){uri, 82}, arena, &rua));
	arena_free(&arena);
}

static const struct {
	const char *id;
	const char *because;
} deviations[] = {
    {"mox-004",
	"RFC 8460 3: what does not begin with \"v=TLSRPTv1;\" is discarded"},
};

static bool
is_deviation(struct span id)
{
	for (size_t i = 0; i < ROWS(deviations); i++)
		if (span_eq(id, span_of(deviations[i].id)))
			return true;
	return false;
}

/* As other projects' tests see it. */
static void
records_are_judged_alike(void **state)
{
	json_t *rows = corpus_jsonl("tlsrpt/txt-records.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (rows == NULL)
		skip();
	assert_int_equal(json_array_size(rows), 31);
	json_array_foreach(rows, i, row)
	{
		struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
		struct span text = corpus_span(row, "input");
		struct dns_answer answer = txt_answer(&text, 1, 255);
		struct tlsrpt_record record = tlsrpt_record_read(
		    &answer, arena);
		bool accept = span_eq(
		    corpus_span(row, "peer_verdict"), SPAN("accept"));

		if ((accept == (record.state == TLSRPT_RECORD_FOUND)) ==
		    is_deviation(corpus_span(row, "id")))
			fail_msg("%s: %s, %s", corpus_span(row, "id").p,
			    described(&record), record.why);
		arena_free(&arena);
	}
	json_decref(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_record_names_places),
	    cmocka_unit_test(places_are_read),
	    cmocka_unit_test(exactly_one_record_counts),
	    cmocka_unit_test(failed_lookups_say_nothing),
	    cmocka_unit_test(records_are_bounded),
	    cmocka_unit_test(records_are_judged_alike),
	};

	return cmocka_run_group_tests_name("tlsrpt_record", tests, NULL, NULL);
}
