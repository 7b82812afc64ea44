/* Reports that came in: how many are kept, how long, and what is lost. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/inbox_room.h"
#include "tests/support/test.h"

/* --- by themselves -------------------------------------------------------- */

static int
rows_of(const struct room *room)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *stmt = NULL;
	char path[128];
	int n = -1;

	room_path(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite,
			     "SELECT count(*) FROM counts", -1, &stmt, NULL),
	    SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(sqlite);
	return n;
}

static void
old_ones_go(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "old", 500);
	struct inbox_origin then = room_origin;
	enum inbox_added added;
	struct err err;

	then.received = NOW - 500 * DAY;
	assert_int_equal(
	    inbox_store_add(&room->store, &report, &then, &added, &err), 0);
	assert_int_equal(room_reports(room, 0).n, 1);
	report = room_report("Reporter", "new", 1);
	(void)room_add(room, &report);
	assert_int_equal(room_reports(room, 0).n, 1);
	assert_int_equal(room_counts(room, 0).n, 6);
	/* The counts of the others are gone, not only out of sight. */
	assert_int_equal(rows_of(room), 7);
}

static void
of_too_many_the_oldest_go(void **state)
{
	static const char *const ids[] = {"one", "two", "three", "four"};
	struct room *room = *state;

	room->store.reports = 3;
	for (size_t i = 0; i < ROWS(ids); i++) {
		struct report report = room_report("Reporter", ids[i], 1);

		assert_int_equal(room_add(room, &report), INBOX_ADDED);
		assert_int_equal(
		    room_reports(room, 0).n, i + 1 < ROWS(ids) ? i + 1 : 3);
	}
	for (size_t i = ROWS(ids); i-- > 0;) {
		struct report report = room_report("Reporter", ids[i], 1);

		assert_int_equal(
		    room_add(room, &report), i > 0 ? INBOX_KNOWN : INBOX_ADDED);
	}
}

/* It is full: nothing is lost, more is refused, until old ones go. */
static void
the_file_has_an_end(void **state)
{
	static char long_id[65536];
	struct room *room = *state;
	struct inbox_origin later = room_origin;
	struct report report = room_report("Reporter", long_id, 1);
	enum inbox_added added = INBOX_NOT;
	struct err err = {0};
	size_t n = 0;

	room->store.megabytes = 1;
	memset(long_id, 'x', sizeof(long_id) - 1);
	while (n < 32 && inbox_store_add(&room->store, &report, &room_origin,
			     &added, &err) == 0)
		long_id[n++] = 'y';
	assert_in_range(n, 2, 16);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(added, INBOX_NOT);
	later.received += (INBOX_DAYS + 1) * DAY;
	assert_int_equal(room_add_from(room, &report, &later), INBOX_ADDED);
}

/* --- on command ----------------------------------------------------------- */

static struct inbox_forgotten
forget(struct room *room, enum inbox_forget which)
{
	struct inbox_forgotten forgotten = {.reports = 99};
	struct err err = {0};

	if (inbox_store_forget(&room->store, which, &forgotten, &err) < 0)
		fail_msg("%s", err.text);
	return forgotten;
}

static void
what_nobody_signed_is_forgotten(void **state)
{
	struct room *room = *state;
	struct report one = room_report("Reporter", "id-1", 1);
	struct report two = room_report("Reporter", "id-2", 1);
	struct inbox_origin nobody = room_origin;

	nobody.signer = "";
	assert_int_equal(forget(room, INBOX_UNSIGNED).reports, 0);
	(void)room_add_from(room, &one, &nobody);
	(void)room_add_from(room, &two, &nobody);
	(void)room_add(room, &one);
	assert_int_equal(forget(room, INBOX_UNSIGNED).reports, 2);
	assert_string_equal(room_reports(room, 0).text,
	    "Reporter id-1 example.org reporter.example 107/21;");
	assert_int_equal(rows_of(room), 7);
	assert_int_equal(room_add_from(room, &one, &nobody), INBOX_ADDED);
	assert_int_equal(forget(room, INBOX_ALL).reports, 2);
	assert_int_equal(room_reports(room, 0).n, 0);
	assert_int_equal(rows_of(room), 0);
	assert_int_equal(room_add(room, &one), INBOX_ADDED);
}

static void
damage(const struct room *room)
{
	char path[128];
	FILE *file;

	room_path(room, "inbox.db", path);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fputs("this is no database, whatever it is called", file);
	(void)fclose(file);
}

/* Only who wants to lose all of it loses it. */
static void
what_is_damaged_is_set_aside(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct inbox_forgotten forgotten;
	struct err err = {0};
	char path[128];

	damage(room);
	assert_int_equal(
	    inbox_store_forget(&room->store, INBOX_UNSIGNED, &forgotten, &err),
	    -1);
	assert_false(forgotten.set_aside);
	assert_non_null(strstr(err.text, "forget --all"));
	forgotten = forget(room, INBOX_ALL);
	assert_true(forgotten.set_aside);
	assert_int_equal(forgotten.reports, 0);
	room_path(room, "inbox.db.damaged", path);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(room_reports(room, 0).n, 0);
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_false(forget(room, INBOX_ALL).set_aside);
}

static void
count_one(const struct inbox_report *report, void *arg)
{
	size_t *n = arg;

	(void)report;
	++*n;
}

static void
what_is_no_database_is_said(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	enum inbox_added added = INBOX_ADDED;
	struct err err = {0};
	size_t n = 0;

	damage(room);
	assert_int_equal(
	    inbox_store_add(&room->store, &report, &room_origin, &added, &err),
	    -1);
	assert_int_equal(added, INBOX_NOT);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_non_null(strstr(err.text, "inbox.db"));
	assert_non_null(strstr(err.text, "forget --all"));
	err.text[0] = '\0';
	assert_int_equal(
	    inbox_store_reports(&room->store, 0, count_one, &n, &err), -1);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err.text, "forget --all"));
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(old_ones_go),
	    CASE(of_too_many_the_oldest_go),
	    CASE(the_file_has_an_end),
	    CASE(what_nobody_signed_is_forgotten),
	    CASE(what_is_damaged_is_set_aside),
	    CASE(what_is_no_database_is_said),
	};

	return cmocka_run_group_tests_name("inbox_limits", tests, NULL, NULL);
}
