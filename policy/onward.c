/* REQUIRETLS on MAIL: may it be said, must it be understood? */
#include "policy/private.h"

/* RFC 8689 4.2.1: the name from the MX lookup, and not one of `match`. */
static bool
is_by_its_name(const struct policy_facts *facts, const struct tls_plan *plan)
{
	return plan->host_counts || facts->hop == HOP_CONFIGURED ||
	       (plan->nmatch == 0 && !plan->pkix_suffix);
}

/*
 * RFC 8689 2, 4.2.1: TLS, the host's name vouched for by DNSSEC or MTA-STS,
 * its certificate by DANE or WebPKI.  The verdict sees to it that what is
 * needed is also what was seen.
 */
static bool
is_worthy(const struct policy_facts *facts, const struct tls_plan *plan)
{
	if (tls_need_dane(plan->need) && has_secure_dane(facts))
		return true;
	return tls_need_pkix(plan->need) && is_by_its_name(facts, plan) &&
	       (facts->sts == STS_MATCH || hop_trust(facts) == DNS_SECURE);
}

void
plan_onward(const struct policy_facts *facts, struct tls_plan *plan)
{
	switch (facts->sender) {
	case SENDER_REQUIRES_TLS:
		plan->onward = ONWARD_NEEDED;
		return;
	case SENDER_ENCRYPTS:
	case SENDER_PREFERS_TLS:
		plan->onward = is_worthy(facts, plan) ? ONWARD_OFFERED
		                                      : ONWARD_NOT;
		return;
	case SENDER_UNKNOWN:
	case SENDER_DEFAULT:
	case SENDER_WAIVES_TLS:
		break;
	}
	plan->onward = ONWARD_NOT;
}
