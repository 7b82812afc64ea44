/* What is counted of deliveries, in memory; audit_store_test.c has the disk. */
#include <stdio.h>
#include <string.h>

#include "mta/audit.h"

#include "tests/support/test.h"

#define NOW (20000 * (int64_t)AUDIT_DAY_S)

struct seen {
	size_t rows;
	struct audit_row last;
	struct audit_row others;
	uint64_t counts[AUDIT_ENDS];
	int64_t day;
};

static void
see(const struct audit_row *row, void *arg)
{
	struct seen *seen = arg;

	assert_true(row->day >= seen->day);
	seen->day = row->day;
	seen->rows++;
	for (size_t i = 0; i < AUDIT_ENDS; i++)
		seen->counts[i] += row->counts[i];
	if (audit_is_others(&row->key))
		seen->others = *row;
	else
		seen->last = *row;
}

static struct seen
look(const struct audit_table *table)
{
	struct seen seen = {0};

	audit_each(table, see, &seen);
	assert_int_equal(seen.rows, audit_rows(table));
	return seen;
}

static void
every_part_of_the_key_counts(void **state)
{
	static const struct audit_key key = {"d", "h", "t", "r"};
	static const struct audit_key others[] = {
	    {"D", "h", "t", "r"},
	    {"d", "H", "t", "r"},
	    {"d", "h", "T", "r"},
	    {"d", "h", "t", "R"},
	    {"dh", "", "t", "r"},
	};
	struct audit_table *table = audit_table_new(100);
	size_t n = 1;

	(void)state;
	audit_count(table, &key, AUDIT_ALLOWED, NOW);
	for (size_t i = 0; i < ROWS(others); i++) {
		audit_count(table, &others[i], AUDIT_ALLOWED, NOW);
		if (audit_rows(table) != ++n)
			fail_msg("row %zu is taken for another", i);
	}
	audit_count(table, &key, AUDIT_ALLOWED, NOW + AUDIT_DAY_S);
	assert_int_equal(audit_rows(table), n + 1);
	audit_count(table, &key, AUDIT_ALLOWED, NOW + AUDIT_DAY_S - 1);
	assert_int_equal(audit_rows(table), n + 1);
	audit_table_free(&table);
	assert_null(table);
}

static void
ends_and_times_are_kept(void **state)
{
	char destination[] = "mx:a.example";
	struct audit_key key = {destination, "mx.a.example", "tls", "why"};
	struct audit_table *table = audit_table_new(100);
	struct seen seen;

	(void)state;
	audit_count(table, &key, AUDIT_WOULD_REFUSE, NOW + 50);
	audit_count(table, &key, AUDIT_WOULD_REFUSE, NOW + 10);
	audit_count(table, &key, AUDIT_REFUSED, NOW + 70);
	destination[0] = 'X'; /* the texts were copied */
	seen = look(table);
	assert_int_equal(seen.rows, 1);
	assert_string_equal(seen.last.key.destination, "mx:a.example");
	assert_string_equal(seen.last.key.reason, "why");
	assert_int_equal(seen.last.counts[AUDIT_WOULD_REFUSE], 2);
	assert_int_equal(seen.last.counts[AUDIT_REFUSED], 1);
	assert_int_equal(seen.last.counts[AUDIT_ALLOWED], 0);
	assert_int_equal(seen.last.first, NOW + 10);
	assert_int_equal(seen.last.last, NOW + 70);
	audit_table_free(&table);
}

/* Three quarters for what is allowed; nothing that was counted is lost. */
static void
a_full_table_still_counts(void **state)
{
	struct audit_table *table = audit_table_new(8);
	char name[16];
	struct audit_key key = {name, "h", "t", ""};
	struct seen seen;

	(void)state;
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "allowed-%d", i);
		audit_count(table, &key, AUDIT_ALLOWED, NOW + i);
	}
	seen = look(table);
	assert_int_equal(seen.rows, 7);
	assert_int_equal(seen.others.counts[AUDIT_ALLOWED], 4);
	assert_int_equal(seen.others.first, NOW + 6);
	key.reason = "why";
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "refused-%d", i);
		audit_count(table, &key, AUDIT_WOULD_REFUSE, NOW);
	}
	/* One that is there goes on being told apart. */
	(void)snprintf(name, sizeof(name), "refused-0");
	audit_count(table, &key, AUDIT_WOULD_REFUSE, NOW);
	seen = look(table);
	assert_int_equal(seen.rows, 8);
	assert_int_equal(seen.others.counts[AUDIT_ALLOWED], 4);
	assert_int_equal(seen.others.counts[AUDIT_WOULD_REFUSE], 9);
	assert_int_equal(seen.counts[AUDIT_ALLOWED], 10);
	assert_int_equal(seen.counts[AUDIT_WOULD_REFUSE], 11);
	audit_table_free(&table);
}

static void
put_into(const struct audit_row *row, void *arg)
{
	audit_add(arg, row);
}

static void
tables_add_up(void **state)
{
	static const struct audit_key key = {"d", "h", "t", "r"};
	static const struct audit_key mine = {"d", "h", "t", ""};
	struct audit_table *from = audit_table_new(8);
	struct audit_table *to = audit_table_new(8);
	struct seen seen;

	(void)state;
	audit_count(from, &key, AUDIT_REFUSED, NOW + 1);
	audit_count(from, &key, AUDIT_REFUSED, NOW + 9);
	audit_count(to, &key, AUDIT_REFUSED, NOW + 5);
	audit_count(to, &mine, AUDIT_ALLOWED, NOW + 5);
	audit_each(from, put_into, to);
	seen = look(to);
	assert_int_equal(seen.rows, 2);
	assert_int_equal(seen.last.counts[AUDIT_REFUSED], 3);
	assert_int_equal(seen.last.first, NOW + 1);
	assert_int_equal(seen.last.last, NOW + 9);
	audit_table_free(&from);
	audit_table_free(&to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_part_of_the_key_counts),
	    cmocka_unit_test(ends_and_times_are_kept),
	    cmocka_unit_test(a_full_table_still_counts),
	    cmocka_unit_test(tables_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
