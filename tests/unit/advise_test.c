#include <string.h>

#include "reporting/advice.h"
#include "reporting/advise.h"
#include "reporting/result.h"

#include "tests/support/test.h"

#define TODAY       100
#define STS         POLICY_TYPE_STS
#define TLSA        POLICY_TYPE_TLSA
#define NONE        POLICY_TYPE_NONE
#define BIT(reason) (1u << (reason))

/* Each day from `from` to `to` is a row of these sessions. */
struct span_of_days {
	int64_t from, to;
	const char *reporter; /* "?X": nobody vouches for X */
	const char *domain;
	enum report_policy_type policy;
	uint64_t successes, failures;
};

#define SPANS 5

static const struct {
	const char *name;
	struct span_of_days spans[SPANS];
	unsigned reasons; /* none: enforce */
	uint32_t clean_days, reporters;
	uint64_t sessions;
	int64_t last_report, last_failure;
} rows[] = {
    {"two reporters, two weeks",
	{{86, 99, "G", "d", STS, 10, 0}, {86, 99, "M", "d", STS, 10, 0}}, 0, 14,
	2, 280, 99, 0},
    {"nothing at all", {{0}},
	BIT(ADVISE_NO_REPORTS) | BIT(ADVISE_FEW_DAYS) |
	    BIT(ADVISE_FEW_REPORTERS) | BIT(ADVISE_FEW_SESSIONS),
	0, 0, 0, 0, 0},
    {"of another domain, or the future",
	{{86, 99, "G", "e", STS, 10, 0}, {101, 115, "M", "d", STS, 10, 0}},
	BIT(ADVISE_NO_REPORTS) | BIT(ADVISE_FEW_DAYS) |
	    BIT(ADVISE_FEW_REPORTERS) | BIT(ADVISE_FEW_SESSIONS),
	0, 0, 0, 0, 0},
    {"one reporter", {{86, 99, "G", "d", STS, 10, 0}},
	BIT(ADVISE_FEW_REPORTERS), 14, 1, 140, 99, 0},
    {"a day short",
	{{87, 99, "G", "d", STS, 10, 0}, {87, 99, "M", "d", STS, 10, 0}},
	BIT(ADVISE_FEW_DAYS), 13, 2, 260, 99, 0},
    {"a gap is no blot",
	{{80, 89, "G", "d", STS, 10, 0}, {95, 98, "G", "d", STS, 10, 0},
	    {81, 81, "M", "d", STS, 10, 0}},
	0, 14, 2, 150, 98, 0},
    {"few sessions",
	{{80, 99, "G", "d", STS, 1, 0}, {80, 99, "M", "d", STS, 3, 0}},
	BIT(ADVISE_FEW_SESSIONS), 20, 2, 80, 99, 0},
    {"a failure yesterday",
	{{80, 99, "G", "d", STS, 10, 0}, {80, 98, "M", "d", STS, 10, 0},
	    {99, 99, "M", "d", STS, 10, 1}},
	BIT(ADVISE_FAILURES) | BIT(ADVISE_FEW_DAYS) |
	    BIT(ADVISE_FEW_REPORTERS) | BIT(ADVISE_FEW_SESSIONS),
	0, 0, 0, 99, 99},
    {"a failure in the middle",
	{{70, 99, "G", "d", STS, 10, 0}, {70, 99, "M", "d", STS, 10, 0},
	    {90, 90, "X", "d", STS, 0, 1}},
	BIT(ADVISE_FAILURES) | BIT(ADVISE_FEW_DAYS), 9, 2, 180, 99, 90},
    {"a failure long ago",
	{{70, 99, "G", "d", STS, 10, 0}, {70, 99, "M", "d", STS, 10, 0},
	    {80, 80, "X", "d", STS, 0, 1}},
	0, 19, 2, 380, 99, 80},
    /* those who reported before the failure do not count after it */
    {"a reporter of old times",
	{{70, 84, "M", "d", STS, 10, 0}, {85, 85, "M", "d", STS, 10, 1},
	    {86, 99, "G", "d", STS, 10, 0}},
	BIT(ADVISE_FEW_REPORTERS), 14, 1, 140, 99, 85},
    /* enforce would have met what fails without a policy, too */
    {"a failure without a policy",
	{{80, 99, "G", "d", STS, 10, 0}, {80, 99, "M", "d", STS, 10, 0},
	    {95, 95, "P", "d", NONE, 0, 1}},
	BIT(ADVISE_FAILURES) | BIT(ADVISE_FEW_DAYS) | BIT(ADVISE_FEW_SESSIONS),
	4, 2, 80, 99, 95},
    {"sessions without a policy prove nothing",
	{{80, 99, "P", "d", NONE, 100, 0}, {80, 99, "Q", "d", NONE, 100, 0}},
	BIT(ADVISE_FEW_REPORTERS) | BIT(ADVISE_FEW_SESSIONS), 20, 0, 0, 99, 0},
    /* DANE is not what changes */
    {"a failure of DANE",
	{{80, 99, "G", "d", STS, 10, 0}, {80, 99, "M", "d", STS, 10, 0},
	    {95, 95, "P", "d", TLSA, 0, 1}},
	0, 20, 2, 400, 99, 0},
    {"four days of silence",
	{{80, 96, "G", "d", STS, 10, 0}, {80, 96, "M", "d", STS, 10, 0}},
	BIT(ADVISE_STALE), 17, 2, 340, 96, 0},
    {"three days of silence",
	{{80, 97, "G", "d", STS, 10, 0}, {80, 97, "M", "d", STS, 10, 0}}, 0, 18,
	2, 360, 97, 0},
    {"an empty report is none",
	{{80, 96, "G", "d", STS, 10, 0}, {80, 96, "M", "d", STS, 10, 0},
	    {97, 99, "M", "d", STS, 0, 0}},
	BIT(ADVISE_STALE), 17, 2, 340, 96, 0},
    {"nobody vouches for the second",
	{{80, 99, "G", "d", STS, 10, 0}, {80, 99, "?M", "d", STS, 10, 0}},
	BIT(ADVISE_FEW_REPORTERS), 20, 1, 200, 99, 0},
    {"nor for the later days",
	{{80, 92, "G", "d", STS, 10, 0}, {80, 92, "M", "d", STS, 10, 0},
	    {93, 99, "?G", "d", STS, 10, 0}},
	BIT(ADVISE_STALE) | BIT(ADVISE_FEW_DAYS), 13, 2, 260, 92, 0},
    {"nor for a failure",
	{{80, 99, "G", "d", STS, 10, 0}, {80, 99, "M", "d", STS, 10, 0},
	    {98, 98, "?X", "d", STS, 0, 7}},
	0, 20, 2, 400, 99, 0},
};

#define TOTALS 200

static size_t
spread(const struct span_of_days *spans, struct summary_total *to)
{
	size_t n = 0;

	for (size_t i = 0; i < SPANS && spans[i].reporter != NULL; i++)
		for (int64_t day = spans[i].from; day <= spans[i].to; day++) {
			assert_true(n < TOTALS);
			to[n++] = (struct summary_total){day, spans[i].reporter,
			    spans[i].domain, spans[i].policy,
			    spans[i].successes, spans[i].failures,
			    spans[i].reporter[0] != '?'};
		}
	return n;
}

static void
enforce_is_advised_after_clean_days(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct summary_total totals[TOTALS];
		struct summary_rows in = {totals, 0, NULL, 0};
		struct advise_ask ask = advise_defaults("d", TODAY);
		struct advise got;
		unsigned reasons = 0;

		in.ntotals = spread(rows[i].spans, totals);
		got = advise_enforce(&in, &ask);
		for (size_t k = 0; k < got.nreasons; k++)
			reasons |= BIT(got.reasons[k]);
		print_message("# %s\n", rows[i].name);
		assert_int_equal(reasons, rows[i].reasons);
		assert_int_equal(got.verdict,
		    rows[i].reasons == 0 ? ADVISE_ENFORCE : ADVISE_WAIT);
		assert_int_equal(got.clean_days, rows[i].clean_days);
		assert_int_equal(got.reporters, rows[i].reporters);
		assert_int_equal(got.sessions, rows[i].sessions);
		assert_int_equal(got.last_report, rows[i].last_report);
		assert_int_equal(got.last_failure, rows[i].last_failure);
		assert_null(got.worst);
	}
}

static const struct summary_failure failures[] = {
    {95, "G", "d", STS, "mx1", RESULT_CERTIFICATE_EXPIRED, "", 9, true},
    {96, "G", "d", STS, "mx1", RESULT_CERTIFICATE_EXPIRED, "", 2, true},
    {96, "G", "d", STS, "mx2", RESULT_STARTTLS_NOT_SUPPORTED, "", 5, true},
    {96, "G", "d", STS, "mx3", RESULT_CERTIFICATE_EXPIRED, "", 4, true},
    {97, "G", "d", STS, "mx4", RESULT_CERTIFICATE_EXPIRED, "", 0, true},
    {98, "G", "d", TLSA, "mx5", RESULT_TLSA_INVALID, "", 7, true},
    {98, "G", "e", STS, "mx6", RESULT_CERTIFICATE_EXPIRED, "", 7, true},
    {101, "G", "d", STS, "mx7", RESULT_CERTIFICATE_EXPIRED, "", 7, true},
    {96, "?X", "d", STS, "mx8", RESULT_VALIDATION_FAILURE, "", 8, false},
    {99, "?X", "d", STS, "mx8", RESULT_CERTIFICATE_EXPIRED, "", 9, false},
};

/* Details count where no sum does, and the worst of the last day is shown. */
static void
the_worst_failure_is_shown(void **state)
{
	struct summary_total totals[TOTALS];
	struct span_of_days clean[SPANS] = {
	    {80, 99, "G", "d", STS, 10, 0}, {80, 99, "M", "d", STS, 10, 0}};
	struct summary_rows in = {
	    totals, spread(clean, totals), failures, ROWS(failures)};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got = advise_enforce(&in, &ask);

	(void)state;
	assert_int_equal(got.verdict, ADVISE_WAIT);
	assert_int_equal(got.last_failure, 96);
	assert_int_equal(got.clean_days, 3);
	assert_ptr_equal(got.worst, &failures[2]);
	assert_int_equal(got.nkinds, 2);
	assert_string_equal(got.kinds[0].result, "certificate-expired");
	assert_int_equal(got.kinds[0].sessions, 6);
	assert_string_equal(got.kinds[1].result, "starttls-not-supported");
	assert_int_equal(got.kinds[1].sessions, 5);
}

/* One day has more kinds of failures than are told: those that matter are. */
static void
the_most_frequent_kinds_are_told(void **state)
{
	static const char *const words[] = {
	    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "i"};
	struct summary_failure many[ROWS(words)];
	struct summary_rows in = {NULL, 0, many, ROWS(many)};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got;

	(void)state;
	for (size_t i = 0; i < ROWS(words); i++)
		many[i] = (struct summary_failure){
		    99, "G", "d", STS, "", RESULT_OTHER, words[i], 1, true};
	many[9].sessions = 5;
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.nkinds, ADVISE_KINDS);
	assert_int_equal(got.more_kinds, 2);
	assert_string_equal(got.kinds[0].result, "j");
	assert_int_equal(got.kinds[0].sessions, 5);
	assert_string_equal(got.kinds[1].result, "i");
	assert_int_equal(got.kinds[1].sessions, 2);
	assert_string_equal(got.kinds[ADVISE_KINDS - 1].result, "f");
	in.nfailures = ADVISE_KINDS;
	assert_int_equal(advise_enforce(&in, &ask).more_kinds, 0);
}

/* RFC 8460 3: whom nobody vouches for is told of, and taken when asked to. */
static void
the_unsigned_are_told_apart(void **state)
{
	const struct span_of_days spans[SPANS] = {
	    {80, 99, "G", "d", STS, 10, 0}, {80, 99, "?M", "d", STS, 20, 0},
	    {97, 98, "?X", "d", STS, 1, 3}, {96, 99, "?Y", "e", STS, 1, 3}};
	struct summary_total totals[TOTALS];
	struct summary_rows in = {totals, spread(spans, totals), NULL, 0};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got = advise_enforce(&in, &ask);

	(void)state;
	assert_int_equal(got.reporters, 1);
	assert_string_equal(got.names[0], "G");
	assert_int_equal(got.left.reporters, 2);
	assert_int_equal(got.left.sessions, 402);
	assert_int_equal(got.left.failures, 6);
	assert_int_equal(got.left.last_failure, 98);
	ask.trusting = true;
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.left.reporters, 0);
	assert_int_equal(got.reporters, 2);
	assert_int_equal(got.last_failure, 98);
	assert_int_equal(got.clean_days, 1);
	in = (struct summary_rows){NULL, 0, failures, ROWS(failures)};
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.last_failure, 99);
}

/* No more than would count if somebody vouched for it. */
static void
the_unsigned_are_those_of_the_run(void **state)
{
	const struct span_of_days spans[SPANS] = {
	    {90, 90, "G", "d", STS, 10, 1}, {80, 95, "?M", "d", STS, 20, 0},
	    {91, 92, "?P", "d", NONE, 7, 0}, {88, 93, "?X", "d", STS, 0, 2},
	    {94, 94, "?N", "d", NONE, 5, 3}};
	struct summary_total totals[TOTALS];
	struct summary_rows in = {totals, spread(spans, totals), NULL, 0};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got = advise_enforce(&in, &ask);

	(void)state;
	assert_int_equal(got.last_failure, 90);
	/* M and X under MTA-STS, and what failed at N without a policy */
	assert_int_equal(got.left.reporters, 3);
	assert_int_equal(got.left.sessions, 5 * 20);
	assert_int_equal(got.left.failures, 3 * 2 + 3);
	assert_int_equal(got.left.last_failure, 94);
	/* Nothing of the run, nothing that is left out of it. */
	in.ntotals = spread(
	    (const struct span_of_days[SPANS]){
		{95, 95, "G", "d", STS, 10, 1}, {80, 95, "?M", "d", STS, 1, 1}},
	    totals);
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.left.reporters, 0);
	assert_int_equal(got.left.sessions, 0);
	assert_int_equal(got.left.last_failure, 0);
}

/* What has no sum ends the run all the same, once somebody vouches for it. */
static void
the_unsigned_fail_without_a_sum(void **state)
{
	static const struct summary_failure details[] = {
	    {84, "?X", "d", STS, "", RESULT_STS_POLICY_FETCH_ERROR, "", 9,
		false},
	    {94, "?X", "d", STS, "", RESULT_STS_POLICY_FETCH_ERROR, "", 7,
		false},
	    {95, "?Y", "d", STS, "", RESULT_STS_POLICY_FETCH_ERROR, "", 2,
		false},
	    {96, "?Y", "d", TLSA, "", RESULT_TLSA_INVALID, "", 5, false},
	    {96, "?Y", "e", STS, "", RESULT_STS_POLICY_FETCH_ERROR, "", 5,
		false},
	};
	const struct span_of_days spans[SPANS] = {
	    {85, 85, "G", "d", STS, 10, 1}, {86, 99, "G", "d", STS, 10, 0},
	    {94, 94, "?X", "d", STS, 10, 0}};
	struct summary_total totals[TOTALS];
	struct summary_rows in = {
	    totals, spread(spans, totals), details, ROWS(details)};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got = advise_enforce(&in, &ask);

	(void)state;
	assert_int_equal(got.last_failure, 85);
	assert_int_equal(got.left.reporters, 2);
	assert_int_equal(got.left.sessions, 10);
	assert_int_equal(got.left.failures, 7 + 2);
	assert_int_equal(got.left.last_failure, 95);
	/* One session can fail in two ways, and not all have details. */
	totals[in.ntotals - 1].failures = 12;
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.left.failures, 12);
	ask.trusting = true;
	got = advise_enforce(&in, &ask);
	assert_int_equal(got.last_failure, 95);
	assert_int_equal(got.left.reporters, 0);
	assert_int_equal(got.left.failures, 0);
}

/* Between the first clean day and the last one. */
static void
days_of_silence_are_counted(void **state)
{
	const struct span_of_days spans[SPANS] = {{70, 70, "G", "d", STS, 0, 1},
	    {80, 89, "G", "d", STS, 10, 0}, {95, 97, "G", "d", STS, 10, 0}};
	struct summary_total totals[TOTALS];
	struct summary_rows in = {totals, spread(spans, totals), NULL, 0};
	struct advise_ask ask = advise_defaults("d", TODAY);
	struct advise got = advise_enforce(&in, &ask);

	(void)state;
	assert_int_equal(got.clean_days, 13);
	assert_int_equal(got.silent_days, 5);
	in.ntotals = 0;
	assert_int_equal(advise_enforce(&in, &ask).silent_days, 0);
}

static void
what_is_missing_is_said(void **state)
{
	const struct advise is = {
	    .clean_days = 9, .reporters = 1, .sessions = 5, .last_report = 90};
	const struct advise_ask ask = advise_defaults("d", TODAY);
	static const char *const words[ADVISE_REASONS] = {
	    [ADVISE_NO_REPORTS] = "nobody has reported sessions to the domain",
	    [ADVISE_STALE] = "the last report is too old: of 10 days ago, 3 "
			     "are allowed",
	    [ADVISE_FAILURES] = "sessions failed that enforce would have "
				"deferred",
	    [ADVISE_FEW_DAYS] = "there are too few clean days in a row: 5 "
				"more are wanted",
	    [ADVISE_FEW_REPORTERS] = "too few reporters have evaluated the "
				     "policy: 1 more is wanted",
	    [ADVISE_FEW_SESSIONS] = "too few sessions were made under the "
				    "policy: 95 more are wanted",
	};

	(void)state;
	for (int i = 0; i < ADVISE_REASONS; i++) {
		char text[ADVISE_TEXT];

		advise_reason_text((enum advise_reason)i, &is, &ask, text);
		assert_string_equal(text, words[i]);
	}
}

static void
many_reporters_are_enough(void **state)
{
	struct summary_total totals[ADVISE_REPORTERS_MAX + 10];
	char names[ADVISE_REPORTERS_MAX + 10][4];
	struct summary_rows in = {totals, ROWS(totals), NULL, 0};
	struct advise_ask ask = advise_defaults("d", TODAY);

	(void)state;
	for (size_t i = 0; i < ROWS(totals); i++) {
		names[i][0] = (char)('a' + i / 10);
		names[i][1] = (char)('0' + i % 10);
		names[i][2] = '\0';
		totals[i] = (struct summary_total){
		    99, names[i], "d", STS, 10, 0, true};
	}
	assert_int_equal(
	    advise_enforce(&in, &ask).reporters, ADVISE_REPORTERS_MAX);
}

static void
zero_is_to_wait(void **state)
{
	struct advise forgotten = {0};

	(void)state;
	assert_int_equal(forgotten.verdict, ADVISE_WAIT);
	for (int i = 0; i < ADVISE_REASONS; i++)
		assert_true(
		    strlen(advise_reason_words((enum advise_reason)i)) > 10);
}

/* What an operator has to find in the words. */
static const struct {
	enum tls_result result;
	const char *words;
} topics[] = {
    {RESULT_STARTTLS_NOT_SUPPORTED, "strip"},
    {RESULT_CERTIFICATE_HOST_MISMATCH, "none of the policy's mx"},
    {RESULT_CERTIFICATE_HOST_MISMATCH, "SNI"},
    {RESULT_CERTIFICATE_EXPIRED, "backup MX"},
    {RESULT_CERTIFICATE_NOT_TRUSTED, "intermediate"},
    {RESULT_VALIDATION_FAILURE, "\"danelaw report read\""},
    {RESULT_VALIDATION_FAILURE, "under \"here\""},
    {RESULT_TLSA_INVALID, "3 1 1"},
    {RESULT_DNSSEC_INVALID, "DS record"},
    {RESULT_DANE_REQUIRED, "no TLSA"},
    {RESULT_STS_POLICY_FETCH_ERROR, "port 443"},
    {RESULT_STS_POLICY_INVALID, "max_age"},
    {RESULT_STS_WEBPKI_INVALID, "mta-sts."},
    {RESULT_OTHER, "contact-info"},
    {RESULT_OTHER, "\"danelaw report read\""},
};

static void
every_result_has_advice(void **state)
{
	(void)state;
	for (int i = 0; i < RESULTS; i++) {
		const struct advice *advice = advice_for((enum tls_result)i);

		assert_true(strlen(advice->means) > 20);
		assert_true(strlen(advice->check) > 20);
		assert_true(strlen(advice->remedy) > 20);
		assert_memory_equal(advice->rfc, "RFC 8460 ", 9);
	}
	for (size_t i = 0; i < ROWS(topics); i++) {
		const struct advice *advice = advice_for(topics[i].result);

		if (strstr(advice->means, topics[i].words) == NULL &&
		    strstr(advice->check, topics[i].words) == NULL &&
		    strstr(advice->remedy, topics[i].words) == NULL)
			fail_msg("%s does not say \"%s\"",
			    tls_result_name(topics[i].result), topics[i].words);
	}
	assert_ptr_equal(advice_for(RESULTS), advice_for(RESULT_OTHER));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(enforce_is_advised_after_clean_days),
	    cmocka_unit_test(the_worst_failure_is_shown),
	    cmocka_unit_test(the_most_frequent_kinds_are_told),
	    cmocka_unit_test(the_unsigned_are_told_apart),
	    cmocka_unit_test(the_unsigned_are_those_of_the_run),
	    cmocka_unit_test(the_unsigned_fail_without_a_sum),
	    cmocka_unit_test(days_of_silence_are_counted),
	    cmocka_unit_test(what_is_missing_is_said),
	    cmocka_unit_test(many_reporters_are_enough),
	    cmocka_unit_test(zero_is_to_wait),
	    cmocka_unit_test(every_result_has_advice),
	};

	return cmocka_run_group_tests_name("advise", tests, NULL, NULL);
}
