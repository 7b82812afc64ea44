/* What a session holds of its client, and for how long. */
#include <string.h>

#include "tests/fuzz/steps.h"
#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO  "EHLO me.example\r\n"
#define MAIL   "MAIL FROM:<a@example.org>\r\n"
#define RCPT   "RCPT TO:<b@example.net>\r\n"
#define LONG   "0123456789012345678901234567890123456789"
#define ORCPT  " ORCPT=rfc822;" LONG "@" LONG
#define ONE(x) "<" x "@" LONG ".example>orfc822;x@y"

static void
memory_ends_with_its_transaction(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO), 0);
	for (unsigned i = 0; i < 500; i++)
		play_feed(&play, SPAN(MAIL RCPT "DATA\r\n.\r\n"), 0);
	assert_int_equal(play.messages.n, 500);
	play_end(&play);
}

/* However many recipients are refused, by whom and for what: nothing of them
 * is kept, and those that are accepted stay what they are. */
static void
refused_recipients_leave_nothing(void **state)
{
	static const char refused[] = "RCPT TO:<no@" LONG ".example>" ORCPT
				      "\r\n"
				      "RCPT TO:<later@" LONG ".example>" ORCPT
				      "\r\n"
				      "RCPT TO:<a@b.example>" ORCPT
				      " NOTIFY=SOON\r\n";
	static const char *const accepted[] = {
	    "RCPT TO:<first@" LONG ".example> ORCPT=rfc822;x@y\r\n",
	    "RCPT TO:<second@" LONG ".example> ORCPT=rfc822;x@y\r\n",
	    "RCPT TO:<third@" LONG ".example> ORCPT=rfc822;x@y\r\n",
	    "RCPT TO:<last@" LONG ".example> ORCPT=rfc822;x@y\r\n",
	};
	struct session_setup setup = play_setup();
	struct play play = {0};
	char codes[256];

	(void)state;
	setup.errors_max = 10000;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO "MAIL FROM:<a@b.example> ENVID=QQ\r\n"), 0);
	for (size_t i = 0; i < ROWS(accepted); i++) {
		for (unsigned k = 0; k < 100; k++) {
			buf_clear(&play.replies);
			play_feed(&play, span_of(refused), 0);
			play_codes(&play, codes, sizeof(codes));
			assert_string_equal(
			    codes, "550/5.1.1 450/4.2.0 501/5.5.4");
		}
		play_feed(&play, span_of(accepted[i]), 0);
	}
	buf_clear(&play.replies);
	play_feed(&play, SPAN("DATA\r\n.\r\n"), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "354 250/2.0.0");
	assert_true(buf_add(&play.envelopes, SPAN("\0")) == 0);
	assert_string_equal(play.envelopes.p,
	    "<a@b.example>" ONE("first") ONE("second") ONE("third")
		ONE("last") "s0eQQ|");
	play_end(&play);
}

/* Its replies are read at the end; everybody is refused. */
static void
say_to(struct session *session, struct span bytes)
{
	struct err err;
	enum session_event event;

	(void)err_set(&err, ERR_PERM, "5.7.1", "relaying denied");
	session_feed(session, bytes);
	while ((event = session_next(session)) != SESSION_IDLE)
		session_answer(session, event == SESSION_RCPT ? &err : NULL);
	session_sent(session, session_output(session).n);
}

/* What a client has once sent at once is not held while it says nothing. */
static void
who_rests_holds_little(void **state)
{
	static const char rcpt[] = "RCPT TO:<a@" LONG ".example>" ORCPT "\r\n";
	struct session_setup setup = play_setup();
	static char all[400 * (sizeof(rcpt) - 1)];
	struct session *session;
	size_t before, n = sizeof(rcpt) - 1;

	(void)state;
	for (size_t at = 0; at < sizeof(all); at += n)
		memcpy(all + at, rcpt, n);
	assert_true(sizeof(all) > 40000 && sizeof(all) < 65536);
	session = session_new(&setup);
	say_to(session, SPAN(HELLO MAIL));
	before = heap_in_use();
	say_to(session, (struct span){all, sizeof(all)});
	assert_true(heap_in_use() < before + 8192);
	/* Part of a command has to be kept, and is. */
	say_to(session, (struct span){all, sizeof(all) - 2});
	say_to(session, SPAN("\r\n"));
	assert_true(heap_in_use() < before + 8192);
	session_free(&session);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_ends_with_its_transaction),
	    cmocka_unit_test(refused_recipients_leave_nothing),
	    cmocka_unit_test(who_rests_holds_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
