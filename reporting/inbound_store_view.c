/* See inbound_store.h: what is looked at. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "reporting/inbound_store_private.h"

struct inbound_view {
	struct db db;
	sqlite3_stmt *day, *look; /* NULL: nothing is there */
};

static const char day_sql[] = "SELECT first, last, gap, untold FROM days"
			      " WHERE day = ?1";
static const char look_sql[] = "SELECT outcome, alert, sessions FROM seen"
			       " WHERE day = ?1 AND address = ?2"
			       " ORDER BY sessions DESC, outcome, alert";

/* Of a file without a table nothing is asked. */
static bool
prepare(struct inbound_view *view, int64_t *ret_first)
{
	int64_t tables = 0;

	if (!db_ask(
		&view->db, "SELECT count(*) FROM sqlite_schema", 0, &tables) ||
	    tables == 0)
		return view->db.rc == SQLITE_OK;
	view->day = db_prepare(&view->db, day_sql);
	view->look = db_prepare(&view->db, look_sql);
	return db_ask(
	    &view->db, "SELECT coalesce(min(day), 0) FROM days", 0, ret_first);
}

int
inbound_view_open(const struct inbound_store *store, struct inbound_view **ret,
    int64_t *ret_first, struct err *err)
{
	struct inbound_view *view = mem_new(sizeof(*view));
	char path[DB_PATH_SIZE];
	int rc = 0;

	*ret_first = 0;
	view->db = inbound_store_db(store);
	if (db_path(&view->db, ".db", path, err) < 0)
		rc = -1;
	else if (access(path, R_OK | W_OK) < 0)
		rc = errno == ENOENT ? 0 : db_fail_path(path, err);
	else if (!db_open(&view->db, path, INBOUND_FORMAT) ||
		 !prepare(view, ret_first) || view->db.rc != SQLITE_OK)
		rc = db_fail(&view->db, err);
	if (rc < 0)
		inbound_view_close(&view);
	*ret = view;
	return rc;
}

int
inbound_view_day(struct inbound_view *view, int64_t day,
    struct inbound_day *ret, struct err *err)
{
	sqlite3_stmt *stmt = view->day;
	int rc;

	*ret = (struct inbound_day){0};
	if (stmt == NULL)
		return 0;
	if (db_bind_number(&view->db, stmt, 1, day) &&
	    db_check(&view->db, rc = sqlite3_step(stmt)) && rc == SQLITE_ROW)
		*ret = (struct inbound_day){
		    .first = sqlite3_column_int64(stmt, 0),
		    .last = sqlite3_column_int64(stmt, 1),
		    .gap = sqlite3_column_int64(stmt, 2),
		    .untold = db_count(stmt, 3)};
	(void)sqlite3_reset(stmt);
	return view->db.rc == SQLITE_OK ? 0 : db_fail(&view->db, err);
}

/* What is in the file is not always what we wrote. */
static struct inbound_seen
seen_of(sqlite3_stmt *stmt, int64_t day, const uint8_t *address)
{
	int outcome = sqlite3_column_int(stmt, 0);
	uint64_t sessions = db_count(stmt, 2);
	struct inbound_seen seen = {.day = day,
	    .outcome = outcome < 0 || outcome >= INBOUND_OUTCOMES
	                   ? INBOUND_BROKEN
	                   : (enum inbound_outcome)outcome,
	    .alert = (uint8_t)sqlite3_column_int(stmt, 1),
	    .sessions = sessions > UINT32_MAX ? UINT32_MAX
	                                      : (uint32_t)sessions};

	memcpy(seen.address, address, sizeof(seen.address));
	return seen;
}

int
inbound_view_look(struct inbound_view *view, int64_t day,
    const uint8_t address[INBOUND_ADDRESS], inbound_seen_fn *fn, void *arg,
    struct err *err)
{
	struct inbound_seen seen;
	sqlite3_stmt *stmt = view->look;
	int rc;

	if (stmt == NULL)
		return 0;
	if (db_bind_number(&view->db, stmt, 1, day) &&
	    db_check(&view->db, sqlite3_bind_blob(stmt, 2, address,
				    INBOUND_ADDRESS, SQLITE_STATIC)))
		while (db_check(&view->db, rc = sqlite3_step(stmt)) &&
		       rc == SQLITE_ROW) {
			seen = seen_of(stmt, day, address);
			fn(&seen, arg);
		}
	(void)sqlite3_reset(stmt);
	return view->db.rc == SQLITE_OK ? 0 : db_fail(&view->db, err);
}

void
inbound_view_close(struct inbound_view **view)
{
	if (*view == NULL)
		return;
	(void)sqlite3_finalize((*view)->day);
	(void)sqlite3_finalize((*view)->look);
	db_close(&(*view)->db);
	mem_free(*view);
	*view = NULL;
}
