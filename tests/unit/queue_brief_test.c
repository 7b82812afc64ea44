/* A report of ours in the queue: for a day, and nobody is told of it. */
#include "queue/listing.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000,
	DAY = 86400
};

static const struct err busy = {ERR_TEMP, "4.2.1", "busy"};

static enum fate
fail_once(struct queue *queue, uint64_t id, int64_t now)
{
	struct queue_result result = {.settle = SETTLE_RETRY, .why = &busy};

	queue_settle(queue, id, &result, 1, now);
	return result.fate;
}

static uint64_t
accept_report(struct segment *segment, struct queue *queue)
{
	struct kit_envelope made;
	struct envelope envelope = *kit_envelope(&made, "x@a", NOW);
	struct segment_message message = {.id = segment_new_id(segment),
	    .envelope = &envelope,
	    .body = SPAN("text")};
	struct err err;

	envelope.tls_wish = TLS_WISH_REPORT;
	assert_int_equal(segment_append(segment, &message, &err), 0);
	assert_int_equal(
	    queue_scan(queue, segment_number(segment), kit_sync(segment), &err),
	    0);
	return message.id;
}

/* RFC 8460 5.5: up to 24 hours; the journal knows it, too. */
static void
a_report_is_kept_for_a_day(void **state)
{
	struct fake_disk *fake = fake_disk_new();
	struct segment *segment;
	struct queue *queue;
	struct queue_job job;
	struct kit kit;
	struct err err;
	uint64_t id;

	(void)state;
	kit_open_on(&kit, fake_disk_of(fake));
	assert_int_equal(segment_create(&kit.spool, &segment, &err), 0);
	queue = kit_queue(&kit, NOW);
	assert_true(kit_journal(queue));
	id = accept_report(segment, queue);
	for (int i = 0; i < 2; i++) {
		int64_t now = NOW + i * 8 * 3600;

		assert_int_not_equal(kit_next(queue, now, &job), 0);
		assert_int_equal(job.ends, NOW + DAY);
		assert_int_equal(fail_once(queue, id, now), FATE_WAITS);
		assert_true(kit_journal(queue));
		queue_close(&queue);
		queue = kit_queue(&kit, now);
	}
	assert_int_not_equal(kit_next(queue, NOW + DAY, &job), 0);
	assert_int_equal(fail_once(queue, id, NOW + DAY), FATE_EXPIRED);
	queue_close(&queue);
	segment_close(&segment);
	fake_disk_free(&fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_report_is_kept_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
