#include "reporting/result.h"

const char *
tls_result_name(enum tls_result result)
{
	switch (result) {
	case RESULT_STARTTLS_NOT_SUPPORTED:
		return "starttls-not-supported";
	case RESULT_CERTIFICATE_HOST_MISMATCH:
		return "certificate-host-mismatch";
	case RESULT_CERTIFICATE_EXPIRED:
		return "certificate-expired";
	case RESULT_CERTIFICATE_NOT_TRUSTED:
		return "certificate-not-trusted";
	case RESULT_VALIDATION_FAILURE:
		return "validation-failure";
	case RESULT_TLSA_INVALID:
		return "tlsa-invalid";
	case RESULT_DNSSEC_INVALID:
		return "dnssec-invalid";
	case RESULT_DANE_REQUIRED:
		return "dane-required";
	case RESULT_STS_POLICY_FETCH_ERROR:
		return "sts-policy-fetch-error";
	case RESULT_STS_POLICY_INVALID:
		return "sts-policy-invalid";
	case RESULT_STS_WEBPKI_INVALID:
		return "sts-webpki-invalid";
	case RESULT_OTHER:
	case RESULTS:
		break;
	}
	return "";
}

enum tls_result
tls_result_of(struct span word)
{
	for (int i = RESULT_OTHER + 1; i < RESULTS; i++)
		if (span_eq(word, span_of(tls_result_name((enum tls_result)i))))
			return (enum tls_result)i;
	return RESULT_OTHER;
}

const char *
report_policy_type_name(enum report_policy_type type)
{
	switch (type) {
	case POLICY_TYPE_NONE:
		return "no-policy-found";
	case POLICY_TYPE_TLSA:
		return "tlsa";
	case POLICY_TYPE_STS:
		return "sts";
	case POLICY_TYPE_OTHER:
		break;
	}
	return "";
}

enum report_policy_type
report_policy_type_of(struct span word)
{
	for (int i = POLICY_TYPE_NONE; i <= POLICY_TYPE_STS; i++)
		if (span_eq(word, span_of(report_policy_type_name(
				      (enum report_policy_type)i))))
			return (enum report_policy_type)i;
	return POLICY_TYPE_OTHER;
}
