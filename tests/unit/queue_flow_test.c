/* The way of messages through a queue on the real disk. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "queue/large.h"
#include "queue/listing.h"
#include "queue/reader.h"

#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000
};

static void
delivered_and_forgotten(void **state)
{
	struct kit kit;
	struct segment *segment;
	struct queue *queue;
	struct queue_job job;
	struct queue_counts counts;
	struct err err;
	uint64_t id;

	(void)state;
	kit_open(&kit);
	queue = kit_queue(&kit, NOW);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	id = kit_append(segment, "b@example.org c@example.org", "hello", NOW);
	assert_int_equal(
	    queue_scan(queue, segment_number(segment), kit_sync(segment), &err),
	    0);
	assert_int_equal(kit_next(queue, NOW, &job), id);
	assert_int_equal(job.nrcpts, 2);
	assert_string_equal(job.destination, "example.org");
	assert_int_equal(kit_next(queue, NOW, &job), 0);
	job = (struct queue_job){
	    .id = id, .rcpts = (const uint16_t[]){0, 1}, .nrcpts = 2};
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_DELIVERED, NOW), FATE_DELIVERED);
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_DELIVERED, NOW), FATE_UNKNOWN);
	assert_true(kit_journal(queue));
	queue_count(queue, &counts);
	assert_int_equal(counts.messages, 0);
	segment_close(&segment);
	queue_close(&queue);

	queue = kit_queue(&kit, NOW);
	assert_int_equal(kit.found.messages, 0);
	assert_int_equal(kit.found.damaged, 0);
	queue_close(&queue);
	kit_close(&kit);
}

static void
waits_and_comes_again(void **state)
{
	struct kit kit;
	struct segment *segment;
	struct queue *queue;
	struct queue_job job;
	struct err err;
	int64_t when;
	uint64_t id;

	(void)state;
	kit_open(&kit);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	id = kit_append(segment, "b@one.example c@two.example", "x", NOW);
	assert_int_not_equal(kit_sync(segment), 0);
	segment_close(&segment);

	queue = kit_queue(&kit, NOW);
	assert_int_equal(kit.found.messages, 1);
	assert_int_equal(kit_next(queue, NOW, &job), id);
	assert_string_equal(job.destination, "one.example");
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_RETRY, NOW), FATE_WAITS);
	assert_int_equal(kit_next(queue, NOW, &job), id);
	assert_string_equal(job.destination, "two.example");
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_DELIVERED, NOW), FATE_DELIVERED);
	assert_true(kit_journal(queue));
	queue_close(&queue);

	queue = kit_queue(&kit, NOW + 1);
	assert_int_equal(queue_next(queue, NOW + 1, &job, &when), 0);
	assert_true(when >= NOW + 300 && when <= NOW + 375);
	assert_int_equal(kit_next(queue, when, &job), id);
	assert_int_equal(job.attempts, 1);
	assert_int_equal(job.nrcpts, 1);
	assert_int_equal(job.rcpts[0], 0);
	queue_close(&queue);
	kit_close(&kit);
}

static void
append_large(struct kit *kit, struct segment *segment, struct large **large,
    uint64_t *ret_id)
{
	struct kit_envelope made;
	struct segment_message message = {
	    .envelope = kit_envelope(&made, "b@example.org", NOW),
	    .large = true,
	};
	struct err err;

	message.id = segment_new_id(segment);
	assert_int_equal(large_begin(&kit->spool, message.id, large, &err), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(
		    large_write(*large, SPAN("0123456789\r\n"), &err), 0);
	assert_int_equal(large_commit(*large, &err), 0);
	message.large_size = large_size(*large);
	message.large_checksum = large_checksum(*large);
	assert_int_equal(segment_append(segment, &message, &err), 0);
	*ret_id = message.id;
}

static void
read_all(struct kit *kit, const struct queue_job *job, size_t size)
{
	struct reader *reader = reader_new(&kit->spool);
	struct arena *arena = arena_new(1 << 20);
	struct message_in *message;
	struct err err;
	char bytes[777];
	size_t n, total = 0;

	if (message_open(reader, job->id, job->at, arena, &message, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(message_size(message), size);
	assert_string_equal(
	    message_envelope(message)->rcpts[0].address, "b@example.org");
	do {
		assert_int_equal(
		    message_read(message, bytes, sizeof(bytes), &n, &err), 0);
		total += n;
	} while (n > 0);
	assert_int_equal(total, size);
	message_close(&message);
	arena_free(&arena);
	reader_free(&reader);
}

static void
large_files_come_and_go(void **state)
{
	struct kit kit;
	struct segment *segment;
	struct large *large;
	struct queue *queue;
	struct queue_job job;
	struct err err;
	char path[128];
	char text[QUEUE_ID_SIZE];
	uint64_t id;

	(void)state;
	kit_open(&kit);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	append_large(&kit, segment, &large, &id);
	/* Not yet synced, but its writer lives: no orphan. */
	queue = kit_queue(&kit, NOW);
	assert_int_equal(kit.found.orphans, 0);
	assert_int_equal(
	    queue_scan(queue, segment_number(segment), kit_sync(segment), &err),
	    0);
	large_close(&large);
	assert_int_equal(kit_next(queue, NOW, &job), id);
	assert_int_equal(job.size, 12000);
	read_all(&kit, &job, 12000);
	queue_id_text(id, text);
	(void)snprintf(path, sizeof(path), "%s/large/%s", kit.folder, text);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_DELIVERED, NOW), FATE_DELIVERED);
	kit_chores(queue);
	assert_int_equal(access(path, F_OK), 0);
	assert_true(kit_journal(queue));
	kit_chores(queue);
	assert_int_equal(access(path, F_OK), -1);
	segment_close(&segment);
	queue_close(&queue);
	kit_close(&kit);
}

/* What was due in a while still is; a destination that is left alone, too. */
static void
the_clock_is_set_back(void **state)
{
	struct kit kit;
	struct segment *segment;
	struct queue *queue;
	struct queue_job job;
	struct err err;
	int64_t when;

	(void)state;
	kit_open(&kit);
	queue = kit_queue(&kit, NOW);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	(void)kit_append(segment, "b@one.example", "x", NOW);
	(void)kit_append(segment, "b@two.example", "x", NOW);
	assert_int_equal(
	    queue_scan(queue, segment_number(segment), kit_sync(segment), &err),
	    0);
	for (int i = 0; i < 2; i++) {
		assert_int_not_equal(kit_next(queue, NOW, &job), 0);
		if (i == 0)
			queue_feedback(queue, job.id, 0, HEALTH_DEAD, NOW);
		assert_int_equal(
		    kit_settle(queue, &job, SETTLE_RETRY, NOW), FATE_WAITS);
	}
	assert_int_equal(queue_next(queue, NOW, &job, &when), 0);
	queue_set_back(queue, 3600);
	assert_int_equal(
	    queue_next(queue, when - 3601, &job, &(int64_t){0}), 0);
	assert_int_not_equal(kit_next(queue, when - 3600, &job), 0);
	assert_int_not_equal(kit_next(queue, NOW - 3600 + 450, &job), 0);
	segment_close(&segment);
	queue_close(&queue);
	kit_close(&kit);
}

/* The clock was years ahead, and is right again when the queue is opened. */
static void
no_wait_is_longer_than_any(void **state)
{
	enum {
		AHEAD = 300000000,
		LONGEST = 14400,
	};
	struct kit kit;
	struct segment *segment;
	struct queue *queue;
	struct queue_job job;
	struct err err;
	uint64_t id;

	(void)state;
	kit_open(&kit);
	queue = kit_queue(&kit, NOW + AHEAD);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	id = kit_append(segment, "b@one.example", "x", NOW + AHEAD);
	assert_int_equal(
	    queue_scan(queue, segment_number(segment), kit_sync(segment), &err),
	    0);
	assert_int_equal(kit_next(queue, NOW + AHEAD, &job), id);
	assert_int_equal(
	    kit_settle(queue, &job, SETTLE_RETRY, NOW + AHEAD), FATE_WAITS);
	assert_true(kit_journal(queue));
	segment_close(&segment);
	queue_close(&queue);

	queue = kit_queue(&kit, NOW);
	assert_int_equal(kit_next(queue, NOW + LONGEST, &job), 0);
	assert_int_equal(
	    kit_next(queue, NOW + LONGEST + LONGEST / 4, &job), id);
	queue_close(&queue);
	kit_close(&kit);
}

/* Who has it by now goes on with it, and nobody gets it beside him. */
static void
only_its_owner_gives_back(void **state)
{
	struct kit kit;
	struct queue_job job;
	struct segment *segment;
	struct queue *queue;
	struct err err;
	uint64_t id;

	(void)state;
	kit_open(&kit);
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	(void)kit_append(segment, "x@a", "text", NOW);
	assert_int_not_equal(kit_sync(segment), 0);
	segment_close(&segment);
	queue = kit_queue(&kit, NOW);
	id = kit_next(queue, NOW, &job);
	assert_true(queue_lease(queue, id, job.rcpts, 1, 7));
	queue_return(queue, id, job.rcpts, 1, 0);
	queue_return(queue, id, job.rcpts, 1, 8);
	assert_int_equal(kit_next(queue, NOW, &job), 0);
	queue_return(queue, id, job.rcpts, 1, 7);
	assert_int_equal(kit_next(queue, NOW, &job), id);
	assert_int_equal(job.attempts, 0);
	queue_close(&queue);
	kit_close(&kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delivered_and_forgotten),
	    cmocka_unit_test(waits_and_comes_again),
	    cmocka_unit_test(large_files_come_and_go),
	    cmocka_unit_test(the_clock_is_set_back),
	    cmocka_unit_test(no_wait_is_longer_than_any),
	    cmocka_unit_test(only_its_owner_gives_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
