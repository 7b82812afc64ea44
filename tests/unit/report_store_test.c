/* What was counted for reports: kept, summed, bounded, and never by half. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reporting/result.h"
#include "reporting/store_private.h"

#include "tests/support/report_place.h"
#include "tests/support/test.h"

#define DAY REPORT_DAY

static const char *const sts_lines[] = {
    "version: STSv1", "mode: testing", "mx: *.b.example", "max_age: 1"};
static const char *const sts_mx[] = {"*.b.example"};
static const struct report_policy sts = {.type = POLICY_TYPE_STS,
    .domain = "b.example",
    .strings = sts_lines,
    .nstrings = ROWS(sts_lines),
    .mx = sts_mx,
    .nmx = 1};
static const char *const records[] = {"3 1 1 ab", "2 0 1 cd"};
static const struct report_policy tlsa = {.type = POLICY_TYPE_TLSA,
    .domain = "mx.b.example",
    .strings = records,
    .nstrings = 2};
static const struct report_policy none = {
    .type = POLICY_TYPE_NONE, .domain = "c.example"};
static const struct report_failure expired = {
    .result = RESULT_CERTIFICATE_EXPIRED,
    .sending_mta_ip = "192.0.2.1",
    .receiving_mx_hostname = "mx.b.example",
    .receiving_mx_helo = "helo.b.example",
    .receiving_ip = "2001:db8::1",
    .additional_information = "https://a.example/",
    .failure_reason_code = "why"};
static const struct report_failure no_tls = {
    .result = RESULT_STARTTLS_NOT_SUPPORTED};

static struct report_event
event(const char *domain, const struct report_policy *policy,
    const struct report_failure *failed, uint64_t sessions)
{
	return (struct report_event){.day = DAY,
	    .domain = domain,
	    .policy = policy,
	    .failed = failed,
	    .sessions = sessions};
}

static void
add(struct report_place *place, const char *domain,
    const struct report_policy *policy, const struct report_failure *failed,
    uint64_t sessions)
{
	struct report_event one = event(domain, policy, failed, sessions);

	assert_int_equal(report_place_add(place, &one, 1), 0);
}

/* --- what is kept --------------------------------------------------------- */

static void
same_policy(const struct report_policy *a, const struct report_policy *b)
{
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->type_text, report_policy_type_name(b->type));
	assert_string_equal(a->domain, b->domain);
	assert_int_equal(a->nstrings, b->nstrings);
	for (size_t i = 0; i < a->nstrings; i++)
		assert_string_equal(a->strings[i], b->strings[i]);
	assert_int_equal(a->nmx, b->nmx);
	for (size_t i = 0; i < a->nmx; i++)
		assert_string_equal(a->mx[i], b->mx[i]);
}

static void
check_report(struct report_place *place)
{
	struct report report;

	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(report.start, 1795824000);
	assert_int_equal(report.end, 1795910399);
	assert_int_equal(report.npolicies, 2);
	same_policy(&report.policies[0], &sts);
	assert_int_equal(report.policies[0].successes, 11);
	assert_int_equal(report.policies[0].failures, 8);
	assert_int_equal(report.policies[0].ndetails, 2);
	/* the worst first */
	assert_int_equal(report.policies[0].details[0].result,
	    RESULT_STARTTLS_NOT_SUPPORTED);
	assert_int_equal(report.policies[0].details[0].sessions, 5);
	assert_string_equal(report.policies[0].details[0].sending_mta_ip, "");
	assert_int_equal(report.policies[0].details[1].sessions, 3);
	assert_int_equal(
	    report.policies[0].details[1].result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(
	    report.policies[0].details[1].result_type, "certificate-expired");
	assert_string_equal(
	    report.policies[0].details[1].sending_mta_ip, "192.0.2.1");
	assert_string_equal(report.policies[0].details[1].receiving_mx_hostname,
	    "mx.b.example");
	assert_string_equal(
	    report.policies[0].details[1].receiving_mx_helo, "helo.b.example");
	assert_string_equal(
	    report.policies[0].details[1].receiving_ip, "2001:db8::1");
	assert_string_equal(
	    report.policies[0].details[1].additional_information,
	    "https://a.example/");
	assert_string_equal(
	    report.policies[0].details[1].failure_reason_code, "why");
	same_policy(&report.policies[1], &tlsa);
	assert_int_equal(report.policies[1].successes, 7);
	assert_int_equal(report.policies[1].failures, 0);
	assert_int_equal(report.policies[1].ndetails, 0);
}

static void
sessions_are_counted_under_their_policies(void **state)
{
	const struct report_event batch[] = {
	    event("b.example", &sts, NULL, 1),
	    event("b.example", &sts, &expired, 1),
	    event("b.example", &sts, &no_tls, 5),
	    event("b.example", &tlsa, NULL, 7),
	    event("c.example", &none, NULL, 1),
	    event("b.example", &sts, NULL, 10),
	};
	struct report report;

	assert_int_equal(report_place_add(*state, batch, ROWS(batch)), 0);
	add(*state, "b.example", &sts, &expired, 2);
	check_report(*state);
	/* what is written is there for the next process */
	assert_int_equal(report_place_open(*state).kind, ERR_NONE);
	check_report(*state);
	assert_true(report_place_load(*state, DAY, "c.example", &report));
	assert_int_equal(report.npolicies, 1);
	same_policy(&report.policies[0], &none);
	assert_false(report_place_load(*state, DAY, "d.example", &report));
	assert_false(report_place_load(*state, DAY + 1, "b.example", &report));
	assert_int_equal(report.npolicies, 0);
}

/* RFC 8460 4.1: a day by itself, and every difference by itself. */
static void
what_differs_is_kept_apart(void **state)
{
	static const char *const other_lines[] = {
	    "version: STSv1", "mode: enforce", "mx: *.b.example", "max_age: 1"};
	struct report_policy enforce = sts, domain = sts, mx = sts;
	struct report_event next_day = event("b.example", &sts, NULL, 4);
	struct report_failure failures[] = {
	    expired, expired, expired, expired, expired, expired, expired};
	struct report report;

	enforce.strings = other_lines;
	domain.domain = "x.example";
	mx.nmx = 0;
	next_day.day++;
	failures[1].sending_mta_ip = "192.0.2.2";
	failures[2].receiving_mx_hostname = "mx2.b.example";
	failures[3].receiving_mx_helo = "x";
	failures[4].receiving_ip = "2001:db8::2";
	failures[5].additional_information = "";
	failures[6].failure_reason_code = NULL;
	add(*state, "b.example", &sts, NULL, 1);
	add(*state, "b.example", &enforce, NULL, 1);
	add(*state, "b.example", &domain, NULL, 1);
	add(*state, "b.example", &mx, NULL, 1);
	for (size_t i = 0; i < ROWS(failures); i++)
		add(*state, "b.example", &tlsa, &failures[i], 1);
	assert_int_equal(report_place_add(*state, &next_day, 1), 0);
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(report.npolicies, 5);
	assert_int_equal(report.policies[4].failures, 7);
	assert_int_equal(report.policies[4].ndetails, 7);
	assert_true(report_place_load(*state, DAY + 1, "b.example", &report));
	assert_int_equal(report.npolicies, 1);
	assert_int_equal(report.policies[0].successes, 4);
}

/* --- bounds --------------------------------------------------------------- */

/* Counted, with the policy's type and without its text. */
static void
policies_are_bounded(void **state)
{
	struct report report;
	uint64_t sum = 0;

	for (int i = 0; i < 3 * REPORT_STORE_POLICIES; i++) {
		char text[32];
		const char *const line = text;
		struct report_policy policy = {.type = POLICY_TYPE_TLSA,
		    .domain = "mx.b.example",
		    .strings = &line,
		    .nstrings = 1};

		(void)snprintf(text, sizeof(text), "3 1 1 %02d", i);
		add(*state, "b.example", &policy, i % 2 ? &expired : NULL, 1);
	}
	add(*state, "b.example", &sts, NULL, 1);
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(report.npolicies, REPORT_STORE_POLICIES + 2);
	for (size_t i = 0; i < report.npolicies; i++)
		sum += report.policies[i].successes +
		       report.policies[i].failures;
	assert_int_equal(sum, 3 * REPORT_STORE_POLICIES + 1);
	assert_int_equal(report.policies[0].type, POLICY_TYPE_STS);
	assert_int_equal(report.policies[0].nstrings, 0);
	assert_string_equal(report.policies[1].domain, "b.example");
	assert_int_equal(report.policies[1].nstrings, 0);
	assert_int_equal(report.policies[1].successes, REPORT_STORE_POLICIES);
	assert_int_equal(report.policies[1].failures, REPORT_STORE_POLICIES);
	assert_int_equal(report.policies[2].nstrings, 1);
}

/* Counted, with the type and without the details. */
static void
failures_are_bounded(void **state)
{
	struct report_event *events = calloc(
	    2 * REPORT_STORE_FAILURES, sizeof(*events));
	struct report_failure *failures = calloc(
	    2 * REPORT_STORE_FAILURES, sizeof(*failures));
	char(*words)[16] = calloc(2 * REPORT_STORE_FAILURES, sizeof(*words));
	struct report report;
	const struct report_failure *worst;
	uint64_t sum = 0;

	for (size_t i = 0; i < 2 * REPORT_STORE_FAILURES; i++) {
		failures[i] = i % 4 == 0 ? no_tls : expired;
		(void)snprintf(words[i], sizeof(words[i]), "%zu", i);
		failures[i].failure_reason_code = words[i];
		events[i] = event("b.example", &sts, &failures[i], 1);
	}
	assert_int_equal(
	    report_place_add(*state, events, 2 * REPORT_STORE_FAILURES), 0);
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(
	    report.policies[0].failures, 2 * REPORT_STORE_FAILURES);
	assert_int_equal(
	    report.policies[0].ndetails, REPORT_STORE_FAILURES + 2);
	for (size_t i = 0; i < report.policies[0].ndetails; i++)
		sum += report.policies[0].details[i].sessions;
	assert_int_equal(sum, 2 * REPORT_STORE_FAILURES);
	worst = &report.policies[0].details[0];
	assert_int_equal(worst->sessions, REPORT_STORE_FAILURES * 3 / 4);
	assert_int_equal(worst->result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(worst->receiving_mx_hostname, "");
	assert_string_equal(worst->failure_reason_code,
	    "further failures, without their details");
	free(events);
	free(failures);
	free(words);
}

static void
domains_are_bounded(void **state)
{
	struct report_place *place = *state;
	const struct report_event batch[] = {
	    event("b.example", &sts, NULL, 1),
	    event("c.example", &none, NULL, 1),
	    event("d.example", &sts, NULL, 10),
	    event("e.example", &sts, &expired, 100),
	    event("b.example", &tlsa, NULL, 1),
	};
	struct report_event next = event("d.example", &sts, NULL, 1);
	struct report report;

	place->setup.domains_a_day = 2;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(report_place_add(place, batch, ROWS(batch)), 110);
	assert_false(report_place_load(place, DAY, "d.example", &report));
	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(report.npolicies, 2);
	/* also by who has not counted them itself; a day each */
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(report_place_add(place, &batch[2], 1), 10);
	next.day++;
	assert_int_equal(report_place_add(place, &next, 1), 0);
	assert_int_equal(report_place_add(place, &batch[2], 1), 10);
}

/* Where some are put off to the next day, and others are not. */
static void
domains_of_two_days_are_counted_once(void **state)
{
	struct report_place *place = *state;
	sqlite3_stmt *stmt;
	char name[32];

	place->setup.domains_a_day = 10;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	for (int i = 0; i < 24; i++) {
		struct report_event one = event(name, &none, NULL, 1);

		(void)snprintf(name, sizeof(name), "d%d.example", i);
		one.day += i % 2;
		assert_int_equal(
		    report_place_add(place, &one, 1), i < 20 ? 0 : 1);
	}
	stmt = place->store->stmts[SQL_DOMAIN_ROOM];
	assert_int_equal(
	    sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_RUN, 0), 2);
}

/* RFC 8460 4.4: who greets with a new name each time gets no row for each. */
static void
names_of_a_host_are_bounded(void **state)
{
	static const char *const names[] = {
	    "a", "b", "c", "d", "e", "", "f", "a", "d", "g"};
	struct report_failure failure = expired;
	const struct report_failure *details;
	struct report report;

	for (size_t i = 0; i < ROWS(names); i++) {
		failure.receiving_mx_helo = names[i];
		add(*state, "b.example", &tlsa, &failure, 1);
	}
	failure.receiving_ip = "192.0.2.99"; /* another host */
	add(*state, "b.example", &tlsa, &failure, 1);
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(report.policies[0].failures, ROWS(names) + 1);
	assert_int_equal(report.policies[0].ndetails, 6);
	details = report.policies[0].details;
	assert_string_equal(details[0].receiving_mx_helo, "");
	assert_int_equal(details[0].sessions, 4);
	assert_string_equal(details[1].receiving_mx_helo, "a");
	assert_int_equal(details[1].sessions, 2);
	assert_string_equal(details[2].receiving_mx_helo, "d");
	assert_int_equal(details[2].sessions, 2);
	for (size_t i = 3; i < 6; i++)
		assert_int_equal(details[i].sessions, 1);
}

/* However long what strangers say is. */
static void
texts_are_bounded(void **state)
{
	static char line[4000], word[2000];
	const char *lines[100], *one = "x", *many[1200];
	struct report_failure failure = {.result = RESULT_VALIDATION_FAILURE,
	    .receiving_mx_helo = word,
	    .failure_reason_code = word};
	struct report_policy policy = {.type = POLICY_TYPE_STS,
	    .domain = "b.example",
	    .strings = lines,
	    .nstrings = ROWS(lines),
	    .mx = lines,
	    .nmx = ROWS(lines)};
	struct report report;

	memset(line, 'l', sizeof(line) - 1);
	memset(word, 'w', sizeof(word) - 1);
	for (size_t i = 0; i < ROWS(lines); i++)
		lines[i] = line;
	for (size_t i = 0; i < ROWS(many); i++)
		many[i] = one;
	add(*state, "b.example", &policy, &failure, 1);
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(report.policies[0].nstrings, 9);
	assert_string_equal(report.policies[0].strings[7], line);
	assert_string_equal(report.policies[0].strings[8], "...");
	assert_int_equal(report.policies[0].nmx, 9);
	assert_int_equal(
	    strlen(report.policies[0].details[0].receiving_mx_helo),
	    REPORT_STORE_WORDS);
	/* the most there can be has room in the arena */
	line[27] = '\0';
	for (int i = 0; i < REPORT_STORE_POLICIES; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "mx%d.b.example", i);
		policy.domain = name;
		policy.strings = policy.mx = many;
		policy.nstrings = policy.nmx = ROWS(many);
		many[0] = name;
		many[1] = line;
		add(*state, "b.example", &policy, NULL, 1);
	}
	assert_true(report_place_load(*state, DAY, "b.example", &report));
	assert_int_equal(report.npolicies, REPORT_STORE_POLICIES + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		sessions_are_counted_under_their_policies, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(what_differs_is_kept_apart,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(policies_are_bounded,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(failures_are_bounded,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(domains_are_bounded,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		domains_of_two_days_are_counted_once, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		texts_are_bounded, report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(names_of_a_host_are_bounded,
		report_place_set_up, report_place_tear_down),
	};

	return cmocka_run_group_tests_name("report_store", tests, NULL, NULL);
}
