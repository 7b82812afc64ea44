/* Notifications that had to wait, and what was over meanwhile. */
#include <stdlib.h>

#include "base/mem.h"
#include "mta/queue/bounce.h"
#include "queue/listing.h"

static int
compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

struct open {
	struct bounce *b;
	size_t n; /* who are named, in front of the others */
};

static void
on_job(void *arg, const struct queue_entry *entry)
{
	struct open *open = arg;
	struct bounce *b = open->b;

	for (size_t i = open->n; i < b->nrcpts; i++) {
		struct dsn_rcpt rcpt = b->rcpts[i];
		uint16_t ordinal = (uint16_t)(rcpt.rcpt - b->original->rcpts);

		if (bsearch(&ordinal, entry->job.rcpts, entry->job.nrcpts,
			sizeof(ordinal), compare) == NULL)
			continue;
		b->rcpts[i] = b->rcpts[open->n];
		b->rcpts[open->n++] = rcpt;
	}
}

void
bounce_forget_settled(struct bounce *b)
{
	struct open open = {.b = b};

	(void)queue_show(b->q->queue, b->message, on_job, &open);
	b->nrcpts = open.n;
}

void
bounce_settle_success(struct bounce *b)
{
	struct ipc_result *result = mem_new(sizeof(*result));
	struct buf taken = b->result;

	/* That ends other bounces, and must not come upon this one again. */
	buf_init(&b->result, 0);
	if (ipc_take_result(buf_span(&taken), result)) {
		ack_later(b->q, b->owner, result);
		settle_now(b->q, result);
	}
	buf_free(&taken);
	mem_free(result);
}

/* A success that nobody else knows of, as its word is not out. */
static struct bounce *
find_stranded(struct queue_role *q)
{
	struct bounce *b = q->bounces;

	while (
	    b != NULL && (b->result.n == 0 || peer_find(q, b->owner) != NULL))
		b = b->next;
	return b;
}

/*
 * A deliver process that has gone will not say to the next queue role what it
 * said to us, and the mail would go out again.  Each time from the beginning:
 * what is settled may have failed recipients, and bounces of its own.
 */
bool
bounces_settle(struct queue_role *q)
{
	struct bounce *b;
	bool any = false;

	while ((b = find_stranded(q)) != NULL) {
		bounce_log(b, LOG_LEVEL_WARN, "no-bounce", 0,
		    "it could not be made before the end");
		bounce_settle_success(b);
		bounce_free(b);
		any = true;
	}
	return any;
}
