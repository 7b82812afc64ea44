#include "policy/decision.h"

#include <stdio.h>

void
decision_text(const struct tls_plan *plan, const struct tls_seen *seen,
    char to[DECISION_TEXT_SIZE])
{
	(void)snprintf(to, DECISION_TEXT_SIZE, "%s/%s/%s/%s",
	    tls_need_name(plan->wanted), tls_got_name(policy_got(plan, seen)),
	    tls_source_name(plan->source), plan->rule);
}

/* RFC 8461 5: evaluated in full, whoever decides and whatever is enforced. */
void
decision_sts_text(const struct tls_plan *plan, const struct tls_seen *seen,
    char to[DECISION_STS_SIZE])
{
	to[0] = '\0';
	if (plan->sts <= STS_NONE)
		return;
	(void)snprintf(to, DECISION_STS_SIZE, "%s/%s",
	    sts_state_name(plan->sts),
	    sts_verdict_name(policy_sts_verdict(plan, seen)));
}
