/* Reports that came in, kept: once each, and counted truly. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/inbox_room.h"
#include "tests/support/test.h"

static void
without_a_file_there_is_nothing(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_reports(room, 0).n, 0);
	assert_int_equal(room_counts(room, 0).n, 0);
}

static void
a_report_comes_back(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct room_seen seen;

	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	seen = room_reports(room, 0);
	assert_string_equal(
	    seen.text, "Reporter id-1 example.org reporter.example 107/21;");
	seen = room_counts(room, 0);
	/* Kinds and hosts add up; what has no detail is failed all the same. */
	assert_string_equal(seen.text,
	    "reporter.example Reporter 1 mx1.example.org   7/0;"
	    "reporter.example Reporter 1 example.org   100/21;"
	    "reporter.example Reporter 1 example.org certificate-expired "
	    "mx1.example.org 7/0;"
	    "reporter.example Reporter 1 example.org starttls-not-supported "
	    "mx2.example.org 5/0;"
	    "reporter.example Reporter 1 example.org starttls-not-supported "
	    "mx3.example.org 1/0;"
	    "reporter.example Reporter 1 example.org unspecified  8/0;");
}

/* RFC 8460 4.4: who reported, by which id, over what time */
static void
the_same_report_counts_once(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct report other_id = room_report("Reporter", "id-2", 1);
	struct report other_day = room_report("Reporter", "id-1", 2);
	struct report other_org = room_report("Another", "id-1", 1);

	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_int_equal(room_add(room, &report), INBOX_KNOWN);
	assert_int_equal(room_reports(room, 0).n, 1);
	assert_int_equal(room_counts(room, 0).n, 6);
	assert_int_equal(room_add(room, &other_id), INBOX_ADDED);
	assert_int_equal(room_add(room, &other_day), INBOX_ADDED);
	assert_int_equal(room_add(room, &other_org), INBOX_ADDED);
	assert_int_equal(room_reports(room, 0).n, 4);
}

/* Whoever signs can say of himself what he wants: it is no other's report. */
static void
nobody_takes_the_place_of_another(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct inbox_origin forger = room_origin, nobody = room_origin;
	struct room_seen seen;

	forger.signer = "forger.example";
	nobody.signer = "";
	assert_int_equal(room_add_from(room, &report, &forger), INBOX_ADDED);
	assert_int_equal(room_add_from(room, &report, &nobody), INBOX_ADDED);
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_int_equal(room_add(room, &report), INBOX_KNOWN);
	assert_int_equal(room_add_from(room, &report, &forger), INBOX_KNOWN);
	assert_int_equal(room_reports(room, 0).n, 3);
	seen = room_counts(room, 0);
	assert_int_equal(seen.n, 18);
	assert_non_null(strstr(seen.text, "reporter.example Reporter 1 "));
	assert_non_null(strstr(seen.text, "forger.example Reporter 1 "));
}

static void
since_when(void **state)
{
	struct room *room = *state;
	struct report old = room_report("Reporter", "old", 9);
	struct report new = room_report("Reporter", "new", 1);
	struct room_seen seen;

	(void)room_add(room, &old);
	(void)room_add(room, &new);
	seen = room_reports(room, 0);
	assert_true(strstr(seen.text, "new") < strstr(seen.text, "old"));
	seen = room_reports(room, NOW - 5 * DAY);
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.text, "new"));
	assert_int_equal(room_counts(room, NOW / DAY - 5).n, 6);
	assert_int_equal(room_counts(room, NOW / DAY - 9).n, 12);
}

static void
see_huge(const struct inbox_report *report, void *arg)
{
	(void)arg;
	assert_true(report->successes == UINT64_C(1000000000000));
	assert_true(report->failures == UINT64_C(1000000000000));
}

static void
numbers_have_an_end(void **state)
{
	static const struct report_policy huge[] = {
	    {.type = POLICY_TYPE_STS,
		.type_text = "sts",
		.domain = "example.org",
		.successes = UINT64_MAX,
		.failures = UINT64_MAX},
	    {.type = POLICY_TYPE_STS,
		.type_text = "sts",
		.domain = "example.org",
		.successes = UINT64_MAX,
		.failures = 1},
	};
	struct room *room = *state;
	struct report report = room_report("Reporter", "huge", 1);
	struct err err;

	report.policies = huge;
	report.npolicies = ROWS(huge);
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_true(
	    inbox_store_reports(&room->store, 0, see_huge, NULL, &err) == 0);
}

static void
the_file_is_ours_alone(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct stat file;
	char path[128];

	(void)room_add(room, &report);
	room_path(room, "inbox.db", path);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
}

/* --- failures of no kind -------------------------------------------------- */

#define STS(good, bad, list, many)                                       \
	{                                                                \
		.type = POLICY_TYPE_STS, .type_text = "sts",             \
		.domain = "example.org", .successes = (good),            \
		.failures = (bad), .details = (list), .ndetails = (many) \
	}

static const struct report_failure of_no_kind[] = {
    {RESULT_OTHER, "", "192.0.2.1", "mx1.example.org", "", "", 3, "", ""},
    {RESULT_OTHER, "unspecified", "192.0.2.1", "mx1.example.org", "", "", 2, "",
	""},
    {RESULT_OTHER, "", "192.0.2.1", "", "", "", 4, "", "some"},
    {RESULT_OTHER, "", "192.0.2.1", "", "", "", 5, "", ""},
};

static const struct {
	const char *name;
	struct report_policy policies[3];
	size_t n;
	const char *counts;
} kindless[] = {
    {"at a host", {STS(100, 3, of_no_kind, 1)}, 1,
	"  100/3;"
	"unspecified mx1.example.org 3/0;"},
    {"at none", {STS(100, 5, &of_no_kind[3], 1)}, 1,
	"  100/5;"
	"unspecified  5/0;"},
    {"of several kinds", {STS(100, 14, of_no_kind, 4)}, 1,
	"  100/14;"
	"unspecified  5/0;unspecified  4/0;"
	"unspecified mx1.example.org 5/0;"},
    {"without a sum", {STS(0, 0, &of_no_kind[3], 1)}, 1,
	"  0/0;"
	"unspecified  5/0;"},
    {"in the second policy",
	{STS(10, 0, NULL, 0), STS(20, 5, &of_no_kind[3], 1)}, 2,
	"  30/5;"
	"unspecified  5/0;"},
    {"in the first of three",
	{STS(10, 5, &of_no_kind[3], 1), STS(20, 1, NULL, 0),
	    STS(30, 1, NULL, 0)},
	3, "  60/7;unspecified  7/0;"},
    {"nowhere", {STS(10, 0, NULL, 0), STS(20, 0, NULL, 0)}, 2, "  30/0;"},
};

/* "result host sessions/failures;" */
static void
see_kind(const struct inbox_count *count, void *arg)
{
	struct room_seen *seen = arg;
	size_t at = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s %s %d/%d;",
	    count->result_type, count->mx, (int)count->sessions,
	    (int)count->failures);
}

static void
forget_all(struct room *room)
{
	struct inbox_forgotten forgotten;
	struct err err;

	assert_int_equal(
	    inbox_store_forget(&room->store, INBOX_ALL, &forgotten, &err), 0);
}

/* As a version before wrote it; how many rows were another then. */
static int
make_old(const struct room *room)
{
	sqlite3 *sqlite = NULL;
	char path[128];
	int n;

	room_path(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite,
			     "UPDATE counts SET result = ''"
			     " WHERE result = 'unspecified'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	n = sqlite3_changes(sqlite);
	(void)sqlite3_close(sqlite);
	return n;
}

/* RFC 8460 4.4: result-type may be missing, and it has failed all the same. */
static void
failures_of_no_kind_are_no_successes(void **state)
{
	struct room *room = *state;

	for (size_t i = 0; i < 2 * ROWS(kindless); i++) {
		struct report report = room_report("Reporter", "id", 1);
		struct room_seen seen = {.text = ""};
		struct err err;
		size_t row = i / 2;

		report.policies = kindless[row].policies;
		report.npolicies = kindless[row].n;
		assert_int_equal(room_add(room, &report), INBOX_ADDED);
		if (i % 2 == 1)
			assert_int_equal(make_old(room) > 0,
			    strstr(kindless[row].counts, "unspecified") !=
				NULL);
		assert_int_equal(
		    inbox_store_counts(&room->store, 0, see_kind, &seen, &err),
		    0);
		print_message("# %s%s\n", kindless[row].name,
		    i % 2 == 1 ? ", long ago" : "");
		assert_string_equal(seen.text, kindless[row].counts);
		forget_all(room);
	}
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_file_there_is_nothing),
	    CASE(a_report_comes_back),
	    CASE(the_same_report_counts_once),
	    CASE(nobody_takes_the_place_of_another),
	    CASE(since_when),
	    CASE(numbers_have_an_end),
	    CASE(the_file_is_ours_alone),
	    CASE(failures_of_no_kind_are_no_successes),
	};

	return cmocka_run_group_tests_name("inbox_store", tests, NULL, NULL);
}
