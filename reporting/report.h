/*
 * A TLS-RPT report as a value (RFC 8460 4): what one organization saw of TLS
 * to one domain in one day.  report_write.h makes the mail of one that we
 * send, report_read.h reads one of somebody else, and both have this between.
 *
 * Ownership: everything is on one arena.  Texts are never NULL.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* RFC 8460 4.3, and what stands outside of its list. */
enum tls_result {
	RESULT_OTHER = 0, /* of a report: a word nobody knows */
	RESULT_STARTTLS_NOT_SUPPORTED,
	RESULT_CERTIFICATE_HOST_MISMATCH,
	RESULT_CERTIFICATE_EXPIRED,
	RESULT_CERTIFICATE_NOT_TRUSTED,
	RESULT_VALIDATION_FAILURE,
	RESULT_TLSA_INVALID,
	RESULT_DNSSEC_INVALID,
	RESULT_DANE_REQUIRED,
	RESULT_STS_POLICY_FETCH_ERROR,
	RESULT_STS_POLICY_INVALID,
	RESULT_STS_WEBPKI_INVALID,
	RESULTS,
};

/* RFC 8460 4.2 */
enum report_policy_type {
	POLICY_TYPE_OTHER = 0,
	POLICY_TYPE_NONE, /* "no-policy-found" */
	POLICY_TYPE_TLSA,
	POLICY_TYPE_STS,
};

struct report_failure {
	enum tls_result result;
	const char *result_type; /* as written; RESULT_OTHER: that alone */
	const char *sending_mta_ip;
	const char *receiving_mx_hostname;
	const char *receiving_mx_helo;
	const char *receiving_ip;
	uint64_t sessions;
	const char *additional_information; /* a URI */
	const char *failure_reason_code;
};

struct report_policy {
	enum report_policy_type type;
	const char *type_text;
	const char *const *strings; /* RFC 8460 4.2: records, or lines */
	size_t nstrings;
	const char *domain;
	const char *const *mx; /* patterns of MTA-STS */
	size_t nmx;
	uint64_t successes, failures; /* sessions */
	const struct report_failure *details;
	size_t ndetails;
};

struct report {
	const char *organization;
	const char *contact;
	const char *id;
	int64_t start, end; /* seconds, UTC; 0: not said */
	const struct report_policy *policies;
	size_t npolicies;
};
