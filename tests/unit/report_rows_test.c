/* What is kept of reports, in memory: added up, within bounds, for all. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "mta/ctl/report.h"
#include "mta/ctl/report_rows.h"

#include "tests/support/inbox_room.h"
#include "tests/support/test.h"

static struct report
report_of(const struct report_policy *policies, size_t n, const char *id)
{
	struct report report = room_report("Reporter", id, 1);

	report.policies = policies;
	report.npolicies = n;
	return report;
}

static void
load(struct room *room, struct report_rows *rows)
{
	struct report_work work = {.store = room->store, .now = NOW};
	struct err err = {0};

	if (report_rows_load(&work, rows, &err) < 0)
		fail_msg("%s", err.text);
}

/* "day reporter domain type successes/failures;" */
static void
print(const struct report_rows *rows, char *to, size_t size)
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < rows->rows.ntotals && at < size; i++) {
		const struct summary_total *row = &rows->rows.totals[i];

		at += (size_t)snprintf(to + at, size - at, "%d %s %s %d %d/%d;",
		    (int)(NOW / DAY - row->day), row->reporter, row->domain,
		    (int)row->policy, (int)row->successes, (int)row->failures);
	}
}

/* Policies have names that strangers choose; days, types, reporters and
 * domains are what is told. */
static void
policies_of_a_type_are_one_row(void **state)
{
	static const struct report_policy policies[] = {
	    {.type = POLICY_TYPE_STS, .domain = "a", .successes = 1},
	    {.type = POLICY_TYPE_TLSA, .domain = "b", .successes = 10},
	    {.type = POLICY_TYPE_STS,
		.domain = "c",
		.successes = 100,
		.failures = 7},
	    {.type = POLICY_TYPE_STS,
		.domain = "d",
		.successes = 1000,
		.failures = 5},
	};
	struct room *room = *state;
	struct report report = report_of(policies, ROWS(policies), "1");
	struct report old = report_of(&policies[1], 1, "2");
	struct report other = report_of(policies, 2, "3");
	struct inbox_origin from = room_origin;
	struct report_rows rows;
	char text[1024];

	old.start -= DAY;
	old.end -= DAY;
	(void)room_add(room, &report);
	(void)room_add(room, &old);
	from.signer = "zero.example";
	(void)room_add_from(room, &other, &from);
	from.domain = "other.example";
	other = report_of(policies, 1, "4");
	(void)room_add_from(room, &other, &from);
	load(room, &rows);
	print(&rows, text, sizeof(text));
	assert_string_equal(text, "2 reporter.example example.org 2 10/0;"
				  "1 reporter.example example.org 2 10/0;"
				  "1 reporter.example example.org 3 1101/12;"
				  "1 zero.example example.org 2 10/0;"
				  "1 zero.example example.org 3 1/0;"
				  "1 zero.example other.example 3 1/0;");
	assert_string_equal(
	    report_rows_organization(&rows, "zero.example"), "Reporter");
	assert_string_equal(report_rows_organization(&rows, "nobody"), "");
	report_rows_free(&rows);
}

static void
add_kinds(const struct room *room, const char *signer, int n)
{
	char path[128], sql[400];
	sqlite3 *sqlite = NULL;

	room_path(room, "inbox.db", path);
	(void)snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %d) INSERT INTO counts SELECT number, 3,"
	    " 'example.org', 'certificate-expired', 'h' || i, '', 1, 0"
	    " FROM n, reports WHERE signer = '%s'",
	    n, signer);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(sqlite);
}

/* However many sign, each with his share: the sums are those of all. */
static void
more_kinds_than_can_be_told_are_in_the_sums(void **state)
{
	static const struct report_policy policy = {.type = POLICY_TYPE_STS,
	    .domain = "example.org",
	    .successes = 5,
	    .failures = 1};
	struct room *room = *state;
	struct report report = report_of(&policy, 1, "1");
	struct inbox_origin from = room_origin;
	struct report_rows rows;
	char signer[32];

	from.signer = signer;
	for (int i = 0; i < 14; i++) {
		(void)snprintf(signer, sizeof(signer), "s%02d.example", i);
		(void)room_add_from(room, &report, &from);
		/* The first has more than a share. */
		add_kinds(room, signer, i == 0 ? 21000 : 19900);
	}
	load(room, &rows);
	assert_int_equal(rows.rows.ntotals, 14);
	assert_int_equal(rows.rows.nfailures, REPORT_ROWS_FAILURES);
	assert_string_equal(rows.rows.totals[13].reporter, "s13.example");
	assert_string_equal(rows.rows.failures[0].reporter, "s00.example");
	assert_string_equal(rows.rows.failures[19999].reporter, "s00.example");
	assert_string_equal(rows.rows.failures[20000].reporter, "s01.example");
	report_rows_free(&rows);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(policies_of_a_type_are_one_row),
	    CASE(more_kinds_than_can_be_told_are_in_the_sums),
	};

	return cmocka_run_group_tests_name("report_rows", tests, NULL, NULL);
}
