/* The policies in memory: found again, bounded, the oldest goes first. */
#include <stdio.h>
#include <string.h>

#include "mta/sts/table.h"

#include "tests/support/test.h"

static struct sts_known *
empty_known(void)
{
	static const struct sts_entry entry = {.state = STS_ENTRY_EMPTY};

	return sts_known_new(NULL, &entry);
}

/* With a policy whose text has so many octets. */
static struct sts_known *
big_known(size_t octets)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	char *text = arena_alloc(arena, octets);
	struct sts_entry entry = {.state = STS_ENTRY_POLICY,
	    .policy = {.mode = STS_MODE_ENFORCE, .text = {text, octets}}};

	return sts_known_new(arena, &entry);
}

static void
a_domain_has_one_row(void **state)
{
	struct sts_table *table = sts_table_new(0, 0);
	struct sts_row *row = sts_table_get(table, "example.org");

	(void)state;
	assert_null(sts_table_find(table, "example.net"));
	assert_null(row->known);
	assert_int_equal(row->record.state, STS_RECORD_UNKNOWN);
	sts_table_learn(table, row, empty_known());
	assert_ptr_equal(sts_table_get(table, "example.org"), row);
	assert_ptr_equal(sts_table_find(table, "example.org"), row);
	assert_non_null(row->known);
	assert_int_equal(sts_table_rows(table), 1);
	sts_table_free(&table);
	assert_null(table);
}

static void
get(struct sts_table *table, int i)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "d%d.example", i);
	(void)sts_table_get(table, name);
}

static bool
has(struct sts_table *table, int i)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "d%d.example", i);
	return sts_table_find(table, name) != NULL;
}

static void
the_row_used_longest_ago_goes_first(void **state)
{
	struct sts_table *table = sts_table_new(3, 0);

	(void)state;
	for (int i = 0; i < 3; i++)
		get(table, i);
	get(table, 0); /* used once more */
	get(table, 3);
	assert_int_equal(sts_table_rows(table), 3);
	assert_true(has(table, 0));
	assert_false(has(table, 1));
	get(table, 4);
	assert_true(has(table, 0));
	assert_false(has(table, 2));
	sts_table_free(&table);
}

static void
what_is_worked_on_stays(void **state)
{
	struct sts_table *table = sts_table_new(2, 0);
	struct sts_row *row = sts_table_get(table, "busy.example");
	int place;

	(void)state;
	assert_null(sts_table_search(table));
	row->search = (struct sts_search *)&place;
	for (int i = 0; i < 5; i++)
		get(table, i);
	assert_int_equal(sts_table_rows(table), 2);
	assert_ptr_equal(sts_table_find(table, "busy.example"), row);
	assert_ptr_equal(sts_table_search(table), row->search);
	row->search = NULL;
	get(table, 5);
	assert_null(sts_table_find(table, "busy.example"));
	sts_table_free(&table);
}

/* Who has just been given a row goes on with it, however full it is. */
static void
what_has_just_come_stays(void **state)
{
	struct sts_table *table = sts_table_new(1, 1);
	struct sts_row *busy = sts_table_get(table, "busy.example");
	struct sts_row *row;
	int place;

	(void)state;
	busy->search = (struct sts_search *)&place;
	row = sts_table_get(table, "new.example");
	assert_ptr_equal(sts_table_find(table, "new.example"), row);
	sts_table_learn(table, row, big_known(60000));
	assert_ptr_equal(sts_table_find(table, "new.example"), row);
	assert_non_null(row->known);
	busy->search = NULL;
	get(table, 0);
	assert_int_equal(sts_table_rows(table), 1);
	assert_true(has(table, 0));
	sts_table_free(&table);
}

/* Nobody may fill the memory with policies of the largest size. */
static void
octets_have_a_limit_too(void **state)
{
	struct sts_table *table = sts_table_new(0, 1000000);
	struct sts_row *row;

	(void)state;
	for (int i = 0; i < 20; i++) {
		get(table, i);
		row = sts_table_get(table, "big.example");
		if (i > 0)
			assert_non_null(row->known);
		sts_table_learn(table, row, big_known(60000));
		assert_true(has(table, i));
	}
	/* One domain's next policy takes the place of the one before. */
	assert_int_equal(sts_table_rows(table), 21);
	for (int i = 0; i < 20; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "d%d.example", i);
		row = sts_table_get(table, name);
		sts_table_learn(table, row, big_known(60000));
	}
	assert_in_range(sts_table_rows(table), 4, 6);
	assert_true(has(table, 19));
	assert_false(has(table, 0));
	sts_table_free(&table);
}

/* A delivery goes by a policy whatever becomes of the row. */
static void
who_holds_a_policy_keeps_it(void **state)
{
	struct sts_table *table = sts_table_new(0, 0);
	struct sts_row *row = sts_table_get(table, "example.org");
	struct sts_known *held;

	(void)state;
	sts_table_learn(table, row, big_known(100));
	held = sts_known_hold(row->known);
	assert_int_equal(held->holders, 2);
	sts_table_learn(table, row, big_known(200));
	assert_ptr_not_equal(row->known, held);
	sts_table_free(&table);
	assert_int_equal(held->holders, 1);
	assert_int_equal(held->entry.policy.text.n, 100);
	assert_int_equal(held->entry.policy.text.p[99], '\0');
	sts_known_drop(&held);
	assert_null(held);
}

static void
forgetting_keeps_rows_and_drops_what_they_know(void **state)
{
	struct sts_table *table = sts_table_new(0, 0);
	struct sts_row *one = sts_table_get(table, "one.example");
	struct sts_row *two = sts_table_get(table, "two.example");

	(void)state;
	sts_table_learn(table, one, empty_known());
	sts_table_learn(table, two, empty_known());
	one->record.state = two->record.state = STS_RECORD_NONE;
	one->record_until = two->record_until = 99;
	sts_row_forget(one);
	assert_null(one->known);
	assert_int_equal(one->record_until, 0);
	assert_int_equal(one->record.state, STS_RECORD_UNKNOWN);
	assert_non_null(two->known);
	sts_table_forget(table);
	assert_null(two->known);
	assert_int_equal(two->record_until, 0);
	sts_table_free(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_domain_has_one_row),
	    cmocka_unit_test(the_row_used_longest_ago_goes_first),
	    cmocka_unit_test(what_is_worked_on_stays),
	    cmocka_unit_test(what_has_just_come_stays),
	    cmocka_unit_test(octets_have_a_limit_too),
	    cmocka_unit_test(who_holds_a_policy_keeps_it),
	    cmocka_unit_test(forgetting_keeps_rows_and_drops_what_they_know),
	};

	return cmocka_run_group_tests_name("sts_table", tests, NULL, NULL);
}
