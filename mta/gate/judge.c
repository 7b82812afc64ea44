/* From what was looked up to the facts that renewal_judge() asks for. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/gate/private.h"
#include "mta/net/tls_offline.h"
#include "tlsa/object.h"
#include "tlsa/zone.h"

#define PUBLISH_SIZE RENEWAL_TEXT_SIZE
#define ASTRAY_SIZE  12

/* What the facts of one host point to. */
struct words {
	char astray[ASTRAY_SIZE];
	char publish[PUBLISH_SIZE];
};

/* --- WebPKI --------------------------------------------------------------- */

/* Some believe the authorities of the system, those we write to others. */
bool
gate_is_valid(struct gate *gate, struct span chain, const char *host,
    char ret_why[GATE_WHY_SIZE])
{
	const char *const names[] = {host};
	struct tls_demand demand = {.pkix_names = names, .npkix_names = 1};
	struct tls_facts facts;
	struct err err;

	ret_why[0] = '\0';
	for (size_t i = 0; i < 2; i++) {
		if (gate->clients[i] == NULL)
			continue;
		facts = (struct tls_facts){0};
		if (tls_verify_offline(gate->clients[i], chain, &demand, 0,
			&facts, &err) < 0) {
			(void)text_copy(ret_why, GATE_WHY_SIZE, err.text);
			return false;
		}
		if (facts.pkix.check == TLS_CHECK_PASSED)
			return true;
		(void)text_copy(ret_why, GATE_WHY_SIZE, facts.pkix.why);
	}
	return false;
}

/* --- TLSA ----------------------------------------------------------------- */

static bool
passes(struct gate *gate, struct span chain, const char *host,
    const struct tlsa_set *set)
{
	const char *const names[] = {host};
	struct tls_demand demand = {.set = set, .names = names, .nnames = 1};
	struct tls_facts facts = {0};
	struct err err;

	return chain.p != NULL &&
	       tls_verify_offline(
		   gate->clients[0], chain, &demand, 0, &facts, &err) == 0 &&
	       facts.dane.check == TLS_CHECK_PASSED;
}

static bool
is_alike(const struct tlsa_record *a, const struct tlsa_record *b)
{
	return a->usage == b->usage && a->selector == b->selector &&
	       a->matching == b->matching;
}

/* Usable for those who know no stronger digest. */
static bool
counts(const struct tlsa_record *record)
{
	return record->use >= TLSA_OUTRANKED;
}

/* Is it the first of its kind? */
static bool
is_first(const struct tlsa_set *set, size_t at)
{
	if (!counts(&set->records[at]))
		return false;
	for (size_t i = 0; i < at; i++)
		if (counts(&set->records[i]) &&
		    is_alike(&set->records[i], &set->records[at]))
			return false;
	return true;
}

/* By the records of this kind alone. */
static bool
kind_passes(struct gate *gate, const struct gate_chain *chain,
    const struct gate_host *host, const struct tlsa_record *kind)
{
	const struct tlsa_set *all = &host->found.set;
	struct tlsa_record records[TLSA_RECORDS_MAX];
	struct tlsa_set set = {.base = all->base, .records = records};

	for (size_t i = 0; i < all->n; i++) {
		if (!counts(&all->records[i]) ||
		    !is_alike(&all->records[i], kind))
			continue;
		records[set.n] = all->records[i];
		records[set.n++].use = TLSA_IN_USE;
	}
	set.nused = set.n;
	return passes(gate, chain->new, host->name, &set);
}

/* RFC 7671 8: each kind of record has to do on its own. */
static void
find_astray(struct gate *gate, const struct gate_chain *chain,
    const struct gate_host *host, char ret[ASTRAY_SIZE])
{
	const struct tlsa_set *set = &host->found.set;

	ret[0] = '\0';
	for (size_t i = 0; i < set->n && ret[0] == '\0'; i++) {
		const struct tlsa_record *record = &set->records[i];

		if (is_first(set, i) && !kind_passes(gate, chain, host, record))
			(void)snprintf(ret, ASTRAY_SIZE, "%u %u %u",
			    record->usage, record->selector, record->matching);
	}
}

/* --- what to publish ------------------------------------------------------ */

static void
add_record(struct gate *gate, const struct gate_host *host,
    const struct tlsa_object *object, uint8_t selector, uint8_t matching,
    char to[PUBLISH_SIZE])
{
	struct tlsa_record record;
	char owner[TLSA_OWNER_SIZE];
	size_t at = strlen(to);
	struct buf line;
	struct err err;

	buf_init(&line, PUBLISH_SIZE);
	if (tlsa_owner(host->found.set.base, gate->config->mx_port, owner) &&
	    tlsa_object_record(object, TLSA_DANE_EE, selector, matching,
		gate->arena, &record, &err) == 0 &&
	    tlsa_zone_print(owner, host->found.set.ttl, &record, &line) == 0) {
		struct span text = text_trim(buf_span(&line), " \n");

		if (at + 2 + text.n < PUBLISH_SIZE)
			(void)snprintf(to + at, PUBLISH_SIZE - at, "%s%.*s",
			    at == 0 ? "" : "; ", (int)text.n, text.p);
	}
	buf_free(&line);
	for (char *p = to + at; *p != '\0'; p++)
		if (*p == '\t')
			*p = ' ';
}

/*
 * One for each kind of usage 3 there is, else 3 1 1: so RFC 7671 8.2 comes
 * from and goes to usage 2.
 */
static void
find_publish(struct gate *gate, const struct gate_chain *chain,
    const struct gate_host *host, char ret[PUBLISH_SIZE])
{
	const struct tlsa_set *set = &host->found.set;
	struct tlsa_object objects[TLS_CHAIN_MAX];
	struct err err;
	size_t n = 0;

	ret[0] = '\0';
	if (tlsa_objects_read(
		chain->new, gate->arena, objects, TLS_CHAIN_MAX, &n, &err) < 0)
		return;
	for (size_t i = 0; i < set->n; i++)
		if (set->records[i].usage == TLSA_DANE_EE && is_first(set, i) &&
		    set->records[i].matching != TLSA_FULL)
			add_record(gate, host, &objects[0],
			    set->records[i].selector, set->records[i].matching,
			    ret);
	if (ret[0] == '\0')
		add_record(
		    gate, host, &objects[0], TLSA_SPKI, TLSA_SHA256, ret);
}

static void
judge_host(struct gate *gate, const struct gate_chain *chain,
    const struct gate_host *host, struct words *words, struct renewal_host *ret)
{
	const struct tlsa_set *set = &host->found.set;

	*ret = (struct renewal_host){.name = host->name,
	    .tlsa = host->done ? host->found.state : TLSA_LOOKUP_FAILED,
	    .why = host->why,
	    .astray = words->astray,
	    .publish = words->publish};
	if (ret->tlsa != TLSA_USABLE)
		return;
	ret->ttl = set->ttl;
	ret->matches = passes(gate, chain->new, host->name, set);
	ret->old_matches = passes(gate, chain->old, host->name, set);
	find_astray(gate, chain, host, words->astray);
	if (!ret->matches)
		find_publish(gate, chain, host, words->publish);
}

/* --- MTA-STS -------------------------------------------------------------- */

/* Whose MX nobody tells may have any that the chain is presented for. */
static void
judge_all_hosts(struct gate *gate, const struct gate_chain *chain,
    char why[GATE_WHY_SIZE], struct renewal_domain *ret)
{
	char ignored[GATE_WHY_SIZE];

	for (size_t i = 0; i < gate->nhosts; i++) {
		const char *host = gate->hosts[i].name;

		if (!gate_serves(gate, chain, host) ||
		    gate_is_valid(gate, chain->new, host, why))
			continue;
		ret->host = host;
		ret->old_valid = chain->old.p != NULL &&
		                 gate_is_valid(gate, chain->old, host, ignored);
		return;
	}
}

static void
judge_mx(struct gate *gate, const struct gate_chain *chain,
    const struct gate_domain *domain, char why[GATE_WHY_SIZE],
    struct renewal_domain *ret)
{
	char ignored[GATE_WHY_SIZE];

	for (size_t i = 0; i < domain->mx.n; i++) {
		const char *host = domain->mx.hosts[i].name;

		/* Mode none may name no hosts; one of before did. */
		if (!gate_serves(gate, chain, host) ||
		    (domain->arena != NULL && domain->mode != STS_MODE_NONE &&
			!sts_policy_allows_mx(&domain->policy, host)))
			continue;
		if (ret->host == NULL &&
		    !gate_is_valid(gate, chain->new, host, why))
			ret->host = host;
		if (chain->old.p == NULL ||
		    !gate_is_valid(gate, chain->old, host, ignored))
			ret->old_valid = false;
	}
}

static void
judge_domains(struct gate *gate, const struct gate_chain *chain,
    char (*whys)[GATE_WHY_SIZE], struct renewal_domain *ret)
{
	const struct renewal_domain *first = NULL; /* without its MX */

	for (size_t i = 0; i < gate->ndomains; i++, ret++) {
		const struct gate_domain *domain = &gate->domains[i];

		*ret = (struct renewal_domain){.name = domain->name,
		    .mode = domain->mode,
		    .why = domain->why,
		    .max_age = domain->policy.max_age,
		    .host_why = whys[i],
		    .old_valid = true};
		if (domain->has_mx) {
			judge_mx(gate, chain, domain, whys[i], ret);
		} else if (first == NULL) {
			judge_all_hosts(gate, chain, whys[i], ret);
			first = ret;
		} else {
			ret->host = first->host;
			ret->host_why = first->host_why;
			ret->old_valid = first->old_valid;
		}
	}
}

/* --- all of it ------------------------------------------------------------ */

static bool
has_expired(struct span chain, int64_t now)
{
	struct tls_cert cert;
	struct err err;
	size_t n = 0;

	return chain.p != NULL &&
	       tls_cert_read(chain, &cert, 1, &n, &err) == 0 && n == 1 &&
	       cert.not_after <= now;
}

void
gate_judge(struct gate *gate, const struct gate_chain *chain,
    struct renewal_verdict *ret)
{
	struct renewal_facts facts = {.now = clock_wall(),
	    .has_old = chain->old.p != NULL,
	    .memory = chain->memory};
	struct renewal_host *hosts = mem_array(
	    gate->nhosts + 1, sizeof(*hosts));
	struct words *words = mem_array(gate->nhosts + 1, sizeof(*words));
	struct renewal_domain *domains = mem_array(
	    gate->ndomains + 1, sizeof(*domains));
	char(*whys)[GATE_WHY_SIZE] = mem_array(
	    gate->ndomains + 1, sizeof(*whys));

	facts.old_expired = has_expired(chain->old, facts.now);
	facts.hosts = hosts;
	facts.domains = domains;
	for (size_t i = 0; gate->config->renewal.tlsa && i < gate->nhosts; i++)
		if (!gate->hosts[i].is_pattern &&
		    gate_serves(gate, chain, gate->hosts[i].name))
			judge_host(gate, chain, &gate->hosts[i],
			    &words[facts.nhosts], &hosts[facts.nhosts]),
			    facts.nhosts++;
	if (gate->config->renewal.mta_sts) {
		judge_domains(gate, chain, whys, domains);
		facts.ndomains = gate->ndomains;
	}
	renewal_judge(&facts, ret);
	mem_free(hosts);
	mem_free(words);
	mem_free(domains);
	mem_free(whys);
}
