#include "queue/schedule.h"

#include "tests/support/test.h"

static void
defaults_are_filled_in(void **state)
{
	struct schedule schedule = {.longest = 60};

	(void)state;
	schedule_defaults(&schedule);
	assert_int_equal(schedule.first, 300);
	assert_int_equal(schedule.longest, 60);
	/* RFC 5321 4.5.4.1: generally at least 4-5 days */
	assert_int_equal(schedule.lifetime, 5 * 86400);
	assert_int_equal(schedule.warning, 4 * 3600);
}

static void
waits_double_up_to_the_longest(void **state)
{
	static const struct {
		uint32_t attempts;
		int64_t least, most; /* without and with all of the jitter */
	} rows[] = {
	    {0, 100, 125},
	    {1, 100, 125},
	    {2, 200, 250},
	    {3, 400, 500},
	    {4, 800, 1000},
	    {5, 1000, 1250},
	    {60, 1000, 1250},
	    {65535, 1000, 1250},
	};
	struct schedule schedule = {.first = 100, .longest = 1000};

	(void)state;
	schedule_defaults(&schedule);
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t none = schedule_next(
		    &schedule, 5000, 5000, rows[i].attempts, 0);
		int64_t all = schedule_next(
		    &schedule, 5000, 5000, rows[i].attempts, UINT32_MAX);

		assert_int_equal(none, 5000 + rows[i].least);
		assert_true(all > none && all <= 5000 + rows[i].most);
		assert_true(all >= 5000 + rows[i].most - 2);
	}
}

static void
the_last_attempt_is_at_the_end(void **state)
{
	struct schedule schedule = {
	    .first = 100, .longest = 1000, .lifetime = 5000};

	(void)state;
	schedule_defaults(&schedule);
	assert_int_equal(schedule_next(&schedule, 4000, 0, 9, 0), 5000);
	assert_int_equal(schedule_next(&schedule, 4500, 0, 9, 0), 5000);
	/* It has ended already: then go on as always. */
	assert_int_equal(schedule_next(&schedule, 6000, 0, 9, 0), 7000);
	assert_false(schedule_expired(&schedule, 4999, 0));
	assert_true(schedule_expired(&schedule, 5000, 0));
}

static void
the_warning_can_be_switched_off(void **state)
{
	static const struct {
		int64_t warning, now;
		bool late;
	} rows[] = {
	    {100, 99, false},
	    {100, 100, true},
	    {-1, 100000, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct schedule schedule = {.warning = rows[i].warning};

		assert_int_equal(
		    schedule_late(&schedule, rows[i].now, 0), rows[i].late);
	}
}

/* RFC 8460 5.5: up to 24 hours, and its sender is nobody. */
static void
what_is_brief_has_a_day(void **state)
{
	struct schedule usual = {.first = 0}, brief;

	(void)state;
	schedule_defaults(&usual);
	brief = schedule_brief(&usual);
	assert_false(schedule_expired(&brief, 86399, 0));
	assert_true(schedule_expired(&brief, 86400, 0));
	assert_false(schedule_late(&brief, 86400, 0));
	assert_int_equal(brief.first, usual.first);
	assert_int_equal(brief.longest, usual.longest);
	usual.lifetime = 3600; /* the operator is stricter */
	assert_int_equal(schedule_brief(&usual).lifetime, 3600);
}

static void
time_always_moves(void **state)
{
	struct schedule schedule = {.first = -5, .longest = -5};

	(void)state;
	assert_true(schedule_next(&schedule, 10, 10, 1, 7) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_filled_in),
	    cmocka_unit_test(waits_double_up_to_the_longest),
	    cmocka_unit_test(the_last_attempt_is_at_the_end),
	    cmocka_unit_test(the_warning_can_be_switched_off),
	    cmocka_unit_test(what_is_brief_has_a_day),
	    cmocka_unit_test(time_always_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
