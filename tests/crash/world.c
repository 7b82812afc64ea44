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

void
world_accept(struct world *world, const char *rcpts, size_t size)
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

void
world_accept_large(struct world *world, const char *rcpts, size_t size)
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

void
world_receive(struct world *world)
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

void
world_journal(struct world *world)
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
	world_receive(world);
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

void
world_work(struct world *world, unsigned jobs)
{
	struct queue_job job;

	while (jobs-- > 0 && kit_next(world->queue, world->now, &job) != 0)
		deliver(world, &job);
}

void
world_restart(struct world *world)
{
	queue_close(&world->queue);
	/* As the supervisor does. */
	if (!world_start(world))
		(void)world_start(world);
}

void
world_remove(struct world *world, size_t number)
{
	struct letter *letter = &world->letters[number];

	if (number >= world->n ||
	    !queue_remove(world->queue, letter->id, world->now))
		return;
	for (unsigned r = 0; r < letter->nrcpts; r++)
		letter->done[r] = letter->noted[r] = true;
}
