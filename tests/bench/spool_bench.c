/*
 * What the spool itself can do, without SMTP around it:
 *
 *     spool_bench FOLDER append [BATCH [SIZE [SECONDS]]]
 *     spool_bench FOLDER way [BATCH [SIZE [SECONDS]]]
 *     spool_bench FOLDER backlog [MESSAGES [SIZE]]
 *
 * append: messages a second made durable, BATCH of them under one fdatasync.
 * way: the same, and each is found, handed out, settled and written down.
 * backlog: time and memory to put off MESSAGES, and to start again with them.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "queue/chore.h"
#include "queue/listing.h"
#include "queue/queue.h"
#include "queue/segment.h"

struct bench {
	struct spool spool;
	struct queue_setup setup;
	struct segment *segment;
	struct queue *queue;
	char *body;
	size_t size;
	size_t batch;
	uint64_t n;
};

static void
die(const struct err *err)
{
	(void)fprintf(stderr, "spool_bench: %s\n", err->text);
	exit(EXIT_FAILURE);
}

static void
route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	(void)arg;
	(void)envelope;
	(void)snprintf(key, QUEUE_KEY_MAX, "%s", address_domain(rcpt->address));
}

static void
next_segment(struct bench *bench)
{
	struct err err;

	segment_close(&bench->segment);
	if (bench->queue != NULL && queue_scan_all(bench->queue, &err) < 0)
		die(&err);
	if (segment_create(&bench->spool, &bench->segment, &err) < 0)
		die(&err);
}

static void
append(struct bench *bench)
{
	char address[64];
	struct envelope_rcpt rcpt = {address, "", 0};
	struct envelope envelope = {
	    .sender = "sender@client.example",
	    .helo = "client.example",
	    .client = "192.0.2.1",
	    .session = "4fa3c1",
	    .arrived = clock_wall(),
	    .rcpts = &rcpt,
	    .nrcpts = 1,
	};
	struct segment_message message = {
	    .envelope = &envelope, .body = {bench->body, bench->size}};
	struct err err;

	(void)snprintf(address, sizeof(address), "user@d%u.example",
	    (unsigned)(bench->n % 1000));
	if (segment_room(bench->segment, &envelope, bench->size) == ROOM_NONE)
		next_segment(bench);
	message.id = segment_new_id(bench->segment);
	if (segment_append(bench->segment, &message, &err) < 0)
		die(&err);
	bench->n++;
}

static void
commit(struct bench *bench)
{
	struct batch *batch = segment_take(bench->segment);
	struct err err;
	uint64_t end;

	if (batch == NULL)
		return;
	if (batch_commit(batch, &err) < 0)
		die(&err);
	end = segment_committed(bench->segment, &batch, true);
	if (bench->queue != NULL &&
	    queue_scan(
		bench->queue, segment_number(bench->segment), end, &err) < 0)
		die(&err);
}

/* One batch; a segment that ends in the middle makes it two. */
static void
append_batch(struct bench *bench)
{
	char address[] = "user@d999.example";
	struct envelope_rcpt rcpt = {address, "", 0};
	struct envelope envelope = {.sender = "sender@client.example",
	    .helo = "client.example",
	    .client = "192.0.2.1",
	    .session = "4fa3c1",
	    .rcpts = &rcpt,
	    .nrcpts = 1};

	for (size_t i = 0; i < bench->batch; i++) {
		if (segment_room(bench->segment, &envelope, bench->size) !=
		    ROOM_NOW)
			commit(bench);
		append(bench);
	}
	commit(bench);
}

static void
journal(struct bench *bench, bool all)
{
	struct batch *batch;
	struct err err;

	while ((batch = queue_journal_take(bench->queue)) != NULL) {
		if (batch_commit(batch, &err) < 0)
			die(&err);
		queue_journal_committed(bench->queue, &batch, true);
		if (!all)
			break;
	}
}

static void
chores(struct bench *bench)
{
	struct chore *chore;
	struct err err;

	while ((chore = queue_chore_take(bench->queue)) != NULL) {
		if (chore_run(chore, &err) < 0)
			die(&err);
		queue_chore_done(bench->queue, &chore, true);
	}
}

static void
settle_all(struct bench *bench, enum settle how)
{
	static const struct err busy = {ERR_TEMP, "4.4.1", "no answer"};
	struct queue_job job;
	int64_t when;

	while (queue_next(bench->queue, clock_wall(), &job, &when) == 1) {
		struct queue_result result = {
		    .rcpt = job.rcpts[0], .settle = how, .why = &busy};

		queue_settle(bench->queue, job.id, &result, 1, clock_wall());
	}
}

static void
open_queue(struct bench *bench)
{
	struct queue_found found;
	struct err err;

	if (queue_open(
		&bench->setup, clock_wall(), &bench->queue, &found, &err) < 0)
		die(&err);
}

static double
seconds_since(uint64_t start)
{
	return (double)(clock_mono_ms() - start) / 1000;
}

static void
run_append(struct bench *bench, uint64_t seconds)
{
	uint64_t start = clock_mono_ms();
	uint64_t first = bench->n;
	double took;

	while (clock_mono_ms() - start < 1000 * seconds)
		append_batch(bench);
	took = seconds_since(start);
	printf("append: %zu octets, %zu a batch: %.0f messages/s, "
	       "%.0f syncs/s\n",
	    bench->size, bench->batch, (double)(bench->n - first) / took,
	    (double)(bench->n - first) / took / (double)bench->batch);
}

static void
run_way(struct bench *bench, uint64_t seconds)
{
	uint64_t start;
	double took;

	open_queue(bench);
	journal(bench, true);
	start = clock_mono_ms();
	while (clock_mono_ms() - start < 1000 * seconds) {
		append_batch(bench);
		settle_all(bench, SETTLE_DELIVERED);
		journal(bench, false);
		chores(bench);
	}
	took = seconds_since(start);
	printf("way: %zu octets, %zu a batch: %.0f messages/s\n", bench->size,
	    bench->batch, (double)bench->n / took);
}

static void
run_backlog(struct bench *bench, uint64_t messages)
{
	struct queue_counts counts;
	size_t before = mallinfo2().uordblks;
	uint64_t start;
	double took;

	open_queue(bench);
	while (bench->n < messages) {
		append_batch(bench);
		settle_all(bench, SETTLE_RETRY);
		journal(bench, false);
		chores(bench);
	}
	journal(bench, true);
	chores(bench);
	queue_count(bench->queue, &counts);
	printf("backlog: %" PRIu64 " messages, %.0f bytes each by malloc, "
	       "%.0f by our count\n",
	    counts.messages,
	    (double)(mallinfo2().uordblks - before) / (double)messages,
	    (double)counts.memory / (double)messages);
	queue_close(&bench->queue);
	start = clock_mono_ms();
	open_queue(bench);
	took = seconds_since(start);
	queue_count(bench->queue, &counts);
	printf(
	    "recover: %" PRIu64 " messages in %.2f s\n", counts.messages, took);
	start = clock_mono_ms();
	journal(bench, true);
	printf("checkpoint: %.2f s\n", seconds_since(start));
}

static uint64_t
number(int argc, char **argv, int i, uint64_t normal)
{
	uint64_t value = normal;

	if (i < argc && !text_parse_u64(span_of(argv[i]), &value)) {
		(void)fprintf(stderr, "spool_bench: %s?\n", argv[i]);
		exit(2);
	}
	return value;
}

static void
set_up(struct bench *bench, const char *folder, size_t batch, size_t size)
{
	struct err err;

	if (!text_copy(bench->spool.path, sizeof(bench->spool.path), folder))
		exit(2);
	spool_defaults(&bench->spool);
	if (spool_prepare(&bench->spool, &err) < 0)
		die(&err);
	bench->setup.spool = &bench->spool;
	bench->setup.route = route;
	bench->batch = batch;
	bench->size = size;
	bench->body = mem_new(size + 1);
	memset(bench->body, 'x', size);
	next_segment(bench);
}

int
main(int argc, char **argv)
{
	struct bench bench = {0};
	const char *what = argc > 2 ? argv[2] : "";

	if (argc < 3) {
		(void)fputs("usage: spool_bench FOLDER append|way|backlog "
			    "[NUMBER...]\n",
		    stderr);
		return 2;
	}
	if (strcmp(what, "backlog") == 0) {
		set_up(&bench, argv[1], 500, number(argc, argv, 4, 4096));
		run_backlog(&bench, number(argc, argv, 3, 100000));
	} else {
		set_up(&bench, argv[1], number(argc, argv, 3, 50),
		    number(argc, argv, 4, 4096));
		(strcmp(what, "way") == 0 ? run_way : run_append)(
		    &bench, number(argc, argv, 5, 5));
	}
	queue_close(&bench.queue);
	segment_close(&bench.segment);
	mem_free(bench.body);
	return 0;
}
