#include "tests/crash/world.h"

#include <stdio.h>
#include <string.h>

#include "queue/attempt.h"
#include "queue/move.h"

#include "tests/support/test.h"

void
world_init(struct world *world, struct fake_disk *fake)
{
	*world = (struct world){.fake = fake, .now = 1000000};
	kit_open_on(&world->kit, fake_disk_of(fake));
	world->kit.spool.segment_size = 64 * 1024;
	world->kit.spool.body_max = 8 * 1024;
	world->kit.spool.journal_size = 2 * 1024;
	world->kit.setup.patience = -1;
}

void
world_end(struct world *world)
{
	for (size_t i = 0; i < world->nlarges; i++)
		large_close(&world->larges[i]);
	world->nlarges = 0;
	segment_close(&world->receiving);
	segment_close(&world->bouncing);
	queue_close(&world->queue);
	for (size_t i = world->collected; i < world->n; i++)
		world->letters[i].acked = false;
}

bool
world_start(struct world *world)
{
	struct err err;

	world->collected = world->n;
	if (world->queue == NULL &&
	    queue_open(&world->kit.setup, world->now, &world->queue,
		&world->kit.found, &err) < 0)
		return false;
	return true;
}

/* --- receiving ------------------------------------------------------------ */

/* A body that says which letter it is, of any length. */
static void
write_body(char *to, size_t size, size_t number)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (char)('a' + (i + number * 7 + i / 251) % 26);
}

static struct letter *
new_letter(struct world *world, uint64_t id, const char *rcpts, size_t size)
{
	struct letter *letter = &world->letters[world->n];

	assert_true(world->n < LETTERS);
	*letter = (struct letter){.id = id, .size = size};
	letter->kind[letter->nrcpts++] = rcpts[0];
	for (const char *p = rcpts; (p = strchr(p, ' ')) != NULL; p++)
		letter->kind[letter->nrcpts++] = p[1];
	world->n++;
	return letter;
}

static void
let_go_of_larges(struct world *world)
{
	for (size_t i = 0; i < world->nlarges; i++)
		large_close(&world->larges[i]);
	world->nlarges = 0;
}

/* Nothing that collects, nor what was on its way, is acknowledged. */
static void
refuse(struct world *world, struct segment **segment)
{
	struct err err;

	world->collected = world->n;
	let_go_of_larges(world);
	segment_close(segment);
	(void)queue_scan_all(world->queue, &err);
}

/* One batch; what it holds is acknowledged when it is durable. */
static bool
sync_segment(struct world *world, struct segment **segment)
{
	uint64_t number, end;
	struct err err;

	if (*segment == NULL || !segment_collecting(*segment))
		return false;
	number = segment_number(*segment);
	end = kit_sync(*segment);
	if (end == 0) {
		refuse(world, segment);
		return false;
	}
	for (; world->collected < world->n; world->collected++)
		world->letters[world->collected].acked = true;
	let_go_of_larges(world);
	/* A hint that fails is made good by the next scan of all. */
	if (queue_scan(world->queue, number, end, &err) < 0)
		(void)queue_scan(world->queue, number, end, &err);
	return true;
}

/* A segment with room for this message, or NULL. */
static struct segment *
room_for(struct world *world, struct segment **segment,
    const struct envelope *envelope, size_t bytes)
{
	struct err err;

	if (*segment != NULL &&
	    segment_room(*segment, envelope, bytes) == ROOM_NONE) {
		(void)sync_segment(world, segment);
		segment_close(segment);
		(void)queue_scan_all(world->queue, &err);
	}
	if (*segment == NULL &&
	    segment_create(&world->kit.spool, segment, &err) < 0)
		*segment = NULL;
	return *segment;
}

/* Two senders' mail must not share a batch: flush the other's first. */
static void
accept_into(
    struct world *world, struct segment **where, const char *rcpts, size_t size)
{
	struct kit_envelope made;
	static char body[8192];
	struct segment_message message = {
	    .envelope = kit_envelope(&made, rcpts, world->now),
	    .body = {body, size},
	};
	struct segment *segment = room_for(
	    world, where, message.envelope, size);
	struct err err;

	if (segment == NULL)
		return;
	message.id = segment_new_id(segment);
	write_body(body, size, world->n);
	if (segment_append(segment, &message, &err) == 0)
		(void)new_letter(world, message.id, rcpts, size);
}

static void
accept(struct world *world, const char *rcpts, size_t size)
{
	accept_into(world, &world->receiving, rcpts, size);
}

static int
write_large(struct large *large, size_t size, size_t number)
{
	static char body[40000];
	struct err err;

	write_body(body, size, number);
	if (large_write(large, (struct span){body, size / 3}, &err) < 0 ||
	    large_write(large, (struct span){body + size / 3, size - size / 3},
		&err) < 0)
		return -1;
	return large_commit(large, &err);
}

static void
accept_large(struct world *world, const char *rcpts, size_t size)
{
	struct kit_envelope made;
	struct segment_message message = {
	    .envelope = kit_envelope(&made, rcpts, world->now),
	    .large = true,
	    .large_size = size,
	};
	struct segment *segment = room_for(
	    world, &world->receiving, message.envelope, 0);
	struct large *large;
	struct err err;

	if (segment == NULL)
		return;
	message.id = segment_new_id(segment);
	if (large_begin(&world->kit.spool, message.id, &large, &err) < 0)
		return;
	if (write_large(large, size, world->n) < 0) {
		large_abort(&large);
		return;
	}
	message.large_checksum = large_checksum(large);
	if (segment_append(segment, &message, &err) < 0) {
		large_abort(&large);
		return;
	}
	(void)new_letter(world, message.id, rcpts, size);
	world->larges[world->nlarges++] = large;
}

static void
receive(struct world *world)
{
	(void)sync_segment(world, &world->receiving);
}

/* --- delivering ----------------------------------------------------------- */

static struct letter *
letter_of(struct world *world, uint64_t id)
{
	for (size_t i = 0; i < world->n; i++)
		if (world->letters[i].id == id)
			return &world->letters[i];
	return NULL;
}

/* A batch was committed, and with it all that was noted before. */
static void
mark_synced(struct world *world)
{
	for (size_t i = 0; i < world->n; i++)
		for (unsigned r = 0; r < RCPTS; r++)
			world->letters[i].synced[r] |= world->letters[i]
			                                   .noted[r];
}

/* Batch by batch, with chores in between: as bad as it can come. */
static bool
write_journal(struct world *world)
{
	struct batch *batch;
	struct err err;
	bool ok;

	kit_chores(world->queue);
	while ((batch = queue_journal_take(world->queue)) != NULL) {
		ok = batch_commit(batch, &err) == 0;
		queue_journal_committed(world->queue, &batch, ok);
		kit_chores(world->queue);
		if (!ok)
			return false;
		mark_synced(world);
	}
	return true;
}

static void
journal(struct world *world)
{
	/* After a failure once more: into a new file. */
	if (!write_journal(world))
		(void)write_journal(world);
}

static enum settle
answer(const struct world *world, char kind)
{
	if (kind == 'b')
		return SETTLE_FAILED;
	return kind == 'l' && !world->relents ? SETTLE_RETRY : SETTLE_DELIVERED;
}

/* The bounce first, durable; then the word that these have failed. */
static void
bounce(
    struct world *world, struct letter *letter, const uint16_t *rcpts, size_t n)
{
	receive(world);
	accept_into(world, &world->bouncing, "ok@client.example", 300);
	if (!sync_segment(world, &world->bouncing)) {
		(void)queue_release(world->queue, 0);
		return;
	}
	queue_bounced(world->queue, letter->id, rcpts, n, world->now);
	for (size_t i = 0; i < n; i++)
		letter->done[rcpts[i]] = letter->noted[rcpts[i]] = true;
}

static void
deliver(struct world *world, const struct queue_job *job)
{
	struct letter *letter = letter_of(world, job->id);
	struct queue_result results[RCPTS] = {0};
	struct err why = {ERR_TEMP, "4.2.0", "come again later"};
	struct attempt_note note = {world->now, span_of("mx.example"), {0}};
	uint16_t failed[RCPTS];
	uint64_t id = job->id;
	size_t n = job->nrcpts, nfailed = 0;

	assert_non_null(letter);
	for (size_t i = 0; i < n; i++) {
		uint16_t r = job->rcpts[i];

		results[i].rcpt = r;
		results[i].settle = answer(world, letter->kind[r]);
		results[i].why = &why;
		if (results[i].settle == SETTLE_DELIVERED) {
			letter->done[r] = true;
			world->deliveries++;
		}
	}
	queue_settle(world->queue, id, results, n, world->now);
	queue_note(world->queue, id, &note, results, n);
	for (size_t i = 0; i < n; i++) {
		if (results[i].fate == FATE_DELIVERED)
			letter->noted[results[i].rcpt] = true;
		if (results[i].fate == FATE_FAILED ||
		    results[i].fate == FATE_EXPIRED)
			failed[nfailed++] = results[i].rcpt;
	}
	if (nfailed > 0)
		bounce(world, letter, failed, nfailed);
}

static void
work(struct world *world, unsigned jobs)
{
	struct queue_job job;

	while (jobs-- > 0 && kit_next(world->queue, world->now, &job) != 0)
		deliver(world, &job);
}

static void
restart_queue(struct world *world)
{
	queue_close(&world->queue);
	/* As the supervisor does. */
	if (!world_start(world))
		(void)world_start(world);
}

/* --- the story ------------------------------------------------------------ */

static void
remove_one(struct world *world, size_t number)
{
	struct letter *letter = &world->letters[number];

	if (number >= world->n ||
	    !queue_remove(world->queue, letter->id, world->now))
		return;
	for (unsigned r = 0; r < letter->nrcpts; r++)
		letter->done[r] = letter->noted[r] = true;
}

static void
first_day(struct world *world)
{
	accept(world, "ok@a.example", 1000);
	accept(world, "ok@a.example late@b.example bad@b.example", 3000);
	receive(world);
	work(world, 1);
	accept(world, "late@c.example", 700);
	accept_large(world, "ok@a.example late@c.example", 30000);
	receive(world);
	journal(world);
	work(world, 8);
	journal(world);
	accept(world, "ok@d.example", 8000);
	receive(world);
}

static void
second_day(struct world *world)
{
	for (int i = 0; i < 4; i++) {
		accept(world, "ok@a.example late@e.example", 8000);
		accept(world, "ok@e.example", 8000);
		receive(world);
	}
	work(world, 6);
	journal(world);
	(void)queue_hold(world->queue, world->letters[2].id, true);
	remove_one(world, 4);
	journal(world);
	accept_large(world, "bad@f.example", 20000);
	receive(world);
	work(world, 20);
	journal(world);
}

/* Segments fill up, are finished, go. */
static void
busy_day(struct world *world)
{
	for (int i = 0; i < 24; i++) {
		accept(world, "ok@a.example", 8000);
		receive(world);
		work(world, 2);
		if (i % 4 == 3)
			journal(world);
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
	remove_one(world, number);
	journal(world);
	for (int i = 0; i < 600; i++)
		(void)queue_hold(
		    world->queue, world->letters[world->n - 1].id, i % 2 == 0);
	journal(world);
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
	work(world, 1);
	journal(world);
	ok = move_run(move, &err) == 0;
	forget_oldest(world);
	work(world, 2);
	(void)queue_move_done(world->queue, &move, ok, world->now);
	journal(world);
}

/* Segments of which little is left: that goes somewhere else. */
static void
lean_day(struct world *world)
{
	for (int i = 0; i < 16; i++) {
		accept(world,
		    i % 5 == 2 ? "ok@a.example late@g.example" : "ok@a.example",
		    8000);
		if (i % 8 == 7)
			accept_large(world, "late@h.example", 9000);
		receive(world);
		work(world, 3);
	}
	journal(world);
	for (int i = 0; i < 4; i++) {
		accept(world, "late@g.example ok@a.example", 700);
		receive(world);
		work(world, 1);
		move_slowly(world);
	}
	(void)kit_moves(world->queue, world->now);
	journal(world);
}

/* No more room: nothing is taken, nothing is lost. */
static void
full_day(struct world *world)
{
	fake_disk_set_free(world->fake, 5000);
	accept(world, "ok@a.example late@b.example", 8000);
	receive(world);
	accept_large(world, "ok@a.example", 20000);
	receive(world);
	work(world, 2);
	journal(world);
	(void)kit_moves(world->queue, world->now);
	fake_disk_set_free(world->fake, UINT64_MAX / 2);
	journal(world);
	world->now += 61;
	accept(world, "ok@a.example", 2000);
	receive(world);
	work(world, 2);
	journal(world);
}

static void
third_day(struct world *world)
{
	restart_queue(world);
	if (world->queue == NULL)
		return;
	world->relents = true;
	world->now += 86400;
	(void)queue_hold(world->queue, world->letters[2].id, false);
	work(world, 3);
	busy_day(world);
	work(world, 100);
	journal(world);
}

void
world_run(struct world *world)
{
	if (!world_start(world) && !world_start(world))
		return;
	journal(world);
	first_day(world);
	second_day(world);
	lean_day(world);
	full_day(world);
	third_day(world);
}
