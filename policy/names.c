/* Whose certificate it must be, by which names, and which one to ask for. */
#include <stdio.h>
#include <string.h>

#include "policy/private.h"

static void
add_name(struct tls_plan *plan, const char *name)
{
	if (name == NULL || name[0] == '\0' || plan->nnames == TLS_NAMES_MAX)
		return;
	for (size_t i = 0; i < plan->nnames; i++)
		if (strcmp(plan->names[i], name) == 0)
			return;
	plan->names[plan->nnames++] = name;
}

/*
 * RFC 7672 3.2.2: the base domain; where DNSSEC vouches for the way from the
 * next hop to the host, the next hop's own names as well.  Under an insecure
 * MX the base domain alone (erratum 6283).
 */
static void
name_by_dane(const struct policy_facts *facts, struct tls_plan *plan)
{
	plan->set = facts->set;
	/* RFC 7672 8.1: SNI is the TLSA base domain. */
	plan->sni = facts->set->base;
	add_name(plan, facts->set->base);
	if (hop_trust(facts) != DNS_SECURE)
		return;
	add_name(plan, facts->next_hop);
	add_name(plan, facts->next_hop_expanded);
}

/* RFC 8461 4.2: the MX host's name; the operator may want another. */
static void
name_by_pkix(const struct policy_facts *facts, struct tls_plan *plan)
{
	/* An enforced policy names the host in a way that is secure. */
	bool operators = facts->level == OPERATOR_VERIFY ||
	                 (facts->level == OPERATOR_SECURE &&
			     facts->sts != STS_MATCH);

	if (!operators || !tls_need_pkix(plan->wanted))
		return;
	if (facts->nmatch > 0) {
		plan->match = facts->match;
		plan->nmatch = facts->nmatch;
	} else if (facts->level == OPERATOR_SECURE) {
		plan->one = facts->next_hop;
		plan->pkix_suffix = true;
	}
}

/*
 * Where TLSA records decide what is asked for by SNI, and so perhaps which
 * certificate is shown, nothing is said of a policy that does not count.
 */
static void
name_the_host(const struct policy_facts *facts, struct tls_plan *plan)
{
	bool named = facts->sts == STS_MATCH || facts->sts == STS_TESTING_MATCH;
	const char *host = facts->host == NULL ? "" : facts->host;

	if (plan->host_counts ||
	    (named && (plan->sts_counts || strcmp(plan->sni, host) == 0)))
		plan->host = host;
}

void
plan_names(const struct policy_facts *facts, struct tls_plan *plan)
{
	bool records = facts->tlsa == TLSA_USABLE ||
	               facts->tlsa == TLSA_UNUSABLE;

	/* RFC 8461 7.1: SNI is the MX host's name. */
	plan->sni = facts->host == NULL ? "" : facts->host;
	plan->one = plan->sni;
	if (records && facts->set != NULL)
		name_by_dane(facts, plan);
	name_by_pkix(facts, plan);
	name_the_host(facts, plan);
}

const char *const *
policy_pkix_names(
    const struct tls_plan *plan, struct pkix_room *room, size_t *ret_n)
{
	*ret_n = plan->one[0] == '\0' ? 0 : plan->pkix_suffix ? 2 : 1;
	if (plan->nmatch > 0) {
		*ret_n = plan->nmatch;
		return plan->match;
	}
	room->names[0] = plan->one;
	room->names[1] = room->suffix;
	(void)snprintf(room->suffix, sizeof(room->suffix), ".%s", plan->one);
	return room->names;
}
