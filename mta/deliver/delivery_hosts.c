/* Where to: the hosts of a target, their addresses, what they must show. */
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mta/deliver/delivery.h"

#define CONNECTS_MAX 20
#define SEARCH_MS    600000

static dns_done on_mx, on_a, on_aaaa;

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

enum step_result
step_find_hosts(struct delivery *d)
{
	const struct target *target = &d->job->target;

	d->host = SIZE_MAX;
	d->host_tried = true;
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
	/* Another order each time, so that all have their turn. */
	enum mx_state state = mx_read(
	    answer, d->job->message + d->job->attempts, d->arena, &d->hosts);

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
enum step_result
step_next_host(struct delivery *d)
{
	d->host++;
	d->address = SIZE_MAX;
	d->naddresses = 0;
	if (d->host >= d->hosts.n)
		return go(d, &GIVE_UP);
	return go(d, &FIND_ADDRESSES);
}

const char *
delivery_host(const struct delivery *d)
{
	return d->hosts.hosts[d->host].name;
}

/* "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]" need no lookup. */
static bool
take_literal(struct delivery *d)
{
	struct span name = span_of(delivery_host(d));
	char text[64];

	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = (struct span){name.p + 1, name.n - 2};
	if (span_starts_nocase(name, SPAN("IPv6:")))
		name = span_from(name, 5);
	if (name.n == 0 || name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (!host_address_parse(text, &d->addresses[0]))
		return false;
	d->naddresses = 1;
	d->facts.address_trust = DNS_SECURE;
	return true;
}

enum step_result
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
	d->query[0] = dns_lookup(
	    d->deliver->dns, delivery_host(d), RR_A, on_a, d);
	d->query[1] = dns_lookup(
	    d->deliver->dns, delivery_host(d), RR_AAAA, on_aaaa, d);
	return STEP_WAIT;
}

/* The lesser trust counts: RFC 7672 2.2.2. */
static void
take_addresses(
    struct delivery *d, const struct dns_answer *answer, enum rr_type type)
{
	size_t n = 0;
	struct err err;

	if (!addresses_read(answer, type, d->addresses + d->naddresses,
		ADDRESSES_MAX, &n)) {
		(void)err_set(&err, ERR_TEMP, "4.4.3", "%s: address lookup: %s",
		    delivery_host(d),
		    answer->why == NULL ? "malformed answer" : answer->why);
		delivery_fault(d, &err);
	}
	d->naddresses += n;
	if (answer->trust < d->facts.address_trust)
		d->facts.address_trust = answer->trust;
}

static void
addresses_done(struct delivery *d)
{
	bool implicit = d->facts.hop == HOP_IMPLICIT;
	struct err err;

	if (d->query[0] != NULL || d->query[1] != NULL)
		return;
	if (d->naddresses == 0 && d->facts.address_trust > DNS_BOGUS) {
		/* RFC 5321 5.1: a domain with neither is an error. */
		(void)err_set(&err, implicit ? ERR_PERM : ERR_TEMP,
		    implicit ? "5.1.2" : "4.4.4", "%s: %s has no address",
		    delivery_host(d),
		    implicit ? "the domain has no mail host and" : "the host");
		delivery_fault(d, &err);
	}
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
enum step_result
step_plan(struct delivery *d)
{
	struct err err;

	d->facts.tlsa = TLSA_NOT_EVALUATED;
	d->facts.sts = STS_NOT_EVALUATED;
	d->plan = policy_plan(&d->facts);
	if (d->plan.need != TLS_DEFER)
		return go(d, &NEXT_ADDRESS);
	(void)err_set(&err, d->plan.enhanced[0] == '5' ? ERR_PERM : ERR_TEMP,
	    d->plan.enhanced[0] == '\0' ? "4.7.5" : d->plan.enhanced, "%s: %s",
	    delivery_host(d), d->plan.why);
	delivery_fault(d, &err);
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

static bool
is_listener(const struct config_address *listener, const struct net_address *to)
{
	struct net_address own;
	static const uint8_t any[16];

	return listener->port == to->port &&
	       net_address_ip(listener->ip, to->port, &own) &&
	       own.family == to->family &&
	       (memcmp(own.ip, any, sizeof(any)) == 0 ||
		   memcmp(own.ip, to->ip, sizeof(own.ip)) == 0);
}

/*
 * RFC 5321 5.1: what names our own loopback as a host would come back to us,
 * from an address we may well relay for.
 */
static bool
is_ourselves(const struct delivery *d)
{
	const struct config *config = d->deliver->config;

	if (!host_address_is_loopback(&d->addresses[d->address]))
		return false;
	for (size_t i = 0; i < config->nlistens; i++)
		for (size_t j = 0; j < config->listens[i].naddresses; j++)
			if (is_listener(
				&config->listens[i].addresses[j], &d->to))
				return true;
	return false;
}

/* RFC 5321 5.1: how many addresses are tried may have a limit. */
static bool
had_enough(const struct delivery *d)
{
	return d->connects >= CONNECTS_MAX ||
	       loop_now(d->deliver->role->loop) - d->began > SEARCH_MS;
}

enum step_result
step_next_address(struct delivery *d)
{
	struct err err;

	d->address++;
	d->plain = false;
	d->seen = (struct tls_seen){TLS_GOT_NOTHING, NULL};
	if (d->address >= d->naddresses)
		return go(d, &NEXT_HOST);
	if (had_enough(d))
		return go(d, &GIVE_UP);
	if (d->job->target.kind == TARGET_LMTP_UNIX)
		return go(d, &CONNECT);
	address_to(&d->addresses[d->address], d->port, &d->to);
	if (!is_ourselves(d))
		return go(d, &CONNECT);
	(void)err_set(&err, ERR_PERM, "5.4.6",
	    "%s: this mail host is our own loopback", delivery_host(d));
	delivery_fault(d, &err);
	return go(d, &NEXT_ADDRESS);
}
