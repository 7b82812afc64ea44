/* What servers do wrong, what a message may hold that must not go out, and
 * replies as other servers write them. */
#include <stdio.h>
#include <string.h>

#include "mta/smtp/reply.h"

#include "tests/support/corpus.h"
#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

#define GREET "S 220 mx\nC EHLO me.example\n"
#define PLAIN GREET "S 250 mx\n"
#define PIPE  GREET "S 250-mx\nS 250 PIPELINING\n"
#define MAIL  "C MAIL FROM:<a@b.org>\n"
#define R0    "C RCPT TO:<r0@x.org>\n"
#define R1    "C RCPT TO:<r1@x.org>\n"
#define OK    "S 250 2.1.0 ok\n"
#define GO    "S 354 go\n"

struct fault {
	const char *id; /* what the server does, as the vectors say it */
	const char *dialog;
	const char *outcome;
	bool twice;
	bool hold;
};

static const struct fault faults[] = {
    {"greeting \"bogus\" (not 220 <host>)", "S bogus\n", "failed T4.5.0", false,
	false},
    {"close before greeting", "X\n", "failed T4.4.2", false, false},
    {"greeting 521 (does not speak SMTP)", "S 521 no mail here\n",
	"failed P5.0.0", false, false},
    {"greeting code with 4 digits \"2200 mox.example\"", "S 2200 mox.example\n",
	"failed T4.5.0", false, false},
    {"multi-line reply with different codes \"250-...\", "
     "\"500 different code\"",
	GREET "S 250-mox.example\nS 500 different code\n", "failed T4.5.0",
	false, false},
    {"MAIL FROM 550 then close",
	PIPE MAIL R0 R1 "C DATA\nS 550 5.7.1 blocked\nX\n",
	"P5.7.1 P5.7.1 failed T4.4.2", false, false},
    {"MAIL FROM 451", PLAIN MAIL "S 451 later\n", "T4.0.0 T4.0.0 ready", false,
	false},
    {"RCPT TO 451", PLAIN MAIL OK R0 "S 451 later\n" R1 "S 451 later\n",
	"T4.0.0 T4.0.0 ready", false, false},
    {"DATA 550", PLAIN MAIL OK R0 OK R1 OK "C DATA\nS 550 no\n",
	"P5.0.0 P5.0.0 ready", false, false},
    {"RCPT 554 then close in a pipelined session",
	PIPE MAIL R0 R1 "C DATA\n" OK "S 554 5.7.1 blocked\nX\n",
	"P5.7.1 T4.4.2 failed T4.4.2", false, false},
    {"first RCPT 452, further RCPT",
	PIPE MAIL R0 R1 "C DATA\n" OK "S 452 4.5.3 full\nS 452 4.5.3 full\n" GO
			"C .\n" OK,
	"T4.5.3 T4.5.3 ready", false, false},
    {"first RCPT 452, further RCPT", PLAIN MAIL OK R0 "S 452 4.5.3 full\n",
	"T4.5.3 T4.5.3 ready", false, false},
    {"STARTTLS required but not advertised", PIPE, "ready", false, true},
    {"unknown EHLO keyword lines, CRLF-only tail",
	GREET "S 250-mx\nS 250-X-STRANGE yes=no\nS 250- \nS 250-SIZE x\n"
	      "S 250 \nC MAIL FROM:<a@b.org> SIZE=4\n",
	"mail", false, false},
    {"EHLO refused", GREET "S 550 what?\nC HELO me.example\nS 250 mx\n" MAIL,
	"mail", false, false},
    {"aborted transaction, second message on the connection",
	PLAIN MAIL OK R0 "S 550 5.1.1 who?\n" R1
			 "S 550 5.1.1 who?\nC RSET\n" OK MAIL,
	"P5.1.1 P5.1.1 mail", true, false},
};

static bool
stands_in_table(struct span id)
{
	bool found = false;

	for (size_t i = 0; i < ROWS(faults); i++)
		if (span_eq(id, span_of(faults[i].id)))
			found = true;
	return found;
}

static void
faults_are_borne(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ROWS(faults); i++) {
		const struct fault *fault = &faults[i / 2];
		struct script script = script_new(2);
		char outcome[SCRIPT_OUTCOME_MAX];
		const char *wrong;

		script.messages = fault->twice ? 2 : 1;
		script.hold = fault->hold;
		script.step = i % 2;
		wrong = script_run(&script, fault->dialog, outcome);
		if (wrong != NULL || strcmp(outcome, fault->outcome) != 0)
			fail_msg("%s\n  got  %s\n  want %s", fault->id, outcome,
			    fault->outcome);
	}
}

/* Each fault that the vectors name has its row here. */
static void
no_fault_is_left_out(void **state)
{
	struct buf file;
	struct span rest;
	unsigned rows = 0;

	(void)state;
	if (corpus_read("smtp-vectors/client-faults.tsv", &file) < 0)
		skip();
	rest = buf_span(&file);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
		struct span line = span_first(rest, n);
		const char *tab = memchr(line.p, '\t', line.n);

		rest = span_from(rest, n + 1);
		assert_non_null(tab);
		line = span_from(line, (size_t)(tab - line.p) + 1);
		tab = memchr(line.p, '\t', line.n);
		assert_non_null(tab);
		line = span_first(line, (size_t)(tab - line.p));
		if (rows++ > 0 && !stands_in_table(line))
			fail_msg("no row for %.*s", (int)line.n, line.p);
	}
	assert_true(rows > 10);
	buf_free(&file);
}

/* Feed a message in pieces; what went out after 354, or NULL if refused. */
static bool
write_message(struct span message, size_t piece, struct buf *wire)
{
	struct script script = script_new(1);
	const struct script *s = &script;
	struct client *client = client_new(&s->setup);
	static const uint16_t which[] = {0};
	bool refused;

	client_feed(client, SPAN("220 mx\r\n"));
	(void)client_next(client);
	client_feed(client, SPAN("250-mx\r\n250 PIPELINING\r\n"));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	client_proceed(client);
	assert_int_equal(client_next(client), CLIENT_READY);
	client_send(client, &s->envelope, which, 1, message.n, false);
	(void)client_next(client);
	client_sent(client, client_output(client).n);
	client_feed(client, SPAN("250 ok\r\n250 ok\r\n354 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_BODY);
	do {
		struct span now = span_first(message, piece);

		message = span_from(message, now.n);
		client_body(client, now, message.n == 0);
	} while (message.n > 0);
	assert_int_equal(buf_add(wire, client_output(client)), 0);
	refused = client_next(client) == CLIENT_DONE;
	if (refused) {
		assert_int_equal(client_result(client, 0)->err.kind, ERR_PERM);
		assert_string_equal(
		    client_result(client, 0)->err.enhanced, "5.6.0");
		assert_int_equal(client_next(client), CLIENT_FAILED);
		assert_false(client_in_doubt(client));
	}
	client_free(&client);
	return !refused;
}

/* Does it hold a CR or LF that stands alone? */
static bool
is_bare(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool lf = i + 1 < s.n && s.p[i + 1] == '\n';

		if (s.p[i] == '\n' || (s.p[i] == '\r' && !lf && i + 1 < s.n))
			return true;
		i += s.p[i] == '\r' ? 1 : 0;
	}
	return false;
}

static const struct {
	const char *rule;
	const char *message;
	const char *wire; /* NULL: not sent */
} writes[] = {
    {"RFC 5321 4.5.2: dots at the start of lines",
	".\r\n..\r\n.a\r\nb.\r\n\r\n.\r\n",
	"..\r\n...\r\n..a\r\nb.\r\n\r\n..\r\n.\r\n"},
    {"RFC 5321 4.1.1.4: empty", "", ".\r\n"},
    {"RFC 5321 2.3.8: no end of the last line", "a\r\nb", NULL},
    {"RFC 5321 2.3.8: CR at the very end", "a\r", NULL},
    {"RFC 5321 2.3.8: LF CR", "a\n\rb\r\n", NULL},
};

static void
messages_are_stuffed_or_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * ROWS(writes); i++) {
		struct buf wire;
		size_t piece = i % 3 == 0 ? 1000 : i % 3;
		bool sent;

		buf_init(&wire, 1000);
		sent = write_message(
		    span_of(writes[i / 3].message), piece, &wire);
		if (sent != (writes[i / 3].wire != NULL) ||
		    (sent &&
			!span_eq(buf_span(&wire), span_of(writes[i / 3].wire))))
			fail_msg("%s: %.*s", writes[i / 3].rule, (int)wire.n,
			    wire.p);
		if (is_bare(buf_span(&wire)))
			fail_msg("%s: bare on the wire", writes[i / 3].rule);
		buf_free(&wire);
	}
}

static void
peers_agree_on_what_may_be_sent(void **state)
{
	json_t *vectors = corpus_jsonl("smtp-vectors/data-write.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (vectors == NULL)
		skip();
	assert_true(json_array_size(vectors) > 10);
	json_array_foreach(vectors, i, row)
	{
		struct span id = corpus_span(row, "id");
		struct span want = corpus_span(row, "wire");
		bool accept = span_eq(
		    corpus_span(row, "peer_verdict"), SPAN("accept"));

		for (size_t piece = 1; piece < 100; piece += 33) {
			struct buf wire;
			bool sent;

			buf_init(&wire, 1000);
			sent = write_message(
			    corpus_span(row, "input"), piece, &wire);
			if (sent != accept || is_bare(buf_span(&wire)) ||
			    (accept && !span_eq(buf_span(&wire), want)))
				fail_msg("%.*s: %.*s", (int)id.n, id.p,
				    (int)wire.n, wire.p);
			buf_free(&wire);
		}
	}
	json_decref(vectors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_are_borne),
	    cmocka_unit_test(no_fault_is_left_out),
	    cmocka_unit_test(messages_are_stuffed_or_kept),
	    cmocka_unit_test(peers_agree_on_what_may_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
