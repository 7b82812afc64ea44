/* What a finder says when it is our own fault that it knows nothing. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/rdata.h"

#include "tests/support/fake_dns.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

static void
spoil_store(struct fixture *f)
{
	place_write(f->place, "this is no database, not at all");
}

static void
a_store_that_cannot_be_read_is_not_no_policy(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;

	spoil_store(f);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_DEFER);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_DEFER);
	assert_non_null(strstr(f->trouble, "sts.db"));
	assert_false(sts_find_known(f->finder, "none.test", &known));
}

/* Nor is it that nobody had heard of one while it could be. */
static void
what_was_not_there_is_not_known_any_more(void **state)
{
	static const char *const domains[] = {
	    "none.test", "failed.test", "refused.test", "nxdomain.test"};
	struct fixture *f = *state;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_put(f, "none.test", 8 * DAY);
	stage_open(f, false);
	for (size_t i = 0; i < ROWS(domains); i++)
		assert_int_equal(
		    stage_ask(f, domains[i], false), STS_STEP_NONE);
	spoil_store(f);
	for (size_t i = 0; i < ROWS(domains); i++)
		assert_int_equal(
		    stage_ask(f, domains[i], false), STS_STEP_DEFER);
}

/* What was read before it was spoilt still counts. */
static void
what_was_read_outlives_the_store(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "a.test", 3600);
	stage_put(f, "refused.test", 3600);
	stage_open(f, false);
	(void)stage_ask(f, "a.test", false);
	(void)stage_ask(f, "refused.test", false);
	spoil_store(f);
	assert_int_equal(stage_ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stage_ask(f, "refused.test", true), STS_STEP_USE);
	assert_true(f->policy);
}

static void
without_authorities_nothing_is_learnt_of_the_host(void **state)
{
	struct fixture *f = *state;

	f->config.ca_file = "/nonexistent/ca.pem";
	stage_put(f, "b.test", 3600);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_DEFER);
	assert_non_null(strstr(f->trouble, "/nonexistent/ca.pem"));
	assert_int_equal(stage_stored(f, "refused.test").failures, 0);
	assert_int_equal(stage_ask(f, "b.test", false), STS_STEP_USE);
	assert_false(f->answer.current);
	assert_int_equal(stage_stored(f, "b.test").failures, 0);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(a_store_that_cannot_be_read_is_not_no_policy),
	    CASE(what_was_not_there_is_not_known_any_more),
	    CASE(what_was_read_outlives_the_store),
	    CASE(without_authorities_nothing_is_learnt_of_the_host),
	};

	return cmocka_run_group_tests_name("sts_fault", tests, NULL, NULL);
}
