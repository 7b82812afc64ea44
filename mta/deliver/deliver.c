/*
 * The deliver role: takes jobs from the queue role, resolves, connects,
 * sends, and tells what became of each recipient.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/audit.h"
#include "mta/deliver/bounces.h"
#include "mta/deliver/link.h"
#include "mta/deliver/private.h"
#include "mta/deliver/report.h"
#include "mta/deliver/resolver.h"
#include "mta/net/channel.h"
#include "mta/net/tls.h"
#include "mta/resolver.h"
#include "mta/sts/finder.h"

#define TEND_MS 30000

static void
settle_now(struct job *job, enum ipc_outcome outcome, const struct err *err)
{
	struct way way = {.step = "route"};
	struct err none;

	if (job_open(job, &none) < 0 && outcome_is_good(outcome)) {
		job_settle_all(job, OUTCOME_RETRY, &none, &way);
		return;
	}
	job_settle_all(job, outcome, err, &way);
}

static void
job_start(struct job *job)
{
	struct err err = {.kind = ERR_NONE};

	if (target_of_key(job->key, &job->target, &err) < 0)
		job->target.kind = TARGET_NONE;
	switch (job->target.kind) {
	case TARGET_MX:
	case TARGET_SMTP:
	case TARGET_LMTP_TCP:
	case TARGET_LMTP_UNIX:
		delivery_start(job);
		return;
	case TARGET_MAILDIR:
		store_start(job);
		return;
	case TARGET_DISCARD:
		/* RFC 3461 5.2.3 (a): it ends here, as the operator wants, so
		 * nobody further on can tell (5.2.1, 5.2.2), and nothing has
		 * failed (5.2.6): "delivered" is all there is to say. */
		settle_now(job, OUTCOME_STORED, &err);
		return;
	case TARGET_REPORT_BOUNCES:
		bounces_start(job);
		return;
	case TARGET_EXPANDED:
		/* RFC 3461 5.2.7.3 (c): nothing but a word to the sender. */
		settle_now(job, OUTCOME_STORED, &err);
		return;
	case TARGET_NONE:
		break;
	}
	(void)err_set(&err, ERR_PERM, "5.1.3",
	    "there is no way to deliver to this address");
	settle_now(job, OUTCOME_FAILED, &err);
}

/* Start what waits, as far as the limit of deliveries allows. */
void
deliver_next(struct deliver *deliver)
{
	/* A job that ends at once comes here again: the loop below sees it. */
	if (deliver->starting)
		return;
	deliver->starting = true;
	while (deliver->waiting != NULL &&
	       deliver->running < deliver->config->limits.deliveries) {
		struct job *job = deliver->waiting;

		deliver->waiting = job->next;
		if (deliver->waiting == NULL)
			deliver->waiting_end = &deliver->waiting;
		deliver->running++;
		job_start(job);
	}
	deliver->starting = false;
}

static void
take_job(struct deliver *deliver, struct job *job)
{
	job_keep(job);
	if (deliver->draining) {
		deliver->running++;
		job_return(job);
		return;
	}
	*deliver->waiting_end = job;
	deliver->waiting_end = &job->next;
	deliver_next(deliver);
}

static void
on_job(struct deliver *deliver, const struct ipc_job *from)
{
	struct job *job = job_find(deliver, from->message, from->rcpts[0]);
	struct log_line line;

	if (job == NULL) {
		take_job(deliver, job_new(deliver, from));
		return;
	}
	/* Due again before our result was durable, and so before SETTLED. */
	if (job_has_result(job) && job->again == NULL) {
		job->again = job_new(deliver, from);
		return;
	}
	/* The queue role did not hear that we have it: we go on. */
	log_begin(&line, LOG_LEVEL_WARN, "job-twice");
	log_u64(&line, "message", from->message);
	log_end(&line);
}

static void
on_settled(struct deliver *deliver, uint64_t message, uint16_t first)
{
	struct job *job = job_find(deliver, message, first);
	struct job *again;

	if (job != NULL && job_has_result(job)) {
		again = job->again;
		job->again = NULL;
		job_free(job);
		if (again != NULL)
			take_job(deliver, again);
	}
	if (deliver->draining && deliver->njobs == 0)
		loop_stop(deliver->role->loop);
}

static void
on_queue_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct deliver *deliver = owner;
	struct ipc_job *job = mem_new(sizeof(*job));
	uint64_t message;
	uint16_t first;
	struct log_line line;

	if (fd >= 0)
		(void)close(fd);
	if (type == IPC_JOB && ipc_take_job(payload, job)) {
		on_job(deliver, job);
	} else if (type == IPC_SETTLED &&
		   ipc_take_settled(payload, &message, &first)) {
		on_settled(deliver, message, first);
	} else {
		log_begin(&line, LOG_LEVEL_ERROR, "bad-message");
		log_u64(&line, "type", type);
		log_end(&line);
	}
	mem_free(job);
}

static void
on_queue_closed(void *owner)
{
	struct deliver *deliver = owner;

	channel_close(&deliver->queue);
}

static const struct channel_ops queue_ops = {on_queue_message, on_queue_closed};

static void
send_held(struct deliver *deliver, const struct ipc_held *held)
{
	struct buf out;

	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_held(&out, held);
	channel_send(deliver->queue, IPC_HELD, buf_span(&out));
	buf_free(&out);
}

static void
tell_held(const void *node, VISIT visit, void *arg)
{
	struct job *job = *(struct job *const *)node;
	struct deliver *deliver = arg;
	struct ipc_held held = {.message = job->message, .nrcpts = job->nrcpts};

	if (visit != postorder && visit != leaf)
		return;
	memcpy(held.rcpts, job->rcpts, job->nrcpts * sizeof(held.rcpts[0]));
	send_held(deliver, &held);
	/* The new queue role knows nothing of it, and will decide anew. */
	if (job->again != NULL)
		job_free(job->again);
	job->again = NULL;
}

static void
tell_result(const void *node, VISIT visit, void *arg)
{
	const struct job *job = *(const struct job *const *)node;
	struct deliver *deliver = arg;

	if ((visit == postorder || visit == leaf) && job_has_result(job))
		channel_send(
		    deliver->queue, IPC_RESULT, buf_span(&job->result));
}

static void
take_report(struct deliver *deliver, int fd)
{
	if (deliver->report != NULL)
		deliver_report_peer(deliver, fd);
	else
		(void)close(fd);
}

/* A queue role is there, perhaps a new one: first what we hold. */
static void
on_peer(void *owner, const struct ipc_peer *peer, int fd)
{
	struct deliver *deliver = owner;
	struct ipc_held end = {.last = true};

	if (peer->kind == ROLE_REPORT) {
		take_report(deliver, fd);
		return;
	}
	channel_close(&deliver->queue);
	deliver->queue = channel_new(
	    deliver->role->loop, fd, &queue_ops, deliver);
	twalk_r(deliver->jobs, tell_held, deliver);
	send_held(deliver, &end);
	twalk_r(deliver->jobs, tell_result, deliver);
	if (deliver->draining)
		channel_send(
		    deliver->queue, IPC_DRAINING, (struct span){NULL, 0});
}

static void
close_idle(const void *node, VISIT visit, void *arg)
{
	struct destination *destination = *(struct destination *const *)node;
	struct destination ***at = arg;

	if (visit == postorder || visit == leaf)
		*(*at)++ = destination;
}

static void
count_node(const void *node, VISIT visit, void *arg)
{
	size_t *n = arg;

	(void)node;
	*n += visit == postorder || visit == leaf;
}

/* In two passes: closing may remove a destination from the tree. */
static void
close_all_idle(struct deliver *deliver)
{
	struct destination **all, **at;
	size_t n = 0;

	twalk_r(deliver->destinations, count_node, &n);
	all = mem_array(n, sizeof(struct destination *));
	at = all;
	twalk_r(deliver->destinations, close_idle, &at);
	for (size_t i = 0; i < n; i++)
		destination_close_idle(all[i]);
	mem_free(all);
}

static void
give_waiting_back(struct deliver *deliver)
{
	while (deliver->waiting != NULL) {
		struct job *job = deliver->waiting;

		deliver->waiting = job->next;
		deliver->running++;
		job_return(job);
	}
	deliver->waiting_end = &deliver->waiting;
}

/* Time is up: what has not ended will be tried again by the next process. */
static void
on_drain_deadline(void *arg)
{
	struct deliver *deliver = arg;
	struct log_line line;

	if (deliver->njobs > 0) {
		log_begin(&line, LOG_LEVEL_WARN, "drain-cut");
		log_u64(&line, "jobs", deliver->njobs);
		log_end(&line);
	}
	loop_stop(deliver->role->loop);
}

static void
on_drain(void *owner, uint32_t ms)
{
	struct deliver *deliver = owner;

	deliver->draining = true;
	timer_start(deliver->drain, ms);
	if (deliver->queue != NULL)
		channel_send(
		    deliver->queue, IPC_DRAINING, (struct span){NULL, 0});
	give_waiting_back(deliver);
	close_all_idle(deliver);
	if (deliver->njobs == 0)
		loop_stop(deliver->role->loop);
}

static void
on_ask(void *owner, const struct ipc_ask *ask)
{
	struct deliver *deliver = owner;
	struct buf out;

	buf_init(&out, 1024);
	if (buf_printf(&out,
		"{\"jobs\":%u,\"running\":%u,\"delivered\":%llu,"
		"\"deferred\":%llu,\"failed\":%llu}",
		(unsigned)deliver->njobs, (unsigned)deliver->running,
		(unsigned long long)deliver->delivered,
		(unsigned long long)deliver->deferred,
		(unsigned long long)deliver->failed) == 0)
		role_answer(deliver->role, ask->id, buf_span(&out), true);
	buf_free(&out);
}

static void
on_dane(void *owner, const struct ipc_dane *dane)
{
	struct deliver *deliver = owner;

	deliver_switch_dane(deliver, dane);
	/* What rests was decided on before, */
	close_all_idle(deliver);
	/* and what is in use: see step_settle(). */
	deliver->switched = loop_now(deliver->role->loop);
}

/* What rests was decided on by what is gone. */
static void
on_sts(void *owner, struct span changed)
{
	struct deliver *deliver = owner;
	char domain[DNS_NAME_SIZE] = "";

	if (changed.n >= sizeof(domain))
		return;
	if (changed.n > 0)
		memcpy(domain, changed.p, changed.n);
	sts_finder_forget(deliver->sts, domain);
	close_all_idle(deliver);
	deliver->switched = loop_now(deliver->role->loop);
}

static const struct role_ops deliver_ops = {.on_peer = on_peer,
    .on_drain = on_drain,
    .on_ask = on_ask,
    .on_dane = on_dane,
    .on_sts = on_sts};

/* Segments that are gone must not keep their space for an idle process. */
static void
on_tend(void *arg)
{
	struct deliver *deliver = arg;

	reader_tend(deliver->reader);
	timer_start(deliver->tend, TEND_MS);
}

/* Mail waits for it: the log is not enough. */
static void
on_sts_trouble(void *arg, const char *text)
{
	struct deliver *deliver = arg;

	role_tell_trouble(deliver->role, text);
}

static void
open_sts(struct deliver *deliver)
{
	const struct sts_finder_setup setup = {.loop = deliver->role->loop,
	    .dns = deliver->dns,
	    .config = deliver->config,
	    .on_trouble = on_sts_trouble,
	    .arg = deliver};

	deliver->sts = sts_finder_new(&setup);
	/* One process looks after what nobody asks for. */
	if (deliver->role->index == 0 && deliver->config->mta_sts.enabled)
		sts_finder_tend(deliver->sts);
}

static int
deliver_start(struct deliver *deliver, struct err *err)
{
	const struct tls_client_setup tls = {
	    .ca_file = deliver->config->ca_file};
	struct loop *loop = deliver->role->loop;

	role_spool(deliver->role, &deliver->spool);
	deliver->waiting_end = &deliver->waiting;
	deliver->reader = reader_new(&deliver->spool);
	deliver->result = mem_new(sizeof(*deliver->result));
	if (tls_client_new(&tls, &deliver->tls, err) < 0 ||
	    deliver_resolver_open(deliver, err) < 0)
		return -1;
	deliver->drain = timer_new(loop, on_drain_deadline, deliver);
	deliver->tend = timer_new(loop, on_tend, deliver);
	timer_start(deliver->tend, TEND_MS);
	deliver_audit_open(deliver);
	deliver_report_open(deliver);
	open_sts(deliver);
	role_ready(deliver->role, &deliver_ops, deliver);
	deliver_resolver_start(deliver);
	return 0;
}

/*
 * Attempts that were cut short by the end of their time hold connections and
 * queries; the process ends with them, and nothing acknowledged is lost.
 */
static void
deliver_end(struct deliver *deliver)
{
	struct log_line line;

	deliver_audit_close(deliver);
	deliver_report_close(deliver);
	channel_close(&deliver->queue);
	if (deliver->running > 0) {
		log_begin(&line, LOG_LEVEL_DEBUG, "ending-with-deliveries");
		log_u64(&line, "running", deliver->running);
		log_end(&line);
		_exit(EXIT_SUCCESS);
	}
	/* The loop may run: the rest is still there. */
	sts_finder_free(&deliver->sts);
	while (deliver->jobs != NULL)
		job_free(*(struct job **)deliver->jobs);
	close_all_idle(deliver);
	links_end(deliver);
	timer_free(&deliver->drain);
	timer_free(&deliver->tend);
	deliver_resolver_close(deliver);
	tls_client_free(&deliver->tls);
	reader_free(&deliver->reader);
	mem_free(deliver->result);
}

int
deliver_main(struct role *role)
{
	struct deliver deliver = {.role = role, .config = role->config};
	struct err err = {0};
	int status = EXIT_SUCCESS;

	if (deliver_start(&deliver, &err) == 0) {
		loop_run(role->loop);
	} else {
		log_event(LOG_LEVEL_ERROR, "role-not-started", err.text);
		status = EXIT_FAILURE;
	}
	deliver_end(&deliver);
	return status;
}
