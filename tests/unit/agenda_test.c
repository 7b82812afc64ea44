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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_one_due_comes_first),
	    cmocka_unit_test(an_item_is_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
