/*
 * What we write, as we read it: the JSON, packed, and the whole mail say the
 * same report again, with nothing to note.
 */
#include "reporting/gzip.h"
#include "reporting/mail.h"
#include "reporting/report_json.h"
#include "reporting/report_read.h"
#include "reporting/report_read_json.h"
#include "reporting/result.h"

#include "tests/support/report_made.h"
#include "tests/support/report_print.h"
#include "tests/support/test.h"

#define LIMIT 100000

/* How much is odd about what we write. */
static unsigned
notes_of(const struct report *report)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct buf json;
	unsigned n = 0;
	struct err err;

	buf_init(&json, LIMIT);
	assert_int_equal(report_json(report, &json), 0);
	assert_int_equal(
	    report_read_body(buf_span(&json), arena, &read, &err), 0);
	for (size_t i = 0; i < read.notes.n; i++)
		n += read.notes.list[i].count;
	buf_free(&json);
	arena_free(&arena);
	return n;
}

static const struct {
	const struct report *report;
	const char *domain; /* NULL: its id is none for a mail */
	const char *text;
} rows[] = {
    {&report_of_the_rfc, NULL,
	"Company-X sts-reporting@company-x.example "
	"5065427c-23d3-47ca-b6e0-946ea0e8c4be 1459468800-1459555199 "
	"[sts/sts company-y.example \"version: STSv1\" \"mode: testing\" "
	"\"mx: *.mail.company-y.example\" \"max_age: 86400\" "
	"mx=*.mail.company-y.example 5326/303 "
	"{certificate-expired/3 from=2001:db8:abcd:12::1 "
	"host=mx1.mail.company-y.example n=100} "
	"{starttls-not-supported/1 from=2001:db8:abcd:13::1 "
	"host=mx2.mail.company-y.example to=203.0.113.56 n=200 "
	"more=https://reports.company-x.example/"
	"report_info?id=5065427c-23d3#StarttlsNotSupported} "
	"{validation-failure/5 from=198.51.100.62 "
	"host=mx-backup.mail.company-y.example to=203.0.113.58 n=3 "
	"code=X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED}]"},
    {&report_of_nothing, "xn--bcher-kva.example",
	"Example postmaster@sender.example 1@sender.example "
	"951782400-951868799 "
	"[no-policy-found/no-policy-found xn--bcher-kva.example 1/0]"},
};

/* RFC 8460 4.3.2: of a policy that could not be had there is nothing to tell. */
static void
a_policy_that_cannot_be_had_is_not_odd(void **state)
{
	static const enum tls_result results[] = {RESULT_STS_POLICY_FETCH_ERROR,
	    RESULT_STS_WEBPKI_INVALID, RESULT_STS_POLICY_INVALID,
	    RESULT_DNSSEC_INVALID, RESULT_DANE_REQUIRED};

	(void)state;
	for (size_t i = 0; i < ROWS(results); i++) {
		enum tls_result result = results[i];
		const struct report_failure failure = {.result = result,
		    .result_type = tls_result_name(result),
		    .sending_mta_ip = "192.0.2.1",
		    .receiving_mx_hostname = "",
		    .receiving_mx_helo = "",
		    .receiving_ip = "",
		    .sessions = 1,
		    .additional_information = "",
		    .failure_reason_code = ""};
		struct report_policy policy = {
		    .type = i < 3 ? POLICY_TYPE_STS : POLICY_TYPE_TLSA,
		    .domain = "b.example",
		    .failures = 1,
		    .details = &failure,
		    .ndetails = 1};
		struct report report = report_of_nothing;

		report.policies = &policy;
		assert_int_equal(notes_of(&report), 0);
	}
}

static void
check(const struct report_read *read, const char *want)
{
	struct buf text, notes;

	buf_init(&text, LIMIT);
	buf_init(&notes, LIMIT);
	report_print(&text, &read->report);
	report_print_notes(&notes, &read->notes);
	assert_int_equal(notes.n, 0);
	if (!span_eq(buf_span(&text), span_of(want)))
		fail_msg("%.*s\nnot\n%s", (int)text.n, text.p, want);
	buf_free(&text);
	buf_free(&notes);
}

static void
check_body(struct span body, const char *want)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err;

	if (report_read_body(body, arena, &read, &err) < 0)
		fail_msg("%s", err.text);
	check(&read, want);
	arena_free(&arena);
}

static void
check_mail(struct span mail, const char *want)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err;

	if (report_read_mail(mail, arena, &read, &err) < 0)
		fail_msg("%s", err.text);
	check(&read, want);
	arena_free(&arena);
}

static void
written_reports_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf json, packed, mail;
		struct report_outgoing outgoing = {.report = rows[i].report,
		    .domain = rows[i].domain,
		    .to = "a@b.example",
		    .number = 1};

		buf_init(&json, LIMIT);
		buf_init(&packed, LIMIT);
		buf_init(&mail, LIMIT);
		assert_int_equal(report_json(rows[i].report, &json), 0);
		check_body(buf_span(&json), rows[i].text);
		assert_int_equal(gzip_write(buf_span(&json), &packed), 0);
		check_body(buf_span(&packed), rows[i].text);
		outgoing.gzipped = buf_span(&packed);
		if (rows[i].domain != NULL) {
			assert_int_equal(
			    report_mail_write(&outgoing, &mail), 0);
			check_mail(buf_span(&mail), rows[i].text);
		}
		buf_free(&json);
		buf_free(&packed);
		buf_free(&mail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_policy_that_cannot_be_had_is_not_odd),
	    cmocka_unit_test(written_reports_are_read),
	};

	return cmocka_run_group_tests_name("report_round", tests, NULL, NULL);
}
