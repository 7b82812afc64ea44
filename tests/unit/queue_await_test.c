/* Jobs that are over but for a word to their sender, who cannot be told yet. */
#include "queue/listing.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	MOST = 2, /* at once to a destination */
};

static unsigned
hand_out(struct bench *b, struct queue_job *last)
{
	struct queue_job job;
	unsigned n = 0;

	while (kit_next(b->queue, NOW, &job) != 0) {
		*last = job;
		n++;
	}
	return n;
}

static uint64_t
leased(const struct bench *b)
{
	struct queue_counts counts;

	queue_count(b->queue, &counts);
	return counts.leased;
}

/* As many at once as before, and no more, whatever waits and how that ends. */
static void
others_go_to_the_same_destination(void **state)
{
	const uint16_t first = 0;
	struct queue_job jobs[3], job;
	struct bench b;

	(void)state;
	bench_begin(&b, MOST, NOW);
	(void)bench_accept(&b, "x@a", 9, NOW);
	for (int round = 0; round < 3; round++) {
		assert_int_not_equal(kit_next(b.queue, NOW, &jobs[round]), 0);
		/* Failed and not bounced; delivered and not told of. */
		if (round == 1)
			assert_true(
			    queue_lease(b.queue, jobs[round].id, &first, 1, 0));
		else
			assert_int_equal(kit_settle(b.queue, &jobs[round],
					     SETTLE_FAILED, NOW),
			    FATE_FAILED);
	}
	assert_int_equal(hand_out(&b, &job), MOST);
	assert_int_equal(leased(&b), 3 + MOST);
	/* One is bounced, one told of, one must be tried again after all. */
	queue_bounced(b.queue, jobs[0].id, &first, 1, NOW);
	assert_int_equal(kit_settle(b.queue, &jobs[1], SETTLE_DELIVERED, NOW),
	    FATE_DELIVERED);
	queue_return(b.queue, jobs[2].id, &first, 1, 0);
	assert_int_equal(leased(&b), MOST);
	assert_int_equal(hand_out(&b, &job), 0);
	assert_int_equal(
	    kit_settle(b.queue, &job, SETTLE_DELIVERED, NOW), FATE_DELIVERED);
	assert_int_equal(hand_out(&b, &job), 1);
	bench_close(&b);
}

static void
they_may_be_removed(void **state)
{
	struct queue_job job;
	struct bench b;
	uint64_t id;

	(void)state;
	bench_begin(&b, MOST, NOW);
	id = bench_accept(&b, "x@a y@b", 1, NOW);
	assert_int_equal(hand_out(&b, &job), 2);
	assert_int_equal(
	    kit_settle(b.queue, &job, SETTLE_FAILED, NOW), FATE_FAILED);
	/* The other is under way, and may have arrived. */
	assert_true(queue_remove(b.queue, id, NOW));
	assert_int_equal(leased(&b), 1);
	assert_int_equal(queue_release(b.queue, 0), 1);
	assert_int_equal(kit_next(b.queue, NOW, &job), id);
	assert_string_equal(job.destination, "a");
	/* Its bounce comes all the same: it had been on its way. */
	queue_bounced(b.queue, id, (const uint16_t[]){1}, 1, NOW);
	assert_int_equal(leased(&b), 1);
	bench_close(&b);
}

/* x has failed, y is to be tried again: that is for the bounce to sort out. */
static void
some_of_a_job_may_not(void **state)
{
	static const uint16_t both[] = {0, 1}, more[] = {0, 1, 2};
	const struct err busy = {ERR_TEMP, "4.2.1", "busy"};
	struct queue_result results[] = {
	    {.rcpt = 0, .settle = SETTLE_FAILED, .why = &busy},
	    {.rcpt = 1, .settle = SETTLE_RETRY, .why = &busy}};
	struct queue_job job;
	struct bench b;
	uint64_t id;

	(void)state;
	bench_begin(&b, MOST, NOW);
	id = bench_accept(&b, "x@a y@a z@b", 1, NOW);
	assert_int_equal(hand_out(&b, &job), 2);
	queue_settle(b.queue, id, results, ROWS(results), NOW);
	queue_return(b.queue, id, &more[2], 1, 0);
	assert_int_equal(queue_remove_rcpts(b.queue, id, both, 1), 0);
	assert_int_equal(queue_remove_rcpts(b.queue, id, both + 1, 1), 0);
	assert_int_equal(leased(&b), 1);
	assert_int_equal(queue_remove_rcpts(b.queue, id, more, 3), 3);
	assert_int_equal(leased(&b), 0);
	assert_false(queue_remove(b.queue, id, NOW));
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(others_go_to_the_same_destination),
	    cmocka_unit_test(they_may_be_removed),
	    cmocka_unit_test(some_of_a_job_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
