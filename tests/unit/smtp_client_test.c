/* The client session against a scripted server.  Each row runs with the
 * server's words all at once and octet by octet. */
#include <string.h>

#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

enum flag {
	LMTP = 1,
	CHUNKS = 2,
	TLS = 4,
	QUIT = 8,
	BIT8 = 16,  /* the message holds octets > 127 */
	MIME8 = 32, /* and was declared BODY=8BITMIME */
	UTF8 = 64,
	TWICE = 128,
	DSN = 256,
	REQUIRE = 512,
	PIECES = 1024, /* the body comes in pieces */
	BIG = 2048,    /* told to be 100,000 octets */
	NULLS = 4096,  /* from nobody */
	ORCPT8 = 8192, /* an ORCPT in UTF-8 */
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
#define BDAT  GREET "S 250-mx\nS 250-PIPELINING\nS 250 CHUNKING\n"
#define MAIL  "C MAIL FROM:<a@b.org>\n"
#define R0    "C RCPT TO:<r0@x.org>\n"
#define R1    "C RCPT TO:<r1@x.org>\n"
#define R2    "C RCPT TO:<r2@x.org>\n"
#define OK    "S 250 2.1.0 ok\n"
#define GO    "S 354 go\n"
#define BODY  "C hi\nC .\n"

static const struct row rows[] = {
    {"RFC 5321 3.3: one message, command by command", 1, 0,
	PLAIN MAIL OK R0 OK "C DATA\n" GO BODY OK, "ok ready"},
    {"RFC 5321 3.3: two recipients, command by command", 2, 0,
	PLAIN MAIL OK R0 OK R1 OK "C DATA\n" GO BODY OK, "ok ok ready"},
    {"RFC 2920 3.1: the envelope in one go", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK OK OK GO BODY OK, "ok ok ready"},
    {"RFC 5321 4.1.1.10: QUIT", 1, QUIT,
	PLAIN MAIL OK R0 OK "C DATA\n" GO BODY OK "C QUIT\nS 221 bye\n",
	"ok closed"},
    {"RFC 5321 4.1.1.10: QUIT, and gone", 1, QUIT,
	PLAIN MAIL OK R0 OK "C DATA\n" GO BODY OK "C QUIT\nX\n", "ok closed"},
    {"RFC 5321 4.1.1.10: 421 to QUIT will do", 1, QUIT,
	PLAIN MAIL OK R0 OK "C DATA\n" GO BODY OK "C QUIT\nS 421 bye\n",
	"ok closed"},
    {"RFC 5321 3.3: a second message", 1, TWICE,
	PIPE MAIL R0 "C DATA\n" OK OK GO BODY OK MAIL R0
		     "C DATA\n" OK OK GO BODY OK,
	"ok ok ready"},
    {"RFC 5321 3.6.3: the null sender", 1, NULLS,
	PLAIN "C MAIL FROM:<>\n" OK R0 OK "C DATA\n" GO BODY OK, "ok ready"},
    {"RFC 5321 4.1.1.3: 251 is a yes", 1, 0,
	PLAIN MAIL OK R0 "S 251 will forward\nC DATA\n" GO BODY OK, "ok ready"},

    {"RFC 5321 4.1.1.1: HELO when EHLO is unknown", 1, 0,
	GREET "S 502 what?\nC HELO me.example\nS 250 mx\n" MAIL OK R0 OK
	      "C DATA\n" GO BODY OK,
	"ok ready"},
    {"RFC 5321 4.1.1.1: neither EHLO nor HELO", 1, 0,
	GREET "S 502 what?\nC HELO me.example\nS 550 5.7.1 go away\n",
	"failed P5.7.1"},
    {"RFC 5321 3.1: EHLO later", 1, 0, GREET "S 451 4.3.2 later\n",
	"failed T4.3.2"},
    {"RFC 5321 4.2: a greeting of several lines", 1, 0,
	"S 220-mx\nS 220-is\nS 220 here\nC EHLO me.example\n", "ehlo"},
    {"RFC 5321 4.2: code alone on a line", 1, 0,
	"S 220\nC EHLO me.example\nS 250\n" MAIL, "mail"},

    {"RFC 5321 3.3: MAIL refused", 2, 0, PLAIN MAIL "S 550 5.7.1 no\n",
	"P5.7.1 P5.7.1 ready"},
    {"RFC 2920 3.1: MAIL refused, all replies heard", 2, 0,
	PIPE MAIL R0 R1 "C DATA\nS 451 4.7.1 grey\nS 503 ?\nS 503 ?\n"
			"S 503 ?\n",
	"T4.7.1 T4.7.1 ready"},
    {"RFC 5321 3.3: some recipients refused", 3, 0,
	PIPE MAIL R0 R1 R2 "C DATA\n" OK "S 550 5.1.1 who?\n" OK
			   "S 450 4.2.0 later\n" GO BODY OK,
	"P5.1.1 ok T4.2.0 ready"},
    {"RFC 5321 3.3: all refused, no DATA", 2, TWICE,
	PLAIN MAIL OK R0 "S 550 5.1.1 who?\n" R1
			 "S 450 4.2.0 later\nC RSET\n" OK MAIL "S 550 no\n",
	"P5.1.1 T4.2.0 P5.0.0 P5.0.0 ready"},
    {"RFC 2920 3.1: all refused, DATA refused", 2, TWICE,
	PIPE MAIL R0 R1
	"C DATA\n" OK
	"S 550 5.1.1 who?\nS 450 4.2.0 later\nS 554 5.5.1 nobody\n"
	"C RSET\n" OK MAIL R0 R1 "C DATA\n" OK OK OK GO BODY OK,
	"P5.1.1 T4.2.0 ok ok ready"},
    {"RFC 2920 3.1: all refused, 354 all the same", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK "S 550 5.1.1 who?\nS 450 4.2.0 later\n" GO
			"C .\nS 554 5.5.1 nobody\n",
	"P5.1.1 T4.2.0 ready"},
    {"RFC 2920 3.1: all refused, even the empty message taken", 1, TWICE,
	PIPE MAIL R0 "C DATA\n" OK "S 550 5.1.1 who?\n" GO "C .\n" OK MAIL R0
		     "C DATA\n" OK OK GO BODY OK,
	"P5.1.1 ok ready"},
    {"RFC 5321 4.5.3.1.10: 452 for those beyond", 3, 0,
	PIPE MAIL R0 R1 R2 "C DATA\n" OK OK
			   "S 452 4.5.3 too many\nS 452 too many\n" GO BODY OK,
	"ok T4.5.3 T4.5.3 ready"},
    {"RFC 5321 4.5.3.1.10: 552 means the same", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK OK "S 552 too many\n" GO BODY OK,
	"ok T4.5.3 ready"},
    {"RFC 5321 4.2.2: 552 5.2.2 does not", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK OK "S 552 5.2.2 full\n" GO BODY OK,
	"ok P5.2.2 ready"},
    {"RFC 5321 4.5.3.1.10: no use to go on asking", 3, 0,
	PLAIN MAIL OK R0 OK R1 "S 452 4.5.3 too many\nC DATA\n" GO BODY OK,
	"ok T4.5.3 T4.5.3 ready"},
    {"RFC 5321 4.2.3: 452 4.2.2 is one mailbox", 3, 0,
	PLAIN MAIL OK R0 OK R1 "S 452 4.2.2 full\n" R2 OK "C DATA\n" GO BODY OK,
	"ok T4.2.2 ok ready"},
    {"RFC 5321 4.1.1.4: DATA refused", 2, TWICE,
	PIPE MAIL R0 R1 "C DATA\n" OK OK "S 550 5.1.1 who?\n"
			"S 451 4.3.0 trouble\nC RSET\n" OK MAIL R0 R1
			"C DATA\n",
	"T4.3.0 P5.1.1 mail"},
    {"RFC 5321 4.1.1.4: refused at the end", 2, TWICE,
	PIPE MAIL R0 R1 "C DATA\n" OK OK OK GO BODY
			"S 554 5.7.1 spam\n" MAIL R0 R1 "C DATA\n",
	"P5.7.1 P5.7.1 mail"},

    {"RFC 3030 4.2: envelope and message in one go", 1, CHUNKS,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK OK OK, "ok ready"},
    {"RFC 3030 4.2: several chunks, none ends with a CR", 1, CHUNKS | PIECES,
	BDAT MAIL R0 "C BDAT 2\nC hiBDAT 2 LAST\nC \n" OK OK OK OK, "ok ready"},
    {"RFC 3030 4.2: the first chunk refused", 1, CHUNKS | PIECES | TWICE,
	BDAT MAIL R0
	"C BDAT 2\nC hiBDAT 2 LAST\nC \n" OK OK
	"S 452 4.3.1 full\nS 503 5.5.1 no more\nC RSET\n" OK MAIL R0
	"C BDAT 2\nC hiBDAT 2 LAST\nC \n",
	"T4.3.1 mail"},
    {"RFC 5321 4.1.1.5: RSET refused, and nothing sent behind it", 1,
	CHUNKS | TWICE,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK OK
		     "S 550 5.7.1 spam\nC RSET\nS 452 4.3.0 not now\n",
	"P5.7.1 T4.5.0 failed T4.5.0"},
    {"RFC 3030 2: not where it is not offered", 1, CHUNKS,
	PIPE MAIL R0 "C DATA\n", "mail"},
    {"RFC 3030 4.2: not without PIPELINING", 1, CHUNKS,
	GREET "S 250-mx\nS 250 CHUNKING\n" MAIL OK R0 OK "C DATA\n", "data"},
    {"RFC 3030 4.2: a big one waits for RCPT", 1, CHUNKS | BIG,
	BDAT MAIL R0 OK OK "C BDAT 4 LAST\nC hi\n" OK, "ok ready"},
    {"RFC 3030 4.2: a big one nobody wants", 1, CHUNKS | BIG | TWICE,
	BDAT MAIL R0 OK "S 550 5.1.1 who?\nC RSET\n" OK MAIL R0, "P5.1.1 mail"},
    {"RFC 3030 4.2: nobody wants it, it is out already", 1, CHUNKS | TWICE,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK
		     "S 550 5.1.1 who?\nS 554 5.5.1 nobody\nC RSET\n" OK MAIL R0
		     "C BDAT 4 LAST\nC hi\n",
	"P5.1.1 mail"},
    {"RFC 3030 4.2: lost between two chunks", 1, CHUNKS | PIECES,
	BDAT MAIL R0 "C BDAT 2\nC hiBDAT 2 LAST\nC \n" OK OK OK "X\n",
	"T4.4.2 failed T4.4.2?"},
    {"RFC 3030 4.2: refused chunk, RSET", 1, CHUNKS | TWICE,
	BDAT MAIL R0 "C BDAT 4 LAST\nC hi\n" OK OK
		     "S 552 5.3.4 too big\nC RSET\n" OK MAIL R0
		     "C BDAT 4 LAST\nC hi\n",
	"P5.3.4 mail"},

    {"RFC 2033 4.2: a reply a recipient", 3, LMTP,
	"S 220 mx\nC LHLO me.example\nS 250-mx\nS 250 PIPELINING\n" MAIL R0 R1
	    R2 "C DATA\n" OK OK "S 550 5.1.1 who?\n" OK GO BODY OK
	"S 452 4.2.2 full\n",
	"ok P5.1.1 T4.2.2 ready"},
    {"RFC 2033 4.2: lost between two replies", 2, LMTP,
	"S 220 mx\nC LHLO me.example\nS 250-mx\nS 250 PIPELINING\n" MAIL R0 R1
	"C DATA\n" OK OK OK GO BODY OK "X\n",
	"ok T4.4.2 failed T4.4.2?"},
    {"RFC 2033 4.1: no HELO in LMTP", 1, LMTP,
	"S 220 mx\nC LHLO me.example\nS 500 what?\n", "failed P5.0.0"},
    {"RFC 2033 4.2: 354 for nobody", 1, LMTP,
	"S 220 mx\nC LHLO me.example\nS 250-mx\nS 250 PIPELINING\n" MAIL R0
	"C DATA\n" OK "S 550 5.1.1 who?\n" GO,
	"P5.1.1 failed T4.5.0"},
    {"RFC 2033 4.2: chunks wait for RCPT", 2, LMTP | CHUNKS,
	"S 220 mx\nC LHLO me.example\nS 250-mx\nS 250-CHUNKING\n"
	"S 250 PIPELINING\n" MAIL R0 R1 OK OK OK
	"C BDAT 4 LAST\nC hi\nS 250 ok\nS 250 ok\n",
	"ok ok ready"},

    {"RFC 3207 4: STARTTLS, then EHLO again", 1, TLS,
	GREET
	"S 250-mx\nS 250-PIPELINING\nS 250 STARTTLS\nC STARTTLS\n"
	"S 220 go\nC EHLO me.example\nS 250-mx\nS 250 STARTTLS\n" MAIL OK R0,
	"rcpt"},
    {"RFC 3207 4.1: STARTTLS refused, go on without", 1, TLS,
	GREET
	"S 250-mx\nS 250 STARTTLS\nC STARTTLS\nS 454 4.7.0 not now\n" MAIL OK R0
	    OK "C DATA\n" GO BODY OK,
	"ok ready"},
    {"RFC 3207 4.1: STARTTLS answered with nonsense", 1, TLS,
	GREET "S 250-mx\nS 250 STARTTLS\nC STARTTLS\nS 250 fine\n",
	"failed T4.5.0"},
    {"RFC 3207 5: text behind 220 was injected", 1, TLS,
	GREET "S 250-mx\nS 250 STARTTLS\nC STARTTLS\nS 220 go\nS 250 mx\n",
	"failed T4.7.0"},

    {"RFC 1870 6.1: SIZE", 1, 0,
	GREET "S 250-mx\nS 250 SIZE 1000\nC MAIL FROM:<a@b.org> SIZE=4\n",
	"mail"},
    {"RFC 1870 6.1: bigger than SIZE", 1, BIG,
	GREET "S 250-mx\nS 250 SIZE 1000\n", "P5.3.4 ready"},
    {"RFC 1870 4: SIZE 0 is no limit", 1, BIG,
	GREET "S 250-mx\nS 250 SIZE 0\nC MAIL FROM:<a@b.org> SIZE=100000\n",
	"mail"},
    {"RFC 6152 2: 8BITMIME", 1, BIT8 | MIME8,
	GREET "S 250-mx\nS 250 8bitmime\nC MAIL FROM:<a@b.org> BODY=8BITMIME\n",
	"mail"},
    {"RFC 6152 3: declared, not offered", 2, BIT8 | MIME8, PLAIN,
	"P5.6.3 P5.6.3 ready"},
    {"RFC 6152 3: not declared, sent as it is", 1, BIT8, PLAIN MAIL, "mail"},
    {"RFC 6152 3: declared, but plain", 1, MIME8, PLAIN MAIL, "mail"},
    {"RFC 6531 3.4, RFC 6531 3.6: SMTPUTF8", 1, UTF8 | BIT8,
	GREET "S 250-mx\nS 250-8BITMIME\nS 250 SMTPUTF8\n"
	      "C MAIL FROM:<a@b.org> BODY=8BITMIME SMTPUTF8\n",
	"mail"},
    {"RFC 6531 3.1: its parameters are passed over", 1, UTF8 | BIT8,
	GREET "S 250-mx\nS 250 smtputf8 X=1 Y\n"
	      "C MAIL FROM:<a@b.org> SMTPUTF8\n",
	"mail"},
    {"RFC 6531 3.2: not offered", 2, UTF8 | BIT8, PLAIN, "P5.6.7 P5.6.7 ready"},
    {"RFC 6531 3.4: not needed, not said", 1, UTF8,
	GREET "S 250-mx\nS 250-8BITMIME\nS 250 SMTPUTF8\n" MAIL, "mail"},
    {"RFC 6531 3.4: not needed, not offered", 1, UTF8, PLAIN MAIL, "mail"},
    {"RFC 6533 3: an ORCPT in UTF-8 needs it", 1, UTF8 | ORCPT8,
	GREET "S 250-mx\nS 250-DSN\nS 250 SMTPUTF8\n"
	      "C MAIL FROM:<a@b.org> SMTPUTF8\n" OK
	      "C RCPT TO:<r0@x.org> ORCPT=utf-8;\xc3\xa9@x.org\n",
	"rcpt"},
    {"RFC 6533 3: and is not sent without", 1, UTF8 | ORCPT8,
	GREET "S 250-mx\nS 250 DSN\n", "P5.6.7 ready"},
    {"RFC 7504 4: 556 is for good", 1, 0,
	PLAIN MAIL OK R0 "S 556 takes no mail\n", "P5.0.0 ready"},
    {"RFC 7504 3: 521 is for good", 1, 0, "S 521 takes no mail\n",
	"failed P5.0.0"},
    {"RFC 3461 5.2.1: DSN parameters", 2, DSN,
	GREET "S 250-mx\nS 250-PIPELINING\nS 250 DSN\n"
	      "C MAIL FROM:<a@b.org> RET=HDRS ENVID=QQ+2B1\n"
	      "C RCPT TO:<r0@x.org> NOTIFY=SUCCESS,FAILURE,DELAY "
	      "ORCPT=rfc822;o@x.org\n"
	      "C RCPT TO:<r1@x.org> NOTIFY=NEVER\nC DATA\n",
	"mail"},
    {"RFC 3461 5.2.1: not offered, not said", 2, DSN,
	PIPE MAIL R0 R1 "C DATA\n", "mail"},
    {"RFC 8689 4.2.1: REQUIRETLS", 1, REQUIRE,
	GREET "S 250-mx\nS 250 REQUIRETLS\nC MAIL FROM:<a@b.org> REQUIRETLS\n",
	"mail"},

    {"RFC 8689 2: not offered, not said", 1, REQUIRE,
	GREET "S 250 mx\nC MAIL FROM:<a@b.org>\n", "mail"},
    {"RFC 8689 2: offered, not asked for", 1, 0,
	GREET "S 250-mx\nS 250 REQUIRETLS\nC MAIL FROM:<a@b.org>\n", "mail"},

    {"RFC 5321 3.8: 421 at any time", 2, 0,
	PIPE MAIL R0 R1 "C DATA\n" OK OK "S 421 4.3.2 closing\n",
	"T4.3.2 T4.3.2 failed T4.3.2"},
    {"RFC 5321 3.8: 421 when idle", 1, 0,
	PLAIN MAIL "S 550 no\n"
		   "S 421 4.4.2 idle\n",
	"P5.0.0 failed T4.4.2"},
    {"RFC 5321 3.8: 421 to the message", 1, 0,
	PIPE MAIL R0 "C DATA\n" OK OK GO BODY "S 421 4.3.2 closing\n",
	"T4.3.2 failed T4.3.2"},
    {"RFC 5321 4.2: more replies than commands", 1, 0,
	PIPE MAIL R0 "C DATA\n" OK OK GO BODY OK OK, "ok failed T4.5.0"},
    {"RFC 5321 4.2: 354 to something else", 1, 0, PLAIN MAIL GO,
	"T4.5.0 failed T4.5.0"},
    {"RFC 5321 4.2: 250 to DATA", 1, 0, PIPE MAIL R0 "C DATA\n" OK OK OK,
	"T4.5.0 failed T4.5.0"},
};

static struct script
script_of(const struct row *row)
{
	static struct envelope_rcpt with_dsn[] = {
	    {"r0@x.org", "rfc822;o@x.org",
		NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY},
	    {"r1@x.org", "", NOTIFY_NEVER},
	};
	static struct envelope_rcpt with_utf8[] = {
	    {"r0@x.org", "utf-8;\xc3\xa9@x.org", 0},
	};
	struct script script = script_new(row->rcpts);
	unsigned flags = row->flags;

	script.setup.lmtp = (flags & LMTP) != 0;
	script.setup.chunking = (flags & CHUNKS) != 0;
	script.tls = (flags & TLS) != 0;
	script.quit = (flags & QUIT) != 0;
	script.eight_bit = (flags & BIT8) != 0;
	script.messages = (flags & TWICE) != 0 ? 2 : 1;
	script.piece = (flags & PIECES) != 0 ? 3 : 0;
	script.size = (flags & BIG) != 0 ? 100000 : script.size;
	script.envelope.smtputf8 = (flags & UTF8) != 0;
	script.envelope.tls_wish = (flags & REQUIRE) != 0 ? TLS_WISH_REQUIRED
	                                                  : TLS_WISH_NONE;
	script.envelope.body = (flags & MIME8) != 0 ? BODY_8BITMIME : 0;
	if ((flags & NULLS) != 0)
		script.envelope.sender = "";
	if ((flags & ORCPT8) != 0)
		script.envelope.rcpts = with_utf8;
	if ((flags & DSN) != 0) {
		script.envelope.rcpts = with_dsn;
		script.envelope.ret = RET_HDRS;
		script.envelope.envid = "QQ+2B1";
	}
	return script;
}

static void
sessions_follow_their_script(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		struct script script = script_of(&rows[i / 2]);
		char outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong;

		/* Octet by octet the rest would come under TLS. */
		if (i % 2 == 1 && strstr(rows[i / 2].rule, "injected") != NULL)
			continue;
		script.step = i % 2;
		wrong = script_run(&script, rows[i / 2].dialog, outcome);
		if (wrong != NULL || strcmp(outcome, rows[i / 2].outcome) != 0)
			fail_msg("%s (step %zu)\n  got  %s\n  want %s",
			    rows[i / 2].rule, script.step, outcome,
			    rows[i / 2].outcome);
	}
}

/* RFC 3207 5: what comes between 220 and the handshake was injected. */
static void
nothing_comes_between_220_and_tls(void **state)
{
	struct client_setup setup = {.helo = "me.example"};
	struct client *client = client_new(&setup);

	(void)state;
	client_feed(client, SPAN("220 mx\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_HELLO);
	client_feed(client, SPAN("250-mx\r\n250-STARTTLS\r\n250 DSN\r\n"));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	assert_int_equal(client_offers(client), OFFER_STARTTLS | OFFER_DSN);
	client_starttls(client);
	client_feed(client, SPAN("220 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_STARTTLS);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("2"));
	assert_int_equal(client_next(client), CLIENT_FAILED);
	assert_string_equal(client_error(client)->enhanced, "4.7.0");
	client_free(&client);
}

/* Wherever the connection is lost, every recipient has a result. */
static void
lost_connections_settle_all(void **state)
{
	static const struct {
		const char *dialog;
		const char *outcome;
	} cases[] = {
	    {"X\n", "failed T4.4.2"},
	    {"S 220 mx\nC EHLO me.example\nX\n", "failed T4.4.2"},
	    {PIPE MAIL R0 R1 "C DATA\nX\n", "T4.4.2 T4.4.2 failed T4.4.2"},
	    {PIPE MAIL R0 R1 "C DATA\n" OK "S 550 5.1.1 who?\nX\n",
		"P5.1.1 T4.4.2 failed T4.4.2"},
	    {PIPE MAIL R0 R1 "C DATA\nS 550 5.7.1 no\nX\n",
		"P5.7.1 P5.7.1 failed T4.4.2"},
	    {PIPE MAIL R0 R1 "C DATA\n" OK OK OK "X\n",
		"T4.4.2 T4.4.2 failed T4.4.2"},
	    {PIPE MAIL R0 R1 "C DATA\n" OK OK OK GO BODY "X\n",
		"T4.4.2 T4.4.2 failed T4.4.2?"},
	    {PIPE MAIL R0 R1 "C DATA\n" OK OK OK GO BODY "S 250 2.0.0 ok\nX\n",
		"ok ok failed T4.4.2"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct script script = script_new(2);
		char outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong = script_run(
		    &script, cases[i].dialog, outcome);

		if (wrong != NULL || strcmp(outcome, cases[i].outcome) != 0)
			fail_msg("%zu\n  got  %s\n  want %s", i, outcome,
			    cases[i].outcome);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sessions_follow_their_script),
	    cmocka_unit_test(nothing_comes_between_220_and_tls),
	    cmocka_unit_test(lost_connections_settle_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
