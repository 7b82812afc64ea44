#include "tests/support/spool_bench.h"

#include "tests/support/test.h"

void
bench_open(struct bench *bench)
{
	struct err err;

	*bench = (struct bench){.fake = fake_disk_new()};
	kit_open_on(&bench->kit, fake_disk_of(bench->fake));
	assert_int_equal(
	    segment_create(&bench->kit.spool, &bench->segment, &err), 0);
}

void
bench_begin(struct bench *bench, uint32_t most, int64_t now)
{
	bench_open(bench);
	bench->kit.setup.destination_max = most;
	bench->queue = kit_queue(&bench->kit, now);
	assert_true(kit_journal(bench->queue));
}

uint64_t
bench_accept(struct bench *bench, const char *rcpts, unsigned n, int64_t now)
{
	uint64_t id = 0;
	struct err err;

	for (unsigned i = 0; i < n; i++)
		id = kit_append(bench->segment, rcpts, "text", now);
	assert_int_equal(
	    queue_scan(bench->queue, segment_number(bench->segment),
		kit_sync(bench->segment), &err),
	    0);
	return id;
}

void
bench_close(struct bench *bench)
{
	queue_close(&bench->queue);
	segment_close(&bench->segment);
	fake_disk_free(&bench->fake);
}
