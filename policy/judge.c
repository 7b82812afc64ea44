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
judge_need(const struct tls_plan *plan, enum tls_need need,
    const struct tls_seen *seen)
{
	bool encrypted = seen->got >= TLS_GOT_ENCRYPTED;
	/* The operator's names may ask for more than the host's, not less. */
	bool pkix = seen->pkix && (seen->host || !plan->host_counts);

	switch (need) {
	case TLS_NEVER:
		return deliver_if(seen->got == TLS_GOT_NOT_ASKED);
	case TLS_MAY:
		return judge_opportunistic(seen->got);
	case TLS_ENCRYPT:
		return deliver_if(encrypted);
	case TLS_AUTH_PKIX:
		return deliver_if(encrypted && pkix);
	case TLS_AUTH_DANE:
		return deliver_if(encrypted && seen->dane);
	case TLS_AUTH_BOTH:
		return deliver_if(encrypted && seen->dane && pkix);
	case TLS_DEFER:
		break;
	}
	return VERDICT_NEXT_HOST;
}

enum tls_verdict
policy_judge(const struct tls_plan *plan, const struct tls_seen *seen)
{
	return judge_need(plan, plan->need, seen);
}

bool
policy_is_hopeless(const struct tls_plan *plan, const struct tls_seen *seen)
{
	if (plan->need == TLS_DEFER)
		return plan->enhanced[0] == '5';
	return plan->onward == ONWARD_NEEDED && seen->got == TLS_GOT_NO_OFFER;
}

bool
policy_would_refuse(const struct tls_plan *plan, const struct tls_seen *seen)
{
	return plan->wanted != plan->need &&
	       judge_need(plan, plan->wanted, seen) == VERDICT_NEXT_HOST;
}

/* RFC 8461 4.2: of a host that the policy names. */
static enum sts_verdict
sts_verdict_of(const struct tls_seen *seen)
{
	switch (seen->got) {
	case TLS_GOT_NOTHING:
	case TLS_GOT_NOT_ASKED:
		break;
	case TLS_GOT_NO_OFFER:
	case TLS_GOT_REFUSED:
	case TLS_GOT_BROKEN:
		return STS_VERDICT_NO_TLS;
	case TLS_GOT_ENCRYPTED:
	case TLS_GOT_VERIFIED:
		if (seen->host)
			return STS_VERDICT_PASSED;
		if (seen->host_failure != NULL)
			return STS_VERDICT_CERTIFICATE;
		break;
	}
	return STS_VERDICT_NONE;
}

enum sts_verdict
policy_sts_verdict(const struct tls_plan *plan, const struct tls_seen *seen)
{
	switch (plan->sts) {
	case STS_TESTING_MATCH:
	case STS_MATCH:
		return sts_verdict_of(seen);
	case STS_TESTING_NO_MATCH:
	case STS_NO_MATCH:
		return STS_VERDICT_HOST_NOT_NAMED;
	case STS_UNKNOWN:
	case STS_NOT_EVALUATED:
	case STS_NOT_OBTAINED:
	case STS_NONE:
		break;
	}
	return STS_VERDICT_NONE;
}

bool
policy_testing_would_refuse(
    const struct tls_plan *plan, const struct tls_seen *seen)
{
	bool testing = plan->sts == STS_TESTING_MATCH ||
	               plan->sts == STS_TESTING_NO_MATCH;

	return testing && plan->sts_counts &&
	       policy_sts_verdict(plan, seen) > STS_VERDICT_PASSED;
}

enum tls_got
policy_got(const struct tls_plan *plan, const struct tls_seen *seen)
{
	bool proof = tls_need_dane(plan->wanted) || tls_need_pkix(plan->wanted);

	if (seen->got >= TLS_GOT_ENCRYPTED && proof &&
	    judge_need(plan, plan->wanted, seen) == VERDICT_DELIVER)
		return TLS_GOT_VERIFIED;
	return seen->got;
}
