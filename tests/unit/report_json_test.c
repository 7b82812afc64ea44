/* Reports as JSON, octet by octet. */
#include <string.h>

#include "reporting/report_json.h"

#include "tests/support/report_made.h"
#include "tests/support/test.h"

#define LIMIT 100000

static void
check(const struct report *report, const char *want)
{
	struct buf out;

	buf_init(&out, LIMIT);
	assert_int_equal(report_json(report, &out), 0);
	if (!span_eq(buf_span(&out), span_of(want)))
		fail_msg("%.*s\nnot\n%s", (int)out.n, out.p, want);
	buf_free(&out);
}

/* RFC 8460 B, but for blanks, spellings of addresses, and erratum 6241. */
static void
the_example_is_written(void **state)
{
	(void)state;
	check(&report_of_the_rfc,
	    "{\"organization-name\":\"Company-X\","
	    "\"date-range\":{\"start-datetime\":\"2016-04-01T00:00:00Z\","
	    "\"end-datetime\":\"2016-04-01T23:59:59Z\"},"
	    "\"contact-info\":\"sts-reporting@company-x.example\","
	    "\"report-id\":\"5065427c-23d3-47ca-b6e0-946ea0e8c4be\","
	    "\"policies\":[{"
	    "\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
	    "\"version: STSv1\",\"mode: testing\","
	    "\"mx: *.mail.company-y.example\",\"max_age: 86400\"],"
	    "\"policy-domain\":\"company-y.example\","
	    "\"mx-host\":[\"*.mail.company-y.example\"]},"
	    "\"summary\":{\"total-successful-session-count\":5326,"
	    "\"total-failure-session-count\":303},"
	    "\"failure-details\":[{"
	    "\"result-type\":\"certificate-expired\","
	    "\"sending-mta-ip\":\"2001:db8:abcd:12::1\","
	    "\"receiving-mx-hostname\":\"mx1.mail.company-y.example\","
	    "\"failed-session-count\":100},{"
	    "\"result-type\":\"starttls-not-supported\","
	    "\"sending-mta-ip\":\"2001:db8:abcd:13::1\","
	    "\"receiving-mx-hostname\":\"mx2.mail.company-y.example\","
	    "\"receiving-ip\":\"203.0.113.56\","
	    "\"failed-session-count\":200,"
	    "\"additional-information\":\"https://reports.company-x.example/"
	    "report_info?id=5065427c-23d3#StarttlsNotSupported\"},{"
	    "\"result-type\":\"validation-failure\","
	    "\"sending-mta-ip\":\"198.51.100.62\","
	    "\"receiving-mx-hostname\":\"mx-backup.mail.company-y.example\","
	    "\"receiving-ip\":\"203.0.113.58\","
	    "\"failed-session-count\":3,"
	    "\"failure-reason-code\":"
	    "\"X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED\"}]}]}");
}

static void
whatever_there_is_is_written(void **state)
{
	(void)state;
	check(&report_in_full,
	    "{\"organization-name\":\"B\\u00FC"
	    "cher\","
	    "\"date-range\":{\"start-datetime\":\"2026-11-28T00:00:00Z\","
	    "\"end-datetime\":\"2026-11-28T23:59:59Z\"},"
	    "\"contact-info\":\"tls@sender.example\","
	    "\"report-id\":\"2026-11-28.example.com@sender.example\","
	    "\"policies\":[{"
	    "\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":["
	    "\"3 1 1 1f850a337e6db9c609c522d136a475638cc43e1ed424f8eec8513d747"
	    "d1d085d\",\"2 0 1 12350a337e6db9c6123522d136a475638cc43e1ed424f8e"
	    "ec8513d747d1d1234\"],"
	    "\"policy-domain\":\"mx1.example.com\"},"
	    "\"summary\":{\"total-successful-session-count\":9007199254740991,"
	    "\"total-failure-session-count\":0}},{"
	    "\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
	    "\"version: STSv1\",\"mode: enforce\",\"mx: mx1.example.com\","
	    "\"mx: *.backup.example.com\",\"x: \\u00FC \\\"\\\\\\u0001\x7f\","
	    "\"max_age: 604800\"],"
	    "\"policy-domain\":\"example.com\","
	    "\"mx-host\":[\"mx1.example.com\",\"*.backup.example.com\"]},"
	    "\"summary\":{\"total-successful-session-count\":41,"
	    "\"total-failure-session-count\":1},"
	    "\"failure-details\":[{"
	    "\"result-type\":\"certificate-host-mismatch\","
	    "\"sending-mta-ip\":\"192.0.2.1\","
	    "\"receiving-mx-hostname\":\"mx1.example.com\","
	    "\"receiving-mx-helo\":\"mx1.example.com\","
	    "\"receiving-ip\":\"2001:db8::1\","
	    "\"failed-session-count\":1,"
	    "\"additional-information\":\"https://example.net/x\","
	    "\"failure-reason-code\":\"hostname ? mismatch\\r\\n\"}]}]}");
}

static void
the_heartbeat_is_short(void **state)
{
	static const struct report none = {.organization = "Example",
	    .contact = "a@b.example",
	    .id = "1",
	    .start = -1,
	    .end = INT64_MAX};

	(void)state;
	check(&report_of_nothing,
	    "{\"organization-name\":\"Example\","
	    "\"date-range\":{\"start-datetime\":\"2000-02-29T00:00:00Z\","
	    "\"end-datetime\":\"2000-02-29T23:59:59Z\"},"
	    "\"contact-info\":\"postmaster@sender.example\","
	    "\"report-id\":\"1@sender.example\",\"policies\":[{"
	    "\"policy\":{\"policy-type\":\"no-policy-found\","
	    "\"policy-domain\":\"xn--bcher-kva.example\"},"
	    "\"summary\":{\"total-successful-session-count\":1,"
	    "\"total-failure-session-count\":0}}]}");
	check(&none,
	    "{\"organization-name\":\"Example\","
	    "\"date-range\":{\"start-datetime\":\"1970-01-01T00:00:00Z\","
	    "\"end-datetime\":\"9999-12-31T23:59:59Z\"},"
	    "\"contact-info\":\"a@b.example\",\"report-id\":\"1\","
	    "\"policies\":[]}");
}

/* What we read from others may have words that nobody knows. */
static void
words_of_others_are_kept(void **state)
{
	static const struct report_failure failure = {
	    .result_type = "quantum-invalid", .sessions = 1};
	static const struct report_policy policy = {.type_text = "quantum",
	    .domain = "b.example",
	    .details = &failure,
	    .ndetails = 1};
	static const struct report report = {.organization = "",
	    .contact = "",
	    .id = "",
	    .policies = &policy,
	    .npolicies = 1};

	(void)state;
	check(&report,
	    "{\"organization-name\":\"\","
	    "\"date-range\":{\"start-datetime\":\"1970-01-01T00:00:00Z\","
	    "\"end-datetime\":\"1970-01-01T00:00:00Z\"},"
	    "\"contact-info\":\"\",\"report-id\":\"\",\"policies\":[{"
	    "\"policy\":{\"policy-type\":\"quantum\","
	    "\"policy-domain\":\"b.example\"},"
	    "\"summary\":{\"total-successful-session-count\":0,"
	    "\"total-failure-session-count\":0},"
	    "\"failure-details\":[{\"result-type\":\"quantum-invalid\","
	    "\"failed-session-count\":1}]}]}");
}

static void
reports_are_bounded(void **state)
{
	struct buf out;

	(void)state;
	for (size_t limit = 0; limit < 300; limit++) {
		buf_init(&out, limit);
		assert_int_equal(report_json(&report_of_nothing, &out), -1);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_example_is_written),
	    cmocka_unit_test(whatever_there_is_is_written),
	    cmocka_unit_test(the_heartbeat_is_short),
	    cmocka_unit_test(words_of_others_are_kept),
	    cmocka_unit_test(reports_are_bounded),
	};

	return cmocka_run_group_tests_name("report_json", tests, NULL, NULL);
}
