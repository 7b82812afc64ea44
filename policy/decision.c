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
