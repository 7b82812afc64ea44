/* How many recipients a message may come to, with those of its aliases. */
#include <stdio.h>
#include <string.h>

#include "tests/support/locals_kit.h"
#include "tests/support/test.h"

/* "NAME: mFIRST@x.example, ..." for so many. */
static void
add_list(struct buf *text, const char *name, unsigned first, unsigned n)
{
	assert_int_equal(buf_printf(text, "%s:", name), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(buf_printf(text, "%s m%u@x.example",
				     i == 0 ? "" : ",", first + i),
		    0);
	assert_int_equal(buf_printf(text, "\n"), 0);
}

/* In a.example, recipients 0 to 599, 300 to 799, 601 to 999, and 1000 to 1599. */
static void
open_lists(struct locals_kit *f)
{
	struct locals_world world = {LOCALS_KIT_A_B, "", "", ""};
	struct buf text;

	buf_init(&text, 1 << 20);
	add_list(&text, "one", 0, 600);
	add_list(&text, "both", 300, 500);
	add_list(&text, "last", 601, 399);
	add_list(&text, "two", 1000, 600);
	assert_int_equal(
	    buf_add_str(&text, "x: a@y.example\ny: b@y.example\nz: "
			       "c@y.example, d@y.example\n"),
	    0);
	assert_int_equal(buf_add(&text, (struct span){"", 1}), 0);
	world.a_aliases = text.p;
	locals_kit_open(f, &world);
	buf_free(&text);
}

/* Of those that come one after the other, a letter each: "+", or "-". */
static void
admit(struct locals_kit *f, const char *const *addresses, char *to)
{
	struct envelope_rcpt rcpts[8] = {0};
	struct envelope envelope = {.sender = "s@x", .rcpts = rcpts};
	struct arena *arena = arena_new(1u << 20);
	struct envelope out;
	struct locals_room room = {0};
	struct err err;

	for (; *addresses != NULL; addresses++) {
		struct inquiry inquiry = {0};
		struct envelope_rcpt *rcpt = &rcpts[envelope.nrcpts];

		*rcpt = (struct envelope_rcpt){*addresses, "", NOTIFY_SUCCESS};
		assert_int_equal(
		    locals_known(f->locals, &inquiry, *addresses, &err),
		    LOCALS_FINE);
		*to = '-';
		if (locals_fit(f->locals, &inquiry, &envelope, rcpt, &room,
			&err) == LOCALS_FINE) {
			*to = '+';
			envelope.nrcpts++;
		} else {
			assert_string_equal(err.enhanced, "4.5.3");
			assert_int_equal(err.kind, ERR_TEMP);
		}
		to++;
		/* What was taken is taken at the end. */
		assert_int_equal(locals_expand(f->locals, &inquiry, &envelope,
				     arena, &out, &err),
		    LOCALS_FINE);
		arena_reset(arena);
	}
	*to = '\0';
	arena_free(&arena);
}

/* RFC 5321 4.5.3.1.10: told at the RCPT, while the client can do otherwise. */
static void
a_message_has_room_for_so_many(void **state)
{
	static const struct {
		const char *rule, *to[8], *answer;
	} rows[] = {
	    {"two lists", {"one", "two"}, "+-"},
	    {"who is in both counts once", {"one", "both", "one"}, "+++"},
	    {"then there is room", {"one", "both", "last", "two"}, "+++-"},
	    {"one more is one too many", {"one", "last", "x", "y"}, "+++-"},
	    {"of one that was refused nothing is left",
		{"one", "two", "two", "both", "last", "z"}, "+--++-"},
	    {"in any order", {"x", "two", "one", "both"}, "++--"},
	};
	struct locals_kit f;

	(void)state;
	open_lists(&f);
	for (size_t i = 0; i < ROWS(rows); i++) {
		char addresses[8][64], answer[9];
		const char *list[9] = {NULL};

		for (size_t k = 0; rows[i].to[k] != NULL; k++) {
			(void)snprintf(addresses[k], sizeof(addresses[k]),
			    "%s@a.example", rows[i].to[k]);
			list[k] = addresses[k];
		}
		admit(&f, list, answer);
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s", rows[i].rule, answer);
	}
	locals_kit_close(&f);
}

static enum locals_verdict
fit(struct locals_kit *f, const struct envelope *envelope, const char *address,
    struct locals_room *room)
{
	struct envelope_rcpt rcpt = {.address = address};
	struct inquiry inquiry = {0};
	struct err err;

	assert_int_equal(
	    locals_known(f->locals, &inquiry, address, &err), LOCALS_FINE);
	return locals_fit(f->locals, &inquiry, envelope, &rcpt, room, &err);
}

/* Who asks again and again has it counted anew for so long, and no longer. */
static void
who_never_fits_is_no_work_for_ever(void **state)
{
	struct envelope_rcpt one = {.address = "one@a.example"};
	struct envelope envelope = {.sender = "s@x", .rcpts = &one};
	struct locals_room room = {0};
	struct locals_kit f;

	(void)state;
	open_lists(&f);
	assert_int_equal(
	    fit(&f, &envelope, "one@a.example", &room), LOCALS_FINE);
	envelope.nrcpts = 1;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(
		    fit(&f, &envelope, "two@a.example", &room), LOCALS_REFUSED);
	/* Counted anew there is room, and later for what the sum allows. */
	assert_int_equal(
	    fit(&f, &envelope, "both@a.example", &room), LOCALS_FINE);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
		    fit(&f, &envelope, "two@a.example", &room), LOCALS_REFUSED);
	assert_true(room.tries < 100);
	assert_int_equal(
	    fit(&f, &envelope, "both@a.example", &room), LOCALS_REFUSED);
	locals_kit_close(&f);
}

/* The recipients of a message to `addresses`, each with a blank behind it. */
static void
expand_list(
    struct locals_kit *f, const char *const *addresses, char *to, size_t size)
{
	struct envelope_rcpt rcpts[8] = {0};
	struct envelope out, envelope = {.sender = "s@x", .rcpts = rcpts};
	struct arena *arena = arena_new(1u << 20);
	struct inquiry inquiry = {0};
	struct err err;
	size_t n = 0;

	for (; addresses[envelope.nrcpts] != NULL; envelope.nrcpts++)
		rcpts[envelope.nrcpts] = (struct envelope_rcpt){
		    addresses[envelope.nrcpts], "", NOTIFY_DEFAULT};
	assert_int_equal(
	    locals_expand(f->locals, &inquiry, &envelope, arena, &out, &err),
	    LOCALS_FINE);
	to[0] = '\0';
	for (size_t i = 0; i < out.nrcpts; i++)
		n += (size_t)snprintf(
		    to + n, size - n, "%s ", out.rcpts[i].address);
	arena_free(&arena);
}

/* Whoever names one a thousand times does not fill his mailbox with it. */
static void
who_is_named_twice_gets_it_once(void **state)
{
	static const struct {
		const char *rule, *to[8], *answer;
	} rows[] = {
	    {"as it is written", {"bob@a.example", "bob@a.example"},
		"bob@a.example "},
	    {"RFC 5321 2.4 without case", {"bob@a.example", "BOB@A.example"},
		"bob@a.example "},
	    {"not ours: with case",
		{"z@x.example", "Z@x.example", "z@x.example"},
		"z@x.example Z@x.example "},
	    {"others between them",
		{"bob@a.example", "z@x.example", "eve@a.example",
		    "bob@a.example", "z@x.example"},
		"bob@a.example z@x.example eve@a.example "},
	};
	static const struct locals_world world = {
	    LOCALS_KIT_A_B, "bob\neve\n", "", ""};
	struct locals_kit f;
	char answer[1000];

	(void)state;
	locals_kit_open(&f, &world);
	for (size_t i = 0; i < ROWS(rows); i++) {
		expand_list(&f, rows[i].to, answer, sizeof(answer));
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s", rows[i].rule, answer);
	}
	locals_kit_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_has_room_for_so_many),
	    cmocka_unit_test(who_never_fits_is_no_work_for_ever),
	    cmocka_unit_test(who_is_named_twice_gets_it_once),
	};

	return cmocka_run_group_tests_name("locals_room", tests, NULL, NULL);
}
