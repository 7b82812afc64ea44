/* See report.h. */
#include "mta/deliver/report.h"

#include <search.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wire.h"
#include "mta/deliver/delivery.h"
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/net/tls.h"
#include "mta/target.h"
#include "reporting/result.h"
#include "reporting/session.h"

#define TELL_MS      500
#define COUNTS_MAX   4096
#define OCTETS_MAX   (16u << 20)
#define BACKLOG_HIGH (8u << 20) /* what the report role has not read yet */

/* Where ipc_put_event() has the number of sessions: behind the day. */
#define SESSIONS_AT sizeof(int64_t)

/* Sessions that came to the same; the message, but for how many. */
struct count {
	struct buf message; /* first: compared by it */
	struct count *next;
	uint64_t sessions;
};

struct report_counts {
	struct deliver *deliver;
	struct channel *role; /* NULL: it is not there */
	struct timer *timer;
	struct arena *arena; /* of the event in the making */
	void *tree;          /* tsearch(3) by the message */
	struct count *first;
	size_t n, octets;
	uint64_t lost; /* sessions, since the last word about it */
};

/* --- the role ------------------------------------------------------------- */

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	(void)owner; /* it has nothing to say */
	(void)type;
	(void)payload;
	(void)fd;
}

static void
on_closed(void *owner)
{
	struct report_counts *counts = owner;

	channel_close(&counts->role);
}

static const struct channel_ops role_ops = {on_message, on_closed};

void
deliver_report_peer(struct deliver *deliver, int fd)
{
	struct report_counts *counts = deliver->report;

	/* The one before reads to the end, and counts that. */
	channel_finish(&counts->role);
	counts->role = channel_new(deliver->role->loop, fd, &role_ops, counts);
}

/* --- telling -------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n == 0 ? 0 : memcmp(x->p, y->p, n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static void
say_lost(struct report_counts *counts)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, "report-lost");
	log_u64(&line, "sessions", counts->lost);
	log_end(&line);
	counts->lost = 0;
}

/* Out of the tree and the list; the caller's. */
static struct count *
take_first(struct report_counts *counts)
{
	struct count *count = counts->first;

	counts->first = count->next;
	(void)tdelete(count, &counts->tree, compare);
	counts->n--;
	counts->octets -= count->message.n;
	return count;
}

static void
count_free(struct count *count)
{
	buf_free(&count->message);
	mem_free(count);
}

static void
tell_first(struct report_counts *counts)
{
	struct count *count = take_first(counts);

	wire_store_u64(count->message.p + SESSIONS_AT, count->sessions);
	channel_send(counts->role, IPC_EVENT, buf_span(&count->message));
	count_free(count);
}

static void
tell_all(struct report_counts *counts)
{
	while (counts->first != NULL && counts->role != NULL &&
	       channel_backlog(counts->role) < BACKLOG_HIGH)
		tell_first(counts);
}

static void
on_time(void *arg)
{
	struct report_counts *counts = arg;

	tell_all(counts);
	if (counts->lost > 0)
		say_lost(counts);
	if (counts->first != NULL)
		timer_start(counts->timer, TELL_MS);
}

/* --- counting ------------------------------------------------------------- */

static bool
is_full(const struct report_counts *counts)
{
	return counts->n >= COUNTS_MAX || counts->octets >= OCTETS_MAX;
}

/* Takes the message. */
static void
add(struct report_counts *counts, struct buf *message)
{
	struct count key = {.message = *message};
	struct count **found = tfind(&key, &counts->tree, compare);
	struct count *count;

	if (found != NULL) {
		(*found)->sessions++;
		buf_free(message);
		return;
	}
	if (is_full(counts))
		tell_all(counts);
	if (is_full(counts)) {
		counts->lost++;
		buf_free(message);
		return;
	}
	count = mem_new(sizeof(*count));
	*count = (struct count){
	    .message = *message, .next = counts->first, .sessions = 1};
	counts->first = count;
	counts->n++;
	counts->octets += message->n;
	(void)tsearch(count, &counts->tree, compare);
	if (!timer_running(counts->timer))
		timer_start(counts->timer, TELL_MS);
}

/* RFC 8460 4.4: addresses of the connection, and the peer's own name, or "". */
struct ends {
	char ours[NET_ADDRESS_TEXT], theirs[NET_ADDRESS_TEXT];
	const char *helo;
};

static void
count_outcome(struct report_counts *counts, const char *domain,
    const struct report_outcome *outcome, const struct ends *ends)
{
	const struct report_failure failed = {.result = outcome->result,
	    .result_type = tls_result_name(outcome->result),
	    .sending_mta_ip = ends->ours,
	    .receiving_mx_hostname = outcome->mx_host,
	    .receiving_mx_helo = ends->helo,
	    .receiving_ip = ends->theirs,
	    .additional_information = "",
	    .failure_reason_code = outcome->reason};
	struct report_policy policy;
	struct report_event event = {.day = clock_wall() / REPORT_DAY_S,
	    .domain = domain,
	    .policy = &policy,
	    .failed = outcome->failed ? &failed : NULL,
	    .sessions = 1};
	struct buf message;

	arena_reset(counts->arena);
	buf_init(&message, CHANNEL_MESSAGE_MAX);
	if (report_policy_of(outcome, counts->arena, &policy) < 0 ||
	    ipc_put_event(&message, &event) < 0) {
		counts->lost++;
		buf_free(&message);
		return;
	}
	add(counts, &message);
}

/* What the delivery knows of the policy, and the connection of itself. */
static struct report_session
session_of(const struct delivery *d, const struct decision *decision,
    const struct tls_facts *tls)
{
	struct report_session session = {.decision = decision,
	    .sts_record = d->sts_record,
	    .sts_trouble = d->sts_type,
	    .sts_why = d->sts_trouble};

	if (d->sts != NULL)
		session.sts = &d->sts->entry.policy;
	if (tls != NULL) {
		session.tls_why = tls->failure;
		session.dane_why = tls->dane.why;
		session.host_why = tls->host.why;
	}
	return session;
}

void
deliver_report_session(const struct delivery *d)
{
	struct report_counts *counts = d->deliver->report;
	struct decision decision = d->decision;
	struct report_outcome outcomes[REPORT_OUTCOMES];
	struct report_session session;
	struct ends ends = {.helo = ""};
	size_t n;

	/* What is tried once more in the clear has been told. */
	if (counts == NULL || d->plain || !target_is_smtp(&d->job->target))
		return;
	if (d->link != NULL) {
		decision.seen = *link_seen(d->link);
		net_address_host(&d->to, ends.theirs);
		ends.helo = link_peer(d->link);
		if (d->deliver->config->reporting.sending_ip &&
		    link_local(d->link)->family != 0)
			net_address_host(link_local(d->link), ends.ours);
	}
	session = session_of(
	    d, &decision, d->link == NULL ? NULL : link_tls(d->link));
	n = report_session_of(&session, outcomes);
	for (size_t i = 0; i < n; i++)
		count_outcome(counts, d->job->target.host, &outcomes[i], &ends);
}

/* --- reports on their way ------------------------------------------------- */

void
deliver_report_mail(const struct job *job, const struct outcome *outcomes)
{
	struct report_counts *counts = job->deliver->report;
	struct ipc_reported word;
	struct buf out;

	if (job->envelope == NULL ||
	    job->envelope->tls_wish != TLS_WISH_REPORT || counts == NULL ||
	    counts->role == NULL)
		return;
	/* More than one, if an address of ours stands for several. */
	for (size_t i = 0; i < job->nrcpts; i++) {
		const struct outcome *one = &outcomes[i];
		bool good = outcome_is_good(one->outcome);

		if (one->outcome == OUTCOME_UNTRIED)
			continue;
		word.outcome = one->outcome;
		(void)text_copy(
		    word.ticket, sizeof(word.ticket), job->envelope->session);
		(void)text_copy(
		    word.why, sizeof(word.why), good ? "" : one->err.text);
		buf_init(&out, CHANNEL_MESSAGE_MAX);
		ipc_put_reported(&out, &word);
		channel_send(counts->role, IPC_REPORTED, buf_span(&out));
		buf_free(&out);
	}
}

/* --- life ----------------------------------------------------------------- */

void
deliver_report_open(struct deliver *deliver)
{
	struct report_counts *counts;

	if (!deliver->config->reporting.collect)
		return;
	counts = mem_new(sizeof(*counts));
	counts->deliver = deliver;
	counts->arena = arena_new(REPORT_POLICY_ARENA);
	counts->timer = timer_new(deliver->role->loop, on_time, counts);
	deliver->report = counts;
}

void
deliver_report_close(struct deliver *deliver)
{
	struct report_counts *counts = deliver->report;

	deliver->report = NULL;
	if (counts == NULL)
		return;
	tell_all(counts);
	for (const struct count *c = counts->first; c != NULL; c = c->next)
		counts->lost += c->sessions;
	if (counts->lost > 0)
		say_lost(counts);
	while (counts->first != NULL)
		count_free(take_first(counts));
	channel_finish(&counts->role);
	timer_free(&counts->timer);
	arena_free(&counts->arena);
	mem_free(counts);
}
