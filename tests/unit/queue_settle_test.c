/* Jobs out, results in: what becomes of each recipient. */
#include <stdio.h>
#include <string.h>

#include "queue/listing.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	DAY = 86400
};

static void
begin(struct bench *bench)
{
	bench_open(bench);
	bench->kit.setup.destination_max = 2;
	bench->queue = kit_queue(&bench->kit, NOW);
	assert_true(kit_journal(bench->queue));
}

/* The queue role dies and comes back; what was not committed is gone. */
static void
restart(struct bench *bench, int64_t now)
{
	queue_close(&bench->queue);
	bench->queue = kit_queue(&bench->kit, now);
}

static uint64_t
accept(struct bench *bench, const char *rcpts)
{
	uint64_t id = kit_append(bench->segment, rcpts, "text", NOW);
	uint64_t end = kit_sync(bench->segment);
	struct err err;

	assert_int_equal(
	    queue_scan(bench->queue, segment_number(bench->segment), end, &err),
	    0);
	return id;
}

static struct queue_counts
counts(const struct bench *bench)
{
	struct queue_counts counts;

	queue_count(bench->queue, &counts);
	return counts;
}

/* Each recipient's answer as a letter; the fates as letters. */
static const struct err refused = {ERR_PERM, "5.1.1", "no such user"};
static const struct err busy = {ERR_TEMP, "4.2.1", "busy"};

static void
settle(struct bench *bench, uint64_t id, const char *answers, int64_t now,
    char *fates)
{
	struct queue_result results[8] = {0};
	size_t n = strlen(answers);

	for (size_t i = 0; i < n; i++) {
		results[i].rcpt = (uint16_t)i;
		results[i].settle = answers[i] == 'd'   ? SETTLE_DELIVERED
		                    : answers[i] == 'f' ? SETTLE_FAILED
		                                        : SETTLE_RETRY;
		results[i].why = answers[i] == 'f' ? &refused : &busy;
	}
	queue_settle(bench->queue, id, results, n, now);
	for (size_t i = 0; i < n; i++)
		fates[i] = "?dwlfx"[results[i].fate];
	fates[n] = '\0';
}

static void
fates(void **state)
{
	static const struct {
		const char *what;
		const char *answers;
		int64_t later; /* seconds after it arrived */
		const char *fates;
	} rows[] = {
	    {"all delivered", "ddd", 0, "ddd"},
	    {"zero is to try again", "rrr", 0, "www"},
	    {"each by itself", "dfr", 0, "dfw"},
	    {"the sender is told after four hours", "drr", 4 * 3600, "dll"},
	    {"and gets it back after five days", "rdf", 5 * DAY, "xdf"},
	    {"delivered is delivered, however late", "ddd", 9 * DAY, "ddd"},
	    {"who was never a recipient", "dddd", 0, "ddd?"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bench bench;
		struct queue_job job;
		char got[9];

		begin(&bench);
		(void)accept(&bench, "x@a y@a z@a");
		(void)kit_next(bench.queue, NOW, &job);
		settle(
		    &bench, job.id, rows[i].answers, NOW + rows[i].later, got);
		if (strcmp(got, rows[i].fates) != 0)
			fail_msg("%s: %s", rows[i].what, got);
		bench_close(&bench);
	}
}

static void
unknown_results_are_ignored(void **state)
{
	struct bench bench;
	char got[9];

	(void)state;
	begin(&bench);
	settle(&bench, 4711, "df", NOW, got);
	assert_string_equal(got, "??");
	queue_bounced(bench.queue, 4711, (const uint16_t[]){0}, 1, NOW);
	queue_warned(bench.queue, 4711, (const uint16_t[]){0}, 1);
	assert_false(
	    queue_lease(bench.queue, 4711, (const uint16_t[]){0}, 1, 3));
	assert_false(queue_hold(bench.queue, 4711, true));
	assert_false(queue_remove(bench.queue, 4711, NOW));
	assert_false(queue_journal_pending(bench.queue));
	bench_close(&bench);
}

static void
silence_is_another_try(void **state)
{
	struct bench bench;
	struct queue_job job;
	char got[9];

	(void)state;
	begin(&bench);
	(void)accept(&bench, "x@a y@a z@a");
	(void)kit_next(bench.queue, NOW, &job);
	settle(&bench, job.id, "d", NOW, got);
	assert_int_equal(kit_next(bench.queue, NOW + 299, &job), 0);
	assert_int_not_equal(kit_next(bench.queue, NOW + 400, &job), 0);
	assert_int_equal(job.nrcpts, 2);
	assert_int_equal(job.rcpts[0], 1);
	assert_int_equal(job.rcpts[1], 2);
	assert_int_equal(job.attempts, 1);
	bench_close(&bench);
}

static void
the_bounce_comes_first(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id;
	char got[9];

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a y@a");
	(void)kit_next(bench.queue, NOW, &job);
	settle(&bench, id, "fr", NOW, got);
	assert_true(kit_journal(bench.queue));
	/* Not handed out while its bounce is being written. */
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), 0);
	assert_int_equal(counts(&bench).leased, 1);
	/* A crash now: it will fail, and bounce, again. */
	restart(&bench, NOW);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), id);
	assert_int_equal(job.nrcpts, 2);
	settle(&bench, id, "fr", NOW + 100, got);
	queue_bounced(bench.queue, id, (const uint16_t[]){0}, 1, NOW + 100);
	assert_int_equal(counts(&bench).leased, 0);
	assert_true(kit_journal(bench.queue));
	restart(&bench, NOW);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), id);
	assert_int_equal(job.nrcpts, 1);
	assert_int_equal(job.rcpts[0], 1);
	assert_int_equal(job.attempts, 2);
	bench_close(&bench);
}

static void
the_delay_is_told_once(void **state)
{
	struct bench bench;
	struct queue_job job;
	const uint16_t first = 0;
	uint64_t id;
	char got[9];

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a");
	(void)kit_next(bench.queue, NOW, &job);
	/* Its notification is on its way, and comes to nothing with us. */
	for (int life = 0; life < 2; life++) {
		settle(&bench, id, "r", NOW + 20000, got);
		assert_string_equal(got, "l");
		settle(&bench, id, "r", NOW + 20001, got);
		assert_string_equal(got, "w");
		assert_true(kit_journal(bench.queue));
		if (life == 1)
			queue_warned(bench.queue, id, &first, 1);
		assert_true(kit_journal(bench.queue));
		restart(&bench, NOW);
	}
	(void)kit_next(bench.queue, NOW + DAY, &job);
	settle(&bench, id, "r", NOW + DAY, got);
	assert_string_equal(got, "w");
	bench_close(&bench);
}

static void
destinations_take_turns(void **state)
{
	static const char *const expected[] = {"a", "b", "c", "a", "c"};
	struct bench bench;
	struct queue_job job;
	uint64_t last = 0;

	(void)state;
	begin(&bench);
	for (int i = 0; i < 5; i++)
		last = accept(&bench, "x@a");
	(void)accept(&bench, "x@b");
	(void)accept(&bench, "x@c");
	(void)accept(&bench, "x@c");
	for (size_t i = 0; i < ROWS(expected); i++) {
		assert_int_not_equal(kit_next(bench.queue, NOW, &job), 0);
		assert_string_equal(job.destination, expected[i]);
	}
	/* Two at a time to each: three wait for their turn at a. */
	assert_int_equal(kit_next(bench.queue, NOW, &job), 0);
	assert_int_equal(counts(&bench).ready, 3);
	assert_int_equal(queue_release(bench.queue, 0), 5);
	assert_int_equal(counts(&bench).leased, 0);
	assert_int_not_equal(kit_next(bench.queue, NOW, &job), last);
	bench_close(&bench);
}

static void
leases_are_taken_over(void **state)
{
	struct bench bench;
	struct queue_job job;
	const uint16_t first = 0;
	uint64_t id;

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a y@b");
	(void)kit_next(bench.queue, NOW, &job);
	assert_true(queue_lease(bench.queue, id, job.rcpts, 1, 7));
	restart(&bench, NOW);
	/* The deliver process tells what it holds. */
	assert_true(queue_lease(bench.queue, id, &first, 1, 7));
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	assert_string_equal(job.destination, "b");
	assert_int_equal(kit_next(bench.queue, NOW, &job), 0);
	assert_int_equal(queue_release(bench.queue, 8), 0);
	assert_int_equal(queue_release(bench.queue, 7), 1);
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	assert_string_equal(job.destination, "a");
	bench_close(&bench);
}

static void
held_until_released(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id, other;
	char got[9];

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a");
	assert_true(queue_hold(bench.queue, id, true));
	assert_int_equal(kit_next(bench.queue, NOW, &job), 0);
	assert_true(kit_journal(bench.queue));
	restart(&bench, NOW);
	assert_int_equal(counts(&bench).held, 1);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), 0);
	assert_true(queue_hold(bench.queue, id, false));
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	/* Held while it is under way: it rests when it comes back. */
	assert_true(queue_hold(bench.queue, id, true));
	assert_int_equal(counts(&bench).leased, 1);
	settle(&bench, id, "r", NOW, got);
	assert_int_equal(counts(&bench).held, 1);
	other = accept(&bench, "x@a");
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), other);
	assert_int_equal(kit_next(bench.queue, NOW + DAY, &job), 0);
	bench_close(&bench);
}

static void
removed_without_a_bounce(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id;
	char got[9];

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a y@b");
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	assert_true(queue_remove(bench.queue, id, NOW));
	/* What is under way will come back and say how it went. */
	assert_int_equal(counts(&bench).messages, 1);
	settle(&bench, id, "dd", NOW, got);
	assert_string_equal(got, "d?");
	assert_int_equal(counts(&bench).messages, 0);
	id = accept(&bench, "x@a");
	assert_true(queue_remove(bench.queue, id, NOW));
	assert_true(kit_journal(bench.queue));
	restart(&bench, NOW);
	assert_int_equal(counts(&bench).messages, 0);
	bench_close(&bench);
}

static void
flushed(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t a;
	char got[9];

	(void)state;
	begin(&bench);
	a = accept(&bench, "x@a");
	(void)accept(&bench, "x@b");
	while (kit_next(bench.queue, NOW, &job) != 0)
		settle(&bench, job.id, "r", NOW, got);
	assert_int_equal(counts(&bench).waiting, 2);
	assert_int_equal(queue_flush(bench.queue, "c", NOW), 0);
	assert_int_equal(queue_flush(bench.queue, "a", NOW), 1);
	assert_int_equal(kit_next(bench.queue, NOW, &job), a);
	assert_int_equal(queue_flush(bench.queue, NULL, NOW), 1);
	assert_int_not_equal(kit_next(bench.queue, NOW, &job), 0);
	bench_close(&bench);
}

static void
nothing_goes_out_that_cannot_be_noted(void **state)
{
	struct bench bench;
	struct queue_job job;
	uint64_t id, other;
	char got[9];

	(void)state;
	begin(&bench);
	id = accept(&bench, "x@a");
	other = accept(&bench, "x@b");
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	settle(&bench, id, "d", NOW, got);
	fake_disk_fail_at(
	    bench.fake, fake_disk_calls(bench.fake) + 1, FAKE_ENOSPC);
	assert_false(kit_journal(bench.queue));
	assert_int_equal(kit_next(bench.queue, NOW, &job), 0);
	assert_true(queue_journal_pending(bench.queue));
	assert_true(kit_journal(bench.queue));
	assert_int_equal(kit_next(bench.queue, NOW, &job), other);
	restart(&bench, NOW);
	assert_int_equal(counts(&bench).messages, 1);
	bench_close(&bench);
}

static void
many_recipients(void **state)
{
	struct bench bench;
	struct queue_job job;
	char rcpts[64 * 8] = "";
	char got[9];
	size_t n = 0;
	uint64_t id;

	(void)state;
	begin(&bench);
	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(rcpts + n, sizeof(rcpts) - n, "%sr%d@%c",
		    i == 0 ? "" : " ", i, "abc"[i % 3]);
	id = accept(&bench, rcpts);
	assert_int_equal(kit_next(bench.queue, NOW, &job), id);
	assert_int_equal(job.nrcpts, 20);
	for (size_t i = 0; i < job.nrcpts; i++)
		assert_int_equal(job.rcpts[i], 3 * i);
	assert_int_equal(kit_settle(bench.queue, &job, SETTLE_DELIVERED, NOW),
	    FATE_DELIVERED);
	/* Recipient 0 is done; 1 was not even handed out, but says so. */
	settle(&bench, id, "dr", NOW, got);
	assert_string_equal(got, "?w");
	assert_int_equal(counts(&bench).messages, 1);
	assert_true(kit_journal(bench.queue));
	restart(&bench, NOW);
	assert_int_equal(counts(&bench).messages, 1);
	while (kit_next(bench.queue, NOW + DAY, &job) != 0) {
		assert_int_equal(job.nrcpts, 20);
		(void)kit_settle(bench.queue, &job, SETTLE_DELIVERED, NOW);
	}
	assert_int_equal(counts(&bench).messages, 0);
	bench_close(&bench);
}

static void
note_reason(void *arg, const struct queue_entry *entry)
{
	(void)snprintf(arg, 120, "%s", entry->reason);
}

static void
reasons_are_kept_short(void **state)
{
	static const struct {
		size_t length;
		const char *end;
	} rows[] = {{10, "xxx"}, {93, "xxx"}, {94, "..."}, {200, "..."}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bench bench;
		struct queue_result result = {0};
		struct err why = {ERR_TEMP, "4.2.1", ""};
		char reason[120];
		uint64_t id;

		begin(&bench);
		id = accept(&bench, "x@a");
		memset(why.text, 'x', rows[i].length);
		result.why = &why;
		queue_settle(bench.queue, id, &result, 1, NOW);
		assert_true(queue_show(bench.queue, id, note_reason, reason));
		assert_memory_equal(reason, "4.2.1 xxx", 9);
		assert_string_equal(reason + strlen(reason) - 3, rows[i].end);
		assert_true(strlen(reason) <= 99);
		bench_close(&bench);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fates),
	    cmocka_unit_test(unknown_results_are_ignored),
	    cmocka_unit_test(silence_is_another_try),
	    cmocka_unit_test(the_bounce_comes_first),
	    cmocka_unit_test(the_delay_is_told_once),
	    cmocka_unit_test(destinations_take_turns),
	    cmocka_unit_test(leases_are_taken_over),
	    cmocka_unit_test(held_until_released),
	    cmocka_unit_test(removed_without_a_bounce),
	    cmocka_unit_test(flushed),
	    cmocka_unit_test(nothing_goes_out_that_cannot_be_noted),
	    cmocka_unit_test(many_recipients),
	    cmocka_unit_test(reasons_are_kept_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
