#include "mta/lookup/sqlite.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"

#define STEPS_BETWEEN 10000 /* of SQLite's machine, and a look at the clock */

struct sqlite_lookup {
	const struct config_lookup *by;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	uint64_t until;   /* ms, monotonic */
	struct stat file; /* that is open */
};

struct sqlite_lookup *
sqlite_lookup_new(const struct config_lookup *by)
{
	struct sqlite_lookup *lookup = mem_new(sizeof(*lookup));

	lookup->by = by;
	return lookup;
}

static void
shut(struct sqlite_lookup *lookup)
{
	(void)sqlite3_finalize(lookup->stmt);
	(void)sqlite3_close(lookup->db);
	lookup->stmt = NULL;
	lookup->db = NULL;
}

void
sqlite_lookup_free(struct sqlite_lookup **lookup)
{
	if (*lookup == NULL)
		return;
	shut(*lookup);
	mem_free(*lookup);
	*lookup = NULL;
}

static int
on_progress(void *arg)
{
	const struct sqlite_lookup *lookup = arg;

	return clock_mono_ms() >= lookup->until;
}

static int
fail(const struct sqlite_lookup *lookup, struct err *err)
{
	return err_set(err, ERR_TEMP, "4.3.0", "%s: %s", lookup->by->path,
	    lookup->db == NULL ? "out of memory" : sqlite3_errmsg(lookup->db));
}

/* Nothing in the file may have more run than the query. */
static void
restrain(sqlite3 *db)
{
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(
	    db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
}

static int
open_db(struct sqlite_lookup *lookup, struct err *err)
{
	const struct config_lookup *by = lookup->by;

	if (sqlite3_open_v2(by->path, &lookup->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(lookup, err);
	restrain(lookup->db);
	(void)sqlite3_busy_timeout(lookup->db, (int)by->timeout_ms / 2);
	sqlite3_progress_handler(
	    lookup->db, STEPS_BETWEEN, on_progress, lookup);
	if (sqlite3_prepare_v3(lookup->db, by->query, -1,
		SQLITE_PREPARE_PERSISTENT, &lookup->stmt, NULL) != SQLITE_OK)
		return fail(lookup, err);
	return 0;
}

/* Another file may have come in its place. */
static int
open_anew(struct sqlite_lookup *lookup, struct err *err)
{
	struct stat now = {0};

	if (stat(lookup->by->path, &now) == 0 && lookup->stmt != NULL &&
	    now.st_dev == lookup->file.st_dev &&
	    now.st_ino == lookup->file.st_ino)
		return 0;
	shut(lookup);
	lookup->file = now;
	return open_db(lookup, err);
}

/* Rows into one list; 0 with *ret_rows, or -1. */
static int
collect(struct sqlite_lookup *lookup, struct buf *value, unsigned *ret_rows,
    struct err *err)
{
	unsigned rows = 0;
	int rc;

	while ((rc = sqlite3_step(lookup->stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(
		    lookup->stmt, 0);

		if (text == NULL)
			continue;
		if (buf_printf(value, rows++ == 0 ? "%s" : ", %s", text) < 0)
			return err_set(err, ERR_TEMP, "4.3.0",
			    "%s: too many rows", lookup->by->path);
	}
	*ret_rows = rows;
	return rc == SQLITE_DONE ? 0 : fail(lookup, err);
}

static int
ask(struct sqlite_lookup *lookup, const char *key, struct buf *value,
    unsigned *ret_rows, struct err *err)
{
	int rc;

	lookup->until = clock_mono_ms() + lookup->by->timeout_ms;
	if (open_anew(lookup, err) < 0)
		return -1;
	if (sqlite3_bind_text(lookup->stmt, 1, key, -1, SQLITE_STATIC) !=
	    SQLITE_OK)
		return fail(lookup, err);
	rc = collect(lookup, value, ret_rows, err);
	(void)sqlite3_reset(lookup->stmt);
	(void)sqlite3_clear_bindings(lookup->stmt);
	return rc;
}

void
sqlite_lookup_ask(struct sqlite_lookup *lookup, const char *key,
    struct buf *value, struct said *said)
{
	unsigned rows = 0;
	struct err err;

	buf_clear(value);
	if (ask(lookup, key, value, &rows, &err) < 0) {
		shut(lookup);
		said_fail(said, "4.3.0", "%s", err.text);
		return;
	}
	*said = (struct said){.kind = rows == 0 ? ANSWER_MISSING : ANSWER_FOUND,
	    .value = buf_span(value)};
}

int
sqlite_lookup_check(const struct config_lookup *by, struct err *err)
{
	struct sqlite_lookup *lookup = sqlite_lookup_new(by);
	int rc;

	lookup->until = clock_mono_ms() + by->timeout_ms;
	rc = open_db(lookup, err);
	if (rc == 0 && lookup->stmt == NULL)
		rc = err_set(
		    err, ERR_PERM, "5.3.5", "query: expected a statement");
	else if (rc == 0 && (!sqlite3_stmt_readonly(lookup->stmt) ||
				sqlite3_column_count(lookup->stmt) < 1))
		rc = err_set(
		    err, ERR_PERM, "5.3.5", "query: expected a select");
	else if (rc == 0 && sqlite3_bind_parameter_count(lookup->stmt) != 1)
		rc = err_set(err, ERR_PERM, "5.3.5",
		    "query: expected one parameter, written as ?");
	sqlite_lookup_free(&lookup);
	return rc;
}
