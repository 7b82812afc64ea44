/* Messages by DATA and by BDAT.  Each row runs at once, octet by octet and
 * with a slow owner. */
#include <stdio.h>
#include <string.h>

#include "tests/support/corpus.h"
#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define ENVELOPE                        \
	"EHLO me.example\r\n"           \
	"MAIL FROM:<a@example.org>\r\n" \
	"RCPT TO:<b@example.net>\r\n"
#define READY  "220 250 250/2.1.0 250/2.1.5 "
#define DATA   ENVELOPE "DATA\r\n"
#define GO     READY "354 "
#define QUEUED "250/2.0.0"
#define R      "Received: x\r\n"
#define X100                                                 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X900 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X998                                                      \
	X900 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

#define S(literal)                              \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

struct row {
	const char *rule;
	struct span send;
	const char *codes;
	struct span messages;
	unsigned aborts;
};

static const struct row rows[] = {
    {"RFC 5321 4.1.1.4: nothing but the end", S(DATA ".\r\n"), GO QUEUED,
	S("|"), 0},
    {"RFC 5321 4.1.1.4: a message", S(DATA "a: b\r\n\r\nc\r\n.\r\n"), GO QUEUED,
	S("a: b\r\n\r\nc\r\n|"), 0},
    {"RFC 5321 4.5.2: stuffed dots",
	S(DATA ".a\r\n..b\r\n...\r\n. .\r\n..\r\n.\r\n"), GO QUEUED,
	S("a\r\n.b\r\n..\r\n .\r\n.\r\n|"), 0},
    {"RFC 5321 4.5.2: dots inside are dots",
	S(DATA "a.\r\nb.c\r\n\r\n..\r\n.\r\n"), GO QUEUED,
	S("a.\r\nb.c\r\n\r\n.\r\n|"), 0},
    {"RFC 5321 4.1.1.4: the session goes on",
	S(DATA "x\r\n.\r\nNOOP\r\nMAIL FROM:<>\r\n"),
	GO QUEUED " 250/2.0.0 250/2.1.0", S("x\r\n|"), 0},
    {"RFC 6152 1: every octet but CR and LF is data",
	S(DATA "\0\x01\xff\x80\x7f\t\r\n.\r\n"), GO QUEUED,
	S("\0\x01\xff\x80\x7f\t\r\n|"), 0},

    {"RFC 5321 2.3.8: LF", S(DATA "a\nb\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 2.3.8: CR", S(DATA "a\rb\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 2.3.8: CR CR LF", S(DATA "a\r\r\n.\r\nNOOP\r\n"),
	GO "554/5.5.2 *", S(""), 1},
    {"RFC 5321 2.3.8: LF CR", S(DATA "a\n\r.\r\n.\r\nNOOP\r\n"),
	GO "554/5.5.2 *", S(""), 1},
    {"RFC 5321 4.1.1.4: LF . LF ends nothing",
	S(DATA "a\n.\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 4.1.1.4: LF . CRLF ends nothing",
	S(DATA "a\n.\r\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 4.1.1.4: CRLF . LF ends nothing",
	S(DATA "a\r\n.\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 4.1.1.4: CRLF . CR ends nothing",
	S(DATA "a\r\n.\rMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 4.1.1.4: CR . CR ends nothing",
	S(DATA "a\r.\rMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *",
	S(""), 1},
    {"RFC 5321 4.1.1.4: CRLF . CR CRLF ends nothing",
	S(DATA "a\r\n.\r\r\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"),
	GO "554/5.5.2 *", S(""), 1},
    {"RFC 5321 4.1.1.4: CRLF NUL . CRLF ends nothing",
	S(DATA "a\r\n\0.\r\n.\r\n"), GO QUEUED, S("a\r\n\0.\r\n|"), 0},
    {"RFC 5321 4.1.1.4: refused at the true end, not before",
	S(DATA "a\nb\r\n"), GO "", S(""), 1},
    {"RFC 5321 2.3.8: a bare LF outranks the rest",
	S(DATA X998 "xx\r\na\nb\r\n.\r\nNOOP\r\n"), GO "554/5.5.2 *", S(""), 1},

    {"RFC 5321 4.5.3.1.6: a line of 1000", S(DATA X998 "\r\n.\r\n"), GO QUEUED,
	S(X998 "\r\n|"), 0},
    {"RFC 5321 4.5.3.1.6: a line of 1000 and its dot",
	S(DATA ".." X998 "\r\n.\r\nNOOP\r\n"), GO "554/5.6.0 250/2.0.0", S(""),
	1},
    {"RFC 5321 4.5.3.1.6: the stuffed dot is not counted",
	S(DATA "." X998 "\r\n.\r\n"), GO QUEUED, S(X998 "\r\n|"), 0},
    {"RFC 5321 4.5.3.1.6: a line of 1001", S(DATA X998 "x\r\n.\r\nNOOP\r\n"),
	GO "554/5.6.0 250/2.0.0", S(""), 1},

    {"RFC 5321 4.1.1.4: behind a refused message, another",
	S(DATA X998 "x\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
		    "x\r\n.\r\n"),
	GO "554/5.6.0 250/2.1.0 250/2.1.5 354 250/2.0.0", S("x\r\n|"), 1},
    {"RFC 5321 6.3: five hops", S(DATA R R R R R "\r\n.\r\n"), GO QUEUED,
	S(R R R R R "\r\n|"), 0},
    {"RFC 5321 6.3: six hops",
	S(DATA R R R R R "receiVED: y\r\n\r\n.\r\nNOOP\r\n"),
	GO "554/5.4.6 250/2.0.0", S(""), 1},
    {"RFC 5321 6.3: one of them stuffed",
	S(DATA R R R R R "." R "\r\n.\r\nNOOP\r\n"), GO "554/5.4.6 250/2.0.0",
	S(""), 1},
    {"RFC 5321 6.3: not in the body",
	S(DATA R R R R R "\r\n" R R "\r\n" R ".\r\n"), GO QUEUED,
	S(R R R R R "\r\n" R R "\r\n" R "|"), 0},
    {"RFC 5321 6.3: not what only looks alike",
	S(DATA R R R R R "Receive: x\r\nX-Received: x\r\n Received: x\r\n"
			 "Received-SPF: x\r\n.\r\n"),
	GO QUEUED,
	S(R R R R R "Receive: x\r\nX-Received: x\r\n Received: x\r\n"
		    "Received-SPF: x\r\n|"),
	0},

    {"RFC 3030 2: one chunk", S(ENVELOPE "BDAT 7 LAST\r\nab\r\nc\r\n"),
	READY QUEUED, S("ab\r\nc\r\n|"), 0},
    {"RFC 3030 2: chunks",
	S(ENVELOPE "BDAT 3\r\nab\rBDAT 4 LAST\r\n\nc\r\nNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0 250/2.0.0", S("ab\r\nc\r\n|"), 0},
    {"RFC 3030 2: nothing in the last chunk",
	S(ENVELOPE "bdat 4\r\nab\r\nBDAT 0  last\r\nNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0 250/2.0.0", S("ab\r\n|"), 0},
    {"RFC 3030 2: an empty message", S(ENVELOPE "BDAT 0 LAST\r\nNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0", S("|"), 0},
    {"RFC 3030 2: an empty chunk is a chunk",
	S(ENVELOPE "BDAT 0\r\nBDAT 3 LAST\r\nx\r\nNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0 250/2.0.0", S("x\r\n|"), 0},
    {"RFC 3030 2: dots are dots",
	S(ENVELOPE "BDAT 14 LAST\r\n.\r\n..\r\nQUIT\r\n.NOOP\r\n"),
	READY "250/2.0.0 250/2.0.0", S(".\r\n..\r\nQUIT\r\n.\r\n|"), 0},
    {"RFC 5321 2.3.7: the last line gets its end",
	S(ENVELOPE "BDAT 4 LAST\r\nx\r\nyNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0", S("x\r\ny\r\n|"), 0},
    {"RFC 5321 2.3.8: LF in a chunk", S(ENVELOPE "BDAT 4\r\na\nbcNOOP\r\n"),
	READY "554/5.5.2 *", S(""), 1},
    {"RFC 5321 2.3.8: CR between chunks",
	S(ENVELOPE "BDAT 2\r\na\rBDAT 4 LAST\r\nbc\r\nNOOP\r\n"),
	READY "250/2.0.0 554/5.5.2 *", S(""), 1},
    {"RFC 5321 2.3.8: CR as the last octet",
	S(ENVELOPE "BDAT 2 LAST\r\na\rNOOP\r\n"), READY "554/5.5.2 *", S(""),
	1},
    {"RFC 3030 2: not without a recipient, the octets are taken",
	S("EHLO x\r\nMAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\nBDAT 3 LAST\r\nx\r\n"
	  "NOOP\r\n"),
	"220 250 250/2.1.0 554/5.5.1 554/5.5.1 250/2.0.0", S(""), 0},
    {"RFC 3030 2: not without a sender, the octets are taken",
	S("EHLO x\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"),
	"220 250 503/5.5.1 250/2.0.0", S(""), 0},
    {"RFC 3030 2: not behind the last one",
	S(ENVELOPE "BDAT 3 LAST\r\nx\r\nBDAT 3 LAST\r\ny\r\nNOOP\r\n"),
	READY "250/2.0.0 503/5.5.1 250/2.0.0", S("x\r\n|"), 0},
    {"RFC 3030 2: chunks and other commands do not mix",
	S(ENVELOPE "BDAT 3\r\nx\r\nDATA\r\nRCPT TO:<a@b>\r\nMAIL FROM:<>\r\n"
		   "NOOP\r\nBDAT 0 LAST\r\n"),
	READY "250/2.0.0 503/5.5.1 503/5.5.1 503/5.5.1 250/2.0.0 250/2.0.0",
	S("x\r\n|"), 0},
    {"RFC 3030 2: RSET drops the chunks",
	S(ENVELOPE "BDAT 3\r\nx\r\nRSET\r\nBDAT 3 LAST\r\ny\r\nNOOP\r\n"),
	READY "250/2.0.0 250/2.0.0 503/5.5.1 250/2.0.0", S(""), 1},
    {"RFC 5321 4.1.1.10: QUIT drops the chunks",
	S(ENVELOPE "BDAT 3\r\nx\r\nQUIT\r\n"), READY "250/2.0.0 221/2.0.0 *",
	S(""), 1},
    {"RFC 5321 4.1.4: EHLO drops the chunks",
	S(ENVELOPE "BDAT 3\r\nx\r\nEHLO x\r\nMAIL FROM:<>\r\n"),
	READY "250/2.0.0 250 250/2.1.0", S(""), 1},
    {"RFC 3207 4.2: no STARTTLS among chunks",
	S(ENVELOPE "BDAT 3\r\nx\r\nSTARTTLS\r\nBDAT 0 LAST\r\n"),
	READY "250/2.0.0 503/5.5.1 250/2.0.0", S("x\r\n|"), 0},
    {"RFC 3030 2: a size that is none", S(ENVELOPE "BDAT x\r\nNOOP\r\n"),
	READY "501/5.5.4 *", S(""), 0},
    {"RFC 3030 2: a size no one can count",
	S(ENVELOPE "BDAT 99999999999999999999 LAST\r\nNOOP\r\n"),
	READY "501/5.5.4 *", S(""), 0},
    {"RFC 3030 2: a word behind the size", S(ENVELOPE "BDAT 1 FIRST\r\nx\r\n"),
	READY "501/5.5.4 *", S(""), 0},
};

static void
run(const struct row *row, enum play_owner owner, size_t step)
{
	struct session_setup setup = play_setup();
	struct play play = {.owner = owner};
	char codes[512];

	play_begin(&play, &setup);
	play_feed(&play, row->send, step);
	play_codes(&play, codes, sizeof(codes));
	if (strcmp(codes, row->codes) != 0 &&
	    (strncmp(codes, row->codes, strlen(codes)) != 0 ||
		strcmp(row->codes + strlen(codes), " ") != 0))
		fail_msg("%s (step %zu)\n  got  %s\n  want %s", row->rule, step,
		    codes, row->codes);
	if (!span_eq(buf_span(&play.messages), row->messages))
		fail_msg("%s (step %zu): %.*s", row->rule, step,
		    (int)play.messages.n, play.messages.p);
	if (play.aborts != row->aborts)
		fail_msg("%s: %u aborts", row->rule, play.aborts);
	play_end(&play);
}

static void
messages_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run(&rows[i], PLAY_QUICK, 0);
		run(&rows[i], PLAY_QUICK, 1);
		run(&rows[i], PLAY_QUICK, 7);
		run(&rows[i], PLAY_SLOW, 0);
	}
}

/* RFC 1870 6.1: what is really sent counts, and is not kept. */
static void
real_size_counts(void **state)
{
	static const struct {
		const char *how;
		size_t size;
		const char *codes;
		unsigned aborts;
	} cases[] = {
	    {"DATA", 65536, GO "250/2.0.0 250/2.0.0", 0},
	    {"DATA", 65537, GO "552/5.3.4 250/2.0.0", 1},
	    {"DATA", 900000, GO "552/5.3.4 250/2.0.0", 1},
	    {"BDAT", 65536, READY "250/2.0.0 250/2.0.0", 0},
	    {"BDAT", 65537, READY "552/5.3.4 250/2.0.0", 1},
	    {"BDAT", 900000, READY "552/5.3.4 250/2.0.0", 1},
	};
	static char message[900000];
	char command[64];

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		bool data = strcmp(cases[i].how, "DATA") == 0;
		size_t n = cases[i].size;
		char codes[256];

		memset(message, 'x', n);
		for (size_t at = 98; at < n - 1; at += 100)
			memcpy(message + at, "\r\n", 2);
		memcpy(message + n - 3, "x\r\n", 3);
		(void)snprintf(command, sizeof(command),
		    data ? "DATA\r\n" : "BDAT %zu LAST\r\n", n);
		play_begin(&play, &setup);
		play_feed(&play, SPAN(ENVELOPE), 0);
		play_feed(&play, span_of(command), 0);
		play_feed(&play, (struct span){message, n}, 0);
		play_feed(
		    &play, data ? SPAN(".\r\nNOOP\r\n") : SPAN("NOOP\r\n"), 0);
		play_codes(&play, codes, sizeof(codes));
		if (strcmp(codes, cases[i].codes) != 0 ||
		    play.aborts != cases[i].aborts)
			fail_msg("%s %zu: %s", cases[i].how, n, codes);
		play_end(&play);
	}
}

/* RFC 3030 2: the owner refuses, the octets of the chunk pass by. */
static void
refused_data_and_chunks(void **state)
{
	static const struct {
		const char *send;
		const char *codes;
	} cases[] = {
	    {ENVELOPE "DATA\r\nNOOP\r\n", READY "452/4.3.1 250/2.0.0"},
	    {ENVELOPE "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
		READY "452/4.3.1 250/2.0.0"},
	    {ENVELOPE "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
		READY "452/4.3.1 503/5.5.1 250/2.0.0"},
	};

	(void)state;
	for (size_t i = 0; i < 3 * ROWS(cases); i++) {
		struct session_setup setup = play_setup();
		struct play play = {
		    .owner = i % 3 == 2 ? PLAY_SLOW : PLAY_QUICK};
		char codes[256];

		(void)err_set(&play.data, ERR_TEMP, "4.3.1", "No space");
		play_begin(&play, &setup);
		play_feed(&play, span_of(cases[i / 3].send), i % 3 % 2);
		play_codes(&play, codes, sizeof(codes));
		assert_string_equal(codes, cases[i / 3].codes);
		assert_int_equal(play.aborts, 0);
		play_end(&play);
	}
}

/* Without a size given the first chunk, if it is the biggest, tells it. */
static void
size_is_told_to_the_owner(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(ENVELOPE "BDAT 3 LAST\r\nx\r\n"), 0);
	play_feed(&play,
	    SPAN("MAIL FROM:<> SIZE=99\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\n"), 0);
	assert_true(span_eq(buf_span(&play.envelopes),
	    SPAN("<a@example.org><b@example.net>s3|<><a@b>s99|")));
	play_end(&play);
}

/* A message in one piece is handed out in one piece. */
static void
runs_are_long(void **state)
{
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);
	static const char text[] = "a\r\nb\r\n\r\nc\r\n";

	(void)state;
	session_feed(session, SPAN(ENVELOPE "DATA\r\n"));
	assert_int_equal(session_next(session), SESSION_MAIL);
	session_answer(session, NULL);
	assert_int_equal(session_next(session), SESSION_RCPT);
	session_answer(session, NULL);
	assert_int_equal(session_next(session), SESSION_DATA);
	session_answer(session, NULL);
	session_feed(session, span_of(text));
	session_feed(session, SPAN(".\r\n"));
	assert_int_equal(session_next(session), SESSION_BODY);
	assert_true(span_eq(session_body(session), span_of(text)));
	assert_int_equal(session_next(session), SESSION_END);
	session_free(&session);
}

struct verdict {
	const char *id;
	const char *rule;
	const char *codes;
};

/* Where we judge otherwise than the peer. */
static const struct verdict deviations[] = {
    {"mox-005", "RFC 5321 2.3.8: a bare LF is refused, here too",
	GO "554/5.5.2 *"},
    {"mox-006", "RFC 5321 4.1.1.4: no end, no reply", GO ""},
};

static const char *
expected_codes(struct span id, bool accepted)
{
	for (size_t i = 0; i < ROWS(deviations); i++)
		if (span_eq(id, span_of(deviations[i].id)))
			return deviations[i].codes;
	return accepted ? GO QUEUED : GO "554/5.5.2 *";
}

static void
play_vector(const json_t *row, size_t step)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	struct span id = corpus_span(row, "id");
	struct span message = corpus_span(row, "expected_message");
	bool accepted = span_eq(
	    corpus_span(row, "peer_verdict"), SPAN("accept"));
	const char *want = expected_codes(id, accepted);
	char codes[256];

	play_begin(&play, &setup);
	play_feed(&play, SPAN(DATA), 0);
	play_feed(&play, corpus_span(row, "input"), step);
	play_codes(&play, codes, sizeof(codes));
	if (strncmp(codes, want, strlen(codes)) != 0 ||
	    strlen(want) - strlen(codes) > 1)
		fail_msg("%.*s: %s", (int)id.n, id.p, codes);
	if (strcmp(want, GO QUEUED) == 0) {
		assert_int_equal(play.messages.n, message.n + 1);
		assert_memory_equal(play.messages.p, message.p, message.n);
	} else {
		assert_int_equal(play.messages.n, 0);
	}
	play_end(&play);
}

static void
peers_agree(void **state)
{
	json_t *vectors = corpus_jsonl("smtp-vectors/data-stream.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (vectors == NULL)
		skip();
	assert_true(json_array_size(vectors) > 20);
	json_array_foreach(vectors, i, row)
	{
		play_vector(row, 0);
		play_vector(row, 1);
	}
	json_decref(vectors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_are_taken_or_refused),
	    cmocka_unit_test(real_size_counts),
	    cmocka_unit_test(refused_data_and_chunks),
	    cmocka_unit_test(size_is_told_to_the_owner),
	    cmocka_unit_test(runs_are_long),
	    cmocka_unit_test(peers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
