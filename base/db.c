/* See db.h. */
#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 10
#define PAGE     4096 /* as SQLite makes files */
/* Of a value or a row: no file makes us take more. */
#define LENGTH_MAX (1 << 20)

/* --- files ---------------------------------------------------------------- */

int
db_path(const struct db *db, const char *end, char to[DB_PATH_SIZE],
    struct err *err)
{
	int n = snprintf(
	    to, DB_PATH_SIZE, "%s/%s%s", db->folder, db->name, end);

	if (n > 0 && n < DB_PATH_SIZE)
		return 0;
	return err_set(err, ERR_TEMP, "4.3.0", "%s: too long", db->folder);
}

int
db_fail_path(const char *path, struct err *err)
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

int
db_lock(const struct db *db, int *ret, struct err *err)
{
	char path[DB_PATH_SIZE];
	unsigned waited = 0;
	int fd;

	if (db_path(db, ".lock", path, err) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return db_fail_path(path, err);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || waited >= db->wait_ms) {
			(void)db_fail_path(path, err);
			(void)close(fd);
			return -1;
		}
		pause_a_little();
		waited += PAUSE_MS;
	}
	*ret = fd;
	return 0;
}

/*
 * One that is there is not opened: close() would let go of the locks that
 * SQLite has on it in this process.
 */
int
db_make_file(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	if (errno != EEXIST || lstat(path, &st) < 0)
		return db_fail_path(path, err);
	if (S_ISREG(st.st_mode))
		return 0;
	return err_set(err, ERR_TEMP, "4.3.0", "%s: not a file", path);
}

int
db_unlink(const struct db *db, const char *end, struct err *err)
{
	char path[DB_PATH_SIZE];

	if (db_path(db, end, path, err) < 0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return db_fail_path(path, err);
	return 0;
}

/* A journal without its file is thrown away by whoever makes the next. */
int
db_remove(const struct db *db, struct err *err)
{
	if (db_unlink(db, ".db", err) < 0)
		return -1;
	return db_unlink(db, ".db-journal", err);
}

int
db_set_aside(const struct db *db, struct err *err)
{
	char from[DB_PATH_SIZE], to[DB_PATH_SIZE];

	if (db_path(db, ".db", from, err) < 0 ||
	    db_path(db, ".db.damaged", to, err) < 0)
		return -1;
	if (rename(from, to) < 0)
		return db_fail_path(from, err);
	return db_unlink(db, ".db-journal", err);
}

/* --- what is in them ------------------------------------------------------ */

bool
db_check(struct db *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return true;
	if (db->rc == SQLITE_OK)
		db->rc = rc;
	return false;
}

/* What the system said, rather than SQLite's word for all of that; 0. */
static int
open_errno(const struct db *db)
{
	if (db->sqlite == NULL || (db->rc & 0xff) != SQLITE_CANTOPEN)
		return 0;
	return sqlite3_system_errno(db->sqlite);
}

int
db_fail(const struct db *db, struct err *err)
{
	int number = open_errno(db);
	bool known = db->sqlite != NULL &&
	             sqlite3_errcode(db->sqlite) == (db->rc & 0xff);
	const char *what = number != 0 ? strerrordesc_np(number)
	                               : sqlite3_errstr(db->rc);
	const char *more = known ? sqlite3_errmsg(db->sqlite) : "";

	/* Often enough SQLite has no more to say. */
	if (number != 0 || strcmp(what, more) == 0)
		more = "";
	return err_set(err, ERR_TEMP, "4.3.0", "%s/%s.db: %s%s%.200s",
	    db->folder, db->name, what, more[0] == '\0' ? "" : ": ", more);
}

/* SQLITE_ERROR: the tables are not ours; SQLITE_SCHEMA is never one's fault. */
bool
db_is_damaged(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return true;
	default:
		return false;
	}
}

bool
db_run(struct db *db, const char *sql)
{
	return db_check(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

sqlite3_stmt *
db_prepare(struct db *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	(void)db_check(
	    db, sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL));
	return stmt;
}

bool
db_ask(struct db *db, const char *sql, int64_t with, int64_t *ret)
{
	sqlite3_stmt *stmt = db_prepare(db, sql);
	bool found = stmt != NULL &&
	             (sqlite3_bind_parameter_count(stmt) == 0 ||
			 db_bind_number(db, stmt, 1, with)) &&
	             db_check(db, sqlite3_step(stmt));

	if (found)
		*ret = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return found;
}

/* A clock that was set back begins anew. */
bool
db_sweep(struct db *db, int64_t now, int64_t *ret)
{
	int64_t at = 0;

	*ret = 0;
	if (!db_run(db, "CREATE TABLE IF NOT EXISTS swept"
			" (at INTEGER NOT NULL) STRICT") ||
	    !db_ask(db, "SELECT coalesce(max(at), 0) FROM swept", 0, &at))
		return false;
	if (at > 0 && at <= now && now - at < DB_SWEEP_S)
		return true;
	if (at <= now)
		*ret = at;
	return db_run(db, "DELETE FROM swept") &&
	       db_ask(db, "INSERT INTO swept (at) VALUES (?1) RETURNING at",
		   now, &at);
}

bool
db_bind_text(struct db *db, sqlite3_stmt *stmt, int i, const char *text)
{
	return db_check(
	    db, sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC));
}

bool
db_bind_number(struct db *db, sqlite3_stmt *stmt, int i, int64_t number)
{
	return db_check(db, sqlite3_bind_int64(stmt, i, number));
}

bool
db_open(struct db *db, const char *path, int64_t format)
{
	int64_t found = 0;

	db->rc = SQLITE_OK;
	if (!db_check(db, sqlite3_open_v2(
			      path, &db->sqlite, SQLITE_OPEN_READWRITE, NULL)))
		return false;
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	(void)sqlite3_busy_timeout(db->sqlite, (int)db->wait_ms);
	if (!db_run(db, "PRAGMA cell_size_check = ON;"
			"PRAGMA temp_store = MEMORY") ||
	    !db_ask(db, "PRAGMA user_version", 0, &found))
		return false;
	return found == 0 || found == format || db_check(db, SQLITE_FORMAT);
}

bool
db_limit_size(struct db *db, size_t megabytes)
{
	char sql[64];

	if (megabytes == 0)
		megabytes = DB_MEGABYTES;
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %zu",
	    megabytes * ((size_t)1 << 20) / PAGE);
	return db_run(db, sql);
}

void
db_close(struct db *db)
{
	(void)sqlite3_close(db->sqlite);
	db->sqlite = NULL;
}

/* --- reading -------------------------------------------------------------- */

const char *
db_text(sqlite3_stmt *stmt, int i)
{
	const unsigned char *text = sqlite3_column_text(stmt, i);

	return text == NULL ? "" : (const char *)text;
}

uint64_t
db_count(sqlite3_stmt *stmt, int i)
{
	sqlite3_int64 n = sqlite3_column_int64(stmt, i);

	return n < 0 ? 0 : (uint64_t)n;
}

static void
read_rows(
    struct db *db, const char *sql, int64_t with, db_row_fn *fn, void *arg)
{
	sqlite3_stmt *stmt = db_prepare(db, sql);
	int rc;

	if (stmt != NULL && db_bind_number(db, stmt, 1, with))
		while (
		    db_check(db, rc = sqlite3_step(stmt)) && rc == SQLITE_ROW)
			fn(stmt, arg);
	(void)sqlite3_finalize(stmt);
}

int
db_read(struct db *db, int64_t format, const char *sql, int64_t with,
    db_row_fn *fn, void *arg, struct err *err)
{
	char path[DB_PATH_SIZE];
	int64_t tables = 0;
	int rc;

	if (db_path(db, ".db", path, err) < 0)
		return -1;
	if (access(path, R_OK | W_OK) < 0)
		return errno == ENOENT ? 0 : db_fail_path(path, err);
	if (db_open(db, path, format) &&
	    db_ask(db, "SELECT count(*) FROM sqlite_schema", 0, &tables) &&
	    tables > 0)
		read_rows(db, sql, with, fn, arg);
	rc = db->rc == SQLITE_OK ? 0 : db_fail(db, err);
	db_close(db);
	return rc;
}
