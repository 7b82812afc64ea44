/* Results in: fates, the journal's group commit, acknowledgements. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/net/channel.h"
#include "mta/queue/private.h"
#include "queue/attempt.h"

static loop_fn on_journal;

void
ack_later(struct queue_role *q, uint32_t owner, const struct ipc_result *result)
{
	struct ack *ack = mem_new(sizeof(*ack));

	ack->owner = owner;
	ack->message = result->message;
	ack->first = result->rcpts[0].ordinal;
	ack->next = q->acks;
	q->acks = ack;
}

static void
send_acks(struct queue_role *q)
{
	while (q->flying != NULL) {
		struct ack *ack = q->flying;
		struct peer *peer = peer_find(q, ack->owner);
		struct buf out;

		q->flying = ack->next;
		if (peer != NULL) {
			buf_init(&out, 64);
			ipc_put_settled(&out, ack->message, ack->first);
			channel_send(
			    peer->channel, IPC_SETTLED, buf_span(&out));
			buf_free(&out);
		}
		mem_free(ack);
	}
}

static void
work_journal(void *arg)
{
	struct queue_role *q = arg;

	if (batch_commit(q->batch, &q->batch_err) == 0)
		q->batch_err.kind = ERR_NONE;
}

void
journal_pump(struct queue_role *q)
{
	/* Nobody would wait for it: it will be said to the next queue role. */
	if (q->batch != NULL || q->stopped)
		return;
	q->batch = queue_journal_take(q->queue);
	/* Something is to be written, and the disk gives no file for it. */
	if (q->batch == NULL && queue_journal_pending(q->queue))
		return;
	q->flying = q->acks;
	q->acks = NULL;
	if (q->batch == NULL) {
		/* Nothing was written about them: nothing to wait for. */
		send_acks(q);
		return;
	}
	work_run(q->role->loop, work_journal, on_journal, q);
}

static void
keep_acks(struct queue_role *q)
{
	struct ack **end = &q->flying;

	while (*end != NULL)
		end = &(*end)->next;
	*end = q->acks;
	q->acks = q->flying;
	q->flying = NULL;
}

static void
on_journal(void *arg)
{
	struct queue_role *q = arg;
	bool failed = q->batch_err.kind != ERR_NONE;

	queue_journal_committed(q->queue, &q->batch, !failed);
	if (failed) {
		/* The batch is written again to a new file; the timer of
		 * housekeeping makes the next try. */
		log_trouble("journal-failed", &q->batch_err);
		keep_acks(q);
	} else {
		send_acks(q);
		journal_pump(q);
	}
	dispatch(q);
	queue_role_idle(q);
}

static enum settle
settle_of(enum ipc_outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DELIVERED:
	case OUTCOME_RELAYED:
	case OUTCOME_STORED:
		return SETTLE_DELIVERED;
	case OUTCOME_FAILED:
		return SETTLE_FAILED;
	case OUTCOME_RETRY:
	case OUTCOME_UNTRIED:
		break;
	}
	return SETTLE_RETRY;
}

static void
count(struct queue_role *q, enum fate fate)
{
	q->delivered += fate == FATE_DELIVERED;
	q->failed += fate == FATE_FAILED || fate == FATE_EXPIRED;
	q->deferred += fate == FATE_WAITS || fate == FATE_LATE;
	metrics_add(METRIC_SETTLED_DELIVERED, fate == FATE_DELIVERED);
	metrics_add(
	    METRIC_SETTLED_FAILED, fate == FATE_FAILED || fate == FATE_EXPIRED);
	metrics_add(
	    METRIC_SETTLED_DEFERRED, fate == FATE_WAITS || fate == FATE_LATE);
}

/* What the sender must hear of: failures and the word about a delay. */
static void
tell_sender(struct queue_role *q, const struct ipc_result *result,
    const struct queue_result *fates)
{
	struct bounce_rcpt *list = mem_array(result->nrcpts, sizeof(list[0]));
	size_t n = 0;

	for (size_t i = 0; i < result->nrcpts; i++) {
		enum fate fate = fates[i].fate;

		if (fate != FATE_FAILED && fate != FATE_EXPIRED &&
		    fate != FATE_LATE)
			continue;
		list[n++] = (struct bounce_rcpt){
		    .ordinal = fates[i].rcpt,
		    .fate = fate,
		    .err = result->rcpts[i].err,
		    .reply = result->rcpts[i].reply,
		    .remote = result->remote,
		    .until = fates[i].until,
		};
	}
	if (n > 0)
		bounce_send(q, result->message, list, n);
	mem_free(list);
}

void
result_rcpts(const struct ipc_result *result, uint16_t ret[IPC_RCPTS_MAX])
{
	for (size_t i = 0; i < result->nrcpts; i++)
		ret[i] = result->rcpts[i].ordinal;
}

/* The deliver process drains and has not begun with it: due at once. */
static bool
give_back(struct queue_role *q, uint32_t owner, const struct ipc_result *result)
{
	uint16_t rcpts[IPC_RCPTS_MAX];

	for (size_t i = 0; i < result->nrcpts; i++)
		if (result->rcpts[i].outcome != OUTCOME_UNTRIED)
			return false;
	result_rcpts(result, rcpts);
	queue_return(q->queue, result->message, rcpts, result->nrcpts, owner);
	return true;
}

/* What others share has to be true of all: that nobody got anywhere. */
static bool
nobody_was_answered(const struct ipc_result *result)
{
	for (size_t i = 0; i < result->nrcpts; i++)
		if (result->rcpts[i].outcome != OUTCOME_RETRY)
			return false;
	return true;
}

static enum health
health_of(const struct ipc_result *result)
{
	switch (result->health) {
	case IPC_HEALTH_GOOD:
		return HEALTH_GOOD;
	case IPC_HEALTH_BUSY:
		return HEALTH_BUSY;
	case IPC_HEALTH_DEAD:
		return nobody_was_answered(result) ? HEALTH_DEAD
		                                   : HEALTH_UNKNOWN;
	case IPC_HEALTH_UNKNOWN:
		break;
	}
	return HEALTH_UNKNOWN;
}

void
settle_job(struct queue_role *q, const struct queue_job *job,
    const struct ipc_rcpt_result *all, struct span remote)
{
	struct ipc_result *result = mem_new(sizeof(*result));

	result->message = job->id;
	result->remote = remote;
	result->nrcpts = job->nrcpts < IPC_RCPTS_MAX ? job->nrcpts
	                                             : IPC_RCPTS_MAX;
	for (size_t i = 0; i < result->nrcpts; i++) {
		result->rcpts[i] = *all;
		result->rcpts[i].ordinal = job->rcpts[i];
	}
	settle_now(q, result);
	mem_free(result);
}

/* Jobs to a dead destination whose time is over share what it was told. */
static void
settle_doomed(struct queue_role *q, const struct ipc_result *dead)
{
	struct queue_job job;

	while (queue_doomed(q->queue, clock_wall(), &job) == 1)
		settle_job(q, &job, &dead->rcpts[0], dead->remote);
}

/* For `danelaw queue show`: what of the message is still queued. */
static void
note(struct queue_role *q, const struct ipc_result *result,
    const struct queue_result *fates)
{
	struct attempt_note note = {
	    .when = clock_wall(),
	    .host = result->remote,
	    .tls = result->tls,
	};

	queue_note(q->queue, result->message, &note, fates, result->nrcpts);
}

void
settle_now(struct queue_role *q, const struct ipc_result *result)
{
	struct queue_result *fates = mem_array(
	    result->nrcpts, sizeof(fates[0]));
	enum health health = health_of(result);

	for (size_t i = 0; i < result->nrcpts; i++) {
		const struct ipc_rcpt_result *r = &result->rcpts[i];

		fates[i].rcpt = r->ordinal;
		fates[i].settle = settle_of(r->outcome);
		fates[i].why = fates[i].settle == SETTLE_DELIVERED ? NULL
		                                                   : &r->err;
		fates[i].said = r->reply;
	}
	queue_feedback(q->queue, result->message, result->rcpts[0].ordinal,
	    health, clock_wall());
	queue_settle(
	    q->queue, result->message, fates, result->nrcpts, clock_wall());
	for (size_t i = 0; i < result->nrcpts; i++)
		count(q, fates[i].fate);
	note(q, result, fates);
	tell_sender(q, result, fates);
	mem_free(fates);
	if (health == HEALTH_DEAD)
		settle_doomed(q, result);
}

/* RFC 3461 5.2: the word about a success is durable before the success. */
static bool
owes_word(const struct ipc_result *result)
{
	for (size_t i = 0; i < result->nrcpts; i++)
		if (result->rcpts[i].outcome == OUTCOME_RELAYED ||
		    result->rcpts[i].outcome == OUTCOME_STORED)
			return true;
	return false;
}

void
settle_result(
    struct queue_role *q, struct peer *peer, const struct ipc_result *result)
{
	if (peer->jobs > 0)
		peer->jobs--;
	if (owes_word(result)) {
		success_send(q, peer->owner, result);
		return;
	}
	ack_later(q, peer->owner, result);
	if (!give_back(q, peer->owner, result))
		settle_now(q, result);
}
