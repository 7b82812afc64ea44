/* What applies to a domain, with DNS from a table and a store on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "mta/net/loop.h"
#include "mta/sts/finder.h"

#include "tests/support/fake_dns.h"
#include "tests/support/sts_place.h"
#include "tests/support/test.h"

#define TURNS 2000
#define ID_A  "#0e763d53545376313b2069643d613b" /* "v=STSv1; id=a;" */
#define ID_B  "#0e763d53545376313b2069643d623b"

static const struct fake_record zone[] = {
    {"_mta-sts.a.test", RR_TXT, DNS_INSECURE, ID_A, NULL},
    {"_mta-sts.b.test", RR_TXT, DNS_INSECURE, ID_B, NULL},
    {"_mta-sts.failed.test", RR_TXT, DNS_FAILED, NULL, NULL},
    {"_mta-sts.bogus.test", RR_TXT, DNS_BOGUS, NULL, NULL},
    {"_mta-sts.none.test", RR_TXT, DNS_SECURE, NULL, NULL},
    /* Nothing listens at port 1 of the loopback. */
    {"_mta-sts.refused.test", RR_TXT, DNS_INSECURE, ID_B, NULL},
    {"mta-sts.refused.test", RR_A, DNS_INSECURE, "127.0.0.1", NULL},
    {"mta-sts.refused.test", RR_AAAA, DNS_INSECURE, NULL, NULL},
};

struct fixture {
	struct place *place;
	struct config config;
	struct loop *loop;
	struct dns *dns;
	struct watch *watch;
	struct timer *guard;
	struct sts_finder *finder;
	unsigned found;
	struct sts_answer answer;
	struct sts_record record;
	char trouble[400];
	bool policy;
};

/* --- the stage ------------------------------------------------------------ */

static void
on_dns(void *arg)
{
	struct fixture *f = arg;

	dns_process(f->dns);
}

static void
on_guard(void *arg)
{
	struct fixture *f = arg;

	timer_start(f->guard, 20); /* so that a turn of the loop ends */
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	log_setup("test", LOG_LEVEL_ERROR, false, false);
	(void)place_set_up((void **)&f->place);
	f->config.state = f->place->folder;
	f->config.mta_sts.enabled = true;
	f->config.mta_sts.port = 1;
	f->config.mta_sts.timeout_ms = 5000;
	f->config.mta_sts.fetches = 4;
	f->loop = loop_new();
	f->dns = fake_dns_new(zone, ROWS(zone));
	f->watch = watch_new(f->loop, dns_fd(f->dns), on_dns, f);
	f->guard = timer_new(f->loop, on_guard, f);
	timer_start(f->guard, 20);
	*state = f;
	return 0;
}

static void
open_finder(struct fixture *f, bool only_look)
{
	const struct sts_finder_setup setup = {.loop = f->loop,
	    .dns = f->dns,
	    .config = &f->config,
	    .only_look = only_look};

	f->finder = sts_finder_new(&setup);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	sts_finder_free(&f->finder);
	watch_free(&f->watch);
	timer_free(&f->guard);
	dns_free(&f->dns);
	loop_free(&f->loop);
	(void)place_tear_down((void **)&f->place);
	free(f);
	return 0;
}

/* --- what is on disk ------------------------------------------------------ */

/* A policy of id "a", fetched so many seconds ago. */
static void
put_policy(struct fixture *f, const char *domain, int64_t ago)
{
	int64_t now = clock_wall();
	struct sts_entry entry = place_policy(
	    f->place, now - ago, "enforce", 1);

	(void)snprintf(entry.id, sizeof(entry.id), "a");
	(void)snprintf(entry.tried_id, sizeof(entry.tried_id), "a");
	entry.last_used = now;
	place_put(f->place, domain, &entry);
}

static struct sts_entry
stored(struct fixture *f, const char *domain)
{
	return place_get(f->place, domain);
}

/* --- asking --------------------------------------------------------------- */

static void
on_found(const struct sts_found *found, void *arg)
{
	struct fixture *f = arg;

	f->found++;
	f->answer = found->answer;
	f->record = found->record;
	f->policy = found->known != NULL &&
	            found->known->entry.state == STS_ENTRY_POLICY;
	(void)snprintf(f->trouble, sizeof(f->trouble), "%s", found->trouble);
}

static void
wait_for(struct fixture *f, unsigned n)
{
	for (int i = 0; f->found < n && i < TURNS; i++)
		loop_run_once(f->loop);
	assert_int_equal(f->found, n);
}

static enum sts_step
ask(struct fixture *f, const char *domain, bool insist)
{
	unsigned before = f->found;

	(void)sts_find(f->finder, domain, insist, on_found, f);
	assert_int_equal(f->found, before); /* never from inside */
	wait_for(f, before + 1);
	return f->answer.step;
}

/* --- nothing cached ------------------------------------------------------- */

static void
without_a_record_there_is_no_policy(void **state)
{
	static const char *const domains[] = {
	    "none.test", "nxdomain.test", "failed.test", "bogus.test"};
	struct fixture *f = *state;

	open_finder(f, false);
	for (size_t i = 0; i < ROWS(domains); i++) {
		assert_int_equal(ask(f, domains[i], false), STS_STEP_NONE);
		assert_false(f->policy);
		assert_int_equal(stored(f, domains[i]).state, STS_ENTRY_EMPTY);
		assert_int_equal(stored(f, domains[i]).last_try, 0);
	}
}

/* RFC 8461 3.3: as if there were no policy; and not tried again at once */
static void
a_first_fetch_that_fails_leaves_no_policy(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;
	struct sts_entry entry;

	open_finder(f, false);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_NONE);
	assert_non_null(strstr(f->trouble, "127.0.0.1:1"));
	entry = stored(f, "refused.test");
	assert_int_equal(entry.state, STS_ENTRY_EMPTY);
	assert_int_equal(entry.failures, 1);
	assert_string_equal(entry.tried_id, "b");
	assert_true(sts_find_known(f->finder, "refused.test", &known));
	assert_int_equal(known.answer.step, STS_STEP_NONE);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stored(f, "refused.test").failures, 1);
	/* Nor by the next process. */
	sts_finder_free(&f->finder);
	open_finder(f, false);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stored(f, "refused.test").failures, 1);
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
		put_policy(f, domains[i], 3600);
	open_finder(f, false);
	for (size_t i = 0; i < ROWS(domains); i++) {
		if (ask(f, domains[i], false) != STS_STEP_USE)
			fail_msg("%s: %s", domains[i],
			    sts_step_name(f->answer.step));
		assert_true(f->policy);
		assert_int_equal(stored(f, domains[i]).state, STS_ENTRY_POLICY);
	}
	/* Another id, and the fetch has failed: written down. */
	assert_int_equal(stored(f, "refused.test").failures, 1);
	assert_string_equal(stored(f, "refused.test").tried_id, "b");
	assert_string_equal(stored(f, "refused.test").id, "a");
	assert_int_equal(stored(f, "a.test").failures, 0);
}

/* The hot path: nobody is asked, and nothing is read. */
static void
what_is_known_needs_nobody(void **state)
{
	struct fixture *f = *state;
	struct sts_found known;
	size_t asked;

	put_policy(f, "a.test", 3600);
	open_finder(f, false);
	assert_false(sts_find_known(f->finder, "a.test", &known));
	(void)ask(f, "a.test", false);
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

	put_policy(f, "none.test", 8 * DAY);
	put_policy(f, "refused.test", 8 * DAY);
	open_finder(f, false);
	assert_int_equal(ask(f, "none.test", false), STS_STEP_NONE);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(stored(f, "refused.test").failures, 1);
}

/* RFC 8461 3.3: refreshed in time, and nobody waits for that */
static void
an_old_policy_is_refreshed_behind_the_delivery(void **state)
{
	struct fixture *f = *state;

	put_policy(f, "none.test", 5 * DAY);
	open_finder(f, false);
	assert_int_equal(ask(f, "none.test", false), STS_STEP_REFRESH);
	assert_true(f->policy);
	for (int i = 0; i < 100; i++)
		loop_run_once(f->loop);
	assert_int_equal(stored(f, "none.test").failures, 1);
	assert_int_equal(stored(f, "none.test").state, STS_ENTRY_POLICY);
}

/* RFC 8461 5.1: before mail fails by it a newer one is looked for */
static void
a_policy_that_refuses_mail_is_looked_for_anew(void **state)
{
	struct fixture *f = *state;

	put_policy(f, "a.test", 3600);
	open_finder(f, false);
	assert_int_equal(ask(f, "a.test", false), STS_STEP_USE);
	assert_int_equal(stored(f, "a.test").failures, 0);
	assert_int_equal(ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stored(f, "a.test").failures, 1);
	assert_int_equal(ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(stored(f, "a.test").failures, 1);
}

static void
the_use_of_a_policy_is_written_once_a_day(void **state)
{
	struct fixture *f = *state;
	struct sts_entry entry;

	put_policy(f, "a.test", 3600);
	entry = stored(f, "a.test");
	entry.last_used -= 2 * DAY;
	place_put(f->place, "a.test", &entry);
	open_finder(f, false);
	(void)ask(f, "a.test", false);
	for (int i = 0; i < 50; i++)
		loop_run_once(f->loop);
	assert_in_range(
	    stored(f, "a.test").last_used, clock_wall() - 60, clock_wall());
}

/* RFC 8461 10.2: whatever the record says, and though no mail goes there */
static void
what_is_due_is_refreshed_with_nobody_asking(void **state)
{
	static const char *const due[] = {"none.test", "failed.test", "a.test"};
	struct fixture *f = *state;
	struct sts_entry entry;

	for (size_t i = 0; i < ROWS(due); i++)
		put_policy(f, due[i], 5 * DAY);
	put_policy(f, "fresh.test", 3600);
	put_policy(f, "unused.test", 5 * DAY);
	entry = stored(f, "unused.test");
	entry.last_used -= 100 * DAY;
	place_put(f->place, "unused.test", &entry);
	put_policy(f, "over.test", 30 * DAY);
	entry = stored(f, "over.test");
	entry.last_try = entry.expires_at + 1;
	place_put(f->place, "over.test", &entry);
	f->config.mta_sts.refresh_ms = 100;
	open_finder(f, false);
	sts_finder_tend(f->finder);
	for (int i = 0; i < 150; i++)
		loop_run_once(f->loop);
	for (size_t i = 0; i < ROWS(due); i++) {
		assert_int_equal(stored(f, due[i]).failures, 1);
		assert_int_equal(stored(f, due[i]).state, STS_ENTRY_POLICY);
	}
	assert_int_equal(stored(f, "fresh.test").failures, 0);
	assert_int_equal(stored(f, "unused.test").failures, 0);
	assert_int_equal(stored(f, "over.test").state, STS_ENTRY_EMPTY);
}

/* --- what is our own fault ------------------------------------------------ */

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
	open_finder(f, false);
	assert_int_equal(ask(f, "none.test", false), STS_STEP_DEFER);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_DEFER);
	assert_non_null(strstr(f->trouble, "sts.db"));
	assert_false(sts_find_known(f->finder, "none.test", &known));
}

/* What was read before it was spoilt still counts. */
static void
what_was_read_outlives_the_store(void **state)
{
	struct fixture *f = *state;

	put_policy(f, "a.test", 3600);
	put_policy(f, "refused.test", 3600);
	open_finder(f, false);
	(void)ask(f, "a.test", false);
	(void)ask(f, "refused.test", false);
	spoil_store(f);
	assert_int_equal(ask(f, "a.test", true), STS_STEP_USE);
	assert_int_equal(ask(f, "refused.test", true), STS_STEP_USE);
	assert_true(f->policy);
}

static void
without_authorities_nothing_is_learnt_of_the_host(void **state)
{
	struct fixture *f = *state;

	f->config.ca_file = "/nonexistent/ca.pem";
	put_policy(f, "b.test", 3600);
	open_finder(f, false);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_DEFER);
	assert_non_null(strstr(f->trouble, "/nonexistent/ca.pem"));
	assert_int_equal(stored(f, "refused.test").failures, 0);
	assert_int_equal(ask(f, "b.test", false), STS_STEP_USE);
	assert_false(f->answer.current);
	assert_int_equal(stored(f, "b.test").failures, 0);
}

/* --- several, and those who only look ------------------------------------- */

static void
one_search_serves_all_who_ask(void **state)
{
	struct fixture *f = *state;
	struct sts_find *finds[3];

	put_policy(f, "a.test", 3600);
	open_finder(f, false);
	for (size_t i = 0; i < ROWS(finds); i++)
		finds[i] = sts_find(f->finder, "a.test", false, on_found, f);
	sts_find_cancel(&finds[1]);
	assert_null(finds[1]);
	wait_for(f, 2);
	for (int i = 0; i < 20; i++)
		loop_run_once(f->loop);
	assert_int_equal(f->found, 2);
	assert_int_equal(fake_dns_asked(f->dns), 1);
	assert_int_equal(f->answer.step, STS_STEP_USE);
}

static void
it_can_end_while_it_searches(void **state)
{
	struct fixture *f = *state;

	for (int turns = 0; turns < 8; turns++) {
		open_finder(f, false);
		(void)sts_find(f->finder, "refused.test", false, on_found, f);
		(void)sts_find(f->finder, "a.test", false, on_found, f);
		for (int i = 0; i < turns; i++)
			loop_run_once(f->loop);
		sts_finder_free(&f->finder);
		assert_null(f->finder);
	}
}

static void
who_only_looks_writes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *path = place_path(f->place, "sts.db");

	open_finder(f, true);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_NONE);
	assert_int_equal(access(path, F_OK), -1);
	sts_finder_free(&f->finder);
	put_policy(f, "refused.test", 3600);
	put_policy(f, "none.test", 5 * DAY);
	open_finder(f, true);
	assert_int_equal(ask(f, "refused.test", false), STS_STEP_USE);
	assert_int_equal(stored(f, "refused.test").failures, 0);
	assert_int_equal(ask(f, "none.test", false), STS_STEP_REFRESH);
	for (int i = 0; i < 50; i++)
		loop_run_once(f->loop);
	assert_int_equal(stored(f, "none.test").failures, 0);
}

/* A command has changed the file. */
static void
what_is_forgotten_is_read_anew(void **state)
{
	struct fixture *f = *state;
	struct err err;
	size_t n = 0;

	put_policy(f, "none.test", 3600);
	put_policy(f, "a.test", 3600);
	open_finder(f, false);
	(void)ask(f, "none.test", false);
	(void)ask(f, "a.test", false);
	assert_int_equal(
	    sts_store_forget(f->place->store, "none.test", &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ask(f, "none.test", false), STS_STEP_USE);
	sts_finder_forget(f->finder, "never.heard.of.test");
	assert_int_equal(ask(f, "none.test", false), STS_STEP_USE);
	sts_finder_forget(f->finder, "none.test");
	assert_int_equal(ask(f, "none.test", false), STS_STEP_NONE);
	sts_finder_forget(f->finder, "");
	assert_int_equal(ask(f, "a.test", false), STS_STEP_USE);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_record_there_is_no_policy),
	    CASE(a_first_fetch_that_fails_leaves_no_policy),
	    CASE(a_cached_policy_applies),
	    CASE(what_is_known_needs_nobody),
	    CASE(an_expired_policy_is_none),
	    CASE(an_old_policy_is_refreshed_behind_the_delivery),
	    CASE(a_policy_that_refuses_mail_is_looked_for_anew),
	    CASE(what_is_due_is_refreshed_with_nobody_asking),
	    CASE(the_use_of_a_policy_is_written_once_a_day),
	    CASE(a_store_that_cannot_be_read_is_not_no_policy),
	    CASE(what_was_read_outlives_the_store),
	    CASE(without_authorities_nothing_is_learnt_of_the_host),
	    CASE(one_search_serves_all_who_ask),
	    CASE(it_can_end_while_it_searches),
	    CASE(who_only_looks_writes_nothing),
	    CASE(what_is_forgotten_is_read_anew),
	};

	return cmocka_run_group_tests_name("sts_finder", tests, NULL, NULL);
}
