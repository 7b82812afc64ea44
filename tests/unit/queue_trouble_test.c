/* What a disk that fails again and again, or has lost something, costs. */
#include <string.h>

#include "queue/large.h"
#include "queue/listing.h"
#include "queue/record.h"
#include "queue/wal.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	TRIES = 20
};

/* One message is queued, and all that is known of it is in one journal file. */
static void
begin(struct bench *bench)
{
	bench_open(bench);
	bench->id = kit_append(bench->segment, "x@a", "text", NOW);
	assert_int_not_equal(kit_sync(bench->segment), 0);
	bench->queue = kit_queue(&bench->kit, NOW);
	assert_true(kit_journal(bench->queue));
	kit_chores(bench->queue);
}

/* Something is written down, or tried to be. */
static bool
commit(struct bench *bench, bool hold)
{
	struct batch *batch;
	struct err err;
	bool ok;

	assert_true(queue_hold(bench->queue, bench->id, hold));
	batch = queue_journal_take(bench->queue);
	/* Not even random numbers. */
	if (batch == NULL)
		return false;
	ok = batch_commit(batch, &err) == 0;
	queue_journal_committed(bench->queue, &batch, ok);
	return ok;
}

static bool
is_held(const struct bench *bench)
{
	struct queue_counts counts;

	queue_count(bench->queue, &counts);
	assert_int_equal(counts.messages, 1);
	return counts.held == 1;
}

/* The disk answers again: what was said last is what is found. */
static void
goes_on(struct bench *bench)
{
	fake_disk_fail_at(bench->fake, 0, FAKE_EIO);
	fake_disk_set_free(bench->fake, UINT64_MAX / 2);
	assert_true(commit(bench, true));
	assert_true(kit_journal(bench->queue));
	kit_chores(bench->queue);
	/* The lock, and the newest. */
	assert_int_equal(fake_disk_count(bench->fake, "spool/journal"), 2);
	queue_close(&bench->queue);
	bench->queue = kit_queue(&bench->kit, NOW);
	assert_true(is_held(bench));
}

static bool
commit_failing(struct bench *bench, unsigned call)
{
	fake_disk_fail_at(
	    bench->fake, fake_disk_calls(bench->fake) + call, FAKE_EIO);
	return commit(bench, false);
}

/* At each of its calls: whatever it is, files do not add up. */
static void
a_journal_that_fails_leaves_one_file(void **state)
{
	enum {
		CALLS = 32 /* to make a file, and more */
	};
	struct bench bench;
	unsigned syncs = 0;

	(void)state;
	for (unsigned call = 1; call < CALLS; call++) {
		begin(&bench);
		/* Behind the pwrite: from now on each try makes a file. */
		assert_false(commit_failing(&bench, 2));
		for (int i = 0; i < TRIES && !commit_failing(&bench, call); i++)
			/* The lock, the one before, and this. */
			assert_in_range(
			    fake_disk_count(bench.fake, "spool/journal"), 2, 3);
		syncs += strcmp(fake_disk_failed(bench.fake), "fdatasync") == 0;
		goes_on(&bench);
		bench_close(&bench);
	}
	assert_true(syncs > 0);
}

/* What was written and not synced is believed by who comes next, and so lasts
 * from then on. */
static void
what_is_believed_outlasts_the_power(void **state)
{
	struct bench bench;
	struct batch *batch;
	struct err err;

	(void)state;
	begin(&bench);
	assert_true(queue_hold(bench.queue, bench.id, true));
	batch = queue_journal_take(bench.queue);
	assert_non_null(batch);
	assert_int_equal(disk_write(batch->disk, batch->fd, batch->bytes.p,
			     batch->bytes.n, batch->offset, &err),
	    0);
	queue_journal_committed(bench.queue, &batch, false);
	queue_close(&bench.queue);
	segment_close(&bench.segment);
	fake_disk_kill(bench.fake);

	bench.queue = kit_queue(&bench.kit, NOW);
	assert_true(is_held(&bench));
	queue_close(&bench.queue);
	fake_disk_crash(bench.fake, FAKE_DROP, 0);
	bench.queue = kit_queue(&bench.kit, NOW);
	assert_true(is_held(&bench));
	bench_close(&bench);
}

/* No segment either, while not even its header has room. */
static void
no_segment_for_want_of_room(struct bench *bench)
{
	struct segment *segment;
	struct err err;

	assert_int_equal(segment_create(&bench->kit.spool, &segment, &err), -1);
	assert_string_equal(err.enhanced, "4.3.1");
	assert_int_equal(fake_disk_count(bench->fake, "spool/segment"), 1);
}

static void
a_full_disk_gets_no_fuller(void **state)
{
	static const uint64_t rooms[] = {0, 4096, SEGMENT_HEADER, 12288};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < ROWS(rooms); i++) {
		begin(&bench);
		/* What was written ahead is used up first. */
		fake_disk_set_free(bench.fake, rooms[i]);
		while (commit(&bench, false))
			continue;
		for (int j = 0; j < TRIES; j++) {
			fake_disk_set_free(bench.fake, rooms[i]);
			(void)commit(&bench, j & 1);
			assert_int_equal(
			    fake_disk_count(bench.fake, "spool/journal"), 3);
			if (rooms[i] < SEGMENT_HEADER)
				no_segment_for_want_of_room(&bench);
		}
		goes_on(&bench);
		bench_close(&bench);
	}
}

/* A sync of the folder that fails, again and again. */
static void
a_segment_that_has_no_name_goes(void **state)
{
	struct bench bench;
	struct segment *segment;
	struct err err;
	unsigned syncs = 0;

	(void)state;
	begin(&bench);
	for (unsigned call = 1; call < 10; call++) {
		unsigned before = fake_disk_count(bench.fake, "spool/segment");

		fake_disk_fail_at(
		    bench.fake, fake_disk_calls(bench.fake) + call, FAKE_EIO);
		if (segment_create(&bench.kit.spool, &segment, &err) == 0)
			segment_close(&segment);
		if (strcmp(fake_disk_failed(bench.fake), "fsync") != 0)
			continue;
		syncs++;
		assert_int_equal(
		    fake_disk_count(bench.fake, "spool/segment"), before);
	}
	assert_int_equal(syncs, 1);
	fake_disk_fail_at(bench.fake, 0, FAKE_EIO);
	goes_on(&bench);
	bench_close(&bench);
}

/* Half of the header: whoever looks knows it by its number, so it stays. */
static void
a_segment_that_was_seen_stays(void **state)
{
	struct bench bench;
	struct segment *segment;
	struct err err;
	unsigned before = 0, call = 0;

	(void)state;
	begin(&bench);
	while (strcmp(fake_disk_failed(bench.fake), "pwrite") != 0) {
		before = fake_disk_count(bench.fake, "spool/segment");
		fake_disk_set_free(bench.fake, SEGMENT_HEADER / 2);
		fake_disk_fail_at(bench.fake,
		    fake_disk_calls(bench.fake) + ++call, FAKE_SHORT);
		assert_int_equal(
		    segment_create(&bench.kit.spool, &segment, &err), -1);
	}
	assert_int_equal(
	    fake_disk_count(bench.fake, "spool/segment"), before + 1);
	bench_close(&bench);
}

/* A body of its own, the record that names it, and a record in front. */
static void
accept_large(struct bench *bench)
{
	struct kit_envelope made;
	struct segment_message message = {
	    .id = segment_new_id(bench->segment),
	    .envelope = kit_envelope(&made, "y@b", NOW),
	    .large = true,
	};
	struct large *large;
	struct err err;

	assert_int_equal(
	    large_begin(&bench->kit.spool, message.id, &large, &err), 0);
	assert_int_equal(large_write(large, SPAN("a long text"), &err), 0);
	assert_int_equal(large_commit(large, &err), 0);
	message.large_size = large_size(large);
	message.large_checksum = large_checksum(large);
	assert_int_equal(segment_append(bench->segment, &message, &err), 0);
	assert_int_not_equal(kit_sync(bench->segment), 0);
	large_close(&large);
}

/*
 * The record is lost, and the body was acknowledged.  With a living writer it
 * is the record in front: nothing behind is looked at before it is announced.
 */
static void
a_body_outlives_the_start_that_lost_its_record(void **state)
{
	static const char path[] = "spool/segment/0000000000000001.seg";
	struct bench bench;

	(void)state;
	for (int alive = 0; alive < 2; alive++) {
		uint64_t at;

		bench = (struct bench){.fake = fake_disk_new()};
		kit_open_on(&bench.kit, fake_disk_of(bench.fake));
		assert_int_equal(segment_create(&bench.kit.spool,
				     &bench.segment, &(struct err){0}),
		    0);
		at = segment_end(bench.segment);
		for (int i = 0; i < 3; i++) {
			if (i == 1 && alive == 0)
				at = segment_end(bench.segment);
			accept_large(&bench);
		}
		if (alive == 0)
			segment_close(&bench.segment);
		fake_disk_rot(bench.fake, path, at + RECORD_HEAD + 10);
		bench.queue = kit_queue(&bench.kit, NOW);
		assert_int_equal(bench.kit.found.orphans, 0);
		assert_int_equal(bench.kit.found.damaged, alive == 0);
		assert_int_equal(fake_disk_count(bench.fake, "spool/large"), 3);
		bench_close(&bench);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_journal_that_fails_leaves_one_file),
	    cmocka_unit_test(what_is_believed_outlasts_the_power),
	    cmocka_unit_test(a_full_disk_gets_no_fuller),
	    cmocka_unit_test(a_segment_that_has_no_name_goes),
	    cmocka_unit_test(a_segment_that_was_seen_stays),
	    cmocka_unit_test(a_body_outlives_the_start_that_lost_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
