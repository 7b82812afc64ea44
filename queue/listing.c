#include "queue/listing.h"

#include "queue/state.h"

enum {
	BUCKETS_A_CALL = 512
};

void
queue_count(const struct queue *queue, struct queue_counts *ret_counts)
{
	const struct index *index = &queue->index;
	struct queue_counts counts = {
	    .messages = index->n,
	    .waiting = index->nheap,
	    .ready = index->nready,
	    .leased = index->nleased,
	    .held = index->nheld,
	    .destinations = index->destinations.n,
	    .segments = queue->places.n,
	    .journal_bytes = journal_size(&queue->journal),
	};

	for (size_t i = 0; i < queue->places.n; i++)
		counts.segment_bytes += queue->places.list[i]->bytes;
	/* 16 bytes is what the heap asks for a block of its own. */
	counts.memory = index->bytes + 16 * index->n +
	                index->destinations.bytes + index->reasons.bytes +
	                sizeof(void *) * (index->nbuckets + index->heap_size +
					     index->destinations.nbuckets +
					     index->reasons.nbuckets);
	*ret_counts = counts;
}

static void
show_job(const struct queue *queue, struct job *job, queue_on_entry *on_entry,
    void *arg)
{
	struct queue_entry entry = {
	    .state = (enum job_state)job->state,
	    .due = job->due,
	    .reason = job->reason == NULL ? "" : job->reason->text,
	};

	work_describe(queue, job, &entry.job);
	on_entry(arg, &entry);
}

static void
show_message(const struct queue *queue, struct message *message,
    queue_on_entry *on_entry, void *arg)
{
	for (uint16_t i = 0; i < message->njobs; i++)
		if (message->jobs[i].nrcpts > 0)
			show_job(queue, &message->jobs[i], on_entry, arg);
}

/*
 * The position is a bucket.  When the table doubles in between, what was in
 * bucket i is in i or in i + nbuckets: nothing unseen gets behind us.
 */
bool
queue_list(struct queue *queue, uint64_t *position, queue_on_entry *on_entry,
    void *arg)
{
	const struct index *index = &queue->index;
	uint64_t end = *position + BUCKETS_A_CALL;

	for (; *position < end && *position < index->nbuckets; ++*position) {
		struct message *m = index->buckets[*position];

		for (; m != NULL; m = m->next)
			show_message(queue, m, on_entry, arg);
	}
	return *position < index->nbuckets;
}

bool
queue_show(
    struct queue *queue, uint64_t id, queue_on_entry *on_entry, void *arg)
{
	struct message *message = index_find(&queue->index, id);

	if (message == NULL)
		return false;
	show_message(queue, message, on_entry, arg);
	return true;
}

const char *
job_state_name(enum job_state state)
{
	switch (state) {
	case JOB_WAITING:
		return "waiting";
	case JOB_READY:
		return "ready";
	case JOB_LEASED:
		return "under way";
	case JOB_HELD:
		return "held";
	}
	return "unknown";
}
