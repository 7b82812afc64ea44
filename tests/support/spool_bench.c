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
bench_close(struct bench *bench)
{
	queue_close(&bench->queue);
	segment_close(&bench->segment);
	fake_disk_free(&bench->fake);
}
