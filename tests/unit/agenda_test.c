/* Domains in the order in which they are due. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/report/agenda.h"

#include "tests/support/test.h"

static void
the_first_one_due_comes_first(void **state)
{
	struct agenda agenda = {.n = 0};
	int64_t last = -1;
	size_t n = 0;

	(void)state;
	srandom(7);
	for (int i = 0; i < 5000; i++)
		agenda_add(
		    &agenda, agenda_item_new(random() % 1000, i, "a.example"));
	for (int64_t now = 0; now < 1000; now += 3) {
		struct agenda_item *item;

		while ((item = agenda_next(&agenda, now)) != NULL) {
			assert_true(item->due >= last && item->due <= now);
			last = item->due;
			n++;
			if (n % 3 == 0 && item->tries == 0) {
				/* once more, later */
				item->tries++;
				item->due = now + 500;
				agenda_add(&agenda, item);
				n--;
				continue;
			}
			agenda_item_free(&item);
		}
		last = now;
	}
	assert_int_equal(n + agenda.n, 5000);
	agenda_free(&agenda);
	assert_null(agenda_next(&agenda, INT64_MAX));
}

static void
an_item_is_what_it_was(void **state)
{
	struct agenda agenda = {.n = 0};
	struct agenda_item *item = agenda_item_new(5, 20785, "b.example");

	(void)state;
	agenda_add(&agenda, item);
	assert_null(agenda_next(&agenda, 4));
	assert_ptr_equal(agenda_next(&agenda, 5), item);
	assert_int_equal(item->day, 20785);
	assert_string_equal(item->domain, "b.example");
	assert_null(agenda_next(&agenda, 5));
	agenda_item_free(&item);
	assert_null(item);
	agenda_free(&agenda);
}

/* By day and domain, as long as it waits; one name may be there twice. */
static void
it_knows_who_waits(void **state)
{
	struct agenda agenda = {.n = 0};
	struct agenda_item *item;

	(void)state;
	assert_false(agenda_has(&agenda, 5, "a.example"));
	agenda_add(&agenda, agenda_item_new(1, 5, "a.example"));
	agenda_add(&agenda, agenda_item_new(2, 5, "a.example"));
	agenda_add(&agenda, agenda_item_new(3, 6, "b.example"));
	assert_true(agenda_has(&agenda, 5, "a.example"));
	assert_true(agenda_has(&agenda, 6, "b.example"));
	assert_false(agenda_has(&agenda, 5, "b.example"));
	assert_false(agenda_has(&agenda, 6, "a.example"));
	assert_null(agenda_next(&agenda, 0));
	item = agenda_next(&agenda, 1);
	assert_true(agenda_has(&agenda, 5, "a.example"));
	agenda_item_free(&item);
	item = agenda_next(&agenda, 2);
	assert_false(agenda_has(&agenda, 5, "a.example"));
	agenda_add(&agenda, item);
	assert_true(agenda_has(&agenda, 5, "a.example"));
	agenda_free(&agenda);
	assert_false(agenda_has(&agenda, 5, "a.example"));
}

static void
nobody_has_all_the_turns(void **state)
{
	static const struct {
		const char *domain;
		uint32_t tries;
		const char *running; /* each of them */
		uint32_t running_tries;
		size_t n;
		bool want;
	} rows[] = {
	    {"a.example", 0, "b.example", 0, 19, true},
	    {"a.bad.example", 0, "b.bad.example", 0, 3, true},
	    {"a.bad.example", 0, "b.bad.example", 0, 4, false},
	    {"x.y.z.bad.example", 0, "b.bad.example", 0, 4, false},
	    {"bad.example", 0, "b.bad.example", 0, 4, false},
	    {"a.good.example", 0, "b.bad.example", 0, 19, true},
	    {"example", 0, "b.bad.example", 0, 19, true},
	    {"localhost", 0, "localhost", 0, 4, false},
	    {"a.example", 1, "b.example", 1, 9, true},
	    {"a.example", 1, "b.example", 1, 10, false},
	    {"a.example", 1, "b.example", 0, 19, true},
	    {"a.example", 0, "b.example", 1, 10, true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct agenda_item *running[AGENDA_LOOKUPS_MAX];
		struct agenda_item *item = agenda_item_new(
		    0, 5, rows[i].domain);
		struct agenda_item *other = agenda_item_new(
		    0, 5, rows[i].running);

		item->tries = rows[i].tries;
		other->tries = rows[i].running_tries;
		for (size_t k = 0; k < rows[i].n; k++)
			running[k] = other;
		if (agenda_has_turn(item, running, rows[i].n) != rows[i].want)
			fail_msg("row %zu", i);
		agenda_item_free(&item);
		agenda_item_free(&other);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_one_due_comes_first),
	    cmocka_unit_test(an_item_is_what_it_was),
	    cmocka_unit_test(it_knows_who_waits),
	    cmocka_unit_test(nobody_has_all_the_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
