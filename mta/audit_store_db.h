/* Private to mta/audit_store*.c: SQLite, as far as the counts need it. */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>

#include "mta/audit_store.h"

/* In the file's user_version; 0 is one with nothing in it. */
#define AUDIT_DB_FORMAT 1

/* One visit to the file. */
struct audit_db {
	const struct audit_store *store;
	sqlite3 *sqlite;
	sqlite3_stmt *update;
	sqlite3_stmt *insert;
	int64_t day; /* of which `rows` were counted */
	size_t rows;
	int rc; /* of the first thing that went wrong */
};

/* The first thing that goes wrong is what is told; true: nothing did. */
bool audit_db_check(struct audit_db *db, int rc);
int audit_db_fail(const struct audit_db *db, struct err *err);
/* Will it never be better? */
bool audit_db_is_damaged(int rc);
bool audit_db_open(struct audit_db *db, const char *path);
/* What is not committed is rolled back. */
void audit_db_close(struct audit_db *db);
bool audit_db_run(struct audit_db *db, const char *sql);
/* NULL when it cannot be. */
sqlite3_stmt *audit_db_prepare(struct audit_db *db, const char *sql);
/* The number a statement says; with one parameter, or none. */
bool audit_db_ask(
    struct audit_db *db, const char *sql, int64_t with, int64_t *ret);
