/* Private to reporting/inbox_store*.c. */
#pragma once
#include "base/db.h"
#include "reporting/inbox_store.h"

#define INBOX_FORMAT 1

extern const char inbox_make_sql[], inbox_safe_sql[];

struct db inbox_db(const struct inbox_store *store);
/* -1; of a file that will never be better, what can be done about it. */
int inbox_fail(const struct db *db, struct err *err);
