/* How the server session begins, is told to end, and is kept in bounds. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define MAIL  "MAIL FROM:<a@example.org>\r\n"
#define RCPT  "RCPT TO:<b@example.net>\r\n"
#define HI    "220 250"

/* RFC 5321 3.1, 4.3.1 */
static void
a_refused_client_may_only_quit(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	struct err err;
	char codes[256];

	(void)state;
	play_begin(&play, &setup);
	session_free(&play.session);
	buf_clear(&play.replies);
	(void)err_set(&err, ERR_PERM, "5.7.1", "Go away");
	play.session = session_new_refusing(&setup, &err);
	play_feed(&play, SPAN("EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n"), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "554 503/5.5.1 503/5.5.1 221/2.0.0 *");
	play_end(&play);

	play = (struct play){0};
	play_begin(&play, &setup);
	session_free(&play.session);
	buf_clear(&play.replies);
	(void)err_set(&err, ERR_TEMP, "4.3.2", "Too many sessions");
	play.session = session_new_refusing(&setup, &err);
	play_feed(&play, SPAN("EHLO x\r\n"), 0);
	assert_true(span_eq(buf_span(&play.replies),
	    SPAN("421 mx.example.org Too many sessions\r\n")));
	assert_true(play.closed);
	play_end(&play);
}

/* RFC 5321 3.8, 4.5.3.2: a session that is told to end */
static void
expiry_says_421(void **state)
{
	static const struct {
		const char *rule;
		const char *send;
		const char *codes;
		unsigned aborts;
	} cases[] = {
	    {"idle", HELLO, HI " 421/4.4.2 *", 0},
	    {"in a transaction", HELLO MAIL, HI " 250/2.1.0 421/4.4.2 *", 0},
	    {"in the data", HELLO MAIL RCPT "DATA\r\nx",
		HI " 250/2.1.0 250/2.1.5 354 421/4.4.2 *", 1},
	    {"in a chunk", HELLO MAIL RCPT "BDAT 9\r\nx",
		HI " 250/2.1.0 250/2.1.5 421/4.4.2 *", 1},
	    {"when closed", HELLO "QUIT\r\n", HI " 221/2.0.0 *", 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		char codes[256];

		play_begin(&play, &setup);
		play_feed(&play, span_of(cases[i].send), 0);
		session_expire(play.session, "4.4.2", "Idle too long");
		play_feed(&play, SPAN("NOOP\r\n"), 0);
		play_codes(&play, codes, sizeof(codes));
		if (strcmp(codes, cases[i].codes) != 0 ||
		    play.aborts != cases[i].aborts)
			fail_msg("%s: %s", cases[i].rule, codes);
		play_end(&play);
	}
}

/* RFC 5321 4.2.5: who has taken a message must be able to say so. */
static void
expiry_waits_for_the_disk(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	struct session *session;
	char codes[256];

	(void)state;
	play_begin(&play, &setup);
	session = play.session;
	play_feed(&play, SPAN(HELLO MAIL RCPT "DATA\r\n"), 0);
	session_feed(session, SPAN(".\r\nNOOP\r\n"));
	assert_int_equal(session_next(session), SESSION_END);
	session_expire(session, "4.3.2", "Shutting down");
	assert_int_equal(session_next(session), SESSION_WAIT);
	session_accepted(session, "Q2");
	play_feed(&play, SPAN("NOOP\r\n"), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(
	    codes, HI " 250/2.1.0 250/2.1.5 354 250/2.0.0 421/4.3.2 *");
	play_end(&play);
}

/* A question that comes back too late is nobody's any more. */
static void
late_answers_are_ignored(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	session_feed(play.session, SPAN(HELLO MAIL));
	assert_int_equal(session_next(play.session), SESSION_MAIL);
	session_expire(play.session, "4.4.2", "Idle too long");
	assert_int_equal(session_next(play.session), SESSION_CLOSE);
	session_answer(play.session, NULL);
	assert_int_equal(session_next(play.session), SESSION_CLOSE);
	play_end(&play);
}

/* RFC 2034 4, RFC 5321 4.2.3 */
static void
refusals_fit_code_and_status(void **state)
{
	static const struct {
		struct err err;
		const char *data; /* reply to DATA */
		const char *end;
	} cases[] = {
	    {{ERR_TEMP, "4.3.1", "No space"}, "452/4.3.1", "452/4.3.1"},
	    {{ERR_TEMP, "4.3.0", "Trouble"}, "451/4.3.0", "451/4.3.0"},
	    {{ERR_PERM, "5.3.4", "Too big"}, "552/5.3.4", "552/5.3.4"},
	    {{ERR_PERM, "5.7.1", "No"}, "554/5.7.1", "554/5.7.1"},
	    /* RFC 7504 4 */
	    {{ERR_PERM, "5.1.10", "Null MX"}, "556/5.1.10", "556/5.1.10"},
	    {{ERR_BUG, "5.3.0", "Ours"}, "451/4.3.0", "451/4.3.0"},
	    {{ERR_PERM, "", "Bare"}, "554/5.0.0", "554/5.0.0"},
	    {{ERR_PERM, "5.6.0", "a\r\nb"}, "554/5.6.0", "554/5.6.0"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		bool at_end = i % 2 == 1;
		char codes[256], want[256];

		play_begin(&play, &setup);
		if (at_end)
			play.end = cases[i / 2].err;
		else
			play.data = cases[i / 2].err;
		play_feed(&play, SPAN(HELLO MAIL RCPT "DATA\r\n"), 0);
		if (at_end)
			play_feed(&play, SPAN(".\r\n"), 0);
		play_feed(&play, SPAN("DATA\r\n" MAIL), 0);
		play_codes(&play, codes, sizeof(codes));
		(void)snprintf(want, sizeof(want),
		    HI " 250/2.1.0 250/2.1.5 %s%s 503/5.5.1 250/2.1.0",
		    at_end ? "354 " : "",
		    at_end ? cases[i / 2].end : cases[i / 2].data);
		assert_string_equal(codes, want);
		play_end(&play);
	}
}

static void
input_is_bounded(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	static char noise[65536];
	unsigned feeds = 0;

	(void)state;
	memset(noise, 'x', sizeof(noise));
	play_begin(&play, &setup);
	session_feed(play.session, SPAN(HELLO MAIL));
	assert_int_equal(session_next(play.session), SESSION_MAIL);
	while (!session_full(play.session)) {
		session_feed(play.session, (struct span){noise, sizeof(noise)});
		feeds++;
	}
	assert_int_equal(feeds, 1);
	assert_int_equal(session_next(play.session), SESSION_WAIT);
	while (session_next(play.session) == SESSION_WAIT)
		session_feed(play.session, (struct span){noise, sizeof(noise)});
	assert_int_equal(session_next(play.session), SESSION_CLOSE);
	assert_non_null(memmem(session_output(play.session).p,
	    session_output(play.session).n, "421 4.7.0 Too much", 18));
	play_end(&play);
}

/* Whoever asks for too much has not broken the protocol. */
static void
limits_are_no_errors(void **state)
{
	static const char *const sends[] = {
	    "MAIL FROM:<> SIZE=99999999\r\n",
	    MAIL "DATA\r\nRSET\r\n",
	    MAIL "BDAT 0 LAST\r\nRSET\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(sends); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};

		play_begin(&play, &setup);
		play_feed(&play, SPAN(HELLO), 0);
		for (unsigned n = 0; n < 30; n++)
			play_feed(&play, span_of(sends[i]), 0);
		assert_false(play.closed);
		play_end(&play);
	}
}

static void
setup_is_copied(void **state)
{
	char host[] = "mx.example.org", peer[] = "192.0.2.1", id[] = "s1";
	struct session_setup setup = play_setup();
	struct session *session;
	const struct envelope *envelope;

	(void)state;
	setup.hostname = host;
	setup.client = peer;
	setup.id = id;
	session = session_new(&setup);
	host[0] = peer[0] = id[0] = 'X';
	session_sent(session, session_output(session).n);
	session_feed(session, SPAN("HELO long.example\r\n"));
	assert_int_equal(session_next(session), SESSION_IDLE);
	session_sent(session, session_output(session).n);
	session_feed(session, SPAN("HELO x\r\n"));
	assert_int_equal(session_next(session), SESSION_IDLE);
	assert_true(
	    span_eq(session_output(session), SPAN("250 mx.example.org\r\n")));
	envelope = session_envelope(session);
	assert_string_equal(envelope->client, "192.0.2.1");
	assert_string_equal(envelope->session, "s1");
	assert_string_equal(envelope->helo, "x");
	session_free(&session);
	assert_null(session);
	session_free(&session);
}

/* What the client does not read is bounded, too. */
static void
output_is_bounded(void **state)
{
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);
	static char noops[60000];
	size_t most = 0, replies = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(noops); at += 6)
		memcpy(noops + at, "HELP\r\n", 6);
	session_feed(session, (struct span){noops, sizeof(noops)});
	while (session_next(session) == SESSION_IDLE &&
	       session_output(session).n > 0) {
		struct span out = session_output(session);

		most = out.n > most ? out.n : most;
		for (size_t i = 0; i < out.n; i++)
			replies += out.p[i] == '\n';
		session_sent(session, out.n);
	}
	assert_true(most > 262144 && most < 263000);
	assert_int_equal(replies, 1 + sizeof(noops) / 6);
	session_free(&session);
}

/* RFC 5321 4.2: a refusal with a code of its owner's, once. */
static void
a_refusal_may_have_a_code_of_its_own(void **state)
{
	static const struct {
		unsigned code;
		enum err_kind kind;
		const char *said;
		enum session_event next;
	} rows[] = {
	    {553, ERR_PERM, "553 5.7.1 no\r\n", SESSION_IDLE},
	    {0, ERR_PERM, "550 5.7.1 no\r\n", SESSION_IDLE},
	    {452, ERR_TEMP, "452 4.7.1 no\r\n", SESSION_IDLE},
	    {421, ERR_TEMP, "421 4.7.1 no\r\n", SESSION_CLOSE},
	};
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);

	(void)state;
	session_feed(session, SPAN(HELLO));
	assert_int_equal(session_next(session), SESSION_IDLE);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err;

		session_sent(session, session_output(session).n);
		session_feed(session, SPAN(MAIL));
		assert_int_equal(session_next(session), SESSION_MAIL);
		(void)err_set(&err, rows[i].kind, "5.7.1", "no");
		if (rows[i].code != 0)
			session_refuse_as(session, rows[i].code);
		session_answer(session, &err);
		assert_true(
		    span_eq(session_output(session), span_of(rows[i].said)));
		assert_int_equal(session_next(session), rows[i].next);
	}
	session_free(&session);
}

/* RFC 3207 4: "to every command other than NOOP, EHLO, STARTTLS, or QUIT" */
static void
where_tls_must_come_first_nothing_else_does(void **state)
{
	static const struct {
		const char *send;
		const char *codes;
		bool lacked;
	} rows[] = {
	    {"EHLO x\r\nNOOP\r\nQUIT\r\n", "220 250 250/2.0.0 221/2.0.0 *",
		false},
	    {"HELO x\r\n", "220 530/5.7.0", true},
	    {"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nRSET\r\n",
		"220 250 530/5.7.0 530/5.7.0 530/5.7.0 530/5.7.0", true},
	    {"VRFY a\r\nHELP\r\nEXPN a\r\nAUTH PLAIN\r\nWHAT\r\n",
		"220 530/5.7.0 530/5.7.0 530/5.7.0 530/5.7.0 530/5.7.0", true},
	    /* A chunk is no command, whatever it says. */
	    {"EHLO x\r\nBDAT 6\r\nQUIT\r\nNOOP\r\n",
		"220 250 530/5.7.0 250/2.0.0", true},
	    {"BDAT 6x\r\n", "220 501/5.5.4 *", false},
	    {"GET / HTTP/1.1\r\n", "220 502/5.7.0 *", false},
	    /* The handshake, then all that there is. */
	    {"EHLO x\r\nMAIL FROM:<>\r\nSTARTTLS\r\n",
		"220 250 530/5.7.0 220/2.0.0", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		char codes[256];

		setup.must_tls = true;
		play_begin(&play, &setup);
		play_feed(&play, span_of(rows[i].send), 0);
		play_codes(&play, codes, sizeof(codes));
		if (strcmp(codes, rows[i].codes) != 0 ||
		    session_lacked_tls(play.session) != rows[i].lacked)
			fail_msg("%s\n  got  %s\n  want %s", rows[i].send,
			    codes, rows[i].codes);
		play_end(&play);
	}
}

static void
with_tls_all_is_as_elsewhere(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char codes[256];

	(void)state;
	setup.must_tls = true;
	play_begin(&play, &setup);
	play_feed(&play, SPAN("EHLO x\r\nSTARTTLS\r\n"), 0);
	buf_clear(&play.replies);
	play_feed(&play,
	    SPAN("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"
		 ".\r\nRSET\r\n"),
	    0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(
	    codes, "250 250/2.1.0 250/2.1.5 354 250/2.0.0 250/2.0.0");
	assert_false(session_lacked_tls(play.session));
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_refusal_may_have_a_code_of_its_own),
	    cmocka_unit_test(a_refused_client_may_only_quit),
	    cmocka_unit_test(expiry_says_421),
	    cmocka_unit_test(expiry_waits_for_the_disk),
	    cmocka_unit_test(late_answers_are_ignored),
	    cmocka_unit_test(refusals_fit_code_and_status),
	    cmocka_unit_test(input_is_bounded),
	    cmocka_unit_test(limits_are_no_errors),
	    cmocka_unit_test(setup_is_copied),
	    cmocka_unit_test(output_is_bounded),
	    cmocka_unit_test(where_tls_must_come_first_nothing_else_does),
	    cmocka_unit_test(with_tls_all_is_as_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
