/* What a finder learns: from policy hosts, from DNS, from other processes. */
#include <string.h>

#include "base/clock.h"
#include "dnssec/rdata.h"
#include "mta/net/loop.h"

#include "tests/support/fake_https.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

#define GOOD \
	"version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.good.test\n"
#define OTHER "version: STSv1\nmode: none\nmax_age: 86400\n"

static const struct fake_site good[] = {
    {"mta-sts.good.test", HTTPS_FINE, GOOD},
    {"mta-sts.also.test", HTTPS_FINE, OTHER},
};
static const struct fake_site other[] = {
    {"mta-sts.good.test", HTTPS_FINE, OTHER},
};
static const struct fake_site bad[] = {
    {"mta-sts.good.test", HTTPS_EXPIRED, NULL},
};

static int
set_up(void **state)
{
	struct fixture *f;

	(void)stage_set_up(state);
	f = *state;
	stage_record(f, "_mta-sts.good.test", RR_TXT, STAGE_ID_A);
	stage_record(f, "mta-sts.good.test", RR_A, "192.0.2.1");
	stage_record(f, "_mta-sts.also.test", RR_TXT, STAGE_ID_B);
	stage_record(f, "mta-sts.also.test", RR_A, "192.0.2.2");
	fake_https_serve(good, ROWS(good));
	return 0;
}

/* --- by a fetch ----------------------------------------------------------- */

/* What a callback saw: one that fails would leave the worker behind. */
struct witness {
	struct fixture *f;
	struct sts_entry stored;
	bool inside; /* it was called from inside of sts_find() */
};

static void
on_found_look_at_disk(const struct sts_found *found, void *arg)
{
	struct witness *witness = arg;

	witness->stored = stage_stored(witness->f, "good.test");
	stage_on_found(found, witness->f);
}

/* RFC 8461 3.3: nobody goes by what the next process will not know. */
static void
what_is_told_is_on_disk(void **state)
{
	struct fixture *f = *state;
	struct witness witness = {.f = f};

	stage_open(f, false);
	(void)sts_find(
	    f->finder, "good.test", false, on_found_look_at_disk, &witness);
	stage_wait(f, 1);
	assert_int_equal(witness.stored.state, STS_ENTRY_POLICY);
	assert_string_equal(witness.stored.id, "a");
	assert_int_equal(f->answer.step, STS_STEP_USE);
	assert_true(f->answer.current);
	assert_true(f->policy);
	assert_string_equal(f->trouble, "");
}

/* RFC 8461 3: while the id is the same, not for each delivery */
static void
a_policy_is_fetched_once(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_open(f, false);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(
		    stage_ask(f, "good.test", false), STS_STEP_USE);
		assert_int_equal(
		    stage_ask(f, "also.test", false), STS_STEP_USE);
	}
	assert_int_equal(fake_https_asked()->n, 2);
	/* Its answer has no life: DNS is asked each time. */
	assert_false(sts_find_known(f->finder, "good.test", &known));
}

/* What was wrong once is not told of a policy that came. */
static void
trouble_has_an_end(void **state)
{
	struct fixture *f = *state;
	struct err err;
	size_t n;

	fake_https_serve(bad, ROWS(bad));
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_NONE);
	assert_string_equal(f->trouble, "expired");
	assert_int_equal(
	    sts_store_forget(f->place->store, "good.test", &n, &err), 0);
	sts_finder_forget(f->finder, "good.test");
	fake_https_serve(good, ROWS(good));
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_string_equal(f->trouble, "");
}

static void
on_found_hold(const struct sts_found *found, void *arg)
{
	struct sts_known **held = arg;

	*held = sts_known_hold(found->known);
}

/* A delivery goes by one policy from its beginning to its end. */
static void
who_holds_a_policy_keeps_it(void **state)
{
	struct fixture *f = *state;
	struct sts_known *held = NULL;

	stage_put(f, "good.test", 60);
	stage_open(f, false);
	(void)sts_find(f->finder, "good.test", false, on_found_hold, &held);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	stage_put(f, "good.test", 1);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_int_not_equal(f->fetched_at, held->entry.fetched_at);
	sts_finder_free(&f->finder);
	assert_int_equal(held->entry.policy.mode, STS_MODE_ENFORCE);
	assert_string_equal(held->entry.policy.mx[0], "mx0.example.net");
	sts_known_drop(&held);
}

/* The next one is another value, and not put into his. */
static void
who_holds_a_policy_is_given_no_other(void **state)
{
	struct fixture *f = *state;
	struct sts_known *held = NULL;
	enum sts_mode mode;

	stage_put(f, "good.test", 3600);
	fake_https_serve(other, ROWS(other));
	stage_open(f, false);
	(void)sts_find(f->finder, "good.test", false, on_found_hold, &held);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_int_equal(stage_ask(f, "good.test", true), STS_STEP_USE);
	mode = held->entry.policy.mode;
	sts_known_drop(&held);
	assert_int_equal(f->mode, STS_MODE_NONE);
	assert_int_equal(mode, STS_MODE_ENFORCE);
}

/* RFC 8461 5.1: the policy refuses mail, though DNS says it is current */
static void
who_insists_gets_the_policy_of_today(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "good.test", 3600);
	fake_https_serve(other, ROWS(other));
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_int_equal(fake_https_asked()->n, 0);
	assert_int_equal(stage_ask(f, "good.test", true), STS_STEP_USE);
	assert_int_equal(fake_https_asked()->n, 1);
	assert_int_equal(
	    stage_stored(f, "good.test").policy.mode, STS_MODE_NONE);
	/* And not once more at once. */
	assert_int_equal(stage_ask(f, "good.test", true), STS_STEP_USE);
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
wait_asked(struct fixture *f)
{
	for (int i = 0; i < 100 && fake_https_asked()->waiting == 0; i++)
		stage_pass(f, 50);
	assert_int_equal(fake_https_asked()->waiting, 1);
}

static void
what_is_forgotten_under_way_is_learnt(void **state)
{
	struct fixture *f = *state;

	fake_https_hold(true);
	stage_open(f, false);
	(void)sts_find(f->finder, "good.test", false, stage_on_found, f);
	wait_asked(f);
	sts_finder_forget(f->finder, "");
	fake_https_hold(false);
	stage_wait(f, 1);
	assert_true(f->policy);
	assert_int_equal(stage_stored(f, "good.test").state, STS_ENTRY_POLICY);
	/* What came is taken: it is not asked for once more. */
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
it_can_end_while_it_fetches(void **state)
{
	struct fixture *f = *state;

	fake_https_hold(true);
	stage_open(f, false);
	(void)sts_find(f->finder, "good.test", false, stage_on_found, f);
	wait_asked(f);
	sts_finder_free(&f->finder);
	assert_int_equal(fake_https_asked()->waiting, 0);
	assert_int_equal(f->found, 0);
}

/* The worker is busy with one domain, and DNS answers about another. */
static void
who_ends_it_is_told_nothing(void **state)
{
	struct fixture *f = *state;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	stage_pass(f, 100); /* its use is written */
	(void)sts_find(f->finder, "also.test", false, stage_on_found, f);
	stage_answer(f);
	(void)sts_find(f->finder, "good.test", false, stage_on_found, f);
	sts_finder_free(&f->finder);
	assert_int_equal(f->found, 1);
}

/* --- who asks ------------------------------------------------------------- */

static void
on_found_ask_again(const struct sts_found *found, void *arg)
{
	struct witness *witness = arg;
	struct fixture *f = witness->f;
	unsigned before = f->found;

	stage_on_found(found, f);
	if (f->found < 3)
		(void)sts_find(
		    f->finder, "good.test", true, on_found_ask_again, arg);
	witness->inside |= f->found != before + 1;
}

static void
who_asks_from_the_callback_is_told_as_well(void **state)
{
	struct fixture *f = *state;
	struct witness witness = {.f = f};

	stage_open(f, false);
	(void)sts_find(
	    f->finder, "good.test", false, on_found_ask_again, &witness);
	(void)sts_find(f->finder, "good.test", false, stage_on_found, f);
	stage_wait(f, 3);
	stage_pass(f, 50);
	assert_int_equal(f->found, 3);
	assert_false(witness.inside);
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
on_found_something(const struct sts_found *found, void *arg)
{
	if (found->answer.step != STS_STEP_DEFER)
		stage_on_found(found, arg);
}

static void
many_domains_are_looked_for_at_once(void **state)
{
	static const char *const domains[] = {"good.test", "also.test",
	    "none.test", "a.test", "failed.test", "refused.test"};
	struct fixture *f = *state;

	stage_open(f, false);
	for (size_t i = 0; i < ROWS(domains); i++)
		(void)sts_find(
		    f->finder, domains[i], false, on_found_something, f);
	stage_wait(f, ROWS(domains));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    stage_stored(f, domains[i]).state, STS_ENTRY_POLICY);
}

/* --- from DNS ------------------------------------------------------------- */

/* However long it says, and never longer than the policy lives. */
static void
an_answer_of_dns_has_its_life(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;

	fake_dns_ttl(f->dns, RR_TXT, 86400);
	stage_put(f, "good.test", 3600);
	stage_put(f, "also.test", 7 * DAY - 20);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_in_range(f->ttl, 290, 300);
	fake_https_hold(true);
	stage_record(f, "_mta-sts.also.test", RR_TXT, NULL);
	assert_int_equal(stage_ask(f, "also.test", false), STS_STEP_REFRESH);
	assert_in_range(f->ttl, 1, 20);
	/* What could not be looked up is looked up anew. */
	assert_int_equal(stage_ask(f, "failed.test", false), STS_STEP_NONE);
	assert_int_equal(f->ttl, 0);
	assert_false(sts_find_known(f->finder, "failed.test", &known));
	assert_int_equal(stage_ask(f, "none.test", false), STS_STEP_NONE);
	assert_true(sts_find_known(f->finder, "none.test", &known));
}

/* --- from other processes ------------------------------------------------- */

static void
what_another_process_fetched_counts(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "good.test", 3600);
	stage_open(f, false);
	(void)stage_ask(f, "good.test", false);
	stage_put(f, "good.test", 60);
	(void)stage_ask(f, "good.test", false);
	assert_in_range(f->fetched_at, clock_wall() - 70, clock_wall() - 50);
	assert_int_equal(fake_https_asked()->n, 0);
}

/* RFC 8461 3: one fetch of a new id, not one for each process */
static void
what_another_process_fetched_is_not_fetched(void **state)
{
	struct fixture *f = *state;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_record(f, "_mta-sts.good.test", RR_TXT, NULL);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_NONE);
	stage_put(f, "good.test", 1);
	stage_record(f, "_mta-sts.good.test", RR_TXT, STAGE_ID_A);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_int_equal(fake_https_asked()->n, 0);
}

static void
who_insists_looks_at_what_another_fetched(void **state)
{
	struct fixture *f = *state;

	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_put(f, "good.test", 3600);
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	stage_put(f, "good.test", 1);
	assert_int_equal(stage_ask(f, "good.test", true), STS_STEP_USE);
	assert_in_range(f->fetched_at, clock_wall() - 10, clock_wall());
	assert_int_equal(fake_https_asked()->n, 0);
}

/* --- what was not asked --------------------------------------------------- */

static void
a_record_nobody_asked_for_is_not_no_policy(void **state)
{
	struct fixture *f = *state;

	stage_record(f, "_mta-sts.good.test", RR_TXT, "?");
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_DEFER);
	fake_dns_ttl(f->dns, RR_TXT, 0);
	stage_record(f, "_mta-sts.good.test", RR_TXT, STAGE_ID_A);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	/* RFC 8461 5.1: what is cached applies */
	stage_record(f, "_mta-sts.good.test", RR_TXT, "?");
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
	assert_false(f->answer.current);
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
a_host_nobody_looked_up_has_not_failed(void **state)
{
	struct fixture *f = *state;

	stage_record(f, "mta-sts.good.test", RR_A, "?");
	stage_open(f, false);
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_DEFER);
	assert_string_equal(f->trouble_type, "");
	assert_int_equal(stage_stored(f, "good.test").failures, 0);
	stage_record(f, "mta-sts.good.test", RR_A, "192.0.2.1");
	assert_int_equal(stage_ask(f, "good.test", false), STS_STEP_USE);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(what_is_told_is_on_disk),
	    CASE(a_policy_is_fetched_once),
	    CASE(trouble_has_an_end),
	    CASE(who_holds_a_policy_keeps_it),
	    CASE(who_holds_a_policy_is_given_no_other),
	    CASE(who_insists_gets_the_policy_of_today),
	    CASE(what_is_forgotten_under_way_is_learnt),
	    CASE(it_can_end_while_it_fetches),
	    CASE(who_ends_it_is_told_nothing),
	    CASE(who_asks_from_the_callback_is_told_as_well),
	    CASE(many_domains_are_looked_for_at_once),
	    CASE(an_answer_of_dns_has_its_life),
	    CASE(what_another_process_fetched_counts),
	    CASE(what_another_process_fetched_is_not_fetched),
	    CASE(who_insists_looks_at_what_another_fetched),
	    CASE(a_record_nobody_asked_for_is_not_no_policy),
	    CASE(a_host_nobody_looked_up_has_not_failed),
	};

	return cmocka_run_group_tests_name("sts_learn", tests, NULL, NULL);
}
