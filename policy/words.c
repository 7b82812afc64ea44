/* The words of the decision, as logs and listings write them. */
#include "policy/policy.h"

const char *
tls_need_name(enum tls_need need)
{
	switch (need) {
	case TLS_DEFER:
		return "defer";
	case TLS_NEVER:
		return "never";
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
	case SOURCE_OPERATOR:
		return "operator";
	}
	return "?";
}

const char *
tls_got_name(enum tls_got got)
{
	switch (got) {
	case TLS_GOT_NOTHING:
		return "nothing";
	case TLS_GOT_NOT_ASKED:
		return "not-asked";
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

const char *
hop_source_name(enum hop_source hop)
{
	switch (hop) {
	case HOP_UNKNOWN:
		return "unknown";
	case HOP_MX:
		return "mx";
	case HOP_IMPLICIT:
		return "implicit";
	case HOP_CONFIGURED:
		return "configured";
	}
	return "?";
}

const char *
sts_state_name(enum sts_state sts)
{
	switch (sts) {
	case STS_UNKNOWN:
		return "unknown";
	case STS_NOT_EVALUATED:
		return "not-evaluated";
	case STS_NOT_OBTAINED:
		return "not-obtained";
	case STS_NONE:
		return "none";
	case STS_TESTING_MATCH:
		return "testing-match";
	case STS_TESTING_NO_MATCH:
		return "testing-no-match";
	case STS_MATCH:
		return "match";
	case STS_NO_MATCH:
		return "no-match";
	}
	return "?";
}

const char *
sts_verdict_name(enum sts_verdict verdict)
{
	switch (verdict) {
	case STS_VERDICT_NONE:
		return "not-evaluated";
	case STS_VERDICT_PASSED:
		return "passed";
	case STS_VERDICT_HOST_NOT_NAMED:
		return "host-not-named";
	case STS_VERDICT_NO_TLS:
		return "no-tls";
	case STS_VERDICT_CERTIFICATE:
		return "certificate";
	}
	return "?";
}

const char *
sender_wish_name(enum sender_wish wish)
{
	switch (wish) {
	case SENDER_UNKNOWN:
		return "unknown";
	case SENDER_DEFAULT:
		return "default";
	case SENDER_REQUIRES_TLS:
		return "requiretls";
	case SENDER_WAIVES_TLS:
		return "tls-required-no";
	case SENDER_ENCRYPTS:
		return "requiretls-encrypt";
	case SENDER_PREFERS_TLS:
		return "requiretls-opportunistic";
	}
	return "?";
}

const char *
operator_level_name(enum operator_level level)
{
	switch (level) {
	case OPERATOR_UNKNOWN:
		return "unknown";
	case OPERATOR_NO_RULE:
		return "no-rule";
	case OPERATOR_NONE:
		return "none";
	case OPERATOR_OPPORTUNISTIC:
		return "opportunistic";
	case OPERATOR_ENCRYPT:
		return "encrypt";
	case OPERATOR_VERIFY:
		return "verify";
	case OPERATOR_SECURE:
		return "secure";
	case OPERATOR_DANE:
		return "dane";
	}
	return "?";
}
