/* What a destination showed, and what its jobs get for it. */
#include <string.h>

#include "queue/listing.h"
#include "queue/state.h"
#include "queue/throttle.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	FIRST = 300, /* of the schedule */
	DAY = 86400,
	MOST = 20
};

/* g good, b busy, d dead; then limit and cautious. */
static void
the_limit_follows_what_it_meets(void **state)
{
	static const struct {
		const char *what, *seen;
		uint32_t limit;
	} rows[] = {
	    {"it begins small", "", 5},
	    {"each success is one more", "gggg", 9},
	    {"up to the most", "gggggggggggggggggggggggg", 20},
	    {"too much halves it", "gggb", 4},
	    {"then it grows by one a limit's worth", "gggbggg", 4},
	    {"then it grows by one a limit's worth", "gggbgggg", 5},
	    {"never none", "bbbbbbbb", 1},
	    {"dead leaves one", "ggggd", 1},
	    {"and from there it grows fast again", "ggggdggg", 4},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct throttle t;

		throttle_start(&t, MOST);
		for (const char *s = rows[i].seen; *s != '\0'; s++) {
			if (*s == 'g')
				throttle_good(&t, MOST);
			else if (*s == 'b')
				throttle_busy(&t);
			else
				(void)throttle_dead(&t, FIRST);
		}
		if (t.limit != rows[i].limit)
			fail_msg("%s: %u", rows[i].what, (unsigned)t.limit);
	}
}

static void
the_dead_are_left_alone_twice_as_long_each_time(void **state)
{
	struct throttle t;

	(void)state;
	throttle_start(&t, MOST);
	assert_int_equal(throttle_dead(&t, FIRST), 300);
	assert_int_equal(throttle_dead(&t, FIRST), 600);
	assert_int_equal(throttle_dead(&t, FIRST), 1200);
	assert_int_equal(throttle_dead(&t, FIRST), 2400);
	assert_int_equal(throttle_dead(&t, FIRST), THROTTLE_LONGEST);
	assert_int_equal(throttle_dead(&t, FIRST), THROTTLE_LONGEST);
	throttle_good(&t, MOST);
	assert_int_equal(throttle_dead(&t, FIRST), 300);
}

static unsigned
hand_out(struct bench *b, int64_t now, struct queue_job *last)
{
	unsigned n = 0;

	while (kit_next(b->queue, now, last) != 0)
		n++;
	return n;
}

static void
found_dead(struct bench *b, const struct queue_job *job, int64_t now)
{
	uint64_t id = job->id;

	queue_feedback(b->queue, id, 0, HEALTH_DEAD, now);
	(void)kit_settle(b->queue, job, SETTLE_RETRY, now);
}

/* A dead host is probed, not hammered by each message. */
static void
a_dead_destination_gets_one_probe(void **state)
{
	struct bench b;
	struct queue_job job;

	(void)state;
	bench_begin(&b, MOST, NOW);
	(void)bench_accept(&b, "x@dead", 50, NOW);
	assert_int_equal(hand_out(&b, NOW, &job), THROTTLE_START);
	found_dead(&b, &job, NOW);
	assert_int_equal(queue_release(b.queue, 0), THROTTLE_START - 1);
	/* Others go on, and it gets nothing before its time. */
	(void)bench_accept(&b, "x@alive", 3, NOW);
	assert_int_equal(hand_out(&b, NOW + 1, &job), 3);
	assert_int_equal(hand_out(&b, NOW + FIRST - 1, &job), 0);
	assert_int_equal(hand_out(&b, NOW + FIRST, &job), 1);
	assert_string_equal(job.destination, "dead");
	/* The probe fails: twice as long; it succeeds: more and more. */
	found_dead(&b, &job, NOW + FIRST);
	assert_int_equal(hand_out(&b, NOW + 3 * FIRST - 1, &job), 0);
	assert_int_equal(hand_out(&b, NOW + 3 * FIRST, &job), 1);
	queue_feedback(b.queue, job.id, 0, HEALTH_GOOD, NOW + 3 * FIRST);
	(void)kit_settle(b.queue, &job, SETTLE_DELIVERED, NOW + 3 * FIRST);
	assert_int_equal(hand_out(&b, NOW + 3 * FIRST, &job), 2);
	bench_close(&b);
}

static void
those_beside_the_first_say_no_more_than_it(void **state)
{
	struct bench b;
	struct queue_job jobs[THROTTLE_START], job;

	(void)state;
	bench_begin(&b, MOST, NOW);
	(void)bench_accept(&b, "x@dead", 9, NOW);
	for (size_t i = 0; i < THROTTLE_START; i++)
		assert_true(kit_next(b.queue, NOW, &jobs[i]) != 0);
	for (size_t i = 0; i < THROTTLE_START; i++)
		found_dead(&b, &jobs[i], NOW);
	assert_int_equal(hand_out(&b, NOW + FIRST - 1, &job), 0);
	assert_int_equal(hand_out(&b, NOW + FIRST, &job), 1);
	bench_close(&b);
}

/* Whose time is over must not wait for a turn that never comes. */
static void
the_doomed_are_told_without_a_try(void **state)
{
	struct bench b;
	struct queue_job job, doomed;
	unsigned n = 0;

	(void)state;
	bench_begin(&b, MOST, NOW);
	(void)bench_accept(&b, "x@dead", 10, NOW);
	assert_true(kit_next(b.queue, NOW, &job) != 0);
	found_dead(&b, &job, NOW);
	assert_int_equal(queue_doomed(b.queue, NOW, &doomed), 0);
	/* Days later the one probe fails: it speaks for all. */
	assert_int_equal(hand_out(&b, NOW + 6 * DAY, &job), 1);
	found_dead(&b, &job, NOW + 6 * DAY);
	while (queue_doomed(b.queue, NOW + 6 * DAY, &doomed) == 1) {
		assert_string_equal(doomed.destination, "dead");
		assert_int_equal(
		    kit_settle(b.queue, &doomed, SETTLE_RETRY, NOW + 6 * DAY),
		    FATE_EXPIRED);
		n++;
	}
	/* But for the newest, which makes the next try. */
	assert_int_equal(n, 8);
	assert_int_equal(hand_out(&b, NOW + 6 * DAY + 599, &job), 0);
	assert_int_equal(hand_out(&b, NOW + 6 * DAY + 600, &job), 1);
	bench_close(&b);
}

/* Who was to try again goes: others must not wait for ever, nor hurry. */
static void
another_takes_the_place_of_a_probe(void **state)
{
	struct bench b;
	struct queue_job job;

	(void)state;
	bench_begin(&b, MOST, NOW);
	(void)bench_accept(&b, "x@dead", 2, NOW);
	assert_true(kit_next(b.queue, NOW, &job) != 0);
	found_dead(&b, &job, NOW);
	assert_int_equal(hand_out(&b, NOW + 1, &(struct queue_job){0}), 0);
	assert_true(queue_remove(b.queue, job.id, NOW + 1));
	assert_int_equal(hand_out(&b, NOW + FIRST - 1, &job), 0);
	assert_int_equal(hand_out(&b, NOW + FIRST, &job), 1);
	bench_close(&b);
}

static uint64_t random_state;

static uint64_t
chance(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

/* Who is left alone has one that is due no later than its time. */
static void
assert_somebody_tries_again(const struct bench *b)
{
	const struct index *index = &b->queue->index;
	const struct destination *to = (struct destination *)names_find(
	    &index->destinations, SPAN("d"));
	bool found = false;

	if (to == NULL || to->until == 0 || to->waiting == 0)
		return;
	for (size_t i = 0; i < index->nheap; i++)
		found |= index->heap[i]->due <= to->until;
	assert_true(found);
}

static void
end_one(struct bench *b, uint64_t id, int64_t now)
{
	const struct err why = {ERR_TEMP, "4.4.1", "no answer"};
	struct queue_result result = {.why = &why};
	uint64_t how = chance(9);

	/* Dead, good, gone back; or a reason of its own to wait. */
	if (how < 2)
		queue_feedback(b->queue, id, 0, HEALTH_DEAD, now);
	else if (how == 3)
		queue_feedback(b->queue, id, 0, HEALTH_GOOD, now);
	result.settle = how == 3 ? SETTLE_FAILED : SETTLE_RETRY;
	if (how == 4)
		queue_return(b->queue, id, &result.rcpt, 1, 0);
	else
		queue_settle(b->queue, id, &result, 1, now);
	if (result.fate >= FATE_FAILED && chance(2) == 0)
		queue_bounced(b->queue, id, &result.rcpt, 1, now);
}

static void
operate(struct bench *b, uint64_t id, int64_t now)
{
	switch (chance(8)) {
	case 0:
		(void)queue_remove(b->queue, id, now);
		return;
	case 1:
		(void)queue_flush_message(b->queue, id, now);
		return;
	default:
		(void)queue_hold(b->queue, id, chance(2) == 0);
		return;
	}
}

struct player {
	struct bench bench;
	struct queue_job job;
	uint64_t out[64], ids[64]; /* with somebody; all there ever were */
	size_t nout, nids;
	int64_t now;
};

static void
play_one(struct player *p)
{
	struct bench *b = &p->bench;
	struct err err;

	switch (chance(8)) {
	case 0:
		p->ids[p->nids++ % 64] = kit_append(
		    b->segment, "x@d", "text", p->now);
		assert_int_equal(
		    queue_scan(b->queue, segment_number(b->segment),
			kit_sync(b->segment), &err),
		    0);
		return;
	case 1:
	case 2:
		if (p->nout < 64 && kit_next(b->queue, p->now, &p->job) != 0)
			p->out[p->nout++] = p->job.id;
		return;
	case 3:
	case 4:
		if (p->nout > 0)
			end_one(b, p->out[--p->nout], p->now);
		return;
	case 5:
	case 6:
		operate(b, p->ids[chance(64)], p->now);
		return;
	default:
		p->now += (int64_t)chance(chance(3) == 0 ? DAY : 200);
		return;
	}
}

/* At random: what comes, is tried, held, released, removed and hurried. */
static void
nobody_waits_for_what_never_comes(void **state)
{
	(void)state;
	random_state = 88172645463325252u;
	for (unsigned game = 0; game < 60; game++) {
		struct player player = {.now = NOW};

		bench_begin(&player.bench, MOST, NOW);
		for (unsigned i = 0; i < 250; i++) {
			play_one(&player);
			assert_somebody_tries_again(&player.bench);
		}
		bench_close(&player.bench);
	}
}

static void
on_reason(void *arg, const struct queue_entry *entry)
{
	*(struct queue_entry *)arg = *entry;
}

/* What kills whoever delivers it is not tried at once for ever. */
static void
deaths_are_attempts_after_the_first(void **state)
{
	struct bench bench;
	struct queue_job job;
	struct queue_entry entry;
	int64_t now = NOW;
	uint64_t id;

	(void)state;
	bench_begin(&bench, MOST, NOW);
	(void)bench_accept(&bench, "x@a y@a", 1, NOW);
	id = kit_next(bench.queue, now, &job);
	queue_return(bench.queue, id, job.rcpts, 2, 0);
	for (unsigned deaths = 0; deaths < 6; deaths++) {
		assert_int_equal(kit_next(bench.queue, now, &job), id);
		assert_int_equal(job.deaths, deaths < 3 ? deaths : 3);
		assert_int_equal(job.attempts, deaths == 0 ? 0 : deaths - 1);
		assert_true(queue_lease(bench.queue, id, job.rcpts, 2, 7));
		assert_int_equal(queue_died(bench.queue, 8, now), 0);
		assert_int_equal(queue_died(bench.queue, 7, now), 1);
		if (deaths == 0)
			continue;
		assert_int_equal(kit_next(bench.queue, now + 299, &job), 0);
		assert_true(queue_show(bench.queue, id, on_reason, &entry));
		assert_non_null(strstr(entry.reason, "4.3.0 the process"));
		now = entry.due;
	}
	/* It is in the journal. */
	assert_true(kit_journal(bench.queue));
	queue_close(&bench.queue);
	bench.queue = kit_queue(&bench.kit, now - 1);
	assert_int_equal(kit_next(bench.queue, now - 1, &job), 0);
	assert_int_equal(kit_next(bench.queue, now, &job), id);
	assert_int_equal(job.attempts, 5);
	/* An end that was told clears it. */
	(void)kit_settle(bench.queue, &job, SETTLE_RETRY, now);
	assert_int_equal(kit_next(bench.queue, now + 86400, &job), id);
	assert_int_equal(job.deaths, 0);
	bench_close(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_limit_follows_what_it_meets),
	    cmocka_unit_test(the_dead_are_left_alone_twice_as_long_each_time),
	    cmocka_unit_test(a_dead_destination_gets_one_probe),
	    cmocka_unit_test(those_beside_the_first_say_no_more_than_it),
	    cmocka_unit_test(the_doomed_are_told_without_a_try),
	    cmocka_unit_test(another_takes_the_place_of_a_probe),
	    cmocka_unit_test(nobody_waits_for_what_never_comes),
	    cmocka_unit_test(deaths_are_attempts_after_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
