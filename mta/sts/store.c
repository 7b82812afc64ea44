/*
 * See store.h.
 *
 * The journal is emptied, not removed, after a change: removing it is durable
 * only when the folder is, and a power loss before that would bring it back
 * and undo what was said to be kept.
 *
 * A new file is made beside its place and renamed, so that one with nothing in
 * it is as damaged as any other: it is not "no policies".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/sts/store_private.h"

/* In the file's user_version. */
#define FORMAT 1

static const char make_sql[] =
    "BEGIN;"
    "CREATE TABLE policies ("
    " domain TEXT PRIMARY KEY NOT NULL, id TEXT NOT NULL, text BLOB,"
    " fetched_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " last_used INTEGER NOT NULL, last_try INTEGER NOT NULL,"
    " tried_id TEXT NOT NULL, failures INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1;" /* FORMAT */
    "COMMIT";

static const char safe_sql[] = "PRAGMA journal_mode = TRUNCATE;"
			       "PRAGMA synchronous = FULL";

/* ?1 to ?9 are those of store_row_bind(). */
static const char *const sqls[SQLS] = {
    [SQL_FORMAT] = "PRAGMA user_version",
    [SQL_GET] = "SELECT " STORE_COLUMNS " FROM policies WHERE domain = ?1",
    /* ?10: now.  What comes from a day that has not come is not newer. */
    [SQL_NOTE] = "UPDATE policies SET last_used = max(last_used, ?6),"
		 " last_try = ?7, tried_id = ?8, failures = ?9 WHERE"
		 " domain = ?1"
		 " AND fetched_at > ?4 AND (fetched_at <= ?10 OR ?3 IS NULL)",
    [SQL_REPLACE] = "INSERT OR REPLACE INTO policies (" STORE_COLUMNS ")"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_FORGET] = "DELETE FROM policies WHERE domain = ?1",
    /* ?1: the last one seen; ?2: how many */
    [SQL_NEXT] = "SELECT " STORE_COLUMNS " FROM policies WHERE domain > ?1"
		 " ORDER BY domain LIMIT ?2",
    /* ?1: now */
    [SQL_MAYBE_OVER] = "SELECT " STORE_NUMBERS " FROM policies"
		       " WHERE text IS NULL OR expires_at < ?1",
    [SQL_MAYBE_DUE] = "SELECT " STORE_NUMBERS " FROM policies"
		      " WHERE text IS NOT NULL AND expires_at >= ?1"
		      " ORDER BY expires_at, domain",
};

/* --- the open file -------------------------------------------------------- */

static void
shut(struct sts_store *store)
{
	for (int i = 0; i < SQLS; i++) {
		(void)sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
	db_close(&store->db);
}

int
store_fail(struct sts_store *store, struct err *err)
{
	(void)db_fail(&store->db, err);
	shut(store);
	return -1;
}

static int
open_file(struct sts_store *store, const char *path, struct err *err)
{
	if (!db_open(&store->db, path, FORMAT) || !db_run(&store->db, safe_sql))
		return store_fail(store, err);
	/* One without the table has nothing that these could be for. */
	for (int i = 0; i < SQLS; i++) {
		store->stmts[i] = db_prepare(&store->db, sqls[i]);
		if (store->stmts[i] == NULL)
			return store_fail(store, err);
	}
	return 0;
}

/* Nothing is there, or nothing can be known: a folder that is away. */
static int
look_at_folder(const struct sts_store *store, struct err *err)
{
	if (access(store->folder, W_OK | X_OK) < 0)
		return db_fail_path(store->folder, err);
	return 0;
}

/* It may have become another's while it was open. */
static int
check_format(struct sts_store *store, struct err *err)
{
	bool row = false;
	int64_t format = -1;

	if (!store_take_step(store, SQL_FORMAT, &row))
		return store_fail(store, err);
	if (row)
		format = sqlite3_column_int64(store->stmts[SQL_FORMAT], 0);
	store_reset(store, SQL_FORMAT);
	if (format == FORMAT)
		return 1;
	(void)db_check(&store->db, SQLITE_FORMAT);
	return store_fail(store, err);
}

int
store_ready(struct sts_store *store, struct err *err)
{
	char path[DB_PATH_SIZE];
	struct stat st;

	if (db_path(&store->db, ".db", path, err) < 0)
		return -1;
	if (lstat(path, &st) < 0) {
		int rc = errno == ENOENT ? look_at_folder(store, err)
		                         : db_fail_path(path, err);

		shut(store);
		return rc;
	}
	if (store->db.sqlite != NULL && store->dev == st.st_dev &&
	    store->ino == st.st_ino)
		return check_format(store, err);
	shut(store);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_TEMP, "4.3.0", "%s: not a file", path);
	store->dev = st.st_dev;
	store->ino = st.st_ino;
	if (open_file(store, path, err) < 0)
		return -1;
	return check_format(store, err);
}

int
sts_store_open(const char *folder, unsigned wait_ms, struct sts_store **ret,
    struct err *err)
{
	struct sts_store *store = mem_new(sizeof(*store));

	store->folder = mem_strdup(folder);
	store->scratch = arena_new(STS_POLICY_ARENA);
	store->db = (struct db){
	    .folder = store->folder, .name = "sts", .wait_ms = wait_ms};
	*ret = store;
	return store_ready(store, err) < 0 ? -1 : 0;
}

void
sts_store_close(struct sts_store **storep)
{
	struct sts_store *store = *storep;

	*storep = NULL;
	if (store == NULL)
		return;
	shut(store);
	arena_free(&store->scratch);
	mem_free(store->folder);
	mem_free(store);
}

/* --- a new file ----------------------------------------------------------- */

static bool
sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return done;
}

static int
fill_file(const struct sts_store *store, const char *path, struct err *err)
{
	struct db db = {.folder = store->folder,
	    .name = store->db.name,
	    .wait_ms = store->db.wait_ms};
	bool done = db_open(&db, path, FORMAT) && db_run(&db, make_sql);

	if (!done)
		(void)db_fail(&db, err);
	db_close(&db);
	return done ? 0 : -1;
}

static int
make_file(const struct sts_store *store, struct err *err)
{
	const struct db *db = &store->db;
	char path[DB_PATH_SIZE], begun[DB_PATH_SIZE];

	if (db_path(db, ".db", path, err) < 0 ||
	    db_path(db, ".db.new", begun, err) < 0 ||
	    db_unlink(db, ".db.new", err) < 0 ||
	    db_unlink(db, ".db.new-journal", err) < 0 ||
	    db_make_file(begun, err) < 0 || fill_file(store, begun, err) < 0)
		return -1;
	/* That of a file that is gone would be played into this one. */
	if (db_unlink(db, ".db-journal", err) < 0)
		return -1;
	if (rename(begun, path) < 0 || !sync_folder(store->folder))
		return db_fail_path(path, err);
	return 0;
}

/* With the lock. */
static int
ready_to_write(struct sts_store *store, struct err *err)
{
	int rc = store_ready(store, err);

	if (rc != 0)
		return rc;
	return make_file(store, err) < 0 ? -1 : store_ready(store, err);
}

/* --- one domain ----------------------------------------------------------- */

bool
store_take_step(struct sts_store *store, enum store_sql sql, bool *ret_row)
{
	int rc = sqlite3_step(store->stmts[sql]);

	*ret_row = rc == SQLITE_ROW;
	return db_check(&store->db, rc);
}

void
store_reset(struct sts_store *store, enum store_sql sql)
{
	if (store->stmts[sql] == NULL)
		return;
	(void)sqlite3_reset(store->stmts[sql]);
	(void)sqlite3_clear_bindings(store->stmts[sql]);
}

int
store_find(struct sts_store *store, const char *domain, struct arena *arena,
    struct sts_entry *ret, struct err *err)
{
	sqlite3_stmt *stmt = store->stmts[SQL_GET];
	bool row = false;
	int rc = 0;

	if (!db_bind_text(&store->db, stmt, 1, domain) ||
	    !store_take_step(store, SQL_GET, &row))
		return store_fail(store, err);
	if (row)
		rc = store_row_read(stmt, arena, &domain, ret, err);
	else
		*ret = (struct sts_entry){.state = STS_ENTRY_EMPTY};
	store_reset(store, SQL_GET);
	return rc;
}

int
sts_store_get(struct sts_store *store, const char *domain, struct arena *arena,
    struct sts_entry *ret, struct err *err)
{
	int rc;

	*ret = (struct sts_entry){.state = STS_ENTRY_UNKNOWN};
	rc = store_ready(store, err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return store_find(store, domain, arena, ret, err);
	ret->state = STS_ENTRY_EMPTY;
	return 0;
}

/* How many rows it has changed; -1 for none, as something went wrong. */
static int
change(struct sts_store *store, enum store_sql sql)
{
	bool row;
	int changed = -1;

	if (store->db.rc == SQLITE_OK && store_take_step(store, sql, &row))
		changed = sqlite3_changes(store->db.sqlite);
	store_reset(store, sql);
	return changed;
}

static int
put_row(struct sts_store *store, const char *domain,
    const struct sts_entry *entry, struct err *err)
{
	struct db *db = &store->db;
	int changed = -1;

	if (db_run(db, "BEGIN IMMEDIATE") &&
	    store_row_bind(db, store->stmts[SQL_NOTE], domain, entry) &&
	    db_bind_number(db, store->stmts[SQL_NOTE], 10, clock_wall()))
		changed = change(store, SQL_NOTE);
	if (changed == 0 &&
	    store_row_bind(db, store->stmts[SQL_REPLACE], domain, entry))
		changed = change(store, SQL_REPLACE);
	if (changed > 0 && db_run(db, "COMMIT"))
		return 0;
	return store_fail(store, err);
}

/* What is kept can be read again. */
static int
check_entry(struct sts_store *store, const char *domain,
    const struct sts_entry *entry, struct err *err)
{
	const char *why = store_row_problem(domain, entry);
	struct sts_policy policy;
	int rc = 0;

	if (why != NULL)
		return err_set(
		    err, ERR_BUG, "4.3.0", "sts.db: not kept: %s", why);
	if (entry->state == STS_ENTRY_POLICY)
		rc = sts_policy_read(
		    entry->policy.text, store->scratch, &policy, err);
	arena_reset(store->scratch);
	return rc < 0 ? err_wrap(err, "sts.db: not kept") : 0;
}

int
sts_store_put(struct sts_store *store, const char *domain,
    const struct sts_entry *entry, struct err *err)
{
	int fd, rc;

	if (check_entry(store, domain, entry, err) < 0 ||
	    db_lock(&store->db, &fd, err) < 0)
		return -1;
	rc = ready_to_write(store, err);
	if (rc > 0)
		rc = put_row(store, domain, entry, err);
	(void)close(fd);
	return rc;
}

/* --- forgetting ----------------------------------------------------------- */

static int
forget_row(
    struct sts_store *store, const char *domain, size_t *ret_n, struct err *err)
{
	int changed = -1;

	if (db_bind_text(&store->db, store->stmts[SQL_FORGET], 1, domain))
		changed = change(store, SQL_FORGET);
	if (changed < 0)
		return store_fail(store, err);
	*ret_n = (size_t)changed;
	return 0;
}

int
sts_store_forget(
    struct sts_store *store, const char *domain, size_t *ret_n, struct err *err)
{
	int fd, rc;

	if (db_lock(&store->db, &fd, err) < 0)
		return -1;
	rc = store_ready(store, err);
	if (rc == 0)
		*ret_n = 0;
	else if (rc > 0)
		rc = forget_row(store, domain, ret_n, err);
	(void)close(fd);
	return rc;
}

static void
look_at(const char *domain, const struct sts_entry *entry, void *arg)
{
	(void)domain;
	(void)entry;
	(void)arg;
}

static bool
is_busy(const struct sts_store *store)
{
	int rc = store->db.rc & 0xff;

	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
}

/* A file that others have open keeps its place, if it can. */
static int
forget_all(struct sts_store *store, struct err *err)
{
	int rc = store_ready(store, err);

	if (rc == 0)
		return 0;
	if (rc > 0)
		rc = sts_store_each(store, look_at, NULL, err);
	if (rc < 0 && is_busy(store))
		return -1;
	if (rc < 0)
		return db_set_aside(&store->db, err) < 0 ? -1 : 1;
	if (!db_run(&store->db, "DELETE FROM policies"))
		return store_fail(store, err);
	return 0;
}

int
sts_store_reset(const char *folder, unsigned wait_ms, struct err *err)
{
	struct sts_store *store;
	int fd, rc;

	/* What is wrong with the file is no reason to leave it. */
	(void)sts_store_open(folder, wait_ms, &store, err);
	rc = db_lock(&store->db, &fd, err);
	if (rc == 0) {
		rc = forget_all(store, err);
		(void)close(fd);
	}
	sts_store_close(&store);
	return rc;
}
