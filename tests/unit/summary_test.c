#include <stdio.h>
#include <string.h>

#include "reporting/report_read_json.h"
#include "reporting/summary.h"

#include "tests/support/report_print.h"
#include "tests/support/test.h"

#define LIMIT ((size_t)1 << 20)
/* The week is the days 94 to 100, the one before 87 to 93. */
#define LAST 100

#define STS  POLICY_TYPE_STS
#define TLSA POLICY_TYPE_TLSA
#define NONE POLICY_TYPE_NONE

static const struct summary_total totals[] = {
    {100, "Google", "a.example", STS, 90, 10, true},
    {94, "Google", "a.example", STS, 100, 0, true},
    {93, "Google", "a.example", STS, 100, 5, true},
    {87, "Google", "a.example", STS, 80, 15, true},
    {86, "Google", "a.example", STS, 7, 7, true},  /* of neither week */
    {101, "Google", "a.example", STS, 9, 9, true}, /* not yet */
    {97, "Microsoft", "a.example", STS, 50, 0, true},
    {90, "Microsoft", "a.example", STS, 50, 1, true},
    {98, "New", "a.example", NONE, 3, 2, true},
    {99, "Google", "b.example", TLSA, 10, 0, true},
    {50, "Old", "c.example", TLSA, 1, 1, true},
    {91, "Gone", "a.example", STS, 1, 0, true},
};

static const struct summary_failure failures[] = {
    {100, "Google", "a.example", STS, "mx1.a.example",
	RESULT_CERTIFICATE_EXPIRED, "Certificate-Expired", 6, true},
    {100, "Google", "a.example", STS, "mx2.a.example",
	RESULT_CERTIFICATE_EXPIRED, "certificate-expired", 6, true},
    {98, "New", "a.example", NONE, "mx1.a.example",
	RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", 2, true},
    {97, "New", "a.example", STS, "", RESULT_STS_POLICY_FETCH_ERROR,
	"sts-policy-fetch-error", 1, true},
    {96, "New", "a.example", STS, NULL, RESULT_OTHER, "sunspots", 1, true},
    {90, "Google", "a.example", STS, "mx1.a.example",
	RESULT_CERTIFICATE_EXPIRED, "certificate-expired", 12, true},
    {88, "Google", "a.example", STS, "mx3.a.example", RESULT_VALIDATION_FAILURE,
	"validation-failure", 4, true},
    {20, "Google", "a.example", STS, "mx1.a.example",
	RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", 1, true},
    {99, "Google", "b.example", TLSA, "mx.b.example", RESULT_TLSA_INVALID,
	"tlsa-invalid", 1, true},
};

static const struct summary_rows rows = {
    totals, ROWS(totals), failures, ROWS(failures)};

/* "name week-good/week-bad before-good/before-bad trend first[ new]" */
static const struct {
	enum summary_by by;
	const char *domain;
	const char *lines;
} tables[] = {
    {SUMMARY_BY_DOMAIN, NULL,
	"a.example 243/12 231/21 better 86\n"
	"b.example 10/0 0/0 none 99 new\n"},
    {SUMMARY_BY_POLICY, NULL,
	"sts 240/10 231/21 better 86\n"
	"no-policy-found 3/2 0/0 new 98 new\n"
	"tlsa 10/0 0/0 none 50\n"},
    {SUMMARY_BY_REPORTER, NULL,
	"Google 200/10 180/20 better 86\n"
	"New 3/2 0/0 new 98 new\n"
	"Microsoft 50/0 50/1 gone 90\n"
	"Gone 0/0 1/0 none 91\n"},
    {SUMMARY_BY_REPORTER, "b.example", "Google 10/0 0/0 none 99 new\n"},
    {SUMMARY_BY_REPORTER, "d.example", ""},
    {SUMMARY_BY_MX, NULL,
	"mx1.a.example 0/8 0/12 better 20\n"
	"mx2.a.example 0/6 0/0 new 100 new\n"
	" 0/2 0/0 new 96 new\n"
	"mx.b.example 0/1 0/0 new 99 new\n"
	"mx3.a.example 0/0 0/4 gone 88\n"},
    /* the words of RFC 8460 are one, however they are written */
    {SUMMARY_BY_RESULT, "a.example",
	"certificate-expired 0/12 0/12 same 90\n"
	"starttls-not-supported 0/2 0/0 new 20\n"
	"sts-policy-fetch-error 0/1 0/0 new 97 new\n"
	"sunspots 0/1 0/0 new 96 new\n"
	"validation-failure 0/0 0/4 gone 88\n"},
    {SUMMARY_BY_RESULT, "b.example", "tlsa-invalid 0/1 0/0 new 99 new\n"},
};

static void
print(struct buf *to, const struct summary *summary)
{
	for (size_t i = 0; i < summary->n; i++) {
		const struct summary_line *line = &summary->lines[i];

		assert_int_equal(
		    buf_printf(to, "%s %llu/%llu %llu/%llu %s %lld%s\n",
			line->name, (unsigned long long)line->week.successes,
			(unsigned long long)line->week.failures,
			(unsigned long long)line->before.successes,
			(unsigned long long)line->before.failures,
			summary_trend_name(line->trend),
			(long long)line->first_day, line->is_new ? " new" : ""),
		    0);
	}
}

static void
rows_add_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(tables); i++) {
		struct summary_ask ask = {tables[i].by, tables[i].domain, LAST};
		struct arena *arena = arena_new(LIMIT);
		struct summary summary;
		struct buf out;

		buf_init(&out, LIMIT);
		assert_int_equal(summary_make(&rows, &ask, arena, &summary), 0);
		print(&out, &summary);
		if (!span_eq(buf_span(&out), span_of(tables[i].lines)))
			fail_msg("by %s\n%.*s not\n%s",
			    summary_by_name(tables[i].by), (int)out.n, out.p,
			    tables[i].lines);
		buf_free(&out);
		arena_free(&arena);
	}
}

static const struct {
	struct summary_count week, before;
	enum summary_trend trend;
} trends[] = {
    {{0, 0}, {0, 0}, TREND_NONE},
    {{9, 0}, {9, 0}, TREND_NONE},
    {{9, 1}, {9, 0}, TREND_NEW},
    {{9, 0}, {9, 1}, TREND_GONE},
    /* shares, where there are successes */
    {{90, 10}, {900, 100}, TREND_SAME},
    {{88, 12}, {90, 10}, TREND_WORSE},
    {{92, 8}, {90, 10}, TREND_BETTER},
    {{0, 10}, {90, 10}, TREND_WORSE},
    /* counts, where there are none */
    {{0, 10}, {0, 10}, TREND_SAME},
    {{0, 11}, {0, 10}, TREND_SAME},
    {{0, 12}, {0, 10}, TREND_WORSE},
    {{0, 9}, {0, 10}, TREND_SAME},
    {{0, 8}, {0, 10}, TREND_BETTER},
};

static void
a_trend_is_a_tenth(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(trends); i++) {
		struct summary_total two[] = {
		    {LAST, "r", "d", STS, trends[i].week.successes,
			trends[i].week.failures, true},
		    {LAST - SUMMARY_DAYS, "r", "d", STS,
			trends[i].before.successes, trends[i].before.failures,
			true}};
		struct summary_rows both = {two, 2, NULL, 0};
		struct summary_ask ask = {SUMMARY_BY_DOMAIN, NULL, LAST};
		struct arena *arena = arena_new(LIMIT);
		struct summary summary;

		assert_int_equal(summary_make(&both, &ask, arena, &summary), 0);
		assert_int_equal(summary.n, 1);
		if (summary.lines[0].trend != trends[i].trend)
			fail_msg("row %zu: %s", i,
			    summary_trend_name(summary.lines[0].trend));
		arena_free(&arena);
	}
}

static void
sums_do_not_overflow(void **state)
{
	struct summary_total two[] = {
	    {LAST, "r", "d", STS, UINT64_MAX, UINT64_MAX - 1, true},
	    {LAST, "r", "d", STS, 1, 2, true}};
	struct summary_rows both = {two, 2, NULL, 0};
	struct summary_ask ask = {SUMMARY_BY_DOMAIN, NULL, LAST};
	struct arena *arena = arena_new(LIMIT);
	struct summary summary;

	(void)state;
	assert_int_equal(summary_make(&both, &ask, arena, &summary), 0);
	assert_true(summary_plus(UINT64_MAX, 1) == INT64_MAX);
	assert_true(summary_plus(2, 3) == 5);
	assert_true(summary.lines[0].week.successes == INT64_MAX);
	assert_true(summary.lines[0].week.failures == INT64_MAX);
	arena_free(&arena);
}

static void
no_rows_no_lines(void **state)
{
	struct summary_rows none = {NULL, 0, NULL, 0};
	struct summary_ask ask = {SUMMARY_BY_DOMAIN, NULL, LAST};
	struct arena *arena = arena_new(LIMIT);
	struct summary summary = {.n = 9};

	(void)state;
	assert_int_equal(summary_make(&none, &ask, arena, &summary), 0);
	assert_int_equal(summary.n, 0);
	arena_free(&arena);
	/* Too little memory is told. */
	arena = arena_new(64);
	assert_int_equal(summary_make(&rows, &ask, arena, &summary), -1);
	arena_free(&arena);
}

static void
a_report_becomes_rows(void **state)
{
	static const struct report_failure details[] = {
	    {.result = RESULT_TLSA_INVALID,
		.result_type = "tlsa-invalid",
		.receiving_mx_hostname = "mx",
		.sessions = 3},
	    {.result = RESULT_OTHER,
		.result_type = "x",
		.receiving_mx_hostname = "",
		.sessions = 4},
	};
	static const struct report_policy policies[] = {
	    {.type = TLSA,
		.domain = "d",
		.successes = 1,
		.failures = 7,
		.details = details,
		.ndetails = 1},
	    {.type = STS, .domain = "e", .successes = 2},
	    {.type = NONE,
		.domain = "f",
		.details = details + 1,
		.ndetails = 1},
	};
	static const struct report report = {.organization = "O",
	    .start = 8640000,
	    .policies = policies,
	    .npolicies = 3};
	struct arena *arena = arena_new(LIMIT);
	struct summary_rows made;

	(void)state;
	assert_int_equal(summary_rows_of(&report, arena, &made), 0);
	assert_int_equal(made.ntotals, 3);
	assert_int_equal(made.totals[0].day, 100);
	assert_string_equal(made.totals[0].reporter, "O");
	assert_int_equal(made.totals[0].failures, 7);
	assert_string_equal(made.totals[1].domain, "e");
	assert_int_equal(made.totals[1].successes, 2);
	assert_int_equal(made.nfailures, 2);
	assert_string_equal(made.failures[0].mx, "mx");
	assert_string_equal(made.failures[0].domain, "d");
	assert_int_equal(made.failures[0].sessions, 3);
	assert_string_equal(made.failures[1].result_type, "x");
	assert_string_equal(made.failures[1].domain, "f");
	assert_int_equal(made.failures[1].day, 100);
	arena_free(&arena);
	arena = arena_new(32);
	assert_int_equal(summary_rows_of(&report, arena, &made), -1);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_add_up),
	    cmocka_unit_test(a_trend_is_a_tenth),
	    cmocka_unit_test(sums_do_not_overflow),
	    cmocka_unit_test(no_rows_no_lines),
	    cmocka_unit_test(a_report_becomes_rows),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
