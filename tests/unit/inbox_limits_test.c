/* Reports that came in: how many are kept, how long, and what is lost. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/inbox_room.h"
#include "tests/support/test.h"

/* --- by themselves -------------------------------------------------------- */

static int
number_of(const struct room *room, const char *sql)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *stmt = NULL;
	char path[128];
	int n = -1;

	room_path(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(sqlite);
	return n;
}

static int
rows_of(const struct room *room)
{
	return number_of(room, "SELECT count(*) FROM counts");
}

static void
receive(struct room *room, const char *id, int64_t when)
{
	struct report report = room_report("Reporter", id, 1);
	struct inbox_origin then = room_origin;
	enum inbox_added added;
	struct err err;

	then.received = when;
	assert_int_equal(
	    inbox_store_add(&room->store, &report, &then, &added, &err), 0);
}

/* By the time of the visit before. */
static void
old_ones_go(void **state)
{
	struct room *room = *state;

	receive(room, "old", NOW - 500 * DAY);
	receive(room, "later", NOW - 50 * DAY);
	assert_int_equal(room_reports(room, 0).n, 2);
	receive(room, "new", NOW);
	assert_int_equal(room_reports(room, 0).n, 2);
	/* The counts of the others are gone, not only out of sight. */
	assert_int_equal(rows_of(room), 12);
}

static void
a_clock_that_is_ahead_forgets_nothing(void **state)
{
	static const int64_t hours[] = {0, 12000, 12001, 12023, 1, 24000, 20};
	struct room *room = *state;
	char id[16];

	for (size_t i = 0; i < ROWS(hours); i++) {
		(void)snprintf(id, sizeof(id), "id-%zu", i);
		receive(room, id, NOW + hours[i] * 3600);
	}
	assert_int_equal(room_reports(room, 0).n, ROWS(hours));
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

/* --- much of it ----------------------------------------------------------- */

#define MANY 3000

static char hosts[MANY][300];
static struct report_failure failures[MANY];

/* Each at a host of its own, whose name has so many characters. */
static struct report_policy
with_kinds(size_t n, int length)
{
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(hosts[i], sizeof(hosts[i]), "%0*zu", length, i);
		failures[i] = (struct report_failure){
		    .result_type = "certificate-expired",
		    .receiving_mx_hostname = hosts[i],
		    .failure_reason_code = hosts[i],
		    .sessions = 2};
	}
	return (struct report_policy){.type = POLICY_TYPE_STS,
	    .domain = "example.org",
	    .failures = 2 * n + 1,
	    .details = failures,
	    .ndetails = n};
}

/* Nobody keeps others out by what he reports: the oldest go. */
static void
a_full_file_has_room(void **state)
{
	const struct report_policy policy = with_kinds(50, 250);
	struct room *room = *state;
	struct stat st;
	char id[16], path[128];

	room->store.megabytes = 1;
	for (int i = 0; i < 100; i++) {
		struct report report = room_report("Reporter", id, 1);

		(void)snprintf(id, sizeof(id), "id-%d.", i);
		report.policies = &policy;
		report.npolicies = 1;
		assert_int_equal(room_add(room, &report), INBOX_ADDED);
	}
	assert_null(strstr(room_reports(room, 0).text, "id-1."));
	assert_non_null(strstr(room_reports(room, 0).text, "id-99."));
	assert_in_range(room_reports(room, 0).n, 20, 40);
	room_path(room, "inbox.db", path);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 1 << 20);
}

static void
too_many_kinds_are_a_number(void **state)
{
	const struct report_policy policies[] = {
	    with_kinds(MANY, 4), with_kinds(MANY, 4)};
	struct room *room = *state;
	struct report report = room_report("Reporter", "id", 1);

	report.policies = policies;
	report.npolicies = 1;
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_int_equal(rows_of(room), 1 + INBOX_KINDS + 1);
	/* 2 of each kind beyond, and one failure without a detail */
	assert_int_equal(number_of(room, "SELECT sessions FROM counts"
					 " WHERE result = 'unspecified'"),
	    2 * (MANY - INBOX_KINDS) + 1);
	/* All policies of a report together. */
	report.id = "two";
	report.npolicies = 2;
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_int_equal(
	    rows_of(room), 1 + INBOX_KINDS + 1 + 2 + INBOX_KINDS + 2);
}

static void
long_texts_are_cut(void **state)
{
	static char text[1000];
	struct room *room = *state;
	const struct report_failure detail = {.result_type = text,
	    .receiving_mx_hostname = text,
	    .failure_reason_code = text,
	    .sessions = 1};
	const struct report_policy policy = {
	    .domain = text, .failures = 1, .details = &detail, .ndetails = 1};
	struct report report = room_report(text, text, 1);

	memset(text, 'x', sizeof(text) - 1);
	report.contact = text;
	report.policies = &policy;
	report.npolicies = 1;
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_int_equal(
	    number_of(room, "SELECT max(length(policy_domain), length(result),"
			    " length(mx), length(reason)) FROM counts"
			    " WHERE result != ''"),
	    INBOX_TEXT);
	assert_int_equal(
	    number_of(room, "SELECT max(length(organization), length(id),"
			    " length(contact)) FROM reports"),
	    INBOX_TEXT);
	assert_int_equal(room_add(room, &report), INBOX_KNOWN);
}

static void
see_most(const struct inbox_count *count, void *arg)
{
	assert_true(count->sessions == INT64_MAX);
	++*(int *)arg;
}

/* Whoever reports enough of them does not keep the others from being read. */
static void
a_sum_beyond_all_numbers_is_read(void **state)
{
	struct room *room = *state;
	struct report one = room_report("Reporter", "1", 1);
	struct report two = room_report("Reporter", "2", 1);
	struct err err = {0};
	int seen = 0;

	(void)room_add(room, &one);
	(void)room_add(room, &two);
	(void)number_of(
	    room, "UPDATE counts SET sessions = 9000000000000000000");
	assert_int_equal(
	    inbox_store_counts(&room->store, 0, see_most, &seen, &err), 0);
	assert_int_equal(seen, 6);
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
	assert_int_equal(rows_of(room), 6);
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

/* Its tables may mean something else: nothing of them is told. */
static void
what_is_of_another_format_is_not_read(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct err err = {0};
	size_t n = 0;

	(void)room_add(room, &report);
	(void)number_of(room, "PRAGMA user_version = 2");
	assert_int_equal(
	    inbox_store_reports(&room->store, 0, count_one, &n, &err), -1);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err.text, "forget --all"));
	(void)number_of(room, "PRAGMA user_version = 1");
	assert_int_equal(
	    inbox_store_reports(&room->store, 0, count_one, &n, &err), 0);
	assert_int_equal(n, 1);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(old_ones_go),
	    CASE(a_clock_that_is_ahead_forgets_nothing),
	    CASE(of_too_many_the_oldest_go),
	    CASE(a_full_file_has_room),
	    CASE(too_many_kinds_are_a_number),
	    CASE(long_texts_are_cut),
	    CASE(a_sum_beyond_all_numbers_is_read),
	    CASE(what_nobody_signed_is_forgotten),
	    CASE(what_is_damaged_is_set_aside),
	    CASE(what_is_no_database_is_said),
	    CASE(what_is_of_another_format_is_not_read),
	};

	return cmocka_run_group_tests_name("inbox_limits", tests, NULL, NULL);
}
