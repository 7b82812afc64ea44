/* The file of counts: whose it is, and what becomes of one that is damaged. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/report_place.h"
#include "tests/support/test.h"

#define DAY REPORT_DAY

static const struct report_policy sts = {
    .type = POLICY_TYPE_STS, .domain = "b.example"};

static struct report_event
event(const char *domain, const struct report_policy *policy)
{
	return (struct report_event){
	    .day = DAY, .domain = domain, .policy = policy, .sessions = 1};
}

static void
add(struct report_place *place, const char *domain)
{
	struct report_event one = event(domain, &sts);

	assert_int_equal(report_place_add(place, &one, 1), 0);
}

/* Why one more event is not added, which it must not be. */
static struct err
refusal(struct report_place *place)
{
	struct report_event one = event("b.example", &sts);
	uint64_t dropped;
	struct err err;

	assert_int_equal(
	    report_store_add(place->store, &one, 1, &dropped, &err), -1);
	return err;
}

static void
the_file_is_ours_alone(void **state)
{
	struct report_place *place = *state;
	struct report_store_setup setup = place->setup;
	struct err damaged, err;
	struct stat st;

	assert_int_equal(stat(report_place_path(place, "report.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	setup.wait_ms = 0;
	assert_null(report_store_open(&setup, &damaged, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	report_store_close(&place->store);
	setup.folder = "/nonexistent";
	assert_null(report_store_open(&setup, &damaged, &err));
	setup.only_look = true;
	place->store = report_store_open(&setup, &damaged, &err);
	assert_non_null(place->store);
}

static void
who_only_looks_changes_nothing(void **state)
{
	struct report_place *place = *state;
	struct report report;

	add(place, "b.example");
	report_store_close(&place->store);
	place->setup.only_look = true;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(refusal(place).kind, ERR_BUG);
	report_store_close(&place->store);
	assert_int_equal(unlink(report_place_path(place, "report.db")), 0);
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_false(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(
	    access(report_place_path(place, "report.db"), F_OK), -1);
}

/* A batch that does not fit is not there by half, and the next one is. */
static void
a_batch_is_whole_or_nothing(void **state)
{
	struct report_place *place = *state;
	static char line[30000];
	const char *const one = line;
	struct report_policy large = {
	    .type = POLICY_TYPE_STS, .strings = &one, .nstrings = 1};
	struct report_event events[64];
	char names[64][32];
	struct report_policy policies[64];
	struct report report;
	uint64_t dropped;
	struct err err;

	place->setup.megabytes = 1;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	add(place, "b.example");
	memset(line, 'x', sizeof(line) - 1);
	for (size_t i = 0; i < ROWS(events); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%zu.example", i);
		policies[i] = large;
		policies[i].domain = names[i];
		events[i] = event(names[i], &policies[i]);
	}
	events[0] = event("b.example", &sts);
	assert_int_equal(report_store_add(place->store, events, ROWS(events),
			     &dropped, &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(dropped, 0);
	add(place, "b.example");
	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(report.policies[0].successes, 2);
	assert_false(report_place_load(place, DAY, "1.example", &report));
}

/* Somebody reads for longer than we wait: not now, and not by half later. */
static void
who_reads_is_waited_for(void **state)
{
	struct report_place *place = *state;
	sqlite3 *other = NULL;
	struct report report;

	place->setup.wait_ms = 1;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(
	    sqlite3_open(report_place_path(place, "report.db"), &other),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM counts",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(refusal(place).kind, ERR_TEMP);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	add(place, "b.example");
	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(report.policies[0].successes, 1);
}

static void
write_over(const struct report_place *place, long at, const char *text)
{
	FILE *file = fopen(report_place_path(place, "report.db"), "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
a_damaged_file_is_set_aside(void **state)
{
	struct report_place *place = *state;
	struct report report;

	add(place, "b.example");
	report_store_close(&place->store);
	write_over(place, 0, "this is no database of ours");
	assert_int_equal(report_place_open(place).kind, ERR_TEMP);
	assert_int_equal(
	    access(report_place_path(place, "report.db.damaged"), F_OK), 0);
	assert_false(report_place_load(place, DAY, "b.example", &report));
	add(place, "b.example");
	assert_true(report_place_load(place, DAY, "b.example", &report));
}

/* Nor by who opens it anew, and asks though that failed. */
static void
who_only_looks_sets_nothing_aside(void **state)
{
	struct report_place *place = *state;
	struct report report;
	struct err err;

	add(place, "b.example");
	report_store_close(&place->store);
	place->setup.only_look = true;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	write_over(place, 0, "this is no database of ours");
	assert_int_equal(report_store_reopen(place->store, &err), -1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(report_store_load(place->store, DAY,
				     "b.example", place->arena, &report, &err),
		    -1);
		assert_non_null(strstr(err.text, "sets it aside"));
	}
	assert_int_equal(
	    access(report_place_path(place, "report.db.damaged"), F_OK), -1);
}

/* Found out while it is open: the batch is lost to nobody. */
static void
damage_is_found_while_it_is_open(void **state)
{
	struct report_place *place = *state;
	struct report report;
	struct err err;

	add(place, "b.example");
	report_store_close(&place->store);
	/* every page but the first */
	for (long page = 1; page < 12; page++)
		write_over(place, page * 4096, "no page of a tree");
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	err = refusal(place);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_non_null(strstr(err.text, "set aside"));
	assert_int_equal(
	    access(report_place_path(place, "report.db.damaged"), F_OK), 0);
	assert_true(report_store_damaged(place->store, &err));
	assert_null(strstr(err.text, "set aside"));
	assert_false(report_store_damaged(place->store, &err));
	add(place, "b.example");
	assert_true(report_place_load(place, DAY, "b.example", &report));
	assert_int_equal(report.policies[0].successes, 1);
}

/* By who opens it anew, or by a call after that could not be done. */
static void
damage_is_found_as_it_is_opened_anew(void **state)
{
	struct report_place *place = *state;
	char broken[128];
	struct err err;

	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	write_over(place, 0, "this is no database of ours");
	assert_int_equal(report_store_reopen(place->store, &err), 0);
	assert_true(report_store_damaged(place->store, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(unlink(report_place_path(place, "report.db")), 0);
	assert_int_equal(mkdir(report_place_path(place, "report.db"), 0700), 0);
	assert_int_equal(report_store_reopen(place->store, &err), -1);
	assert_false(report_store_damaged(place->store, &err));
	assert_int_equal(rmdir(report_place_path(place, "report.db")), 0);
	(void)snprintf(broken, sizeof(broken), "%s",
	    report_place_path(place, "report.db.damaged"));
	assert_int_equal(
	    rename(broken, report_place_path(place, "report.db")), 0);
	add(place, "b.example");
	assert_true(report_store_damaged(place->store, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_file_is_ours_alone,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(who_only_looks_changes_nothing,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_batch_is_whole_or_nothing,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(who_reads_is_waited_for,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(who_only_looks_sets_nothing_aside,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(damage_is_found_while_it_is_open,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		damage_is_found_as_it_is_opened_anew, report_place_set_up,
		report_place_tear_down),
	};

	return cmocka_run_group_tests_name("report_file", tests, NULL, NULL);
}
