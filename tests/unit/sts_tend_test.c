/* Policies that nobody asks for are fetched anew while they count. */
#include <sqlite3.h>

#include "base/clock.h"

#include "tests/support/fake_dns.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

/* RFC 8461 10.2: whatever the record says, and though no mail goes there */
static void
what_is_due_is_refreshed_with_nobody_asking(void **state)
{
	static const char *const due[] = {"none.test", "failed.test", "a.test"};
	struct fixture *f = *state;
	struct sts_entry entry;

	for (size_t i = 0; i < ROWS(due); i++)
		stage_put(f, due[i], 5 * DAY);
	stage_put(f, "fresh.test", 3600);
	stage_put(f, "unused.test", 5 * DAY);
	entry = stage_stored(f, "unused.test");
	entry.last_used -= 100 * DAY;
	place_put(f->place, "unused.test", &entry);
	stage_put(f, "over.test", 30 * DAY);
	entry = stage_stored(f, "over.test");
	entry.last_try = entry.expires_at + 1;
	place_put(f->place, "over.test", &entry);
	f->config.mta_sts.refresh_ms = 100;
	stage_open(f, false);
	sts_finder_tend(f->finder);
	stage_turn(f, 150);
	for (size_t i = 0; i < ROWS(due); i++) {
		assert_int_equal(stage_stored(f, due[i]).failures, 1);
		assert_int_equal(
		    stage_stored(f, due[i]).state, STS_ENTRY_POLICY);
	}
	assert_int_equal(stage_stored(f, "fresh.test").failures, 0);
	assert_int_equal(stage_stored(f, "unused.test").failures, 0);
	assert_int_equal(stage_stored(f, "over.test").state, STS_ENTRY_EMPTY);
}

/* RFC 8461 10.2: nor may slow policy hosts of others keep it from that. */
static void
what_is_due_does_not_wait_for_deliveries(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "none.test", 5 * DAY);
	f->config.mta_sts.fetches = 2;
	f->config.mta_sts.refresh_ms = 100;
	stage_open(f, false);
	fake_dns_hold(f->dns, "mta-sts.refused.test");
	(void)sts_find(f->finder, "refused.test", false, stage_on_found, f);
	stage_turn(f, 10);
	sts_finder_tend(f->finder);
	stage_turn(f, 60);
	assert_int_equal(f->found, 0);
	assert_int_equal(stage_stored(f, "none.test").failures, 1);
}

/* The worker holds the end up, and timers go on. */
static void
it_can_end_while_the_store_is_busy(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;

	stage_put(f, "b.test", 3600);
	f->config.mta_sts.refresh_ms = 300;
	stage_open(f, false);
	sts_finder_tend(f->finder);
	assert_int_equal(
	    sqlite3_open(place_path(f->place, "sts.db"), &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
	    SQLITE_OK);
	(void)sts_find(f->finder, "b.test", false, stage_on_found, f);
	(void)sts_find(f->finder, "none.test", false, stage_on_found, f);
	fake_dns_hold(f->dns, "_mta-sts.none.test");
	stage_turn(f, 5);
	fake_dns_hold(f->dns, NULL);
	sts_finder_free(&f->finder);
	assert_int_equal(f->found, 0);
	(void)sqlite3_close(other);
}

/* What expires first is not the last to be fetched. */
static void
what_expires_first_is_refreshed_first(void **state)
{
	static const char *const due[] = {
	    "none.test", "nxdomain.test", "failed.test", "bogus.test"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(due); i++)
		stage_put(f, due[i], 5 * DAY - (int64_t)i * 3600);
	f->config.mta_sts.refresh_ms = 100;
	stage_open(f, false);
	sts_finder_tend(f->finder);
	for (int i = 0; i < 200; i++) {
		stage_turn(f, 1);
		for (size_t k = 1; k < ROWS(due); k++)
			assert_true(stage_stored(f, due[k]).failures <=
				    stage_stored(f, due[k - 1]).failures);
	}
	assert_int_equal(stage_stored(f, due[ROWS(due) - 1]).failures, 1);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(what_is_due_is_refreshed_with_nobody_asking),
	    CASE(what_expires_first_is_refreshed_first),
	    CASE(what_is_due_does_not_wait_for_deliveries),
	    CASE(it_can_end_while_the_store_is_busy),
	};

	return cmocka_run_group_tests_name("sts_tend", tests, NULL, NULL);
}
