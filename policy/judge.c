/* Does the connection that came about satisfy the plan? */
#include "policy/policy.h"

bool
tls_need_dane(enum tls_need need)
{
	return need == TLS_AUTH_DANE || need == TLS_AUTH_BOTH;
}

bool
tls_need_pkix(enum tls_need need)
{
	return need == TLS_AUTH_PKIX || need == TLS_AUTH_BOTH;
}

/* RFC 7435 3: no policy, so every outcome delivers, one way or the other. */
static enum tls_verdict
judge_opportunistic(enum tls_got got)
{
	switch (got) {
	case TLS_GOT_NOT_ASKED:
	case TLS_GOT_NO_OFFER:
	case TLS_GOT_REFUSED:
	case TLS_GOT_ENCRYPTED:
	case TLS_GOT_VERIFIED:
		return VERDICT_DELIVER;
	case TLS_GOT_BROKEN:
		return VERDICT_CLEAR;
	case TLS_GOT_NOTHING:
		break;
	}
	return VERDICT_NEXT_HOST;
}

static enum tls_verdict
deliver_if(bool good)
{
	return good ? VERDICT_DELIVER : VERDICT_NEXT_HOST;
}

/* RFC 7672 2.2: not authenticated as planned is not delivered at all. */
static enum tls_verdict
judge_need(enum tls_need need, const struct tls_seen *seen)
{
	bool encrypted = seen->got >= TLS_GOT_ENCRYPTED;

	switch (need) {
	case TLS_NEVER:
		return deliver_if(seen->got == TLS_GOT_NOT_ASKED);
	case TLS_MAY:
		return judge_opportunistic(seen->got);
	case TLS_ENCRYPT:
		return deliver_if(encrypted);
	case TLS_AUTH_PKIX:
		return deliver_if(encrypted && seen->pkix);
	case TLS_AUTH_DANE:
		return deliver_if(encrypted && seen->dane);
	case TLS_AUTH_BOTH:
		return deliver_if(encrypted && seen->dane && seen->pkix);
	case TLS_DEFER:
		break;
	}
	return VERDICT_NEXT_HOST;
}

enum tls_verdict
policy_judge(const struct tls_plan *plan, const struct tls_seen *seen)
{
	return judge_need(plan->need, seen);
}

bool
policy_would_refuse(const struct tls_plan *plan, const struct tls_seen *seen)
{
	return plan->wanted != plan->need &&
	       judge_need(plan->wanted, seen) == VERDICT_NEXT_HOST;
}

enum tls_got
policy_got(const struct tls_plan *plan, const struct tls_seen *seen)
{
	bool proof = tls_need_dane(plan->wanted) || tls_need_pkix(plan->wanted);

	if (seen->got >= TLS_GOT_ENCRYPTED && proof &&
	    judge_need(plan->wanted, seen) == VERDICT_DELIVER)
		return TLS_GOT_VERIFIED;
	return seen->got;
}
