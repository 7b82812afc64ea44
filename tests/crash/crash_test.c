/*
 * Stop the world at every call to the disk; let what was not synced be
 * dropped, kept, cut or mixed; start again and compare with what was
 * promised.  Then let every call fail once, and then both.
 *
 * To stop before a call is to stop after the one before it.
 *
 * With DANELAW_CRASH=full every sector of what was not synced is a place to
 * cut; without, a sample.  DANELAW_CRASH_PART=K/N does every Nth call only,
 * from the Kth on.  One argument chooses a test.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "tests/crash/world.h"
#include "tests/support/test.h"

static bool
is_full(void)
{
	const char *how = getenv("DANELAW_CRASH");

	return how != NULL && strcmp(how, "full") == 0;
}

/* Is this call one of ours? */
static bool
is_ours(unsigned call)
{
	const char *part = getenv("DANELAW_CRASH_PART");
	const char *slash = part == NULL ? NULL : strchr(part, '/');
	uint32_t k = 0, n = 1;

	if (slash != NULL &&
	    (!text_parse_u32((struct span){part, (size_t)(slash - part)}, &k) ||
		!text_parse_u32(span_of(slash + 1), &n) || n == 0))
		fail_msg("DANELAW_CRASH_PART: %s", part);
	return call % n == k;
}

/* For who counts: recoveries, each of them checked twice. */
static unsigned recoveries;

static void
tell(unsigned calls)
{
	print_message("# %u calls, %u recoveries\n", calls, recoveries);
	recoveries = 0;
}

static unsigned
count_acked(const struct world *world)
{
	unsigned n = 0;

	for (size_t i = 0; i < world->n; i++)
		n += world->letters[i].acked;
	return n;
}

/* When no call fails. */
static unsigned usually_acked;

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
	usually_acked = count_acked(&world);
	world_check(&world, "no crash");
	world_end(&world);
	fake_disk_free(&fake);
	return calls;
}

/* The world as it was, on a disk of its own with what is left. */
static void
inherit(struct world *world, const struct world *before,
    const struct fake_disk *left)
{
	*world = *before;
	world->fake = fake_disk_copy(left);
	world->kit.spool.disk = fake_disk_of(world->fake);
	world->kit.setup.spool = &world->kit.spool;
	recoveries++;
}

static void
start_well(struct world *world, const char *where, const char *how)
{
	if (!world_start(world))
		fail_msg("%s: does not start%s", where, how);
	world_check(world, where);
}

/* The power goes, again; then nothing more happens. */
static void
start_well_again(struct world *world, const char *where)
{
	queue_close(&world->queue);
	fake_disk_crash(world->fake, FAKE_DROP, 0);
	start_well(world, where, " again");
	world_finish(world, where);
	world_end(world);
	fake_disk_free(&world->fake);
}

/* Start again on what a crash has left; all must be well, twice. */
static void
recover(const struct world *before, const struct fake_disk *left,
    enum fake_tear tear, uint64_t seed, const char *when)
{
	static struct world world;
	char where[160];

	(void)snprintf(where, sizeof(where), "%s, tear %d, seed %u", when,
	    (int)tear, (unsigned)seed);
	inherit(&world, before, left);
	fake_disk_crash(world.fake, tear, seed);
	start_well(&world, where, "");
	/* And the power goes again, before anything was written or after. */
	if (seed % 2 == 0)
		(void)kit_journal(world.queue);
	start_well_again(&world, where);
}

/*
 * The processes die and start again; what they do about what they read is
 * durable, and then the power goes.
 */
static void
recover_from_memory(
    const struct world *before, const struct fake_disk *left, const char *when)
{
	static struct world world;
	char where[160];

	(void)snprintf(where, sizeof(where), "%s, killed", when);
	inherit(&world, before, left);
	fake_disk_kill(world.fake);
	start_well(&world, where, "");
	(void)kit_journal(world.queue);
	kit_chores(world.queue);
	(void)kit_moves(world.queue, world.now);
	(void)kit_journal(world.queue);
	kit_chores(world.queue);
	start_well_again(&world, where);
}

/* `fresh`: the disk is not as it was when the world stopped a call before. */
static void
recover_all_ways(const struct world *world, const struct fake_disk *left,
    bool fresh, const char *when)
{
	unsigned unsynced = fake_disk_unsynced(left);
	unsigned step = is_full() ? 1 : unsynced / 4 + 1;

	recover(world, left, FAKE_DROP, 0, when);
	recover(world, left, FAKE_KEEP, 1, when);
	recover_from_memory(world, left, when);
	if (!fresh)
		return;
	for (unsigned seed = 0; seed < (is_full() ? 8u : 2u); seed++)
		recover(world, left, FAKE_MIX, seed, when);
	for (unsigned cut = 1; cut < unsynced; cut += step)
		recover(world, left, FAKE_CUT, cut, when);
}

/* How many calls had changed something by then. */
static unsigned
stop_at(unsigned call, bool after, unsigned changes_before)
{
	struct fake_disk *fake = fake_disk_new();
	struct fake_disk *left;
	static struct world world;
	unsigned changes;
	char when[64];

	world_init(&world, fake);
	fake_disk_stop_at(fake, call, after);
	world_run(&world);
	(void)snprintf(when, sizeof(when), "stopped %s %s, call %u",
	    after ? "after" : "before", fake_disk_last(fake), call);
	if (!fake_disk_stopped(fake))
		fail_msg("%s: never came", when);
	changes = fake_disk_changes(fake);
	left = fake_disk_copy(fake);
	world_end(&world);
	if (is_ours(call))
		recover_all_ways(&world, left, changes != changes_before, when);
	fake_disk_free(&left);
	fake_disk_free(&fake);
	return changes;
}

static void
nothing_acknowledged_is_lost(void **state)
{
	unsigned first, changes = 0;
	unsigned calls = count_calls(&first);

	(void)state;
	for (unsigned call = first; call <= calls; call++)
		if (is_ours(call) || is_ours(call + 1))
			changes = stop_at(call, false, changes);
	(void)stop_at(calls, true, changes);
	tell(calls - first + 1);
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
	/* Signals and short transfers are no failures. */
	if (fault >= FAKE_EINTR &&
	    strncmp(fake_disk_failed(fake), "p", 1) == 0 &&
	    count_acked(&world) != usually_acked)
		fail_msg("%s: %u letters are acknowledged, not %u", when,
		    count_acked(&world), usually_acked);
	/* The processes die, then the power goes. */
	world_end(&world);
	recoveries++;
	start_well_again(&world, when);
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
			if (is_ours(call))
				fail_at(call, faults[i]);
	tell(calls - first + 1);
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
		for (unsigned later = is_ours(call) ? 1 : UINT_MAX;
		     later <= (is_full() ? 20u : 7u);
		     later += is_full() ? 1 : 2 + call % 5)
			fail_then_stop(call, later);
	tell(calls - first + 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_acknowledged_is_lost),
	    cmocka_unit_test(every_call_fails_once),
	    cmocka_unit_test(a_failure_before_the_crash),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
