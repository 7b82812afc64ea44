/* What applies to a domain, with DNS from a table and a store on disk. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/rdata.h"

#include "tests/support/fake_dns.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

/* --- nothing cached ------------------------------------------------------- */

static void
without_a_record_there_is_no_policy(void **state)
{
	static const char *const domains[] = {
	    "none.test", "nxdomain.test", "failed.test", "bogus.test"};
	struct fixture *f = *state;

	stage_open(f, false);
	for (size_t i = 0; i < ROWS(domains); i++) {
		assert_int_equal(
		    stage_ask(f, domains[i], false), STS_STEP_NONE);
		assert_false(f->policy);
		assert_int_equal(
		    stage_stored(f, domains[i]).state, STS_ENTRY_EMPTY);
		assert_int_equal(stage_stored(f, domains[i]).last_try, 0);
	}
}

/* What an answer and a policy come to as a fact about a host. */
static void
only_none_is_no_policy(void **state)
{
	struct fixture *f = *state;
	static const struct {
		struct sts_answer answer;
		bool known;
		const char *host;
		enum sts_state fact;
	} rows[] = {
	    {{STS_STEP_NONE, true, "", ""}, false, "mx0.example.net", STS_NONE},
	    {{STS_STEP_NONE, true, "", ""}, true, "mx0.example.net", STS_NONE},
	    {{STS_STEP_NONE, false, "", ""}, false, "mx0.example.net",
		STS_NOT_OBTAINED},
	    {{STS_STEP_NONE, false, "", ""}, true, "mx0.example.net",
		STS_NOT_OBTAINED},
	    {{0}, false, "mx0.example.net", STS_UNKNOWN},
	    {{STS_STEP_DEFER, true, "", ""}, false, "mx0.example.net",
		STS_UNKNOWN},
	    {{STS_STEP_DEFER, true, "", ""}, true, "mx0.example.net",
		STS_UNKNOWN},
	    {{STS_STEP_FETCH, true, "", ""}, true, "mx0.example.net",
		STS_UNKNOWN},
	    {{STS_STEP_USE, true, "", ""}, false, "mx0.example.net",
		STS_UNKNOWN},
	    {{STS_STEP_REFRESH, true, "", ""}, false, "mx0.example.net",
		STS_UNKNOWN},
	    {{STS_STEP_USE, true, "", ""}, true, "mx0.example.net", STS_MATCH},
	    {{STS_STEP_REFRESH, true, "", ""}, true, "mx0.example.net",
		STS_MATCH},
	    {{STS_STEP_USE, true, "", ""}, true, "mx1.example.net",
		STS_NO_MATCH},
	    {{STS_STEP_REFRESH, true, "", ""}, true, "mx1.example.net",
		STS_NO_MATCH},
	};
	struct sts_entry entry = place_policy(f->place, NOW, "enforce", 1);
	struct sts_known *known = sts_known_new(NULL, &entry);

	for (size_t i = 0; i < ROWS(rows); i++)
		if (sts_found_state(rows[i].known ? known : NULL,
			&rows[i].answer, rows[i].host) != rows[i].fact)
			fail_msg("row %zu", i);
	sts_known_drop(&known);
}

/* RFC 8461 3.3: as if there were no policy; and not tried again at once */
static void
a_first_fetch_that_fails_leaves_no_policy(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;
	struct sts_entry entry;

	stage_open(f, false);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_NONE);
	assert_non_null(strstr(f->trouble, "127.0.0.1:1"));
	entry = stage_stored(f, "refused.test");
	assert_int_equal(entry.state, STS_ENTRY_EMPTY);
	assert_int_equal(entry.failures, 1);
	assert_string_equal(entry.tried_id, "b");
	assert_true(sts_find_known(f->finder, "refused.test", &known));
	assert_int_equal(known.answer.step, STS_STEP_NONE);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stage_stored(f, "refused.test").failures, 1);
	assert_string_equal(f->trouble_type, "sts-policy-fetch-error");
	/* Nor by the next process, and a report says the same of it. */
	sts_finder_free(&f->finder);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stage_stored(f, "refused.test").failures, 1);
	assert_string_equal(f->trouble_type, "sts-policy-fetch-error");
	/* RFC 8461 3.3: without a record there is nothing to fetch. */
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
	assert_string_equal(f->trouble_type, "");
}

/* --- a policy is cached --------------------------------------------------- */

/* RFC 8461 3.3, 5.1: whatever DNS says or does not say */
static void
a_cached_policy_applies(void **state)
{
	static const char *const domains[] = {"a.test", "none.test",
	    "nxdomain.test", "failed.test", "bogus.test", "b.test",
	    "refused.test"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(domains); i++)
		stage_put(f, domains[i], 3600);
	stage_open(f, false);
	for (size_t i = 0; i < ROWS(domains); i++) {
		if (stage_ask(f, domains[i], false) != STS_STEP_USE)
			fail_msg("%s: %s", domains[i],
			    sts_step_name(f->answer.step));
		assert_true(f->policy);
		assert_int_equal(
		    stage_stored(f, domains[i]).state, STS_ENTRY_POLICY);
	}
	/* Another id, and the fetch has failed: written down. */
	assert_int_equal(stage_stored(f, "refused.test").failures, 1);
	assert_string_equal(stage_stored(f, "refused.test").tried_id, "b");
	assert_string_equal(stage_stored(f, "refused.test").id, "a");
	assert_int_equal(stage_stored(f, "a.test").failures, 0);
}

/* The hot path: nobody is asked, and nothing is read. */
static void
what_is_known_needs_nobody(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;
	size_t asked;

	stage_put(f, "a.test", 3600);
	stage_open(f, false);
	assert_false(sts_find_known(f->finder, "a.test", &known));
	(void)stage_ask(f, "a.test", false);
	asked = fake_dns_asked(f->dns);
	assert_int_equal(unlink(place_path(f->place, "sts.db")), 0);
	for (int i = 0; i < 100; i++) {
		assert_true(sts_find_known(f->finder, "a.test", &known));
		assert_int_equal(known.answer.step, STS_STEP_USE);
		assert_true(known.answer.current);
		assert_int_equal(
		    known.known->entry.policy.mode, STS_MODE_ENFORCE);
		assert_in_range(known.ttl, 1, 60);
	}
	assert_int_equal(fake_dns_asked(f->dns), asked);
}

static void
an_expired_policy_is_none(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "none.test", 8 * DAY);
	stage_put(f, "refused.test", 8 * DAY);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stage_stored(f, "refused.test").failures, 1);
}

/* RFC 8461 3.3: refreshed in time, and nobody waits for that */
static void
an_old_policy_is_refreshed_behind_the_delivery(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "none.test", 5 * DAY);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_REFRESH);
	assert_true(f->policy);
	stage_turn(f, 100);
	assert_int_equal(stage_stored(f, "none.test").failures, 1);
	assert_int_equal(stage_stored(f, "none.test").state, STS_ENTRY_POLICY);
}

/* Nor does who comes while it is fetched, however long that takes. */
static void
a_refresh_keeps_nobody_waiting(void **state)
{
	struct fixture *f = *state;
	size_t asked = 0;

	fake_dns_hold(f->dns, "mta-sts.none.test");
	stage_put(f, "none.test", 5 * DAY);
	stage_open(f, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    stage_ask(f, "none.test", false), STS_STEP_REFRESH);
		assert_true(f->policy);
		assert_int_equal(stage_stored(f, "none.test").failures, 0);
		/* And there is one fetch, however many come. */
		if (i == 0)
			asked = fake_dns_waiting(f->dns);
		assert_int_equal(fake_dns_waiting(f->dns), asked);
	}
	/* Who is refused by it does, and those who come now. */
	(void)sts_find(f->finder, "none.test", true, stage_on_found, f);
	(void)sts_find(f->finder, "none.test", false, stage_on_found, f);
	stage_turn(f, 20);
	assert_int_equal(f->found, 3);
	fake_dns_hold(f->dns, NULL);
	stage_wait(f, 5);
	assert_int_equal(stage_stored(f, "none.test").failures, 1);
}

/* Nothing is cached: there is nothing else to go by. */
static void
a_first_fetch_is_waited_for_by_all(void **state)
{
	struct fixture *f = *state;
	size_t asked = 0;

	fake_dns_hold(f->dns, "mta-sts.refused.test");
	stage_open(f, false);
	for (int i = 0; i < 3; i++) {
		(void)sts_find(
		    f->finder, "refused.test", false, stage_on_found, f);
		stage_turn(f, 20);
		if (i == 0)
			asked = fake_dns_waiting(f->dns);
		assert_int_equal(fake_dns_waiting(f->dns), asked);
	}
	assert_int_equal(f->found, 0);
	fake_dns_hold(f->dns, NULL);
	stage_wait(f, 3);
	assert_int_equal(stage_stored(f, "refused.test").failures, 1);
}

/* RFC 8461 5.1: before mail fails by it a newer one is looked for */
static void
a_policy_that_refuses_mail_is_looked_for_anew(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "a.test", 3600);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "a.test", false), STS_STEP_USE);
	assert_int_equal(stage_stored(f, "a.test").failures, 0);
	assert_int_equal(stage_ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stage_stored(f, "a.test").failures, 1);
	assert_int_equal(stage_ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stage_stored(f, "a.test").failures, 1);
}

static void
the_use_of_a_policy_is_written_once_a_day(void **state)
{
	struct fixture *f = *state;
	struct sts_entry entry;

	stage_put(f, "a.test", 3600);
	entry = stage_stored(f, "a.test");
	entry.last_used -= 2 * DAY;
	place_put(f->place, "a.test", &entry);
	stage_open(f, false);
	(void)stage_ask(f, "a.test", false);
	stage_turn(f, 50);
	assert_in_range(stage_stored(f, "a.test").last_used, clock_wall() - 60,
	    clock_wall());
}

/* --- several, and those who only look ------------------------------------- */

static void
one_search_serves_all_who_ask(void **state)
{
	struct fixture *f = *state;
	struct sts_find *finds[3];

	stage_put(f, "a.test", 3600);
	stage_open(f, false);
	for (size_t i = 0; i < ROWS(finds); i++)
		finds[i] = sts_find(
		    f->finder, "a.test", false, stage_on_found, f);
	sts_find_cancel(&finds[1]);
	assert_null(finds[1]);
	stage_wait(f, 2);
	stage_turn(f, 20);
	assert_int_equal(f->found, 2);
	assert_int_equal(fake_dns_asked(f->dns), 1);
	assert_int_equal(f->answer.step, STS_STEP_USE);
}

static void
it_can_end_while_it_searches(void **state)
{
	struct fixture *f = *state;
	unsigned found;

	for (int turns = 0; turns < 8; turns++) {
		stage_open(f, false);
		(void)sts_find(
		    f->finder, "refused.test", false, stage_on_found, f);
		(void)sts_find(f->finder, "a.test", false, stage_on_found, f);
		stage_turn(f, turns);
		found = f->found;
		sts_finder_free(&f->finder);
		assert_null(f->finder);
		assert_int_equal(f->found, found);
	}
}

static void
who_only_looks_writes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *path = place_path(f->place, "sts.db");
	struct sts_found known;
	size_t asked;

	stage_open(f, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    stage_ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(access(path, F_OK), -1);
	sts_finder_free(&f->finder);
	/* Nor wants he a folder, as the daemon does. */
	f->config.state = "/nonexistent/state";
	stage_open(f, true);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
	sts_finder_free(&f->finder);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_DEFER);
	sts_finder_free(&f->finder);
	f->config.state = f->place->folder;
	stage_put(f, "refused.test", 3600);
	stage_put(f, "none.test", 5 * DAY);
	stage_open(f, true);
	assert_int_equal(stage_ask(f, "refused.test", false), STS_STEP_USE);
	assert_int_equal(stage_stored(f, "refused.test").failures, 0);
	asked = fake_dns_asked(f->dns);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_REFRESH);
	stage_turn(f, 50);
	assert_int_equal(stage_stored(f, "none.test").failures, 0);
	assert_int_equal(fake_dns_asked(f->dns), asked + 1);
	/* What somebody is to refresh is not said without him. */
	assert_false(sts_find_known(f->finder, "none.test", &known));
}

/* A command has changed the file. */
static void
what_is_forgotten_is_read_anew(void **state)
{
	struct fixture *f = *state;
	struct err err;
	size_t n = 0;

	stage_put(f, "none.test", 3600);
	stage_put(f, "a.test", 3600);
	stage_open(f, false);
	(void)stage_ask(f, "none.test", false);
	(void)stage_ask(f, "a.test", false);
	assert_int_equal(
	    sts_store_forget(f->place->store, "none.test", &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_USE);
	sts_finder_forget(f->finder, "never.heard.of.test");
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_USE);
	sts_finder_forget(f->finder, "none.test");
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
	assert_int_equal(
	    sts_store_forget(f->place->store, "a.test", &n, &err), 0);
	assert_int_equal(stage_ask(f, "a.test", false), STS_STEP_USE);
	sts_finder_forget(f->finder, "");
	assert_int_equal(stage_ask(f, "a.test", false), STS_STEP_NONE);
}

/* RFC 8461 5.1: what one process has fetched binds all of them, at once. */
static void
what_another_process_has_learnt_counts(void **state)
{
	static const char *const domains[] = {
	    "none.test", "nxdomain.test", "failed.test", "refused.test"};
	struct fixture *f = *state;
	struct sts_entry entry;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_open(f, false);
	for (size_t i = 0; i < ROWS(domains); i++) {
		assert_int_equal(
		    stage_ask(f, domains[i], false), STS_STEP_NONE);
		entry = place_policy(f->place, clock_wall() - 60, "testing", 1);
		place_put(f->place, domains[i], &entry);
		if (stage_ask(f, domains[i], false) != STS_STEP_USE)
			fail_msg("%s: %s", domains[i],
			    sts_step_name(f->answer.step));
		assert_int_equal(f->mode, STS_MODE_TESTING);
		/* Nor is a policy that is older than it. */
		stage_put(f, domains[i], 30);
		(void)stage_ask(f, domains[i], false);
		assert_int_equal(f->mode, STS_MODE_ENFORCE);
	}
}

/* RFC 8461 3.3: the pause is that of all of them, not of each. */
static void
what_another_process_has_tried_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	struct sts_entry entry;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_put(f, "a.test", 3600);
	stage_open(f, false);
	(void)stage_ask(f, "a.test", false);
	entry = stage_stored(f, "a.test");
	entry.last_try = clock_wall();
	entry.failures = 3;
	place_put(f->place, "a.test", &entry);
	assert_int_equal(stage_ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stage_stored(f, "a.test").failures, 3);
}

/* Nor is what was read just before it. */
static void
what_is_forgotten_while_it_is_read_is_gone(void **state)
{
	struct fixture *f = *state;
	struct err err;
	size_t n = 0;

	stage_put(f, "none.test", 3600);
	stage_open(f, false);
	(void)sts_find(f->finder, "none.test", false, stage_on_found, f);
	stage_answer(f);
	assert_int_equal(usleep(50000), 0); /* the worker has read it */
	assert_int_equal(f->found, 0);
	assert_int_equal(
	    sts_store_forget(f->place->store, "none.test", &n, &err), 0);
	sts_finder_forget(f->finder, "none.test");
	stage_wait(f, 1);
	assert_int_equal(f->answer.step, STS_STEP_NONE);
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
}

/* Mail need not wait for it. */
static void
what_is_forgotten_while_it_is_fetched_is_looked_up(void **state)
{
	struct fixture *f = *state;

	fake_dns_hold(f->dns, "mta-sts.refused.test");
	stage_open(f, false);
	(void)sts_find(f->finder, "refused.test", false, stage_on_found, f);
	stage_turn(f, 20);
	stage_put(f, "refused.test", 60); /* another has fetched it */
	sts_finder_forget(f->finder, "refused.test");
	(void)sts_find(f->finder, "refused.test", false, stage_on_found, f);
	stage_turn(f, 20);
	fake_dns_hold(f->dns, NULL);
	stage_wait(f, 2);
	assert_int_equal(f->answer.step, STS_STEP_USE);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_record_there_is_no_policy),
	    CASE(only_none_is_no_policy),
	    CASE(a_first_fetch_that_fails_leaves_no_policy),
	    CASE(a_cached_policy_applies),
	    CASE(what_is_known_needs_nobody),
	    CASE(an_expired_policy_is_none),
	    CASE(an_old_policy_is_refreshed_behind_the_delivery),
	    CASE(one_search_serves_all_who_ask),
	    CASE(a_refresh_keeps_nobody_waiting),
	    CASE(a_first_fetch_is_waited_for_by_all),
	    CASE(a_policy_that_refuses_mail_is_looked_for_anew),
	    CASE(the_use_of_a_policy_is_written_once_a_day),
	    CASE(it_can_end_while_it_searches),
	    CASE(who_only_looks_writes_nothing),
	    CASE(what_is_forgotten_is_read_anew),
	    CASE(what_is_forgotten_while_it_is_read_is_gone),
	    CASE(what_is_forgotten_while_it_is_fetched_is_looked_up),
	    CASE(what_another_process_has_learnt_counts),
	    CASE(what_another_process_has_tried_is_not_tried_again),
	};

	return cmocka_run_group_tests_name("sts_finder", tests, NULL, NULL);
}
