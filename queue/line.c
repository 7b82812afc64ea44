/* Where a job stands: the moves between heap, lists and ring of index.h. */
#include "queue/heap.h"
#include "queue/index.h"

static void
list_append(struct job_list *list, struct job *job)
{
	job->next = NULL;
	job->prev = list->last;
	if (list->last == NULL)
		list->first = job;
	else
		list->last->next = job;
	list->last = job;
}

static void
list_remove(struct job_list *list, struct job *job)
{
	if (job->prev == NULL)
		list->first = job->next;
	else
		job->prev->next = job->next;
	if (job->next == NULL)
		list->last = job->prev;
	else
		job->next->prev = job->prev;
	job->next = job->prev = NULL;
}

/* Last in the round. */
static void
ring_enter(struct index *index, struct destination *to)
{
	struct destination *turn = index->ring;

	if (turn == NULL) {
		to->next = to->prev = to;
		index->ring = to;
		return;
	}
	to->next = turn;
	to->prev = turn->prev;
	turn->prev->next = to;
	turn->prev = to;
}

static void
ring_leave(struct index *index, struct destination *to)
{
	if (index->ring == to)
		index->ring = to->next == to ? NULL : to->next;
	to->prev->next = to->next;
	to->next->prev = to->prev;
	to->next = to->prev = NULL;
}

static void
ring_check(struct index *index, struct destination *to)
{
	bool alone = to->until != 0 && to->waiting > 0;
	bool wanted = to->ready.first != NULL && !alone &&
	              to->running < to->throttle.limit;

	if (wanted && to->next == NULL)
		ring_enter(index, to);
	if (!wanted && to->next != NULL)
		ring_leave(index, to);
}

static void
leave(struct index *index, struct job *job)
{
	switch ((enum job_state)job->state) {
	case JOB_WAITING:
		heap_remove(index, job);
		job->to->waiting--;
		ring_check(index, job->to);
		break;
	case JOB_READY:
		list_remove(&job->to->ready, job);
		index->nready--;
		ring_check(index, job->to);
		break;
	case JOB_LEASED:
		list_remove(&index->leased, job);
		index->nleased--;
		job->to->running -= (job->marks & JOB_AWAITS) == 0;
		job->marks &= (uint8_t)~JOB_AWAITS;
		ring_check(index, job->to);
		break;
	case JOB_HELD:
		index->nheld--;
		break;
	}
}

void
job_wait(struct index *index, struct job *job, int64_t due)
{
	leave(index, job);
	job->state = JOB_WAITING;
	job->due = due;
	heap_add(index, job);
	job->to->waiting++;
	ring_check(index, job->to);
}

void
job_ready(struct index *index, struct job *job)
{
	leave(index, job);
	job->state = JOB_READY;
	list_append(&job->to->ready, job);
	index->nready++;
	ring_check(index, job->to);
}

/*
 * Off the heap for another reason than its time: it may have been the one that
 * was to end the rest of its destination.
 */
static void
drop_out(struct index *index, struct job *job)
{
	bool awaited = job->state == JOB_WAITING && job->due <= job->to->until;

	leave(index, job);
	if (awaited)
		index_relay(index, job->to);
}

static void
lease(struct index *index, struct job *job, uint32_t owner)
{
	drop_out(index, job);
	job->state = JOB_LEASED;
	job->slot = owner;
	list_append(&index->leased, job);
	index->nleased++;
}

void
job_lease(struct index *index, struct job *job, uint32_t owner)
{
	lease(index, job, owner);
	job->to->running++;
	ring_check(index, job->to);
}

void
job_await(struct index *index, struct job *job)
{
	lease(index, job, 0);
	job->marks |= JOB_AWAITS;
	ring_check(index, job->to);
}

void
job_hold(struct index *index, struct job *job)
{
	drop_out(index, job);
	job->state = JOB_HELD;
	index->nheld++;
}

void
job_done(struct index *index, struct job *job)
{
	drop_out(index, job);
	job->state = JOB_HELD;
	job->nrcpts = 0;
	job_message(job)->open--;
}

/* The newest: the others keep their order, and have more reason to be told. */
void
index_relay(struct index *index, struct destination *to)
{
	if (to->until != 0 && to->ready.last != NULL) {
		job_wait(index, to->ready.last, to->until);
		return;
	}
	to->until = 0;
	ring_check(index, to);
}

void
index_check(struct index *index, struct destination *to)
{
	ring_check(index, to);
}

void
index_wake(struct index *index, int64_t now)
{
	while (index->nheap > 0 && index->heap[0]->due <= now) {
		struct job *job = index->heap[0];

		if (job->to->until > now) {
			job_wait(index, job, job->to->until);
			continue;
		}
		job->to->until = 0;
		job_ready(index, job);
	}
}

int64_t
index_when(const struct index *index)
{
	return index->nheap == 0 ? INT64_MAX : index->heap[0]->due;
}

struct job *
index_pick(struct index *index)
{
	struct destination *to = index->ring;

	if (to == NULL)
		return NULL;
	index->ring = to->next;
	return to->ready.first;
}
