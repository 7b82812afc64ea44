/* See store.h: what the clock says of what is kept. */
#include "reporting/store_private.h"
#include "reporting/timetable.h"

static const char *const forget_sqls[] = {
    "DELETE FROM failures WHERE day < ?1",
    "DELETE FROM counts WHERE day < ?1",
    "DELETE FROM tries WHERE day < ?1",
    "DELETE FROM domains WHERE day < ?1",
    "DELETE FROM troubles WHERE until < ?1 * 86400",
    "DELETE FROM doubts WHERE until < ?1 * 86400",
    "DELETE FROM words WHERE sent < ?1",
};

/* Under which nobody counts any more. */
static const char unused_sql[] =
    "DELETE FROM policies WHERE id NOT IN (SELECT policy FROM counts)";

/* What lies further ahead than that was written by a clock that did. */
static const struct {
	const char *sql;
	int64_t most;
} limits[] = {
    {"UPDATE tries SET next = ?1 WHERE state = 0 AND next > ?2",
	REPORT_PAUSE_S},
    {"UPDATE tries SET next = ?2 WHERE state = 3 AND next > ?2",
	REPORT_QUEUED_S},
    {"UPDATE troubles SET until = ?1 WHERE until > ?2", REPORT_SILENCE_S},
    {"UPDATE doubts SET until = ?1 WHERE until > ?2",
	REPORT_SILENCE_S + REPORT_BOUNCE_S},
};

static void
run_with_day(struct report_store *store, const char *sql, int64_t day)
{
	sqlite3_stmt *stmt = db_prepare(&store->db, sql);

	if (stmt != NULL && db_bind_number(&store->db, stmt, 1, day))
		(void)report_db_step(store, stmt);
	(void)sqlite3_finalize(stmt);
}

static void
forget_before(struct report_store *store, int64_t day)
{
	size_t n = sizeof(forget_sqls) / sizeof(forget_sqls[0]);

	for (size_t i = 0; i < n && store->db.rc == SQLITE_OK; i++)
		run_with_day(store, forget_sqls[i], day);
	if (store->db.rc == SQLITE_OK)
		(void)db_run(&store->db, unused_sql);
	report_db_forget_rooms(store);
}

int
report_store_forget(
    struct report_store *store, int64_t now, int64_t days, struct err *err)
{
	int rc = report_db_begin(store, true, err);
	int64_t then;

	if (rc <= 0)
		return rc;
	if (db_sweep(&store->db, now, &then) && then > 0)
		forget_before(store, then / REPORT_DAY_S - days);
	return report_db_end(store, err);
}

static void
run_with_limit(struct report_store *store, size_t i, int64_t now)
{
	sqlite3_stmt *stmt = db_prepare(&store->db, limits[i].sql);

	if (stmt != NULL && db_bind_number(&store->db, stmt, 1, now) &&
	    db_bind_number(&store->db, stmt, 2, now + limits[i].most))
		(void)report_db_step(store, stmt);
	(void)sqlite3_finalize(stmt);
}

int
report_store_set_back(struct report_store *store, int64_t now, struct err *err)
{
	size_t n = sizeof(limits) / sizeof(limits[0]);
	int rc = report_db_begin(store, true, err);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < n && store->db.rc == SQLITE_OK; i++)
		run_with_limit(store, i, now);
	return report_db_end(store, err);
}
