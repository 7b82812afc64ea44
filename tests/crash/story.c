/* What happens in the world, day by day. */
#include "queue/move.h"

#include "tests/crash/world.h"

static void
first_day(struct world *world)
{
	world_accept(world, "ok@a.example", 1000);
	world_accept(world, "ok@a.example late@b.example bad@b.example", 3000);
	world_receive(world);
	world_work(world, 1);
	world_accept(world, "late@c.example", 700);
	world_accept_large(world, "ok@a.example late@c.example", 30000);
	world_receive(world);
	world_journal(world);
	world_work(world, 8);
	world_journal(world);
	world_accept(world, "ok@d.example", 8000);
	world_receive(world);
}

static void
second_day(struct world *world)
{
	for (int i = 0; i < 4; i++) {
		world_accept(world, "ok@a.example late@e.example", 8000);
		world_accept(world, "ok@e.example", 8000);
		world_receive(world);
	}
	world_work(world, 6);
	world_journal(world);
	(void)queue_hold(world->queue, world->letters[2].id, true);
	world_remove(world, 4);
	world_journal(world);
	world_accept_large(world, "bad@f.example", 20000);
	world_receive(world);
	world_work(world, 20);
	world_journal(world);
}

/* Segments fill up, are finished, go. */
static void
busy_day(struct world *world)
{
	for (int i = 0; i < 24; i++) {
		world_accept(world, "ok@a.example", 8000);
		world_receive(world);
		world_work(world, 2);
		if (i % 4 == 3)
			world_journal(world);
	}
}

/* One that waits, the oldest, is forgotten; then a new journal file begins,
 * which says nothing of it. */
static void
forget_oldest(struct world *world)
{
	size_t number = 0;

	while (number < world->n && (world->letters[number].kind[0] != 'l' ||
					world->letters[number].done[0]))
		number++;
	world_remove(world, number);
	world_journal(world);
	for (int i = 0; i < 600; i++)
		(void)queue_hold(
		    world->queue, world->letters[world->n - 1].id, i % 2 == 0);
	world_journal(world);
}

/* All of a move, with other work in between. */
static void
move_slowly(struct world *world)
{
	struct move *move = queue_move_take(world->queue, world->now);
	struct err err;
	bool ok;

	if (move == NULL)
		return;
	world_work(world, 1);
	world_journal(world);
	ok = move_run(move, &err) == 0;
	forget_oldest(world);
	world_work(world, 2);
	(void)queue_move_done(world->queue, &move, ok, world->now);
	world_journal(world);
}

/* Segments of which little is left: that goes somewhere else. */
static void
lean_day(struct world *world)
{
	for (int i = 0; i < 16; i++) {
		world_accept(world,
		    i % 5 == 2 ? "ok@a.example late@g.example" : "ok@a.example",
		    8000);
		if (i % 8 == 7)
			world_accept_large(world, "late@h.example", 9000);
		world_receive(world);
		world_work(world, 3);
	}
	world_journal(world);
	for (int i = 0; i < 4; i++) {
		world_accept(world, "late@g.example ok@a.example", 700);
		world_receive(world);
		world_work(world, 1);
		move_slowly(world);
	}
	(void)kit_moves(world->queue, world->now);
	world_journal(world);
}

/* No more room: nothing is taken, nothing is lost. */
static void
full_day(struct world *world)
{
	fake_disk_set_free(world->fake, 5000);
	world_accept(world, "ok@a.example late@b.example", 8000);
	world_receive(world);
	world_accept_large(world, "ok@a.example", 20000);
	world_receive(world);
	world_work(world, 2);
	world_journal(world);
	(void)kit_moves(world->queue, world->now);
	fake_disk_set_free(world->fake, UINT64_MAX / 2);
	world_journal(world);
	world->now += 61;
	world_accept(world, "ok@a.example", 2000);
	world_receive(world);
	world_work(world, 2);
	world_journal(world);
}

static void
third_day(struct world *world)
{
	world_restart(world);
	if (world->queue == NULL)
		return;
	world->relents = true;
	world->now += 86400;
	(void)queue_hold(world->queue, world->letters[2].id, false);
	world_work(world, 3);
	busy_day(world);
	world_work(world, 100);
	world_journal(world);
}

void
world_run(struct world *world)
{
	if (!world_start(world) && !world_start(world))
		return;
	world_journal(world);
	first_day(world);
	second_day(world);
	lean_day(world);
	full_day(world);
	third_day(world);
}
