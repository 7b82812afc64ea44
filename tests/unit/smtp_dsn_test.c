/* The parameters of RFC 3461 as the server takes them.  Each row is the
 * second command of a transaction; the first is said without any. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define T10   "tttttttttt"
#define T50   T10 T10 T10 T10 T10
#define T100  T50 T50
#define T400  T100 T100 T100 T100

struct row {
	const char *rule;
	const char *params;
	const char *reply;
	const char *kept; /* of the envelope, as smtp_play.c writes it */
};

static const struct row of_mail[] = {
    {"RFC 3461 5.1: none", "", "250/2.1.0", ""},
    {"RFC 3461 4.3: FULL", " RET=FULL", "250/2.1.0", "r1"},
    {"RFC 3461 4.3: in any case", " ret=hDRs", "250/2.1.0", "r2"},
    {"RFC 3461 4.3: nothing else", " RET=BODY", "501/5.5.4", NULL},
    {"RFC 3461 4.3: nor a part of it", " RET=HDR", "501/5.5.4", NULL},
    {"RFC 3461 4.3: not empty", " RET=", "501/5.5.4", NULL},
    {"RFC 3461 4.3: nor without a value", " RET", "501/5.5.4", NULL},
    {"RFC 3461 4.4: ENVID", " ENVID=QQ314159", "250/2.1.0", "eQQ314159"},
    {"RFC 3461 4.4: in xtext", " ENVID=a+2Bb+3Dc+20d", "250/2.1.0",
	"ea+2Bb+3Dc+20d"},
    {"RFC 3461 4.4: not empty", " ENVID=", "501/5.5.4", NULL},
    {"RFC 3461 4.4: nor without a value", " ENVID", "501/5.5.4", NULL},
    {"RFC 3461 4.4: printable behind xtext", " ENVID=a+00b", "501/5.5.4", NULL},
    {"RFC 3461 4.4: no line end behind xtext", " ENVID=a+0D+0Ab", "501/5.5.4",
	NULL},
    {"RFC 3461 4.4: no DEL behind xtext", " ENVID=a+7F", "501/5.5.4", NULL},
    {"RFC 3461 4.4: ASCII behind xtext", " ENVID=a+E9", "501/5.5.4", NULL},
    {"RFC 3461 4.4: broken xtext", " ENVID=a+2", "501/5.5.4", NULL},
    {"RFC 3461 5.1: both", " RET=FULL ENVID=a", "250/2.1.0", "r1ea"},
    {"RFC 3461 4.5: RET once", " RET=FULL RET=FULL", "501/5.5.4", NULL},
    {"RFC 3461 4.5: ENVID once", " ENVID=a ENVID=b", "501/5.5.4", NULL},
    {"RFC 3461 5.1: a blank in it", " ENVID=a b", "555/5.5.4", NULL},
    {"RFC 3461 5.4: 100 characters", " ENVID=" T100, "250/2.1.0", "e" T100},
    {"RFC 3461 4.4: more than 100", " ENVID=" T100 "t", "501/5.5.4", NULL},
    {"RFC 3461 5.1: those of RCPT", " NOTIFY=NEVER", "555/5.5.4", NULL},
};

static const struct row of_rcpt[] = {
    {"RFC 3461 5.1: none", "", "250/2.1.5", ""},
    {"RFC 3461 4.1: NEVER", " NOTIFY=NEVER", "250/2.1.5", "n1"},
    {"RFC 3461 4.1: in any case", " notify=Success,fAILURE", "250/2.1.5", "n6"},
    {"RFC 3461 5.4: 28 characters", " NOTIFY=SUCCESS,FAILURE,DELAY",
	"250/2.1.5", "n14"},
    {"RFC 3461 4.1: NEVER is alone", " NOTIFY=NEVER,SUCCESS", "501/5.5.4",
	NULL},
    {"RFC 3461 4.1: NEVER is alone, behind, too", " NOTIFY=DELAY,NEVER",
	"501/5.5.4", NULL},
    {"RFC 3461 4.1: no other", " NOTIFY=RELAYED", "501/5.5.4", NULL},
    {"RFC 3461 4.1: no blank", " NOTIFY=SUCCESS, DELAY", "501/5.5.4", NULL},
    {"RFC 3461 4.1: nothing", " NOTIFY=", "501/5.5.4", NULL},
    {"RFC 3461 4.1: not even that", " NOTIFY", "501/5.5.4", NULL},
    {"RFC 3461 4.2: ORCPT", " ORCPT=rfc822;Bob+2Bx@Example.NET", "250/2.1.5",
	"orfc822;Bob+2Bx@Example.NET"},
    {"RFC 3461 4.2: of another type", " ORCPT=x400;/S+3Dbob/", "250/2.1.5",
	"ox400;/S+3Dbob/"},
    {"RFC 3461 4.2: printable when decoded", " ORCPT=rfc822;a+0D+0Ab@c",
	"501/5.5.4", NULL},
    {"RFC 6533 3: there, too", " ORCPT=utf-8;a\\x{0A}b@c", "501/5.5.4", NULL},
    {"RFC 3461 4.2: without a type", " ORCPT=bob@c", "501/5.5.4", NULL},
    {"RFC 3461 5.4: 500 characters",
	" ORCPT=rfc822;" T400 T50 T10 T10 T10 "ttttttttttttt", "250/2.1.5",
	"orfc822;" T400 T50 T10 T10 T10 "ttttttttttttt"},
    {"RFC 3461 4.2: more than 500",
	" ORCPT=rfc822;" T400 T50 T10 T10 T10 "tttttttttttttt", "501/5.5.4",
	NULL},
    {"RFC 3461 4.5: NOTIFY once", " NOTIFY=DELAY NOTIFY=DELAY", "501/5.5.4",
	NULL},
    {"RFC 3461 4.5: ORCPT once", " ORCPT=rfc822;a ORCPT=rfc822;a", "501/5.5.4",
	NULL},
    {"RFC 3461 5.1: those of MAIL", " RET=FULL", "555/5.5.4", NULL},
};

/* RFC 3461 5.1: a parameter never changes the reply, but one that is wrong. */
static void
look(const struct row *row, const char *before, const char *command,
    const char *behind, const char *front, const char *back)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char send[1200], codes[256];

	play_begin(&play, &setup);
	play_feed(&play, span_of(before), 0);
	buf_clear(&play.replies);
	(void)snprintf(send, sizeof(send), "%s%s\r\n", command, row->params);
	play_feed(&play, span_of(send), 0);
	play_codes(&play, codes, sizeof(codes));
	if (strcmp(codes, row->reply) != 0)
		fail_msg("%s: %s", row->rule, codes);
	if (row->kept != NULL) {
		play_feed(&play, span_of(behind), 0);
		(void)snprintf(
		    send, sizeof(send), "%s%s%s|", front, row->kept, back);
		if (!span_eq(buf_span(&play.envelopes), span_of(send)))
			fail_msg("%s: %.*s", row->rule, (int)play.envelopes.n,
			    play.envelopes.p);
	}
	play_end(&play);
}

static void
envid_and_ret_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(of_mail); i++)
		look(&of_mail[i], HELLO, "MAIL FROM:<a@b>",
		    "RCPT TO:<c@d>\r\nDATA\r\n", "<a@b><c@d>s0", "");
}

static void
notify_and_orcpt_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(of_rcpt); i++)
		look(&of_rcpt[i], HELLO "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>",
		    "DATA\r\n", "<a@b><c@d>", "s0");
}

/* RFC 3461 5.1: who is unknown is unknown with parameters, too. */
static void
refusals_are_the_same(void **state)
{
	static const char *const rows[][2] = {
	    {"MAIL FROM:<spam@b>", " RET=FULL ENVID=a"},
	    {"MAIL FROM:<a@b>\r\nRCPT TO:<no@d>",
		" NOTIFY=SUCCESS ORCPT=rfc822;x"},
	    {"MAIL FROM:<a@b>\r\nRCPT TO:<later@d>", " NOTIFY=NEVER"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char said[2][256];

		for (size_t with = 0; with < 2; with++) {
			struct session_setup setup = play_setup();
			struct play play = {0};
			char send[256];

			play_begin(&play, &setup);
			(void)snprintf(send, sizeof(send), "%s%s%s\r\n", HELLO,
			    rows[i][0], with == 1 ? rows[i][1] : "");
			play_feed(&play, span_of(send), 0);
			play_codes(&play, said[with], sizeof(said[with]));
			play_end(&play);
		}
		assert_string_equal(said[0], said[1]);
	}
}

/* RFC 3461 5.4: an address of 256 octets with its brackets, and all that RCPT
 * may have beside it: more than the 1036 octets that are asked for. */
static void
the_longest_rcpt_is_taken(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char line[1200], codes[256];
	int n = snprintf(line, sizeof(line),
	    "RCPT TO:<%s@" T50 "." T50 "." T50 "." T10 T10 T10 ".tttt>"
	    " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;" T400 T50 T10 T10 T10
	    "ttttttttttttt\r\n",
	    T50 "tttttttttttttt");

	(void)state;
	assert_in_range(n, 800, sizeof(line) - 1);
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO "MAIL FROM:<a@b>\r\n"), 0);
	buf_clear(&play.replies);
	play_feed(&play, span_of(line), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "250/2.1.5");
	/* Blanks are no part of a parameter, and may be many. */
	n = snprintf(line, sizeof(line),
	    "RCPT TO:<c@d>%*s NOTIFY=SUCCESS,FAILURE,DELAY\r\n", 1036 - 43, "");
	assert_in_range(n, 1036, sizeof(line) - 1);
	buf_clear(&play.replies);
	play_feed(&play, span_of(line), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "250/2.1.5");
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envid_and_ret_are_judged),
	    cmocka_unit_test(notify_and_orcpt_are_judged),
	    cmocka_unit_test(refusals_are_the_same),
	    cmocka_unit_test(the_longest_rcpt_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
