/* What a session bears of its client, and when its replies wait. */
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define MAIL  "MAIL FROM:<a@example.org>\r\n"
#define SPAM  "MAIL FROM:<spam@example.org>\r\n"
#define BAD   "MAIL FROM:<a@b> X\r\n"
#define RCPT  "RCPT TO:<b@example.net>\r\n"
#define NOT   "RCPT TO:<no@example.net>\r\n"
#define LATER "RCPT TO:<later@example.net>\r\n"
#define NOOP  "NOOP\r\n"
#define HI    "220 250"
#define NO    " 550/5.1.1"
#define CHUNK "BDAT 1024\r\n"

static const struct {
	const char *rule;
	const char *send;
	const char *codes;
	enum session_limit limit;
} cases[] = {
    {"unknown recipients", HELLO MAIL NOT NOT NOT,
	HI " 250/2.1.0" NO " 421/4.7.0 *", SESSION_LIMIT_UNKNOWN},
    {"in two transactions", HELLO MAIL NOT "RSET\r\n" MAIL NOT,
	HI " 250/2.1.0" NO " 250/2.0.0 250/2.1.0 421/4.7.0 *",
	SESSION_LIMIT_UNKNOWN},
    {"other refusals do not count", HELLO MAIL LATER LATER LATER RCPT,
	HI " 250/2.1.0 450/4.2.0 450/4.2.0 450/4.2.0 250/2.1.5",
	SESSION_LIMIT_NONE},
    {"errors", HELLO "X\r\nX\r\nX\r\nX\r\n",
	HI " 500/5.5.1 500/5.5.1 421/4.7.0 *", SESSION_LIMIT_ERRORS},
    {"RFC 2920 3.1 what stands behind a refused MAIL",
	HELLO SPAM RCPT RCPT RCPT "DATA\r\n",
	HI " 550/5.7.1 503/5.5.1 503/5.5.1 503/5.5.1 503/5.5.1",
	SESSION_LIMIT_NONE},
    {"behind a wrong one, and a chunk",
	HELLO BAD RCPT RCPT RCPT "BDAT 1 LAST\r\nx",
	HI " 555/5.5.4 503/5.5.1 503/5.5.1 503/5.5.1 503/5.5.1",
	SESSION_LIMIT_NONE},
    {"it is no excuse for ever", HELLO SPAM "RSET\r\n" RCPT RCPT RCPT,
	HI " 550/5.7.1 250/2.0.0 503/5.5.1 503/5.5.1 421/4.7.0 *",
	SESSION_LIMIT_ERRORS},
    {"nor without one", HELLO RCPT RCPT RCPT,
	HI " 503/5.5.1 503/5.5.1 421/4.7.0 *", SESSION_LIMIT_ERRORS},
    {"commands", NOOP NOOP NOOP NOOP NOOP NOOP NOOP NOOP,
	"220 250/2.0.0 250/2.0.0 250/2.0.0 250/2.0.0 250/2.0.0 "
	"250/2.0.0 421/4.7.0 *",
	SESSION_LIMIT_COMMANDS},
    {"recipients are no idle talk",
	HELLO MAIL RCPT RCPT RCPT RCPT NOOP NOOP NOOP NOOP NOOP,
	HI " 250/2.1.0 250/2.1.5 250/2.1.5 250/2.1.5 250/2.1.5"
	   " 250/2.0.0 250/2.0.0 250/2.0.0 250/2.0.0 421/4.7.0 *",
	SESSION_LIMIT_COMMANDS},
    {"a message makes up for them",
	HELLO NOOP NOOP MAIL RCPT
	"DATA\r\n.\r\n" NOOP NOOP NOOP NOOP NOOP NOOP NOOP,
	HI " 250/2.0.0 250/2.0.0 250/2.1.0 250/2.1.5 354 250/2.0.0"
	   " 250/2.0.0 250/2.0.0 250/2.0.0 250/2.0.0 250/2.0.0"
	   " 250/2.0.0 421/4.7.0 *",
	SESSION_LIMIT_COMMANDS},
};

static void
each_limit_ends_a_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		char codes[512];

		setup.unknown_max = 1;
		setup.errors_max = 2;
		setup.commands_max = 6;
		play_begin(&play, &setup);
		play_feed(&play, span_of(cases[i].send), 0);
		play_codes(&play, codes, sizeof(codes));
		if (strcmp(codes, cases[i].codes) != 0 ||
		    session_limit(play.session) != cases[i].limit)
			fail_msg("%s: %s", cases[i].rule, codes);
		play_end(&play);
	}
}

/* RFC 3030 2: a message in many chunks */
static void
chunks_of_a_message_do_not_count(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char zeros[1024], codes[512];

	(void)state;
	memset(zeros, '0', sizeof(zeros));
	memcpy(zeros + 400, "\r\n", 2);
	memcpy(zeros + 800, "\r\n", 2);
	setup.commands_max = 6;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO MAIL RCPT), 0);
	for (unsigned i = 0; i < 12; i++) {
		play_feed(&play, SPAN(CHUNK), 0);
		play_feed(&play, (struct span){zeros, sizeof(zeros)}, 0);
	}
	assert_false(play.closed);
	for (unsigned i = 0; i < 12; i++)
		play_feed(&play, SPAN("BDAT 1\r\n0"), 0);
	play_codes(&play, codes, sizeof(codes));
	if (!play.closed)
		fail_msg("%s", codes);
	assert_non_null(strstr(codes, "421/4.7.0 *"));
	play_end(&play);
}

static void
no_limit_is_none(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO MAIL), 0);
	for (unsigned i = 0; i < 3000; i++)
		play_feed(&play, SPAN(NOT NOOP), 0);
	assert_false(play.closed);
	assert_false(session_held(play.session));
	play_end(&play);
}

static size_t
replies(const struct play *play)
{
	size_t n = 0;

	for (size_t i = 0; i < play->replies.n; i++)
		n += play->replies.p[i] == '\n';
	return n;
}

/* No command is taken while a reply to a fault is held back. */
static void
replies_to_faults_are_held(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	size_t before;

	(void)state;
	setup.hold_after = 2;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO "X\r\n" MAIL NOT), 0);
	assert_false(session_held(play.session));
	before = replies(&play);
	play_feed(&play, SPAN(NOOP NOT NOOP "X\r\n" NOOP), 0);
	assert_true(session_held(play.session));
	assert_false(session_amid(play.session));
	assert_int_equal(replies(&play), before + 2);
	play_feed(&play, SPAN(NOOP), 0);
	assert_int_equal(replies(&play), before + 2);
	session_release(play.session);
	play_feed(&play, SPAN(NOOP), 0);
	assert_true(session_held(play.session));
	assert_int_equal(replies(&play), before + 4);
	session_release(play.session);
	play_feed(&play, SPAN(NOOP), 0);
	assert_int_equal(replies(&play), before + 8);
	assert_false(session_held(play.session));
	/* Told to end, it does not wait. */
	play_feed(&play, SPAN("X\r\n"), 0);
	assert_true(session_held(play.session));
	session_expire(play.session, "4.3.2", "Shutting down");
	assert_false(session_held(play.session));
	play_feed(&play, SPAN(NOOP), 0);
	assert_true(play.closed);
	play_end(&play);
}

static void
what_has_begun_is_amid(void **state)
{
	static const struct {
		const char *send;
		bool amid;
	} rows[] = {
	    {"", false},
	    {"N", true},
	    {"NOOP\r", true},
	    {NOOP, false},
	    {NOOP "NOO", true},
	    {HELLO MAIL RCPT, false},
	    {HELLO MAIL RCPT "DATA\r\n", true},
	    {HELLO MAIL RCPT "DATA\r\nx\r\n", true},
	    {HELLO MAIL RCPT "DATA\r\nx\r\n.\r\n", false},
	    {HELLO MAIL RCPT "BDAT 2\r\nx", true},
	    {HELLO MAIL RCPT "BDAT 1\r\nx", false},
	    {HELLO "BDAT 2\r\nx", true},
	    {"QUIT\r\nx", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};

		play_begin(&play, &setup);
		play_feed(&play, span_of(rows[i].send), 0);
		if (session_amid(play.session) != rows[i].amid)
			fail_msg("%s", rows[i].send);
		play_end(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_limit_ends_a_session),
	    cmocka_unit_test(chunks_of_a_message_do_not_count),
	    cmocka_unit_test(no_limit_is_none),
	    cmocka_unit_test(replies_to_faults_are_held),
	    cmocka_unit_test(what_has_begun_is_amid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
