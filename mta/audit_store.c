/* See audit_store.h. */
#include "mta/audit_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "mta/audit_store_db.h"

#define TIME_MAX  INT64_C(253402300799)
#define PATH_SIZE 1024
#define PAUSE_MS  10

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS deliveries ("
    " day INTEGER NOT NULL, destination TEXT NOT NULL, host TEXT NOT NULL,"
    " tls TEXT NOT NULL, reason TEXT NOT NULL,"
    " refused INTEGER NOT NULL, would_refuse INTEGER NOT NULL,"
    " allowed INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (day, destination, host, tls, reason)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1"; /* AUDIT_DB_FORMAT */

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

/* --- files ---------------------------------------------------------------- */

static int
make_path(const struct audit_store *store, const char *name, char to[PATH_SIZE],
    struct err *err)
{
	int n = snprintf(to, PATH_SIZE, "%s/%s", store->folder, name);

	if (n > 0 && n < PATH_SIZE)
		return 0;
	return err_set(err, ERR_TEMP, "4.3.0", "%s: too long", store->folder);
}

static int
fail_errno(const char *path, struct err *err)
{
	return err_set(
	    err, ERR_TEMP, "4.3.0", "%s: %s", path, strerrordesc_np(errno));
}

static void
pause_a_little(void)
{
	static const struct timespec pause = {0, PAUSE_MS * 1000000L};

	(void)nanosleep(&pause, NULL);
}

/* The descriptor that holds the lock; close() lets go of it. */
static int
lock(const struct audit_store *store, int *ret, struct err *err)
{
	char path[PATH_SIZE];
	unsigned waited = 0;
	int fd;

	if (make_path(store, "audit.lock", path, err) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(path, err);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || waited >= store->wait_ms) {
			(void)fail_errno(path, err);
			(void)close(fd);
			return -1;
		}
		pause_a_little();
		waited += PAUSE_MS;
	}
	*ret = fd;
	return 0;
}

/* SQLite would make it readable for all. */
static int
make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(path, err);
	(void)close(fd);
	return 0;
}

/* A journal without its file is thrown away by whoever makes the next. */
static int
unlink_one(const struct audit_store *store, const char *name, struct err *err)
{
	char path[PATH_SIZE];

	if (make_path(store, name, path, err) < 0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return fail_errno(path, err);
	return 0;
}

static int
set_aside(const struct audit_store *store, struct err *err)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	if (make_path(store, "audit.db", from, err) < 0 ||
	    make_path(store, "audit.db.damaged", to, err) < 0)
		return -1;
	if (rename(from, to) < 0)
		return fail_errno(from, err);
	return unlink_one(store, "audit.db-journal", err);
}

/* --- adding --------------------------------------------------------------- */

static sqlite3_int64
number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (sqlite3_int64)n;
}

static bool
bind_text(struct audit_db *db, sqlite3_stmt *stmt, int i, const char *text)
{
	return audit_db_check(
	    db, sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC));
}

static bool
bind_row(struct audit_db *db, sqlite3_stmt *stmt, const struct audit_row *row)
{
	const struct audit_key *key = &row->key;
	const sqlite3_int64 numbers[] = {number(row->counts[AUDIT_REFUSED]),
	    number(row->counts[AUDIT_WOULD_REFUSE]),
	    number(row->counts[AUDIT_ALLOWED]), row->first, row->last};
	bool good = audit_db_check(db, sqlite3_bind_int64(stmt, 1, row->day)) &&
	            bind_text(db, stmt, 2, key->destination) &&
	            bind_text(db, stmt, 3, key->host) &&
	            bind_text(db, stmt, 4, key->tls) &&
	            bind_text(db, stmt, 5, key->reason);

	for (int i = 0; good && i < 5; i++)
		good = audit_db_check(
		    db, sqlite3_bind_int64(stmt, 6 + i, numbers[i]));
	return good;
}

/* How many rows it has changed. */
static int
run_with(struct audit_db *db, sqlite3_stmt *stmt, const struct audit_row *row)
{
	int changed = 0;

	if (bind_row(db, stmt, row) && audit_db_check(db, sqlite3_step(stmt)))
		changed = sqlite3_changes(db->sqlite);
	(void)sqlite3_reset(stmt);
	return changed;
}

static bool
has_room(struct audit_db *db, const struct audit_row *row)
{
	size_t max = db->store->rows_a_day;
	int64_t rows = 0;

	if (db->day != row->day) {
		(void)audit_db_ask(db, room_sql, row->day, &rows);
		db->day = row->day;
		db->rows = (size_t)rows;
	}
	return audit_has_room(
	    &row->key, db->rows, max == 0 ? AUDIT_ROWS_A_DAY : max);
}

static void
add_row(const struct audit_row *row, void *arg)
{
	struct audit_db *db = arg;
	struct audit_row others = *row;

	if (db->rc != SQLITE_OK || run_with(db, db->update, row) > 0)
		return;
	if (has_room(db, row)) {
		db->rows += (size_t)run_with(db, db->insert, row);
		return;
	}
	others.key = audit_others;
	if (run_with(db, db->update, &others) == 0)
		(void)run_with(db, db->insert, &others);
}

static bool
forget_old(struct audit_db *db, int64_t today)
{
	sqlite3_stmt *stmt = audit_db_prepare(db, forget_sql);
	bool good = stmt != NULL &&
	            audit_db_check(
			db, sqlite3_bind_int64(stmt, 1, today - AUDIT_DAYS)) &&
	            audit_db_check(db, sqlite3_step(stmt));

	(void)sqlite3_finalize(stmt);
	return good;
}

static int
add_all(struct audit_db *db, const char *path, const struct audit_table *table,
    int64_t now)
{
	db->rc = SQLITE_OK;
	db->day = INT64_MIN;
	if (!audit_db_open(db, path) || !audit_db_run(db, "BEGIN IMMEDIATE") ||
	    !audit_db_run(db, make_sql) || !forget_old(db, now / AUDIT_DAY_S))
		return -1;
	db->update = audit_db_prepare(db, update_sql);
	db->insert = audit_db_prepare(db, insert_sql);
	if (db->rc == SQLITE_OK)
		audit_each(table, add_row, db);
	return db->rc == SQLITE_OK && audit_db_run(db, "COMMIT") ? 0 : -1;
}

static int
add_locked(const struct audit_store *store, const struct audit_table *table,
    int64_t now, struct err *ret_damaged, struct err *err)
{
	struct audit_db db = {.store = store};
	char path[PATH_SIZE];
	int rc;

	if (make_path(store, "audit.db", path, err) < 0 ||
	    make_file(path, err) < 0)
		return -1;
	rc = add_all(&db, path, table, now);
	if (rc < 0)
		(void)audit_db_fail(&db, err);
	audit_db_close(&db);
	if (rc == 0 || !audit_db_is_damaged(db.rc))
		return rc;
	*ret_damaged = *err;
	if (set_aside(store, err) < 0 || make_file(path, err) < 0)
		return -1;
	rc = add_all(&db, path, table, now);
	if (rc < 0)
		(void)audit_db_fail(&db, err);
	audit_db_close(&db);
	return rc;
}

int
audit_store_add(const struct audit_store *store,
    const struct audit_table *table, int64_t now, struct err *ret_damaged,
    struct err *err)
{
	int fd, rc;

	*ret_damaged = (struct err){.kind = ERR_NONE};
	if (lock(store, &fd, err) < 0)
		return -1;
	rc = add_locked(store, table, now, ret_damaged, err);
	(void)close(fd);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

static const char *
text_at(sqlite3_stmt *stmt, int i)
{
	const unsigned char *text = sqlite3_column_text(stmt, i);

	return text == NULL ? "" : (const char *)text;
}

/* Six columns from `i` on. */
/* Of the years that can be written with four digits. */
static int64_t
time_at(sqlite3_stmt *stmt, int i)
{
	sqlite3_int64 wall = sqlite3_column_int64(stmt, i);

	return wall < 0 || wall > TIME_MAX ? 0 : wall;
}

static void
read_counts(sqlite3_stmt *stmt, int i, uint64_t counts[AUDIT_ENDS],
    int64_t *first, int64_t *last)
{
	for (int end = 0; end < AUDIT_ENDS; end++) {
		sqlite3_int64 n = sqlite3_column_int64(stmt, i + end);

		counts[end] = n < 0 ? 0 : (uint64_t)n;
	}
	*first = time_at(stmt, i + AUDIT_ENDS);
	*last = time_at(stmt, i + AUDIT_ENDS + 1);
}

static void
tell_row(sqlite3_stmt *stmt, audit_read_fn *fn, void *arg)
{
	struct audit_row row = {.key = {text_at(stmt, 0), text_at(stmt, 1),
				    text_at(stmt, 2), text_at(stmt, 3)}};
	struct audit_sums sums;

	read_counts(stmt, 4, row.counts, &row.first, &row.last);
	read_counts(stmt, 9, sums.counts, &sums.first, &sums.last);
	fn(&row, &sums, arg);
}

static void
read_all(struct audit_db *db, int64_t since_day, audit_read_fn *fn, void *arg)
{
	sqlite3_stmt *stmt = audit_db_prepare(db, read_sql);
	int rc = stmt == NULL ? SQLITE_DONE
	                      : sqlite3_bind_int64(stmt, 1, since_day);

	if (stmt != NULL && audit_db_check(db, rc))
		while (audit_db_check(db, rc = sqlite3_step(stmt)) &&
		       rc == SQLITE_ROW)
			tell_row(stmt, fn, arg);
	(void)sqlite3_finalize(stmt);
}

int
audit_store_read(const struct audit_store *store, int64_t since_day,
    audit_read_fn *fn, void *arg, struct err *err)
{
	struct audit_db db = {.store = store};
	int64_t tables = 0;
	char path[PATH_SIZE];
	int rc;

	if (make_path(store, "audit.db", path, err) < 0)
		return -1;
	if (access(path, R_OK | W_OK) < 0)
		return errno == ENOENT ? 0 : fail_errno(path, err);
	/* One that was made a moment ago has nothing in it yet. */
	if (audit_db_open(&db, path) &&
	    audit_db_ask(
		&db, "SELECT count(*) FROM sqlite_schema", 0, &tables) &&
	    tables > 0)
		read_all(&db, since_day, fn, arg);
	rc = db.rc == SQLITE_OK ? 0 : audit_db_fail(&db, err);
	audit_db_close(&db);
	return rc;
}

int
audit_store_reset(const struct audit_store *store, struct err *err)
{
	int fd = -1, rc;

	if (lock(store, &fd, err) < 0)
		return -1;
	rc = unlink_one(store, "audit.db", err);
	if (rc == 0)
		rc = unlink_one(store, "audit.db-journal", err);
	(void)close(fd);
	return rc;
}
