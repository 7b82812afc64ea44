/*
 * Mails with reports in them, right and wrong.  In a mail here, {json}, {gzip}
 * and their base64, {json64} and {gzip64}, stand for a report.
 */
#include <stdio.h>
#include <string.h>

#include "reporting/mime_bounds.h"
#include "reporting/mime_read.h"
#include "reporting/report_read.h"
#include "reporting/report_read_json.h"

#include "tests/support/gzip_kit.h"
#include "tests/support/report_print.h"
#include "tests/support/test.h"

#define MAIL_MAX ((size_t)1 << 20)
#define JSON                                                             \
	"{\"organization-name\":\"O\",\"contact-info\":\"c@o.example\"," \
	"\"report-id\":\"I\",\"date-range\":{\"start-datetime\":"        \
	"\"1970-01-02T00:00:00Z\",\"end-datetime\":"                     \
	"\"1970-01-02T23:59:59Z\"},\"policies\":[{\"policy\":{"          \
	"\"policy-type\":\"no-policy-found\",\"policy-domain\":\"d\"},"  \
	"\"summary\":{\"total-successful-session-count\":1,"             \
	"\"total-failure-session-count\":0}}]}"
#define REPORT                          \
	"O c@o.example I 86400-172799 " \
	"[no-policy-found/no-policy-found d 1/0]"

#define FROM    "From: Reports <tls@o.example>\r\n"
#define SUBJECT "Subject: Report Domain: d\r\n Submitter: o.example\r\n"
#define FIELDS                              \
	"TLS-Report-Domain: D.example.\r\n" \
	"TLS-Report-Submitter: O.example\r\n"
#define TOP FROM SUBJECT FIELDS
#define REPORT_OF(parts)                                              \
	TOP "Content-Type: multipart/report; report-type=\"tlsrpt\";" \
	    "\r\n\tboundary=b\r\n\r\n" parts "--b--\r\n"
#define WORDS         "--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n"
#define TYPE(t)       "Content-Type: " t "\r\n"
#define BASE64        "Content-Transfer-Encoding: base64\r\n"
#define PART(t, e, x) "--b\r\n" TYPE(t) e "\r\n" x "\r\n"
#define GZIP_PART     PART("application/tlsrpt+gzip", BASE64, "{gzip64}")
#define JSON_PART     PART("application/tlsrpt+json", "", "{json}")
#define SAYS          "d.example o.example o.example"

struct row {
	const char *name;
	const char *mail;
	const char *says; /* domain, submitter, domain of From */
	const char *notes;
	const char *why; /* it is set aside; NULL: REPORT is read */
};

static const struct row rows[] = {
    /* RFC 8460 5.3 */
    {"gzip", REPORT_OF(WORDS GZIP_PART), SAYS, "", NULL},
    {"JSON", REPORT_OF(WORDS JSON_PART), SAYS, "", NULL},
    {"without CR",
	"TLS-Report-Domain: d.example\nFrom: a@o.example\n"
	"TLS-Report-Submitter: o.example\nContent-Type: "
	"multipart/report; report-type=tlsrpt; boundary=b\n\n"
	"--b\nContent-Type: application/tlsrpt+json\n\n{json}\n"
	"--b--\n",
	SAYS, "", NULL},
    {"case does not matter",
	"tls-report-domain: d.example\r\nFROM: a@O.EXAMPLE\r\n"
	"TLS-REPORT-SUBMITTER: o.example\r\nCONTENT-TYPE: "
	"MULTIPART/REPORT; REPORT-TYPE=TLSRPT; BOUNDARY=b\r\n\r\n"
	"--b\r\nCONTENT-TYPE: Application/TLSRPT+GZIP\r\n"
	"Content-Transfer-Encoding: BASE64\r\n\r\n{gzip64}\r\n--b--\r\n",
	SAYS, "", NULL},
    {"quoted-printable",
	REPORT_OF(PART("application/tlsrpt+json",
	    "Content-Transfer-Encoding: quoted-printable\r\n",
	    "{json}=20\r\n")),
	SAYS, "", NULL},
    {"JSON in base64",
	REPORT_OF(PART("application/tlsrpt+json", BASE64, "{json64}")), SAYS,
	"", NULL},
    {"binary", TOP TYPE("application/tlsrpt+gzip") "\r\n{gzip}", SAYS,
	"mail-type", NULL},
    {"without an end",
	TOP "Content-Type: multipart/report; "
	    "report-type=tlsrpt; boundary=b\r\n\r\n" JSON_PART,
	SAYS, "", NULL},

    /* a lone body, another type of mail */
    {"lone gzip", TOP TYPE("application/tlsrpt+gzip") BASE64 "\r\n{gzip64}",
	SAYS, "mail-type", NULL},
    {"lone JSON", TOP TYPE("application/tlsrpt+json") "\r\n{json}", SAYS,
	"mail-type", NULL},
    {"no type at all", TOP "\r\n{json}", SAYS, "mail-type part-type", NULL},
    {"a mixed mail",
	TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n" WORDS GZIP_PART
	    "--b--\r\n",
	SAYS, "mail-type", NULL},
    {"a report of another type",
	TOP "Content-Type: multipart/report; report-type=delivery-status; "
	    "boundary=b\r\n\r\n" GZIP_PART,
	SAYS, "mail-type", NULL},
    {"no report-type",
	TOP "Content-Type: multipart/report; "
	    "boundary=b\r\n\r\n" GZIP_PART,
	SAYS, "mail-type", NULL},

    /* the octets tell */
    {"JSON said to be gzip",
	REPORT_OF(PART("application/tlsrpt+gzip", "", "{json}")), SAYS,
	"not-gzip", NULL},
    {"gzip said to be JSON",
	REPORT_OF(PART("application/tlsrpt+json", BASE64, "{gzip64}")), SAYS,
	"gzip", NULL},
    {"the type without a suffix",
	REPORT_OF(PART("application/tlsrpt", BASE64, "{gzip64}")), SAYS,
	"part-type", NULL},
    {"application/gzip",
	REPORT_OF(WORDS PART("application/gzip", BASE64, "{gzip64}")), SAYS,
	"part-type", NULL},
    {"application/octet-stream",
	REPORT_OF(WORDS PART("application/octet-stream", BASE64, "{json64}")),
	SAYS, "part-type", NULL},
    {"text/plain", REPORT_OF(WORDS PART("text/plain", "", " \r\n{json}")), SAYS,
	"part-type", NULL},
    {"with a byte order mark",
	REPORT_OF(PART("application/tlsrpt+json", "", "\xef\xbb\xbf{json}")),
	SAYS, "bom", NULL},
    {"the right type goes first",
	REPORT_OF(PART("application/json", "", "{\"no\":1}") JSON_PART), SAYS,
	"", NULL},
    {"the wrong content does not",
	REPORT_OF(PART("application/tlsrpt+json", "", "none")
		PART("application/json", "", "{json}")),
	SAYS, "part-type", NULL},
    {"two",
	REPORT_OF(JSON_PART PART("application/tlsrpt+json", "", "{\"no\":1}")),
	SAYS, "several", NULL},

    /* RFC 2045 6.8, as Google has it */
    {"base64 without its end",
	REPORT_OF(PART("application/tlsrpt+gzip", BASE64, "{gzip63}")), SAYS,
	"base64", NULL},
    {"base64 with more",
	REPORT_OF(
	    PART("application/tlsrpt+gzip", BASE64, "!{gzip64}\r\n \r\n")),
	SAYS, "base64", NULL},

    /* the name of the file is nobody's business: RFC 8460 6.3 */
    {"a path",
	REPORT_OF(PART("application/tlsrpt+json",
	    "Content-Disposition: attachment; "
	    "filename=\"../../etc/passwd\"\r\n",
	    "{json}")),
	SAYS, "", NULL},

    /* a forwarded report */
    {"in a message",
	"From: b@f.example\r\nContent-Type: multipart/mixed; "
	"boundary=a\r\n\r\n--a\r\nContent-Type: "
	"message/rfc822\r\n\r\n" REPORT_OF(JSON_PART) "\r\n--a--\r\n",
	"d.example o.example f.example", "mail-type forwarded", NULL},
    {"the outer fields go first",
	"From: b@f.example\r\nTLS-Report-Domain: x.example\r\n"
	"TLS-Report-Submitter: o.example\r\nContent-Type: "
	"message/rfc822\r\n\r\n" REPORT_OF(JSON_PART),
	"x.example o.example f.example", "mail-type forwarded", NULL},

    /* what the mail says */
    {"no fields", FROM TYPE("application/tlsrpt+json") "\r\n{json}",
	"  o.example", "mail-type no-domain no-submitter", NULL},
    {"another submitter",
	FROM "TLS-Report-Domain: d\r\nTLS-Report-Submitter: x.example\r\n" TYPE(
	    "application/tlsrpt+json") "\r\n{json}",
	"d x.example o.example", "mail-type submitter@x.example", NULL},
    {"no From", FIELDS TYPE("application/tlsrpt+json") "\r\n{json}",
	"d.example o.example ", "mail-type", NULL},
    {"several in From",
	"From: team: x@a.example;, y@b.example, z@c.example\r\n" FIELDS TYPE(
	    "application/tlsrpt+json") "\r\n{json}",
	"d.example o.example b.example", "mail-type", NULL},
    {"From without a domain",
	"From: nobody\r\n" FIELDS TYPE("application/tlsrpt+json") "\r\n{json}",
	"d.example o.example ", "mail-type", NULL},
    {"more than a domain",
	FROM "TLS-Report-Domain:\r\n d.example (ours); x\r\n"
	     "TLS-Report-Submitter: <o.example>\r\n" TYPE(
		 "application/tlsrpt+json") "\r\n{json}",
	"d.example  o.example", "mail-type no-submitter", NULL},
    {"no characters of others",
	"From: =?iso-2022-cn-ext?q?x?= <a@o.example>\r\n"
	"TLS-Report-Domain: d\xe9.example\r\n"
	"TLS-Report-Submitter: =?utf-8?q?o?=\r\n" TYPE(
	    "application/tlsrpt+json") "\r\n{json}",
	"d?.example =_utf-8?q?o?= o.example",
	"mail-type submitter@=_utf-8?q?o?=", NULL},

    /* set aside */
    {"words alone", TOP "\r\nHello.\r\n", SAYS, "", "no part of the mail"},
    {"nothing in it", REPORT_OF(WORDS), SAYS, "", "no part of the mail"},
    {"no part at all", REPORT_OF(""), SAYS, "", "no part of the mail"},
    {"no boundary",
	TOP TYPE("multipart/report; report-type=tlsrpt") "\r\n" GZIP_PART, SAYS,
	"", "no part of the mail"},
    {"an empty part", REPORT_OF(PART("application/tlsrpt+json", "", "")), SAYS,
	"", "no part of the mail"},
    {"an empty message in it",
	TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\n--b--\r\n",
	SAYS, "", "no part of the mail"},
    {"a bounce",
	TOP TYPE("multipart/report; report-type=delivery-status; "
		 "boundary=b") "\r\n" WORDS PART("message/delivery-status", "",
	    "Action: failed"),
	SAYS, "", "no part of the mail"},
    {"no mail", "hello world\r\n", "  ", "", "it is no mail"},
    {"JSON alone", "{json}", "  ", "", "no part of the mail"},
    {"nothing", "", "  ", "", "it is no mail"},
    {"an empty gzip",
	REPORT_OF(PART("application/tlsrpt+gzip", BASE64, "H4sI\r\n")), SAYS,
	"", "it ends too early"},
    {"JSON of another kind",
	REPORT_OF(PART("application/tlsrpt+json", "", "{\"a\":1}")), SAYS, "",
	"it is JSON and no report"},
};

static void
add(struct buf *to, struct span bytes)
{
	assert_int_equal(buf_add(to, bytes), 0);
}

static void
add_report(struct buf *to, struct span what)
{
	struct buf bytes;
	size_t before = to->n;

	buf_init(&bytes, MAIL_MAX);
	if (span_starts_nocase(what, SPAN("{gzip")))
		gzip_add(&bytes, SPAN(JSON), "rpt.json");
	else
		add(&bytes, SPAN(JSON));
	if (span_eq(span_from(what, 5), SPAN("64}")) ||
	    span_eq(span_from(what, 5), SPAN("63}")))
		base64_add(to, buf_span(&bytes));
	else
		add(to, buf_span(&bytes));
	buf_free(&bytes);
	if (!span_eq(span_from(what, 5), SPAN("63}")))
		return;
	while (to->p[to->n - 1] == '=' || to->p[to->n - 1] == '\n')
		to->n--;
	assert_true(to->n > before);
}

static struct buf
mail_of(const char *text)
{
	static const char *const words[] = {
	    "{json}", "{gzip}", "{json64}", "{gzip64}", "{gzip63}"};
	struct span rest = span_of(text);
	struct buf mail;

	buf_init(&mail, MAIL_MAX);
	while (rest.n > 0) {
		struct span word = {rest.p, 1};

		for (size_t i = 0; i < ROWS(words); i++)
			if (span_starts_nocase(rest, span_of(words[i])))
				word = span_of(words[i]);
		if (word.n > 1)
			add_report(&mail, word);
		else
			add(&mail, word);
		rest = span_from(rest, word.n);
	}
	return mail;
}

static void
assert_printed(const struct row *row, struct buf *got, const char *want)
{
	if (!span_eq(buf_span(got), span_of(want)))
		fail_msg("%s: \"%.*s\", not \"%s\"", row->name, (int)got->n,
		    got->p, want);
	buf_clear(got);
}

static void
check(const struct row *row)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct buf mail = mail_of(row->mail);
	struct report_read read;
	struct err err = {0};
	struct buf out;
	int rc = report_read_mail(buf_span(&mail), arena, &read, &err);

	buf_init(&out, MAIL_MAX);
	if (rc < 0 && (row->why == NULL || strstr(err.text, row->why) == NULL))
		fail_msg("%s: %s", row->name, err.text);
	if (rc == 0 && row->why != NULL)
		fail_msg("%s: is read", row->name);
	if (rc == 0) {
		report_print(&out, &read.report);
		assert_printed(row, &out, REPORT);
	} else {
		assert_int_equal(err.kind, ERR_PERM);
		assert_int_equal(read.report.npolicies, 0);
	}
	assert_int_equal(buf_printf(&out, "%s %s %s", read.mail.domain,
			     read.mail.submitter, read.mail.from_domain),
	    0);
	assert_printed(row, &out, row->says);
	report_print_notes(&out, &read.notes);
	assert_printed(row, &out, row->notes);
	buf_free(&out);
	buf_free(&mail);
	arena_free(&arena);
}

static void
mails_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check(&rows[i]);
}

static struct mime_mail
said(const char *text, struct arena *arena)
{
	struct buf mail = mail_of(text);
	struct report_read read;
	struct err err;

	assert_int_equal(
	    report_read_mail(buf_span(&mail), arena, &read, &err), 0);
	buf_free(&mail);
	return read.mail;
}

static void
fields_become_one_printable_line(void **state)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct mime_mail mail;
	char text[1500];

	(void)state;
	mail = said(TOP "\r\n{json}", arena);
	assert_string_equal(
	    mail.subject, "Report Domain: d Submitter: o.example");
	mail = said(
	    "Subject: \x1b[2J\x7f\xc3\xbc=?utf-8?q?a?=\r\n\r\n{json}", arena);
	assert_string_equal(mail.subject, "?[2J??"
					  "?=_utf-8?q?a?=");
	(void)snprintf(text, sizeof(text), "Subject: %01000d\r\n\r\n{json}", 7);
	mail = said(text, arena);
	assert_int_equal(strlen(mail.subject), MIME_TEXT_MAX);
	arena_free(&arena);
}

/* RFC 8460 5.4: what is posted has no mail around it. */
static void
bodies_are_read_by_their_octets(void **state)
{
	static const char *const bodies[] = {"{json}", "{gzip}", " {json}"};

	(void)state;
	for (size_t i = 0; i < ROWS(bodies); i++) {
		struct arena *arena = arena_new(REPORT_ARENA);
		struct buf body = mail_of(bodies[i]);
		struct report_read read;
		struct err err;

		assert_int_equal(
		    report_read_body(buf_span(&body), arena, &read, &err), 0);
		assert_string_equal(read.report.id, "I");
		assert_int_equal(read.notes.n, 0);
		assert_string_equal(read.mail.domain, "");
		assert_string_equal(read.mail.subject, "");
		buf_free(&body);
		arena_free(&arena);
	}
}

static void
gzip_has_its_oddities(void **state)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, MAIL_MAX);
	gzip_add(&body, span_first(SPAN(JSON), 20), NULL);
	gzip_add(&body, span_from(SPAN(JSON), 20), NULL);
	add(&body, SPAN("\r\n"));
	assert_int_equal(
	    report_read_body(buf_span(&body), arena, &read, &err), 0);
	assert_string_equal(read.report.id, "I");
	assert_int_equal(read.notes.n, 2);
	assert_non_null(report_note_of(&read.notes, ODD_MEMBERS));
	assert_non_null(report_note_of(&read.notes, ODD_TRAILING));
	buf_free(&body);
	arena_free(&arena);
}

static const struct {
	const char *mail;
	const char *tamed; /* NULL: as it was */
} tamed[] = {
    {"Subject: =?a?= *\r\n\r\n=?a?= *", "Subject: =_a?= _\r\n\r\n=?a?= *"},
    {"A: b\n =?c\n\n=?d", "A: b\n =_c\n\n=?d"},
    {"A: \xff\nB: \xc3\xbc\n\n\xff", "A: ?\nB: \xc3\xbc\n\n\xff"},
    /* RFC 2046 5.1: a part has a header */
    {"A: b\n\n--b\nC: =?\n\n=?\n--b\n*\n\n*",
	"A: b\n\n--b\nC: =_\n\n=?\n--b\n_\n\n*"},
    /* a message has one, too, and in a digest (RFC 2046 5.1.5) each part */
    {"Content-Type: message/rfc822\n\nA: =?\n\n=?",
	"Content-Type: message/rfc822\n\nA: =_\n\n=?"},
    {"content-type: multipart/digest\n\n--b\n\nA: =?\n\n=?",
	"content-type: multipart/digest\n\n--b\n\nA: =_\n\n=_"},
    {"Content-Type:\n  MESSAGE/rfc822\n\nA: *\n\n*",
	"Content-Type:\n  MESSAGE/rfc822\n\nA: _\n\n*"},
    {"Message-ID: message\n\n*", NULL},
    {"Content-Type: text/plain\nX: message\n\n*", NULL},
    {"Content-Type: message/rfc822\n\n--b\nA: b\n\n*", NULL},
    {"", NULL},
    {"\r\n*", NULL},
    {"A: b", NULL},
};

static void
headers_are_tamed_and_bodies_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(tamed); i++) {
		const char *want = tamed[i].tamed == NULL ? tamed[i].mail
		                                          : tamed[i].tamed;
		struct buf mail = mail_of(tamed[i].mail);
		struct err err;

		assert_int_equal(mime_tame(mail.p, mail.n, &err), 0);
		if (!span_eq(buf_span(&mail), span_of(want)))
			fail_msg("%.*s, not %s", (int)mail.n, mail.p, want);
		buf_free(&mail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mails_are_taken_apart),
	    cmocka_unit_test(fields_become_one_printable_line),
	    cmocka_unit_test(bodies_are_read_by_their_octets),
	    cmocka_unit_test(gzip_has_its_oddities),
	    cmocka_unit_test(headers_are_tamed_and_bodies_are_not),
	};

	return cmocka_run_group_tests_name("mime_read", tests, NULL, NULL);
}
