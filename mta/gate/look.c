/* Two steps of lookups, all of a step at once. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/gate/private.h"
#include "mta/net/address.h"
#include "mta/net/https.h"
#include "policy/sts_record.h"

static void
one_less(struct gate *gate)
{
	if (--gate->pending == 0)
		gate->next(gate);
}

/* The lookups of a step are begun: it may be that there were none. */
static void
end_of_begin(struct gate *gate)
{
	one_less(gate);
}

/* --- MX ------------------------------------------------------------------- */

/* RFC 5321 5.1: without MX the domain is its own host. */
static void
take_itself(struct gate_domain *domain)
{
	struct mx_host *one = arena_alloc(domain->gate->arena, sizeof(*one));

	if (one == NULL)
		return;
	one->name = domain->name;
	domain->mx = (struct mx_list){one, 1};
	domain->has_mx = true;
}

static void
take_mx(struct gate_domain *domain, const struct dns_answer *answer)
{
	switch (mx_read(answer, 0, domain->gate->arena, &domain->mx)) {
	case MX_HOSTS:
	case MX_NULL:
	case MX_UNUSABLE:
		domain->has_mx = true;
		return;
	case MX_NONE:
		take_itself(domain);
		return;
	case MX_FAILED:
		break;
	}
	(void)snprintf(domain->why, sizeof(domain->why), "MX of %.200s: %.150s",
	    domain->name, answer->why == NULL ? "malformed" : answer->why);
}

static void
on_mx(const struct dns_answer *answer, void *arg)
{
	struct gate_domain *domain = arg;

	domain->query = NULL;
	take_mx(domain, answer);
	one_less(domain->gate);
}

void
gate_look_for_mx(struct gate *gate, void (*next)(struct gate *gate))
{
	gate->next = next;
	gate->pending = 1;
	for (size_t i = 0; i < gate->ndomains; i++) {
		struct gate_domain *domain = &gate->domains[i];

		gate->pending++;
		domain->query = dns_lookup(
		    gate->dns, domain->name, RR_MX, on_mx, domain);
	}
	end_of_begin(gate);
}

/* --- TLSA ----------------------------------------------------------------- */

static void
on_tlsa(const struct tlsa_found *found, void *arg)
{
	struct gate_host *host = arg;

	host->tlsa_find = NULL;
	host->done = true;
	host->found = *found;
	/* It is lent, and so are the names in it; the set is on the arena. */
	if (found->state == TLSA_LOOKUP_FAILED)
		(void)text_copy(host->why, sizeof(host->why), found->why);
	host->found.why = "";
	one_less(host->gate);
}

static void
on_host(const struct host_dns *found, void *arg)
{
	struct gate_host *host = arg;
	struct gate *gate = host->gate;

	host->host_find = NULL;
	host->tlsa_find = tlsa_find(gate->dns, found, gate->config->mx_port,
	    gate->arena, on_tlsa, host);
}

static void
look_for_hosts(struct gate *gate)
{
	for (size_t i = 0; i < gate->nhosts; i++) {
		struct gate_host *host = &gate->hosts[i];

		if (host->is_pattern)
			continue;
		gate->pending++;
		host->host_find = host_find(
		    gate->dns, host->name, on_host, host);
	}
}

/* --- policies of MTA-STS -------------------------------------------------- */

static void
on_policy(const struct sts_fetch_end *end, void *arg)
{
	struct gate_domain *domain = arg;

	domain->fetch = NULL;
	if (end->fetched == STS_FETCHED_POLICY) {
		domain->arena = end->arena;
		domain->policy = end->policy;
		domain->mode = end->policy.mode;
	} else {
		(void)text_copy(domain->why, sizeof(domain->why), end->why);
	}
	one_less(domain->gate);
}

static struct net_address
source(const char *ip)
{
	struct net_address address = {.family = 0};

	if (ip != NULL)
		(void)net_address_ip(ip, 0, &address);
	return address;
}

static int
open_https(struct gate *gate, struct err *err)
{
	const struct config *config = gate->config;
	struct https_setup setup = {
	    .loop = gate->role->loop,
	    .ca_file = config->ca_file,
	    .source4 = source(config->source4),
	    .source6 = source(config->source6),
	    .timeout_ms = config->renewal.timeout_ms,
	    .waiting_max = GATE_DOMAINS_MAX,
	};

	return gate->https != NULL ? 0 : https_new(&setup, &gate->https, err);
}

static void
fetch(struct gate_domain *domain)
{
	struct gate *gate = domain->gate;
	struct err err;

	if (open_https(gate, &err) < 0) {
		(void)text_copy(domain->why, sizeof(domain->why), err.text);
		one_less(gate);
		return;
	}
	domain->fetch = sts_fetch_begin(gate->dns, gate->https,
	    gate->config->mta_sts.port, domain->name, on_policy, domain);
}

/* RFC 8461 3.1: without the one record there is no policy. */
static void
on_record(const struct dns_answer *answer, void *arg)
{
	struct gate_domain *domain = arg;
	struct sts_record record = sts_record_read(answer);

	domain->query = NULL;
	switch (record.state) {
	case STS_RECORD_FOUND:
		fetch(domain);
		return;
	case STS_RECORD_NONE:
	case STS_RECORD_MALFORMED:
		domain->mode = STS_MODE_NONE;
		break;
	case STS_RECORD_FAILED:
	case STS_RECORD_NOT_ASKED:
	case STS_RECORD_UNKNOWN:
		(void)snprintf(domain->why, sizeof(domain->why),
		    "_mta-sts.%.200s: %.150s", domain->name,
		    answer->why == NULL ? record.why : answer->why);
		break;
	}
	one_less(domain->gate);
}

/* Whom WebPKI vouches for in every name fits every policy. */
static bool
wants_policy(struct gate *gate, const struct gate_domain *domain)
{
	char why[GATE_WHY_SIZE];

	for (size_t i = 0; i < gate->nchains; i++)
		for (size_t k = 0; k < domain->mx.n; k++) {
			const struct gate_chain *chain = &gate->chains[i];
			const char *name = domain->mx.hosts[k].name;

			if (gate_serves(gate, chain, name) &&
			    !gate_is_valid(gate, chain->new, name, why))
				return true;
		}
	return false;
}

static void
look_for_policies(struct gate *gate)
{
	for (size_t i = 0; i < gate->ndomains; i++) {
		struct gate_domain *domain = &gate->domains[i];
		char name[sizeof("_mta-sts.") + DNS_NAME_SIZE];

		if (!domain->has_mx)
			continue;
		domain->mode = STS_MODE_NONE;
		if (!wants_policy(gate, domain))
			continue;
		domain->mode = STS_MODE_UNKNOWN;
		(void)snprintf(name, sizeof(name), "_mta-sts.%s", domain->name);
		gate->pending++;
		domain->query = dns_lookup(
		    gate->dns, name, RR_TXT, on_record, domain);
	}
}

void
gate_look_for_facts(struct gate *gate, void (*next)(struct gate *gate))
{
	gate->next = next;
	gate->pending = 1;
	if (gate->config->renewal.tlsa)
		look_for_hosts(gate);
	if (gate->config->renewal.mta_sts)
		look_for_policies(gate);
	end_of_begin(gate);
}

void
gate_stop_looking(struct gate *gate)
{
	for (size_t i = 0; i < gate->nhosts; i++) {
		host_find_cancel(&gate->hosts[i].host_find);
		tlsa_find_cancel(&gate->hosts[i].tlsa_find);
	}
	for (size_t i = 0; i < gate->ndomains; i++) {
		if (gate->domains[i].query != NULL)
			dns_cancel(&gate->domains[i].query);
		sts_fetch_cancel(&gate->domains[i].fetch);
	}
	gate->pending = 0;
}
