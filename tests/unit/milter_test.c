/* Dialogs with a filter, as scripts; what its replies may be. */
#include <string.h>

#include "base/text.h"
#include "mta/milter/milter.h"

#include "tests/support/test.h"

/*
 * A script is words.  mail, anew (by another name), rcpt, refused, data,
 * message, abort, quit: what the owner asks; body, bodies: a piece of body, no more of it.  =XYZ: these
 * commands were said since, macros left out.  <c: the filter says that
 * letter; <O:ACTIONS:FLAGS its options; <h, <i, <m, <+, <e, <q, <b, <y: the
 * same with data that fit.  ?WORD: what milter_next() says.
 */
struct row {
	const char *name;
	const char *script;
};

struct stage {
	struct milter *milter;
	struct arena *arena;
	struct milter_header header;
	struct milter_changes changes;
	const char *name;
};

#define START "mail =O <O:ff:0 ?idle =C <c ?idle =H <c ?idle =M <c ?continue "
#define TO_END                                                         \
	START "rcpt ?idle =R <c ?continue data ?idle =T <c ?continue " \
	      "message ?idle =L <c ?idle =L <c ?idle =N <c ?body "

static const struct row rows[] = {
    {"all", TO_END "body ?idle =B <c ?body bodies ?idle =E <c ?continue "
		   "abort = mail ?idle =M <c ?continue quit =AQ"},
    {"accept at connect is for the session",
	"mail =O <O:0:0 ?idle =C <a ?accept mail ?accept ="},
    {"refusal at helo is for the session",
	"mail =O <O:0:0 ?idle =C <c ?idle =H <r ?refuse mail ?refuse ="},
    {"accept at mail is for the message",
	"mail =O <O:0:0 ?idle =C <c ?idle =H <c ?idle =M <a ?accept "
	"mail ?idle =AM <c ?continue"},
    {"a new name is told", START "anew ?idle =AH <c ?idle =M <c ?continue"},
    {"not to be told", "mail =O <O:0:37f ?continue = rcpt ?continue = "
		       "data ?continue = message ?idle =E <c ?continue"},
    {"no reply promised", "mail =O <O:0:ff080 ?continue =CHM rcpt ?continue =R "
			  "data ?continue =T message ?body =LLN body ?body =B "
			  "bodies ?idle =E <c ?continue"},
    {"skip", "mail =O <O:0:7f ?continue = message ?idle =E <s ?broken"},
    {"skip in the body",
	"mail =O <O:0:667 ?continue = message ?body body ?idle =B "
	"<s ?idle =E <c ?continue"},
    {"skip of a recipient", "mail =O <O:0:443 ?idle =M <c ?continue rcpt "
			    "?idle =R <s ?broken"},
    {"skip not agreed on", "mail =O <O:0:267 ?continue = message ?body body "
			   "?idle =B <s ?broken"},
    {"refused recipients",
	"mail =O <O:0:800 ?idle =C <c ?idle =H <c ?idle =M <c "
	"?continue refused ?idle =R <c ?continue"},
    {"reject", START "rcpt ?idle =R <r ?refuse rcpt ?idle =R <t ?refuse "
		     "rcpt ?idle =R <y ?refuse rcpt ?idle =R <c ?continue"},
    {"discard", START "rcpt ?idle =R <d ?discard"},
    {"discard at connect", "mail =O <O:0:0 ?idle =C <d ?broken"},
    {"shutdown", START "rcpt ?idle =R <4 ?hangup"},
    {"connection failure", START "rcpt ?idle =R <f ?hangup"},
    {"progress", START "rcpt ?idle =R <p ?alive <p ?alive ?idle <c ?continue"},
    {"changes",
	TO_END "bodies ?idle =E <h ?alive <i ?alive <m ?alive <+ ?alive "
	       "<- ?alive <e ?alive <q ?alive <b ?newbody <c ?continue"},
    {"changes before the end", START "rcpt ?idle =R <h ?broken"},
    {"changes it had not asked for",
	"mail =O <O:0:7f ?continue = message ?idle =E <h ?broken"},
    {"body it had not asked for",
	"mail =O <O:1d:7f ?continue = message ?idle =E <b ?broken"},
    {"recipient it had not asked for",
	"mail =O <O:3b:7f ?continue = message ?idle =E <+ ?broken"},
    {"another action than offered", "mail =O <O:100:0 ?broken"},
    {"another flag than offered", "mail =O <O:0:200000 ?broken"},
    {"no options", "mail =O <c ?broken"},
    {"options twice", START "rcpt ?idle =R <O:0:0 ?broken"},
    {"out of turn", START "<c rcpt ?broken"},
    {"an answer too many", START "rcpt ?idle =R <c <c ?broken"},
    {"unknown", START "rcpt ?idle =R <? ?broken"},
    {"nothing behind broken", START "rcpt ?idle =R <? ?broken <c ?broken"},
    {"abort in the middle", START "rcpt ?idle =R abort ?broken"},
};

/* Up to a colon or the end, and behind it. */
static uint32_t
hex(const char **text)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t value = 0;

	for (; **text != '\0' && **text != ':'; ++*text) {
		const char *digit = strchr(digits, **text);

		assert_non_null(digit);
		value = value << 4 | (uint32_t)(digit - digits);
	}
	if (**text == ':')
		++*text;
	return value;
}

/* An octet at a time is enough for anybody. */
static void
feed_packet(struct stage *stage, char letter, struct span data)
{
	struct buf out;

	buf_init(&out, 2000);
	assert_int_equal(
	    milter_put(&out, (enum milter_command)letter, data), 0);
	for (size_t i = 0; i < out.n; i++)
		milter_feed(stage->milter, (struct span){out.p + i, 1});
	buf_free(&out);
}

static void
feed(struct stage *stage, const char *word)
{
	struct buf data;

	buf_init(&data, 1000);
	if (word[0] == 'O') {
		const char *rest = word + 2;
		uint32_t actions = hex(&rest);
		struct milter_options options = {6, actions, hex(&rest)};

		assert_int_equal(milter_put_options(&data, &options), 0);
		milter_feed(stage->milter, buf_span(&data));
		buf_free(&data);
		return;
	}
	if (word[0] == 'i' || word[0] == 'm')
		assert_int_equal(buf_add(&data, SPAN("\0\0\0\1")), 0);
	if (strchr("him", word[0]) != NULL) {
		assert_int_equal(milter_put_text(&data, SPAN("X-A")), 0);
		assert_int_equal(milter_put_text(&data, SPAN("b")), 0);
	} else if (strchr("+-e", word[0]) != NULL) {
		assert_int_equal(milter_put_text(&data, SPAN("<a@b.c>")), 0);
	} else if (word[0] == 'y') {
		assert_int_equal(
		    milter_put_text(&data, SPAN("451 4.7.1 later")), 0);
	} else if (word[0] == 'b') {
		assert_int_equal(buf_add(&data, SPAN("body")), 0);
	}
	feed_packet(stage, word[0], buf_span(&data));
	buf_free(&data);
}

static void
check_output(struct stage *stage, const char *expected)
{
	struct span out = milter_output(stage->milter);
	char said[64] = "";
	size_t n = 0;

	for (struct span rest = out; rest.n > 0;) {
		size_t size = (size_t)(unsigned char)rest.p[2] << 8 |
		              (unsigned char)rest.p[3];

		assert_true(rest.n >= 4 + size && n < sizeof(said) - 1);
		if (rest.p[4] != 'D')
			said[n++] = rest.p[4];
		rest = span_from(rest, 4 + size);
	}
	milter_sent(stage->milter, out.n);
	if (strcmp(said, expected) != 0)
		fail_msg(
		    "%s: said \"%s\", not \"%s\"", stage->name, said, expected);
}

static const char *
event_word(struct stage *stage)
{
	static const char *const verdicts[] = {
	    [MILTER_NO_VERDICT] = "none",
	    [MILTER_CONTINUE] = "continue",
	    [MILTER_ACCEPT] = "accept",
	    [MILTER_REFUSE] = "refuse",
	    [MILTER_DISCARD] = "discard",
	    [MILTER_HANG_UP] = "hangup",
	};
	static const char *const events[] = {
	    [MILTER_IDLE] = "idle",
	    [MILTER_ALIVE] = "alive",
	    [MILTER_WANTS_BODY] = "body",
	    [MILTER_NEW_BODY] = "newbody",
	    [MILTER_BROKEN] = "broken",
	};
	enum milter_event event = milter_next(stage->milter);

	if (event != MILTER_ANSWERED)
		return events[event];
	return verdicts[milter_answer(stage->milter)->verdict];
}

static void
ask(struct stage *stage, const char *word)
{
	struct milter_mail mail = {
	    "me.example", "a@b.c", "SIZE=9 SMTPUTF8", NULL, NULL};
	const struct err refused = {ERR_PERM, "5.1.1", "unknown"};

	if (strcmp(word, "anew") == 0)
		mail.helo = "other.example";
	if (strcmp(word, "mail") == 0 || strcmp(word, "anew") == 0)
		milter_ask_mail(stage->milter, &mail);
	else if (strcmp(word, "rcpt") == 0)
		milter_ask_rcpt(stage->milter, "d@e.f", "", NULL);
	else if (strcmp(word, "refused") == 0)
		milter_ask_rcpt(stage->milter, "d@e.f", "", &refused);
	else if (strcmp(word, "data") == 0)
		milter_ask_data(stage->milter, "id");
	else if (strcmp(word, "message") == 0)
		milter_ask_message(
		    stage->milter, &stage->header, &stage->changes);
	else if (strcmp(word, "body") == 0)
		milter_body(stage->milter, SPAN("text\r\n"));
	else if (strcmp(word, "bodies") == 0)
		milter_body(stage->milter, (struct span){0});
	else if (strcmp(word, "abort") == 0)
		milter_abort(stage->milter);
	else if (strcmp(word, "quit") == 0)
		milter_quit(stage->milter);
	else
		fail_msg("%s: \"%s\" is no word", stage->name, word);
}

static void
play_word(struct stage *stage, const char *word)
{
	if (word[0] == '=') {
		(void)milter_next(stage->milter);
		check_output(stage, word + 1);
	} else if (word[0] == '<') {
		feed(stage, word + 1);
	} else if (word[0] == '?') {
		const char *said = event_word(stage);

		if (strcmp(said, word + 1) != 0)
			fail_msg("%s: %s, not %s", stage->name, said, word + 1);
	} else {
		ask(stage, word);
	}
}

static void
play(struct stage *stage, const char *script)
{
	struct span rest = span_of(script);

	while (rest.n > 0) {
		const char *blank = memchr(rest.p, ' ', rest.n);
		size_t n = blank == NULL ? rest.n : (size_t)(blank - rest.p);
		char word[40];

		assert_true(
		    text_copy_span(word, sizeof(word), span_first(rest, n)));
		if (n > 0)
			play_word(stage, word);
		rest = span_from(rest, n + 1);
	}
}

static void
dialogs(void **state)
{
	const struct milter_setup setup = {"mx.example", "192.0.2.1", 4025};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct stage stage = {.name = rows[i].name};
		size_t body;

		stage.arena = arena_new(1 << 16);
		stage.milter = milter_new(&setup);
		milter_changes_init(&stage.changes, stage.arena);
		assert_int_equal(
		    milter_header_read(&stage.header, stage.arena,
			SPAN("Received: us\r\n"),
			SPAN("From: a\r\nTo: b\r\n\r\ntext\r\n"), &body),
		    0);
		play(&stage, rows[i].script);
		milter_changes_free(&stage.changes);
		milter_header_free(&stage.header);
		milter_free(&stage.milter);
		arena_free(&stage.arena);
	}
}

static void
what_is_said(void **state)
{
	const struct milter_setup setup = {"mx.example", "2001:db8::1", 4025};
	struct milter_mail mail = {
	    "me", "a@b.c", "SIZE=9 SMTPUTF8", "TLSv1.3", "X"};
	struct milter *m = milter_new(&setup);
	struct stage stage = {.milter = m};
	struct span out;

	(void)state;
	milter_ask_mail(m, &mail);
	check_output(&stage, "");
	assert_int_equal(milter_next(m), MILTER_IDLE);
	check_output(&stage, "O");
	feed(&stage, "O:0:7000");
	assert_int_equal(milter_next(m), MILTER_ANSWERED);
	out = milter_output(m);
	assert_non_null(memmem(out.p, out.n,
	    "C[2001:db8::1]\0006\x0f\xb9"
	    "2001:db8::1\0",
	    30));
	assert_non_null(
	    memmem(out.p, out.n, "DH{tls_version}\0TLSv1.3\0{cipher}\0X", 34));
	assert_non_null(
	    memmem(out.p, out.n, "M<a@b.c>\0SIZE=9\0SMTPUTF8\0", 25));
	milter_free(&m);
}

struct reply_row {
	struct span packet; /* without its length */
	int taken;          /* 1, or -1 */
	unsigned code;
	const char *status, *text;
};

#define P(literal)                              \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static const struct reply_row replies[] = {
    {P("c"), 1, 0, "", ""},
    {P("cx"), -1, 0, "", ""},
    {P("y550 5.7.1 no\0"), 1, 550, "5.7.1", "no"},
    {P("y550 no\0"), 1, 550, "5.7.1", "no"},
    {P("y450 no\0"), 1, 450, "4.7.1", "no"},
    {P("y554\0"), 1, 554, "5.7.1", "refused by a filter"},
    {P("y550 4.7.1 no\0"), 1, 550, "5.7.1", "4.7.1 no"},
    {P("y550-5.7.0 one\r\n550 5.7.9 two\0"), 1, 550, "5.7.0", "one two"},
    {P("y550 a\r\n250 ok\0"), -1, 0, "", ""},
    {P("y550 a\rb\0"), 1, 550, "5.7.1", "a\\x0db"},
    {P("y250 ok\0"), -1, 0, "", ""},
    {P("y354 ok\0"), -1, 0, "", ""},
    {P("y560 ok\0"), -1, 0, "", ""},
    {P("y550no\0"), -1, 0, "", ""},
    {P("y550 no"), -1, 0, "", ""},
    {P("y55\0"), -1, 0, "", ""},
    {P("hX-A\0b\0"), 1, 0, "", ""},
    {P("hX-A\0\0"), 1, 0, "", ""},
    {P("h\0b\0"), -1, 0, "", ""},
    {P("hX A\0b\0"), -1, 0, "", ""},
    {P("hX:A\0b\0"), -1, 0, "", ""},
    {P("hX\xe9\0b\0"), -1, 0, "", ""},
    {P("hX\0a\n b\r\n\tc\0"), 1, 0, "", ""},
    {P("hX\0a\r b\0"), 1, 0, "", ""},
    {P("hX\0a\nb\0"), -1, 0, "", ""},
    {P("hX\0a\r\nb\0"), -1, 0, "", ""},
    {P("hX\0a\n\n b\0"), -1, 0, "", ""},
    {P("hX\0a\x01\0"), -1, 0, "", ""},
    {P("hX\0b"), -1, 0, "", ""},
    {P("hX\0b\0c\0"), -1, 0, "", ""},
    {P("i\0\0\0\1X\0b\0"), 1, 0, "", ""},
    {P("i\0\0\1X\0b"), -1, 0, "", ""},
    {P("+<a@b>\0"), 1, 0, "", ""},
    {P("+<a@b\n>\0"), -1, 0, "", ""},
    {P("2<a@b>\0NOTIFY=NEVER\0"), 1, 0, "", ""},
    {P("q"), 1, 0, "", ""},
    {P("qwhy\0"), 1, 0, "", ""},
    {P("qwhy"), -1, 0, "", ""},
    {P("Oabc"), -1, 0, "", ""},
};

static void
what_it_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(replies); i++) {
		const struct reply_row *row = &replies[i];
		struct milter_reply reply;
		struct err err;
		struct buf out;
		size_t used = 0;

		buf_init(&out, 1000);
		assert_int_equal(
		    milter_put(&out, (enum milter_command)row->packet.p[0],
			span_from(row->packet, 1)),
		    0);
		for (size_t n = 0; n < out.n; n++)
			assert_int_equal(milter_take((struct span){out.p, n},
					     &reply, &used, &err),
			    0);
		if (milter_take(buf_span(&out), &reply, &used, &err) !=
		    row->taken)
			fail_msg("row %zu", i);
		if (row->taken == 1)
			assert_int_equal(used, out.n);
		if (row->code != 0) {
			assert_int_equal(reply.code, row->code);
			assert_string_equal(reply.err.enhanced, row->status);
			assert_string_equal(reply.err.text, row->text);
		}
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dialogs),
	    cmocka_unit_test(what_is_said),
	    cmocka_unit_test(what_it_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
