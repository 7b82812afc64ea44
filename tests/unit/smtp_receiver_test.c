/* What RFC 5321 and its extensions ask of who receives mail, as far as one
 * session shows it.  Each row runs at once, octet by octet and with an owner
 * who takes his time. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define MAIL  "MAIL FROM:<a@example.org>\r\n"
#define RCPT  "RCPT TO:<b@example.net>\r\n"
#define HI    "220 250"
#define OPEN  HELLO MAIL RCPT
#define OPENS HI " 250/2.1.0 250/2.1.5"
#define DATA  OPEN "DATA\r\n"
#define GO    OPENS " 354"
#define TAKEN GO " 250/2.0.0"
#define L60   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct row {
	const char *rule;
	const char *send;
	const char *codes;
	const char *messages; /* NULL: not looked at */
};

static const struct row rows[] = {
    {"RFC 5321 2.2.1: EHLO, and no extension is used", DATA "x\r\n.\r\n", TAKEN,
	"x\r\n|"},
    {"RFC 5321 2.2.1: HELO",
	"HELO me.example\r\n" MAIL RCPT "DATA\r\nx\r\n.\r\n", TAKEN, "x\r\n|"},
    {"RFC 5321 2.4: no UTF-8 in commands without the extension",
	HELLO "MAIL FROM:<\xc3\xa9@b.org>\r\nEHLO \xc3\xa9.org\r\n"
	      "\xc3\xa9\r\n" MAIL "RCPT TO:<b@\xc3\xa9.org>\r\n",
	HI " 550/5.6.7 501/5.5.4 500/5.5.1 250/2.1.0 553/5.6.7", NULL},
    {"RFC 5321 2.4, RFC 6152 2: 8BITMIME",
	HELLO "MAIL FROM:<> BODY=8BITMIME\r\n" RCPT
	      "DATA\r\n\xc3\xa9\xff\x80\r\n.\r\n",
	TAKEN, "\xc3\xa9\xff\x80\r\n|"},
    {"RFC 5321 3.3: what is refused, for now or for good",
	HELLO "MAIL FROM:<spam@x.org>\r\nMAIL FROM:<later@x.org>\r\n",
	HI " 550/5.7.1 450/4.7.1", NULL},

    {"RFC 5321 3.3: no header at all", DATA "\r\n.\r\n", TAKEN, NULL},
    {"RFC 5321 3.3: no body", DATA "a: b\r\n.\r\n", TAKEN, NULL},
    {"RFC 5321 3.3: neither Date nor From", DATA "To: x\r\n\r\nx\r\n.\r\n",
	TAKEN, NULL},
    {"RFC 5321 3.3: two of each",
	DATA "From: a\r\nFrom: b\r\nDate: x\r\nDate: y\r\n\r\n.\r\n", TAKEN,
	NULL},
    {"RFC 5321 3.3: fields that are none",
	DATA "no field\r\n:\r\n : x\r\nFrom a\r\n\r\nx\r\n.\r\n", TAKEN, NULL},
    {"RFC 5321 3.3: addresses that are none",
	DATA "From: <@@>\r\nTo: \"\r\nCc: ;;,,\r\n\r\nx\r\n.\r\n", TAKEN, NULL},
    {"RFC 5321 3.3: MIME that is none",
	DATA "MIME-Version: 9\r\nContent-Type: multipart/mixed\r\n"
	     "Content-Transfer-Encoding: klingon\r\n\r\n--\r\n.\r\n",
	TAKEN, NULL},
    {"RFC 5321 3.3: Resent- fields of several times",
	DATA "Resent-To: a@b.c\r\nResent-Date: x\r\nResent-From: d@e\r\n"
	     "Resent-From: f@g\r\nFrom: h@i\r\nResent-Sender: j\r\n\r\n.\r\n",
	TAKEN, NULL},
    {"RFC 5321 3.7.2: trace fields that are none",
	DATA "Received:\r\nReceived: x\r\nReceived: from (((; Yesterday\r\n"
	     "Return-Path: \r\nReturn-Path: <a><b>\r\n\r\nx\r\n.\r\n",
	TAKEN, NULL},
    {"RFC 5321 4.4: trace fields stay as they are, in their order",
	DATA "Received: 2\r\nReturn-Path: <x@y>\r\nReceived: 1\r\n\r\n"
	     "Received: 0\r\n.\r\n",
	TAKEN,
	"Received: 2\r\nReturn-Path: <x@y>\r\nReceived: 1\r\n\r\n"
	"Received: 0\r\n|"},
    {"RFC 3030 3: binary by its label, and nothing is said of it",
	DATA "Content-Transfer-Encoding: binary\r\n\r\nx\r\n.\r\n", TAKEN,
	NULL},

    {"RFC 5321 3.5.3: VRFY has verified nothing, whatever it is asked",
	HELLO "VRFY a@example.org\r\nVRFY postmaster\r\nVRFY <>\r\n"
	      "VRFY no@such.user\r\nVRFY Joe Doe <joe@x.org>\r\n",
	HI " 252/2.5.0 252/2.5.0 252/2.5.0 252/2.5.0 252/2.5.0", NULL},
    {"RFC 5321 3.5.2: EXPN is neither offered nor known",
	HELLO "EXPN staff\r\nEXPN\r\n", HI " 502/5.5.1 502/5.5.1", NULL},
    {"RFC 5321 F.6: nor are SEND, SOML, SAML and TURN",
	HELLO "SEND FROM:<a@b>\r\nSOML FROM:<a@b>\r\nSAML FROM:<a@b>\r\n"
	      "TURN\r\n" RCPT,
	HI " 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 503/5.5.1", NULL},

    {"RFC 5321 4.1.1.5: RSET does not close", OPEN "RSET\r\nRSET\r\n" MAIL,
	OPENS " 250/2.0.0 250/2.0.0 250/2.1.0", NULL},
    {"RFC 5321 4.1.1.10: QUIT, whatever is open", OPEN "QUIT\r\nNOOP\r\n",
	OPENS " 221/2.0.0 *", ""},
    {"RFC 5321 4.1.2: characters that no name has",
	"EHLO a_b.example\r\nHELO a_b\r\nEHLO (x)\r\nEHLO a@b\r\nEHLO a/b\r\n"
	"EHLO [1.2.3.4\\]\r\nEHLO x[1.2.3.4]\r\n",
	"220 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 "
	"501/5.5.4",
	NULL},
    {"RFC 5321 4.1.2: nor that of an address",
	HELLO "MAIL FROM:<a@b_c.org>\r\n" MAIL "RCPT TO:<a@b_c.org>\r\n"
	      "RCPT TO:<a@b$c.org>\r\nRCPT TO:<a\x01@b.org>\r\n",
	HI " 501/5.1.8 250/2.1.0 501/5.1.2 501/5.1.2 501/5.5.2", NULL},
    {"RFC 5321 4.1.4: the name need not be true",
	"EHLO localhost\r\nEHLO gmail.com\r\nEHLO [198.51.100.9]\r\n"
	"EHLO [IPv6:::1]\r\nHELO x\r\nEHLO 192.0.2.77\r\nEHLO [::1]\r\n"
	"EHLO [x25:a~b]\r\n" MAIL,
	"220 250 250 250 250 250 250 250 250 250/2.1.0", NULL},
    {"RFC 5321 4.1.4: EHLO ends what is open", OPEN HELLO RCPT,
	OPENS " 250 503/5.5.1", NULL},
    {"RFC 5321 4.1.4: EHLO that is refused ends nothing",
	HELLO MAIL "EHLO\r\nEHLO a b\r\nHELO\r\n" RCPT "EHLO a_b\r\n"
		   "DATA\r\nx\r\n.\r\n",
	HI " 250/2.1.0 501/5.5.4 501/5.5.4 501/5.5.4 250/2.1.5 501/5.5.4 354 "
	   "250/2.0.0",
	"x\r\n|"},
    {"RFC 5321 4.1.4: what needs no EHLO",
	"NOOP\r\nHELP\r\nVRFY x\r\nRSET\r\nQUIT\r\n",
	"220 250/2.0.0 214/2.0.0 252/2.5.0 250/2.0.0 221/2.0.0 *", NULL},
    {"RFC 5321 4.5.1: the commands that must be there",
	"EHLO x\r\nHELO x\r\n" MAIL RCPT "DATA\r\n.\r\nRSET\r\nNOOP\r\n"
	"VRFY x\r\nQUIT\r\n",
	"220 250 250 250/2.1.0 250/2.1.5 354 250/2.0.0 250/2.0.0 250/2.0.0 "
	"252/2.5.0 221/2.0.0 *",
	NULL},
    {"RFC 5321 4.5.3.1.1: 64 octets of a name",
	HELLO "MAIL FROM:<" L60 "aaaa@b.org>\r\nRCPT TO:<" L60 "aaaa@b.org>\r\n"
	      "RCPT TO:<" L60 "aaaaa@b.org>\r\n",
	HI " 250/2.1.0 250/2.1.5 501/5.1.3", NULL},
    {"RFC 5321 4.5.3.1.3: 256 octets of a path",
	HELLO "MAIL FROM:<aaa@" L60 "." L60 "." L60 "." L60 ".aaaaaa>\r\n"
	      "RCPT TO:<aaa@" L60 "." L60 "." L60 "." L60 ".aaaaaa>\r\n",
	HI " 250/2.1.0 250/2.1.5", NULL},
    {"RFC 5321 4.5.3.1.4: 512 octets of a command",
	"NOOP " L60 L60 L60 L60 L60 L60 L60 L60 "aaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
	"220 250/2.0.0", NULL},

    {"RFC 1870 3: twenty digits, and much behind them",
	HELLO "MAIL FROM:<a@b.org> SIZE=00000000000000000007\r\n"
	      "RSET\r\nMAIL FROM:<a@b.org> SIZE=99999999999999999999\r\n"
	      "MAIL FROM:<a@b.org> SIZE=000000000000000000007\r\n"
	      "MAIL FROM:<a@b.org> SIZE=0x7\r\n"
	      "MAIL FROM:<" L60 "@" L60 "." L60 "." L60 "> SIZE=1 "
	      "BODY=8BITMIME RET=FULL ENVID=" L60 "\r\n",
	HI " 250/2.1.0 250/2.0.0 552/5.3.4 501/5.5.4 501/5.5.4 250/2.1.0",
	NULL},
    {"RFC 1870 7: no more than there may be, no less",
	HELLO "MAIL FROM:<> SIZE=65537\r\nMAIL FROM:<> SIZE=65536\r\n",
	HI " 552/5.3.4 250/2.1.0", NULL},
    {"RFC 1870 6: a size said ends no message, too short or too long",
	HELLO "MAIL FROM:<> SIZE=1\r\n" RCPT "DATA\r\nabc\r\nQUIT\r\n.\r\n"
	      "MAIL FROM:<> SIZE=999\r\n" RCPT "DATA\r\na\r\n.\r\nNOOP\r\n",
	TAKEN " 250/2.1.0 250/2.1.5 354 250/2.0.0 250/2.0.0",
	"abc\r\nQUIT\r\n|a\r\n|"},

    {"RFC 2920 3.2: no 354 without a recipient",
	HELLO MAIL "RCPT TO:<no@x.org>\r\nDATA\r\n.\r\nRSET\r\n",
	HI " 250/2.1.0 550/5.1.1 554/5.5.1 500/5.5.1 250/2.0.0", ""},
    {"RFC 2920 3.2: in the order they came",
	"NOOP\r\nX\r\nVRFY x\r\n" HELLO "RSET\r\n" MAIL
	"RCPT TO:<no@x.org>\r\nHELP\r\n" RCPT "DATA\r\nx\r\n.\r\nQUIT\r\n",
	"220 250/2.0.0 500/5.5.1 252/2.5.0 250 250/2.0.0 250/2.1.0 550/5.1.1 "
	"214/2.0.0 250/2.1.5 354 250/2.0.0 221/2.0.0 *",
	"x\r\n|"},
    {"RFC 2920 3.2: one failure says nothing of what comes",
	HELLO "MAIL FROM:<spam@x.org>\r\n" RCPT "DATA\r\n" MAIL RCPT
	      "DATA\r\nx\r\n.\r\n",
	HI " 550/5.7.1 503/5.5.1 503/5.5.1 250/2.1.0 250/2.1.5 354 250/2.0.0",
	"x\r\n|"},

    {"RFC 3030 2: octets of all kinds where a command should be",
	HELLO "\x01\x02\xff\xfe\r\n\x80\r\n \r\n\t\r\n-\r\n" MAIL,
	HI " 501/5.5.2 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 250/2.1.0",
	NULL},

    {"RFC 6152 2: BODY once, and one of two",
	HELLO "MAIL FROM:<> BODY=7BIT BODY=8BITMIME\r\n"
	      "MAIL FROM:<> BODY=8BITMIME body=8bitmime\r\n"
	      "MAIL FROM:<> BODY=9BIT\r\nMAIL FROM:<> BODY\r\n"
	      "MAIL FROM:<> BODY=\r\nMAIL FROM:<> BODY=7bit\r\n",
	HI " 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4 250/2.1.0",
	NULL},
    {"RFC 6152 3: dots, as without",
	HELLO "MAIL FROM:<> BODY=8BITMIME\r\n" RCPT
	      "DATA\r\n..\xff\r\n.\xfe\r\n...\r\n.\r\n",
	TAKEN, ".\xff\r\n\xfe\r\n..\r\n|"},
};

static void
run(const struct row *row, enum play_owner owner, size_t step)
{
	struct session_setup setup = play_setup();
	struct play play = {.owner = owner};
	char codes[1024];

	play_begin(&play, &setup);
	play_feed(&play, span_of(row->send), step);
	play_codes(&play, codes, sizeof(codes));
	if (strcmp(codes, row->codes) != 0)
		fail_msg("%s (step %zu)\n  got  %s\n  want %s", row->rule, step,
		    codes, row->codes);
	if (row->messages != NULL &&
	    !span_eq(buf_span(&play.messages), span_of(row->messages)))
		fail_msg("%s: %.*s", row->rule, (int)play.messages.n,
		    play.messages.p);
	play_end(&play);
}

static void
receivers_do_as_they_are_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run(&rows[i], PLAY_QUICK, 0);
		run(&rows[i], PLAY_QUICK, 1);
		run(&rows[i], PLAY_SLOW, 0);
	}
}

/* RFC 1870 6.3: a size once accepted is no reason to refuse so much. */
static void
what_was_declared_is_taken(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	static char message[65536];
	char codes[256];

	(void)state;
	memset(message, 'x', sizeof(message));
	for (size_t at = 98; at < sizeof(message); at += 100)
		memcpy(message + at, "\r\n", 2);
	memcpy(message + sizeof(message) - 3, "x\r\n", 3);
	play_begin(&play, &setup);
	play_feed(&play,
	    SPAN(HELLO "MAIL FROM:<> SIZE=65536\r\n" RCPT "DATA\r\n"), 0);
	play_feed(&play, (struct span){message, sizeof(message)}, 0);
	play_feed(&play, SPAN(".\r\n"), 0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, TAKEN);
	assert_int_equal(play.messages.n, sizeof(message) + 1);
	play_end(&play);
}

/* Where the owner says so, printers may be called as they are. */
static void
any_name_may_do(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char codes[256];

	(void)state;
	setup.any_hello = true;
	play_begin(&play, &setup);
	play_feed(&play,
	    SPAN(
		"EHLO MY_PRINTER\r\nHELO (x)\r\nEHLO a b\r\nEHLO \xc3\xa9\r\n"),
	    0);
	play_codes(&play, codes, sizeof(codes));
	assert_string_equal(codes, "220 250 250 501/5.5.4 501/5.5.4");
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(receivers_do_as_they_are_asked),
	    cmocka_unit_test(what_was_declared_is_taken),
	    cmocka_unit_test(any_name_may_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
