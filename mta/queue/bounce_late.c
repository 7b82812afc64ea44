/* Notifications that had to wait, and what was over meanwhile. */
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

/*
 * A deliver process that has gone will not say to the next queue role what it
 * said to us, and the mail would go out again.
 */
bool
bounces_settle(struct queue_role *q)
{
	struct bounce *next;
	bool any = false;

	for (struct bounce *b = q->bounces; b != NULL; b = next) {
		next = b->next;
		if (b->result.n == 0 || peer_find(q, b->owner) != NULL)
			continue;
		bounce_log(b, LOG_LEVEL_WARN, "no-bounce", 0,
		    "it could not be made before the end");
		bounce_settle_success(b);
		bounce_free(b);
		any = true;
	}
	return any;
}
