/* What became of the recipients of a job. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "queue/state.h"

/* NULL: not in its list.  The lists are sorted. */
static uint16_t *
find_rcpt(struct job *job, uint16_t rcpt)
{
	uint16_t *list = job_rcpts(job);
	size_t low = 0, high = job->nrcpts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle] < rcpt)
			low = middle + 1;
		else
			high = middle;
	}
	return low < job->nrcpts && list[low] == rcpt ? &list[low] : NULL;
}

struct picked
pick(struct message *message, uint16_t rcpt, struct job *hint)
{
	uint16_t *found = hint == NULL ? NULL : find_rcpt(hint, rcpt);

	for (uint16_t i = 0; found == NULL && i < message->njobs; i++) {
		hint = &message->jobs[i];
		found = find_rcpt(hint, rcpt);
	}
	return (struct picked){found == NULL ? NULL : hint, found};
}

void
settle_compact(struct queue *queue, struct job *job)
{
	uint16_t *list = job_rcpts(job);
	uint16_t kept = 0;

	for (uint16_t i = 0; i < job->nrcpts; i++)
		if (list[i] != RCPT_GONE)
			list[kept++] = list[i];
	job->nrcpts = kept;
	if (kept == 0)
		job_done(&queue->index, job);
}

static void
remember_dead(struct queue *queue, uint64_t id)
{
	if (queue->ndead == queue->dead_size) {
		size_t size = queue->dead_size == 0 ? 64 : queue->dead_size * 2;

		queue->dead = mem_grow(queue->dead,
		    queue->dead_size * sizeof(queue->dead[0]),
		    size * sizeof(queue->dead[0]));
		queue->dead_size = size;
	}
	queue->dead[queue->ndead++] = (struct dead){
	    id, journal_next_batch(&queue->journal)};
}

void
settle_finish(struct queue *queue, struct message *message)
{
	message->place->settled = journal_next_batch(&queue->journal);
	if (message->marks & MESSAGE_LARGE)
		remember_dead(queue, message->id);
	index_remove(&queue->index, message);
}

static uint32_t
random_next(struct queue *queue)
{
	/* xorshift64: for jitter, nothing else. */
	queue->random ^= queue->random << 13;
	queue->random ^= queue->random >> 7;
	queue->random ^= queue->random << 17;
	return (uint32_t)(queue->random >> 32);
}

/*
 * A peer that gives every message a text of its own must not cost us more
 * memory than a message does; the log has all of it.
 */
enum {
	REASON_SIZE = 100
};

static void
set_reason(struct queue *queue, struct job *job, const struct err *why)
{
	char text[REASON_SIZE];
	int n;

	if (why == NULL || why->kind == ERR_NONE)
		return;
	n = snprintf(text, sizeof(text), "%s %s", why->enhanced, why->text);
	if (n >= REASON_SIZE)
		memcpy(
		    text + sizeof(text) - sizeof("..."), "...", sizeof("..."));
	job_set_reason(&queue->index, job, span_of(text));
}

/* Once a job, before the first of its results. */
static void
touch(struct queue *queue, struct job *job, int64_t now)
{
	struct schedule schedule = work_schedule(queue, job_message(job));

	if (job->marks & JOB_TOUCHED)
		return;
	job->marks |= JOB_TOUCHED;
	if (job->attempts < UINT16_MAX)
		job->attempts++;
	job->due = schedule_next(&schedule, now, job_message(job)->arrived,
	    job->attempts, random_next(queue));
}

static enum fate
fate_of_retry(
    struct queue *queue, struct job *job, int64_t arrived, int64_t now)
{
	struct schedule schedule = work_schedule(queue, job_message(job));

	if (schedule_expired(&schedule, now, arrived))
		return FATE_EXPIRED;
	if (schedule_late(&schedule, now, arrived) &&
	    (job->marks & (JOB_WARNED | JOB_WARNING)) == 0)
		return FATE_LATE;
	return FATE_WAITS;
}

static void
judge(struct queue *queue, struct queue_result *result, struct picked picked,
    int64_t now)
{
	struct job *job = picked.job;

	touch(queue, job, now);
	job->marks &= (uint8_t)~JOB_DEATHS;
	switch (result->settle) {
	case SETTLE_DELIVERED:
		result->fate = FATE_DELIVERED;
		return;
	case SETTLE_FAILED:
		result->fate = FATE_FAILED;
		break;
	case SETTLE_RETRY:
		result->fate = fate_of_retry(
		    queue, job, job_message(job)->arrived, now);
		result->until = job->due;
		break;
	}
	set_reason(queue, job, result->why);
}

static bool
awaits_bounce(const struct queue_result *result)
{
	return result->fate == FATE_FAILED || result->fate == FATE_EXPIRED;
}

/* After all were judged: take out what was delivered. */
static size_t
mark_gone(const struct queue_result *results, struct picked *picked, size_t n,
    uint16_t *gone)
{
	size_t ngone = 0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].fate == FATE_DELIVERED) {
			*picked[i].rcpt = RCPT_GONE;
			gone[ngone++] = results[i].rcpt;
		}
		if (awaits_bounce(&results[i]))
			picked[i].job->marks |= JOB_BOUNCING;
		if (results[i].fate == FATE_LATE)
			picked[i].job->marks |= JOB_WARNING;
	}
	return ngone;
}

/* Each job that was touched goes where it now belongs. */
static void
put_away(struct queue *queue, struct job *job)
{
	bool bouncing = (job->marks & JOB_BOUNCING) != 0;
	bool found_dead = (job->marks & JOB_FOUND_DEAD) != 0;

	job->marks &= (uint8_t) ~(JOB_TOUCHED | JOB_BOUNCING | JOB_FOUND_DEAD);
	settle_compact(queue, job);
	if (job->nrcpts == 0)
		return;
	if (entry_put_retry(journal_buf(&queue->journal), job) < 0)
		queue->journal.failing = true;
	if (bouncing)
		job_await(&queue->index, job);
	else
		work_rest(queue, job, job->due);
	/* It will not be the one that tries again: it bounces, or is held. */
	if (found_dead && job->state != JOB_WAITING)
		index_relay(&queue->index, job->to);
}

void
settle_again(
    struct queue *queue, struct job *job, const struct err *why, int64_t now)
{
	touch(queue, job, now);
	set_reason(queue, job, why);
	put_away(queue, job);
}

/* Into the journal: that these are settled, or that all are. */
static void
write_down(struct queue *queue, struct message *message, enum entry_how how,
    const uint16_t *gone, size_t n)
{
	struct buf *out = journal_buf(&queue->journal);
	int done = message->open == 0
	               ? entry_put_finished(out, message->id, how)
	           : n == 0 ? 0
	                    : entry_put_done(out, message->id, how, gone, n);

	if (done < 0)
		queue->journal.failing = true;
	if (message->open == 0)
		settle_finish(queue, message);
}

static void
settle(struct queue *queue, struct message *message,
    struct queue_result *results, size_t n, int64_t now)
{
	struct picked *picked = mem_array(n, sizeof(picked[0]));
	uint16_t *gone = mem_array(n, sizeof(gone[0]));
	struct job *hint = NULL;
	size_t ngone;

	for (size_t i = 0; i < n; i++) {
		picked[i] = pick(message, results[i].rcpt, hint);
		hint = picked[i].job;
		if (hint != NULL)
			judge(queue, &results[i], picked[i], now);
	}
	ngone = mark_gone(results, picked, n, gone);
	for (size_t i = 0; i < n; i++)
		if (picked[i].job != NULL && picked[i].job->marks & JOB_TOUCHED)
			put_away(queue, picked[i].job);
	write_down(queue, message, HOW_DELIVERED, gone, ngone);
	mem_free(picked);
	mem_free(gone);
}

void
queue_settle(struct queue *queue, uint64_t id, struct queue_result *results,
    size_t n, int64_t now)
{
	struct message *message = index_find(&queue->index, id);

	for (size_t i = 0; i < n; i++) {
		results[i].fate = FATE_UNKNOWN;
		results[i].until = 0;
	}
	if (message != NULL)
		settle(queue, message, results, n, now);
}

/* Take these out of their jobs, whatever stands in the way. */
void
settle_drop(struct queue *queue, struct message *message, const uint16_t *rcpts,
    size_t n, enum entry_how how)
{
	struct picked *picked = mem_array(n, sizeof(picked[0]));
	struct job *hint = NULL;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		picked[i] = pick(message, rcpts[i], hint);
		hint = picked[i].job;
	}
	for (size_t i = 0; i < n; i++)
		if (picked[i].job != NULL) {
			*picked[i].rcpt = RCPT_GONE;
			picked[i].job->marks |= JOB_TOUCHED;
			found++;
		}
	for (size_t i = 0; i < n; i++) {
		struct job *job = picked[i].job;

		if (job == NULL || (job->marks & JOB_TOUCHED) == 0)
			continue;
		job->marks &= (uint8_t)~JOB_TOUCHED;
		settle_compact(queue, job);
		if (job->nrcpts > 0 && job->state == JOB_LEASED)
			work_rest(queue, job, job->due);
	}
	mem_free(picked);
	if (found > 0)
		write_down(queue, message, how, rcpts, n);
}

void
queue_bounced(struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n,
    int64_t now)
{
	struct message *message = index_find(&queue->index, id);

	(void)now;

	if (message != NULL)
		settle_drop(queue, message, rcpts, n, HOW_FAILED);
}

void
queue_warned(struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n)
{
	struct message *message = index_find(&queue->index, id);
	struct job *job = NULL;

	for (size_t i = 0; message != NULL && i < n; i++) {
		job = pick(message, rcpts[i], job).job;
		if (job == NULL || (job->marks & JOB_WARNED) != 0)
			continue;
		job->marks &= (uint8_t)~JOB_WARNING;
		job->marks |= JOB_WARNED;
		if (entry_put_retry(journal_buf(&queue->journal), job) < 0)
			queue->journal.failing = true;
	}
}
