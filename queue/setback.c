/* Due times that were written under another clock. */
#include "queue/state.h"

/* All by the same, so that the heap stays in its order. */
void
queue_set_back(struct queue *queue, int64_t seconds)
{
	struct index *index = &queue->index;

	for (size_t i = 0; i < index->nheap; i++)
		index->heap[i]->due -= seconds;
	for (size_t i = 0; i < index->destinations.nbuckets; i++) {
		struct name *name = index->destinations.buckets[i];

		for (; name != NULL; name = name->next) {
			struct destination *to = (struct destination *)name;

			if (to->until > seconds)
				to->until -= seconds;
			else
				to->until = 0;
		}
	}
}

static void
bound_message(struct queue *queue, struct message *message, int64_t most)
{
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		if (job->state == JOB_WAITING && job->due > most)
			job_wait(&queue->index, job, most);
	}
}

void
setback_bound(struct queue *queue, int64_t now)
{
	struct index *index = &queue->index;
	int64_t longest = queue->setup.schedule.longest;
	int64_t most = now + longest + longest / 4;

	for (size_t i = 0; i < index->nbuckets; i++)
		for (struct message *m = index->buckets[i]; m != NULL;
		     m = m->next)
			bound_message(queue, m, most);
}
