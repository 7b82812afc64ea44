/* The replies of the server session, whatever it was asked: how many, with
 * which codes, and when. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/smtp/session_reply.h"

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define MAIL  "MAIL FROM:<a@example.org>\r\n"
#define RCPT  "RCPT TO:<b@example.net>\r\n"
#define OPEN  HELLO MAIL RCPT
#define DATA  OPEN "DATA\r\n"

/* RFC 5321 4.3.2, and what extensions add; 500, 501 and 421 may come always. */
static const struct {
	const char *send;
	const char *codes;
} commands[] = {
    {"EHLO x\r\n", "250 504 550"},
    {"HELO x\r\n", "250 504 550"},
    {MAIL, "250 552 451 452 550 553 503 455 555"},
    {RCPT, "250 251 550 551 552 553 450 451 452 503 455 555"},
    {"DATA\r\n", "354 503 554"},
    {"BDAT 0\r\n", "250 503 554"},
    {"RSET\r\n", "250"},
    {"VRFY x\r\n", "250 251 252 550 551 553 502 504"},
    {"EXPN x\r\n", "250 252 550 502 504"},
    {"HELP\r\n", "211 214 502 504"},
    {"NOOP\r\n", "250"},
    {"QUIT\r\n", "221"},
    {"STARTTLS\r\n", "220 454 503"},
    {"STARTTLS x\r\n", ""},
    {"QUIT x\r\n", ""},
    {"MAIL\r\n", "503"},
    {"RCPT TO:x\r\n", "503"},
    {"X\r\n", ""},
    {"\r\n", ""},
};

/* All lines up to the last have a hyphen; the code is the same in each. */
static void
check_reply(const char *command, struct span reply, const char *codes)
{
	char code[5];

	assert_true(reply.n > 5);
	(void)snprintf(code, sizeof(code), "%.3s", reply.p);
	if (code[0] < '2' || code[0] > '5' ||
	    (strstr(codes, code) == NULL &&
		strstr("500 501 421", code) == NULL))
		fail_msg("%s: %.*s", command, (int)reply.n, reply.p);
	while (reply.n > 0) {
		const char *lf = memchr(reply.p, '\n', reply.n);
		size_t n;

		assert_non_null(lf);
		n = (size_t)(lf - reply.p) + 1;
		if (n > 512 || memcmp(reply.p, code, 3) != 0 ||
		    lf[-1] != '\r' || reply.p[3] != (n < reply.n ? '-' : ' '))
			fail_msg("%s: %.*s", command, (int)reply.n, reply.p);
		reply = span_from(reply, n);
	}
}

/* RFC 5321 4.2, 4.2.1, 4.3.2: whatever was said before. */
static void
each_command_has_one_reply_of_its_own(void **state)
{
	static const char *const before[] = {"", "HELO x\r\n", HELLO,
	    HELLO MAIL, OPEN, OPEN "BDAT 1\r\nx", DATA ".\r\n"};

	(void)state;
	for (size_t i = 0; i < ROWS(before) * ROWS(commands); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		size_t j = i % ROWS(commands);

		play_begin(&play, &setup);
		play_feed(&play, span_of(before[i / ROWS(commands)]), 0);
		buf_clear(&play.replies);
		play_feed(&play, span_of(commands[j].send), 0);
		check_reply(commands[j].send, buf_span(&play.replies),
		    commands[j].codes);
		play_end(&play);
	}
}

/* RFC 5321 4.2, 4.2.2; RFC 3207 4 (530), RFC 7504 4; RFC 2034 4. */
static void
replies_have_known_codes(void **state)
{
	static const char known[] =
	    "211 214 220 221 250 251 252 354 421 450 451 452 455 500 501 502 "
	    "503 504 530 550 551 552 553 554 555 556";
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);

	(void)state;
	for (unsigned i = 0; i < REPLIES; i++) {
		struct span out;
		char code[4];

		session_sent(session, session_output(session).n);
		session_reply(session, (enum session_reply)i);
		out = session_output(session);
		(void)snprintf(code, sizeof(code), "%.3s", out.p);
		if (strstr(known, code) == NULL || out.n > 512 ||
		    (code[0] != '3' &&
			(out.p[4] != code[0] || out.p[5] != '.')))
			fail_msg("%u: %.*s", i, (int)out.n, out.p);
	}
	session_free(&session);
}

/* RFC 2920 3.2: by its text it is known what a reply is for. */
static void
each_yes_has_its_own_words(void **state)
{
	static const enum session_reply yes[] = {REPLY_BYE, REPLY_OK,
	    REPLY_RESET, REPLY_MAIL_OK, REPLY_RCPT_OK, REPLY_CHUNK_OK,
	    REPLY_TLS_READY, REPLY_VRFY, REPLY_DATA_GO};
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);
	char said[ROWS(yes)][128];

	(void)state;
	for (size_t i = 0; i < ROWS(yes); i++) {
		struct span out;

		session_sent(session, session_output(session).n);
		session_reply(session, yes[i]);
		out = session_output(session);
		(void)snprintf(
		    said[i], sizeof(said[i]), "%.*s", (int)out.n, out.p);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(said[j], said[i]);
	}
	session_free(&session);
}

/* RFC 5321 3.8: nothing but QUIT, time and an end of patience closes. */
static void
faults_alone_do_not_close(void **state)
{
	static const char *const sends[] = {"X\r\n", "\r\n", "EHLO\r\n",
	    "EHLO a_b\r\n", "MAIL\r\n", "MAIL FROM:<x\r\n", RCPT, "DATA\r\n",
	    "BDAT 3\r\nx\r\n", "MAIL FROM:<spam@x.org>\r\n",
	    "MAIL FROM:<> SIZE=99999999\r\n", "MAIL FROM:<> WHAT=1\r\n",
	    "AUTH PLAIN\r\n", "EXPN x\r\n", "QUIT x\r\n", "RSET x\r\n",
	    "NO\x01OP\r\n", MAIL MAIL, "RCPT TO:<no@x.org>\r\n",
	    "RCPT TO:<later@x.org>\r\n", "RCPT TO:<x\r\n", "DATA\r\n",
	    "RSET\r\n", "STARTTLS\r\n", "STARTTLS\r\n"};
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	setup.errors_max = 1000;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO), 0);
	for (size_t i = 0; i < ROWS(sends); i++) {
		play_feed(&play, span_of(sends[i]), 0);
		buf_clear(&play.replies);
		play_feed(&play, SPAN("NOOP\r\n"), 0);
		if (play.closed ||
		    !span_eq(buf_span(&play.replies), SPAN("250 2.0.0 Ok\r\n")))
			fail_msg("%s", sends[i]);
	}
	play_end(&play);
}

static size_t
lines_in(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* RFC 2920 3.2: a group is answered as one, and no reply is kept back while
 * anybody is waited for. */
static void
replies_are_there_when_somebody_waits(void **state)
{
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);

	(void)state;
	session_feed(session, SPAN("HELO x\r\n"));
	assert_int_equal(session_next(session), SESSION_IDLE);
	session_sent(session, session_output(session).n);
	session_feed(session,
	    SPAN("NOOP\r\nX\r\nVRFY x\r\nRSET\r\n" MAIL RCPT "RCPT TO:<"));
	assert_int_equal(session_next(session), SESSION_MAIL);
	assert_int_equal(lines_in(session_output(session)), 4);
	session_answer(session, NULL);
	assert_int_equal(lines_in(session_output(session)), 5);
	assert_int_equal(session_next(session), SESSION_RCPT);
	session_answer(session, NULL);
	/* Half a command is none: all there is is answered. */
	assert_int_equal(session_next(session), SESSION_IDLE);
	assert_int_equal(lines_in(session_output(session)), 6);
	session_free(&session);
}

/* RFC 5321 2.2.2: the keywords of the IANA's list of extensions. */
static void
keywords_are_registered(void **state)
{
	static const char known[] =
	    " PIPELINING SIZE STARTTLS ENHANCEDSTATUSCODES 8BITMIME DSN "
	    "SMTPUTF8 CHUNKING REQUIRETLS HELP BINARYMIME LIMITS EXPN ";
	struct session_setup setup = play_setup();

	(void)state;
	for (unsigned tls = 0; tls < 2; tls++) {
		struct play play = {0};
		struct span rest;

		play_begin(&play, &setup);
		if (tls == 1)
			play_feed(&play, SPAN("STARTTLS\r\n"), 0);
		buf_clear(&play.replies);
		play_feed(&play, SPAN(HELLO), 0);
		rest = buf_span(&play.replies);
		rest = span_from(rest, strcspn(rest.p, "\n") + 1);
		assert_true(lines_in(rest) > 7);
		while (rest.n > 4) {
			char word[40];

			(void)snprintf(word, sizeof(word), " %.*s ",
			    (int)strcspn(rest.p + 4, " \r"), rest.p + 4);
			if (strstr(known, word) == NULL)
				fail_msg("%s", word);
			rest = span_from(rest, strcspn(rest.p, "\n") + 1);
		}
		play_end(&play);
	}
}

/* RFC 5321 7.5 */
static void
help_says_what_we_are(void **state)
{
	struct session_setup setup = play_setup();

	(void)state;
	for (unsigned told = 0; told < 2; told++) {
		struct play play = {0};

		setup.version = told == 1 ? "7.8.9" : NULL;
		play_begin(&play, &setup);
		buf_clear(&play.replies);
		play_feed(&play, SPAN("HELP\r\n"), 0);
		if (!span_starts_nocase(buf_span(&play.replies),
			told == 1 ? SPAN("214 2.0.0 Danelaw 7.8.9: ")
				  : SPAN("214 2.0.0 Danelaw: ")))
			fail_msg("%.*s", (int)play.replies.n, play.replies.p);
		play_end(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_command_has_one_reply_of_its_own),
	    cmocka_unit_test(replies_have_known_codes),
	    cmocka_unit_test(each_yes_has_its_own_words),
	    cmocka_unit_test(faults_alone_do_not_close),
	    cmocka_unit_test(replies_are_there_when_somebody_waits),
	    cmocka_unit_test(keywords_are_registered),
	    cmocka_unit_test(help_says_what_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
