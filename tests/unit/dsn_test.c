#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mta/message/dsn.h"

#include "tests/support/test.h"

struct scene {
	struct envelope envelope;
	struct envelope_rcpt rcpt;
	struct dsn_rcpt result;
	struct dsn dsn;
	struct dsn_needs needs;
	struct buf out;
};

static void
set_scene(struct scene *scene)
{
	*scene = (struct scene){0};
	scene->envelope = (struct envelope){.sender = "alice@example.org",
	    .envid = "",
	    .helo = "",
	    .client = "",
	    .arrived = 900000};
	scene->rcpt = (struct envelope_rcpt){
	    .address = "bob@example.net", .orcpt = ""};
	scene->result = (struct dsn_rcpt){
	    .rcpt = &scene->rcpt, .status = "5.1.1", .remote_mta = ""};
	scene->dsn = (struct dsn){.envelope = &scene->envelope,
	    .hostname = "mx1.example.org",
	    .id = "4fa3c1",
	    .queue_id = "",
	    .boundary = "b0undary",
	    .now = 1000000,
	    .rcpts = &scene->result,
	    .nrcpts = 1,
	    .original = SPAN("Subject: x\r\n")};
	buf_init(&scene->out, 200000);
}

/* No line too long, each ended by CRLF, no control characters. */
static void
check_lines(struct span text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n') {
			column = 0;
			i++;
			continue;
		}
		if (c < ' ' && c != '\t')
			fail_msg("control character %u at %zu", c, i);
		if (++column > 998)
			fail_msg("a line of more than 998 characters");
	}
	assert_int_equal(column, 0);
}

static const char *
build(struct scene *scene)
{
	struct err err;

	buf_clear(&scene->out);
	if (dsn_build(&scene->dsn, &scene->out, &scene->needs, &err) < 0)
		fail_msg("%s", err.text);
	check_lines(buf_span(&scene->out));
	if (!scene->needs.eight_bit)
		assert_true(text_is_ascii(buf_span(&scene->out)));
	assert_int_equal(buf_add(&scene->out, SPAN("\0")), 0);
	return scene->out.p == NULL ? "" : scene->out.p;
}

__attribute__((noinline)) static void
expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("not there: %s\nin: %s", part, text);
}

__attribute__((noinline)) static void
expect_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("should not be there: %s\nin: %s", part, text);
}

static void
fields_come_and_stay_away(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	set_scene(&scene);
	text = build(&scene);
	expect(text, "\r\nReporting-MTA: dns; mx1.example.org\r\n");
	/* RFC 3464 2.3.2 */
	expect(text, "\r\nFinal-Recipient: rfc822; bob@example.net\r\n"
		     "Action: failed\r\nStatus: 5.1.1\r\n");
	expect(text, "\r\nAuto-Submitted: auto-replied\r\n"); /* RFC 3834 5 */
	expect(text, "\r\nMessage-ID: <4fa3c1@mx1.example.org>\r\n");
	expect_not(text, "Original-Envelope-Id"); /* RFC 3464 2.2.1 */
	expect_not(text, "Received-From-MTA");    /* RFC 3464 2.2.4 */
	expect_not(text, "Original-Recipient");   /* RFC 3464 3 */
	expect_not(text, "Remote-MTA");           /* RFC 3464 2.3.5 */
	expect_not(text, "Diagnostic-Code");
	expect_not(text, "Last-Attempt-Date"); /* RFC 3464 2.3.7 */
	expect_not(text, "Will-Retry-Until");  /* RFC 3464 2.3.9 */
	expect_not(text, "In-Reply-To");
	scene.envelope.envid = "QQ+2B1";
	scene.envelope.helo = "client.example";
	scene.envelope.client = "192.0.2.1";
	scene.rcpt.orcpt = "RFC822;b+2Bc@example.net";
	scene.result.remote_mta = "mx.example.net";
	scene.result.diagnostic = SPAN("550 5.1.1 no");
	scene.result.last_attempt = 950000;
	scene.result.retry_until = 990000; /* it failed: not to be told */
	scene.dsn.original = SPAN("message-id: <one@example.org>\r\n");
	text = build(&scene);
	/* RFC 3461 6.3 */
	expect(text, "\r\nOriginal-Envelope-Id: QQ+1\r\n");
	expect(text, "Received-From-MTA: dns; client.example (192.0.2.1)\r\n");
	expect(text, "\r\nOriginal-Recipient: RFC822; b+c@example.net\r\n");
	expect(text, "\r\nRemote-MTA: dns; mx.example.net\r\n");
	expect(text, "\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n");
	/* RFC 3464 2.2.5: numeric zones */
	expect(
	    text, "\r\nLast-Attempt-Date: Sun, 11 Jan 1970 23:53:20 +0000\r\n");
	expect_not(text, "Will-Retry-Until");
	expect(text, "\r\nIn-Reply-To: <one@example.org>\r\n");
	scene.result.action = DSN_DELAYED;
	text = build(&scene);
	expect(text, "\r\nWill-Retry-Until: Mon, 12 Jan 1970 11:00:00 +0000");
	expect(text, "\r\nAction: delayed\r\n");
	buf_free(&scene.out);
}

/* RFC 3464 2.3.4, RFC 3461 6.3 (g) */
static void
status_is_well_formed(void **state)
{
	static const struct {
		const char *given;
		enum dsn_action action;
		const char *status;
	} rows[] = {
	    {"5.1.1", DSN_FAILED, "5.1.1"},
	    {"4.4.7", DSN_FAILED, "4.4.7"},
	    {"5.100.999", DSN_FAILED, "5.100.999"},
	    {"", DSN_FAILED, "5.0.0"},
	    {"", DSN_DELAYED, "4.0.0"},
	    {"", DSN_RELAYED, "2.0.0"},
	    {"", DSN_DELIVERED, "2.0.0"},
	    {"3.1.1", DSN_FAILED, "5.0.0"},
	    {"5.1", DSN_FAILED, "5.0.0"},
	    {"5.01.1", DSN_FAILED, "5.0.0"},
	    {"5.1.1000", DSN_FAILED, "5.0.0"},
	    {"5.1.1\r\nX: y", DSN_FAILED, "5.0.0"},
	    {"5..1", DSN_FAILED, "5.0.0"},
	    {"55.1.1", DSN_FAILED, "5.0.0"},
	};
	struct scene scene;
	char line[64];

	(void)state;
	set_scene(&scene);
	for (size_t i = 0; i < ROWS(rows); i++) {
		scene.result.status = rows[i].given;
		scene.result.action = rows[i].action;
		(void)snprintf(
		    line, sizeof(line), "\r\nStatus: %s\r\n", rows[i].status);
		expect(build(&scene), line);
	}
	buf_free(&scene.out);
}

static void
hostile_text_stays_in_its_field(void **state)
{
	struct scene scene;
	const char *text;
	char *long_reply = malloc(20000);

	(void)state;
	set_scene(&scene);
	scene.result.remote_mta = "mx\r\nAction: delivered\r\n\r\nx";
	scene.result.diagnostic = SPAN(
	    "550-one\r\n\r\nFinal-Recipient: rfc822; x\n\r\t\0 \x1b[0m "
	    "550 --b0undary--\xff");
	scene.envelope.helo = "a\r\n\r\nb";
	scene.envelope.client = "1\r\n2";
	scene.envelope.envid = "+0D+0AX+3A+20y";
	scene.rcpt.orcpt = "rfc822;+0D+0A+0D+0AAction:+20delivered";
	text = build(&scene);
	expect_not(text, "\r\nAction: delivered");
	expect_not(text, "\r\nFinal-Recipient: rfc822; x");
	expect_not(text, "\nX: y");
	expect(text, "\r\nDiagnostic-Code: smtp; 550-one\r\n    Final-");
	expect_not(text, "\r\n--b0undary--\xff");

	memset(long_reply, 'x', 20000);
	scene.result.diagnostic = (struct span){long_reply, 2000};
	expect(build(&scene), "xxxxxxxx");
	for (size_t i = 0; i < 20000; i++)
		long_reply[i] = i % 2 == 1 ? '\n' : '\xe9';
	scene.result.diagnostic = (struct span){long_reply, 20000};
	expect(build(&scene), "\r\n    ?\r\n    ?\r\n");
	free(long_reply);
	buf_free(&scene.out);
}

/* RFC 5322 2.1.1: better 78 characters than 998. */
static void
words_are_wrapped(void **state)
{
	struct scene scene;
	const char *text;
	size_t longest = 0;

	(void)state;
	set_scene(&scene);
	scene.result.diagnostic = SPAN(
	    "one two three four five six seven eight nine ten eleven "
	    "twelve thirteen fourteen fifteen sixteen seventeen eighteen "
	    "nineteen twenty twenty-one twenty-two twenty-three");
	for (text = build(&scene); *text != '\0'; text++) {
		size_t n = strcspn(text, "\r");

		longest = n > longest ? n : longest;
		text += n + 1;
	}
	assert_in_range(longest, 60, 78);
	buf_free(&scene.out);
}

/* RFC 6533 3, RFC 6533 4.1, RFC 6533 4.2, RFC 6533 4.5, RFC 3464 2.1 */
static void
utf8_is_encoded_or_labelled(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	set_scene(&scene);
	scene.envelope.smtputf8 = true;
	scene.rcpt.address = "\xc3\xa9@example.net";
	scene.rcpt.orcpt = "utf-8;\\x{E9}@example.net";
	scene.dsn.original = SPAN("Subject: \xc3\xa9\r\n");
	text = build(&scene);
	assert_false(scene.needs.eight_bit);
	assert_false(scene.needs.smtputf8);
	expect(text, "\r\nFinal-Recipient: utf-8; \\x{E9}@example.net\r\n");
	expect(text, "\r\nOriginal-Recipient: utf-8; \\x{E9}@example.net\r\n");
	expect(text, "Content-Type: message/delivery-status\r\n");
	expect(text, "Content-Type: message/global-headers\r\n"
		     "Content-Transfer-Encoding: base64\r\n");
	scene.envelope.sender = "\xc3\xa5@example.org";
	scene.dsn.whole = true;
	text = build(&scene);
	assert_true(scene.needs.eight_bit);
	assert_true(scene.needs.smtputf8);
	expect(text, "\r\nFinal-Recipient: utf-8; \xc3\xa9@example.net\r\n");
	expect(text, "\r\nOriginal-Recipient: utf-8; \xc3\xa9@example.net\r\n");
	expect(text, "Content-Type: message/global-delivery-status\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n");
	expect(text, "Content-Type: message/global\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n");
	/* RFC 6533 3: not of that syntax: without alteration */
	scene.envelope.sender = "a@example.org";
	scene.rcpt.orcpt = "utf-8;\\x{zz}";
	expect(build(&scene), "\r\nOriginal-Recipient: utf-8; \\x{zz}\r\n");
	buf_free(&scene.out);
}

static void
originals_are_labelled(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	set_scene(&scene);
	text = build(&scene);
	/* RFC 6522 4 */
	expect(text, "Content-Type: text/rfc822-headers\r\n"
		     "Content-Transfer-Encoding: 7bit\r\n");
	scene.dsn.whole = true;
	scene.dsn.original = SPAN("A: b\r\n\r\n\xe9\r\n");
	text = build(&scene);
	assert_true(scene.needs.eight_bit);
	assert_false(scene.needs.smtputf8);
	expect(text, "Content-Type: message/rfc822\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n");
	scene.dsn.original = SPAN("A: b\r\n\r\n--b0undary\r\n--b0undary--\r\n");
	expect(build(&scene), "boundary=\"b0undary0\"");
	scene.dsn.original = SPAN("A: b\r\n\r\nb0undary0");
	expect(build(&scene), "b0undary0\r\n\r\n--b0undary00--\r\n");
	buf_free(&scene.out);
}

static void
odd_message_ids_are_left_out(void **state)
{
	static const char *const originals[] = {
	    "Message-ID: none\r\n",
	    "Message-ID: <a b@c>\r\n",
	    "Message-ID: <a\r\n",
	    "Message-ID: <a\xe9@c>\r\n",
	    "Message-ID:\r\n <a@b>\r\n",
	    "X-Message-ID: <a@b>\r\n",
	    "A: b\r\n\r\nMessage-ID: <a@b>\r\n",
	};
	struct scene scene;

	(void)state;
	set_scene(&scene);
	for (size_t i = 0; i < ROWS(originals); i++) {
		scene.dsn.original = span_of(originals[i]);
		expect_not(build(&scene), "In-Reply-To");
	}
	buf_free(&scene.out);
}

/* RFC 3463 3 in plain words */
static void
people_are_told(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	set_scene(&scene);
	scene.result.remote_mta = "mx.example.net";
	scene.result.diagnostic = SPAN("550 5.1.1 no such user");
	text = build(&scene);
	expect(text, "\r\nSubject: Your message could not be delivered\r\n");
	expect(text, "\r\n  <bob@example.net>\r\n"
		     "    There is no mailbox of that name.\r\n"
		     "    The server mx.example.net said:\r\n"
		     "    550 5.1.1 no such user\r\n"
		     "    What to do: Check the spelling");
	expect(text, "\r\npostmaster@mx1.example.org.\r\n");
	scene.result.status = "4.4.1";
	text = build(&scene);
	expect(text, "It was tried for 1 day and will not be tried again.");
	scene.result.action = DSN_DELAYED;
	scene.result.retry_until = 2000000;
	text = build(&scene);
	expect(text, "You need not do anything");
	expect(text, "until Sat, 24 Jan 1970 03:33:20 +0000.");
	expect_not(text, "will not be tried again");
	scene.result.action = DSN_DELIVERED;
	text = build(&scene);
	expect(text, "The message is in the mailbox of");
	expect(text, "\r\nSubject: Your message was delivered\r\n");
	/* RFC 3461 5.2.7.3 (c), RFC 3464 2.3.3 */
	scene.result.action = DSN_EXPANDED;
	scene.result.status = "2.0.0";
	text = build(&scene);
	expect(text, "\r\nAction: expanded\r\nStatus: 2.0.0\r\n");
	expect(text, "passed on to all for whom this address stands");
	expect(text, "\r\nSubject: Your message was passed on\r\n");
	buf_free(&scene.out);
}

static void
it_fits_or_nothing_is_added(void **state)
{
	struct scene scene;
	struct err err;

	(void)state;
	set_scene(&scene);
	for (size_t limit = 0; limit < 3000; limit += 7) {
		struct buf out;
		int result;

		buf_init(&out, limit);
		result = dsn_build(&scene.dsn, &out, &scene.needs, &err);
		if (result < 0)
			assert_int_equal(out.n, 0);
		else
			assert_int_equal(err.kind, ERR_BUG);
		buf_free(&out);
	}
	buf_free(&scene.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_come_and_stay_away),
	    cmocka_unit_test(status_is_well_formed),
	    cmocka_unit_test(hostile_text_stays_in_its_field),
	    cmocka_unit_test(words_are_wrapped),
	    cmocka_unit_test(utf8_is_encoded_or_labelled),
	    cmocka_unit_test(originals_are_labelled),
	    cmocka_unit_test(odd_message_ids_are_left_out),
	    cmocka_unit_test(people_are_told),
	    cmocka_unit_test(it_fits_or_nothing_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
