/* Does the connection that came about satisfy the plan? */
#include "policy/policy.h"

/* RFC 7435 3: no policy, so every outcome delivers, one way or the other. */
static enum tls_verdict
judge_opportunistic(enum tls_got got)
{
	switch (got) {
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

enum tls_verdict
policy_judge(const struct tls_plan *plan, const struct tls_seen *seen)
{
	switch (plan->need) {
	case TLS_MAY:
		return judge_opportunistic(seen->got);
	case TLS_ENCRYPT:
		return seen->got >= TLS_GOT_ENCRYPTED ? VERDICT_DELIVER
		                                      : VERDICT_NEXT_HOST;
	case TLS_AUTH_PKIX:
	case TLS_AUTH_DANE:
	case TLS_AUTH_BOTH:
		return seen->got == TLS_GOT_VERIFIED ? VERDICT_DELIVER
		                                     : VERDICT_NEXT_HOST;
	case TLS_DEFER:
		break;
	}
	return VERDICT_NEXT_HOST;
}

const char *
tls_got_name(enum tls_got got)
{
	switch (got) {
	case TLS_GOT_NOTHING:
		return "nothing";
	case TLS_GOT_NO_OFFER:
		return "no-offer";
	case TLS_GOT_REFUSED:
		return "refused";
	case TLS_GOT_BROKEN:
		return "broken";
	case TLS_GOT_ENCRYPTED:
		return "encrypted";
	case TLS_GOT_VERIFIED:
		return "verified";
	}
	return "?";
}

const char *
tls_verdict_name(enum tls_verdict verdict)
{
	switch (verdict) {
	case VERDICT_NEXT_HOST:
		return "next-host";
	case VERDICT_DELIVER:
		return "deliver";
	case VERDICT_CLEAR:
		return "clear";
	}
	return "?";
}
