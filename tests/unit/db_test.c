/* By what time rows are old: base/db.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/db.h"

#include "tests/support/test.h"

#define NOW  INT64_C(1795953600)
#define HOUR INT64_C(3600)

static char folder[64], path[128];

static int64_t
visit(int64_t now)
{
	struct db db = {.folder = folder, .name = "a", .wait_ms = 1000};
	int64_t then = -1;

	assert_true(db_open(&db, path, 1));
	assert_true(db_run(&db, "BEGIN IMMEDIATE"));
	assert_true(db_sweep(&db, now, &then));
	assert_true(db_run(&db, "COMMIT"));
	db_close(&db);
	return then;
}

/* Hours; 0: nothing is old by then. */
static void
old_is_what_was_so_a_day_ago(void **state)
{
	static const struct {
		int64_t now, then;
	} rows[] = {
	    {1, 0},
	    {2, 0},
	    {24, 0},
	    {25, 1},
	    {26, 0},
	    {49, 25},
	    {200, 49},   /* it was off */
	    {2600, 200}, /* ahead, or off: for all we know */
	    {2601, 0},
	    {2623, 0},
	    {201, 0}, /* it was ahead */
	    {202, 0},
	    {3000, 201},
	    {224, 0},
	    {247, 0},
	    {248, 224},
	    {-9000, 0}, /* behind */
	    {249, -9000},
	    {273, 249},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t then = visit(NOW + rows[i].now * HOUR);
		int64_t wanted = rows[i].then == 0 ? 0
		                                   : NOW + rows[i].then * HOUR;

		if (then != wanted)
			fail_msg("row %zu: %lld", i, (long long)then);
	}
}

static int
set_up(void **state)
{
	struct err err;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/danelaw-db-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/a.db", folder);
	return db_make_file(path, &err);
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		old_is_what_was_so_a_day_ago, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
