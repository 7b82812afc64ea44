/* A delay that could not be told at once: some of it may be over. */
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
