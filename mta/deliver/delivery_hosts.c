/* Where to: the hosts of a target, and their addresses. */
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mta/deliver/delivery.h"
#include "mta/facts.h"

/*
 * How long facts are believed without being looked up again, whatever their
 * TTL says: the operator's rules and the switch for DANE count, too.
 */
#define TTL_MOST 300u

static dns_done on_mx;
static host_done on_addresses;

uint64_t
delivery_until(const struct delivery *d, uint32_t ttl)
{
	uint32_t seconds = ttl < TTL_MOST ? ttl : TTL_MOST;

	return loop_now(d->deliver->role->loop) + 1000 * (uint64_t)seconds;
}

/* A next hop the operator wrote down: one host, or no name at all. */
static enum step_result
use_configured(struct delivery *d)
{
	const struct target *target = &d->job->target;

	d->decision.facts.hop = HOP_CONFIGURED;
	d->good_until = delivery_until(d, UINT32_MAX);
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
	return go(d, &FIND_POLICY);
}

enum step_result
step_find_hosts(struct delivery *d)
{
	const struct target *target = &d->job->target;

	/* Not the first search, perhaps: what the last one found may go, and
	 * with it what was decided on the names it had. */
	arena_reset(d->arena);
	d->decision = (struct decision){0};
	d->way = (struct way){.host = ""};
	d->hosts = (struct mx_list){0};
	d->host = SIZE_MAX;
	d->host_tried = true;
	d->decision.facts.next_hop = target->host;
	d->decision.facts.next_hop_expanded = "";
	if (target->kind != TARGET_MX)
		return use_configured(d);
	d->port = d->deliver->config->mx_port;
	d->mx = dns_lookup(d->deliver->dns, target->host, RR_MX, on_mx, d);
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
	d->decision.facts.hop = HOP_MX;
	d->hosts.n = mx_better_than(&d->hosts, d->deliver->config->hostname);
	if (d->hosts.n > 0)
		return &FIND_POLICY;
	(void)err_set(&d->err, ERR_PERM, "5.4.6",
	    "%s: its best mail host is this one, which does not know the "
	    "domain",
	    d->job->target.host);
	return &GIVE_UP;
}

/* RFC 7672 2.1.2: a decision, too, and so it stands in the log. */
static void
decide_without_hosts(struct delivery *d)
{
	struct decision *decision = &d->decision;

	decision->facts.hop = HOP_MX;
	/* RFC 7672 2.1.1: a malformed answer is no answer. */
	if (decision->facts.mx_trust > DNS_BOGUS)
		decision->facts.mx_trust = DNS_FAILED;
	decision->plan = policy_plan(&decision->facts);
	decision_text(&decision->plan, &decision->seen, d->way.tls);
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
		d->decision.facts.hop = HOP_IMPLICIT;
		use_domain_as_host(d);
		return &FIND_POLICY;
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
	decide_without_hosts(d);
	(void)err_set(&d->err, ERR_TEMP, "4.4.3", "%s: MX lookup: %s", domain,
	    why == NULL ? "malformed answer" : why);
	return &GIVE_UP;
}

static void
on_mx(const struct dns_answer *answer, void *arg)
{
	struct delivery *d = arg;
	/* Another order each time, so that all have their turn. */
	enum mx_state state = mx_read(
	    answer, d->job->message + d->job->attempts, d->arena, &d->hosts);

	d->mx = NULL;
	d->good_until = delivery_until(d, answer->ttl);
	d->decision.facts.mx_trust = answer->trust;
	/* RFC 7672 2.2.1: an alias is followed to where its MX records are. */
	d->decision.facts.next_hop_expanded = arena_strndup(
	    d->arena, answer->canonical, strlen(answer->canonical));
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
enum step_result
step_next_host(struct delivery *d)
{
	d->host++;
	d->address = SIZE_MAX;
	/* One whose lookups fail costs minutes, and never gets an address. */
	if (d->host >= d->hosts.n || (d->host > 0 && delivery_had_enough(d)))
		return go(d, &GIVE_UP);
	return go(d, &FIND_ADDRESSES);
}

const char *
delivery_host(const struct delivery *d)
{
	return d->hosts.hosts[d->host].name;
}

enum step_result
step_find_addresses(struct delivery *d)
{
	arena_reset(d->host_arena);
	d->detail[0] = '\0';
	d->dns = (struct host_dns){.trust = DNS_SECURE};
	d->host_until = delivery_until(d, UINT32_MAX);
	d->decision.facts.host = delivery_host(d);
	if (d->job->target.kind == TARGET_LMTP_UNIX) {
		d->dns.naddresses = 1;
		return go(d, &FIND_TLSA);
	}
	if (facts_literal(delivery_host(d), &d->dns.addresses[0])) {
		d->dns.naddresses = 1;
		/* RFC 6066 3: an address is no server name. */
		d->decision.facts.host = "";
		return go(d, &FIND_TLSA);
	}
	d->host_find = host_find(
	    d->deliver->dns, delivery_host(d), on_addresses, d);
	return STEP_WAIT;
}

/* RFC 5321 5.1: a domain without MX and addresses is an error. */
static void
say_no_address(struct delivery *d)
{
	bool implicit = d->decision.facts.hop == HOP_IMPLICIT;
	struct err err;

	(void)err_set(&err, implicit ? ERR_PERM : ERR_TEMP,
	    implicit ? "5.1.2" : "4.4.4", "%s: %s has no address",
	    delivery_host(d),
	    implicit ? "the domain has no mail host and" : "the host");
	delivery_fault(d, &err);
}

static void
on_addresses(const struct host_dns *host, void *arg)
{
	struct delivery *d = arg;
	bool known = host->trust > DNS_BOGUS;

	d->host_find = NULL;
	d->dns = *host;
	(void)text_copy(d->detail, sizeof(d->detail), host->why);
	d->host_until = delivery_until(d, host->ttl);
	if (known && host->naddresses == 0)
		say_no_address(d);
	d->step = known && host->naddresses == 0 ? &NEXT_HOST : &FIND_TLSA;
	delivery_run(d);
}
