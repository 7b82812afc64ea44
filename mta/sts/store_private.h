/* Private to mta/sts/store*.c: the open file. */
#pragma once
#include <sys/types.h>

#include "mta/sts/store_row.h"

enum store_sql {
	SQL_FORMAT = 0,
	SQL_GET,
	SQL_NOTE,    /* what is known of tries and use */
	SQL_REPLACE, /* everything */
	SQL_FORGET,
	SQL_NEXT,
	SQL_MAYBE_OVER,
	SQL_MAYBE_DUE,
	SQLS,
};

struct sts_store {
	struct db db;
	char *folder;
	dev_t dev; /* of the file that is open: it may be replaced */
	ino_t ino;
	sqlite3_stmt *stmts[SQLS];
	struct arena *scratch; /* room for one policy */
};

/* 1: the file that is there now is open; 0: there is none. */
int store_ready(struct sts_store *store, struct err *err);
/* -1, and what went wrong; the file is opened anew when it is used again. */
int store_fail(struct sts_store *store, struct err *err);
/* One step, and where there is no row the end of it. */
bool store_take_step(
    struct sts_store *store, enum store_sql sql, bool *ret_row);
void store_reset(struct sts_store *store, enum store_sql sql);
/* store_ready() is 1.  The entry of a domain, or an empty one. */
int store_find(struct sts_store *store, const char *domain, struct arena *arena,
    struct sts_entry *ret, struct err *err);
