/* A job: from the queue role's JOB to its SETTLED. */
#include <inttypes.h>
#include <search.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/private.h"
#include "mta/deliver/put.h"
#include "mta/deliver/report.h"
#include "mta/deliver/resolver.h"
#include "mta/net/channel.h"

#define ENVELOPE_MAX (4u << 20)

int
job_compare(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->message != y->message)
		return x->message < y->message ? -1 : 1;
	return (int)x->rcpts[0] - (int)y->rcpts[0];
}

struct job *
job_find(struct deliver *deliver, uint64_t message, uint16_t first)
{
	struct job key = {.message = message, .rcpts = &first};
	struct job **found = tfind(&key, &deliver->jobs, job_compare);

	return found == NULL ? NULL : *found;
}

struct job *
job_new(struct deliver *deliver, const struct ipc_job *from)
{
	struct job *job = mem_new(sizeof(*job));

	job->deliver = deliver;
	job->message = from->message;
	job->at.segment = from->segment;
	job->at.offset = from->offset;
	job->attempts = from->attempts;
	job->nrcpts = from->nrcpts;
	job->rcpts = mem_array(from->nrcpts, sizeof(job->rcpts[0]));
	memcpy(job->rcpts, from->rcpts, from->nrcpts * sizeof(job->rcpts[0]));
	memcpy(job->key, from->target.p, from->target.n);
	job->began = loop_now(deliver->role->loop);
	buf_init(&job->result, CHANNEL_MESSAGE_MAX);
	return job;
}

void
job_keep(struct job *job)
{
	(void)tsearch(job, &job->deliver->jobs, job_compare);
	job->deliver->njobs++;
	job->kept = true;
}

static void
job_close(struct job *job)
{
	message_close(&job->in);
	arena_free(&job->arena);
	job->envelope = NULL;
}

void
job_free(struct job *job)
{
	if (job->kept) {
		(void)tdelete(job, &job->deliver->jobs, job_compare);
		job->deliver->njobs--;
	}
	if (job->again != NULL)
		job_free(job->again);
	job_close(job);
	buf_free(&job->result);
	mem_free(job->rcpts);
	mem_free(job);
}

int
job_open(struct job *job, struct err *err)
{
	job->arena = arena_new(ENVELOPE_MAX);
	if (message_open(job->deliver->reader, job->message, job->at,
		job->arena, &job->in, err) < 0)
		return -1;
	job->envelope = message_envelope(job->in);
	job->size = message_size(job->in);
	for (size_t i = 0; i < job->nrcpts; i++)
		if (job->rcpts[i] >= job->envelope->nrcpts) {
			/* Nor is anybody else to look for it there. */
			job->envelope = NULL;
			return err_set(err, ERR_BUG, "4.3.0",
			    "the envelope has no recipient %u",
			    (unsigned)job->rcpts[i]);
		}
	return 0;
}

bool
outcome_is_good(enum ipc_outcome outcome)
{
	return outcome == OUTCOME_DELIVERED || outcome == OUTCOME_RELAYED ||
	       outcome == OUTCOME_STORED;
}

enum ipc_outcome
job_success(const struct job *job, size_t i, enum ipc_outcome told)
{
	const struct envelope_rcpt *rcpt = &job->envelope->rcpts[job->rcpts[i]];

	return (rcpt->notify & NOTIFY_SUCCESS) != 0 ? told : OUTCOME_DELIVERED;
}

enum ipc_outcome
outcome_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
		return OUTCOME_DELIVERED;
	case ERR_PERM:
		return OUTCOME_FAILED;
	case ERR_TEMP:
	case ERR_BUG:
		break;
	}
	return OUTCOME_RETRY;
}

static void
count(struct deliver *deliver, enum ipc_outcome outcome, const struct way *way)
{
	deliver->delivered += outcome == OUTCOME_DELIVERED ||
	                      outcome == OUTCOME_RELAYED;
	deliver->failed += outcome == OUTCOME_FAILED;
	deliver->deferred += outcome == OUTCOME_RETRY;
	metrics_add(METRIC_DELIVERED, outcome_is_good(outcome));
	metrics_add(METRIC_FAILED, outcome == OUTCOME_FAILED);
	metrics_add(METRIC_DEFERRED, outcome == OUTCOME_RETRY);
	if (outcome_is_good(outcome))
		metrics_add(
		    way->host[0] == '\0' ? METRIC_HOPS_LOCAL : way->security,
		    1);
}

static void
log_some(struct log_line *line, const char *key, const char *value)
{
	if (value[0] != '\0')
		log_str(line, key, value);
}

static void
log_way(struct log_line *line, const struct way *way)
{
	log_some(line, "host", way->host);
	log_some(line, "address", way->address);
	log_some(line, "tls", way->tls);
	log_some(line, "sts", way->sts);
	log_some(line, "protocol", way->protocol);
	log_some(line, "cipher", way->cipher);
	log_some(line, "sni", way->sni);
	log_some(line, "match", way->match);
	if (way->match[0] != '\0')
		log_i64(line, "depth", way->depth);
	if (way->resumed)
		log_str(line, "resumed", "yes");
	log_some(line, "audit", way->audit);
	log_str(line, "step", way->step);
}

/* The canonical line: one a recipient and attempt. */
static void
log_delivery(const struct job *job, size_t i, const struct outcome *outcome,
    const struct way *way)
{
	const struct envelope *envelope = job->envelope;
	bool good = outcome_is_good(outcome->outcome);
	char id[QUEUE_ID_SIZE];
	struct log_line line;

	queue_id_text(job->message, id);
	log_begin(&line, LOG_LEVEL_INFO, "delivery");
	log_str(&line, "id", id);
	log_str(&line, "session", envelope == NULL ? NULL : envelope->session);
	log_str(&line, "from", envelope == NULL ? NULL : envelope->sender);
	log_str(&line, "to",
	    envelope == NULL ? NULL : envelope->rcpts[job->rcpts[i]].address);
	log_str(&line, "target", job->key);
	log_way(&line, way);
	if (way->tls[0] != '\0' &&
	    deliver_dane_off_until(job->deliver, clock_wall()) != 0)
		log_str(&line, "dane", "off");
	log_u64(&line, "attempt", job->attempts + 1);
	log_u64(&line, "ms", loop_now(job->deliver->role->loop) - job->began);
	log_str(&line, "dsn", good ? "2.0.0" : outcome->err.enhanced);
	log_str(&line, "outcome", ipc_outcome_name(outcome->outcome));
	log_str(&line, "reason", good ? outcome->reply : outcome->err.text);
	log_end(&line);
}

bool
job_has_result(const struct job *job)
{
	return job->result.n > 0 && !job->putting;
}

static void
send_result(struct job *job)
{
	if (job->deliver->queue != NULL)
		channel_send(
		    job->deliver->queue, IPC_RESULT, buf_span(&job->result));
}

void
job_settle(
    struct job *job, const struct outcome *outcomes, const struct way *way)
{
	struct deliver *deliver = job->deliver;
	struct ipc_result *result = deliver->result;

	result->message = job->message;
	result->health = way->health;
	result->remote = span_of(way->host);
	result->tls = span_of(way->tls);
	result->nrcpts = job->nrcpts;
	for (size_t i = 0; i < job->nrcpts; i++) {
		result->rcpts[i].ordinal = job->rcpts[i];
		result->rcpts[i].outcome = outcomes[i].outcome;
		result->rcpts[i].err = outcomes[i].err;
		result->rcpts[i].reply = span_of(outcomes[i].reply);
		count(deliver, outcomes[i].outcome, way);
		if (outcomes[i].outcome != OUTCOME_UNTRIED)
			log_delivery(job, i, &outcomes[i], way);
	}
	ipc_put_result(&job->result, result);
	deliver_report_mail(job, outcomes);
	job->putting = put_start(job, outcomes);
	job_close(job);
	if (job->putting)
		return;
	send_result(job);
	deliver->running--;
}

void
job_was_put(struct deliver *deliver, uint64_t message, uint16_t first)
{
	struct job *job = job_find(deliver, message, first);

	deliver->running--;
	if (job == NULL || !job->putting)
		return;
	job->putting = false;
	send_result(job);
}

void
job_settle_all(struct job *job, enum ipc_outcome outcome, const struct err *err,
    const struct way *way)
{
	struct outcome *outcomes = mem_array(job->nrcpts, sizeof(outcomes[0]));

	for (size_t i = 0; i < job->nrcpts; i++) {
		outcomes[i].outcome = outcome == OUTCOME_STORED
		                          ? job_success(job, i, outcome)
		                          : outcome;
		outcomes[i].err = *err;
		outcomes[i].reply = "";
	}
	job_settle(job, outcomes, way);
	mem_free(outcomes);
}

void
job_return(struct job *job)
{
	static const struct way nowhere = {.step = "returned"};
	static const struct err none = {.kind = ERR_NONE};

	job_settle_all(job, OUTCOME_UNTRIED, &none, &nowhere);
}
