/*
 * The routes have changed since the journal named the destinations: read the
 * envelopes of all that is queued and name them anew.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "queue/scan.h"
#include "queue/state.h"

/* In the order of the disk. */
static int
compare(const void *a, const void *b)
{
	const struct message *x = *(struct message *const *)a;
	const struct message *y = *(struct message *const *)b;

	if (x->place->number != y->place->number)
		return x->place->number < y->place->number ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static struct message **
all_messages(const struct index *index)
{
	struct message **list = mem_array(index->n, sizeof(list[0]));
	size_t n = 0;

	for (size_t i = 0; i < index->nbuckets; i++)
		for (struct message *m = index->buckets[i]; m != NULL;
		     m = m->next)
			list[n++] = m;
	if (n > 0)
		qsort(list, n, sizeof(list[0]), compare);
	return list;
}

/* What a recipient's old job said holds for its new one. */
static void
inherit(struct queue *queue, struct job *job, struct message *old)
{
	const struct job *from = pick(old, job_rcpts(job)[0], NULL).job;
	int64_t due = 0;

	if (from != NULL) {
		job->attempts = from->attempts;
		job->marks = from->marks & JOB_WARNED;
		due = from->due;
		if (from->reason != NULL)
			job_set_reason(
			    &queue->index, job, span_of(from->reason->text));
	}
	work_rest(queue, job, due);
}

static size_t
open_rcpts(struct message *message, uint16_t *rcpts)
{
	size_t n = 0;

	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		for (uint16_t k = 0; k < job->nrcpts; k++)
			rcpts[n++] = job_rcpts(job)[k];
	}
	return n;
}

static int
compare_rcpts(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The new one is found first, the old one is then taken out. */
static void
replace(
    struct queue *queue, struct message *old, const struct envelope *envelope)
{
	uint16_t *rcpts = mem_array(old->slots, sizeof(rcpts[0]));
	struct destination **to = mem_array(old->slots, sizeof(to[0]));
	struct message_spec spec = {
	    .id = old->id,
	    .place = old->place,
	    .offset = old->offset,
	    .length = old->length,
	    .arrived = old->arrived,
	    .size = old->size,
	    .marks = old->marks,
	    .rcpts = rcpts,
	    .to = to,
	    .n = open_rcpts(old, rcpts),
	};
	struct message *fresh;

	qsort(rcpts, spec.n, sizeof(rcpts[0]), compare_rcpts);
	for (size_t i = 0; i < spec.n; i++)
		to[i] = intake_route(
		    queue, envelope, &envelope->rcpts[rcpts[i]]);
	fresh = index_add(&queue->index, &spec);
	fresh->past = old->past;
	for (uint16_t i = 0; i < fresh->njobs; i++)
		inherit(queue, &fresh->jobs[i], old);
	index_remove(&queue->index, old);
	mem_free(rcpts);
	mem_free(to);
}

/* Has it all the recipients that the journal speaks of, in whatever order? */
static bool
covers(struct message *message, const struct envelope *envelope)
{
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		for (uint16_t k = 0; k < job->nrcpts; k++)
			if (job_rcpts(job)[k] >= envelope->nrcpts)
				return false;
	}
	return true;
}

/* What cannot be read keeps its destinations; delivery will say why. */
static void
reroute_one(struct queue *queue, struct scan *scan, struct message *message)
{
	struct record record;
	struct envelope envelope;
	struct span bytes;
	struct err err;

	scan_return(scan, message->offset);
	if (scan_next(scan, &record, &bytes, &err) <= 0 ||
	    record.id != message->id)
		return;
	arena_reset(queue->arena);
	if (envelope_decode(bytes, queue->arena, &envelope, &err) == 0 &&
	    covers(message, &envelope))
		replace(queue, message, &envelope);
}

int
reroute(struct queue *queue, struct err *err)
{
	struct message **list = all_messages(&queue->index);
	size_t n = queue->index.n;
	struct scan *scan = NULL;
	uint64_t number = 0;
	int done = 0;

	for (size_t i = 0; done == 0 && i < n; i++) {
		enum scan_file file;

		if (list[i]->place->number != number) {
			number = list[i]->place->number;
			scan_close(&scan);
			done = scan_open(
			    queue->spool, number, &file, &scan, err);
		}
		if (done == 0 && scan != NULL)
			reroute_one(queue, scan, list[i]);
	}
	scan_close(&scan);
	mem_free(list);
	return done;
}
