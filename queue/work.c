/* Jobs go out and come back. */
#include "queue/state.h"

void
work_rest(struct queue *queue, struct job *job, int64_t due)
{
	if (job_message(job)->marks & MESSAGE_HELD) {
		job->due = due;
		job_hold(&queue->index, job);
		return;
	}
	/* The first to be tried when its destination's time is over. */
	if (job->to->until > 0 && due > job->to->until)
		due = job->to->until;
	job_wait(&queue->index, job, due);
}

static unsigned
deaths_of(const struct job *job)
{
	return (unsigned)(job->marks & JOB_DEATHS) / JOB_DEATH;
}

struct schedule
work_schedule(const struct queue *queue, const struct message *message)
{
	return (message->marks & MESSAGE_BRIEF) != 0
	           ? schedule_brief(&queue->setup.schedule)
	           : queue->setup.schedule;
}

void
work_describe(
    const struct queue *queue, struct job *job, struct queue_job *ret_job)
{
	const struct message *message = job_message(job);
	struct schedule schedule = work_schedule(queue, message);

	*ret_job = (struct queue_job){
	    .id = message->id,
	    .at = {message->place->number, message->offset},
	    .size = message->size,
	    .arrived = message->arrived,
	    .ends = message->arrived + schedule.lifetime,
	    .destination = job->to->name.text,
	    .lane = job->to->lane,
	    .attempts = job->attempts,
	    .deaths = deaths_of(job),
	    .rcpts = job_rcpts(job),
	    .nrcpts = job->nrcpts,
	};
}

int
queue_next(struct queue *queue, int64_t now, struct queue_job *ret_job,
    int64_t *ret_when)
{
	struct job *job;

	index_wake(&queue->index, now);
	*ret_when = index_when(&queue->index);
	/* What is done could not be written down. */
	if (queue->journal.failing)
		return 0;
	job = index_pick(&queue->index);
	if (job == NULL)
		return 0;
	job_lease(&queue->index, job, 0);
	work_describe(queue, job, ret_job);
	return 1;
}

bool
queue_lease(struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n,
    uint32_t owner)
{
	struct message *message = index_find(&queue->index, id);
	struct picked picked = {0};
	bool any = false;

	for (size_t i = 0; message != NULL && i < n; i++) {
		struct job *before = picked.job;

		picked = pick(message, rcpts[i], before);
		if (picked.job == NULL)
			continue;
		any = true;
		if (picked.job != before && owner == 0)
			job_await(&queue->index, picked.job);
		else if (picked.job != before)
			job_lease(&queue->index, picked.job, owner);
	}
	return any;
}

static void
suspect(struct queue *queue, struct job *job, int64_t now)
{
	unsigned deaths = deaths_of(job);
	struct err why = {ERR_BUG, "4.3.0",
	    "the process that delivered it has died, more than once"};

	if (deaths < JOB_DEATHS / JOB_DEATH)
		job->marks += JOB_DEATH;
	if (deaths == 0)
		work_rest(queue, job, 0);
	else
		settle_again(queue, job, &why, now);
}

/* What this owner has: it is nobody's now, and the owner suspect or not. */
static size_t
take_back(struct queue *queue, uint32_t owner, bool died, int64_t now)
{
	struct job *job = queue->index.leased.first;
	size_t n = 0;

	while (job != NULL) {
		struct job *next = job->next;

		if (job->slot == owner) {
			if (died)
				suspect(queue, job, now);
			else
				work_rest(queue, job, 0);
			n++;
		}
		job = next;
	}
	return n;
}

size_t
queue_release(struct queue *queue, uint32_t owner)
{
	return take_back(queue, owner, false, 0);
}

size_t
queue_died(struct queue *queue, uint32_t owner, int64_t now)
{
	return take_back(queue, owner, true, now);
}

void
queue_return(struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n,
    uint32_t owner)
{
	struct message *message = index_find(&queue->index, id);

	for (size_t i = 0; message != NULL && i < n; i++) {
		struct picked picked = pick(message, rcpts[i], NULL);

		if (picked.job != NULL && picked.job->state == JOB_LEASED &&
		    picked.job->slot == owner)
			work_rest(queue, picked.job, 0);
	}
}
