/* Names, ids and mails of reports; tests/unit/report_mail.py reads them. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "reporting/gzip.h"
#include "reporting/mail.h"

#include "tests/support/report_made.h"
#include "tests/support/test.h"

#define LIMIT 1000000

/* --- gzip ----------------------------------------------------------------- */

static void
check_unpacks(const struct buf *packed, const char *bytes, size_t n)
{
	static char room[LIMIT];
	z_stream stream = {.next_in = (Bytef *)packed->p,
	    .avail_in = (uInt)packed->n,
	    .next_out = (Bytef *)room,
	    .avail_out = sizeof(room)};

	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, n);
	assert_memory_equal(room, bytes, n);
	assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void
what_is_packed_unpacks(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 100, 16383, 16384, 100000, LIMIT - 1};
	static char bytes[LIMIT];
	uint32_t seed = 1;

	(void)state;
	/* Half of it cannot be packed. */
	for (size_t i = 0; i < LIMIT; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = i < LIMIT / 2 ? (char)(seed >> 24) : 'x';
	}
	for (size_t i = 0; i < ROWS(sizes); i++) {
		struct buf one, two;

		buf_init(&one, LIMIT);
		assert_int_equal(
		    gzip_write((struct span){bytes, sizes[i]}, &one), 0);
		check_unpacks(&one, bytes, sizes[i]);
		/* exactly as much room as it takes, and one octet less */
		buf_init(&two, one.n);
		assert_int_equal(
		    gzip_write((struct span){bytes, sizes[i]}, &two), 0);
		assert_true(span_eq(buf_span(&one), buf_span(&two)));
		buf_free(&two);
		buf_init(&two, one.n - 1);
		assert_int_equal(
		    gzip_write((struct span){bytes, sizes[i]}, &two), -1);
		buf_free(&two);
		buf_free(&one);
	}
}

/* --- names ---------------------------------------------------------------- */

static void
ids_are_of_the_day_and_the_domain(void **state)
{
	char id[REPORT_ID_SIZE], longest[256];

	(void)state;
	report_id(1795824000, "example.com", "mx1.sender.example", id);
	assert_string_equal(id, "2026-11-28.example.com@mx1.sender.example");
	report_id(1795824000 + 86400, "example.com", "mx2.sender.example", id);
	assert_string_equal(id, "2026-11-29.example.com@mx2.sender.example");
	memset(longest, 'a', 255);
	longest[255] = '\0';
	report_id(0, longest, longest, id);
	assert_int_equal(strlen(id), 10 + 1 + 255 + 1 + 255);
}

static const struct {
	const char *contact;
	const char *domain;
	const char *want; /* NULL: there is no name */
} files[] = {
    /* RFC 8460 5.1 */
    {"tls@mail.sndr.example.com", "example.net",
	"mail.sndr.example.com!example.net!1470013207!1470186007.json.gz"},
    {"tls@b.example", "xn--bcher-kva.example",
	"b.example!xn--bcher-kva.example!1470013207!1470186007.json.gz"},
    {"b.example", "example.net", NULL},
    {"@b.example", "example.net", NULL},
    {"a@", "example.net", NULL},
    {"a@b@c.example", "example.net", NULL},
    {"a@../b", "example.net", NULL},
    {"a@b.example", "", NULL},
    {"a@b.example", "../x", NULL},
    {"a@b.example", "a!b", NULL},
    {"a@b.example",
	"b\xc3\xbc"
	"cher.example",
	NULL},
};

static void
files_have_the_names_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(files); i++) {
		struct report report = {.contact = files[i].contact,
		    .start = 1470013207,
		    .end = 1470186007};
		struct report_outgoing mail = {
		    .report = &report, .domain = files[i].domain};
		char room[REPORT_FILE_SIZE];
		const char *got = report_file_name(&mail, room);

		if (files[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, files[i].want);
	}
}

/* --- mails ---------------------------------------------------------------- */

static const struct {
	const char *contact, *domain, *to, *id;
	bool good;
} mails[] = {
    {"a@b.example", "c.example", "d@e.example", "f@g.example", true},
    {"a@b.example", "c.example", "d+e=f/g!%h@e.example", "f@g.example", true},
    {"b.example", "c.example", "d@e.example", "f@g.example", false},
    {"a@b.example\r\nBcc: x@y.example", "c.example", "d@e.example",
	"f@g.example", false},
    {"a b@b.example", "c.example", "d@e.example", "f@g.example", false},
    {"a@b.example", "c.example\r\nX: y", "d@e.example", "f@g.example", false},
    {"a@b.example", "c.example", "", "f@g.example", false},
    {"a@b.example", "c.example", "d", "f@g.example", false},
    {"a@b.example", "c.example", "d@e.example,x@y.example", "f@g.example",
	false},
    {"a@b.example", "c.example", "d@e.example>\r\nX: y", "f@g.example", false},
    {"a@b.example", "c.example", "d\xc3\xbc@e.example", "f@g.example", false},
    {"a@b.example", "c.example", "d\x7f@e.example", "f@g.example", false},
    {"a@b.example", "c.example", "d,x@e.example", "f@g.example", false},
    {"a@b.example", "c.example", "(d)@e.example", "f@g.example", false},
    {"a@b.example", "c.example", "d@e.example", "f", false},
    {"a@b.example", "c.example", "d@e.example", "", false},
    {"a@b.example", "c.example", "d@e.example", "@g", false},
    {"a@b.example", "c.example", "d@e.example", "f@", false},
    {"a@b.example", "c.example", "d@e.example", "f@g@h", false},
    {"a@b.example", "c.example", "d@e.example", "f@g>\r\nX: y", false},
    {"a@b.example", "c.example", "d@e.example", "f@g h", false},
};

static void
headers_are_not_broken_out_of(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(mails); i++) {
		struct report report = {
		    .contact = mails[i].contact, .id = mails[i].id};
		struct report_outgoing mail = {.report = &report,
		    .domain = mails[i].domain,
		    .to = mails[i].to,
		    .number = 1};
		struct buf out;

		buf_init(&out, LIMIT);
		if ((report_mail_write(&mail, &out) == 0) != mails[i].good)
			fail_msg("row %zu", i);
		buf_free(&out);
	}
}

static void
write_mail(
    const struct report_outgoing *mail, size_t limit, int want, struct buf *out)
{
	buf_init(out, limit);
	assert_int_equal(report_mail_write(mail, out), want);
	if (want == 0)
		assert_int_equal(buf_add(out, (struct span){"", 1}), 0);
}

/* RFC 8460 5.3 */
static void
mails_have_the_shape_of_the_rfc(void **state)
{
	struct report_outgoing mail = {.report = &report_of_nothing,
	    .domain = "xn--bcher-kva.example",
	    .to = "reports@receiver.example",
	    .gzipped = SPAN("packed"),
	    .number = 3,
	    .now = 951868800};
	struct buf out;

	(void)state;
	write_mail(&mail, LIMIT, 0, &out);
	assert_string_equal(out.p,
	    "From: <postmaster@sender.example>\r\n"
	    "To: <reports@receiver.example>\r\n"
	    "Date: Wed, 01 Mar 2000 00:00:00 +0000\r\n"
	    "Message-ID: <1.3@sender.example>\r\n"
	    "Subject: Report Domain: xn--bcher-kva.example\r\n"
	    "\tSubmitter: sender.example\r\n"
	    "\tReport-ID: <1@sender.example>\r\n"
	    "TLS-Report-Domain: xn--bcher-kva.example\r\n"
	    "TLS-Report-Submitter: sender.example\r\n"
	    "TLS-Required: No\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=tlsrpt;\r\n"
	    "\tboundary=\"=_tlsrpt-951782400-3\"\r\n"
	    "\r\n"
	    "This is a report in MIME format.\r\n"
	    "\r\n"
	    "--=_tlsrpt-951782400-3\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "This is an aggregate TLS report (RFC 8460)\r\n"
	    "from sender.example\r\n"
	    "about mail to xn--bcher-kva.example\r\n"
	    "from 2000-02-29T00:00:00Z to 2000-02-29T23:59:59Z.\r\n"
	    "\r\n"
	    "Policy no-policy-found of xn--bcher-kva.example:\r\n"
	    "  1 sessions succeeded, 0 failed\r\n"
	    "\r\n"
	    "The attached file, JSON packed by gzip, has all of it.\r\n"
	    "\r\n"
	    "--=_tlsrpt-951782400-3\r\n"
	    "Content-Type: application/tlsrpt+gzip\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n"
	    "\tfilename=\"sender.example!xn--bcher-kva.example!"
	    "951782400!951868799.json.gz\"\r\n"
	    "\r\n"
	    "cGFja2Vk\r\n"
	    "\r\n"
	    "--=_tlsrpt-951782400-3--\r\n");
	buf_free(&out);
}

/* RFC 8460 4.4: one id of the report; RFC 5322 3.6.4: one of each mail. */
static void
mails_are_told_apart(void **state)
{
	struct report_outgoing mail = {.report = &report_in_full,
	    .domain = "example.com",
	    .to = "a@b.example",
	    .number = 1};
	struct buf one, two;

	(void)state;
	write_mail(&mail, LIMIT, 0, &one);
	mail.number = 2;
	write_mail(&mail, LIMIT, 0, &two);
	assert_non_null(strstr(
	    one.p, "Message-ID: <2026-11-28.example.com.1@sender.example>"));
	assert_non_null(strstr(
	    two.p, "Message-ID: <2026-11-28.example.com.2@sender.example>"));
	assert_non_null(strstr(
	    two.p, "Report-ID: <2026-11-28.example.com@sender.example>"));
	buf_free(&one);
	buf_free(&two);
}

static void
mails_are_bounded(void **state)
{
	struct report_outgoing mail = {.report = &report_in_full,
	    .domain = "example.com",
	    .to = "a@b.example",
	    .gzipped = SPAN("packed"),
	    .number = 1};
	struct buf out;
	size_t n;

	(void)state;
	write_mail(&mail, LIMIT, 0, &out);
	n = out.n - 1;
	buf_free(&out);
	for (size_t limit = 0; limit < n; limit += limit < n - 10 ? 7 : 1) {
		write_mail(&mail, limit, -1, &out);
		buf_free(&out);
	}
}

/* People are told the worst of it, however much there is. */
static void
words_are_bounded(void **state)
{
	static struct report_failure failures[100];
	static struct report_policy policies[100];
	struct report report = {.contact = "a@b.example",
	    .id = "f@g.example",
	    .policies = policies,
	    .npolicies = ROWS(policies)};
	struct report_outgoing mail = {.report = &report,
	    .domain = "c.example",
	    .to = "d@e.example",
	    .number = 1};
	char host[300] = "";
	struct buf out;

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	memcpy(host, "\r\n.", 3);
	for (size_t i = 0; i < ROWS(failures); i++)
		failures[i] = (struct report_failure){
		    .result = RESULT_VALIDATION_FAILURE,
		    .receiving_mx_hostname = host,
		    .sessions = i + 1};
	for (size_t i = 0; i < ROWS(policies); i++)
		policies[i] = (struct report_policy){.type = POLICY_TYPE_STS,
		    .domain = "c.example",
		    .failures = 1,
		    .details = failures,
		    .ndetails = ROWS(failures)};
	write_mail(&mail, LIMIT, 0, &out);
	assert_in_range(out.n, 20000, 40000);
	assert_non_null(
	    strstr(out.p, "\r\n  20 validation-failure at \\x0d\\x0a.hhhh"));
	assert_null(strstr(out.p, "\r\n  21 validation-failure"));
	assert_non_null(strstr(out.p, "\r\n  and 80 more\r\n"));
	for (char *line = out.p, *end; (end = strchr(line, '\n')) != NULL;
	     line = end + 1)
		assert_in_range(end - line, 1, 77);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_packed_unpacks),
	    cmocka_unit_test(ids_are_of_the_day_and_the_domain),
	    cmocka_unit_test(files_have_the_names_of_the_rfc),
	    cmocka_unit_test(headers_are_not_broken_out_of),
	    cmocka_unit_test(mails_have_the_shape_of_the_rfc),
	    cmocka_unit_test(mails_are_told_apart),
	    cmocka_unit_test(mails_are_bounded),
	    cmocka_unit_test(words_are_bounded),
	};

	return cmocka_run_group_tests_name("report_mail", tests, NULL, NULL);
}
