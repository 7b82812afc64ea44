/* Policies that nobody asks for are kept fresh (RFC 8461 3.3, 10.2). */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/rdata.h"
#include "mta/net/loop.h"

#include "tests/support/fake_https.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

#define GOOD "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.a.test\n"

/* Milliseconds from one search to the next, and some more. */
#define A_STEP 300u
#define A_WALK 200u /* as configured below, and time to read */

static const struct {
	const char *domain, *record, *host;
} hosts[] = {
    {"h0.test", "_mta-sts.h0.test", "mta-sts.h0.test"},
    {"h1.test", "_mta-sts.h1.test", "mta-sts.h1.test"},
    {"h2.test", "_mta-sts.h2.test", "mta-sts.h2.test"},
    {"h3.test", "_mta-sts.h3.test", "mta-sts.h3.test"},
};
static const struct fake_site sites[] = {
    {"mta-sts.h0.test", HTTPS_FINE, GOOD},
    {"mta-sts.h1.test", HTTPS_FINE, GOOD},
    {"mta-sts.h2.test", HTTPS_FINE, GOOD},
    {"mta-sts.h3.test", HTTPS_FINE, GOOD},
};

static int
set_up(void **state)
{
	struct fixture *f;

	(void)stage_set_up(state);
	f = *state;
	for (size_t i = 0; i < ROWS(hosts); i++) {
		stage_record(f, hosts[i].record, RR_TXT, STAGE_ID_A);
		stage_record(f, hosts[i].host, RR_A, "192.0.2.1");
	}
	fake_https_serve(sites, ROWS(sites));
	f->config.mta_sts.refresh_ms = 100;
	return 0;
}

/* Five days old, and last used two days ago. */
static void
put_due(struct fixture *f, const char *domain)
{
	struct sts_entry entry;

	stage_put(f, domain, 5 * DAY);
	entry = stage_stored(f, domain);
	entry.last_used -= 2 * DAY;
	place_put(f->place, domain, &entry);
}

static bool
is_fresh(struct fixture *f, const char *domain)
{
	return stage_stored(f, domain).fetched_at > clock_wall() - 60;
}

static bool
is_used(struct fixture *f, const char *domain)
{
	return stage_stored(f, domain).last_used > clock_wall() - 60;
}

/* Or it fails, after some seconds. */
static void
wait_fresh(struct fixture *f, const char *domain)
{
	for (int i = 0; i < 100 && !is_fresh(f, domain); i++)
		stage_pass(f, 50);
	assert_true(is_fresh(f, domain));
}

static void
wait_used(struct fixture *f, const char *domain)
{
	for (int i = 0; i < 100 && !is_used(f, domain); i++)
		stage_pass(f, 50);
	assert_true(is_used(f, domain));
}

static void
open_and_tend(struct fixture *f)
{
	stage_open(f, false);
	sts_finder_tend(f->finder);
}

static void
one_walk_follows_the_other(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	put_due(f, "h1.test");
	open_and_tend(f);
	wait_fresh(f, "h0.test");
	wait_fresh(f, "h1.test");
	stage_pass(f, A_WALK);
	put_due(f, "h2.test");
	wait_fresh(f, "h2.test");
	assert_int_equal(fake_https_asked()->n, 3);
}

/* After a day and some part of three hours, by the domain. */
static void
not_all_are_due_at_once(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(hosts); i++)
		stage_put(f, hosts[i].domain, DAY + 60);
	put_due(f, "a.test");
	open_and_tend(f);
	for (int i = 0; i < 100 && stage_stored(f, "a.test").failures == 0; i++)
		stage_pass(f, 50);
	stage_pass(f, 3 * A_STEP);
	assert_int_equal(stage_stored(f, "a.test").failures, 1);
	/* About its record and its policy host, and about nobody else. */
	assert_int_equal(fake_dns_asked(f->dns), 3);
}

static void
count_one(const char *domain, const struct sts_entry *entry, void *arg)
{
	size_t *n = arg;

	(void)domain;
	(void)entry;
	++*n;
}

static size_t
rows_of(struct fixture *f)
{
	struct err err;
	size_t n = 0;

	(void)sts_store_each(f->place->store, count_one, &n, &err);
	return n;
}

/* Whoever has mail sent to names without end makes rows faster than that. */
static void
all_that_is_over_is_dropped_before_the_next_pause(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	place_sql(f->place,
	    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i"
	    " WHERE n < 2500) INSERT INTO policies"
	    " SELECT 'd' || n || '.test', '', NULL, 0, 0, 0, 1, 'a', 1 FROM i");
	assert_int_equal(rows_of(f), 2501);
	f->config.mta_sts.refresh_ms = 3000;
	open_and_tend(f);
	for (int i = 0; i < 55 && rows_of(f) > 1; i++)
		stage_pass(f, 100);
	assert_int_equal(rows_of(f), 1);
}

static void
an_unreadable_row_keeps_no_other_one(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	place_sql(f->place, "UPDATE policies SET text = x'01'");
	place_sql(f->place, "INSERT INTO policies VALUES"
			    " ('over.test', '', NULL, 0, 0, 0, 1, 'a', 1)");
	open_and_tend(f);
	stage_pass(f, 3 * A_WALK);
	assert_int_equal(stage_stored(f, "over.test").state, STS_ENTRY_EMPTY);
	assert_int_equal(stage_stored(f, "over.test").last_try, 0);
}

/* And not the last one, when it cannot be read. */
static void
a_store_that_is_mended_is_walked_through(void **state)
{
	struct fixture *f = *state;

	place_write(f->place, "this is no database, not at all");
	open_and_tend(f);
	stage_pass(f, A_WALK + 100);
	assert_int_equal(unlink(place_path(f->place, "sts.db")), 0);
	put_due(f, "h0.test");
	wait_fresh(f, "h0.test");
}

static void
half_of_the_places_are_left_to_deliveries(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(hosts); i++)
		put_due(f, hosts[i].domain);
	f->config.mta_sts.fetches = 4;
	fake_https_hold(true);
	open_and_tend(f);
	for (int i = 0; i < 100 && fake_https_asked()->waiting < 2; i++)
		stage_pass(f, 50);
	stage_pass(f, 3 * A_STEP);
	assert_int_equal(fake_https_asked()->waiting, 2);
	fake_https_hold(false);
	for (size_t i = 0; i < ROWS(hosts); i++)
		wait_fresh(f, hosts[i].domain);
}

static void
of_one_place_there_is_no_half(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	f->config.mta_sts.fetches = 1;
	open_and_tend(f);
	wait_fresh(f, "h0.test");
}

/* Or a policy that nobody needs would be refreshed for ever. */
static void
to_be_tended_is_not_to_be_used(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;

	put_due(f, "h0.test");
	open_and_tend(f);
	wait_fresh(f, "h0.test");
	stage_pass(f, 100);
	assert_false(is_used(f, "h0.test"));
	/* The first use of the day is news, although all of it is known. */
	assert_false(sts_find_known(f->finder, "h0.test", &known));
	assert_int_equal(stage_ask(f, "h0.test", false), STS_STEP_USE);
	wait_used(f, "h0.test");
	assert_true(sts_find_known(f->finder, "h0.test", &known));
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
a_delivery_makes_use_of_what_is_tended(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	fake_dns_hold(f->dns, hosts[0].record);
	open_and_tend(f);
	for (int i = 0; i < 100 && fake_dns_waiting(f->dns) == 0; i++)
		stage_pass(f, 50);
	assert_int_equal(fake_dns_waiting(f->dns), 1);
	(void)sts_find(f->finder, "h0.test", false, stage_on_found, f);
	fake_dns_hold(f->dns, NULL);
	stage_wait(f, 1);
	wait_used(f, "h0.test");
}

static void
what_is_tended_in_a_delivery_is_used(void **state)
{
	struct fixture *f = *state;

	put_due(f, "h0.test");
	fake_dns_hold(f->dns, hosts[0].record);
	open_and_tend(f);
	(void)sts_find(f->finder, "h0.test", false, stage_on_found, f);
	stage_pass(f, A_WALK + A_STEP + 100);
	assert_int_equal(f->found, 0);
	fake_dns_hold(f->dns, NULL);
	stage_wait(f, 1);
	wait_used(f, "h0.test");
	wait_fresh(f, "h0.test");
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
it_can_end_with_names_that_are_due(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(hosts); i++)
		put_due(f, hosts[i].domain);
	fake_https_hold(true);
	open_and_tend(f);
	stage_pass(f, A_WALK + A_STEP + 100);
	sts_finder_free(&f->finder);
	assert_int_equal(fake_https_asked()->waiting, 0);
}

/* The loop runs once more for the worker's sake, and its time comes. */
static void
it_can_end_when_a_walk_is_due(void **state)
{
	struct fixture *f = *state;

	f->config.mta_sts.refresh_ms = 20;
	open_and_tend(f);
	(void)sts_find(f->finder, "h0.test", false, stage_on_found, f);
	stage_turn(f, 1);
	assert_int_equal(fake_dns_waiting(f->dns), 0);
	assert_int_equal(usleep(30000), 0);
	sts_finder_free(&f->finder);
	assert_int_equal(f->found, 0);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(one_walk_follows_the_other),
	    CASE(not_all_are_due_at_once),
	    CASE(a_store_that_is_mended_is_walked_through),
	    CASE(all_that_is_over_is_dropped_before_the_next_pause),
	    CASE(an_unreadable_row_keeps_no_other_one),
	    CASE(half_of_the_places_are_left_to_deliveries),
	    CASE(of_one_place_there_is_no_half),
	    CASE(to_be_tended_is_not_to_be_used),
	    CASE(a_delivery_makes_use_of_what_is_tended),
	    CASE(what_is_tended_in_a_delivery_is_used),
	    CASE(it_can_end_with_names_that_are_due),
	    CASE(it_can_end_when_a_walk_is_due),
	};

	return cmocka_run_group_tests_name("sts_walk", tests, NULL, NULL);
}
