/* What was tried: kept, found again, bounded, and never in the way. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "queue/attempt.h"
#include "queue/chore.h"
#include "queue/history.h"
#include "queue/listing.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

static void
begin(struct bench *bench)
{
	bench_open(bench);
	bench->kit.spool.journal_size = 4096;
	bench->queue = kit_queue(&bench->kit, 1000);
}

static void
restart(struct bench *bench, int64_t now)
{
	queue_close(&bench->queue);
	bench->queue = kit_queue(&bench->kit, now);
}

static uint64_t
accept(struct bench *bench, const char *rcpts)
{
	uint64_t id = kit_append(bench->segment, rcpts, "body", 1000);
	uint64_t end = kit_sync(bench->segment);
	struct err err;

	assert_int_equal(
	    queue_scan(bench->queue, segment_number(bench->segment), end, &err),
	    0);
	return id;
}

/* Recipient 0 as `first` says, all others put off. */
static void
attempt(struct bench *bench, int64_t now, enum settle first, const char *text)
{
	struct attempt_note note = {now, span_of("mx.far.example"),
	    span_of("dane/TLSv1.3/tlsa/rule-1")};
	struct err why = {ERR_TEMP, "4.2.0", ""};
	struct queue_result results[64] = {0};
	struct queue_job job;

	(void)snprintf(why.text, sizeof(why.text), "%s", text);
	assert_true(kit_next(bench->queue, now, &job) != 0);
	for (size_t i = 0; i < job.nrcpts; i++) {
		results[i].rcpt = job.rcpts[i];
		results[i].settle = job.rcpts[i] == 0 ? first : SETTLE_RETRY;
		if (results[i].settle == SETTLE_DELIVERED)
			results[i].said = span_of("2.0.0 thanks");
		else
			results[i].why = &why;
	}
	queue_settle(bench->queue, job.id, results, job.nrcpts, now);
	queue_note(bench->queue, job.id, &note, results, job.nrcpts);
}

struct told {
	char text[16384];
	size_t n;
};

/* In front of those after it: they are told in this order. */
static void
on_attempt(void *arg, const struct attempt *attempt)
{
	struct told *told = arg;
	char line[1024];
	size_t n;

	(void)snprintf(line, sizeof(line), "%d %s %.*s %.*s [%.*s] to",
	    (int)attempt->when, fate_name(attempt->fate), (int)attempt->host.n,
	    attempt->host.p, (int)attempt->reason.n, attempt->reason.p,
	    (int)attempt->tls.n, attempt->tls.p);
	for (size_t i = 0; i < attempt_nrcpts(attempt); i++) {
		n = strlen(line);
		(void)snprintf(line + n, sizeof(line) - n, " %u",
		    attempt_rcpt(attempt, i));
	}
	n = strlen(line);
	(void)snprintf(line + n, sizeof(line) - n, "\n");
	n = strlen(line);
	assert_true(strlen(told->text) + n < sizeof(told->text));
	memmove(told->text + n, told->text, strlen(told->text) + 1);
	memcpy(told->text, line, n);
	told->n++;
}

static const char story[] =
    "2000 delivered mx.far.example 2.0.0 thanks [dane/TLSv1.3/tlsa/rule-1] "
    "to 0\n"
    "2000 deferred mx.far.example 4.2.0 not now [dane/TLSv1.3/tlsa/rule-1] "
    "to 1 2\n"
    "5000 deferred mx.far.example 4.2.0 nor now [dane/TLSv1.3/tlsa/rule-1] "
    "to 1 2\n";

static void
check_story(struct bench *bench, uint64_t id, const char *when)
{
	struct told told = {0};
	bool more = queue_history(bench->queue, id, on_attempt, &told);

	if (more || strcmp(told.text, story) != 0)
		fail_msg("%s:\n%s", when, told.text);
}

/* A message in an open place, tried once; its id. */
static uint64_t
open_tried(struct bench *bench, enum settle first)
{
	uint64_t id;

	begin(bench);
	assert_true(kit_journal(bench->queue));
	id = accept(bench, "a@b.example");
	attempt(bench, 2000, first, "no");
	return id;
}

/* Waiting for the disk, written, after a restart, after a checkpoint. */
static void
attempts_are_told_wherever_they_are(void **state)
{
	struct bench bench;
	struct told told = {0};
	uint64_t id;

	(void)state;
	begin(&bench);
	assert_true(kit_journal(bench.queue));
	id = accept(&bench, "a@b.example c@b.example d@b.example");
	assert_false(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 0);
	attempt(&bench, 2000, SETTLE_DELIVERED, "not now");
	attempt(&bench, 5000, SETTLE_RETRY, "nor now");
	check_story(&bench, id, "in memory");
	assert_true(kit_journal(bench.queue));
	check_story(&bench, id, "on disk");
	restart(&bench, 6000);
	check_story(&bench, id, "from the entries");
	assert_true(kit_journal(bench.queue));
	restart(&bench, 6000);
	check_story(&bench, id, "from the checkpoint");
	bench.kit.setup.route_version++;
	restart(&bench, 6000);
	check_story(&bench, id, "with other routes");
	bench_close(&bench);
}

static void
what_is_finished_is_not_kept(void **state)
{
	struct bench bench;
	struct told told = {0};
	uint64_t id = open_tried(&bench, SETTLE_DELIVERED);

	(void)state;
	assert_true(kit_journal(bench.queue));
	assert_false(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 0);
	assert_int_equal(fake_disk_count(bench.fake, "spool/history"), 0);
	bench_close(&bench);
}

/* The last ones, and word that there were more. */
static void
many_attempts_are_cut(void **state)
{
	struct bench bench;
	struct told told = {0};
	uint64_t id;

	(void)state;
	begin(&bench);
	bench.kit.setup.schedule.first = 1;
	bench.kit.setup.schedule.longest = 1;
	restart(&bench, 1000);
	id = accept(&bench, "a@b.example");
	for (int i = 0; i < ATTEMPTS_MAX + 7; i++)
		attempt(&bench, 2000 + 10 * i, SETTLE_RETRY, "no");
	assert_true(kit_journal(bench.queue));
	assert_true(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, ATTEMPTS_MAX);
	assert_memory_equal(told.text, "2070 deferred", 13);
	bench_close(&bench);
}

/* Different answers for each of many recipients: not a record for each. */
static void
various_ends_are_kept_together(void **state)
{
	struct bench bench;
	struct told told = {0};
	struct queue_result results[40] = {0};
	struct err why[40];
	struct attempt_note note = {.when = 2000};
	struct queue_job job;
	char rcpts[40 * 16] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)snprintf(rcpts + strlen(rcpts),
		    sizeof(rcpts) - strlen(rcpts), "%sr%d@b.example",
		    i == 0 ? "" : " ", i);
	begin(&bench);
	assert_true(accept(&bench, rcpts) != 0);
	assert_true(kit_next(bench.queue, 2000, &job) != 0);
	for (int i = 0; i < 40; i++) {
		why[i] = (struct err){.kind = ERR_TEMP, .enhanced = "4.0.0"};
		(void)snprintf(why[i].text, sizeof(why[i].text), "r%d", i);
		results[i].rcpt = (uint16_t)i;
		results[i].why = &why[i];
	}
	queue_settle(bench.queue, job.id, results, 40, 2000);
	queue_note(bench.queue, job.id, &note, results, 40);
	(void)queue_history(bench.queue, job.id, on_attempt, &told);
	assert_int_equal(told.n, 16);
	assert_non_null(strstr(told.text, "2000 deferred  4.0.0 r3 [] to 3\n"));
	assert_non_null(
	    strstr(told.text, "2000 unknown  various ends, see the log [] to "
			      "15 16 17 18"));
	bench_close(&bench);
}

/* A file at a time, the oldest first; the place that was lost ends it. */
static void
the_oldest_are_forgotten(void **state)
{
	struct fake_disk *fake = fake_disk_new();
	struct kit kit;
	struct history history;
	struct attempt attempt = {.when = 7, .fate = FATE_WAITS};
	struct attempt got;
	uint64_t before = 0, first = 0, last = 0, got_before, excess;
	struct buf bytes;
	unsigned records = 0;

	(void)state;
	kit_open_on(&kit, fake_disk_of(fake));
	kit.spool.journal_size = 1 << 20;
	attempt.reason = span_of("a reason of ordinary length, as they are");
	history_init(&history, &kit.spool);
	buf_init(&bytes, 1 << 20);
	while ((excess = history_excess(&history, 100)) == 0) {
		assert_true(records++ < 1000000);
		last = history_put(&history, 5, before, &attempt);
		if (first == 0)
			first = last;
		before = last;
		if (history.collecting.n > 100000) {
			assert_true(history_take(&history));
			history_write(&history);
			history_written(&history);
		}
	}
	assert_true(history.bytes > HISTORY_LEAST);
	assert_true(history.bytes < HISTORY_LEAST + (2 << 20));
	assert_int_equal(excess, 1);
	history_removed(&history, excess);
	assert_int_equal(history_excess(&history, 100), 0);
	assert_int_equal(
	    history_get(&history, last, 5, &bytes, &got, &got_before), 1);
	assert_int_equal(got.when, 7);
	/* Not of this message; not there; not a place at all. */
	assert_int_equal(
	    history_get(&history, last, 6, &bytes, &got, &got_before), 0);
	assert_int_equal(
	    history_get(&history, last + 1, 5, &bytes, &got, &got_before), 0);
	assert_int_equal(
	    history_get(&history, UINT64_MAX, 5, &bytes, &got, &got_before), 0);
	history_free(&history);
	/* Numbers go on after a restart, and what is there counts. */
	history_init(&history, &kit.spool);
	assert_true(history.number > 16);
	assert_true(history.bytes > HISTORY_LEAST);
	assert_int_equal(
	    history_get(&history, first, 5, &bytes, &got, &got_before), 1);
	history_free(&history);
	buf_free(&bytes);
	fake_disk_free(&fake);
}

/* A full disk costs memories, not the journal. */
static void
a_failed_write_is_no_failure(void **state)
{
	struct bench bench;
	struct told told = {0};
	uint64_t id = open_tried(&bench, SETTLE_RETRY);

	(void)state;
	/* The next call creates the file of attempts. */
	fake_disk_fail_at(
	    bench.fake, fake_disk_calls(bench.fake) + 1, FAKE_ENOSPC);
	assert_true(kit_journal(bench.queue));
	assert_string_equal(fake_disk_failed(bench.fake), "create");
	assert_true(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 0);
	attempt(&bench, 9000, SETTLE_RETRY, "again no");
	assert_true(kit_journal(bench.queue));
	assert_true(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 1);
	/* What was not synced may go with the power. */
	segment_close(&bench.segment);
	queue_close(&bench.queue);
	fake_disk_crash(bench.fake, FAKE_DROP, 0);
	bench.queue = kit_queue(&bench.kit, 9000);
	assert_true(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 1);
	bench_close(&bench);
}

/* A full disk must not be filled with the names of empty files. */
static void
a_failed_write_leaves_no_file(void **state)
{
	struct bench bench;
	struct told told = {0};
	uint64_t id = open_tried(&bench, SETTLE_RETRY);

	(void)state;
	for (int i = 1; i < 5; i++) {
		/* Behind the call that creates it. */
		fake_disk_fail_at(
		    bench.fake, fake_disk_calls(bench.fake) + 2, FAKE_ENOSPC);
		assert_true(kit_journal(bench.queue));
		assert_string_equal(fake_disk_failed(bench.fake), "pwrite");
		assert_int_equal(
		    fake_disk_count(bench.fake, "spool/history"), 0);
		attempt(&bench, 2000 + 100000 * i, SETTLE_RETRY, "no");
	}
	assert_true(kit_journal(bench.queue));
	assert_int_equal(fake_disk_count(bench.fake, "spool/history"), 1);
	assert_true(queue_history(bench.queue, id, on_attempt, &told));
	assert_int_equal(told.n, 1);
	bench_close(&bench);
}

/* Or what is there would go for what is not. */
static void
a_failed_write_does_not_count(void **state)
{
	struct bench bench;
	struct history history;
	struct attempt attempt = {.fate = FATE_WAITS};

	(void)state;
	begin(&bench);
	history_init(&history, &bench.kit.spool);
	assert_true(history_put(&history, 1, 0, &attempt) != 0);
	assert_true(history_take(&history));
	fake_disk_fail_at(
	    bench.fake, fake_disk_calls(bench.fake) + 2, FAKE_ENOSPC);
	history_write(&history);
	assert_string_equal(fake_disk_failed(bench.fake), "pwrite");
	history_written(&history);
	assert_int_equal(history.bytes, 0);
	assert_int_equal(history.nfiles, 0);
	history_free(&history);
	bench_close(&bench);
}

static void
put_file(struct bench *bench, const char *path, uint64_t size)
{
	struct disk disk = fake_disk_of(bench->fake);
	struct err err;
	int fd = -1;

	assert_int_equal(disk_create(&disk, path, &fd, &err), 1);
	assert_int_equal(disk_truncate(&disk, fd, size, &err), 0);
	disk_close(&disk, &fd);
}

/* More than what is queued is worth; mail's space does not hang on it. */
static void
the_oldest_goes_with_the_chores(void **state)
{
	struct bench bench;
	struct chore *chore;
	struct err err;

	(void)state;
	begin(&bench);
	put_file(&bench, "spool/history/0000000000000001.hst", HISTORY_LEAST);
	put_file(&bench, "spool/history/0000000000000002.hst", 4096);
	put_file(&bench, "spool/history/0000000000000003.hst", 4096);
	restart(&bench, 1000);
	chore = queue_chore_take(bench.queue);
	assert_non_null(chore);
	fake_disk_fail_at(
	    bench.fake, fake_disk_calls(bench.fake) + 1, FAKE_EIO);
	assert_int_equal(chore_run(chore, &err), 0);
	assert_string_equal(fake_disk_failed(bench.fake), "unlink");
	queue_chore_done(bench.queue, &chore, true);
	assert_null(queue_chore_take(bench.queue));
	restart(&bench, 1000);
	kit_chores(bench.queue);
	assert_int_equal(fake_disk_count(bench.fake, "spool/history"), 2);
	bench_close(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attempts_are_told_wherever_they_are),
	    cmocka_unit_test(what_is_finished_is_not_kept),
	    cmocka_unit_test(many_attempts_are_cut),
	    cmocka_unit_test(various_ends_are_kept_together),
	    cmocka_unit_test(the_oldest_are_forgotten),
	    cmocka_unit_test(a_failed_write_is_no_failure),
	    cmocka_unit_test(a_failed_write_leaves_no_file),
	    cmocka_unit_test(a_failed_write_does_not_count),
	    cmocka_unit_test(the_oldest_goes_with_the_chores),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
