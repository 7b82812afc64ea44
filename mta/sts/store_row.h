/* Private to mta/sts/store*.c: one row of the table, and the entry it is. */
#pragma once
#include "base/db.h"
#include "mta/sts/store.h"

/* The order of columns, and of parameters from 1 on. */
#define STORE_COLUMNS                                                    \
	"domain, id, text, fetched_at, expires_at, last_used, last_try," \
	" tried_id, failures"
/* The same without the text, which is x'' where there is one. */
#define STORE_NUMBERS                                                       \
	"domain, id, iif(text IS NULL, NULL, x''), fetched_at, expires_at," \
	" last_used, last_try, tried_id, failures"

/* May an entry be kept for the domain?  NULL, or why not. */
const char *store_row_problem(
    const char *domain, const struct sts_entry *entry);

/*
 * The entry of STORE_COLUMNS; *ret_domain lives as the row does, and the
 * policy on the arena.  -1: it is none.
 */
int store_row_read(sqlite3_stmt *stmt, struct arena *arena,
    const char **ret_domain, struct sts_entry *ret, struct err *err);
/* That of STORE_NUMBERS: its policy is zeroed. */
int store_row_numbers(sqlite3_stmt *stmt, const char **ret_domain,
    struct sts_entry *ret, struct err *err);

/* All parameters.  The texts are lent until the statement is reset. */
bool store_row_bind(struct db *db, sqlite3_stmt *stmt, const char *domain,
    const struct sts_entry *entry);
