/* Replies: read, understood, and as other servers write them. */
#include <stdio.h>
#include <string.h>

#include "mta/smtp/reply.h"

#include "tests/support/corpus.h"
#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

struct row {
	const char *rule;
	const char *text;
	enum reply_take take;
	enum err_kind kind;
	const char *enhanced;
	const char *words;
};

static const struct row rows[] = {
    {"RFC 5321 4.2: one line", "550 5.1.1 who?\r\n", REPLY_WHOLE, ERR_PERM,
	"5.1.1", "550 5.1.1 who?"},
    {"RFC 5321 4.2.1: several", "450-4.2.1 a\r\n450 4.2.1 b\r\n", REPLY_WHOLE,
	ERR_TEMP, "4.2.1", "450 4.2.1 a 4.2.1 b"},
    {"RFC 5321 4.2: no text", "550\r\n", REPLY_WHOLE, ERR_PERM, "5.0.0", "550"},
    {"RFC 5321 4.2: a blank and no text", "450 \r\n", REPLY_WHOLE, ERR_TEMP,
	"4.0.0", "450"},
    {"RFC 5321 4.2: yes", "250 2.0.0 ok\r\n", REPLY_WHOLE, ERR_NONE, "",
	"250 2.0.0 ok"},
    {"RFC 5321 4.2: go on", "354 go\r\n", REPLY_WHOLE, ERR_NONE, "", "354 go"},
    {"RFC 5321 4.2: a bare LF is borne", "550 5.1.1 who?\n", REPLY_WHOLE,
	ERR_PERM, "5.1.1", "550 5.1.1 who?"},
    {"RFC 5321 4.2: not all there", "550 5.1.1 who?\r", REPLY_WAIT, ERR_NONE,
	"", ""},
    {"RFC 5321 4.2.1: more to come", "550-5.1.1 who?\r\n", REPLY_WAIT, ERR_NONE,
	"", ""},
    {"RFC 5321 4.2: two digits", "55 no\r\n", REPLY_BROKEN, ERR_NONE, "", ""},
    {"RFC 5321 4.2: four digits", "5500 no\r\n", REPLY_BROKEN, ERR_NONE, "",
	""},
    {"RFC 5321 4.2: 1yz is gone", "150 no\r\n", REPLY_BROKEN, ERR_NONE, "", ""},
    {"RFC 5321 4.2: 6yz never was", "650 no\r\n", REPLY_BROKEN, ERR_NONE, "",
	""},
    {"RFC 5321 4.2: no code", "hello\r\n", REPLY_BROKEN, ERR_NONE, "", ""},
    {"RFC 5321 4.2: nothing", "\r\n", REPLY_BROKEN, ERR_NONE, "", ""},
    {"RFC 5321 4.2: something between", "550+no\r\n", REPLY_BROKEN, ERR_NONE,
	"", ""},
    {"RFC 5321 4.2.1: codes differ", "250-a\r\n251 b\r\n", REPLY_BROKEN,
	ERR_NONE, "", ""},
    {"RFC 2034 4: status of another class", "550 4.1.1 who?\r\n", REPLY_WHOLE,
	ERR_PERM, "5.0.0", "550 4.1.1 who?"},
    {"RFC 3463 2: two numbers", "550 5.1 who?\r\n", REPLY_WHOLE, ERR_PERM,
	"5.0.0", "550 5.1 who?"},
    {"RFC 3463 2: three digits", "550 5.123.456 x\r\n", REPLY_WHOLE, ERR_PERM,
	"5.123.456", "550 5.123.456 x"},
    {"RFC 3463 2: four digits", "550 5.1234.1 x\r\n", REPLY_WHOLE, ERR_PERM,
	"5.0.0", "550 5.1234.1 x"},
    {"RFC 3463 2: status alone", "550 5.7.1\r\n", REPLY_WHOLE, ERR_PERM,
	"5.7.1", "550 5.7.1"},
    {"RFC 3463 2: glued to the text", "550 5.7.1x\r\n", REPLY_WHOLE, ERR_PERM,
	"5.0.0", "550 5.7.1x"},
    {"RFC 3463 2: missing detail", "550 5.7. x\r\n", REPLY_WHOLE, ERR_PERM,
	"5.0.0", "550 5.7. x"},
    {"RFC 5321 4.2: strange octets are escaped", "550 \x1b[1m\xff\r\n",
	REPLY_WHOLE, ERR_PERM, "5.0.0", "550 \\x1b[1m\\xff"},
    {"RFC 5321 4.2: 3yz out of place", "334 dGVzdA==\r\n", REPLY_WHOLE,
	ERR_TEMP, "4.5.0", "334 dGVzdA=="},
};

static void
check_whole(const struct row *row, const struct reply *reply)
{
	struct err err = reply_to_err(reply, "RCPT TO");
	char words[REPLY_WORDS_MAX];

	reply_words(reply, words);
	if (err.kind != row->kind || strcmp(err.enhanced, row->enhanced) != 0)
		fail_msg("%s: %s %s", row->rule, err_kind_name(err.kind),
		    err.enhanced);
	if (strcmp(words, row->words) != 0)
		fail_msg("%s: %s", row->rule, words);
	if (err.kind != ERR_NONE && strncmp(err.text, "RCPT TO: ", 9) != 0)
		fail_msg("%s: %s", row->rule, err.text);
}

static void
replies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct span in = span_of(rows[i].text);
		struct reply reply;
		struct err err = {0};
		enum reply_take take;

		reply_init(&reply);
		take = reply_take(&reply, &in, &err);
		if (take != rows[i].take)
			fail_msg("%s: %d", rows[i].rule, (int)take);
		if (take == REPLY_WHOLE)
			check_whole(&rows[i], &reply);
		if (take == REPLY_BROKEN &&
		    (err.kind != ERR_TEMP ||
			strcmp(err.enhanced, "4.5.0") != 0))
			fail_msg("%s: %s", rows[i].rule, err.text);
		reply_free(&reply);
	}
}

/* RFC 5321 4.5.3.1.5: far beyond it nobody listens any more. */
static void
replies_are_bounded(void **state)
{
	static char line[REPLY_LINE_MAX + 8];
	struct span in;
	struct reply reply;
	struct err err;
	enum reply_take take = REPLY_WAIT;

	(void)state;
	reply_init(&reply);
	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	memcpy(line + REPLY_LINE_MAX - 2, "\r\n", 2);
	in = (struct span){line, REPLY_LINE_MAX};
	for (unsigned i = 0; i < 40 && take == REPLY_WAIT; i++) {
		in = (struct span){line, REPLY_LINE_MAX};
		take = reply_take(&reply, &in, &err);
		assert_true(i >= 31 || take == REPLY_WAIT);
	}
	assert_int_equal(take, REPLY_BROKEN);
	reply_free(&reply);

	reply_init(&reply);
	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	in = (struct span){line, REPLY_LINE_MAX - 1};
	assert_int_equal(reply_take(&reply, &in, &err), REPLY_WAIT);
	in = (struct span){line, REPLY_LINE_MAX};
	assert_int_equal(reply_take(&reply, &in, &err), REPLY_BROKEN);
	reply_free(&reply);
}

#define FOLDER "smtp-dialogs/mailkit-server-replies/"
#define GREET  "S 220 mx\nC EHLO me.example\n"
#define PLAIN  GREET "S 250 mx\n"
#define MAIL   "C MAIL FROM:<a@b.org>\n"
#define R0     "C RCPT TO:<r0@x.org>\n"
#define OK     "S 250 ok\n"
#define DATA   PLAIN MAIL OK R0 OK "C DATA\n"
#define SIZED  "C MAIL FROM:<a@b.org> SIZE=4\n"

/* Replies of other servers, put where they belong. */
static const struct {
	const char *file;
	const char *before;
	const char *behind;
	const char *outcome;
} replies[] = {
    {"auth-failed", PLAIN MAIL, "", "P5.0.0 ready"},
    {"auth-required", PLAIN MAIL, "", "P5.7.0 ready"},
    {"auth-successful", PLAIN MAIL, R0, "rcpt"},
    {"auth-too-weak", PLAIN MAIL, "", "P5.0.0 ready"},
    {"bad-command-sequence", PLAIN MAIL, "", "P5.0.0 ready"},
    {"comcast-auth-digest-md5-reset", PLAIN MAIL, "", "P5.0.0 ready"},
    {"comcast-auth-digest-md5-response", PLAIN MAIL, "",
	"T4.5.0 failed T4.5.0"},
    {"comcast-auth-digest-md5", PLAIN MAIL, "", "T4.5.0 failed T4.5.0"},
    {"comcast-auth-login-password", PLAIN MAIL, "", "T4.5.0 failed T4.5.0"},
    {"comcast-auth-login-username", PLAIN MAIL, "", "T4.5.0 failed T4.5.0"},
    {"comcast-auth-login", PLAIN MAIL, R0, "rcpt"},
    {"comcast-auth-plain", PLAIN MAIL, R0, "rcpt"},
    {"comcast-data-done", DATA "S 354 go\nC hi\nC .\n", "", "ok ready"},
    {"comcast-data", DATA, "C hi\nC .\n", "end-of-data"},
    {"comcast-ehlo+binarymime", GREET, SIZED, "mail"},
    {"comcast-ehlo+digest-md5", GREET, SIZED, "mail"},
    {"comcast-ehlo+dsn", GREET, SIZED R0 "C DATA\n", "mail"},
    {"comcast-ehlo+pipelining", GREET, SIZED R0 "C DATA\n", "mail"},
    {"comcast-ehlo+requiretls", GREET, SIZED, "mail"},
    {"comcast-ehlo+smtputf8", GREET, SIZED, "mail"},
    {"comcast-ehlo+x-exps", GREET, SIZED, "mail"},
    {"comcast-ehlo", GREET, SIZED, "mail"},
    {"comcast-greeting", "", "C EHLO me.example\n", "ehlo"},
    {"comcast-mail-from", PLAIN MAIL, R0, "rcpt"},
    {"comcast-noop", PLAIN MAIL, R0, "rcpt"},
    {"comcast-quit", PLAIN MAIL, R0, "rcpt"},
    {"comcast-rcpt-to", PLAIN MAIL OK R0, "C DATA\n", "data"},
    {"comcast-rset", PLAIN MAIL, R0, "rcpt"},
    {"ehlo-failed", GREET, "C HELO me.example\n", "ehlo"},
    {"greeting-not-ready", "", "", "failed T4.5.0"},
    {"helo", GREET "S 502 no\nC HELO me.example\n", MAIL, "mail"},
    {"mailbox-unavailable", PLAIN MAIL OK R0, "", "P5.1.0 ready"},
    {"pipelined-mail-from-rcpt-to",
	GREET "S 250-mx\nS 250 PIPELINING\n" MAIL R0 "C DATA\n",
	"S 354 go\nC hi\nC .\n", "end-of-data"},
    {"pipelined-mailbox-unavailable",
	GREET "S 250-mx\nS 250 PIPELINING\n" MAIL R0 "C DATA\n", "S 554 no\n",
	"P5.1.0 ready"},
    {"rfc0821-expn", GREET, MAIL, "mail"},
    {"rfc0821-vrfy", PLAIN MAIL OK R0, "C DATA\n", "data"},
};

static void
add_said(struct buf *dialog, struct span text)
{
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);

		assert_int_equal(buf_add(dialog, SPAN("S ")), 0);
		assert_int_equal(buf_add(dialog, span_first(text, n)), 0);
		assert_int_equal(buf_add(dialog, SPAN("\n")), 0);
		text = span_from(text, n + 1);
	}
}

static void
other_servers_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(replies); i++) {
		struct script script = script_new(1);
		struct buf file, dialog;
		char name[128], outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong;

		(void)snprintf(
		    name, sizeof(name), FOLDER "%s.txt", replies[i].file);
		if (corpus_read(name, &file) < 0)
			skip();
		buf_init(&dialog, 8192);
		assert_int_equal(buf_add_str(&dialog, replies[i].before), 0);
		add_said(&dialog, buf_span(&file));
		assert_int_equal(buf_add_str(&dialog, replies[i].behind), 0);
		assert_int_equal(buf_add(&dialog, (struct span){"", 1}), 0);
		wrong = script_run(&script, dialog.p, outcome);
		if (wrong != NULL || strcmp(outcome, replies[i].outcome) != 0)
			fail_msg("%s\n  got  %s\n  want %s", replies[i].file,
			    outcome, replies[i].outcome);
		buf_free(&file);
		buf_free(&dialog);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_are_read),
	    cmocka_unit_test(replies_are_bounded),
	    cmocka_unit_test(other_servers_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
