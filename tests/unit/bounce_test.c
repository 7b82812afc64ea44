/* What came back: which of it says that a report was not delivered? */
#include <stdio.h>
#include <string.h>

#include "reporting/bounce.h"

#include "tests/support/test.h"

/* RFC 6522 3, RFC 3464 2.1 */
#define TOP(type)                           \
	"From: MAILER-DAEMON@b.example\r\n" \
	"Subject: gone\r\nContent-Type: " type "\r\n\r\nfor MIME\r\n"
#define REPORT                                                                 \
	TOP("multipart/report; report-type=delivery-status;\r\n boundary=\"b " \
	    "1\"")
#define WORDS  "--b 1\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
#define STATUS "--b 1\r\nContent-Type: message/delivery-status\r\n\r\n"
#define OF     "Reporting-MTA: dns; mx.b.example\r\n\r\n"
#define TO     "Final-Recipient: rfc822; r@b.example\r\n"
#define ENDS   "--b 1--\r\n"
/* Of whom it was not sent to. */
#define GONE(final) \
	"Final-Recipient: " final "\r\nAction: failed\r\nStatus: 5.1.1\r\n"
/* RFC 3464 2.3.6: the type, and what was said */
#define FAILED                                                   \
	TO "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code:" \
	   " smtp; 550 5.1.1 <r@b.example>:\r\n\t unknown\r\n"
#define DONE(action) TO "Action: " action "\r\nStatus: 2.0.0\r\n"

static const struct {
	const char *what, *mail;
	enum bounce bounce;
	const char *why;
} rows[] = {
    {"it failed", REPORT WORDS STATUS OF FAILED ENDS, BOUNCE_FAILED,
	"5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"without words for people", REPORT STATUS OF FAILED ENDS, BOUNCE_FAILED,
	"5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"another case", /* RFC 2045 5.1, RFC 3464 2.3.3 */
	TOP("Multipart/REPORT; Boundary=x") "--x\r\ncontent-TYPE:"
					    " Message/Delivery-Status\r\n\r\n"
					    "a: b\r\n\r\nACTION: Failed\r\n",
	BOUNCE_FAILED, ""},
    {"bare line feeds",
	"Content-Type: multipart/report; boundary=x\n\n--x\n"
	"Content-Type: message/delivery-status\n\na: b\n\nAction: failed\n"
	"Status: 5.2.1 (gone)\n--x--\n",
	BOUNCE_FAILED, "5.2.1"},
    {"RFC 6533 3", /* with its fields as they read */
	TOP("multipart/report; boundary=x") "--x\r\nContent-Type: "
					    "message/global-delivery-status\r\n"
					    "Content-Transfer-Encoding: 8bit"
					    "\r\n\r\na: b\r\n\r\n" FAILED
					    "--x--\r\n",
	BOUNCE_FAILED, "5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"encoded fields are not read",
	TOP("multipart/report; boundary=x") "--x\r\nContent-Type: "
					    "message/global-delivery-status\r\n"
					    "Content-Transfer-Encoding: base64"
					    "\r\n\r\na: b\r\n\r\n" FAILED
					    "--x--\r\n",
	BOUNCE_OTHER, ""},
    {"more empty lines than there should be",
	REPORT WORDS STATUS OF "\r\n\r\n" FAILED ENDS, BOUNCE_FAILED,
	"5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"a second one failed, too", REPORT STATUS OF FAILED "\r\n" FAILED ENDS,
	BOUNCE_FAILED, "5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"what is sent to the terminal",
	REPORT STATUS OF TO
	"Action: failed\r\nDiagnostic-Code: smtp; \x1b[2J\xff\r\n" ENDS,
	BOUNCE_FAILED, "\\x1b[2J\\xff"},
    {"it is cut behind what it says", REPORT STATUS OF FAILED, BOUNCE_FAILED,
	"5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"one behind it", /* RFC 3461 5.2.7.1 */
	REPORT STATUS OF GONE("rfc822; dead@b.example") ENDS, BOUNCE_BEHIND,
	""},
    {"one behind it that names it",
	REPORT STATUS OF "Original-Recipient: rfc822;r@b.example\r\n" GONE(
	    "rfc822; dead@b.example") ENDS,
	BOUNCE_BEHIND, ""},
    {"one behind it, and it",
	REPORT STATUS OF GONE("rfc822; dead@b.example") "\r\n" FAILED ENDS,
	BOUNCE_FAILED, "5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"it, and one behind it",
	REPORT STATUS OF FAILED "\r\n" GONE("rfc822; dead@b.example") ENDS,
	BOUNCE_FAILED, "5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"it, written otherwise",
	REPORT STATUS OF GONE("RFC822;\t<R@B.Example> ") ENDS, BOUNCE_FAILED,
	"5.1.1"},
    {"it, with a comment", /* RFC 3464 2.1 */
	REPORT STATUS OF GONE("rfc822; <r@b.example> (Reports)") ENDS,
	BOUNCE_FAILED, "5.1.1"},
    {"it, with a comment close by", /* RFC 822 3.4.3 */
	REPORT STATUS OF GONE("rfc822;r@b.example(Reports; of \"b\")") ENDS,
	BOUNCE_FAILED, "5.1.1"},
    {"brackets of the diagnostic",
	REPORT STATUS OF TO
	"Action: failed\r\nDiagnostic-Code: smtp; <gone>\r\n" ENDS,
	BOUNCE_FAILED, "<gone>"},
    {"it, by the name of its host", /* RFC 3464 2.3.1 */
	REPORT STATUS OF "Original-Recipient: rfc822; r@b.example\r\n" GONE(
	    "rfc822; r@mx.b.example") ENDS,
	BOUNCE_FAILED, "5.1.1"},
    {"another at that host",
	REPORT STATUS OF GONE("rfc822; r@mx.b.example") ENDS, BOUNCE_BEHIND,
	""},
    {"another, of another",
	REPORT STATUS OF "Original-Recipient: rfc822; x@b.example\r\n" GONE(
	    "rfc822; r@mx.b.example") ENDS,
	BOUNCE_BEHIND, ""},
    {"delayed", REPORT STATUS OF DONE("delayed") ENDS, BOUNCE_NEWS, ""},
    {"delivered", REPORT STATUS OF DONE("delivered") ENDS, BOUNCE_NEWS, ""},
    {"another of them got it",
	REPORT STATUS OF FAILED "\r\n" DONE("relayed") ENDS, BOUNCE_NEWS, ""},
    {"it is in a mailbox of another's",
	REPORT STATUS OF FAILED "\r\n" DONE("delivered") ENDS, BOUNCE_NEWS, ""},
    {"of another boundary as long as it", /* RFC 2046 5.1.1 */
	TOP("multipart/report; boundary=\"b 2\"") STATUS OF FAILED ENDS,
	BOUNCE_OTHER, ""},
    {"and before it", REPORT STATUS OF DONE("expanded") "\r\n" FAILED ENDS,
	BOUNCE_NEWS, ""},
    {"RFC 3464 2.2: the message's own group is missing",
	REPORT STATUS FAILED ENDS, BOUNCE_FAILED,
	"5.1.1 550 5.1.1 <r@b.example>: unknown"},
    {"and who got it is the first",
	REPORT STATUS DONE("relayed") "\r\n" FAILED ENDS, BOUNCE_NEWS, ""},
    {"of the message alone", REPORT STATUS OF ENDS, BOUNCE_NEWS, ""},
    {"no action that is known", REPORT STATUS OF DONE("failure") ENDS,
	BOUNCE_NEWS, ""},
    {"failed, by the words of what it returns",
	REPORT WORDS
	"--b 1\r\nContent-Type: message/rfc822\r\n\r\n" OF FAILED ENDS,
	BOUNCE_OTHER, ""},
    {"behind the last part", REPORT WORDS ENDS STATUS OF FAILED, BOUNCE_OTHER,
	""},
    {"of another boundary",
	TOP("multipart/report; boundary=\"b\"") STATUS OF FAILED ENDS,
	BOUNCE_OTHER, ""},
    {"without a boundary", TOP("multipart/report") STATUS OF FAILED ENDS,
	BOUNCE_OTHER, ""},
    {"another multipart",
	TOP("multipart/mixed; boundary=\"b 1\"") STATUS OF FAILED ENDS,
	BOUNCE_OTHER, ""},
    {"somebody writes", "Subject: hello\r\n\r\nAction: failed\r\n",
	BOUNCE_OTHER, ""},
    {"somebody is away", /* RFC 3834 5 */
	"Auto-Submitted: auto-replied\r\n\r\nAction: failed\r\n",
	BOUNCE_AUTOMATIC, ""},
    {"a person says so", "Auto-Submitted: no\r\n\r\n", BOUNCE_OTHER, ""},
    {"nothing", "", BOUNCE_OTHER, ""},
    {"no header ends",
	"Content-Type: multipart/report; boundary=", BOUNCE_OTHER, ""},
};

static void
what_failed_is_told_from_the_rest(void **state)
{
	char why[BOUNCE_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		enum bounce got = bounce_read(
		    span_of(rows[i].mail), "r@b.example", why);

		if (got != rows[i].bounce || strcmp(why, rows[i].why) != 0)
			fail_msg("%s: %d \"%s\"", rows[i].what, (int)got, why);
	}
}

/* RFC 3461 4: and a server may give it back as it was. */
static void
it_is_known_by_what_we_said(void **state)
{
	char orcpt[BOUNCE_ORCPT_SIZE], why[BOUNCE_WHY_SIZE], long_one[600];

	(void)state;
	bounce_orcpt("a+b=c@b.example", orcpt);
	assert_string_equal(orcpt, "rfc822;a+2Bb+3Dc@b.example");
	assert_int_equal(
	    bounce_read(
		SPAN(REPORT STATUS OF "Original-Recipient: "
				      "rfc822;a+2Bb+3Dc@b.example\r\n" GONE(
					  "rfc822; a+b=c@mx.b.example") ENDS),
		"a+b=c@b.example", why),
	    BOUNCE_FAILED);
	bounce_orcpt("\xc3\xa4 \x7f@b.example", orcpt);
	assert_string_equal(orcpt, "rfc822;+C3+A4+20+7F@b.example");
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	bounce_orcpt(long_one, orcpt);
	assert_string_equal(orcpt, "");
	long_one[491] = '+';
	long_one[492] = '\0';
	bounce_orcpt(long_one, orcpt);
	assert_string_equal(orcpt, "");
	long_one[490] = '+';
	long_one[491] = '\0';
	bounce_orcpt(long_one, orcpt);
	assert_int_equal(strlen(orcpt), 500);
}

/* RFC 6533 4.4: any of the types for the fields beside any of those for what is
 * returned. */
static void
any_mix_of_types_is_read(void **state)
{
	static const char *const fields[] = {
	    "message/delivery-status", "message/global-delivery-status"};
	static const char *const returned[] = {"message/rfc822",
	    "text/rfc822-headers", "message/global", "message/global-headers"};
	char mail[2000], why[BOUNCE_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < ROWS(fields) * ROWS(returned); i++) {
		const char *of = fields[i / ROWS(returned)];
		const char *back = returned[i % ROWS(returned)];

		(void)snprintf(mail, sizeof(mail),
		    "%s%s--b 1\r\nContent-Type: %s\r\n\r\n%s"
		    "--b 1\r\nContent-Type: %s\r\n\r\nSubject: x\r\n%s",
		    REPORT, WORDS, of, OF FAILED, back, ENDS);
		if (bounce_read(span_of(mail), "r@b.example", why) !=
		    BOUNCE_FAILED)
			fail_msg("%s, %s", of, back);
	}
}

/* Whatever there is more of. */
static void
its_parts_and_its_size_are_bounded(void **state)
{
	static char mail[2 * BOUNCE_LOOK_MAX];
	char why[BOUNCE_WHY_SIZE];
	size_t n = (size_t)snprintf(mail, sizeof(mail), REPORT);

	(void)state;
	for (int i = 0; i < 8; i++)
		n += (size_t)snprintf(mail + n, sizeof(mail) - n, WORDS);
	(void)snprintf(mail + n, sizeof(mail) - n, STATUS OF FAILED ENDS);
	assert_int_equal(
	    bounce_read(span_of(mail), "r@b.example", why), BOUNCE_OTHER);
	n -= sizeof(WORDS) - 1;
	(void)snprintf(mail + n, sizeof(mail) - n, STATUS OF FAILED ENDS);
	assert_int_equal(
	    bounce_read(span_of(mail), "r@b.example", why), BOUNCE_FAILED);
	n = (size_t)snprintf(mail, sizeof(mail), REPORT "--b 1\r\n\r\n");
	memset(mail + n, 'x', BOUNCE_LOOK_MAX);
	n += BOUNCE_LOOK_MAX;
	(void)snprintf(
	    mail + n, sizeof(mail) - n, "\r\n" STATUS OF FAILED ENDS);
	assert_int_equal(
	    bounce_read(span_of(mail), "r@b.example", why), BOUNCE_OTHER);
}

static void
every_kind_says_why_it_is_passed_over(void **state)
{
	(void)state;
	for (unsigned k = BOUNCE_OTHER; k <= BOUNCE_BEHIND; k++)
		assert_true(
		    strncmp(bounce_name((enum bounce)k), "it ", 3) == 0);
	assert_string_equal(bounce_name(BOUNCE_FAILED), "failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_failed_is_told_from_the_rest),
	    cmocka_unit_test(it_is_known_by_what_we_said),
	    cmocka_unit_test(any_mix_of_types_is_read),
	    cmocka_unit_test(its_parts_and_its_size_are_bounded),
	    cmocka_unit_test(every_kind_says_why_it_is_passed_over),
	};

	return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
