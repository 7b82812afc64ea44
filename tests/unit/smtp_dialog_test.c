/*
 * Dialogs of another server's tests, replayed against ours: what it is sent
 * and the class of each reply.  Where we say otherwise stands a row with the
 * reason.  The little language: "c -> line", "c ~> expression" send;
 * "c <- line", "c <~ pattern" and "c <... line" read.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "tests/support/corpus.h"
#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define FOLDER "smtp-dialogs/chasquid-t12/"

static const char *const dialogs[] = {
    "auth_multi_dialog",
    "auth_not_tls",
    "auth_too_many_failures",
    "bad_data",
    "bad_data_dot",
    "bad_data_dot_2",
    "bad_data_dot_on_message_too_big",
    "bad_mail_from",
    "bad_rcpt_to",
    "data_dot_stuffing",
    "empty_helo",
    "helo",
    "line_too_long",
    "message_too_big",
    "sendmail",
    "unknown_command",
    "wrong_proto",
};

/* Where our reply is of another class, line by line. */
static const struct {
	const char *dialog;
	const char *expected;
	const char *rule;
	const char *ours;
} deviations[] = {
    {"auth_multi_dialog", "334", "RFC 4954 3: AUTH is not offered", "502"},
    {"auth_multi_dialog", "235 2.7.0 Authentication successful",
	"RFC 4954 3: nor does anybody become authenticated", "500"},
    {"bad_data", "554 5.6.0 Error parsing message",
	"RFC 5321 3.3: a defect of the header is no reason to refuse", "250"},
};

struct reader {
	const char *dialog;
	struct play play;
	bool open;
	size_t seen; /* octets of the replies already read */
	size_t step;
	struct buf bytes; /* what an expression comes to */
};

static void
connect_again(struct reader *reader)
{
	struct session_setup setup = play_setup();

	setup.hostname = "testserver";
	setup.message_max = 1 << 20;
	/* The one dialog that is about too many errors means three. */
	if (strstr(reader->dialog, "too_many") != NULL)
		setup.errors_max = 2;
	if (reader->open)
		play_end(&reader->play);
	reader->play = (struct play){0};
	reader->open = true;
	reader->seen = 0;
	play_begin(&reader->play, &setup);
}

static struct span
next_line(struct reader *reader)
{
	struct span rest = span_from(
	    buf_span(&reader->play.replies), reader->seen);
	const char *end = rest.n == 0 ? NULL : memchr(rest.p, '\n', rest.n);

	if (end == NULL)
		return (struct span){"", 0};
	rest.n = (size_t)(end - rest.p) - 1;
	reader->seen += rest.n + 2;
	return rest;
}

static void
expect(struct reader *reader, struct span wanted)
{
	struct span got = next_line(reader);

	for (size_t i = 0; i < ROWS(deviations); i++)
		if (strcmp(reader->dialog, deviations[i].dialog) == 0 &&
		    span_eq(wanted, span_of(deviations[i].expected)) &&
		    span_eq(span_first(got, 3), span_of(deviations[i].ours)))
			return;
	if (got.n == 0 || wanted.n == 0 || got.p[0] != wanted.p[0])
		fail_msg("%s: got \"%.*s\", want \"%.*s\"", reader->dialog,
		    (int)got.n, got.p, (int)wanted.n, wanted.p);
}

static void
expect_until(struct reader *reader, struct span wanted)
{
	struct span got;

	do {
		got = next_line(reader);
		if (got.n == 0)
			fail_msg("%s: never \"%.*s\"", reader->dialog,
			    (int)wanted.n, wanted.p);
	} while (!span_starts_nocase(got, wanted));
}

/* --- expressions: ('a' * 899 + '\r\n') * 1165 ------------------------- */

static void sum(struct reader *reader, struct span *in);

static char
take(struct span *in)
{
	char c = in->n > 0 ? in->p[0] : '\0';

	*in = span_from(*in, 1);
	return c;
}

static char
peek(struct span *in)
{
	while (in->n > 0 && in->p[0] == ' ')
		(void)take(in);
	return in->n > 0 ? in->p[0] : '\0';
}

static void
quoted(struct reader *reader, struct span *in)
{
	while (peek(in) != '\'') {
		char c = take(in);

		assert_true(c != '\0');
		if (c == '\\') {
			c = take(in);
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		assert_int_equal(
		    buf_add(&reader->bytes, (struct span){&c, 1}), 0);
	}
	(void)take(in);
}

static void
repeat(struct reader *reader, size_t from, struct span *in)
{
	size_t n = 0, length = reader->bytes.n - from;

	while (peek(in) != '\0' && text_is_digit(in->p[0]))
		n = 10 * n + (size_t)(take(in) - '0');
	while (n-- > 1) {
		char *to = buf_reserve(&reader->bytes, length);

		assert_non_null(to);
		memcpy(to, reader->bytes.p + from, length);
		reader->bytes.n += length;
	}
}

static void
product(struct reader *reader, struct span *in)
{
	size_t from = reader->bytes.n;
	char c = peek(in);

	(void)take(in);
	if (c == '(') {
		sum(reader, in);
		assert_int_equal(take(in), ')');
	} else {
		assert_int_equal(c, '\'');
		quoted(reader, in);
	}
	while (peek(in) == '*') {
		(void)take(in);
		repeat(reader, from, in);
	}
}

static void
sum(struct reader *reader, struct span *in)
{
	product(reader, in);
	while (peek(in) == '+') {
		(void)take(in);
		product(reader, in);
	}
}

/* --- lines ------------------------------------------------------------ */

static void
send_line(struct reader *reader, struct span text)
{
	buf_clear(&reader->bytes);
	assert_int_equal(buf_add(&reader->bytes, text), 0);
	assert_int_equal(buf_add(&reader->bytes, SPAN("\r\n")), 0);
	play_feed(&reader->play, buf_span(&reader->bytes), reader->step);
}

static void
send_expression(struct reader *reader, struct span text)
{
	buf_clear(&reader->bytes);
	sum(reader, &text);
	assert_int_equal(text.n, 0);
	play_feed(&reader->play, buf_span(&reader->bytes), reader->step);
}

static bool
word(struct span *line, const char *word)
{
	struct span w = span_of(word);

	if (!span_eq(span_first(*line, w.n), w))
		return false;
	*line = span_from(*line, w.n);
	if (line->n > 0 && line->p[0] == ' ')
		*line = span_from(*line, 1);
	return true;
}

static void
interpret(struct reader *reader, struct span line)
{
	if (line.n == 0 || line.p[0] == '#')
		return;
	if (!word(&line, "c "))
		fail_msg("%s: %.*s", reader->dialog, (int)line.n, line.p);
	if (word(&line, "tcp_connect") || word(&line, "tls_connect"))
		connect_again(reader);
	else if (word(&line, "->"))
		send_line(reader, line);
	else if (word(&line, "~>"))
		send_expression(reader, line);
	else if (word(&line, "<..."))
		expect_until(reader, line);
	else if (word(&line, "<-") || word(&line, "<~"))
		expect(reader, line);
	else if (!word(&line, "close"))
		fail_msg("%s: %.*s", reader->dialog, (int)line.n, line.p);
}

/* What arrived, against the file that lies beside two of the dialogs. */
static void
verify(struct reader *reader)
{
	char name[128];
	struct buf want;
	struct span got = buf_span(&reader->play.messages);
	size_t at = 0;

	(void)snprintf(
	    name, sizeof(name), FOLDER "%s.cmy.verify", reader->dialog);
	if (strcmp(reader->dialog, "sendmail") != 0 &&
	    strcmp(reader->dialog, "data_dot_stuffing") != 0)
		return;
	if (corpus_read(name, &want) == 0) {
		for (size_t i = 0; i < got.n; i++) {
			if (got.p[i] == '\r')
				continue;
			if (at < want.n)
				assert_int_equal(got.p[i], want.p[at]);
			at++;
		}
		assert_int_equal(at, want.n + 1);
	}
	buf_free(&want);
}

static void
replay(const char *dialog, size_t step)
{
	struct reader reader = {.dialog = dialog, .step = step};
	struct buf script;
	struct span rest;
	char name[128];

	buf_init(&reader.bytes, 4u << 20);
	(void)snprintf(name, sizeof(name), FOLDER "%s.cmy", dialog);
	if (corpus_read(name, &script) < 0)
		skip();
	rest = buf_span(&script);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		interpret(&reader, span_first(rest, n));
		rest = span_from(rest, n + 1);
	}
	assert_true(reader.open);
	verify(&reader);
	play_end(&reader.play);
	buf_free(&reader.bytes);
	buf_free(&script);
}

static void
dialogs_go_the_same_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(dialogs); i++)
		replay(dialogs[i], 0);
}

static void
dialogs_go_octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(dialogs); i++)
		replay(dialogs[i], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dialogs_go_the_same_way),
	    cmocka_unit_test(dialogs_go_octet_by_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
