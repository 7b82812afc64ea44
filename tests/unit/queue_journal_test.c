/* What the journal remembers, and what happens when it cannot. */
#include <stdio.h>
#include <string.h>

#include "queue/block.h"
#include "queue/chore.h"
#include "queue/listing.h"
#include "queue/record.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	DAY = 86400
};

static void
start(struct bench *bench)
{
	bench->queue = kit_queue(&bench->kit, NOW);
}

static uint64_t
accept(struct bench *bench, const char *rcpts)
{
	uint64_t id = kit_append(bench->segment, rcpts, "text", NOW);
	uint64_t end = kit_sync(bench->segment);
	struct err err;

	if (bench->queue != NULL)
		assert_int_equal(queue_scan(bench->queue,
				     segment_number(bench->segment), end, &err),
		    0);
	return id;
}

static unsigned
messages(const struct bench *bench)
{
	struct queue_counts counts;

	queue_count(bench->queue, &counts);
	return (unsigned)counts.messages;
}

static uint64_t
deliver_one(struct bench *bench, enum settle how)
{
	struct queue_job job;
	uint64_t id = kit_next(bench->queue, NOW, &job);

	if (id != 0)
		(void)kit_settle(bench->queue, &job, how, NOW);
	return id;
}

/* One batch and no more. */
static void
commit_one(struct bench *bench)
{
	struct batch *batch = queue_journal_take(bench->queue);
	struct err err;

	assert_non_null(batch);
	assert_int_equal(batch_commit(batch, &err), 0);
	queue_journal_committed(bench->queue, &batch, true);
}

static void
only_what_was_committed(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench);
	start(&bench);
	(void)accept(&bench, "x@a");
	(void)accept(&bench, "x@b");
	assert_true(kit_journal(bench.queue));
	assert_false(queue_journal_pending(bench.queue));
	assert_int_not_equal(deliver_one(&bench, SETTLE_DELIVERED), 0);
	assert_true(queue_journal_pending(bench.queue));
	assert_true(kit_journal(bench.queue));
	assert_int_not_equal(deliver_one(&bench, SETTLE_DELIVERED), 0);
	assert_int_equal(messages(&bench), 0);
	queue_close(&bench.queue);
	start(&bench);
	assert_int_equal(messages(&bench), 1);
	bench_close(&bench);
}

static const char journal_two[] = "spool/journal/0000000000000002.jnl";

static void
zero_from(struct fake_disk *fake, uint64_t n, uint64_t end)
{
	struct disk disk = fake_disk_of(fake);
	static const char zeros[8192];
	struct err err;
	int fd;

	assert_int_equal(disk_open(&disk, journal_two, 2, &fd, &err), 1);
	assert_int_equal(disk_write(&disk, fd, zeros, end - n, n, &err), 0);
	disk_close(&disk, &fd);
}

/* Two entries in the last block: both or none. */
static void
torn_at_every_byte(void **state)
{
	struct bench bench;
	struct queue_counts counts;
	uint64_t before, end;

	(void)state;
	bench_open(&bench);
	start(&bench);
	(void)accept(&bench, "x@a");
	(void)accept(&bench, "x@b");
	(void)accept(&bench, "x@c");
	assert_true(kit_journal(bench.queue));
	queue_close(&bench.queue);
	start(&bench);
	assert_true(kit_journal(bench.queue));
	(void)deliver_one(&bench, SETTLE_DELIVERED);
	assert_true(kit_journal(bench.queue));
	queue_count(bench.queue, &counts);
	before = counts.journal_bytes + SEGMENT_HEADER;
	(void)deliver_one(&bench, SETTLE_DELIVERED);
	(void)deliver_one(&bench, SETTLE_RETRY);
	assert_true(kit_journal(bench.queue));
	queue_count(bench.queue, &counts);
	end = counts.journal_bytes + SEGMENT_HEADER;
	queue_close(&bench.queue);
	for (uint64_t n = before; n <= end; n++) {
		struct bench cut = {.fake = fake_disk_copy(bench.fake)};

		fake_disk_crash(cut.fake, FAKE_DROP, 0);
		zero_from(cut.fake, n, end);
		kit_open_on(&cut.kit, fake_disk_of(cut.fake));
		start(&cut);
		/* The last bytes of the block are zero anyway. */
		if (n == end || n + 10 <= end)
			assert_int_equal(messages(&cut), n == end ? 1 : 2);
		assert_false(cut.kit.found.journal_damaged);
		queue_close(&cut.queue);
		fake_disk_free(&cut.fake);
	}
	bench_close(&bench);
}

/*
 * A block in the middle of what a checkpoint wrote is lost: the message in
 * it is found in its segment again.
 */
static void
a_damaged_journal_loses_no_mail(void **state)
{
	struct bench bench;
	struct queue_counts counts;

	(void)state;
	bench_open(&bench);
	/* So small that every message has its batch. */
	bench.kit.spool.journal_size = 256;
	start(&bench);
	for (int i = 0; i < 5; i++)
		(void)accept(&bench, "x@a");
	assert_true(kit_journal(bench.queue));
	queue_close(&bench.queue);
	start(&bench);
	commit_one(&bench);
	queue_count(bench.queue, &counts);
	assert_true(kit_journal(bench.queue));
	kit_chores(bench.queue);
	queue_close(&bench.queue);
	assert_int_equal(fake_disk_count(bench.fake, "spool/journal"), 2);
	fake_disk_rot(bench.fake, journal_two,
	    SEGMENT_HEADER + counts.journal_bytes + BLOCK_HEAD + 20);
	start(&bench);
	assert_true(bench.kit.found.journal_damaged);
	assert_int_equal(messages(&bench), 5);
	bench_close(&bench);
}

/* The journal was lost, and its successor is not yet complete. */
static void
an_incomplete_file_is_not_relied_on(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench);
	(void)accept(&bench, "x@a");
	start(&bench);
	assert_int_equal(messages(&bench), 1);
	commit_one(&bench);
	queue_close(&bench.queue);
	segment_close(&bench.segment);
	fake_disk_crash(bench.fake, FAKE_DROP, 0);
	start(&bench);
	assert_int_equal(messages(&bench), 1);
	bench_close(&bench);
}

static void
files_are_renewed_and_removed(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t kept;

	(void)state;
	bench_open(&bench);
	bench.kit.spool.journal_size = 2048;
	start(&bench);
	kept = accept(&bench, "kept@a");
	assert_int_equal(deliver_one(&bench, SETTLE_RETRY), kept);
	for (int i = 0; i < 500; i++) {
		(void)accept(&bench, "x@b");
		(void)deliver_one(&bench, SETTLE_DELIVERED);
		assert_true(kit_journal(bench.queue));
		kit_chores(bench.queue);
		/* The lock, the newest, and one before it. */
		assert_true(fake_disk_count(bench.fake, "spool/journal") <= 3);
	}
	queue_close(&bench.queue);
	start(&bench);
	assert_int_equal(messages(&bench), 1);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), kept);
	assert_int_equal(job.attempts, 1);
	bench_close(&bench);
}

/* Everything about a message survives being copied to a new file. */
static void
a_checkpoint_keeps_all(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id;

	(void)state;
	bench_open(&bench);
	start(&bench);
	id = accept(&bench, "x@a y@b z@a");
	assert_int_equal(deliver_one(&bench, SETTLE_RETRY), id);
	assert_int_equal(deliver_one(&bench, SETTLE_DELIVERED), id);
	assert_true(queue_hold(bench.queue, id, true));
	for (int i = 0; i < 3; i++) {
		assert_true(kit_journal(bench.queue));
		kit_chores(bench.queue);
		queue_close(&bench.queue);
		start(&bench);
	}
	assert_int_equal(messages(&bench), 1);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), 0);
	assert_true(queue_hold(bench.queue, id, false));
	assert_int_equal(kit_next(bench.queue, NOW + 299, &job), 0);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), id);
	assert_int_equal(job.attempts, 1);
	assert_int_equal(job.arrived, NOW);
	assert_int_equal(job.size, 4);
	assert_string_equal(job.destination, "a");
	assert_int_equal(job.nrcpts, 2);
	assert_int_equal(job.rcpts[1], 2);
	bench_close(&bench);
}

static void
route_all_to_one(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	(void)arg;
	(void)envelope;
	(void)rcpt;
	(void)snprintf(key, QUEUE_KEY_MAX, "smarthost");
}

static void
new_routes_apply_to_old_mail(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id, other;

	(void)state;
	bench_open(&bench);
	start(&bench);
	id = accept(&bench, "x@a y@b z@c");
	other = accept(&bench, "x@d");
	assert_int_equal(deliver_one(&bench, SETTLE_DELIVERED), id);
	assert_int_equal(deliver_one(&bench, SETTLE_RETRY), id);
	assert_true(kit_journal(bench.queue));
	queue_close(&bench.queue);
	bench.kit.setup.route = route_all_to_one;
	bench.kit.setup.route_version = 2;
	/* Twice: now it stands in the journal under the new names. */
	for (int i = 0; i < 2; i++) {
		start(&bench);
		assert_int_equal(messages(&bench), 2);
		assert_int_equal(kit_next(bench.queue, NOW, &job), other);
		assert_string_equal(job.destination, "smarthost");
		assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), id);
		assert_string_equal(job.destination, "smarthost");
		assert_int_equal(job.nrcpts, 2);
		assert_int_equal(job.rcpts[0], 1);
		assert_int_equal(job.rcpts[1], 2);
		assert_int_equal(job.attempts, 1);
		assert_true(kit_journal(bench.queue));
		kit_chores(bench.queue);
		queue_close(&bench.queue);
	}
	bench_close(&bench);
}

static void
only_one_queue_at_a_time(void **state)
{
	struct bench bench;
	struct queue *second;
	struct queue_found found;
	struct err err;

	(void)state;
	bench_open(&bench);
	start(&bench);
	assert_int_equal(
	    queue_open(&bench.kit.setup, NOW, &second, &found, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	bench_close(&bench);
}

static void
finished_segments_go(void **state)
{
	struct bench bench;
	struct segment *second;
	struct queue_counts counts;
	struct err err;

	(void)state;
	bench_open(&bench);
	start(&bench);
	assert_int_equal(segment_create(&bench.kit.spool, &second, &err), 0);
	(void)accept(&bench, "x@a");
	(void)kit_append(second, "x@b", "text", NOW);
	assert_int_equal(queue_scan(bench.queue, 2, kit_sync(second), &err), 0);
	assert_true(kit_journal(bench.queue));
	assert_int_not_equal(deliver_one(&bench, SETTLE_DELIVERED), 0);
	assert_int_not_equal(deliver_one(&bench, SETTLE_DELIVERED), 0);
	/* The writer of the first ends; that all is done is not yet durable. */
	segment_close(&bench.segment);
	assert_int_equal(queue_scan_all(bench.queue, &err), 0);
	assert_null(queue_chore_take(bench.queue));
	assert_true(kit_journal(bench.queue));
	kit_chores(bench.queue);
	assert_int_equal(fake_disk_count(bench.fake, "spool/segment"), 1);
	segment_close(&second);
	assert_int_equal(queue_scan_all(bench.queue, &err), 0);
	kit_chores(bench.queue);
	/* The highest number stays. */
	queue_count(bench.queue, &counts);
	assert_int_equal(counts.segments, 1);
	assert_int_equal(fake_disk_count(bench.fake, "spool/segment"), 1);
	assert_int_equal(segment_create(&bench.kit.spool, &second, &err), 0);
	assert_int_equal(segment_number(second), 3);
	segment_close(&second);
	bench_close(&bench);
}

static void
count_entry(void *arg, const struct queue_entry *entry)
{
	unsigned *n = arg;

	(void)entry;
	++*n;
}

/* The bound of 250 bytes a message, on a queue of some size. */
static void
memory_is_bounded(void **state)
{
	enum {
		MESSAGES = 20000
	};
	struct bench bench;
	struct queue_counts counts;
	uint64_t position = 0;
	unsigned listed = 0;
	struct err err;

	(void)state;
	bench_open(&bench);
	segment_close(&bench.segment);
	bench.kit.spool.segment_size = 16 << 20;
	assert_int_equal(
	    segment_create(&bench.kit.spool, &bench.segment, &err), 0);
	start(&bench);
	for (int i = 0; i < MESSAGES; i++)
		(void)kit_append(
		    bench.segment, "someone@example.org", "x", NOW);
	assert_int_equal(
	    queue_scan(bench.queue, 2, kit_sync(bench.segment), &err), 0);
	while (deliver_one(&bench, SETTLE_RETRY) != 0)
		continue;
	assert_true(kit_journal(bench.queue));
	queue_count(bench.queue, &counts);
	assert_int_equal(counts.waiting, MESSAGES);
	print_message(
	    "%u bytes a message\n", (unsigned)(counts.memory / MESSAGES));
	assert_true(counts.memory / MESSAGES < 250);
	while (queue_list(bench.queue, &position, count_entry, &listed))
		continue;
	assert_int_equal(listed, MESSAGES);
	bench_close(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_was_committed),
	    cmocka_unit_test(torn_at_every_byte),
	    cmocka_unit_test(a_damaged_journal_loses_no_mail),
	    cmocka_unit_test(an_incomplete_file_is_not_relied_on),
	    cmocka_unit_test(files_are_renewed_and_removed),
	    cmocka_unit_test(a_checkpoint_keeps_all),
	    cmocka_unit_test(new_routes_apply_to_old_mail),
	    cmocka_unit_test(only_one_queue_at_a_time),
	    cmocka_unit_test(finished_segments_go),
	    cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
