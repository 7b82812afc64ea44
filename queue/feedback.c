/* What deliveries tell of a destination, and what follows for its jobs. */
#include "queue/state.h"

/* How far queue_doomed() looks: the oldest stand in front. */
#define DOOMED_LOOK 1000

static void
leave_alone(struct queue *queue, struct job *job, int64_t now)
{
	struct destination *to = job->to;
	const struct schedule *schedule = &queue->setup.schedule;

	/* One delivery that found nobody speaks for those beside it. */
	if (to->until > now)
		return;
	to->until = now + throttle_dead(&to->throttle, schedule->first);
	queue->index.doomed = to;
	job->marks |= JOB_FOUND_DEAD;
}

void
queue_feedback(struct queue *queue, uint64_t id, uint16_t rcpt,
    enum health health, int64_t now)
{
	struct message *message = index_find(&queue->index, id);
	struct job *job = message == NULL ? NULL
	                                  : pick(message, rcpt, NULL).job;

	if (job == NULL)
		return;
	switch (health) {
	case HEALTH_UNKNOWN:
		return;
	case HEALTH_GOOD:
		job->to->until = 0;
		throttle_good(&job->to->throttle, queue->index.destination_max);
		break;
	case HEALTH_BUSY:
		throttle_busy(&job->to->throttle);
		break;
	case HEALTH_DEAD:
		leave_alone(queue, job, now);
		break;
	}
	index_check(&queue->index, job->to);
}

/* Its time is over, or its sender is owed a word, and nobody tried it. */
static bool
is_doomed(const struct queue *queue, struct job *job, int64_t now)
{
	const struct message *message = job_message(job);
	struct schedule schedule = work_schedule(queue, message);

	return schedule_expired(&schedule, now, message->arrived) ||
	       ((job->marks & (JOB_WARNED | JOB_WARNING)) == 0 &&
		   schedule_late(&schedule, now, message->arrived));
}

int
queue_doomed(struct queue *queue, int64_t now, struct queue_job *ret_job)
{
	struct destination *to = queue->index.doomed;
	struct job *job = to == NULL ? NULL : to->ready.first;

	for (unsigned i = 0; job != NULL && i < DOOMED_LOOK; i++) {
		if (is_doomed(queue, job, now)) {
			job_lease(&queue->index, job, 0);
			work_describe(queue, job, ret_job);
			return 1;
		}
		job = job->next;
	}
	queue->index.doomed = NULL;
	return 0;
}
