/* Who is asked for recipients: what is said to them, and what they say. */
#include <stdio.h>
#include <string.h>

#include "mta/lookup/engine.h"
#include "mta/lookup/memory.h"
#include "mta/recipients.h"

#include "tests/support/test.h"

/* "found VALUE", "missing", "failed CODE", with "!" where it is the last. */
static void
describe(enum engine_step step, const struct said *said, char *to, size_t size)
{
	const char *end = step == ENGINE_ANSWERED ? "" : "!";

	if (step == ENGINE_MORE)
		(void)snprintf(to, size, "more");
	else if (said->kind == ANSWER_FOUND)
		(void)snprintf(to, size, "found %.*s%s", (int)said->value.n,
		    said->value.n == 0 ? "" : said->value.p, end);
	else if (said->kind == ANSWER_MISSING)
		(void)snprintf(to, size, "missing%s", end);
	else
		(void)snprintf(
		    to, size, "failed %s%s", said->err.enhanced, end);
}

/* Octet by octet, and all at once. */
static void
socketmap_replies_are_judged(void **state)
{
	static const struct {
		const char *says, *means;
	} rows[] = {
	    {"16:OK a@b.example,c,", "found a@b.example,c"},
	    {"3:OK ,", "found "},
	    {"2:OK,", "found "},
	    {"9:NOTFOUND ,", "missing"},
	    {"8:NOTFOUND,", "missing"},
	    {"10:TEMP later,", "failed 4.3.0"},
	    {"8:TIMEOUT ,", "failed 4.3.0"},
	    {"9:PERM what,", "failed 4.3.0"},
	    {"5:OKAY ,", "failed 4.3.0!"},
	    {"0:,", "failed 4.3.0!"},
	    {"4:OK a;", "failed 4.3.0!"},
	    {":OK,", "failed 4.3.0!"},
	    {"x", "failed 4.3.0!"},
	    {"-1:", "failed 4.3.0!"},
	    {"65537:", "failed 4.3.0!"},
	    {"1234567", "failed 4.3.0!"},
	    {"9:NOTFOUND", "more"},
	    {"12", "more"},
	};
	static const struct config_lookup by = {.map = "virtual"};

	(void)state;
	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		const char *says = rows[i / 2].says;
		size_t all = strlen(says), piece = i % 2 == 0 ? 1 : all;
		void *engine = socketmap_engine.open(&by, "mx.example.org");
		enum engine_step step = ENGINE_MORE;
		struct said said = {.kind = ANSWER_FAILED};
		char means[100];
		struct buf out;

		buf_init(&out, 1000);
		socketmap_engine.ask(engine, "a b@c.example", &out);
		assert_true(
		    span_eq(buf_span(&out), SPAN("21:virtual a b@c.example,")));
		for (size_t at = 0; at < all && step == ENGINE_MORE;
		     at += piece)
			step = socketmap_engine.feed(engine,
			    (struct span){says + at, piece}, &out, &said);
		describe(step, &said, means, sizeof(means));
		if (strcmp(means, rows[i / 2].means) != 0)
			fail_msg("%s: %s", says, means);
		socketmap_engine.close(engine);
		buf_free(&out);
	}
}

static void
what_comes_behind_an_answer_is_none(void **state)
{
	static const struct config_lookup by = {.map = "m"};
	void *engine = socketmap_engine.open(&by, "mx.example.org");
	struct said said;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	socketmap_engine.ask(engine, "a@c.example", &out);
	assert_int_equal(socketmap_engine.feed(
			     engine, SPAN("9:NOTFOUND ,4:OK x,"), &out, &said),
	    ENGINE_BROKEN);
	assert_int_equal(said.kind, ANSWER_FAILED);
	socketmap_engine.close(engine);
	buf_free(&out);
}

#define HELLO "220 hi\r\n250-mx\r\n250 PIPELINING\r\n250 ok\r\n"
#define UTF8  "220 hi\r\n250-mx\r\n250 SMTPUTF8\r\n250 ok\r\n"
#define SAID  "LHLO mx.example.org\r\nMAIL FROM:<>\r\n"

static const struct {
	const char *rule, *key, *says, *means, *heard;
} asked[] = {
    {"RFC 2033 4.2", "a@b.example", HELLO "250 ok\r\n250 ok\r\n", "found ",
	SAID "RCPT TO:<a@b.example>\r\nRSET\r\n"},
    {"RFC 5321 4.1.2 a quoted string", "a b\"\\@b.example",
	HELLO "550 5.1.1 no\r\n250 ok\r\n", "missing",
	SAID "RCPT TO:<\"a b\\\"\\\\\"@b.example>\r\nRSET\r\n"},
    {"RFC 6531 3.4 with the parameter", "\xc3\xbc@b.example",
	UTF8 "250 ok\r\n250 ok\r\n", "found ",
	"LHLO mx.example.org\r\nMAIL FROM:<> SMTPUTF8\r\n"
	"RCPT TO:<\xc3\xbc@b.example>\r\nRSET\r\n"},
    {"RFC 6531 3.4 or not at all", "\xc3\xbc@b.example", HELLO "250 ok\r\n",
	"failed 5.6.7", SAID "RSET\r\n"},
    {"550 alone", "a@b.example", HELLO "550 no\r\n250 ok\r\n", "missing", NULL},
    {"RFC 3463 3.3 a full mailbox is there", "a@b.example",
	HELLO "552 5.2.2 full\r\n250 ok\r\n", "failed 5.2.2", NULL},
    {"554 alone says nothing of him", "a@b.example",
	HELLO "554 no\r\n250 ok\r\n", "failed 5.0.0", NULL},
    {"not now", "a@b.example", HELLO "450 4.2.1 busy\r\n250 ok\r\n",
	"failed 4.2.1", NULL},
    {"another connection next time", "a@b.example",
	HELLO "250 ok\r\n500 what\r\n", "found !", NULL},
    {"more than was asked", "a@b.example",
	HELLO "250 ok\r\n250 ok\r\n250 ok\r\n", "found !", NULL},
    {"no greeting", "a@b.example", "421 4.3.2 closing\r\n", "failed 4.3.0!",
	""},
    {"no hello", "a@b.example", "220 hi\r\n500 what\r\n", "failed 4.3.0!",
	"LHLO mx.example.org\r\n"},
    {"no mail", "a@b.example", "220 hi\r\n250 mx\r\n451 no\r\n",
	"failed 4.3.0!", SAID},
    {"no SMTP", "a@b.example", "SSH-2.0\r\n", "failed 4.3.0!", ""},
    {"not yet", "a@b.example", HELLO "250", "more", NULL},
};

static void
lmtp_servers_are_asked(void **state)
{
	static const struct config_lookup by = {.name = "b.example"};

	(void)state;
	for (size_t i = 0; i < ROWS(asked); i++) {
		void *engine = verify_engine.open(&by, "mx.example.org");
		struct said said = {.kind = ANSWER_FAILED};
		enum engine_step step;
		char means[100];
		struct buf out;

		buf_init(&out, 4000);
		verify_engine.ask(engine, asked[i].key, &out);
		step = verify_engine.feed(
		    engine, span_of(asked[i].says), &out, &said);
		describe(step, &said, means, sizeof(means));
		if (strcmp(means, asked[i].means) != 0)
			fail_msg("%s: %s", asked[i].rule, means);
		if (asked[i].heard != NULL &&
		    !span_eq(buf_span(&out), span_of(asked[i].heard)))
			fail_msg("%s: %.*s", asked[i].rule, (int)out.n, out.p);
		verify_engine.close(engine);
		buf_free(&out);
	}
}

static bool
is_known(struct memory *memory, const char *key, uint64_t now)
{
	struct said said;

	return memory_find(memory, key, now, &said);
}

static void
answers_are_kept_as_long_as_they_may(void **state)
{
	struct memory *memory = memory_new(1000, 10, 3);
	const struct said found = {.kind = ANSWER_FOUND, .value = SPAN("v")};
	const struct said missing = {.kind = ANSWER_MISSING};
	const struct said failed = {.kind = ANSWER_FAILED};
	struct said said;

	(void)state;
	memory_add(memory, "a", 0, &found);
	memory_add(memory, "b", 0, &missing);
	memory_add(memory, "c", 0, &failed);
	assert_true(memory_find(memory, "a", 999, &said));
	assert_true(span_eq(said.value, SPAN("v")));
	assert_false(is_known(memory, "a", 1000));
	assert_true(memory_find(memory, "b", 9, &said));
	assert_int_equal(said.kind, ANSWER_MISSING);
	assert_false(is_known(memory, "b", 10));
	assert_false(is_known(memory, "c", 0));
	/* A newer answer counts; the oldest goes first. */
	memory_add(memory, "b", 20, &found);
	memory_add(memory, "d", 20, &found);
	assert_false(is_known(memory, "a", 21));
	assert_true(is_known(memory, "b", 21));
	memory_add(memory, "e", 20, &found);
	assert_true(is_known(memory, "b", 21));
	memory_add(memory, "f", 20, &found);
	assert_false(is_known(memory, "b", 21));
	assert_true(is_known(memory, "d", 21));
	memory_free(&memory);
	memory = memory_new(0, 0, 3);
	memory_add(memory, "a", 0, &found);
	memory_add(memory, "b", 0, &missing);
	assert_false(is_known(memory, "a", 0) || is_known(memory, "b", 0));
	memory_free(&memory);
}

static void
answers_of_a_transaction_are_kept(void **state)
{
	static const struct config_lookup by, other;
	struct answers *answers = answers_new();
	struct question q = {&by, "a@b.example"};
	const struct err err = {ERR_TEMP, "4.3.0", "down"};
	const struct finding *found;

	(void)state;
	assert_null(answers_find(answers, &by, q.key));
	assert_null(answers_find(NULL, &by, q.key));
	assert_int_equal(answers_add(answers, &q, ANSWER_FOUND,
			     SPAN("c, d@e.example"), NULL),
	    0);
	found = answers_find(answers, &by, q.key);
	assert_non_null(found);
	assert_string_equal(found->targets[0], "c");
	assert_string_equal(found->targets[1], "d@e.example");
	assert_null(found->targets[2]);
	assert_null(answers_find(answers, &other, q.key));
	q.by = &other;
	assert_int_equal(
	    answers_add(answers, &q, ANSWER_FAILED, SPAN(""), &err), 0);
	assert_string_equal(
	    answers_find(answers, &other, q.key)->err.text, "down");
	answers_forget_failed(answers);
	assert_null(answers_find(answers, &other, q.key));
	assert_non_null(answers_find(answers, &by, q.key));
	/* No list is still an answer. */
	assert_int_equal(
	    answers_add(answers, &q, ANSWER_FOUND, SPAN("|/bin/sh"), NULL), 0);
	assert_null(answers_find(answers, &other, q.key)->targets);
	answers_free(&answers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(socketmap_replies_are_judged),
	    cmocka_unit_test(what_comes_behind_an_answer_is_none),
	    cmocka_unit_test(lmtp_servers_are_asked),
	    cmocka_unit_test(answers_are_kept_as_long_as_they_may),
	    cmocka_unit_test(answers_of_a_transaction_are_kept),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
