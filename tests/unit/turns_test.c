/* Who is read next, of the users whose programs hand in mail. */
#include <stdio.h>
#include <string.h>

#include "mta/receive/turns.h"

#include "tests/support/test.h"

/* 32 letters, as the names of drops have. */
static const char *
name_of(unsigned number)
{
	static char names[2][TURNS_NAME_SIZE];
	char *name = names[number % 2];

	(void)snprintf(name, TURNS_NAME_SIZE, "%032x", number);
	return name;
}

/* Of each user as many as may be read at once; by a letter each. */
static const char *
filled(const char *who)
{
	static char text[TURNS_PLACES + 1];
	uid_t reading[TURNS_PLACES];
	size_t n = 0;

	for (; *who != '\0'; who++)
		while (turns_has(reading, n, (uid_t)*who)) {
			assert_true(n < TURNS_PLACES);
			text[n] = *who;
			reading[n++] = (uid_t)*who;
		}
	text[n] = '\0';
	return text;
}

static void
nobody_has_more_than_is_left(void **state)
{
	(void)state;
	assert_string_equal(filled("a"), "aaaa");
	assert_string_equal(filled("ab"), "aaaabb");
	assert_string_equal(filled("aba"), "aaaabb");
	assert_string_equal(filled("abc"), "aaaabbc");
	assert_string_equal(filled("abcd"), "aaaabbcd");
	assert_string_equal(filled("abcde"), "aaaabbcd");
}

static void
wait_for(struct turns *turns, unsigned number, uid_t uid)
{
	turns_wait(turns, name_of(number), uid);
}

/* The number of who is next, or -1. */
static int
next(struct turns *turns, const char *reading, bool *ret_look)
{
	char name[TURNS_NAME_SIZE];
	uid_t uids[TURNS_PLACES];
	size_t n = strlen(reading);
	unsigned number = 0;
	bool waits;

	for (size_t i = 0; i < n; i++)
		uids[i] = (uid_t)reading[i];
	waits = turns_waits(turns, uids, n);
	assert_int_equal(turns_next(turns, uids, n, name, ret_look), waits);
	if (!waits)
		return -1;
	for (const char *c = name; *c != '\0'; c++)
		number = 16 * number +
		         (unsigned)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
	assert_false(turns_knows(turns, name));
	return (int)number;
}

static void
the_first_whose_turn_it_is_goes_first(void **state)
{
	struct turns turns = {.n = 0};
	bool look;

	(void)state;
	wait_for(&turns, 1, 'a');
	wait_for(&turns, 2, 'a');
	wait_for(&turns, 3, 'b');
	wait_for(&turns, 4, 'a');
	assert_true(turns_knows(&turns, name_of(3)));
	assert_true(
	    turns_knows(&turns, "00000000000000000000000000000003.try"));
	assert_false(turns_knows(&turns, name_of(5)));
	assert_int_equal(next(&turns, "aaaabbcd", &look), -1);
	assert_int_equal(next(&turns, "aaaa", &look), 3);
	assert_int_equal(next(&turns, "aaaab", &look), -1);
	assert_int_equal(next(&turns, "aaab", &look), 1);
	assert_int_equal(next(&turns, "", &look), 2);
	assert_int_equal(next(&turns, "", &look), 4);
	assert_false(look);
	assert_int_equal(next(&turns, "", &look), -1);
}

/* A user has half of the room at most; who finds none is looked for again. */
static void
what_finds_no_room_is_looked_for(void **state)
{
	struct turns turns = {.n = 0};
	unsigned i;
	bool look;

	(void)state;
	for (i = 0; i < TURNS_WAITING; i++)
		wait_for(&turns, i, 'a');
	assert_int_equal(turns.n, TURNS_WAITING / 2);
	wait_for(&turns, i++, 'b');
	for (i = 0; i < TURNS_WAITING / 2; i++) {
		assert_int_equal(next(&turns, "", &look), i);
		assert_int_equal(look, i == TURNS_WAITING / 2 - 1);
	}
	assert_int_equal(next(&turns, "", &look), TURNS_WAITING);
	assert_false(look); /* that is done */
	for (i = 0; i < 2 * TURNS_WAITING; i++)
		wait_for(&turns, i, i);
	assert_int_equal(turns.n, TURNS_WAITING);
	assert_int_equal(next(&turns, "", &look), 0);
	assert_true(look);
	wait_for(&turns, i, i);
	turns_forget(&turns);
	assert_int_equal(next(&turns, "", &look), -1);
	wait_for(&turns, 1, 'a');
	assert_int_equal(next(&turns, "", &look), 1);
	assert_false(look);
}

static void
what_is_put_off_is_so_for_half_its_age(void **state)
{
	static const struct {
		int64_t age;
		uint64_t ms;
	} rows[] = {{-9, 5000}, {0, 5000}, {9, 5000}, {10, 5000}, {30, 15000},
	    {600, 300000}, {86400, 300000}, {INT64_MAX, 300000},
	    {INT64_MIN, 5000}};
	struct turns turns = {.n = 0};

	(void)state;
	for (unsigned i = 0; i < ROWS(rows); i++) {
		turns_put_off(&turns, name_of(i), 1000, rows[i].age);
		assert_true(turns_is_put_off(
		    &turns, name_of(i), 1000 + rows[i].ms - 1));
		assert_false(
		    turns_is_put_off(&turns, name_of(i), 1000 + rows[i].ms));
	}
	assert_false(turns_is_put_off(&turns, name_of(99), 1000));
	for (unsigned i = 0; i < TURNS_PUT_OFF; i++)
		turns_put_off(&turns, name_of(100 + i), 1000, 0);
	assert_false(turns_is_put_off(&turns, name_of(8), 1001)); /* a ring */
	assert_true(turns_is_put_off(&turns, name_of(100), 1001));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_has_more_than_is_left),
	    cmocka_unit_test(the_first_whose_turn_it_is_goes_first),
	    cmocka_unit_test(what_finds_no_room_is_looked_for),
	    cmocka_unit_test(what_is_put_off_is_so_for_half_its_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
