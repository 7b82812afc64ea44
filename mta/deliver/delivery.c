/*
 * One attempt at one job by SMTP or LMTP.
 *
 * Steps stand in the order in which they happen, and the callback that ends
 * a wait stands right below the step that began it.
 *
 *   open > find_hosts > next_host > find_addresses > plan > next_address
 *    |                      ^                          |        |
 *    | a link rests         +---- this host will not --+     connect
 *    +-------------------------------------------------> transfer > settle
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/rdata.h"
#include "mta/deliver/private.h"

#define ADDRESSES_MAX 16
#define ARENA_MAX     (256u << 10)

enum step_result {
	STEP_MORE, /* d->step names another step: run it now */
	STEP_WAIT, /* one callback, and only it, will call delivery_run() */
	STEP_DONE, /* settled and freed: d is gone */
};

struct delivery;
typedef enum step_result step_fn(struct delivery *d);

struct step {
	const char *name;
	step_fn *run;
};

struct delivery {
	const struct step *step; /* the whole state: print its name */
	struct job *job;
	struct deliver *deliver;
	struct destination *destination;
	struct link *link;
	struct dns_query *query[2]; /* MX; or A and AAAA */
	struct arena *arena;        /* the hosts' names */
	struct mx_list hosts;
	struct mx_host configured; /* the one host of a configured target */
	size_t host;               /* being tried */
	uint16_t port;
	struct host_address addresses[2 * ADDRESSES_MAX];
	size_t naddresses;
	size_t address; /* being tried */
	struct net_address to;
	bool plain; /* this address once more without TLS */
	struct policy_facts facts;
	struct tls_plan plan;
	struct tls_seen seen;
	struct err err; /* of the last thing that went wrong */
	struct way way;
	char host_said[256];
};

#define STEPS(X)                          \
	X(OPEN, open)                     \
	X(FIND_HOSTS, find_hosts)         \
	X(NEXT_HOST, next_host)           \
	X(FIND_ADDRESSES, find_addresses) \
	X(PLAN, plan)                     \
	X(NEXT_ADDRESS, next_address)     \
	X(CONNECT, connect)               \
	X(TRANSFER, transfer)             \
	X(SETTLE, settle)                 \
	X(GIVE_UP, give_up)

#define X(NAME, fn)               \
	static step_fn step_##fn; \
	static const struct step NAME = {#fn, step_##fn};
STEPS(X)
#undef X

static dns_done on_mx, on_a, on_aaaa;
static const struct link_ops delivery_link_ops;

/* The only place a delivery moves.  Callbacks call it; steps never do. */
static void
delivery_run(struct delivery *d)
{
	while (d->step->run(d) == STEP_MORE)
		assert(d->query[0] == NULL && d->query[1] == NULL);
}

static enum step_result
go(struct delivery *d, const struct step *step)
{
	d->step = step;
	return STEP_MORE;
}

static void
delivery_free(struct delivery *d)
{
	dns_cancel(&d->query[0]);
	dns_cancel(&d->query[1]);
	link_close(&d->link);
	destination_release(d->destination);
	arena_free(&d->arena);
	mem_free(d);
}

static enum step_result
step_open(struct delivery *d)
{
	const struct envelope *envelope;

	if (job_open(d->job, &d->err) < 0)
		return go(d, &GIVE_UP);
	envelope = d->job->envelope;
	d->facts.sender = envelope->requiretls ? SENDER_REQUIRES_TLS
	                                       : SENDER_DEFAULT;
	d->link = envelope->requiretls ? NULL
	                               : destination_take(d->destination);
	if (d->link == NULL)
		return go(d, &FIND_HOSTS);
	link_adopt(d->link, &delivery_link_ops, d);
	return go(d, &TRANSFER);
}

/* A next hop the operator wrote down: one host, or no name at all. */
static enum step_result
use_configured(struct delivery *d)
{
	const struct target *target = &d->job->target;

	d->facts.hop = HOP_CONFIGURED;
	d->port = target->port;
	if (target->kind == TARGET_LMTP_UNIX) {
		d->configured.name = target->path;
		if (!net_address_unix(target->path, &d->to)) {
			(void)err_set(&d->err, ERR_TEMP, "4.3.5",
			    "%s: the path is too long", target->path);
			return go(d, &GIVE_UP);
		}
	} else {
		d->configured.name = target->host;
	}
	d->hosts.hosts = &d->configured;
	d->hosts.n = 1;
	return go(d, &NEXT_HOST);
}

static enum step_result
step_find_hosts(struct delivery *d)
{
	const struct target *target = &d->job->target;

	d->host = SIZE_MAX;
	if (target->kind != TARGET_MX)
		return use_configured(d);
	d->port = d->deliver->config->mx_port;
	/* RFC 5321 4.1.3: an address literal names its host. */
	if (target->host[0] == '[')
		return use_configured(d);
	d->query[0] = dns_lookup(
	    d->deliver->dns, target->host, RR_MX, on_mx, d);
	return STEP_WAIT;
}

static void
use_domain_as_host(struct delivery *d)
{
	d->configured.name = d->job->target.host;
	d->hosts.hosts = &d->configured;
	d->hosts.n = 1;
}

/*
 * RFC 5321 5.1: when we are one of the hosts, those of our preference and
 * the worse ones are left out, or the mail would come back to us.
 */
static const struct step *
use_hosts(struct delivery *d)
{
	const char *own = d->deliver->config->hostname;
	size_t n = 0;

	d->facts.hop = HOP_MX;
	while (n < d->hosts.n &&
	       !span_eq_nocase(span_of(d->hosts.hosts[n].name), span_of(own)))
		n++;
	if (n == d->hosts.n)
		return &NEXT_HOST;
	while (n > 0 &&
	       d->hosts.hosts[n - 1].preference == d->hosts.hosts[n].preference)
		n--;
	d->hosts.n = n;
	if (n > 0)
		return &NEXT_HOST;
	(void)err_set(&d->err, ERR_PERM, "5.4.6",
	    "%s: its best mail host is this one, which does not know the "
	    "domain",
	    d->job->target.host);
	return &GIVE_UP;
}

static const struct step *
judge_mx(struct delivery *d, enum mx_state state, const char *why)
{
	const char *domain = d->job->target.host;

	switch (state) {
	case MX_HOSTS:
		return use_hosts(d);
	case MX_NONE:
		/* RFC 5321 5.1: no MX, the domain itself is the host. */
		d->facts.hop = HOP_IMPLICIT;
		use_domain_as_host(d);
		return &NEXT_HOST;
	case MX_NULL:
		/* RFC 7505 4.2 */
		(void)err_set(&d->err, ERR_PERM, "5.1.10",
		    "%s: the domain takes no mail (null MX)", domain);
		return &GIVE_UP;
	case MX_UNUSABLE:
		(void)err_set(&d->err, ERR_PERM, "5.4.4",
		    "%s: its MX records name no host", domain);
		return &GIVE_UP;
	case MX_FAILED:
		break;
	}
	(void)err_set(&d->err, ERR_TEMP, "4.4.3", "%s: MX lookup: %s", domain,
	    why == NULL ? "malformed answer" : why);
	return &GIVE_UP;
}

static void
on_mx(const struct dns_answer *answer, void *arg)
{
	struct delivery *d = arg;
	enum mx_state state = mx_read(
	    answer, d->job->message, d->arena, &d->hosts);

	d->query[0] = NULL;
	d->facts.mx_trust = answer->trust;
	/* A domain that does not exist at all will not do so tomorrow. */
	if (state == MX_NONE && answer->nxdomain) {
		(void)err_set(&d->err, ERR_PERM, "5.1.2",
		    "%s: the domain does not exist", d->job->target.host);
		d->step = &GIVE_UP;
	} else {
		d->step = judge_mx(d, state, answer->why);
	}
	delivery_run(d);
}

/* RFC 5321 5.1: each host in order, until one takes the mail. */
static enum step_result
step_next_host(struct delivery *d)
{
	d->host++;
	d->address = SIZE_MAX;
	d->naddresses = 0;
	if (d->host >= d->hosts.n)
		return go(d, &GIVE_UP);
	return go(d, &FIND_ADDRESSES);
}

static const char *
host_name(const struct delivery *d)
{
	return d->hosts.hosts[d->host].name;
}

/* "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]" need no lookup. */
static bool
take_literal(struct delivery *d)
{
	struct span name = span_of(host_name(d));
	char text[64];

	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = (struct span){name.p + 1, name.n - 2};
	if (span_starts_nocase(name, SPAN("IPv6:")))
		name = span_from(name, 5);
	if (name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (!host_address_parse(text, &d->addresses[0]))
		return false;
	d->naddresses = 1;
	d->facts.address_trust = DNS_SECURE;
	return true;
}

static enum step_result
step_find_addresses(struct delivery *d)
{
	if (d->job->target.kind == TARGET_LMTP_UNIX) {
		d->facts.address_trust = DNS_SECURE;
		d->naddresses = 1;
		return go(d, &PLAN);
	}
	if (take_literal(d))
		return go(d, &PLAN);
	d->facts.address_trust = DNS_SECURE;
	d->query[0] = dns_lookup(d->deliver->dns, host_name(d), RR_A, on_a, d);
	d->query[1] = dns_lookup(
	    d->deliver->dns, host_name(d), RR_AAAA, on_aaaa, d);
	return STEP_WAIT;
}

/* The lesser trust counts: RFC 7672 2.2.2. */
static void
take_addresses(
    struct delivery *d, const struct dns_answer *answer, enum rr_type type)
{
	size_t n = 0;

	if (!addresses_read(answer, type, d->addresses + d->naddresses,
		ADDRESSES_MAX, &n)) {
		(void)err_set(&d->err, ERR_TEMP, "4.4.3",
		    "%s: address lookup: %s", host_name(d),
		    answer->why == NULL ? "malformed answer" : answer->why);
	}
	d->naddresses += n;
	if (answer->trust < d->facts.address_trust)
		d->facts.address_trust = answer->trust;
}

static void
addresses_done(struct delivery *d)
{
	if (d->query[0] != NULL || d->query[1] != NULL)
		return;
	if (d->naddresses == 0 && d->facts.address_trust > DNS_BOGUS)
		(void)err_set(&d->err, ERR_TEMP, "4.4.4",
		    "%s: the host has no address", host_name(d));
	d->step = d->naddresses == 0 ? &NEXT_HOST : &PLAN;
	delivery_run(d);
}

static void
on_a(const struct dns_answer *answer, void *arg)
{
	struct delivery *d = arg;

	d->query[0] = NULL;
	take_addresses(d, answer, RR_A);
	addresses_done(d);
}

static void
on_aaaa(const struct dns_answer *answer, void *arg)
{
	struct delivery *d = arg;

	d->query[1] = NULL;
	take_addresses(d, answer, RR_AAAA);
	addresses_done(d);
}

/* DANE and MTA-STS are not looked at yet, and the facts say so. */
static enum step_result
step_plan(struct delivery *d)
{
	d->facts.tlsa = TLSA_NOT_EVALUATED;
	d->facts.sts = STS_NOT_EVALUATED;
	d->plan = policy_plan(&d->facts);
	if (d->plan.need != TLS_DEFER)
		return go(d, &NEXT_ADDRESS);
	(void)err_set(&d->err, d->plan.enhanced[0] == '5' ? ERR_PERM : ERR_TEMP,
	    d->plan.enhanced[0] == '\0' ? "4.7.5" : d->plan.enhanced, "%s: %s",
	    host_name(d), d->plan.why);
	return go(d, &NEXT_HOST);
}

static void
address_to(
    const struct host_address *from, uint16_t port, struct net_address *to)
{
	*to = (struct net_address){.port = port};
	to->family = from->family == ADDRESS_IP6 ? AF_INET6 : AF_INET;
	memcpy(to->ip, from->bytes, sizeof(to->ip));
}

static enum step_result
step_next_address(struct delivery *d)
{
	d->address++;
	d->plain = false;
	d->seen = (struct tls_seen){TLS_GOT_NOTHING, NULL};
	if (d->address >= d->naddresses)
		return go(d, &NEXT_HOST);
	if (d->job->target.kind != TARGET_LMTP_UNIX)
		address_to(&d->addresses[d->address], d->port, &d->to);
	return go(d, &CONNECT);
}

static enum step_result
step_connect(struct delivery *d)
{
	enum target_kind kind = d->job->target.kind;
	struct link_setup setup = {
	    .deliver = d->deliver,
	    .to = d->to,
	    .host = host_name(d),
	    .lmtp = kind == TARGET_LMTP_UNIX || kind == TARGET_LMTP_TCP,
	    .plain = d->plain,
	    .seen = d->seen,
	    .plan = d->plan,
	};

	d->link = link_open(&setup, &delivery_link_ops, d);
	return STEP_WAIT;
}

static void
on_ready(void *owner)
{
	struct delivery *d = owner;

	d->step = &TRANSFER;
	delivery_run(d);
}

/* Where we were, for the log, before the link goes. */
static void
remember_way(struct delivery *d)
{
	link_way(d->link, &d->way);
	(void)text_copy(d->host_said, sizeof(d->host_said), d->way.host);
	d->way.host = d->host_said;
}

/*
 * Not one recipient was answered.  RFC 5321 5.1: the next address, the next
 * host; RFC 7435 3: or the same one in the clear, where no policy forbids it.
 */
static void
on_failed(void *owner, const struct err *err)
{
	struct delivery *d = owner;

	d->err = *err;
	d->seen = *link_seen(d->link);
	remember_way(d);
	link_close(&d->link);
	if (d->seen.got == TLS_GOT_BROKEN && !d->plain &&
	    policy_judge(&d->plan, &d->seen) == VERDICT_CLEAR) {
		d->plain = true;
		d->step = &CONNECT;
	} else {
		d->step = &NEXT_ADDRESS;
	}
	delivery_run(d);
}

static enum step_result
step_transfer(struct delivery *d)
{
	link_send(d->link, d->job);
	return STEP_WAIT;
}

/* A link that had rested may have been dead without our knowing. */
static bool
may_start_over(const struct delivery *d)
{
	return link_reused(d->link) && link_unanswered(d->link);
}

static void
on_done(void *owner, bool alive)
{
	struct delivery *d = owner;

	if (!alive && may_start_over(d)) {
		link_close(&d->link);
		message_rewind(d->job->in);
		d->step = &FIND_HOSTS;
	} else {
		d->step = &SETTLE;
	}
	delivery_run(d);
}

/* Who tells the sender, if that was asked for: the next hop, or we? */
static enum ipc_outcome
success_of(const struct delivery *d, size_t i)
{
	enum target_kind kind = d->job->target.kind;

	/* RFC 3461 5.2.1: behind LMTP there is only the mailbox. */
	if (kind == TARGET_LMTP_UNIX || kind == TARGET_LMTP_TCP)
		return job_success(d->job, i, OUTCOME_STORED);
	/* RFC 3461 5.2.2: a next hop without DSN will not tell. */
	if ((link_offers(d->link) & OFFER_DSN) == 0)
		return job_success(d->job, i, OUTCOME_RELAYED);
	return OUTCOME_DELIVERED;
}

static enum step_result
step_settle(struct delivery *d)
{
	struct job *job = d->job;
	struct link *link = d->link;
	struct deliver *deliver = d->deliver;
	struct outcome *outcomes = mem_array(job->nrcpts, sizeof(outcomes[0]));
	struct way way;

	remember_way(d);
	d->way.step = d->step->name;
	for (size_t i = 0; i < job->nrcpts; i++) {
		const struct client_result *r = link_result(link, i);

		outcomes[i].outcome = outcome_of(&r->err);
		outcomes[i].err = r->err;
		outcomes[i].reply = r->reply;
		if (outcomes[i].outcome == OUTCOME_DELIVERED)
			outcomes[i].outcome = success_of(d, i);
	}
	way = d->way;
	job_settle(job, outcomes, &way);
	mem_free(outcomes);
	if (link_alive(link) && !deliver->draining &&
	    link_uses(link) < deliver->config->limits.messages_connection) {
		d->link = NULL;
		destination_keep(d->destination, link);
	}
	delivery_free(d);
	deliver_next(deliver);
	return STEP_DONE;
}

/* No host took it: the last word on why is the result for all. */
static enum step_result
step_give_up(struct delivery *d)
{
	struct deliver *deliver = d->deliver;

	if (d->err.kind == ERR_NONE)
		(void)err_set(&d->err, ERR_BUG, "4.3.0", "no host was tried");
	d->way.step = d->step->name;
	job_settle_all(d->job, outcome_of(&d->err), &d->err, &d->way);
	delivery_free(d);
	deliver_next(deliver);
	return STEP_DONE;
}

static const struct link_ops delivery_link_ops = {
    .on_ready = on_ready, .on_done = on_done, .on_failed = on_failed};

void
delivery_start(struct job *job)
{
	struct delivery *d = mem_new(sizeof(*d));

	d->job = job;
	d->deliver = job->deliver;
	d->way.host = "";
	d->arena = arena_new(ARENA_MAX);
	d->destination = destination_get(job->deliver, job->key);
	destination_hold(d->destination);
	d->step = &OPEN;
	delivery_run(d);
}
