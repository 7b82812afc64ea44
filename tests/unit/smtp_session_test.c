/* The server session's commands.  Each row runs in three ways: all at once,
 * octet by octet, and with an owner who takes his time. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define MAIL  "MAIL FROM:<a@example.org>\r\n"
#define RCPT  "RCPT TO:<b@example.net>\r\n"
#define HI    "220 250"

struct row {
	const char *rule;
	const char *send;
	const char *codes;
	const char *envelopes; /* NULL: not looked at */
};

static const struct row rows[] = {
    {"RFC 5321 4.3.1: the greeting comes first", "", "220", NULL},
    {"RFC 5321 4.1.1.1: EHLO", HELLO, HI, NULL},
    {"RFC 5321 4.1.1.1: HELO", "HELO me.example\r\n", HI, NULL},
    {"RFC 5321 4.1.1.1: EHLO wants a name", "EHLO\r\nHELO \r\nEHLO a b\r\n",
	"220 501/5.5.4 501/5.5.4 501/5.5.4", NULL},
    {"RFC 5321 4.1.2: not just any word", "EHLO (bad)_name\r\n",
	"220 501/5.5.4", NULL},
    {"RFC 5321 2.4: verbs in any case", "eHlO x\r\nnoop\r\nQuIt\r\n",
	HI " 250/2.0.0 221/2.0.0 *", NULL},
    {"RFC 5321 4.1.1: blanks at the end", "EHLO x  \r\nNOOP \t\r\nQUIT \r\n",
	HI " 250/2.0.0 221/2.0.0 *", NULL},
    {"RFC 5321 4.1.1.9: NOOP may say something", "NOOP all is well\r\n",
	"220 250/2.0.0", NULL},
    {"RFC 5321 3.5.3: VRFY", "VRFY postmaster\r\nVRFY\r\n",
	"220 252/2.5.0 501/5.5.4", NULL},
    {"RFC 6531 3.7.4.2: VRFY of UTF-8, with the parameter and without",
	"VRFY \xc3\xa9@b.org SMTPUTF8\r\nVRFY \xc3\xa9@b.org\r\n",
	"220 252/2.5.0 252/2.5.0", NULL},
    {"RFC 5321 3.5.2: EXPN is not offered", "EXPN staff\r\n", "220 502/5.5.1",
	NULL},
    {"RFC 5321 4.1.1.8: HELP", "HELP\r\nHELP MAIL\r\n",
	"220 214/2.0.0 214/2.0.0", NULL},
    {"RFC 5321 4.2.4: unknown commands", "WHATISTHIS\r\n\r\n MAIL\r\n",
	"220 500/5.5.1 500/5.5.1 500/5.5.1", NULL},
    {"RFC 4954 3: AUTH is not offered", HELLO "AUTH PLAIN\r\n", HI " 502/5.5.1",
	NULL},
    {"RFC 5321 4.1.1: DATA, RSET, QUIT, STARTTLS take nothing",
	HELLO "RSET x\r\nDATA x\r\nQUIT x\r\nSTARTTLS x\r\n",
	HI " 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4", NULL},

    {"RFC 5321 4.1.4: MAIL behind EHLO", MAIL RCPT "DATA\r\n",
	"220 503/5.5.1 503/5.5.1 503/5.5.1", NULL},
    {"RFC 5321 4.1.4: RCPT and DATA behind MAIL", HELLO RCPT "DATA\r\n",
	HI " 503/5.5.1 503/5.5.1", NULL},
    {"RFC 5321 3.3: DATA without a valid recipient",
	HELLO MAIL "RCPT TO:<no@example.org>\r\nDATA\r\nRSET\r\n",
	HI " 250/2.1.0 550/5.1.1 554/5.5.1 250/2.0.0", NULL},
    {"RFC 5321 4.1.4: MAIL in a transaction", HELLO MAIL MAIL,
	HI " 250/2.1.0 503/5.5.1", NULL},
    {"RFC 5321 4.1.4: EHLO ends the transaction",
	HELLO MAIL RCPT HELLO "DATA\r\n" MAIL,
	HI " 250/2.1.0 250/2.1.5 250 503/5.5.1 250/2.1.0", NULL},
    {"RFC 5321 4.1.1.5: RSET ends the transaction",
	HELLO MAIL RCPT "RSET\r\n" RCPT,
	HI " 250/2.1.0 250/2.1.5 250/2.0.0 503/5.5.1", NULL},
    {"RFC 5321 4.1.1.2: a refused sender is forgotten",
	HELLO "MAIL FROM:<spam@example.org>\r\n" RCPT MAIL,
	HI " 550/5.7.1 503/5.5.1 250/2.1.0", NULL},
    {"RFC 5321 4.1.1.3: recipients are judged one by one",
	HELLO MAIL RCPT "RCPT TO:<no@x.org>\r\nRCPT TO:<later@x.org>\r\n"
			"RCPT TO:<c@X.ORG>\r\nDATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 550/5.1.1 450/4.2.0 250/2.1.5 354 250/2.0.0",
	"<a@example.org><b@example.net><c@x.org>s0|"},
    {"RFC 5321 4.5.3.1.10: more recipients than we take",
	HELLO MAIL RCPT RCPT RCPT RCPT RCPT "DATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 250/2.1.5 250/2.1.5 250/2.1.5 452/4.5.3 354 "
	   "250/2.0.0",
	NULL},
    {"RFC 5321 3.3: MAIL LALA, RCPT LALA",
	HELLO "MAIL LALA:<>\r\nMAIL\r\n" MAIL "RCPT LALA:<>\r\nRCPT TO:\r\n",
	HI " 501/5.5.4 501/5.5.4 250/2.1.0 501/5.5.4 501/5.1.3", NULL},
    {"RFC 5321 4.5.5: the null sender",
	HELLO "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0", "<><postmaster>s0|"},
    {"RFC 5321 4.1.2: <> is nobody's mailbox", HELLO MAIL "RCPT TO:<>\r\n",
	HI " 250/2.1.0 501/5.1.3", NULL},
    {"RFC 5321 4.1.2: broken addresses",
	HELLO "MAIL FROM:<a>\r\nMAIL FROM:<a@-x>\r\nMAIL FROM:<a@b\r\n" MAIL
	      "RCPT TO:<a>\r\nRCPT TO:<a@-x>\r\n",
	HI " 501/5.1.7 501/5.1.8 501/5.1.7 250/2.1.0 501/5.1.3 501/5.1.2",
	NULL},

    {"RFC 1870 6.1: SIZE",
	HELLO "MAIL FROM:<> SIZE=65536\r\n" RCPT "DATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0", "<><b@example.net>s65536|"},
    {"RFC 1870 6.1: SIZE too big",
	HELLO "MAIL FROM:<> SIZE=65537\r\n"
	      "MAIL FROM:<> SIZE=18446744073709551615\r\n",
	HI " 552/5.3.4 552/5.3.4", NULL},
    {"RFC 1870 6.1: SIZE that no number holds",
	HELLO "MAIL FROM:<> SIZE=99999999999999999999\r\n", HI " 552/5.3.4",
	NULL},
    {"RFC 1870 6.1: SIZE is a number",
	HELLO "MAIL FROM:<> SIZE=\r\nMAIL FROM:<> SIZE=1k\r\n"
	      "MAIL FROM:<> SIZE=-1\r\nMAIL FROM:<> SIZE\r\n"
	      "MAIL FROM:<> SIZE=999999999999999999999\r\n",
	HI " 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4", NULL},
    {"RFC 6152 2: BODY",
	HELLO "MAIL FROM:<> BODY=8bitMIME\r\n" RCPT "DATA\r\n.\r\n"
	      "MAIL FROM:<> BODY=7BIT\r\n" RCPT "DATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0"
	   " 250/2.1.0 250/2.1.5 354 250/2.0.0",
	"<><b@example.net>s0b2|<><b@example.net>s0b1|"},
    {"RFC 3030 3: BINARYMIME is not offered",
	HELLO "MAIL FROM:<> BODY=BINARYMIME\r\n", HI " 501/5.5.4", NULL},
    {"RFC 5321 4.1.1.11: unknown parameters",
	HELLO "MAIL FROM:<> AUTH=<>\r\n" MAIL "RCPT TO:<a@b> SIZE=1\r\n",
	HI " 555/5.5.4 250/2.1.0 555/5.5.4", NULL},
    {"RFC 5321 4.1.1.11: broken parameters",
	HELLO "MAIL FROM:<>SIZE=1\r\nMAIL FROM:<> =1\r\n"
	      "MAIL FROM:<> SIZE=1 SIZE=1\r\nMAIL FROM:<> SIZE=1=2\r\n",
	HI " 501/5.1.7 501/5.5.4 501/5.5.4 501/5.5.4", NULL},
    {"RFC 5321 4.1.1.11: no parameters behind HELO",
	"HELO x\r\nMAIL FROM:<> SIZE=1\r\n", HI " 555/5.5.4", NULL},
    {"RFC 6531 3.5: UTF-8 wants SMTPUTF8",
	HELLO "MAIL FROM:<\xc3\xa9@b.org>\r\n" MAIL
	      "RCPT TO:<\xc3\xa9@b.org>\r\nRCPT TO:<a@\xc3\xa9.org>\r\n",
	HI " 550/5.6.7 250/2.1.0 553/5.6.7 553/5.6.7", NULL},
    {"RFC 6531 3.4: SMTPUTF8",
	HELLO "MAIL FROM:<\xc3\xa9@b.org> SMTPUTF8\r\n"
	      "RCPT TO:<\xc3\xa9@\xc3\xa9.org>\r\nDATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0",
	"<\xc3\xa9@b.org><\xc3\xa9@\xc3\xa9.org>s0u|"},
    {"RFC 6531 3.4: SMTPUTF8 has no value", HELLO "MAIL FROM:<> SMTPUTF8=1\r\n",
	HI " 501/5.5.4", NULL},
    {"RFC 8689 2: REQUIRETLS comes under TLS only",
	HELLO "MAIL FROM:<> REQUIRETLS\r\nMAIL FROM:<> REQUIRETLS=1\r\n" MAIL,
	HI " 530/5.7.10 501/5.5.4 250/2.1.0", NULL},
    {"RFC 6531 3.3: what is not UTF-8 is no address",
	HELLO "MAIL FROM:<\xe9@b.org> SMTPUTF8\r\n"
	      "MAIL FROM:<a@\xff.org> SMTPUTF8\r\n",
	HI " 501/5.1.7 501/5.1.8", NULL},
    {"RFC 3461 4.1, RFC 3461 4.3: NOTIFY and RET",
	HELLO "MAIL FROM:<> RET=hdrs ENVID=QQ+2B1\r\n"
	      "RCPT TO:<b@c> NOTIFY=success,DELAY ORCPT=rfc822;b+2Bx@c\r\n"
	      "RCPT TO:<d@e> NOTIFY=NEVER\r\nDATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 250/2.1.5 354 250/2.0.0",
	"<><b@c>n10orfc822;b+2Bx@c<d@e>n1s0r2eQQ+2B1|"},
    {"RFC 3461 4.3: RET=FULL",
	HELLO "MAIL FROM:<> RET=FULL\r\n" RCPT "DATA\r\n.\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0", "<><b@example.net>s0r1|"},
    {"RFC 3461 4.4: broken values",
	HELLO "MAIL FROM:<> RET=ALL\r\nMAIL FROM:<> ENVID=a+2b\r\n"
	      "MAIL FROM:<> ENVID=a+2\r\n" MAIL
	      "RCPT TO:<b@c> NOTIFY=NEVER,DELAY\r\n"
	      "RCPT TO:<b@c> NOTIFY=DELAY,DELAY\r\n"
	      "RCPT TO:<b@c> NOTIFY=,\r\nRCPT TO:<b@c> ORCPT=b@c\r\n"
	      "RCPT TO:<b@c> ORCPT=;b@c\r\nRCPT TO:<b@c> ORCPT=rfc822;\r\n",
	HI " 501/5.5.4 501/5.5.4 501/5.5.4 250/2.1.0 501/5.5.4 501/5.5.4 "
	   "501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4",
	NULL},
    {"RFC 6533 3: ORCPT in UTF-8 wants SMTPUTF8",
	HELLO MAIL "RCPT TO:<b@c> ORCPT=utf-8;\xc3\xa9@c\r\n"
		   "RCPT TO:<b@c> ORCPT=utf-8;\\x{E9}@c\r\n",
	HI " 250/2.1.0 553/5.6.7 250/2.1.5", NULL},

    {"RFC 2920 3.2: a whole session in one write",
	HELLO MAIL RCPT "DATA\r\n.\r\n" MAIL RCPT
			"DATA\r\nx\r\n.\r\nNOOP\r\nQUIT\r\nNOOP\r\n",
	HI " 250/2.1.0 250/2.1.5 354 250/2.0.0"
	   " 250/2.1.0 250/2.1.5 354 250/2.0.0 250/2.0.0 221/2.0.0 *",
	NULL},
    {"RFC 5321 2.3.8: a bare LF ends everything",
	HELLO "NOOP\nMAIL FROM:<>\r\n", HI " 500/5.5.2 *", NULL},
    {"RFC 5321 2.3.8: LF alone", "\n", "220 500/5.5.2 *", NULL},
    {"RFC 5321 2.3.8: a bare CR ends everything",
	HELLO "NOOP\rMAIL FROM:<>\r\nNOOP\r\n", HI " 500/5.5.2 *", NULL},
    {"RFC 5321 2.3.8: CR CR LF", "NOOP\r\r\n", "220 500/5.5.2 *", NULL},
    {"RFC 5321 4.1.2: control characters in commands",
	HELLO "NO\tOP\r\nMAIL FROM:<\x01@b>\r\nNOOP \x7f\r\n",
	HI " 501/5.5.2 501/5.5.2 501/5.5.2", NULL},
    {"RFC 5321 7.8: ten errors are borne, one more is not",
	"A\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nNOOP\r\nA\r\n"
	"NOOP\r\n",
	"220 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 "
	"500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 250/2.0.0 421/4.7.0 *",
	NULL},
    {"RFC 5321 7.8: HTTP is shown out", "GET / HTTP/1.1\r\nMAIL FROM:<>\r\n",
	"220 502/5.7.0 *", NULL},
    {"RFC 5321 7.8: HTTP behind a greeting", HELLO "POST /x HTTP/1.1\r\n",
	HI " 502/5.7.0 *", NULL},

    {"RFC 3207 4: STARTTLS, then all is forgotten", HELLO MAIL "STARTTLS\r\n",
	HI " 250/2.1.0 220/2.0.0", NULL},
    {"RFC 3207 4.2: input behind STARTTLS ends the session",
	HELLO "STARTTLS\r\nRSET\r\nMAIL FROM:<>\r\n", HI " 501/5.5.1 *", NULL},
};

static void
run(const struct row *row, enum play_owner owner, size_t step)
{
	struct session_setup setup = play_setup();
	struct play play = {.owner = owner};
	char codes[1024];

	/* What comes too early is only seen when it comes together. */
	if (step == 1 && strstr(row->rule, "input behind") != NULL)
		return;
	play_begin(&play, &setup);
	play_feed(&play, span_of(row->send), step);
	play_codes(&play, codes, sizeof(codes));
	if (strcmp(codes, row->codes) != 0)
		fail_msg("%s (step %zu)\n  got  %s\n  want %s", row->rule, step,
		    codes, row->codes);
	if (row->envelopes != NULL &&
	    !span_eq(buf_span(&play.envelopes), span_of(row->envelopes)))
		fail_msg("%s\n  got  %.*s\n  want %s", row->rule,
		    (int)play.envelopes.n, play.envelopes.p, row->envelopes);
	play_end(&play);
}

static void
commands_get_their_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run(&rows[i], PLAY_QUICK, 0);
		run(&rows[i], PLAY_QUICK, 1);
		run(&rows[i], PLAY_SLOW, 0);
	}
}

static void
ehlo_lists_what_there_is(void **state)
{
	static const struct {
		const char *rule;
		const char *send;
		bool starttls;
		uint64_t size;
		const char *replies;
	} cases[] = {
	    {"RFC 3207 4: STARTTLS when set up", "EHLO x\r\n", true, 1000,
		"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
		"250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
		"250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
		"250-LIMITS RCPTMAX=4\r\n250 HELP\r\n"},
	    {"RFC 1870 3: no limit, no number", "EHLO x\r\n", false, 0,
		"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE\r\n"
		"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
		"250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
		"250-LIMITS RCPTMAX=4\r\n250 HELP\r\n"},
	    {"RFC 5321 4.1.1.1: HELO lists nothing", "HELO x\r\n", true, 0,
		"250 mx.example.org\r\n"},
	    {"RFC 3207 4: not set up", "STARTTLS\r\n", false, 0,
		"502 5.5.1 Not offered here\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		struct span got;

		setup.starttls = cases[i].starttls;
		setup.message_max = cases[i].size;
		play_begin(&play, &setup);
		buf_clear(&play.replies);
		play_feed(&play, span_of(cases[i].send), 0);
		got = buf_span(&play.replies);
		if (!span_eq(got, span_of(cases[i].replies)))
			fail_msg("%s: %.*s", cases[i].rule, (int)got.n, got.p);
		play_end(&play);
	}
}

/* RFC 3207 4.2 */
static void
tls_forgets_everything(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char codes[256];

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO MAIL RCPT "STARTTLS\r\n"), 0);
	assert_true(session_envelope(play.session)->tls);
	assert_string_equal(session_envelope(play.session)->helo, "");
	buf_clear(&play.replies);
	play_feed(&play, SPAN("DATA\r\n" MAIL HELLO "STARTTLS\r\n"), 0);
	assert_null(memmem(play.replies.p, play.replies.n, "250-STARTTLS", 12));
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "503/5.5.1 503/5.5.1 250 503/5.5.1");
	play_end(&play);
}

/* RFC 8689 2: listed and taken behind TLS, without a value, once. */
static void
requiretls_comes_with_tls(void **state)
{
	static const struct {
		bool offered;
		const char *codes;
		enum tls_wish wish;
	} cases[] = {
	    {true, "250 501/5.5.4 501/5.5.4 250/2.1.0 250/2.1.5 354 250/2.0.0",
		TLS_WISH_REQUIRED},
	    {false,
		"250 555/5.5.4 555/5.5.4 555/5.5.4 503/5.5.1 503/5.5.1 "
		"500/5.5.1",
		TLS_WISH_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		char codes[256];
		bool listed;

		setup.requiretls = cases[i].offered;
		play_begin(&play, &setup);
		play_feed(&play, SPAN(HELLO), 0);
		assert_null(
		    memmem(play.replies.p, play.replies.n, "REQUIRETLS", 10));
		play_feed(&play, SPAN("STARTTLS\r\n"), 0);
		buf_clear(&play.replies);
		play_feed(&play,
		    SPAN(HELLO "MAIL FROM:<> REQUIRETLS=1\r\n"
			       "MAIL FROM:<> REQUIRETLS requiretls\r\n"
			       "MAIL FROM:<a@b> requireTLS\r\n" RCPT
			       "DATA\r\n.\r\n"),
		    0);
		listed = memmem(play.replies.p, play.replies.n,
			     "250-REQUIRETLS\r\n", 16) != NULL;
		assert_int_equal(listed, cases[i].offered);
		play_codes(&play, codes, sizeof(codes));
		assert_string_equal(codes, cases[i].codes);
		assert_int_equal(play.wish, cases[i].wish);
		play_end(&play);
	}
}

/* RFC 3207 4: bytes in the clear before the handshake is done */
static void
nothing_comes_between_220_and_tls(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {.owner = PLAY_SLOW};

	(void)state;
	play_begin(&play, &setup);
	session_feed(play.session, SPAN("STARTTLS\r\n"));
	assert_int_equal(session_next(play.session), SESSION_STARTTLS);
	assert_int_equal(session_next(play.session), SESSION_WAIT);
	assert_string_equal(session_state_name(play.session), "starttls");
	session_feed(play.session, SPAN("RSET\r\n"));
	assert_int_equal(session_next(play.session), SESSION_CLOSE);
	session_tls_done(play.session, &(struct session_tls){"", "", ""});
	assert_int_equal(session_next(play.session), SESSION_CLOSE);
	play_end(&play);
}

/* RFC 5321 4.5.3.1.4 */
static void
long_lines_are_dropped(void **state)
{
	static const struct {
		size_t length; /* with CRLF */
		const char *end;
		const char *codes;
	} cases[] = {
	    {2048, "\r\n", "220 500/5.5.1 250/2.0.0"},
	    {2049, "\r\n", "220 500/5.5.2 250/2.0.0"},
	    {9000, "\r\n", "220 500/5.5.2 250/2.0.0"},
	    {60000, "\r\n", "220 500/5.5.2 250/2.0.0"},
	    {9000, "\n", "220 500/5.5.2 *"},
	    {70000, "\r\n", "220 500/5.5.2 *"},
	};
	static char line[70001];

	(void)state;
	for (size_t i = 0; i < 2 * ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		size_t n = cases[i / 2].length - strlen(cases[i / 2].end);
		char codes[256];

		memset(line, 'x', n);
		play_begin(&play, &setup);
		play_feed(&play, (struct span){line, n}, i % 2 * 7);
		play_feed(&play, span_of(cases[i / 2].end), i % 2);
		play_feed(&play, SPAN("NOOP\r\n"), 0);
		play_codes(&play, codes, sizeof(codes));
		if (strcmp(codes, cases[i / 2].codes) != 0)
			fail_msg("%zu octets: %s", cases[i / 2].length, codes);
		play_end(&play);
	}
}

static void
each_long_line_is_counted_anew(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	static char line[40000];
	char codes[256];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	play_begin(&play, &setup);
	play_feed(&play, (struct span){line, sizeof(line)}, 0);
	play_feed(&play, (struct span){line, sizeof(line)}, 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "220 500/5.5.2 500/5.5.2");
	play_end(&play);
}

static void
nul_is_no_part_of_a_command(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char codes[256];

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN("NOOP\0\r\nEHLO x\0y\r\n\0\0\r\n"), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "220 501/5.5.2 501/5.5.2 501/5.5.2");
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_get_their_replies),
	    cmocka_unit_test(ehlo_lists_what_there_is),
	    cmocka_unit_test(tls_forgets_everything),
	    cmocka_unit_test(requiretls_comes_with_tls),
	    cmocka_unit_test(nothing_comes_between_220_and_tls),
	    cmocka_unit_test(long_lines_are_dropped),
	    cmocka_unit_test(each_long_line_is_counted_anew),
	    cmocka_unit_test(nul_is_no_part_of_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
