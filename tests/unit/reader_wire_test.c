/* What role and reader say to each other, and what is not believed. */
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "mta/report/reader_wire.h"
#include "reporting/ingest.h"
#include "reporting/report_read_json.h"

#include "tests/support/test.h"

static const struct report_failure details[] = {
    {.result_type = "certificate-expired",
	.sending_mta_ip = "192.0.2.1",
	.receiving_mx_hostname = "mx1.ours.example",
	.receiving_ip = "2001:db8::1",
	.failure_reason_code = "X509",
	.sessions = 3},
    {.result_type = "validation-failure",
	.sending_mta_ip = "",
	.receiving_mx_hostname = "",
	.receiving_ip = "",
	.failure_reason_code = "gr\xc3\xbc\xc3\x9f",
	.sessions = 4},
};

static const struct report_policy policies[] = {
    {.type = POLICY_TYPE_STS,
	.domain = "ours.example",
	.successes = 90,
	.failures = 7,
	.details = details,
	.ndetails = 2},
    {.type = POLICY_TYPE_TLSA, .domain = "mx1.ours.example", .successes = 5},
};

static void
make(struct ingest *ingest)
{
	*ingest = (struct ingest){
	    .read = {.report = {.organization = "Reporter",
			 .contact = "tls@reporter.example",
			 .id = "1@reporter.example",
			 .start = 100,
			 .end = 200,
			 .policies = policies,
			 .npolicies = 2},
		.mail = {.domain = "ours.example"}},
	    .signer = "reporter.example"};
	report_note(&ingest->read.notes, ODD_BOM, "");
}

static void
a_report_arrives(void **state)
{
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result got;
	struct ingest ingest;
	struct buf out;

	(void)state;
	make(&ingest);
	buf_init(&out, READER_RESULT_MAX);
	assert_int_equal(reader_put_report(&out, &ingest), 0);
	assert_true(reader_take_result(buf_span(&out), arena, &got));
	assert_int_equal(got.kind, READER_READ);
	assert_string_equal(got.signer, "reporter.example");
	assert_string_equal(got.about, "ours.example");
	assert_string_equal(got.notes, report_oddity_name(ODD_BOM));
	assert_string_equal(got.report.organization, "Reporter");
	assert_string_equal(got.report.contact, "tls@reporter.example");
	assert_string_equal(got.report.id, "1@reporter.example");
	assert_int_equal(got.report.start, 100);
	assert_int_equal(got.report.end, 200);
	assert_int_equal(got.report.npolicies, 2);
	assert_int_equal(got.report.policies[0].type, POLICY_TYPE_STS);
	assert_int_equal(got.report.policies[0].successes, 90);
	assert_int_equal(got.report.policies[0].failures, 7);
	assert_int_equal(got.report.policies[0].ndetails, 2);
	for (int i = 0; i < 2; i++) {
		const struct report_failure *d = &got.report.policies[0]
		                                      .details[i];

		assert_string_equal(d->result_type, details[i].result_type);
		assert_string_equal(
		    d->sending_mta_ip, details[i].sending_mta_ip);
		assert_string_equal(
		    d->receiving_mx_hostname, details[i].receiving_mx_hostname);
		assert_string_equal(d->receiving_ip, details[i].receiving_ip);
		assert_string_equal(
		    d->failure_reason_code, details[i].failure_reason_code);
		assert_int_equal(d->sessions, details[i].sessions);
	}
	assert_string_equal(got.report.policies[1].domain, "mx1.ours.example");
	buf_free(&out);
	arena_free(&arena);
}

/* Cut anywhere, or with something behind it, it is nothing. */
static void
a_part_of_one_is_refused(void **state)
{
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result got;
	struct ingest ingest;
	struct buf out;

	(void)state;
	make(&ingest);
	buf_init(&out, READER_RESULT_MAX);
	assert_int_equal(reader_put_report(&out, &ingest), 0);
	for (size_t n = 0; n < out.n; n++)
		assert_false(reader_take_result(
		    span_first(buf_span(&out), n), arena, &got));
	assert_int_equal(put_u8(&out, 0), 0);
	assert_false(reader_take_result(buf_span(&out), arena, &got));
	assert_int_equal(got.kind, READER_NOTHING);
	buf_free(&out);
	arena_free(&arena);
}

static bool
is_taken(const struct ingest *ingest)
{
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result got;
	struct buf out;
	bool taken;

	buf_init(&out, READER_RESULT_MAX);
	assert_int_equal(reader_put_report(&out, ingest), 0);
	taken = reader_take_result(buf_span(&out), arena, &got);
	buf_free(&out);
	arena_free(&arena);
	return taken;
}

static void
what_no_reader_would_say_is_refused(void **state)
{
	static const char *const texts[] = {"a\nb", "a\033[2J", "a\x7f", "\xff",
	    "\xc3",
	    "a\xc2\x9b"
	    "2J"};
	char *huge = mem_new(REPORT_TEXT_MAX + 2);
	struct report_policy policy = {.domain = ""};
	struct report_policy *many = mem_array(
	    REPORT_POLICIES_MAX + 1, sizeof(*many));
	struct ingest ingest;

	(void)state;
	make(&ingest);
	for (size_t i = 0; i < ROWS(texts); i++) {
		ingest.read.report.organization = texts[i];
		assert_false(is_taken(&ingest));
	}
	memset(huge, 'x', REPORT_TEXT_MAX + 1);
	ingest.read.report.organization = huge;
	assert_false(is_taken(&ingest));
	huge[REPORT_TEXT_MAX] = '\0';
	assert_true(is_taken(&ingest));
	ingest.read.report.policies = &policy;
	ingest.read.report.npolicies = 1;
	policy.successes = REPORT_COUNT_MAX;
	assert_true(is_taken(&ingest));
	policy.successes++;
	assert_false(is_taken(&ingest));
	policy = (struct report_policy){.domain = "", .type = 99};
	assert_false(is_taken(&ingest));
	for (size_t i = 0; i <= REPORT_POLICIES_MAX; i++)
		many[i].domain = "";
	ingest.read.report.policies = many;
	ingest.read.report.npolicies = REPORT_POLICIES_MAX;
	assert_true(is_taken(&ingest));
	ingest.read.report.npolicies++;
	assert_false(is_taken(&ingest));
	mem_free(many);
	mem_free(huge);
}

/* Nobody can write a time that is no number of a year's four digits. */
static void
times_are_of_this_world(void **state)
{
	static const struct {
		int64_t time;
		bool taken;
	} rows[] = {
	    {INT64_MIN, false},
	    {REPORT_TIME_LEAST - 1, false},
	    {REPORT_TIME_LEAST, true},
	    {0, true},
	    {REPORT_TIME_MOST, true},
	    {REPORT_TIME_MOST + 1, false},
	    {INT64_MAX, false},
	};
	struct ingest ingest;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		make(&ingest);
		ingest.read.report.start = rows[i].time;
		assert_int_equal(is_taken(&ingest), rows[i].taken);
		make(&ingest);
		ingest.read.report.end = rows[i].time;
		assert_int_equal(is_taken(&ingest), rows[i].taken);
	}
}

/* However they are shared out, all policies have so many together. */
static void
details_have_an_end(void **state)
{
	struct report_failure *all = mem_array(
	    REPORT_DETAILS_MAX, sizeof(*all));
	struct report_policy two[] = {
	    {.domain = "", .details = all, .ndetails = REPORT_DETAILS_MAX},
	    {.domain = "", .details = all, .ndetails = 0}};
	struct ingest ingest;

	(void)state;
	for (size_t i = 0; i < REPORT_DETAILS_MAX; i++)
		all[i] = details[0];
	make(&ingest);
	ingest.read.report.policies = two;
	assert_true(is_taken(&ingest));
	two[1].ndetails = 1;
	assert_false(is_taken(&ingest));
	mem_free(all);
}

static void
questions_and_failures_arrive(void **state)
{
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result got;
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, READER_RESULT_MAX);
	assert_int_equal(
	    reader_put_question(&out, "t._domainkey.a.example"), 0);
	assert_true(reader_take_result(buf_span(&out), arena, &got));
	assert_int_equal(got.kind, READER_ASKS);
	assert_string_equal(got.name, "t._domainkey.a.example");
	buf_clear(&out);
	(void)err_set(&err, ERR_TEMP, "4.7.5", "not now");
	assert_int_equal(reader_put_failure(&out, &err, "a.example"), 0);
	assert_true(reader_take_result(buf_span(&out), arena, &got));
	assert_int_equal(got.kind, READER_FAILED);
	assert_int_equal(got.err.kind, ERR_TEMP);
	assert_string_equal(got.err.enhanced, "4.7.5");
	assert_string_equal(got.err.text, "not now");
	assert_string_equal(got.from, "a.example");
	/* Nothing went wrong: that is no failure. */
	out.p[1] = ERR_NONE;
	assert_false(reader_take_result(buf_span(&out), arena, &got));
	buf_free(&out);
	arena_free(&arena);
}

static void
answers_arrive_in_order(void **state)
{
	const struct span records[] = {SPAN("\x03"
					    "one"),
	    SPAN("\x03"
		 "two")};
	const struct dns_answer sent[] = {
	    {.trust = DNS_SECURE,
		.exists = true,
		.rdata = records,
		.nrdata = 2},
	    {.trust = DNS_FAILED},
	};
	struct arena *arena = arena_new(READER_ARENA);
	struct dns_answer got;
	struct buf out;
	struct span rest;

	(void)state;
	buf_init(&out, READER_ANSWERS_MAX);
	for (size_t i = 0; i < ROWS(sent); i++)
		assert_int_equal(reader_put_answer(&out, &sent[i]), 0);
	rest = buf_span(&out);
	assert_true(reader_take_answer(&rest, arena, &got));
	assert_int_equal(got.trust, DNS_SECURE);
	assert_true(got.exists);
	assert_int_equal(got.nrdata, 2);
	assert_true(span_eq(got.rdata[1], records[1]));
	assert_true(reader_take_answer(&rest, arena, &got));
	assert_int_equal(got.trust, DNS_FAILED);
	assert_false(got.exists);
	assert_int_equal(got.nrdata, 0);
	assert_false(reader_take_answer(&rest, arena, &got));
	buf_free(&out);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_report_arrives),
	    cmocka_unit_test(a_part_of_one_is_refused),
	    cmocka_unit_test(what_no_reader_would_say_is_refused),
	    cmocka_unit_test(times_are_of_this_world),
	    cmocka_unit_test(details_have_an_end),
	    cmocka_unit_test(questions_and_failures_arrive),
	    cmocka_unit_test(answers_arrive_in_order),
	};

	return cmocka_run_group_tests_name("reader_wire", tests, NULL, NULL);
}
