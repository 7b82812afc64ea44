/* What is evaluated and written down, but not enforced (RFC 7672 9.1). */
#include "policy/private.h"

/* Without an address there is nothing to connect to, audit or not. */
static bool
may_connect(const struct policy_facts *facts)
{
	return hop_trust(facts) > DNS_BOGUS && facts->address_trust > DNS_BOGUS;
}

void
plan_relax(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->enforcement != AUDIT || !may_connect(facts))
		return;
	/* What was not looked at, or what the sender asked for, is no policy
	 * of a receiver or of ours that could be tried out. */
	if (facts->sender == SENDER_UNKNOWN || policy_requires_tls(facts) ||
	    facts->level == OPERATOR_UNKNOWN)
		return;
	if (plan->need == TLS_DEFER || plan->need > TLS_MAY)
		plan->need = TLS_MAY;
}
