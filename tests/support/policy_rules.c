#include "tests/support/policy_rules.h"

static unsigned
digit(unsigned *number, unsigned base)
{
	unsigned result = *number % base;

	*number /= base;
	return result;
}

struct policy_facts
policy_facts_of(unsigned number)
{
	static const struct tlsa_set set = {.base = "base.example"};
	static const char *const match[] = {"operators.example"};
	struct policy_facts facts = {.host = "mx.example",
	    .next_hop = "example",
	    .next_hop_expanded = "example",
	    .set = &set,
	    .match = match};

	facts.hop = (enum hop_source)digit(&number, 4);
	facts.mx_trust = (enum dns_trust)digit(&number, 4);
	facts.address_trust = (enum dns_trust)digit(&number, 4);
	facts.tlsa = (enum tlsa_state)digit(&number, 5);
	facts.sts = (enum sts_state)digit(&number, 8);
	facts.sender = (enum sender_wish)digit(&number, 6);
	facts.level = (enum operator_level)digit(&number, 8);
	facts.nmatch = digit(&number, 2);
	facts.enforcement = (enum enforcement)number;
	return facts;
}

static bool
next_hop_is_secure(const struct policy_facts *facts)
{
	if (facts->hop == HOP_CONFIGURED)
		return true;
	return facts->hop != HOP_UNKNOWN && facts->mx_trust == DNS_SECURE;
}

/* What must be known before anything may be sent at all. */
static const char *
forbids_not_knowing(const struct policy_facts *facts)
{
	if (facts->hop == HOP_UNKNOWN)
		return "nobody said where the host comes from";
	if (facts->hop != HOP_CONFIGURED && facts->mx_trust == DNS_FAILED)
		return "RFC 7672 2.1.2: the MX lookup failed";
	if (facts->hop != HOP_CONFIGURED && facts->mx_trust == DNS_BOGUS)
		return "RFC 7672 2.1.2: the MX records are bogus";
	if (facts->address_trust == DNS_FAILED)
		return "RFC 7672 2.1.2: the address lookup failed";
	if (facts->address_trust == DNS_BOGUS)
		return "RFC 7672 2.1.2: the addresses are bogus";
	if (facts->sender == SENDER_UNKNOWN)
		return "nobody said what the sender asked for";
	if (facts->level == OPERATOR_UNKNOWN)
		return "nobody looked for the operator's rule";
	return NULL;
}

static const char *
forbids_operator(const struct policy_facts *facts, const struct rule_link *link)
{
	if (facts->level == OPERATOR_ENCRYPT && !link->encrypted)
		return "the operator wants encryption";
	if (facts->level == OPERATOR_VERIFY &&
	    (!link->encrypted || !link->pkix))
		return "the operator wants the host verified";
	if (facts->level == OPERATOR_SECURE && !link->encrypted)
		return "the operator wants the next hop authenticated";
	if (facts->level == OPERATOR_SECURE &&
	    !(facts->tlsa == TLSA_USABLE && next_hop_is_secure(facts)
		    ? link->dane
		    : link->pkix))
		return "the operator wants the next hop authenticated";
	if (facts->level != OPERATOR_DANE)
		return NULL;
	if (facts->tlsa != TLSA_USABLE)
		return "RFC 7672 2.2: mandatory DANE without usable records";
	if (!next_hop_is_secure(facts))
		return "RFC 7672 2.2.1: mandatory DANE, insecure MX";
	if (!link->encrypted || !link->dane)
		return "RFC 7672 2.2: mandatory DANE, not authenticated";
	return NULL;
}

static const char *
forbids_dane(const struct policy_facts *facts, const struct rule_link *link)
{
	if (facts->tlsa == TLSA_LOOKUP_FAILED)
		return "RFC 7672 2.1.2: the TLSA lookup failed";
	if (facts->tlsa == TLSA_USABLE && !link->encrypted)
		return "RFC 7672 2.2: usable records, no TLS";
	if (facts->tlsa == TLSA_USABLE && !link->dane)
		return "RFC 7672 2.2: usable records, not authenticated";
	if (facts->tlsa == TLSA_UNUSABLE && !link->encrypted)
		return "RFC 7672 2.2: unusable records, no TLS";
	return NULL;
}

static const char *
forbids_sts(const struct policy_facts *facts, const struct rule_link *link)
{
	/* RFC 8461 2: DANE that vouches for the whole way is not overridden. */
	if (facts->tlsa == TLSA_USABLE && next_hop_is_secure(facts))
		return NULL;
	if (facts->sts == STS_UNKNOWN)
		return "RFC 8461 5.1: the policy cannot be read";
	if (facts->sts == STS_NO_MATCH)
		return "RFC 8461 4.1: not a host of the policy";
	if (facts->sts == STS_MATCH && (!link->encrypted || !link->host))
		return "RFC 8461 5: enforce, not authenticated";
	return NULL;
}

static const char *
forbids_requiretls(
    const struct policy_facts *facts, const struct rule_link *link)
{
	bool by_dane = facts->tlsa == TLSA_USABLE &&
	               next_hop_is_secure(facts) && link->dane;
	/* What is configured has a name by the operator's word. */
	bool by_name = (facts->sts == STS_MATCH || next_hop_is_secure(facts)) &&
	               (facts->hop == HOP_CONFIGURED ? link->pkix : link->host);

	if (!link->encrypted)
		return "RFC 8689 4.2.1: REQUIRETLS, no TLS";
	if (!by_dane && !by_name)
		return "RFC 8689 4.2.1: REQUIRETLS, nobody vouches";
	return NULL;
}

static const char *
first_of(const char *a, const char *b, const char *c)
{
	if (a != NULL)
		return a;
	return b != NULL ? b : c;
}

const char *
policy_forbids(const struct policy_facts *facts, const struct rule_link *link)
{
	bool exempt = facts->level == OPERATOR_NONE ||
	              facts->level == OPERATOR_OPPORTUNISTIC;
	const char *why = forbids_not_knowing(facts);

	if (why != NULL)
		return why;
	/* The operator may be content with TLS, whatever else is waived. */
	if (facts->sender == SENDER_ENCRYPTS && !link->encrypted)
		return "RFC 8689 4.2.1: REQUIRETLS, no TLS";
	if (facts->sender == SENDER_ENCRYPTS)
		return first_of(forbids_dane(facts, link),
		    forbids_sts(facts, link), forbids_operator(facts, link));
	/* RFC 8689: nobody waives for the sender what the sender wants. */
	if (facts->sender == SENDER_REQUIRES_TLS)
		return first_of(forbids_requiretls(facts, link),
		    first_of(forbids_dane(facts, link),
			forbids_sts(facts, link), NULL),
		    forbids_operator(facts, link));
	if (facts->enforcement == AUDIT || exempt)
		return NULL;
	why = forbids_operator(facts, link);
	if (why != NULL || facts->sender == SENDER_WAIVES_TLS)
		return why;
	return first_of(
	    forbids_dane(facts, link), forbids_sts(facts, link), NULL);
}

bool
policy_passes_over_sts(const struct policy_facts *facts)
{
	bool exempt = facts->level == OPERATOR_NONE ||
	              facts->level == OPERATOR_OPPORTUNISTIC;
	bool required = facts->sender == SENDER_REQUIRES_TLS ||
	                facts->sender == SENDER_ENCRYPTS;

	if (facts->tlsa == TLSA_USABLE && next_hop_is_secure(facts))
		return true;
	return facts->sender == SENDER_WAIVES_TLS || (exempt && !required);
}

enum sts_verdict
policy_rules_of_sts(
    const struct policy_facts *facts, const struct rule_link *link)
{
	if (facts->sts == STS_NO_MATCH || facts->sts == STS_TESTING_NO_MATCH)
		return STS_VERDICT_HOST_NOT_NAMED;
	if (facts->sts != STS_MATCH && facts->sts != STS_TESTING_MATCH)
		return STS_VERDICT_NONE;
	if (!link->encrypted)
		return STS_VERDICT_NO_TLS;
	return link->host ? STS_VERDICT_PASSED : STS_VERDICT_CERTIFICATE;
}
