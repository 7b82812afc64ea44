/*
 * What must be true of the connection before this message may use it.
 *
 * One function per rule, one array for their order.  The array is the policy:
 * a rule that decides ends the search, so the first line wins.
 */
#include "policy/private.h"

/* Both true, for `return decide(...)`. */
bool
decide(struct tls_plan *plan, enum tls_need need, enum tls_source source,
    struct reason reason)
{
	plan->need = need;
	plan->source = source;
	plan->rule = reason.rule;
	plan->rfc = reason.rfc;
	plan->why = reason.why;
	plan->enhanced = "";
	plan->result_type = "";
	return true;
}

bool
defer(struct tls_plan *plan, const char *enhanced, enum tls_source source,
    struct reason reason)
{
	(void)decide(plan, TLS_DEFER, source, reason);
	plan->enhanced = enhanced;
	return true;
}

enum dns_trust
hop_trust(const struct policy_facts *facts)
{
	switch (facts->hop) {
	case HOP_CONFIGURED:
		return DNS_SECURE;
	case HOP_MX:
	case HOP_IMPLICIT:
		return facts->mx_trust;
	case HOP_UNKNOWN:
		break;
	}
	return DNS_FAILED;
}

bool
policy_requires_tls(const struct policy_facts *facts)
{
	return facts->sender == SENDER_REQUIRES_TLS ||
	       facts->sender == SENDER_ENCRYPTS;
}

/* RFC 8460 4.3: "the receiving MTA's policies"; what is wrong here is not. */
static const char *
theirs(const struct policy_facts *facts, const char *result_type)
{
	return facts->own_fault ? "" : result_type;
}

/* RFC 7672 2.1.2: who to contact must be known without doubt. */
static bool
by_mx_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	bool bogus = facts->mx_trust == DNS_BOGUS;

	if (hop_trust(facts) > DNS_BOGUS)
		return false;
	(void)defer(plan, "4.4.3", SOURCE_DNS,
	    (struct reason){"mx-lookup", "RFC 7672 2.1.2",
		bogus ? "MX lookup is bogus" : "MX lookup failed"});
	plan->result_type = bogus ? theirs(facts, "dnssec-invalid") : "";
	return true;
}

/* RFC 7672 2.1.2: a host whose addresses are bogus or unknown is skipped. */
static bool
by_address_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	bool bogus = facts->address_trust == DNS_BOGUS;

	if (facts->address_trust > DNS_BOGUS)
		return false;
	(void)defer(plan, "4.4.3", SOURCE_DNS,
	    (struct reason){"address-lookup", "RFC 7672 2.1.2",
		bogus ? "address lookup is bogus" : "address lookup failed"});
	plan->result_type = bogus ? theirs(facts, "dnssec-invalid") : "";
	return true;
}

/* Not to know what the sender asked for is no permission. */
static bool
by_unknown_sender(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_UNKNOWN)
		return false;
	return defer(plan, "4.3.5", SOURCE_SENDER,
	    (struct reason){
		"sender-unknown", "", "the sender's wish is not known"});
}

/* Nor is not to have looked for the operator's rule. */
static bool
by_unknown_operator(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->level != OPERATOR_UNKNOWN)
		return false;
	return defer(plan, "4.3.5", SOURCE_OPERATOR,
	    (struct reason){
		"operator-unknown", "", "the operator's rule is not known"});
}

/* RFC 7672 9.1: a local exemption.  It cannot waive what the sender asked. */
static bool
by_operator_exemption(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (policy_requires_tls(facts))
		return false;
	if (facts->level == OPERATOR_NONE)
		return decide(plan, TLS_NEVER, SOURCE_OPERATOR,
		    (struct reason){"operator-none", "RFC 7672 9.1",
			"the operator's rule: no TLS"});
	if (facts->level == OPERATOR_OPPORTUNISTIC)
		return decide(plan, TLS_MAY, SOURCE_OPERATOR,
		    (struct reason){"operator-opportunistic", "RFC 7672 9.1",
			"the operator's rule: opportunistic"});
	return false;
}

/* RFC 8689 3: delivery goes before the receiver's policies. */
static bool
by_sender_waiver(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_WAIVES_TLS)
		return false;
	return decide(plan, TLS_MAY, SOURCE_SENDER,
	    (struct reason){"tls-required-no", "RFC 8689 3",
		"the sender wrote TLS-Required: No"});
}

/* RFC 7672 2.1.2: a failed lookup is never "no records". */
static bool
by_tlsa_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_LOOKUP_FAILED)
		return false;
	(void)defer(plan, "4.7.5", SOURCE_DANE,
	    (struct reason){
		"tlsa-lookup", "RFC 7672 2.1.2", "TLSA lookup failed"});
	plan->result_type = theirs(facts, "dnssec-invalid");
	return true;
}

/* RFC 8461 2: MTA-STS does not override DANE where all of DNS is secure. */
static bool
by_secure_dane(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE || hop_trust(facts) != DNS_SECURE)
		return false;
	return decide(plan, TLS_AUTH_DANE, SOURCE_DANE,
	    (struct reason){"dane", "RFC 7672 2.2", "usable TLSA records"});
}

static bool
by_sts_filter(const struct policy_facts *facts, struct tls_plan *plan)
{
	plan->sts_counts = true;
	/* RFC 8461 5.1: what cannot be read is not "no policy" */
	if (facts->sts == STS_UNKNOWN)
		return defer(plan, "4.7.5", SOURCE_STS,
		    (struct reason){"sts-unknown", "RFC 8461 5.1",
			"the MTA-STS policy is not known"});
	/* RFC 8461 4.1: a host that matches no mx pattern is out */
	if (facts->sts != STS_NO_MATCH)
		return false;
	(void)defer(plan, "4.7.5", SOURCE_STS,
	    (struct reason){"sts-no-match", "RFC 8461 4.1",
		"the MTA-STS policy does not name this host"});
	plan->result_type = "validation-failure";
	return true;
}

/*
 * RFC 8689 2: DNSSEC or MTA-STS must vouch for the host's name, and DANE or
 * WebPKI for its certificate.  DANE with DNSSEC has been decided on already.
 */
static bool
by_requiretls(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_REQUIRES_TLS || facts->sts == STS_MATCH)
		return false;
	/* 4.2.1: the name from the MX lookup MUST match */
	plan->host_counts = facts->hop != HOP_CONFIGURED;
	if (hop_trust(facts) == DNS_SECURE)
		return decide(plan, TLS_AUTH_PKIX, SOURCE_SENDER,
		    (struct reason){"requiretls", "RFC 8689 4.2.1",
			"REQUIRETLS, and DNSSEC vouches for the host's name"});
	/* What was not to be had today may vouch for it tomorrow. */
	if (facts->sts == STS_NOT_OBTAINED)
		return defer(plan, "4.7.5", SOURCE_SENDER,
		    (struct reason){"requiretls", "RFC 8689 4.2.1",
			"REQUIRETLS, and there was no answer whether MTA-STS "
			"vouches for this host's name"});
	return defer(plan, "5.7.10", SOURCE_SENDER,
	    (struct reason){"requiretls", "RFC 8689 4.2.1",
		"REQUIRETLS, and neither DNSSEC nor MTA-STS vouches for this "
		"host's name"});
}

/* RFC 7672 2.2.1: an insecure MX RRset leaves the name to MTA-STS. */
static bool
by_dane_and_sts(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE || facts->sts != STS_MATCH)
		return false;
	plan->host_counts = true;
	return decide(plan, TLS_AUTH_BOTH, SOURCE_DANE,
	    (struct reason){"dane-and-sts", "RFC 7672 2.2.1",
		"usable TLSA records and an enforced MTA-STS policy"});
}

/*
 * RFC 7672 2.2.1: DANE may be applied under an insecure MX RRset.  It keeps
 * out who cannot forge that; it does not vouch for the domain.
 */
static bool
by_dane_insecure_mx(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE)
		return false;
	return decide(plan, TLS_AUTH_DANE, SOURCE_DANE,
	    (struct reason){"dane-insecure-mx", "RFC 7672 2.2.1",
		"usable TLSA records; the MX records are not secure"});
}

/* RFC 8461 5: enforce means TLS and a certificate for the MX host name. */
static bool
by_sts(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sts != STS_MATCH)
		return false;
	plan->host_counts = true;
	return decide(plan, TLS_AUTH_PKIX, SOURCE_STS,
	    (struct reason){"sts", "RFC 8461 5", "an enforced MTA-STS policy"});
}

/* RFC 7672 2.2: secure but unusable records still forbid cleartext. */
static bool
by_unusable_tlsa(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_UNUSABLE)
		return false;
	return decide(plan, TLS_ENCRYPT, SOURCE_DANE,
	    (struct reason){"tlsa-unusable", "RFC 7672 2.2",
		"TLSA records, none of them usable"});
}

static bool
by_default(const struct policy_facts *facts, struct tls_plan *plan)
{
	(void)facts;
	/* RFC 7435 3: opportunistic, some protection is better than none */
	return decide(plan, TLS_MAY, SOURCE_NONE,
	    (struct reason){"default", "RFC 7435 3", "no policy"});
}

/* The first that decides wins. */
static rule_fn *const rules[] = {
    by_mx_lookup,
    by_address_lookup,
    by_unknown_sender,
    by_unknown_operator,
    by_operator_exemption,
    by_sender_waiver,
    by_tlsa_lookup,
    by_secure_dane,
    by_sts_filter,
    by_requiretls,
    by_dane_and_sts,
    by_dane_insecure_mx,
    by_sts,
    by_unusable_tlsa,
    by_default,
};

struct tls_plan
policy_plan(const struct policy_facts *facts)
{
	struct tls_plan plan = {.need = TLS_DEFER,
	    .rule = "undecided",
	    .why = "undecided",
	    .rfc = "",
	    .enhanced = "",
	    .result_type = "",
	    .sni = "",
	    .one = "",
	    .host = "",
	    .sts = facts->sts};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](facts, &plan))
			break;
	plan_raise(facts, &plan);
	plan.wanted = plan.need;
	plan_names(facts, &plan);
	plan_relax(facts, &plan);
	plan_onward(facts, &plan);
	return plan;
}
