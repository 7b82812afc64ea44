/*
 * The message to its recipients, in as many transactions as the peer's limits
 * make it.  What was answered is kept by position in the job; what is left
 * goes out in the next transaction.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/audit.h"
#include "mta/deliver/delivery.h"

static const char *
rcpt_domain(const struct delivery *d, size_t position)
{
	uint16_t ordinal = d->job->rcpts[position];

	return address_domain(d->job->envelope->rcpts[ordinal].address);
}

/* Is the domain of d->left[i] that of one before it? */
static bool
domain_is_known(const struct delivery *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(rcpt_domain(d, d->left[k]),
			rcpt_domain(d, d->left[i])) == 0)
			return true;
	return false;
}

/*
 * How many of those left may go into one transaction: RFC 9422 4.2 RCPTMAX,
 * and 4.3 RCPTDOMAINMAX, which counts for the whole session.
 */
static size_t
fitting(const struct delivery *d)
{
	const struct client_limits *limits = link_limits(d->link);
	size_t domains = 0, n = d->nleft;

	if (limits->rcpt_max > 0 && n > limits->rcpt_max)
		n = limits->rcpt_max;
	if (limits->rcpt_domain_max == 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		domains += !domain_is_known(d, i);
		if (domains > limits->rcpt_domain_max)
			return i;
	}
	return n;
}

enum step_result
step_transfer(struct delivery *d)
{
	d->nsent = fitting(d);
	for (size_t i = 0; i < d->nsent; i++)
		d->sent[i] = d->job->rcpts[d->left[i]];
	link_send(d->link, d->job, d->sent, d->nsent);
	return STEP_WAIT;
}

/* Who tells the sender, if that was asked for: the next hop, or we? */
static enum ipc_outcome
success_of(const struct delivery *d, size_t position)
{
	enum target_kind kind = d->job->target.kind;

	/* RFC 3461 5.2.1: behind LMTP there is only the mailbox. */
	if (kind == TARGET_LMTP_UNIX || kind == TARGET_LMTP_TCP)
		return job_success(d->job, position, OUTCOME_STORED);
	/* RFC 3461 5.2.2: a next hop without DSN will not tell. */
	if ((link_offers(d->link) & OFFER_DSN) == 0)
		return job_success(d->job, position, OUTCOME_RELAYED);
	return OUTCOME_DELIVERED;
}

static void
record(struct delivery *d, size_t position, const struct err *err,
    const char *reply)
{
	struct outcome *outcome = &d->outcomes[position];

	(void)text_copy(d->replies[position], REPLY_MAX, reply);
	outcome->outcome = outcome_of(err);
	outcome->err = *err;
	outcome->reply = d->replies[position];
	if (outcome->outcome == OUTCOME_DELIVERED)
		outcome->outcome = success_of(d, position);
}

/* Was one of them taken, or refused for good? */
static bool
any_final(const struct delivery *d)
{
	for (size_t i = 0; i < d->nsent; i++) {
		enum err_kind kind = link_result(d->link, i)->err.kind;

		if (kind == ERR_NONE || kind == ERR_PERM)
			return true;
	}
	return false;
}

/* Was something said of those who were sent, and of nobody else? */
static bool
any_own(const struct delivery *d)
{
	for (size_t i = 0; i < d->nsent; i++)
		if (link_result(d->link, i)->about == ABOUT_RCPT)
			return true;
	return false;
}

/* Keep the answers; what the peer wants in another transaction stays left. */
static void
take_results(struct delivery *d, bool again)
{
	size_t keep = 0;

	for (size_t i = 0; i < d->nleft; i++) {
		const struct client_result *r = i < d->nsent
		                                    ? link_result(d->link, i)
		                                    : NULL;

		/* RFC 5321 4.5.3.1.10: behind others that were taken. */
		if (r == NULL || (again && r->about == ABOUT_COUNT))
			d->left[keep++] = d->left[i];
		else
			record(d, d->left[i], &r->err, r->reply);
	}
	d->nleft = keep;
}

/*
 * Those whose turn never came share what was said of all, or of how many there
 * are.  What was said of others is not theirs.
 */
static void
give_up_rest(struct delivery *d)
{
	const struct client_result *last = d->nsent > 0 ? link_result(d->link,
							      d->nsent - 1)
	                                                : NULL;
	struct err err;

	if (last != NULL && last->about != ABOUT_RCPT)
		err = last->err;
	else
		(void)err_set(&err, ERR_TEMP, "4.5.3",
		    "the connection ended before it was their turn");
	while (d->nleft > 0)
		record(d, d->left[--d->nleft], &err, "");
}

/* A link that had rested may have been dead without our knowing. */
static bool
may_start_over(const struct delivery *d)
{
	return link_reused(d->link) && link_unanswered(d->link);
}

static const struct step *
start_over(struct delivery *d)
{
	link_close(&d->link);
	message_rewind(d->job->in);
	return &FIND_HOSTS;
}

/* What a host took is no vain try: its own limits are not those of a search. */
static void
search_anew(struct delivery *d)
{
	d->connects = 0;
	d->searching = loop_now(d->deliver->role->loop);
}

/*
 * Nobody was taken and nobody refused for good, and there are other hosts.
 * A link that had rested was found without looking for them.
 */
static bool
may_go_elsewhere(const struct delivery *d)
{
	if (link_in_doubt(d->link) ||
	    (d->address + 1 >= d->dns.naddresses && d->host + 1 >= d->hosts.n))
		return false;
	return d->nsent > 0 && !any_final(d);
}

/* RFC 5321 5.1: each address in order, until one delivery succeeds. */
static const struct step *
go_elsewhere(struct delivery *d)
{
	delivery_fault(d, &link_result(d->link, 0)->err);
	delivery_remember_way(d);
	d->let_through = true;
	link_close(&d->link);
	message_rewind(d->job->in);
	return &NEXT_ADDRESS;
}

static const struct step *
after_transaction(struct delivery *d, bool alive)
{
	bool progress;

	if (!alive && may_start_over(d))
		return start_over(d);
	if (may_go_elsewhere(d))
		return go_elsewhere(d);
	progress = alive && any_own(d);
	take_results(d, progress);
	if (d->nleft > 0 && progress) {
		if (!link_has_room(d->link)) {
			delivery_remember_way(d);
			search_anew(d);
			return start_over(d);
		}
		message_rewind(d->job->in);
		return &TRANSFER;
	}
	give_up_rest(d);
	return &SETTLE;
}

void
delivery_on_done(void *owner, bool alive)
{
	struct delivery *d = owner;

	d->step = after_transaction(d, alive);
	delivery_run(d);
}

/* 421 and a connection that breaks say it was too much; the rest is good. */
static enum ipc_health
health_of(const struct delivery *d)
{
	for (size_t i = 0; i < d->job->nrcpts; i++)
		if (d->outcomes[i].outcome != OUTCOME_RETRY ||
		    (d->outcomes[i].reply[0] != '\0' &&
			strncmp(d->outcomes[i].reply, "421", 3) != 0))
			return IPC_HEALTH_GOOD;
	return IPC_HEALTH_BUSY;
}

enum step_result
step_settle(struct delivery *d)
{
	struct link *link = d->link;

	delivery_remember_way(d);
	d->way.health = health_of(d);
	d->way.step = d->step->name;
	deliver_audit_settled(d);
	job_settle(d->job, d->outcomes, &d->way);
	/* RFC 7672 9.1: none decided on while DANE was off serves when on. */
	if (link_alive(link) && !d->deliver->draining && link_has_room(link) &&
	    d->began > d->deliver->switched &&
	    d->deliver->config->timeouts.idle > 0) {
		d->link = NULL;
		destination_keep(d->destination, link);
	}
	delivery_end(d);
	return STEP_DONE;
}

/*
 * Is nobody to be sent there for a while?  A message that cannot be read says
 * nothing of where it goes; nor does one whose sender asked for more than
 * others do, or for less (RFC 8689): they may well be taken.  Nor is one dead of
 * whose hosts one has just answered for a recipient, if to put it off.
 */
static bool
is_dead(const struct delivery *d)
{
	const struct envelope *envelope = d->job->envelope;

	return d->err.kind == ERR_TEMP && d->host_tried && !d->let_through &&
	       d->nleft == d->job->nrcpts && envelope != NULL &&
	       envelope->tls_wish == TLS_WISH_NONE;
}

/* No host took it: for those still left the last word on why is the result. */
enum step_result
step_give_up(struct delivery *d)
{
	if (delivery_looks_again(d))
		return go(d, &LOOK_AGAIN);
	if (d->err.kind == ERR_NONE)
		(void)err_set(&d->err, ERR_BUG, "4.3.0", "no host was tried");
	if (is_dead(d))
		d->way.health = IPC_HEALTH_DEAD;
	while (d->nleft > 0) {
		struct outcome *outcome = &d->outcomes[d->left[--d->nleft]];

		outcome->outcome = outcome_of(&d->err);
		outcome->err = d->err;
		outcome->reply = "";
	}
	d->way.step = d->step->name;
	deliver_audit_given_up(d);
	job_settle(d->job, d->outcomes, &d->way);
	delivery_end(d);
	return STEP_DONE;
}
