/*
 * What must be true of the connection before this message may use it.
 *
 * One function per rule, one array for their order.  The array is the policy:
 * a rule that decides ends the search, so the first line wins.
 */
#include "policy/policy.h"

typedef bool rule_fn(const struct policy_facts *facts, struct tls_plan *plan);

static bool
decide(struct tls_plan *plan, enum tls_need need, enum tls_source source,
    const char *rfc, const char *why)
{
	plan->need = need;
	plan->source = source;
	plan->rfc = rfc;
	plan->why = why;
	return true;
}

static bool
defer(struct tls_plan *plan, const char *enhanced, enum tls_source source,
    const char *rfc, const char *why)
{
	plan->enhanced = enhanced;
	return decide(plan, TLS_DEFER, source, rfc, why);
}

/* A next hop in the configuration counts as secure: nobody can forge it. */
static enum dns_trust
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

/* RFC 7672 2.1.2: who to contact must be known without doubt. */
static bool
by_mx_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (hop_trust(facts) > DNS_BOGUS)
		return false;
	return defer(plan, "4.4.3", SOURCE_DNS, "RFC 7672 2.1.2",
	    facts->mx_trust == DNS_BOGUS ? "MX lookup is bogus"
					 : "MX lookup failed");
}

/* RFC 7672 2.1.2: a host whose addresses are bogus or unknown is skipped. */
static bool
by_address_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->address_trust > DNS_BOGUS)
		return false;
	return defer(plan, "4.4.3", SOURCE_DNS, "RFC 7672 2.1.2",
	    facts->address_trust == DNS_BOGUS ? "address lookup is bogus"
					      : "address lookup failed");
}

/* Not to know what the sender asked for is no permission. */
static bool
by_unknown_sender(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_UNKNOWN)
		return false;
	return defer(
	    plan, "4.3.5", SOURCE_SENDER, "", "the sender's wish is not known");
}

/* RFC 8689 3: delivery goes before the receiver's policies. */
static bool
by_sender_waiver(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_WAIVES_TLS)
		return false;
	return decide(plan, TLS_MAY, SOURCE_SENDER, "RFC 8689 3",
	    "the sender wrote TLS-Required: No");
}

/* RFC 7672 2.1.2: a failed lookup is never "no records". */
static bool
by_tlsa_lookup(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_LOOKUP_FAILED)
		return false;
	return defer(
	    plan, "4.7.5", SOURCE_DANE, "RFC 7672 2.1.2", "TLSA lookup failed");
}

/* RFC 8461 2: MTA-STS does not override DANE where all of DNS is secure. */
static bool
by_secure_dane(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE || hop_trust(facts) != DNS_SECURE)
		return false;
	plan->set = facts->set;
	return decide(plan, TLS_AUTH_DANE, SOURCE_DANE, "RFC 8461 2",
	    "usable TLSA records");
}

static bool
by_sts_filter(const struct policy_facts *facts, struct tls_plan *plan)
{
	/* RFC 8461 5.1: what cannot be read is not "no policy" */
	if (facts->sts == STS_UNKNOWN)
		return defer(plan, "4.7.5", SOURCE_STS, "RFC 8461 5.1",
		    "the MTA-STS policy is not known");
	/* RFC 8461 4.1: a host that matches no mx pattern is out */
	if (facts->sts == STS_NO_MATCH)
		return defer(plan, "4.7.5", SOURCE_STS, "RFC 8461 4.1",
		    "the MTA-STS policy does not name this host");
	return false;
}

/* RFC 8689 4.2.1: the host's name must be vouched for, by DNSSEC or STS. */
static bool
by_requiretls(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender != SENDER_REQUIRES_TLS || facts->sts == STS_MATCH)
		return false;
	return defer(plan, "5.7.10", SOURCE_SENDER, "RFC 8689 4.2.1",
	    "REQUIRETLS, and neither DANE nor MTA-STS protects this host");
}

/* RFC 7672 2.2.1: an insecure MX RRset leaves the name to MTA-STS. */
static bool
by_dane_and_sts(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE || facts->sts != STS_MATCH)
		return false;
	plan->set = facts->set;
	return decide(plan, TLS_AUTH_BOTH, SOURCE_DANE, "RFC 7672 2.2.1",
	    "usable TLSA records and an enforced MTA-STS policy");
}

/* RFC 7672 2.2: usable records are mandatory to use. */
static bool
by_dane(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_USABLE)
		return false;
	plan->set = facts->set;
	return decide(plan, TLS_AUTH_DANE, SOURCE_DANE, "RFC 7672 2.2",
	    "usable TLSA records");
}

/* RFC 8461 5: enforce means TLS and a certificate for the MX host name. */
static bool
by_sts(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sts != STS_MATCH)
		return false;
	return decide(plan, TLS_AUTH_PKIX, SOURCE_STS, "RFC 8461 5",
	    "the MTA-STS policy enforces");
}

/* RFC 7672 2.2: secure but unusable records still forbid cleartext. */
static bool
by_unusable_tlsa(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->tlsa != TLSA_UNUSABLE)
		return false;
	return decide(plan, TLS_ENCRYPT, SOURCE_DANE, "RFC 7672 2.2",
	    "TLSA records, none of them usable");
}

static bool
by_default(const struct policy_facts *facts, struct tls_plan *plan)
{
	(void)facts;
	/* RFC 7435 3: opportunistic, some protection is better than none */
	return decide(plan, TLS_MAY, SOURCE_NONE, "RFC 7435 3", "no policy");
}

/* The first that decides wins. */
static rule_fn *const rules[] = {
    by_mx_lookup,
    by_address_lookup,
    by_unknown_sender,
    by_sender_waiver,
    by_tlsa_lookup,
    by_secure_dane,
    by_sts_filter,
    by_requiretls,
    by_dane_and_sts,
    by_dane,
    by_sts,
    by_unusable_tlsa,
    by_default,
};

struct tls_plan
policy_plan(const struct policy_facts *facts)
{
	struct tls_plan plan = {
	    .need = TLS_DEFER, .why = "undecided", .rfc = "", .enhanced = ""};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](facts, &plan))
			break;
	return plan;
}

const char *
tls_need_name(enum tls_need need)
{
	switch (need) {
	case TLS_DEFER:
		return "defer";
	case TLS_MAY:
		return "may";
	case TLS_ENCRYPT:
		return "encrypt";
	case TLS_AUTH_PKIX:
		return "pkix";
	case TLS_AUTH_DANE:
		return "dane";
	case TLS_AUTH_BOTH:
		return "dane+pkix";
	}
	return "?";
}

const char *
tls_source_name(enum tls_source source)
{
	switch (source) {
	case SOURCE_NONE:
		return "none";
	case SOURCE_DNS:
		return "dns";
	case SOURCE_DANE:
		return "dane";
	case SOURCE_STS:
		return "sts";
	case SOURCE_SENDER:
		return "sender";
	}
	return "?";
}
