/*
 * The journal's files: when a new one begins, and how all that is queued
 * gets into it, a part with each batch, while work goes on.
 */
#include "queue/state.h"

enum {
	SCANNED_MAX = 256 << 20, /* more is read again after a crash */
};

static int
put_beginning(struct queue *queue)
{
	struct buf *out = journal_buf(&queue->journal);

	if (entry_put_route(out, queue->setup.route_version) < 0)
		return -1;
	for (size_t i = 0; i < queue->places.n; i++) {
		const struct place *place = queue->places.list[i];

		if (entry_put_cursor(out, place->number, place->cursor) < 0)
			return -1;
	}
	return 0;
}

int
checkpoint_begin(struct queue *queue, struct err *err)
{
	struct journal *journal = &queue->journal;

	if (journal_begin(journal, journal->header.number, err) < 0)
		return -1;
	if (put_beginning(queue) < 0)
		return err_set(err, ERR_BUG, "4.3.0", "too many segments");
	journal_repeat(journal);
	queue->scanned = 0;
	queue->round = (struct round){
	    .active = true,
	    .bytes = journal_size(journal),
	    .last = queue->round.last,
	};
	return 0;
}

/* The next messages of the table, until the step is full. */
static void
put_step(struct queue *queue)
{
	struct round *round = &queue->round;
	struct buf *out = journal_buf(&queue->journal);
	size_t before = out->n;
	size_t step = queue->spool->journal_size / CHECKPOINT_STEPS;

	/* A table that grows moves nothing to where we have been: listing.c */
	while (
	    round->bucket < queue->index.nbuckets && out->n - before < step) {
		struct message *m = queue->index.buckets[round->bucket++];

		for (; m != NULL; m = m->next)
			if (entry_put_whole(out, m) < 0 ||
			    (m->past != 0 &&
				entry_put_past(out, m->id, m->past) < 0))
				queue->journal.failing = true;
	}
	round->bytes += out->n - before;
	if (round->bucket < queue->index.nbuckets)
		return;
	journal_set_complete(&queue->journal);
	round->active = false;
	round->last = round->bytes;
}

/* Is the file so long, or so much behind, that a new one pays? */
static bool
wants_new_file(const struct queue *queue)
{
	uint64_t last = queue->round.last;

	/* Not before the copies that are being made are known: move.h */
	if (queue->round.active || queue->mover.busy ||
	    !journal_sound(&queue->journal))
		return false;
	return journal_size(&queue->journal) >
	           queue->spool->journal_size + 3 * last ||
	       queue->scanned > SCANNED_MAX + 8 * last;
}

bool
queue_journal_pending(const struct queue *queue)
{
	const struct journal *journal = &queue->journal;

	if (journal->wal.flying != NULL)
		return false;
	return journal->wal.broken || queue->round.active ||
	       journal_pending(journal) || wants_new_file(queue);
}

struct batch *
queue_journal_take(struct queue *queue)
{
	struct journal *journal = &queue->journal;
	struct batch *batch;
	struct err err;

	if (!queue_journal_pending(queue))
		return NULL;
	if (journal->wal.broken && queue->mover.busy)
		return NULL;
	if ((journal->wal.broken || wants_new_file(queue)) &&
	    checkpoint_begin(queue, &err) < 0)
		return NULL;
	/* The first batch of a file carries no more than it must. */
	if (queue->round.active && journal_sound(journal))
		put_step(queue);
	batch = journal_take(journal);
	if (batch != NULL && history_take(&queue->history)) {
		batch->aside = history_write;
		batch->aside_arg = &queue->history;
	}
	return batch;
}

void
queue_journal_committed(struct queue *queue, struct batch **batch, bool ok)
{
	history_written(&queue->history);
	journal_committed(&queue->journal, *batch, ok);
	*batch = NULL;
}
