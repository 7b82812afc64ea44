#include "tests/support/report_made.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const rfc_strings[] = {"version: STSv1", "mode: testing",
    "mx: *.mail.company-y.example", "max_age: 86400"};
static const char *const rfc_mx[] = {"*.mail.company-y.example"};
static const struct report_failure rfc_details[] = {
    {.result = RESULT_CERTIFICATE_EXPIRED,
	.sending_mta_ip = "2001:db8:abcd:12::1",
	.receiving_mx_hostname = "mx1.mail.company-y.example",
	.receiving_mx_helo = "",
	.receiving_ip = "",
	.sessions = 100,
	.additional_information = "",
	.failure_reason_code = ""},
    {.result = RESULT_STARTTLS_NOT_SUPPORTED,
	.sending_mta_ip = "2001:db8:abcd:13::1",
	.receiving_mx_hostname = "mx2.mail.company-y.example",
	.receiving_ip = "203.0.113.56",
	.sessions = 200,
	.additional_information = "https://reports.company-x.example/"
				  "report_info?id=5065427c-23d3"
				  "#StarttlsNotSupported"},
    {.result = RESULT_VALIDATION_FAILURE,
	.sending_mta_ip = "198.51.100.62",
	.receiving_mx_hostname = "mx-backup.mail.company-y.example",
	.receiving_ip = "203.0.113.58",
	.sessions = 3,
	.failure_reason_code = "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"},
};
static const struct report_policy rfc_policies[] = {
    {.type = POLICY_TYPE_STS,
	.strings = rfc_strings,
	.nstrings = COUNT(rfc_strings),
	.domain = "company-y.example",
	.mx = rfc_mx,
	.nmx = COUNT(rfc_mx),
	.successes = 5326,
	.failures = 303,
	.details = rfc_details,
	.ndetails = COUNT(rfc_details)},
};

const struct report report_of_the_rfc = {
    .organization = "Company-X",
    .contact = "sts-reporting@company-x.example",
    .id = "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    .start = 1459468800,
    .end = 1459555199,
    .policies = rfc_policies,
    .npolicies = 1,
};

static const char *const tlsa_strings[] = {"3 1 1 "
					   "1f850a337e6db9c609c522d136a47563"
					   "8cc43e1ed424f8eec8513d747d1d085d",
    "2 0 1 "
    "12350a337e6db9c6123522d136a475638cc43e1ed424f8eec8513d747d1d1234"};
static const char *const sts_strings[] = {"version: STSv1", "mode: enforce",
    "mx: mx1.example.com", "mx: *.backup.example.com",
    "x: \xc3\xbc \"\\\x01\x7f", "max_age: 604800"};
static const char *const sts_mx[] = {"mx1.example.com", "*.backup.example.com"};
static const struct report_failure full_details[] = {
    {.result = RESULT_CERTIFICATE_HOST_MISMATCH,
	.sending_mta_ip = "192.0.2.1",
	.receiving_mx_hostname = "mx1.example.com",
	.receiving_mx_helo = "mx1.example.com",
	.receiving_ip = "2001:db8::1",
	.sessions = 1,
	.additional_information = "https://example.net/x",
	.failure_reason_code = "hostname \xff mismatch\r\n"},
};
static const struct report_policy full_policies[] = {
    {.type = POLICY_TYPE_TLSA,
	.strings = tlsa_strings,
	.nstrings = COUNT(tlsa_strings),
	.domain = "mx1.example.com",
	.mx = sts_mx, /* is not of a tlsa policy */
	.nmx = COUNT(sts_mx),
	.successes = UINT64_MAX},
    {.type = POLICY_TYPE_STS,
	.strings = sts_strings,
	.nstrings = COUNT(sts_strings),
	.domain = "example.com",
	.mx = sts_mx,
	.nmx = COUNT(sts_mx),
	.successes = 41,
	.failures = 1,
	.details = full_details,
	.ndetails = COUNT(full_details)},
};

const struct report report_in_full = {
    .organization = "B\xc3\xbc"
		    "cher",
    .contact = "tls@sender.example",
    .id = "2026-11-28.example.com@sender.example",
    .start = 1795824000,
    .end = 1795910399,
    .policies = full_policies,
    .npolicies = COUNT(full_policies),
};

static const struct report_policy no_policies[] = {
    {.type = POLICY_TYPE_NONE,
	.domain = "xn--bcher-kva.example",
	.successes = 1},
};

const struct report report_of_nothing = {
    .organization = "Example",
    .contact = "postmaster@sender.example",
    .id = "1@sender.example",
    .start = 951782400, /* 2000-02-29 */
    .end = 951868799,
    .policies = no_policies,
    .npolicies = 1,
};
