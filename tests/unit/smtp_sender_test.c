/* What RFC 5321 and its extensions ask of who sends mail, as far as one
 * session shows it.  Each row runs with the server's words all at once and
 * octet by octet. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

enum flag {
	CHUNKS = 1,
	BIT8 = 2,  /* the message holds octets > 127 */
	MIME8 = 4, /* and was declared BODY=8BITMIME */
	TWICE = 8,
	QUIT = 16,
	BIG = 32,   /* told to be 100,000 octets */
	NULLS = 64, /* from nobody */
};

struct row {
	const char *rule;
	size_t rcpts;
	unsigned flags;
	const char *dialog;
	const char *outcome;
};

#define GREET "S 220 mx\nC EHLO me.example\n"
#define PLAIN GREET "S 250 mx\n"
#define PIPE  GREET "S 250-mx\nS 250 PIPELINING\n"
#define SIZED GREET "S 250-mx\nS 250-PIPELINING\nS 250 SIZE 200000\n"
#define BDAT  GREET "S 250-mx\nS 250-PIPELINING\nS 250 CHUNKING\n"
#define MAIL  "C MAIL FROM:<a@b.org>\n"
#define MAIL4 "C MAIL FROM:<a@b.org> SIZE=4\n"
#define R0    "C RCPT TO:<r0@x.org>\n"
#define R1    "C RCPT TO:<r1@x.org>\n"
#define OK    "S 250 2.1.0 ok\n"
#define GO    "S 354 go\n"
#define BODY  "C hi\nC .\n"

static const struct row rows[] = {
    {"RFC 5321 4.3.1: nothing before the greeting", 1, 0, "", "greeting"},
    {"RFC 5321 4.3.1: nor before all of it", 1, 0, "S 220-mx\nS 220-wait\n",
	"greeting"},
    {"RFC 5321 2.2.1: EHLO first, HELO where it is unknown", 1, 0,
	GREET "S 500 what?\nC HELO me.example\nS 250 mx\n" MAIL, "mail"},
    {"RFC 5321 2.2.1: the same where it is not implemented", 1, 0,
	GREET "S 502 what?\nC HELO me.example\nS 250 mx\n" MAIL, "mail"},
    {"RFC 5321 4.1.1.1: no mail without a welcome", 1, 0,
	GREET "S 550 5.7.1 no\nC HELO me.example\nS 550 5.7.1 no\n",
	"failed P5.7.1"},
    {"RFC 5321 4.1.1.1: keywords in any case", 1, BIT8 | MIME8,
	GREET "S 250-mx\nS 250-piPElining\nS 250-sIzE 1000\nS 250 8bitMime\n"
	      "C MAIL FROM:<a@b.org> SIZE=4 BODY=8BITMIME\n" R0 "C DATA\n",
	"mail"},
    {"RFC 5321 4.1.1.3: no parameter that was not offered", 2, BIT8,
	PIPE MAIL R0 R1 "C DATA\n", "mail"},
    {"RFC 5321 4.1.1.3: nor one that HELO cannot offer", 1, 0,
	GREET "S 500 what?\nC HELO me.example\nS 250-mx\nS 250 SIZE 9\n" MAIL,
	"mail"},
    {"RFC 5321 4.3.1: one after the other, each heard", 2, 0,
	PLAIN MAIL OK R0 OK R1 OK "C DATA\n", "data"},
    {"RFC 5321 3.3: no message before 354", 1, 0, PIPE MAIL R0 "C DATA\n" OK OK,
	"data"},
    {"RFC 5321 3.3: no message without it", 1, QUIT,
	PIPE MAIL R0 "C DATA\n" OK OK "S 450 4.2.0 no\nC QUIT\nS 221 bye\n",
	"T4.2.0 closed"},
    {"RFC 5321 4.1.1.4: no CRLF of our own before the dot", 1, 0,
	PLAIN MAIL OK R0 OK "C DATA\n" GO "C hi\nC .\n" OK, "ok ready"},
    {"RFC 5321 4.1.4: no MAIL in what is open", 1, TWICE,
	PLAIN MAIL OK R0 "S 550 5.1.1 who?\nC RSET\n" OK MAIL, "P5.1.1 mail"},
    {"RFC 5321 4.1.1, 4.1.4: QUIT comes last, and alone", 1, QUIT,
	PIPE MAIL R0 "C DATA\n" OK OK GO BODY OK "C QUIT\nS 221 bye\n",
	"ok closed"},
    {"RFC 5321 4.5.5: the null sender", 1, NULLS,
	PLAIN "C MAIL FROM:<>\n" OK R0, "rcpt"},

    {"RFC 5321 4.2: the code counts and not the text", 2, 0,
	PIPE MAIL R0 R1 "C DATA\nS 250 5.1.8 refused\nS 250 550 no such user\n"
			"S 550 250 welcome\nS 354 5.0.0 never\n" BODY
			"S 250 5.7.1 rejected\n",
	"ok P5.0.0 ready"},
    {"RFC 5321 4.2: nor does a status of another class", 1, 0,
	PIPE MAIL R0 "C DATA\n" OK "S 450 5.1.1 2.0.0 gone\n"
		     "S 554 no\n",
	"T4.0.0 ready"},
    {"RFC 5321 4.2: codes nobody knows, by their first digit", 2, 0,
	PIPE MAIL R0 R1 "C DATA\nS 299 ok\nS 599 no\nS 288 ok\n" GO BODY
			"S 277 ok\n",
	"P5.0.0 ok ready"},
    {"RFC 5321 4.2: 1yz is no reply", 1, 0, PIPE MAIL R0 "C DATA\nS 150 ok\n",
	"T4.5.0 failed T4.5.0"},
    {"RFC 5321 4.2: 6yz is none either", 1, 0,
	PIPE MAIL R0 "C DATA\nS 650 ok\n", "T4.5.0 failed T4.5.0"},
    {"RFC 5321 4.2: nor is 099", 1, 0, PIPE MAIL R0 "C DATA\nS 099 ok\n",
	"T4.5.0 failed T4.5.0"},
    {"RFC 5321 4.5.4.1: 5yz to MAIL is that message's alone", 1, TWICE,
	PIPE MAIL R0 "C DATA\nS 550 5.7.1 no\nS 503 ?\nS 503 ?\n" MAIL R0
		     "C DATA\n" OK OK GO BODY OK,
	"P5.7.1 ok ready"},

    {"RFC 1870 5, 6: SIZE, once, of the message as it is", 1, 0,
	SIZED MAIL4 R0 "C DATA\n", "mail"},
    {"RFC 1870 7: more than fits is not even tried", 1, BIG,
	GREET "S 250-mx\nS 250 SIZE 99999\n", "P5.3.4 ready"},
    {"RFC 1870 7: just as much is", 1, BIG,
	GREET "S 250-mx\nS 250 SIZE 100000\n"
	      "C MAIL FROM:<a@b.org> SIZE=100000\n",
	"mail"},
    {"RFC 1870 6.2: 452 to MAIL, RSET and later", 1, TWICE,
	SIZED MAIL4 R0
	"C DATA\nS 452 4.3.1 full\nS 503 ?\nS 503 ?\nC RSET\n" OK MAIL4 R0
	"C DATA\n",
	"T4.3.1 mail"},
    {"RFC 1870 6.2: 552 to MAIL, RSET and never", 1, TWICE,
	SIZED MAIL4 R0
	"C DATA\nS 552 too big\nS 503 ?\nS 503 ?\nC RSET\n" OK MAIL4 R0
	"C DATA\n",
	"P5.0.0 mail"},
    {"RFC 1870 6.2: 452 and QUIT", 1, QUIT,
	GREET "S 250-mx\nS 250 SIZE\n" MAIL4
	      "S 452 4.3.1 full\nC QUIT\nS 221 bye\n",
	"T4.3.1 closed"},
    {"RFC 1870 6.2: 452 to DATA", 1, 0,
	SIZED MAIL4 R0 "C DATA\n" OK OK "S 452 4.3.1 full\n", "T4.3.1 ready"},
    {"RFC 1870 6.2: 552 to DATA", 1, 0,
	SIZED MAIL4 R0 "C DATA\n" OK OK "S 552 5.3.4 big\n", "P5.3.4 ready"},
    {"RFC 1870 6.2: 452 to the message", 1, 0,
	SIZED MAIL4 R0 "C DATA\n" OK OK GO BODY "S 452 4.3.1 full\n",
	"T4.3.1 ready"},
    {"RFC 1870 6.2, RFC 5321 4.5.3.1: 552 to the message", 1, 0,
	SIZED MAIL4 R0 "C DATA\n" OK OK GO BODY "S 552 5.3.4 big\n",
	"P5.3.4 ready"},
    {"RFC 1870 6.4: 452 and 552 to a recipient are of that one", 2, 0,
	SIZED MAIL4 R0 R1 "C DATA\n" OK
			  "S 452 4.3.1 later\nS 552 5.3.4 never\nS 554 ?\n",
	"T4.3.1 P5.3.4 ready"},

    {"RFC 2920 3.1: only where it is offered", 2, 0, PLAIN MAIL, "mail"},
    {"RFC 2920 3.1: DATA is the last of a group", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK OK OK, "data"},
    {"RFC 2920 3.1: QUIT stands alone", 1, QUIT | TWICE,
	PIPE MAIL R0 "C DATA\n" OK OK GO BODY OK MAIL R0
		     "C DATA\n" OK OK GO BODY OK "C QUIT\nS 221 bye\n",
	"ok ok closed"},
    {"RFC 2920 3.1: each status counts, in its place", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK "S 550 5.1.1 r0\nS 250 r1\n" GO BODY OK,
	"P5.1.1 ok ready"},
    {"RFC 2920 3.1: it is their number that counts", 2, 0,
	PIPE MAIL R0 R1
	"C DATA\nS 250 RCPT r1 ok\nS 250 DATA ok\nS 250 MAIL ok\n" GO BODY OK,
	"ok ok ready"},
    {"RFC 2920 3.1: replies of several lines in a group", 2, 0,
	PIPE MAIL R0 R1
	"C DATA\nS 250-2.1.0 one\nS 250-2.1.0 two\nS 250 2.1.0 three\n"
	"S 550-5.1.1 no\nS 550 5.1.1 such user\nS 250-2.1.5 yes\n"
	"S 250 2.1.5 it is\nS 354-go\nS 354 on\n" BODY OK,
	"P5.1.1 ok ready"},
    {"RFC 2920 3.1: several replies are not one", 2, 0,
	PIPE MAIL R0 R1 "C DATA\nS 250 ok\nS 250-ok\nS 250 ok\n", "rcpt"},

    {"RFC 3030 2: BDAT only where it is offered", 1, CHUNKS,
	PIPE MAIL R0 "C DATA\n", "mail"},
    {"RFC 3030 2: the octets are counted as they go", 1, CHUNKS,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK OK OK, "ok ready"},
    {"RFC 3030 2: RSET behind a chunk that failed", 1, CHUNKS | TWICE,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK OK
		     "S 451 4.3.0 no\nC RSET\n" OK MAIL R0
		     "C BDAT 4 LAST\nC hi\n",
	"T4.3.0 mail"},

    {"RFC 6152 3: 8BITMIME where it was declared", 1, BIT8 | MIME8,
	GREET "S 250-mx\nS 250 8BITMIME\nC MAIL FROM:<a@b.org> BODY=8BITMIME\n",
	"mail"},
    {"RFC 5321 2.4: and not where nobody has said it is MIME", 1, BIT8,
	GREET "S 250-mx\nS 250 8BITMIME\n" MAIL, "mail"},
    {"RFC 5321 2.4: declared, and not offered", 1, BIT8 | MIME8, PLAIN,
	"P5.6.3 ready"},
};

static struct script
script_of(const struct row *row)
{
	struct script script = script_new(row->rcpts);
	unsigned flags = row->flags;

	script.setup.chunking = (flags & CHUNKS) != 0;
	script.quit = (flags & QUIT) != 0;
	script.eight_bit = (flags & BIT8) != 0;
	script.messages = (flags & TWICE) != 0 ? 2 : 1;
	script.size = (flags & BIG) != 0 ? 100000 : script.size;
	script.envelope.body = (flags & MIME8) != 0 ? BODY_8BITMIME : 0;
	if ((flags & NULLS) != 0)
		script.envelope.sender = "";
	return script;
}

static void
senders_do_as_they_are_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		struct script script = script_of(&rows[i / 2]);
		char outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong;

		script.step = i % 2;
		wrong = script_run(&script, rows[i / 2].dialog, outcome);
		if (wrong != NULL || strcmp(outcome, rows[i / 2].outcome) != 0)
			fail_msg("%s (step %zu)\n  got  %s\n  want %s",
			    rows[i / 2].rule, script.step, outcome,
			    rows[i / 2].outcome);
	}
}

/* RFC 5321 2.3.11, 2.4, 4.1.2: what a local part means is its host's to say;
 * as few quotes as can be. */
static void
addresses_go_on_as_they_are(void **state)
{
	static const struct {
		const char *address;
		const char *said;
	} cases[] = {
	    {"Joe.X+y@b.org", "Joe.X+y@b.org"},
	    {"JOE@b.org", "JOE@b.org"},
	    {"a%c.org@b.org", "a%c.org@b.org"},
	    {"c.org!a@b.org", "c.org!a@b.org"},
	    {"\"joe\"@b.org", "joe@b.org"},
	    {"\"Joe.X\"@b.org", "Joe.X@b.org"},
	    {"\"j\\oe\"@b.org", "joe@b.org"},
	    {"\"joe x\"@b.org", "\"joe x\"@b.org"},
	    {"\"joe\\ x\\@\"@b.org", "\"joe x@\"@b.org"},
	    {"\"a\\\"b\\\\c\"@b.org", "\"a\\\"b\\\\c\"@b.org"},
	    {"\".a\"@b.org", "\".a\"@b.org"},
	    {"\"a.\"@b.org", "\"a.\"@b.org"},
	    {"\"a..b\"@b.org", "\"a..b\"@b.org"},
	    {"\"\"@b.org", "\"\"@b.org"},
	    {"\"a@b\"@[192.0.2.1]", "\"a@b\"@[192.0.2.1]"},
	    {"\"a@b.org", "\"a@b.org"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct script script = script_new(1);
		struct envelope_rcpt rcpt = {cases[i].address, "", 0};
		char dialog[512], outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong;

		script.envelope.sender = cases[i].address;
		script.envelope.rcpts = &rcpt;
		(void)snprintf(dialog, sizeof(dialog),
		    PLAIN "C MAIL FROM:<%s>\n" OK "C RCPT TO:<%s>\n",
		    cases[i].said, cases[i].said);
		wrong = script_run(&script, dialog, outcome);
		if (wrong != NULL || strcmp(outcome, "rcpt") != 0)
			fail_msg("%s: %s", cases[i].address, outcome);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(senders_do_as_they_are_asked),
	    cmocka_unit_test(addresses_go_on_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
