/* See sts_stage.h. */
#include "tests/support/sts_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dnssec/rdata.h"
#include "mta/net/loop.h"

#include "tests/support/fake_dns.h"
#include "tests/support/test.h"

/* How long something may take that is to come; far more than it does. */
#define WAIT_MS 20000

static const struct fake_record usual[] = {
    {"_mta-sts.a.test", RR_TXT, DNS_INSECURE, STAGE_ID_A, NULL},
    {"_mta-sts.b.test", RR_TXT, DNS_INSECURE, STAGE_ID_B, NULL},
    {"_mta-sts.failed.test", RR_TXT, DNS_FAILED, NULL, NULL},
    {"_mta-sts.bogus.test", RR_TXT, DNS_BOGUS, NULL, NULL},
    {"_mta-sts.none.test", RR_TXT, DNS_SECURE, NULL, NULL},
    /* Nothing listens at port 1 of the loopback. */
    {"_mta-sts.refused.test", RR_TXT, DNS_INSECURE, STAGE_ID_B, NULL},
    {"mta-sts.refused.test", RR_A, DNS_INSECURE, "127.0.0.1", NULL},
    {"mta-sts.refused.test", RR_AAAA, DNS_INSECURE, NULL, NULL},
};

static const struct fake_record unused = {
    "unused.invalid", 0, DNS_INSECURE, NULL, NULL};

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

int
stage_set_up(void **state)
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
	for (size_t i = 0; i < STAGE_ZONE; i++)
		f->zone[i] = i < ROWS(usual) ? usual[i] : unused;
	f->dns = fake_dns_new(f->zone, STAGE_ZONE);
	f->watch = watch_new(f->loop, dns_fd(f->dns), on_dns, f);
	f->guard = timer_new(f->loop, on_guard, f);
	timer_start(f->guard, 20);
	*state = f;
	return 0;
}

void
stage_open(struct fixture *f, bool only_look)
{
	const struct sts_finder_setup setup = {.loop = f->loop,
	    .dns = f->dns,
	    .config = &f->config,
	    .only_look = only_look};

	f->finder = sts_finder_new(&setup);
}

int
stage_tear_down(void **state)
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

/* --- what DNS says ---------------------------------------------------------- */

void
stage_record(
    struct fixture *f, const char *name, uint16_t type, const char *data)
{
	struct fake_record *record = f->zone;

	while (record->type != 0 &&
	       (strcmp(record->name, name) != 0 || record->type != type))
		record++;
	assert_true(record < f->zone + STAGE_ZONE - 1);
	*record = (struct fake_record){name, type, DNS_INSECURE, data, NULL};
}

/* --- what is on disk ------------------------------------------------------ */

void
stage_put(struct fixture *f, const char *domain, int64_t ago)
{
	int64_t now = clock_wall();
	struct sts_entry entry = place_policy(
	    f->place, now - ago, "enforce", 1);

	(void)snprintf(entry.id, sizeof(entry.id), "a");
	(void)snprintf(entry.tried_id, sizeof(entry.tried_id), "a");
	entry.last_used = now;
	place_put(f->place, domain, &entry);
}

struct sts_entry
stage_stored(struct fixture *f, const char *domain)
{
	return place_get(f->place, domain);
}

/* --- asking --------------------------------------------------------------- */

void
stage_on_found(const struct sts_found *found, void *arg)
{
	struct fixture *f = arg;

	f->found++;
	f->answer = found->answer;
	f->record = found->record;
	f->policy = found->known != NULL &&
	            found->known->entry.state == STS_ENTRY_POLICY;
	f->mode = f->policy ? found->known->entry.policy.mode
	                    : STS_MODE_UNKNOWN;
	f->fetched_at = f->policy ? found->known->entry.fetched_at : 0;
	f->ttl = found->ttl;
	f->trouble_type = found->trouble_type;
	(void)snprintf(f->trouble, sizeof(f->trouble), "%s", found->trouble);
}

void
stage_turn(struct fixture *f, int turns)
{
	for (int i = 0; i < turns; i++)
		loop_run_once(f->loop);
}

void
stage_pass(struct fixture *f, unsigned ms)
{
	uint64_t end = loop_now(f->loop) + ms;

	while (loop_now(f->loop) < end)
		loop_run_once(f->loop);
}

void
stage_wait(struct fixture *f, unsigned n)
{
	uint64_t end = loop_now(f->loop) + WAIT_MS;

	while (f->found < n && loop_now(f->loop) < end)
		loop_run_once(f->loop);
	assert_int_equal(f->found, n);
}

void
stage_answer(struct fixture *f)
{
	uint64_t end = loop_now(f->loop) + WAIT_MS;

	while (fake_dns_waiting(f->dns) > 0 && loop_now(f->loop) < end)
		loop_run_once(f->loop);
	assert_int_equal(fake_dns_waiting(f->dns), 0);
}

enum sts_step
stage_ask(struct fixture *f, const char *domain, bool insist)
{
	unsigned before = f->found;

	(void)sts_find(f->finder, domain, insist, stage_on_found, f);
	assert_int_equal(f->found, before); /* never from inside */
	stage_wait(f, before + 1);
	return f->answer.step;
}
