/* Notifications that had to wait, and what was over meanwhile. */
#include "base/mem.h"
#include "mta/queue/bounce.h"
#include "queue/listing.h"

struct search {
	uint16_t ordinal;
	bool found;
};

static void
on_job(void *arg, const struct queue_entry *entry)
{
	struct search *search = arg;

	for (size_t i = 0; i < entry->job.nrcpts; i++)
		search->found |= entry->job.rcpts[i] == search->ordinal;
}

void
bounce_forget_settled(struct bounce *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->nrcpts; i++) {
		struct search search = {
		    .ordinal = (uint16_t)(b->rcpts[i].rcpt -
					  b->original->rcpts)};

		(void)queue_show(b->q->queue, b->message, on_job, &search);
		if (search.found)
			b->rcpts[kept++] = b->rcpts[i];
	}
	b->nrcpts = kept;
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
