/*
 * spool_fill: a queue of any size, without a server.
 *
 *     spool_fill --spool DIR [--messages N] [--length N] [--rcpt A]
 *                [--destinations N] [--deferred SECONDS]
 *
 * Writes messages into segments, as the receive role would.  With --deferred
 * each has had an attempt that failed, and waits for so long.  With
 * --destinations the domain of the recipient is dK.DOMAIN, K going round.
 * Prints one line of JSON.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "queue/queue.h"
#include "queue/segment.h"

#include "tests/bench/kit.h"

#define COMMIT_EVERY 5000u
#define LINE_N       78u

struct fill {
	struct spool spool;
	uint32_t messages;
	uint32_t length;
	uint32_t destinations;
	uint32_t deferred;
	const char *local;
	const char *domain;
	char rcpt[ENVELOPE_ADDRESS_MAX + 1];
	struct buf body;
	struct segment *segment;
	int64_t now;
};

static const struct option longs[] = {
    {"spool", required_argument, NULL, 'S'},
    {"messages", required_argument, NULL, 'm'},
    {"length", required_argument, NULL, 'l'},
    {"rcpt", required_argument, NULL, 'r'},
    {"destinations", required_argument, NULL, 'd'},
    {"deferred", required_argument, NULL, 'D'},
    {NULL, 0, NULL, 0},
};

static _Noreturn void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "spool_fill: %s: %s\n", what, why);
	exit(2);
}

static void
take_rcpt(struct fill *fill, char *address)
{
	char *at = strchr(address, '@');

	if (at == NULL)
		die("--rcpt", "an address is wanted");
	*at = '\0';
	fill->local = address;
	fill->domain = at + 1;
}

static void
take_options(struct fill *fill, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (c == 'S')
			(void)text_copy(
			    fill->spool.path, sizeof(fill->spool.path), optarg);
		else if (c == 'm')
			fill->messages = kit_number("--messages", optarg, 1);
		else if (c == 'l')
			fill->length = kit_number("--length", optarg, LINE_N);
		else if (c == 'r')
			take_rcpt(fill, optarg);
		else if (c == 'd')
			fill->destinations = kit_number(
			    "--destinations", optarg, 1);
		else if (c == 'D')
			fill->deferred = kit_number("--deferred", optarg, 0);
		else
			die("usage", "see the head of fill.c");
	if (fill->spool.path[0] == '\0' || optind != argc)
		die("usage", "--spool DIR");
}

static void
make_body(struct fill *fill)
{
	buf_init(&fill->body, fill->length + 2 * LINE_N);
	if (buf_add(&fill->body, SPAN("Subject: fill\r\n\r\n")) < 0)
		abort();
	while (fill->body.n < fill->length) {
		char *line = buf_reserve(&fill->body, LINE_N);

		if (line == NULL)
			abort();
		memset(line, 'x', LINE_N - 2);
		memcpy(line + LINE_N - 2, "\r\n", 2);
		fill->body.n += LINE_N;
	}
}

static void
commit_segment(struct fill *fill)
{
	struct batch *batch = segment_take(fill->segment);
	struct err err = {0};

	if (batch == NULL)
		return;
	if (batch_commit(batch, &err) < 0)
		die("segment", err.text);
	(void)segment_committed(fill->segment, &batch, true);
}

static void
next_segment(struct fill *fill)
{
	struct err err;

	if (fill->segment != NULL)
		commit_segment(fill);
	segment_close(&fill->segment);
	if (segment_create(&fill->spool, &fill->segment, &err) < 0)
		die("segment", err.text);
}

static void
make_room(struct fill *fill, const struct envelope *envelope)
{
	enum segment_room room;

	while ((room = segment_room(fill->segment, envelope, fill->body.n)) !=
	       ROOM_NOW)
		if (room == ROOM_LATER)
			commit_segment(fill);
		else
			next_segment(fill);
}

static void
put_message(struct fill *fill, uint32_t number)
{
	struct envelope_rcpt rcpt = {.address = fill->rcpt, .orcpt = ""};
	struct envelope envelope = {
	    .sender = "fill@bench.example",
	    .envid = "",
	    .helo = "fill.bench.example",
	    .client = "127.0.0.1",
	    .session = "fill",
	    .arrived = fill->now,
	    .rcpts = &rcpt,
	    .nrcpts = 1,
	};
	struct segment_message message = {
	    .envelope = &envelope, .body = buf_span(&fill->body)};
	struct err err;

	if (fill->destinations == 0)
		(void)snprintf(fill->rcpt, sizeof(fill->rcpt), "%s@%s",
		    fill->local, fill->domain);
	else
		(void)snprintf(fill->rcpt, sizeof(fill->rcpt), "%s@d%u.%s",
		    fill->local, (unsigned)(number % fill->destinations),
		    fill->domain);
	make_room(fill, &envelope);
	message.id = segment_new_id(fill->segment);
	if (segment_append(fill->segment, &message, &err) < 0)
		die("message", err.text);
}

static void
write_segments(struct fill *fill)
{
	struct err err;

	if (spool_prepare(&fill->spool, &err) < 0)
		die("spool", err.text);
	next_segment(fill);
	for (uint32_t i = 0; i < fill->messages; i++)
		put_message(fill, i);
	commit_segment(fill);
	segment_close(&fill->segment);
}

static void
commit_journal(struct queue *queue)
{
	struct batch *batch;
	struct err err = {0};

	while ((batch = queue_journal_take(queue)) != NULL) {
		if (batch_commit(batch, &err) < 0)
			die("journal", err.text);
		queue_journal_committed(queue, &batch, true);
	}
}

static void
route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	(void)arg;
	(void)envelope;
	(void)text_copy(key, QUEUE_KEY_MAX, address_domain(rcpt->address));
}

/* One attempt for each, which did not succeed. */
static uint32_t
defer_all(struct fill *fill, struct queue *queue)
{
	struct err why = {ERR_TEMP, "4.4.1", "connect: connection timed out"};
	uint32_t done = 0;
	int64_t when;
	struct queue_job job;

	while (queue_next(queue, fill->now, &job, &when) == 1) {
		struct queue_result result = {
		    .rcpt = job.rcpts[0], .settle = SETTLE_RETRY, .why = &why};

		queue_settle(queue, job.id, &result, 1, fill->now);
		if (++done % COMMIT_EVERY == 0)
			commit_journal(queue);
	}
	commit_journal(queue);
	return done;
}

static void
write_journal(struct fill *fill)
{
	struct queue_setup setup = {
	    .spool = &fill->spool,
	    .route = route,
	    .route_version = 1,
	    .schedule = {.first = fill->deferred, .longest = fill->deferred},
	};
	struct queue_found found;
	struct queue *queue;
	struct err err;

	if (queue_open(&setup, fill->now, &queue, &found, &err) < 0)
		die("queue", err.text);
	if (defer_all(fill, queue) != fill->messages)
		die("queue", "not all messages could be put off");
	queue_close(&queue);
}

int
main(int argc, char **argv)
{
	static char nobody[] = "fill@held.bench.example";
	struct fill fill = {
	    .messages = 1000, .length = 4096, .now = clock_wall()};
	uint64_t began = kit_now_us(), written;

	take_rcpt(&fill, nobody);
	take_options(&fill, argc, argv);
	spool_defaults(&fill.spool);
	make_body(&fill);
	write_segments(&fill);
	written = kit_now_us();
	if (fill.deferred > 0)
		write_journal(&fill);
	(void)printf("{\"messages\":%u,\"seconds\":%.3f,\"segments\":%.3f}\n",
	    (unsigned)fill.messages, (double)(kit_now_us() - began) / 1e6,
	    (double)(written - began) / 1e6);
	buf_free(&fill.body);
	return EXIT_SUCCESS;
}
