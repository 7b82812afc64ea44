/* See audit_store.h. */
#include "mta/audit_store.h"

#include <errno.h>
#include <unistd.h>

#include "base/db.h"

#define TIME_MAX INT64_C(253402300799)
/* In the file's user_version. */
#define FORMAT 1

/* One visit to the file. */
struct visit {
	struct db db;
	const struct audit_store *store;
	sqlite3_stmt *update;
	sqlite3_stmt *insert;
	int64_t day; /* of which `rows` were counted */
	size_t rows;
};

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS deliveries ("
    " day INTEGER NOT NULL, destination TEXT NOT NULL, host TEXT NOT NULL,"
    " tls TEXT NOT NULL, reason TEXT NOT NULL,"
    " refused INTEGER NOT NULL, would_refuse INTEGER NOT NULL,"
    " allowed INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (day, destination, host, tls, reason)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1"; /* FORMAT */

/* The order of the parameters is that of bind_row(). */
static const char update_sql[] =
    "UPDATE deliveries SET refused = refused + ?6,"
    " would_refuse = would_refuse + ?7, allowed = allowed + ?8,"
    " first = min(first, ?9), last = max(last, ?10)"
    " WHERE day = ?1 AND destination = ?2 AND host = ?3 AND tls = ?4"
    " AND reason = ?5";

static const char insert_sql[] =
    "INSERT INTO deliveries (day, destination, host, tls, reason, refused,"
    " would_refuse, allowed, first, last)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/* Of old days only: a clock that is behind must not cost everything. */
static const char forget_sql[] = "DELETE FROM deliveries WHERE day <= ?1";

static const char room_sql[] = "SELECT count(*) FROM deliveries WHERE day = ?1";

static const char read_sql[] =
    "WITH part AS (SELECT destination, host, tls, reason,"
    "  sum(refused) AS refused, sum(would_refuse) AS would_refuse,"
    "  sum(allowed) AS allowed, min(first) AS first, max(last) AS last"
    "  FROM deliveries WHERE day >= ?1"
    "  GROUP BY destination, host, tls, reason),"
    " whole AS (SELECT destination, sum(refused) AS refused,"
    "  sum(would_refuse) AS would_refuse, sum(allowed) AS allowed,"
    "  min(first) AS first, max(last) AS last"
    "  FROM part GROUP BY destination)"
    " SELECT p.destination, p.host, p.tls, p.reason, p.refused,"
    "  p.would_refuse, p.allowed, p.first, p.last, w.refused,"
    "  w.would_refuse, w.allowed, w.first, w.last"
    " FROM part AS p JOIN whole AS w USING (destination)"
    " ORDER BY w.refused + w.would_refuse DESC, w.allowed DESC,"
    "  p.destination, p.refused + p.would_refuse DESC, p.allowed DESC,"
    "  p.host, p.tls, p.reason";

static struct db
db_of(const struct audit_store *store)
{
	return (struct db){.folder = store->folder,
	    .name = "audit",
	    .wait_ms = store->wait_ms};
}

/* --- adding --------------------------------------------------------------- */

static sqlite3_int64
number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (sqlite3_int64)n;
}

static bool
bind_row(struct db *db, sqlite3_stmt *stmt, const struct audit_row *row)
{
	const struct audit_key *key = &row->key;
	const sqlite3_int64 numbers[] = {number(row->counts[AUDIT_REFUSED]),
	    number(row->counts[AUDIT_WOULD_REFUSE]),
	    number(row->counts[AUDIT_ALLOWED]), row->first, row->last};
	bool good = db_bind_number(db, stmt, 1, row->day) &&
	            db_bind_text(db, stmt, 2, key->destination) &&
	            db_bind_text(db, stmt, 3, key->host) &&
	            db_bind_text(db, stmt, 4, key->tls) &&
	            db_bind_text(db, stmt, 5, key->reason);

	for (int i = 0; good && i < 5; i++)
		good = db_bind_number(db, stmt, 6 + i, numbers[i]);
	return good;
}

/* How many rows it has changed. */
static int
run_with(struct db *db, sqlite3_stmt *stmt, const struct audit_row *row)
{
	int changed = 0;

	if (bind_row(db, stmt, row) && db_check(db, sqlite3_step(stmt)))
		changed = sqlite3_changes(db->sqlite);
	(void)sqlite3_reset(stmt);
	return changed;
}

static bool
has_room(struct visit *visit, const struct audit_row *row)
{
	size_t max = visit->store->rows_a_day;
	int64_t rows = 0;

	if (visit->day != row->day) {
		(void)db_ask(&visit->db, room_sql, row->day, &rows);
		visit->day = row->day;
		visit->rows = (size_t)rows;
	}
	return audit_has_room(
	    &row->key, visit->rows, max == 0 ? AUDIT_ROWS_A_DAY : max);
}

static void
add_row(const struct audit_row *row, void *arg)
{
	struct visit *visit = arg;
	struct db *db = &visit->db;
	struct audit_row others = *row;

	if (db->rc != SQLITE_OK || run_with(db, visit->update, row) > 0)
		return;
	if (has_room(visit, row)) {
		visit->rows += (size_t)run_with(db, visit->insert, row);
		return;
	}
	others.key = audit_others;
	if (run_with(db, visit->update, &others) == 0)
		(void)run_with(db, visit->insert, &others);
}

static bool
forget_old(struct db *db, int64_t today)
{
	sqlite3_stmt *stmt = db_prepare(db, forget_sql);
	bool good = stmt != NULL &&
	            db_bind_number(db, stmt, 1, today - AUDIT_DAYS) &&
	            db_check(db, sqlite3_step(stmt));

	(void)sqlite3_finalize(stmt);
	return good;
}

static int
add_all(struct visit *visit, const char *path, const struct audit_table *table,
    int64_t now)
{
	struct db *db = &visit->db;

	visit->day = INT64_MIN;
	if (!db_open(db, path, FORMAT) || !db_run(db, "BEGIN IMMEDIATE") ||
	    !db_run(db, make_sql) || !forget_old(db, now / AUDIT_DAY_S))
		return -1;
	visit->update = db_prepare(db, update_sql);
	visit->insert = db_prepare(db, insert_sql);
	if (db->rc == SQLITE_OK)
		audit_each(table, add_row, visit);
	return db->rc == SQLITE_OK && db_run(db, "COMMIT") ? 0 : -1;
}

/* The same, with the end of it. */
static int
visit_once(const struct audit_store *store, const char *path,
    const struct audit_table *table, int64_t now, int *ret_rc, struct err *err)
{
	struct visit visit = {.db = db_of(store), .store = store};
	int rc = add_all(&visit, path, table, now);

	if (rc < 0)
		(void)db_fail(&visit.db, err);
	*ret_rc = visit.db.rc;
	(void)sqlite3_finalize(visit.update);
	(void)sqlite3_finalize(visit.insert);
	db_close(&visit.db);
	return rc;
}

static int
add_locked(const struct audit_store *store, const struct audit_table *table,
    int64_t now, struct err *ret_damaged, struct err *err)
{
	struct db db = db_of(store);
	char path[DB_PATH_SIZE];
	int rc, why;

	if (db_path(&db, ".db", path, err) < 0 || db_make_file(path, err) < 0)
		return -1;
	rc = visit_once(store, path, table, now, &why, err);
	if (rc == 0 || !db_is_damaged(why))
		return rc;
	*ret_damaged = *err;
	if (db_set_aside(&db, err) < 0 || db_make_file(path, err) < 0)
		return -1;
	return visit_once(store, path, table, now, &why, err);
}

int
audit_store_add(const struct audit_store *store,
    const struct audit_table *table, int64_t now, struct err *ret_damaged,
    struct err *err)
{
	struct db db = db_of(store);
	int fd, rc;

	*ret_damaged = (struct err){.kind = ERR_NONE};
	if (db_lock(&db, &fd, err) < 0)
		return -1;
	rc = add_locked(store, table, now, ret_damaged, err);
	(void)close(fd);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

/* Of the years that can be written with four digits. */
static int64_t
time_at(sqlite3_stmt *stmt, int i)
{
	sqlite3_int64 wall = sqlite3_column_int64(stmt, i);

	return wall < 0 || wall > TIME_MAX ? 0 : wall;
}

/* Five columns from `i` on. */
static void
read_counts(sqlite3_stmt *stmt, int i, uint64_t counts[AUDIT_ENDS],
    int64_t *first, int64_t *last)
{
	for (int end = 0; end < AUDIT_ENDS; end++)
		counts[end] = db_count(stmt, i + end);
	*first = time_at(stmt, i + AUDIT_ENDS);
	*last = time_at(stmt, i + AUDIT_ENDS + 1);
}

struct reader {
	audit_read_fn *fn;
	void *arg;
};

static void
tell_row(sqlite3_stmt *stmt, void *arg)
{
	const struct reader *reader = arg;
	struct audit_row row = {.key = {db_text(stmt, 0), db_text(stmt, 1),
				    db_text(stmt, 2), db_text(stmt, 3)}};
	struct audit_sums sums;

	read_counts(stmt, 4, row.counts, &row.first, &row.last);
	read_counts(stmt, 9, sums.counts, &sums.first, &sums.last);
	reader->fn(&row, &sums, reader->arg);
}

int
audit_store_read(const struct audit_store *store, int64_t since_day,
    audit_read_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {fn, arg};
	struct db db = db_of(store);

	return db_read(
	    &db, FORMAT, read_sql, since_day, tell_row, &reader, err);
}

int
audit_store_reset(const struct audit_store *store, struct err *err)
{
	struct db db = db_of(store);
	int fd = -1, rc;

	if (db_lock(&db, &fd, err) < 0)
		return -1;
	rc = db_remove(&db, err);
	(void)close(fd);
	return rc;
}
