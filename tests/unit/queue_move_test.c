/*
 * Space: survivors move, nothing is lost by it, and what is on disk stays
 * within twice of what is queued and a constant.
 *
 * DANELAW_LONG=N makes the long run N times as long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "queue/large.h"
#include "queue/listing.h"
#include "queue/move.h"
#include "queue/reader.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

enum {
	SEGMENT = 64 * 1024
};

struct place {
	struct fake_disk *fake;
	struct kit kit;
	struct queue *queue;
	struct segment *segment;
	int64_t now;
};

static void
open_place(struct place *place)
{
	*place = (struct place){.fake = fake_disk_new(), .now = 1000};
	kit_open_on(&place->kit, fake_disk_of(place->fake));
	place->kit.spool.segment_size = SEGMENT;
	place->kit.spool.body_max = 8 * 1024;
	place->kit.spool.journal_size = 16 * 1024;
	place->kit.setup.patience = -1;
	place->queue = kit_queue(&place->kit, place->now);
	assert_true(kit_journal(place->queue));
}

static void
close_place(struct place *place)
{
	segment_close(&place->segment);
	queue_close(&place->queue);
	fake_disk_free(&place->fake);
}

/* A new segment; the one before is sealed by that. */
static void
next_segment(struct place *place)
{
	struct err err;

	segment_close(&place->segment);
	assert_int_equal(queue_scan_all(place->queue, &err), 0);
	if (segment_create(&place->kit.spool, &place->segment, &err) < 0)
		fail_msg("%s", err.text);
}

static void
take_in(struct place *place)
{
	uint64_t end = kit_sync(place->segment);
	struct err err;

	assert_true(end > 0);
	assert_int_equal(
	    queue_scan(place->queue, segment_number(place->segment), end, &err),
	    0);
}

/* The body says which it is. */
static uint64_t
accept(struct place *place, const char *rcpts, size_t size)
{
	static unsigned count;
	struct kit_envelope made;
	char body[8192];
	struct segment_message message = {
	    .envelope = kit_envelope(&made, rcpts, place->now),
	    .body = {body, size},
	};
	struct err err;

	if (place->segment == NULL ||
	    segment_room(place->segment, message.envelope, size) != ROOM_NOW)
		next_segment(place);
	message.id = segment_new_id(place->segment);
	memset(body, 'a' + (int)(count++ % 26), sizeof(body));
	if (segment_append(place->segment, &message, &err) < 0)
		fail_msg("%s", err.text);
	take_in(place);
	return message.id;
}

static void
on_entry(void *arg, const struct queue_entry *entry)
{
	*(struct queue_job *)arg = entry->job;
}

static struct queue_job
job_of(struct place *place, uint64_t id)
{
	struct queue_job job = {0};

	assert_true(queue_show(place->queue, id, on_entry, &job));
	return job;
}

/* It can be read where the index says, and is what it was. */
static void
check_readable(struct place *place, uint64_t id, const char *rcpt, size_t size)
{
	struct reader *reader = reader_new(&place->kit.spool);
	struct arena *arena = arena_new(1 << 20);
	struct queue_job job = job_of(place, id);
	struct message_in *in;
	struct err err;
	char bytes[8192];
	size_t n;

	if (message_open(reader, id, job.at, arena, &in, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(message_envelope(in)->sender, "a@client.example");
	assert_string_equal(message_envelope(in)->rcpts[0].address, rcpt);
	assert_int_equal(message_size(in), size);
	do {
		if (message_read(in, bytes, sizeof(bytes), &n, &err) < 0)
			fail_msg("%s", err.text);
	} while (n > 0);
	message_close(&in);
	reader_free(&reader);
	arena_free(&arena);
}

/* What goes to `to` is delivered, everything else put off. */
static void
deliver(struct place *place, const char *to)
{
	struct queue_job job;

	while (kit_next(place->queue, place->now, &job) != 0)
		(void)kit_settle(place->queue, &job,
		    strcmp(job.destination, to) == 0 ? SETTLE_DELIVERED
						     : SETTLE_RETRY,
		    place->now);
	assert_true(kit_journal(place->queue));
}

/* One that waits in a segment of others that are done; its id. */
static uint64_t
one_survivor(struct place *place)
{
	uint64_t id = accept(place, "late@b.example", 3000);

	for (int i = 0; i < 5; i++)
		(void)accept(place, "ok@a.example", 8000);
	deliver(place, "a.example");
	next_segment(place);
	return id;
}

static void
a_survivor_moves(void **state)
{
	struct place place;
	struct location before;
	uint64_t id;

	(void)state;
	open_place(&place);
	id = one_survivor(&place);
	before = job_of(&place, id).at;
	assert_true(kit_moves(place.queue, place.now));
	assert_true(job_of(&place, id).at.segment > before.segment);
	check_readable(&place, id, "late@b.example", 3000);
	assert_true(kit_journal(place.queue));
	kit_chores(place.queue);
	/* That of the receiver, and ours. */
	assert_int_equal(fake_disk_count(place.fake, "spool/segment"), 2);
	check_readable(&place, id, "late@b.example", 3000);
	segment_close(&place.segment);
	queue_close(&place.queue);
	fake_disk_crash(place.fake, FAKE_DROP, 0);
	place.queue = kit_queue(&place.kit, place.now);
	check_readable(&place, id, "late@b.example", 3000);
	assert_int_equal(job_of(&place, id).attempts, 1);
	close_place(&place);
}

/*
 * As long as the original is there a copy means nothing; `known`: a checkpoint
 * names the original, and it is not read again.
 */
static void
look_at_copy(bool known)
{
	struct place place;
	struct location before;
	struct move *move;
	struct err err;
	uint64_t id;

	open_place(&place);
	id = one_survivor(&place);
	if (known) {
		queue_close(&place.queue);
		place.queue = kit_queue(&place.kit, place.now);
		assert_true(kit_journal(place.queue));
	}
	before = job_of(&place, id).at;
	move = queue_move_take(place.queue, place.now);
	assert_int_equal(move_run(move, &err), 0);
	assert_true(queue_move_done(place.queue, &move, true, place.now));
	move = queue_move_take(place.queue, place.now);
	fake_disk_stop_at(place.fake, fake_disk_calls(place.fake) + 7, false);
	(void)move_run(move, &err);
	assert_string_equal(fake_disk_last(place.fake), "fdatasync");
	assert_true(fake_disk_stopped(place.fake));
	(void)queue_move_done(place.queue, &move, false, place.now);
	segment_close(&place.segment);
	queue_close(&place.queue);
	/* The processes died, and what was written can be read. */
	fake_disk_stop_at(place.fake, 0, false);
	fake_disk_crash(place.fake, FAKE_KEEP, 0);
	place.queue = kit_queue(&place.kit, place.now);
	assert_int_equal(job_of(&place, id).at.segment, before.segment);
	assert_int_equal(job_of(&place, id).at.offset, before.offset);
	close_place(&place);
}

static void
a_copy_nobody_synced_is_not_trusted(void **state)
{
	(void)state;
	look_at_copy(false);
	look_at_copy(true);
}

static void
what_is_under_way_stays(void **state)
{
	struct place place;
	struct location before;
	struct queue_job job;
	struct move *move;
	struct err err;
	uint64_t id;

	(void)state;
	open_place(&place);
	id = one_survivor(&place);
	before = job_of(&place, id).at;
	place.now += 1000;
	assert_true(kit_next(place.queue, place.now, &job) == id);
	assert_true(kit_moves(place.queue, place.now));
	assert_int_equal(job_of(&place, id).at.segment, before.segment);
	(void)kit_settle(place.queue, &job, SETTLE_RETRY, place.now);
	place.now += 10;
	/* It goes out while it is being copied. */
	move = queue_move_take(place.queue, place.now);
	assert_int_equal(move_run(move, &err), 0);
	assert_true(queue_move_done(place.queue, &move, true, place.now));
	move = queue_move_take(place.queue, place.now);
	assert_non_null(move);
	place.now += 2000;
	assert_true(kit_next(place.queue, place.now, &job) == id);
	assert_int_equal(move_run(move, &err), 0);
	assert_true(queue_move_done(place.queue, &move, true, place.now));
	assert_int_equal(job_of(&place, id).at.segment, before.segment);
	check_readable(&place, id, "late@b.example", 3000);
	close_place(&place);
}

/* Finished while its copy was being written, and a new journal soon after. */
static void
what_is_finished_meanwhile_stays_finished(void **state)
{
	struct place place;
	struct queue_counts counts;
	struct move *move;
	struct err err;
	uint64_t id, other;

	(void)state;
	open_place(&place);
	id = one_survivor(&place);
	other = accept(&place, "late@c.example", 8000);
	next_segment(&place);
	move = queue_move_take(place.queue, place.now);
	assert_int_equal(move_run(move, &err), 0);
	assert_true(queue_move_done(place.queue, &move, true, place.now));
	move = queue_move_take(place.queue, place.now);
	assert_non_null(move);
	assert_true(queue_remove(place.queue, id, place.now));
	assert_true(kit_journal(place.queue));
	/* Enough for a new file, which would know nothing of it. */
	for (int i = 0; i < 6000; i++)
		assert_true(queue_hold(place.queue, other, true));
	assert_true(kit_journal(place.queue));
	assert_int_equal(move_run(move, &err), 0);
	assert_true(queue_move_done(place.queue, &move, true, place.now));
	assert_true(kit_journal(place.queue));
	kit_chores(place.queue);
	segment_close(&place.segment);
	queue_close(&place.queue);
	fake_disk_crash(place.fake, FAKE_DROP, 0);
	place.queue = kit_queue(&place.kit, place.now);
	queue_count(place.queue, &counts);
	assert_int_equal(counts.messages, 1);
	close_place(&place);
}

/* Mail of this minute is left alone; the queue says how long. */
static void
patience_comes_first(void **state)
{
	struct place place;
	uint64_t id;
	struct location before;

	(void)state;
	open_place(&place);
	place.kit.setup.patience = 0;
	queue_close(&place.queue);
	place.queue = kit_queue(&place.kit, place.now);
	assert_true(kit_journal(place.queue));
	id = one_survivor(&place);
	before = job_of(&place, id).at;
	assert_true(kit_moves(place.queue, place.now));
	assert_true(kit_moves(place.queue, place.now + MOVE_PATIENCE - 20));
	assert_int_equal(job_of(&place, id).at.segment, before.segment);
	assert_true(kit_moves(place.queue, place.now + MOVE_PATIENCE));
	assert_true(job_of(&place, id).at.segment > before.segment);
	close_place(&place);
}

/* --- The long run ---------------------------------------------------------- */

/* Three segments being written and one half moved; two journal files, of
 * which each may hold the queue four times. */
static uint64_t
most_bytes(struct place *place)
{
	struct queue_counts counts;

	queue_count(place->queue, &counts);
	return 2 * counts.segment_bytes + 4 * SEGMENT +
	       2 * (2 * place->kit.spool.journal_size +
		       4 * 150 * counts.messages);
}

static void
check_space(struct place *place, unsigned round)
{
	uint64_t most = most_bytes(place);
	struct queue_counts counts;
	uint64_t bytes = fake_disk_bytes(place->fake);

	queue_count(place->queue, &counts);
	if (bytes > most)
		fail_msg("round %u: %u bytes on disk, %u of %u messages live, "
			 "at most %u wanted, %u segments",
		    round, (unsigned)bytes, (unsigned)counts.segment_bytes,
		    (unsigned)counts.messages, (unsigned)most,
		    (unsigned)counts.segments);
}

static void
tend(struct place *place)
{
	kit_chores(place->queue);
	assert_true(kit_moves(place->queue, place->now));
	assert_true(kit_journal(place->queue));
	kit_chores(place->queue);
}

static unsigned
rounds(void)
{
	const char *text = getenv("DANELAW_LONG");
	uint32_t times = 1;

	if (text != NULL && !text_parse_u32(span_of(text), &times))
		fail_msg("DANELAW_LONG: %s", text);
	return 400 * times;
}

/*
 * Of ten messages one waits, for some hundred rounds; that one in a hundred is
 * there until the end.  Now and then the queue role starts anew.
 */
static void
disk_use_is_bounded(void **state)
{
	static const char *const ends[] = {"ok@a.example", "late@b.example",
	    "late@c.example", "late@d.example", "late@e.example",
	    "never@z.example"};
	struct place place;
	struct queue_counts counts;
	uint64_t moved = 0;
	uint64_t id = 0;

	(void)state;
	open_place(&place);
	place.kit.setup.schedule.first = 1;
	place.kit.setup.schedule.longest = 2;
	for (unsigned round = 0; round < rounds(); round++) {
		const char *due = ends[1 + round / 20 % 4];

		for (unsigned i = 0; i < 10; i++) {
			uint64_t made = accept(&place,
			    i != round % 10   ? ends[0]
			    : round % 10 == 0 ? ends[5]
					      : ends[1 + round / 7 % 4],
			    (round * 37 + i * 411) % 8000 + 1);

			if (i == 0 && round == 0)
				id = made;
		}
		deliver(&place, "a.example");
		if (round % 20 == 19) {
			place.now += 30;
			deliver(&place, strchr(due, '@') + 1);
		}
		place.now += 1;
		tend(&place);
		check_space(&place, round);
		if (round % 50 == 49) {
			segment_close(&place.segment);
			queue_close(&place.queue);
			place.queue = kit_queue(&place.kit, place.now);
			assert_true(kit_journal(place.queue));
		}
	}
	queue_count(place.queue, &counts);
	moved = job_of(&place, id).at.segment;
	assert_true(counts.messages >= rounds() / 10);
	assert_true(moved > 50);
	check_readable(&place, id, "never@z.example", 1);
	print_message("# %u messages, the first is in segment %u now, %u bytes "
		      "of %u live\n",
	    rounds() * 10, (unsigned)moved,
	    (unsigned)fake_disk_bytes(place.fake),
	    (unsigned)counts.segment_bytes);
	close_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_survivor_moves),
	    cmocka_unit_test(a_copy_nobody_synced_is_not_trusted),
	    cmocka_unit_test(what_is_under_way_stays),
	    cmocka_unit_test(what_is_finished_meanwhile_stays_finished),
	    cmocka_unit_test(patience_comes_first),
	    cmocka_unit_test(disk_use_is_bounded),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
