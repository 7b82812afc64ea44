/* Addresses, line ends and headers of messages that programs hand in. */
#include <stdio.h>
#include <string.h>

#include "mta/message/lines.h"
#include "mta/message/submit.h"

#include "tests/support/test.h"

/* --- Addresses --------------------------------------------------------- */

static int
on_address(void *arg, const char *address, struct err *err)
{
	struct buf *out = arg;

	(void)err;
	return buf_printf(out, "%s%s", out->n > 0 ? " | " : "", address);
}

static const char *
read_all(const char *text, char to[1024])
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 1000);
	if (addresses_read(
		span_of(text), "here.example", on_address, &out, &err) < 0)
		(void)snprintf(to, 1024, "! %s", err.text);
	else
		(void)snprintf(
		    to, 1024, "%.*s", (int)out.n, out.n == 0 ? "" : out.p);
	buf_free(&out);
	return to;
}

static void
addresses_are_found(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
	    {"", ""},
	    {" \r\n\t", ""},
	    {",,", ""},
	    {"a@b.example", "a@b.example"},
	    {"root", "root@here.example"},
	    {"root, cron ,", "root@here.example | cron@here.example"},
	    {"<a@b>", "a@b"},
	    {"Ann <a@b>", "a@b"},
	    {"Ann B. Clark <a@b>, d@e", "a@b | d@e"},
	    {"\"B, Ann\" <a@b>", "a@b"},
	    {"\"B \\\" <x@y>, Ann\" <a@b>", "a@b"},
	    /* RFC 5322 3.2.2 */
	    {"a@b (Ann (B), c), (x) d@e", "a@b | d@e"},
	    {"\"a b\"@c", "\"a b\"@c"},
	    {"a . b @ c . d", "a.b@c.d"},
	    {"a@[192.0.2.1], b@[IPv6:::1]", "a@[192.0.2.1] | b@[IPv6:::1]"},
	    /* RFC 5322 3.4: groups */
	    {"Friends: a@b, C <c@d>;, e@f", "a@b | c@d | e@f"},
	    {"undisclosed-recipients:;", ""},
	    /* RFC 5322 4.4: source routes */
	    {"<@x,@y:a@b>", "a@b"},
	    {"=?utf-8?Q?=C3=84?= <a@b>", "a@b"},
	    {"\xc3\xa4@b\xc3\xa4.example", "\xc3\xa4@b\xc3\xa4.example"},
	    {"a@b,\r\n c@d", "a@b | c@d"},
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(read_all(rows[i].text, got), rows[i].found);
}

static void
other_text_is_refused(void **state)
{
	static const char *const rows[] = {
	    "a b",
	    "Ann a@b",
	    "<a@b",
	    "a@b>",
	    "<>",
	    "Ann <>",
	    "<a@b> c",
	    "<a@b> <c@d>",
	    "a <b <c@d>>",
	    "\"a",
	    "(a",
	    "a@[b",
	    "<a b@c>",
	    "a\\b@c",
	    "a)b",
	    "a]b",
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (read_all(rows[i], got)[0] != '!')
			fail_msg("%s: %s", rows[i], got);
}

static void
nul_is_refused(void **state)
{
	static const char text[] = "a@b, \"c\0\"@d, (\0) e@f";
	struct err err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t n = sizeof(text) - 1; n > 7; n--)
		assert_int_equal(addresses_read((struct span){text, n},
				     "here.example", on_address, &out, &err),
		    -1);
	assert_int_equal(out.n, 0);
	buf_free(&out);
}

static void
names_may_be_long_addresses_not(void **state)
{
	char text[4096], got[1024];

	(void)state;
	(void)snprintf(text, sizeof(text), "\"%01000d\" <a@b>", 0);
	assert_string_equal(read_all(text, got), "a@b");
	(void)snprintf(text, sizeof(text), "%01000d@b", 0);
	assert_int_equal(read_all(text, got)[0], '!');
	(void)snprintf(text, sizeof(text), "<%01000d@b>", 0);
	assert_int_equal(read_all(text, got)[0], '!');
	memset(text, '(', 200);
	memset(text + 200, ')', 200);
	text[400] = '\0';
	assert_int_equal(read_all(text, got)[0], '!');
}

/* --- Line ends --------------------------------------------------------- */

static void
lines_end_in_crlf(void **state)
{
	static const struct {
		const char *in, *dots, *no_dots;
	} rows[] = {
	    {"", "", ""},
	    {"a", "a\r\n", "a\r\n"},
	    {"a\n", "a\r\n", "a\r\n"},
	    {"a\r\nb\n", "a\r\nb\r\n", "a\r\nb\r\n"},
	    {"\n\n", "\r\n\r\n", "\r\n\r\n"},
	    {"a\rb\n", "a b\r\n", "a b\r\n"},
	    {"a\r\r\n", "a \r\n", "a \r\n"},
	    {"a\r", "a\r\n", "a\r\n"},
	    {"\r.\n", " .\r\n", " .\r\n"},
	    {".\nx", "", ".\r\nx\r\n"},
	    {"a\n.\r\nx", "a\r\n", "a\r\n.\r\nx\r\n"},
	    {"a\n.", "a\r\n", "a\r\n.\r\n"},
	    {"..\n.a\n. \n.\r.\n", "..\r\n.a\r\n. \r\n. .\r\n",
		"..\r\n.a\r\n. \r\n. .\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		struct lines lines = {.dot_ends = i % 2 == 0};
		const char *in = rows[i / 2].in;
		const char *wanted = i % 2 == 0 ? rows[i / 2].dots
		                                : rows[i / 2].no_dots;
		struct buf out;

		buf_init(&out, 100);
		for (; *in != '\0'; in++)
			assert_int_equal(
			    lines_feed(&lines, (struct span){in, 1}, &out), 0);
		assert_int_equal(lines_finish(&lines, &out), 0);
		if (!span_eq(buf_span(&out), span_of(wanted)))
			fail_msg("row %zu: %.*s", i / 2, (int)out.n, out.p);
		buf_free(&out);
	}
}

static void
eight_bits_are_seen(void **state)
{
	struct lines lines = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(lines_feed(&lines, SPAN("abc\n"), &out), 0);
	assert_false(lines.eight_bit);
	assert_int_equal(lines_feed(&lines, SPAN("\xff"), &out), 0);
	assert_true(lines.eight_bit);
	buf_free(&out);
}

/* --- Header ------------------------------------------------------------ */

static void
header_and_body_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		size_t skip, head, body;
	} rows[] = {
	    {"", 0, 0, 0},
	    {"\r\n", 0, 0, 2},
	    {"\r\nx\r\n", 0, 0, 2},
	    {"A: b\r\n\r\nx\r\n", 0, 6, 8},
	    {"A: b\r\n c\r\n\r\n", 0, 10, 12},
	    {"A: b\r\n", 0, 6, 6},
	    {"A : b\r\n\r\n", 0, 7, 9},
	    {"From me\r\nA: b\r\n\r\n", 9, 6, 17},
	    {"From: me\r\n\r\n", 0, 10, 12},
	    {"just text\r\nA: b\r\n", 0, 0, 0},
	    {"A: b\r\ntext\r\n", 0, 6, 6},
	    {" x\r\nA: b\r\n", 0, 0, 0},
	    {"From me\r\n x\r\n", 9, 0, 9},
	    {": x\r\n", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct submit_parts parts = {0};

		assert_true(submit_split(span_of(rows[i].text), true, &parts));
		if (parts.skip != rows[i].skip || parts.head != rows[i].head ||
		    parts.body != rows[i].body)
			fail_msg("row %zu: %zu %zu %zu", i, parts.skip,
			    parts.head, parts.body);
	}
	assert_false(
	    submit_split(SPAN("A: b\r\n"), false, &(struct submit_parts){0}));
	assert_false(
	    submit_split(SPAN("A: b\r\nB"), false, &(struct submit_parts){0}));
}

static const char *
complete(const char *header, bool rcpts, char to[1024])
{
	struct buf out, found;
	struct submit submit = {.hostname = "here.example",
	    .from = "me@here.example",
	    .name = "",
	    .id = "7",
	    .found = rcpts ? on_address : NULL,
	    .arg = &found};
	struct err err = {0};

	buf_init(&out, 1000);
	buf_init(&found, 1000);
	if (submit_header(span_of(header), &submit, &out, &err) < 0)
		(void)snprintf(to, 1024, "! %s", err.text);
	else
		(void)snprintf(to, 1024, "%.*s%s%.*s", (int)out.n, out.p,
		    rcpts ? "> " : "", (int)found.n,
		    found.n == 0 ? "" : found.p);
	buf_free(&out);
	buf_free(&found);
	return to;
}

#define ADDED_DATE "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
#define ADDED_FROM "From: me@here.example\r\n"
#define ADDED_ID   "Message-ID: <7@here.example>\r\n"
#define THERE      "date: d\r\nFROM : f\r\nMessage-Id: i\r\n"

static void
what_is_missing_is_added(void **state)
{
	/* RFC 6409 8, RFC 6409 8.2; RFC 5322 3.6.8 and, for the blank,
	 * RFC 5322 4.5 */
	static const struct {
		const char *header, *completed;
	} rows[] = {
	    {"", ADDED_DATE ADDED_FROM ADDED_ID "\r\n"},
	    {THERE, THERE "\r\n"},
	    {"Subject: s\r\n x\r\nDate: d\r\n",
		"Subject: s\r\n x\r\nDate: d\r\n" ADDED_FROM ADDED_ID "\r\n"},
	    {"Bcc: a\r\n b\r\nReturn-Path: <c>\r\nRESENT-BCC: d\r\n" THERE,
		THERE "\r\n"},
	    {"X-From: y\r\n",
		"X-From: y\r\n" ADDED_DATE ADDED_FROM ADDED_ID "\r\n"},
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(
		    complete(rows[i].header, false, got), rows[i].completed);
}

static void
names_are_encoded(void **state)
{
	static const struct {
		const char *name, *field;
	} rows[] = {
	    {"", "From: a@b\r\n"},
	    {"Ann", "From: \"Ann\" <a@b>\r\n"},
	    /* RFC 5322 3.2.4 */
	    {"A \"\\\n", "From: \"A \\\"\\\\\" <a@b>\r\n"},
	    /* RFC 2047 2 */
	    {"\xc3\xa4", "From: =?utf-8?B?w6Q=?= <a@b>\r\n"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4",
		"From: =?utf-8?B?"
		"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
		"?=\r\n =?utf-8?B?w6Q=?= <a@b>\r\n"},
	    {"\xff", "From: a@b\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct submit submit = {.hostname = "h",
		    .from = "a@b",
		    .name = rows[i].name,
		    .id = "1"};
		struct buf out;
		struct err err;

		buf_init(&out, 1000);
		assert_int_equal(submit_header(SPAN("Date: d\r\n"
						    "Message-ID: i\r\n"),
				     &submit, &out, &err),
		    0);
		assert_int_equal(buf_add(&out, (struct span){"", 1}), 0);
		assert_non_null(strstr(out.p, rows[i].field));
		buf_free(&out);
	}
}

static void
recipients_are_those_of_the_header(void **state)
{
	static const struct {
		const char *header, *found;
	} rows[] = {
	    {THERE "To: a\r\ncc: b@c,\r\n d@e\r\nBCC: f@g\r\n",
		"> a@here.example | b@c | d@e | f@g"},
	    {THERE "From: x@y\r\nReply-To: x@y\r\nSubject: To: x@y\r\n", "> "},
	    /* RFC 5322 3.6.6: resent, it goes to others. */
	    {THERE "To: a@b\r\nResent-To: c@d\r\nResent-Bcc: e@f\r\n",
		"> c@d | e@f"},
	    {THERE "To: \"a\r\n", "! \" \"a\\x0d\\x0a\""},
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i + 1 < ROWS(rows); i++) {
		const char *found = strchr(
		    complete(rows[i].header, true, got), '>');

		assert_non_null(found);
		assert_string_equal(found, rows[i].found);
	}
	assert_int_equal(complete(rows[3].header, true, got)[0], '!');
	assert_non_null(strstr(complete(rows[3].header, false, got), "\"a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_found),
	    cmocka_unit_test(other_text_is_refused),
	    cmocka_unit_test(nul_is_refused),
	    cmocka_unit_test(names_may_be_long_addresses_not),
	    cmocka_unit_test(lines_end_in_crlf),
	    cmocka_unit_test(eight_bits_are_seen),
	    cmocka_unit_test(header_and_body_are_told_apart),
	    cmocka_unit_test(what_is_missing_is_added),
	    cmocka_unit_test(names_are_encoded),
	    cmocka_unit_test(recipients_are_those_of_the_header),
	};

	return cmocka_run_group_tests_name("submit", tests, NULL, NULL);
}
