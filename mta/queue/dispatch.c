/* Jobs out: each destination belongs to one deliver process. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/net/channel.h"
#include "mta/queue/private.h"

#define BACKLOG_HIGH (1u << 20) /* jobs a deliver role has not read yet */
#define JOBS_AHEAD   2          /* times the deliveries it makes at once */
#define WAIT_MAX_S   3600

struct peer *
peer_find(struct queue_role *q, uint32_t owner)
{
	for (struct peer *p = q->peers; p != NULL; p = p->next)
		if (p->owner == owner)
			return p;
	return NULL;
}

static bool
takes_jobs(const struct peer *p)
{
	return p->is.kind == ROLE_DELIVER && p->told && !p->draining;
}

static size_t
count_delivers(const struct queue_role *q)
{
	size_t n = 0;

	for (const struct peer *p = q->peers; p != NULL; p = p->next)
		n += takes_jobs(p);
	return n;
}

/* More would only lie about in its memory, or in a channel it does not read. */
static bool
is_full(const struct peer *p)
{
	return p->jobs >= JOBS_AHEAD * p->q->config->limits.deliveries ||
	       channel_backlog(p->channel) > BACKLOG_HIGH;
}

static bool
has_room(const struct queue_role *q)
{
	for (const struct peer *p = q->peers; p != NULL; p = p->next)
		if (takes_jobs(p) && !is_full(p))
			return true;
	return false;
}

/* The one with the least to do; NULL: all have enough. */
static struct peer *
choose_any(const struct queue_role *q)
{
	struct peer *best = NULL;

	for (struct peer *p = q->peers; p != NULL; p = p->next)
		if (takes_jobs(p) && !is_full(p) &&
		    (best == NULL || p->jobs < best->jobs))
			best = p;
	return best;
}

/*
 * The same destination to the same process, as long as none comes or goes;
 * one that does not get on with its jobs must not keep them from the others.
 */
static struct peer *
choose(const struct queue_role *q, uint32_t lane, size_t n)
{
	size_t skip = lane % n;

	for (struct peer *p = q->peers; p != NULL; p = p->next)
		if (takes_jobs(p) && skip-- == 0)
			return is_full(p) ? choose_any(q) : p;
	return NULL;
}

/*
 * Nobody may be sent a job before everybody has told what they hold: it
 * could be the same one.  Who was started after us holds nothing.
 */
static bool
all_told(const struct queue_role *q)
{
	if (!q->peers_done)
		return false;
	for (const struct peer *p = q->peers; p != NULL; p = p->next)
		if (p->is.kind == ROLE_DELIVER && !p->told && !p->fresh)
			return false;
	return true;
}

static void
send_job(struct peer *peer, const struct queue_job *job)
{
	struct ipc_job say = {
	    .message = job->id,
	    .segment = job->at.segment,
	    .offset = job->at.offset,
	    .attempts = job->attempts,
	    .target = span_of(job->destination),
	};
	struct buf out;

	say.nrcpts = job->nrcpts < IPC_RCPTS_MAX ? job->nrcpts : IPC_RCPTS_MAX;
	memcpy(say.rcpts, job->rcpts, say.nrcpts * sizeof(say.rcpts[0]));
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_job(&out, &say);
	channel_send(peer->channel, IPC_JOB, buf_span(&out));
	buf_free(&out);
	peer->jobs++;
}

/*
 * Whoever had it has died, again and again, and its time is over: nobody will
 * tell how that ends but us.
 */
static bool
is_deadly(const struct queue_job *job, int64_t now)
{
	return job->deaths > 1 && now >= job->ends;
}

static void
give_up(struct queue_role *q, const struct queue_job *job)
{
	struct ipc_rcpt_result all = {.outcome = OUTCOME_RETRY};

	(void)err_set(&all.err, ERR_BUG, "4.3.0",
	    "the process that delivered it has died, again and again");
	settle_job(q, job, &all, (struct span){NULL, 0});
	journal_pump(q);
}

static void
wait_until(struct queue_role *q, int64_t when, int64_t now)
{
	int64_t seconds = when > now ? when - now : 1;

	if (when == INT64_MAX || seconds > WAIT_MAX_S)
		seconds = WAIT_MAX_S;
	timer_start(q->due, (uint64_t)seconds * 1000);
}

void
dispatch(struct queue_role *q)
{
	int64_t now = clock_wall(), when = INT64_MAX;
	size_t n = count_delivers(q);
	struct queue_job job;

	if (q->draining || n == 0 || !all_told(q))
		return;
	while (has_room(q) && queue_next(q->queue, now, &job, &when) == 1) {
		struct peer *peer;

		if (is_deadly(&job, now)) {
			give_up(q, &job);
			continue;
		}
		peer = choose(q, job.lane, n);
		if (peer == NULL) {
			queue_return(
			    q->queue, job.id, job.rcpts, job.nrcpts, 0);
			return;
		}
		send_job(peer, &job);
		(void)queue_lease(
		    q->queue, job.id, job.rcpts, job.nrcpts, peer->owner);
	}
	wait_until(q, has_room(q) ? when : now + 1, now);
}
