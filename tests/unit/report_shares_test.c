/* Who gets room where there is not enough for all. */
#include <stdio.h>
#include <string.h>

#include "mta/ctl/report_shares.h"

#include "tests/support/test.h"

static void
zones_have_names(void **state)
{
	static const struct {
		const char *signer, *name;
	} rows[] = {
	    {NULL, ""},
	    {"", ""},
	    {"example", "example"},
	    {"google.com", "google.com"},
	    {"a.google.com", "google.com"},
	    {"b.a.google.com", "google.com"},
	    {".com", ".com"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(shares_name(rows[i].signer), rows[i].name);
}

#define ZONES 6

/* Of as much room as `most`, what each wants and what it gets. */
static const struct {
	size_t most;
	size_t wants[ZONES], gets[ZONES];
} rows[] = {
    {10, {3, 3, 3}, {3, 3, 3}},
    {9, {3, 3, 3}, {3, 3, 3}},
    {9, {100, 1}, {8, 1}},
    {10, {100, 100}, {5, 5}},
    {10, {100, 4}, {6, 4}},
    {11, {100, 100}, {6, 5}},
    {10, {100, 100, 100}, {4, 3, 3}},
    {10, {100, 100, 1, 2}, {4, 3, 1, 2}},
    {3, {9, 9, 9, 9, 9}, {1, 1, 1, 0, 0}},
    {1, {5}, {1}},
    {5, {0, 5}, {0, 5}},
};

static void
zones_have_turns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct shares *shares = shares_new(rows[i].most);
		char names[ZONES][8];
		size_t total = 0;

		for (size_t z = 0; z < ZONES; z++) {
			(void)snprintf(names[z], sizeof(names[z]), "%zu.x", z);
			for (size_t n = 0; n < rows[i].wants[z]; n++)
				shares_want(
				    shares, shares_zone(shares, names[z]));
		}
		for (size_t z = 0; z < ZONES; z++) {
			struct shares_zone *zone = shares_zone(
			    shares, names[z]);
			size_t got = 0;

			for (size_t n = 0; n < rows[i].wants[z]; n++)
				got += shares_take(shares, zone);
			if (got != rows[i].gets[z])
				fail_msg("row %zu, zone %zu: %zu", i, z, got);
			total += got;
		}
		assert_true(total <= rows[i].most);
		shares_free(&shares);
		assert_null(shares);
	}
}

/* Whoever asks for more than he said, or never said so. */
static void
there_is_an_end(void **state)
{
	struct shares *shares = shares_new(10);
	size_t got = 0;

	(void)state;
	for (int z = 0; z < 3; z++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "%d.x", z);
		for (int n = 0; n < 10; n++)
			got += shares_take(shares, shares_zone(shares, name));
	}
	assert_int_equal(got, 10);
	shares_free(&shares);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zones_have_names),
	    cmocka_unit_test(zones_have_turns),
	    cmocka_unit_test(there_is_an_end),
	};

	return cmocka_run_group_tests_name("report_shares", tests, NULL, NULL);
}
