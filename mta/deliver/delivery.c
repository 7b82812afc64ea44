/* An attempt begins, finds a connection, and ends; see delivery.h. */
#include "mta/deliver/delivery.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/audit.h"
#include "mta/deliver/report.h"

#define ARENA_MAX (256u << 10)

#define X(NAME, fn) const struct step NAME = {#fn, step_##fn};
STEPS(X)
#undef X

static const struct link_ops delivery_link_ops;

/* The only place a delivery moves.  Callbacks call it; steps never do. */
void
delivery_run(struct delivery *d)
{
	while (d->step->run(d) == STEP_MORE)
		assert(d->mx == NULL && d->sts_find == NULL &&
		       d->host_find == NULL && d->tlsa_find == NULL);
}

void
delivery_end(struct delivery *d)
{
	struct deliver *deliver = d->deliver;

	dns_cancel(&d->mx);
	sts_find_cancel(&d->sts_find);
	sts_known_drop(&d->sts);
	host_find_cancel(&d->host_find);
	tlsa_find_cancel(&d->tlsa_find);
	link_close(&d->link);
	destination_release(d->destination);
	arena_free(&d->arena);
	arena_free(&d->host_arena);
	mem_free(d->outcomes);
	mem_free(d->replies);
	mem_free(d->left);
	mem_free(d->sent);
	mem_free(d);
	deliver_next(deliver);
}

enum step_result
step_open(struct delivery *d)
{
	if (job_open(d->job, &d->err) < 0)
		return go(d, &GIVE_UP);
	/* RFC 8689 4.2.1: what rests was made for mail that asks for less. */
	if (d->job->envelope->tls_wish != TLS_WISH_REQUIRED)
		d->link = destination_take(
		    d->destination, loop_now(d->deliver->role->loop));
	if (d->link == NULL)
		return go(d, &FIND_HOSTS);
	delivery_adopt(d);
	return go(d, &TRANSFER);
}

void
delivery_adopt(struct delivery *d)
{
	link_adopt(d->link, &delivery_link_ops, d);
}

enum step_result
step_connect(struct delivery *d)
{
	enum target_kind kind = d->job->target.kind;
	struct link_setup setup = {
	    .deliver = d->deliver,
	    .to = d->to,
	    .host = delivery_host(d),
	    .lmtp = kind == TARGET_LMTP_UNIX || kind == TARGET_LMTP_TCP,
	    .plain = d->plain,
	    .seen = d->decision.seen,
	    .plan = d->decision.plan,
	    .key = d->key,
	    .good_until = delivery_link_until(d),
	};

	d->connects++;
	d->link = link_open(&setup, &delivery_link_ops, d);
	return STEP_WAIT;
}

static void
on_ready(void *owner)
{
	struct delivery *d = owner;

	deliver_report_session(d);
	d->step = &TRANSFER;
	delivery_run(d);
}

/* Where we were, for the log, before the link goes. */
void
delivery_remember_way(struct delivery *d)
{
	link_way(d->link, &d->way);
}

void
delivery_fault(struct delivery *d, const struct err *err)
{
	if (err->kind != ERR_PERM || d->err.kind == ERR_NONE ||
	    d->err.kind == ERR_PERM)
		d->err = *err;
}

/*
 * Not one recipient was answered.  RFC 5321 5.1: the next address, the next
 * host; RFC 7435 3: or the same one in the clear, where no policy forbids it.
 */
static void
on_failed(void *owner, const struct err *err)
{
	struct delivery *d = owner;
	struct tls_seen *seen = &d->decision.seen;
	char shortfall[LINK_SHORTFALL_SIZE];

	*seen = *link_seen(d->link);
	deliver_report_session(d);
	delivery_remember_way(d);
	link_say_shortfall(d->link, shortfall);
	link_close(&d->link);
	if (seen->got == TLS_GOT_BROKEN && !d->plain &&
	    policy_judge(&d->decision.plan, seen) == VERDICT_CLEAR) {
		d->plain = true;
		d->step = &CONNECT;
	} else {
		delivery_note_refusal(d);
		delivery_log_skipped(d, err);
		delivery_fault(d, err);
		deliver_audit_skipped(d, shortfall);
		d->step = &NEXT_ADDRESS;
	}
	delivery_run(d);
}

static const struct link_ops delivery_link_ops = {
    .on_ready = on_ready, .on_done = delivery_on_done, .on_failed = on_failed};

void
delivery_start(struct job *job)
{
	struct delivery *d = mem_new(sizeof(*d));

	d->job = job;
	d->deliver = job->deliver;
	d->began = d->searching = loop_now(job->deliver->role->loop);
	d->arena = arena_new(ARENA_MAX);
	d->host_arena = arena_new(ARENA_MAX);
	d->outcomes = mem_array(job->nrcpts, sizeof(d->outcomes[0]));
	d->replies = mem_array(job->nrcpts, sizeof(d->replies[0]));
	d->left = mem_array(job->nrcpts, sizeof(d->left[0]));
	d->sent = mem_array(job->nrcpts, sizeof(d->sent[0]));
	while (d->nleft < job->nrcpts) {
		d->left[d->nleft] = (uint16_t)d->nleft;
		d->nleft++;
	}
	d->destination = destination_get(job->deliver, job->key);
	destination_hold(d->destination);
	d->step = &OPEN;
	delivery_run(d);
}
