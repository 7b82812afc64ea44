/*
 * Stop the world at every call to the disk, before it and after it; let what
 * was not synced be dropped, kept, cut or mixed; start again and compare with
 * what was promised.  Then let every call fail once.
 *
 * With DANELAW_CRASH=full every sector of what was not synced is a place to
 * cut; without, a sample.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/world.h"
#include "tests/support/test.h"

static bool
is_full(void)
{
	const char *how = getenv("DANELAW_CRASH");

	return how != NULL && strcmp(how, "full") == 0;
}

/* Calls of the whole story; those up to *ret_first are made to set it up. */
static unsigned
count_calls(unsigned *ret_first)
{
	struct fake_disk *fake = fake_disk_new();
	struct world world;
	unsigned calls;

	world_init(&world, fake);
	*ret_first = fake_disk_calls(fake) + 1;
	world_run(&world);
	calls = fake_disk_calls(fake);
	assert_true(world.deliveries > 10);
	world_check(&world, "no crash");
	world_end(&world);
	fake_disk_free(&fake);
	return calls;
}

/* Start again on what a crash has left; all must be well, twice. */
static void
recover(const struct world *before, const struct fake_disk *left,
    enum fake_tear tear, uint64_t seed, const char *when)
{
	struct fake_disk *fake = fake_disk_copy(left);
	static struct world world;
	char where[160];

	(void)snprintf(where, sizeof(where), "%s, tear %d, seed %u", when,
	    (int)tear, (unsigned)seed);
	world = *before;
	world.fake = fake;
	world.kit.spool.disk = fake_disk_of(fake);
	world.kit.setup.spool = &world.kit.spool;
	fake_disk_crash(fake, tear, seed);
	if (!world_start(&world))
		fail_msg("%s: does not start", where);
	world_check(&world, where);
	/* And the power goes again, before anything was written or after. */
	if (seed % 2 == 0)
		(void)kit_journal(world.queue);
	queue_close(&world.queue);
	fake_disk_crash(fake, FAKE_DROP, 0);
	if (!world_start(&world))
		fail_msg("%s: does not start twice", where);
	world_check(&world, where);
	world_finish(&world, where);
	world_end(&world);
	fake_disk_free(&fake);
}

static void
recover_all_ways(
    const struct world *world, const struct fake_disk *left, const char *when)
{
	unsigned unsynced = fake_disk_unsynced(left);
	unsigned step = is_full() ? 1 : unsynced / 4 + 1;

	recover(world, left, FAKE_DROP, 0, when);
	recover(world, left, FAKE_KEEP, 1, when);
	for (unsigned seed = 0; seed < (is_full() ? 8u : 2u); seed++)
		recover(world, left, FAKE_MIX, seed, when);
	for (unsigned cut = 1; cut < unsynced; cut += step)
		recover(world, left, FAKE_CUT, cut, when);
}

static void
stop_at(unsigned call, bool after)
{
	struct fake_disk *fake = fake_disk_new();
	struct fake_disk *left;
	static struct world world;
	char when[64];

	world_init(&world, fake);
	fake_disk_stop_at(fake, call, after);
	world_run(&world);
	(void)snprintf(when, sizeof(when), "stopped %s %s, call %u",
	    after ? "after" : "before", fake_disk_last(fake), call);
	if (!fake_disk_stopped(fake))
		fail_msg("%s: never came", when);
	left = fake_disk_copy(fake);
	world_end(&world);
	recover_all_ways(&world, left, when);
	fake_disk_free(&left);
	fake_disk_free(&fake);
}

static void
nothing_acknowledged_is_lost(void **state)
{
	unsigned first;
	unsigned calls = count_calls(&first);

	(void)state;
	print_message("%u calls\n", calls);
	for (unsigned call = first; call <= calls; call++) {
		stop_at(call, false);
		stop_at(call, true);
	}
}

static void
fail_at(unsigned call, enum fake_fault fault)
{
	struct fake_disk *fake = fake_disk_new();
	static struct world world;
	char when[64];

	world_init(&world, fake);
	world.faulty = true;
	fake_disk_fail_at(fake, call, fault);
	world_run(&world);
	(void)snprintf(when, sizeof(when), "%s fails, call %u, fault %d",
	    fake_disk_failed(fake), call, (int)fault);
	/* The processes die, then the power goes. */
	world_end(&world);
	fake_disk_crash(fake, FAKE_DROP, 0);
	if (!world_start(&world))
		fail_msg("%s: does not start", when);
	world_check(&world, when);
	world_finish(&world, when);
	world_end(&world);
	fake_disk_free(&fake);
}

static void
every_call_fails_once(void **state)
{
	static const enum fake_fault faults[] = {
	    FAKE_EIO, FAKE_ENOSPC, FAKE_EINTR, FAKE_SHORT};
	unsigned first;
	unsigned calls = count_calls(&first);

	(void)state;
	for (size_t i = 0; i < ROWS(faults); i++)
		for (unsigned call = first; call <= calls; call++)
			fail_at(call, faults[i]);
}

/* A call fails, and soon after the power as well. */
static void
fail_then_stop(unsigned call, unsigned later)
{
	struct fake_disk *fake = fake_disk_new();
	static struct world world;
	char when[96];

	world_init(&world, fake);
	world.faulty = true;
	fake_disk_fail_at(fake, call, FAKE_EIO);
	fake_disk_stop_at(fake, call + later, true);
	world_run(&world);
	(void)snprintf(when, sizeof(when),
	    "%s fails, call %u, stopped %u later", fake_disk_failed(fake), call,
	    later);
	world_end(&world);
	recover(&world, fake, FAKE_DROP, 0, when);
	recover(&world, fake, FAKE_MIX, call, when);
	fake_disk_free(&fake);
}

static void
a_failure_before_the_crash(void **state)
{
	unsigned first;
	unsigned calls = count_calls(&first);

	(void)state;
	for (unsigned call = first; call <= calls; call++)
		for (unsigned later = 1; later <= (is_full() ? 20u : 8u);
		     later += is_full() ? 1 : 1 + call % 3)
			fail_then_stop(call, later);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_acknowledged_is_lost),
	    cmocka_unit_test(every_call_fails_once),
	    cmocka_unit_test(a_failure_before_the_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
