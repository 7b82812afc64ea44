/* What a writer that died has left: taken in when it is on the disk. */
#include <string.h>

#include "queue/listing.h"
#include "queue/wal.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000
};

struct bench {
	struct fake_disk *fake;
	struct kit kit;
	struct queue *queue;
};

/* What a writer holds that has written and not synced. */
struct unsynced {
	struct segment *segment;
	struct batch *batch;
};

static struct unsynced
write_unsynced(struct bench *bench)
{
	struct unsynced made;
	struct err err;

	assert_int_equal(
	    segment_create(&bench->kit.spool, &made.segment, &err), 0);
	(void)kit_append(made.segment, "a@b.example", "text", NOW);
	made.batch = segment_take(made.segment);
	assert_non_null(made.batch);
	assert_int_equal(
	    disk_write(made.batch->disk, made.batch->fd, made.batch->bytes.p,
		made.batch->bytes.n, made.batch->offset, &err),
	    0);
	return made;
}

/* Who is killed does not cut off what was never synced. */
static void
kill_writer(struct bench *bench, struct unsynced *made)
{
	fake_disk_fail_at(
	    bench->fake, fake_disk_calls(bench->fake) + 1, FAKE_EIO);
	(void)segment_committed(made->segment, &made->batch, false);
	segment_close(&made->segment);
	assert_string_equal(fake_disk_failed(bench->fake), "ftruncate");
	fake_disk_fail_at(bench->fake, 0, FAKE_EIO);
}

static uint64_t
messages(const struct bench *bench)
{
	struct queue_counts counts;

	queue_count(bench->queue, &counts);
	return counts.messages;
}

/* Whichever call fails, and above all the sync: the next scan begins anew. */
static void
a_dead_writer_is_synced_first(void **state)
{
	struct bench bench = {.fake = fake_disk_new()};
	struct unsynced made;
	struct err err;
	bool synced = false;

	(void)state;
	kit_open_on(&bench.kit, fake_disk_of(bench.fake));
	bench.queue = kit_queue(&bench.kit, NOW);
	made = write_unsynced(&bench);
	kill_writer(&bench, &made);
	for (unsigned n = 1; n < 20 && !synced; n++) {
		fake_disk_fail_at(
		    bench.fake, fake_disk_calls(bench.fake) + n, FAKE_EIO);
		assert_int_equal(queue_scan_all(bench.queue, &err), -1);
		assert_int_equal(messages(&bench), 0);
		synced = strcmp(fake_disk_failed(bench.fake), "fdatasync") == 0;
	}
	assert_true(synced);
	fake_disk_fail_at(bench.fake, 0, FAKE_EIO);
	assert_int_equal(queue_scan_all(bench.queue, &err), 0);
	assert_int_equal(messages(&bench), 1);
	queue_close(&bench.queue);
	fake_disk_free(&bench.fake);
}

/* A start reads what a living writer has written and not yet synced. */
static void
a_living_writer_is_synced_at_the_start(void **state)
{
	struct bench bench = {.fake = fake_disk_new()};
	struct unsynced made;
	struct queue_job job;
	struct err err;

	(void)state;
	kit_open_on(&bench.kit, fake_disk_of(bench.fake));
	made = write_unsynced(&bench);
	bench.queue = kit_queue(&bench.kit, NOW);
	assert_true(kit_next(bench.queue, NOW, &job) != 0);
	(void)kit_settle(bench.queue, &job, SETTLE_RETRY, NOW);
	assert_true(kit_journal(bench.queue));
	kill_writer(&bench, &made);
	assert_int_equal(queue_scan_all(bench.queue, &err), 0);
	assert_true(kit_journal(bench.queue));
	queue_close(&bench.queue);
	fake_disk_crash(bench.fake, FAKE_DROP, 0);
	bench.queue = kit_queue(&bench.kit, NOW);
	assert_int_equal(messages(&bench), 1);
	assert_int_equal(bench.kit.found.damaged, 0);
	queue_close(&bench.queue);
	fake_disk_free(&bench.fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dead_writer_is_synced_first),
	    cmocka_unit_test(a_living_writer_is_synced_at_the_start),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
