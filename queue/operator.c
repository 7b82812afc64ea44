/* What the operator says. */
#include <string.h>

#include "base/mem.h"
#include "queue/state.h"

static void
apply_hold(struct queue *queue, struct message *message)
{
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		/* What is under way comes back to rest by itself. */
		if (job->nrcpts > 0 && job->state != JOB_LEASED)
			work_rest(queue, job, job->due);
	}
}

bool
queue_hold(struct queue *queue, uint64_t id, bool hold)
{
	struct message *message = index_find(&queue->index, id);

	if (message == NULL)
		return false;
	message->marks &= (uint8_t)~MESSAGE_HELD;
	if (hold)
		message->marks |= MESSAGE_HELD;
	apply_hold(queue, message);
	if (entry_put_hold(journal_buf(&queue->journal), id, hold) < 0)
		queue->journal.failing = true;
	return true;
}

/* Nobody will come back and say how it went. */
static bool
rests(const struct job *job)
{
	return job->state != JOB_LEASED || (job->marks & JOB_AWAITS) != 0;
}

bool
queue_remove(struct queue *queue, uint64_t id, int64_t now)
{
	struct message *message = index_find(&queue->index, id);
	uint16_t *rcpts;
	size_t n = 0;

	(void)now;
	if (message == NULL)
		return false;
	rcpts = mem_array(message->slots, sizeof(rcpts[0]));
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		if (!rests(job))
			continue;
		for (uint16_t k = 0; k < job->nrcpts; k++)
			rcpts[n++] = job_rcpts(job)[k];
	}
	settle_drop(queue, message, rcpts, n, HOW_REMOVED);
	mem_free(rcpts);
	return true;
}

/*
 * How many of these may go from the first on, all of one job.  Of one that
 * waits for its bounce nobody knows who has failed: with some of them gone the
 * others would be tried again, or never.
 */
static size_t
removable(struct job *job, const uint16_t *rcpts, size_t n)
{
	if (job == NULL || !rests(job))
		return 0;
	if (job->state != JOB_LEASED)
		return 1;
	return n >= job->nrcpts && memcmp(rcpts, job_rcpts(job),
				       job->nrcpts * sizeof(rcpts[0])) == 0
	           ? job->nrcpts
	           : 0;
}

size_t
queue_remove_rcpts(
    struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n)
{
	struct message *message = index_find(&queue->index, id);
	uint16_t *resting = mem_array(n, sizeof(resting[0]));
	size_t count = 0, i = 0;

	while (message != NULL && i < n) {
		size_t few = removable(
		    pick(message, rcpts[i], NULL).job, &rcpts[i], n - i);

		memcpy(&resting[count], &rcpts[i], few * sizeof(resting[0]));
		count += few;
		i += few > 0 ? few : 1;
	}
	if (count > 0)
		settle_drop(queue, message, resting, count, HOW_REMOVED);
	mem_free(resting);
	return count;
}

/* The operator knows better than our patience with the destination. */
static void
hurry(struct index *index, struct job *job, int64_t now)
{
	job->to->until = 0;
	job->due = job->due < now ? job->due : now;
	job_ready(index, job);
}

bool
queue_requeue(struct queue *queue, uint64_t id, int64_t now)
{
	struct message *message = index_find(&queue->index, id);

	for (uint16_t i = 0; message != NULL && i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		if (job->nrcpts == 0 || job->state == JOB_LEASED)
			continue;
		job->attempts = 0;
		job->due = now;
		if (entry_put_retry(journal_buf(&queue->journal), job) < 0)
			queue->journal.failing = true;
		if (job->state == JOB_WAITING)
			hurry(&queue->index, job, now);
	}
	return message != NULL;
}

size_t
queue_flush(struct queue *queue, const char *destination, int64_t now)
{
	struct index *index = &queue->index;
	struct name *name = destination == NULL
	                        ? NULL
	                        : names_find(&index->destinations,
				      span_of(destination));
	struct job **found;
	size_t n = 0;

	if (destination != NULL && name == NULL)
		return 0;
	found = mem_array(index->nheap, sizeof(found[0]));
	for (size_t i = 0; i < index->nheap; i++)
		if (name == NULL || &index->heap[i]->to->name == name)
			found[n++] = index->heap[i];
	for (size_t i = 0; i < n; i++)
		hurry(index, found[i], now);
	mem_free(found);
	return n;
}

bool
queue_flush_message(struct queue *queue, uint64_t id, int64_t now)
{
	struct message *message = index_find(&queue->index, id);

	if (message == NULL)
		return false;
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		if (job->state == JOB_WAITING)
			hurry(&queue->index, job, now);
	}
	return true;
}
