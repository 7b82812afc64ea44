/* Of which day a session is told, and how long a day is kept. */
#include <stdio.h>

#include "tests/support/report_place.h"
#include "tests/support/test.h"

#define DAY REPORT_DAY
#define NOW ((DAY + 1) * REPORT_DAY_S + 600)

static const char *const two[] = {"r@b.example", "https://b.example/"};

static int64_t
counted(struct report_place *place, int64_t day, const char *domain)
{
	struct report report;

	return report_place_load(place, day, domain, &report)
	           ? (int64_t)report.policies[0].successes
	           : 0;
}

/* Domains that are to be planned. */
static int64_t
left(struct report_place *place, int64_t day)
{
	char sql[100];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM domains WHERE planned = 0 AND day = %lld",
	    (long long)day);
	return report_place_sql(place, sql);
}

/* RFC 8460 4: each session is in one report, also when the clock is set back. */
static void
what_comes_behind_a_report_is_in_the_next(void **state)
{
	struct report_place *place = *state;

	report_place_count(place, DAY, "a.example");
	report_place_plan(place, DAY, "a.example", two, 1, NOW);
	report_place_count(place, DAY, "a.example");
	report_place_count(place, DAY, "b.example");
	assert_int_equal(counted(place, DAY, "a.example"), 1);
	assert_int_equal(counted(place, DAY + 1, "a.example"), 1);
	assert_int_equal(counted(place, DAY, "b.example"), 1);
	assert_int_equal(left(place, DAY), 1);
	/* days, too, that a clock was ahead; the day before is not theirs */
	report_place_plan(place, DAY + 1, "a.example", two, 1, NOW);
	report_place_count(place, DAY, "a.example");
	report_place_count(place, DAY - 1, "a.example");
	assert_int_equal(counted(place, DAY + 1, "a.example"), 1);
	assert_int_equal(counted(place, DAY + 2, "a.example"), 1);
	assert_int_equal(counted(place, DAY - 1, "a.example"), 1);
	/* who wanted none may want the next */
	report_place_plan(place, DAY, "b.example", NULL, 0, NOW);
	report_place_count(place, DAY, "b.example");
	assert_int_equal(counted(place, DAY + 1, "b.example"), 1);
}

/* "Nothing failed": a failure told late is in the next, which may be of use. */
static void
what_comes_behind_a_plan_without_places_is_in_the_next(void **state)
{
	struct report_place *place = *state;

	report_place_count(place, DAY, "a.example");
	report_place_plan(place, DAY, "a.example", NULL, 0, NOW);
	report_place_count(place, DAY, "a.example");
	assert_int_equal(counted(place, DAY, "a.example"), 1);
	assert_int_equal(counted(place, DAY + 1, "a.example"), 1);
	assert_int_equal(left(place, DAY + 1), 1);
	/* no further than that */
	for (int64_t i = 1; i <= REPORT_STORE_LATE; i++) {
		report_place_count(place, DAY + i, "a.example");
		report_place_plan(place, DAY + i, "a.example", NULL, 0, NOW);
	}
	report_place_count(place, DAY, "a.example");
	assert_int_equal(
	    counted(place, DAY + REPORT_STORE_LATE, "a.example"), 2);
}

static void
old_days_are_forgotten(void **state)
{
	struct report_place *place = *state;
	struct report_policy other = {
	    .type = POLICY_TYPE_STS, .domain = "a.example"};
	struct report_failure failure = {.result = RESULT_TLSA_INVALID};
	struct report_event old = {.day = DAY,
	    .domain = "a.example",
	    .policy = &other,
	    .failed = &failure,
	    .sessions = 1};
	struct report report;

	assert_int_equal(report_place_add(place, &old, 1), 0);
	report_place_count(place, DAY, "a.example");
	report_place_count(place, DAY + 1, "a.example");
	report_place_plan(place, DAY, "a.example", two, 2, NOW);
	report_place_plan(place, DAY + 1, "a.example", two, 1, NOW);
	report_place_forget(place, DAY + 1);
	assert_false(report_place_load(place, DAY, "a.example", &report));
	assert_true(report_place_load(place, DAY + 1, "a.example", &report));
	assert_int_equal(report_place_sql(place,
			     "SELECT count(*) FROM tries WHERE day = 20786"),
	    1);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM failures"), 0);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM policies"), 1);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM tries"), 1);
	/* it begins anew */
	assert_int_equal(report_place_add(place, &old, 1), 0);
	assert_true(report_place_load(place, DAY, "a.example", &report));
	assert_int_equal(report.npolicies, 1);
	assert_int_equal(report.policies[0].failures, 1);
	assert_int_equal(report.policies[0].details[0].sessions, 1);
	assert_int_equal(left(place, DAY), 1);
}

/* For hours, in which the store is written to; whatever it says then. */
static void
a_clock_that_is_ahead_forgets_nothing(void **state)
{
	static const int64_t hours[] = {
	    0, 1, 2400, 2401, 2423, 2, 4800, 4823, 3, 20};
	struct report_place *place = *state;
	struct err err;

	report_place_count(place, DAY - 29, "a.example");
	report_place_count(place, DAY, "a.example");
	report_place_plan(place, DAY, "a.example", two, 2, NOW);
	for (size_t i = 0; i < ROWS(hours); i++) {
		int64_t now = NOW + 3600 * hours[i];

		assert_int_equal(
		    report_store_forget(place->store, now, 30, &err), 0);
		report_place_count(place, now / REPORT_DAY_S, "a.example");
	}
	assert_int_equal(counted(place, DAY - 29, "a.example"), 1);
	assert_int_equal(counted(place, DAY, "a.example"), 1);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM tries"), 2);
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
	    name, report_place_set_up, report_place_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_comes_behind_a_report_is_in_the_next),
	    TEST(what_comes_behind_a_plan_without_places_is_in_the_next),
	    TEST(old_days_are_forgotten),
	    TEST(a_clock_that_is_ahead_forgets_nothing),
	};

	return cmocka_run_group_tests_name("report_day", tests, NULL, NULL);
}
