/*
 * A small SQLite database of ours in the state folder, and the lock beside it.
 *
 *   NAME.db          mode 0600, of the roles' account
 *   NAME.lock        whoever writes has it locked: one at a time
 *   NAME.db.damaged  what could not be read; the one before is gone
 *
 * Whoever can write the file has no say over what is run: no trigger, no
 * view, no function that is named in it.
 *
 * The first thing that goes wrong is kept in `rc`, and is what is told.
 */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DB_PATH_SIZE 1024
#define DB_MEGABYTES 4096
#define DB_SWEEP_S   86400 /* from a visit to the next that forgets */

struct db {
	const char *folder; /* must be there */
	const char *name;
	unsigned wait_ms; /* for others who write, and for readers */
	sqlite3 *sqlite;  /* NULL: not open */
	int rc;           /* SQLITE_OK: nothing went wrong */
};

/* --- files ---------------------------------------------------------------- */

/* FOLDER/NAME and an ending: ".db". */
int db_path(const struct db *db, const char *end, char to[DB_PATH_SIZE],
    struct err *err);
/* -1, with what errno says of the path. */
int db_fail_path(const char *path, struct err *err);
/* The descriptor that holds the lock; close() lets go of it. */
int db_lock(const struct db *db, int *ret, struct err *err);
/* One with nothing in it, if there is none: SQLite's would be for all. */
int db_make_file(const char *path, struct err *err);
/* None is no error. */
int db_unlink(const struct db *db, const char *end, struct err *err);
/* Both want the lock.  The file, and the journal that is of no use without. */
int db_remove(const struct db *db, struct err *err);
int db_set_aside(const struct db *db, struct err *err);

/* --- what is in them ------------------------------------------------------ */

/*
 * True: nothing went wrong.  `path` must be there; `format` is what the user
 * version has to be, or 0 for a file with nothing in it.
 */
bool db_open(struct db *db, const char *path, int64_t format);
/* From now on the file grows no further; 0: DB_MEGABYTES. */
bool db_limit_size(struct db *db, size_t megabytes);
/* What is not committed is rolled back.  Statements are finalized before. */
void db_close(struct db *db);
bool db_check(struct db *db, int rc);
/* -1, and what went wrong. */
int db_fail(const struct db *db, struct err *err);
/* Will it never be better? */
bool db_is_damaged(int rc);
bool db_run(struct db *db, const char *sql);
/* NULL when it cannot be. */
sqlite3_stmt *db_prepare(struct db *db, const char *sql);
/* The number a statement says; with one parameter, or none. */
bool db_ask(struct db *db, const char *sql, int64_t with, int64_t *ret);
/*
 * In a transaction, where old rows are forgotten: by what time are they old?
 * By that of the visit before, a day ago at least, so that a clock which is
 * ahead for hours costs none.  *ret 0: none go this time.
 */
bool db_sweep(struct db *db, int64_t now, int64_t *ret);
bool db_bind_text(struct db *db, sqlite3_stmt *stmt, int i, const char *text);
bool db_bind_number(struct db *db, sqlite3_stmt *stmt, int i, int64_t number);

/* Of a row: "" where there is no text, 0 for what is less. */
const char *db_text(sqlite3_stmt *stmt, int i);
uint64_t db_count(sqlite3_stmt *stmt, int i);

typedef void db_row_fn(sqlite3_stmt *stmt, void *arg);

/*
 * Open the file, give each row of a statement whose parameter is `with` to
 * `fn`, and close it.  No file, or one that was made a moment ago and has
 * nothing in it yet, has no rows.  *db says where, and is not left open; its rc
 * is what went wrong, if it was the file.
 */
int db_read(struct db *db, int64_t format, const char *sql, int64_t with,
    db_row_fn *fn, void *arg, struct err *err);
