#include "tests/support/report_place.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"

int
report_place_set_up(void **state)
{
	struct report_place *place = calloc(1, sizeof(*place));

	(void)snprintf(
	    place->folder, sizeof(place->folder), "/tmp/danelaw-report-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->setup = (struct report_store_setup){
	    .folder = place->folder, .wait_ms = 5000};
	place->arena = arena_new(REPORT_STORE_ARENA);
	*state = place;
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	return 0;
}

const char *
report_place_path(const struct report_place *place, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	return path;
}

int
report_place_tear_down(void **state)
{
	static const char *const names[] = {"report.db", "report.db-journal",
	    "report.db.damaged", "report.lock"};
	struct report_place *place = *state;

	report_store_close(&place->store);
	for (size_t i = 0; i < ROWS(names); i++)
		(void)unlink(report_place_path(place, names[i]));
	(void)rmdir(report_place_path(place, "reports-bounced"));
	assert_int_equal(rmdir(place->folder), 0);
	arena_free(&place->arena);
	free(place);
	return 0;
}

struct err
report_place_open(struct report_place *place)
{
	struct err damaged, err = {0};

	report_store_close(&place->store);
	place->store = report_store_open(&place->setup, &damaged, &err);
	if (place->store == NULL)
		fail_msg("not opened: %s", err.text);
	return damaged;
}

uint64_t
report_place_add(
    struct report_place *place, const struct report_event *events, size_t n)
{
	uint64_t dropped;
	struct err err;

	if (report_store_add(place->store, events, n, &dropped, &err) < 0)
		fail_msg("not added: %s", err.text);
	return dropped;
}

void
report_place_count(struct report_place *place, int64_t day, const char *domain)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "x.example"};
	const struct report_event one = {
	    .day = day, .domain = domain, .policy = &none, .sessions = 1};

	assert_int_equal(report_place_add(place, &one, 1), 0);
}

void
report_place_plan(struct report_place *place, int64_t day, const char *domain,
    const char *const *rua, size_t n, int64_t first)
{
	const struct report_plan one = {.day = day,
	    .domain = domain,
	    .id = "an-id",
	    .rua = rua,
	    .nrua = n,
	    .first = first};
	struct err err;

	if (report_store_plan(place->store, &one, &err) < 0)
		fail_msg("not planned: %s", err.text);
}

bool
report_place_load(struct report_place *place, int64_t day, const char *domain,
    struct report *ret)
{
	struct err err;
	int rc;

	arena_reset(place->arena);
	rc = report_store_load(
	    place->store, day, domain, place->arena, ret, &err);
	if (rc < 0)
		fail_msg("not loaded: %s", err.text);
	return rc > 0;
}

void
report_place_forget(struct report_place *place, int64_t day)
{
	struct err err;

	for (int64_t i = 0; i < 2; i++)
		if (report_store_forget(
			place->store, (day + i) * REPORT_DAY_S, 0, &err) < 0)
			fail_msg("not forgotten: %s", err.text);
}

int64_t
report_place_sql(const struct report_place *place, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t number = 0;

	assert_int_equal(
	    sqlite3_open(report_place_path(place, "report.db"), &db),
	    SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}
