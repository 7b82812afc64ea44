/* Private to reporting/inbox_store*.c. */
#pragma once
#include "base/db.h"
#include "reporting/inbox_store.h"

#define INBOX_FORMAT 1
/* Of failures whose report does not say of what kind they are. */
#define INBOX_UNSPECIFIED "unspecified"

extern const char inbox_make_sql[], inbox_safe_sql[];

struct db inbox_db(const struct inbox_store *store);
/* Never "", which stands for the sessions of a policy. */
const char *inbox_result_type(const struct report_failure *failure);
/* -1; of a file that will never be better, what can be done about it. */
int inbox_fail(const struct db *db, struct err *err);
/* As db_read(). */
int inbox_read_rows(const struct inbox_store *store, const char *sql,
    int64_t with, db_row_fn *fn, void *arg, struct err *err);

/* --- inbox_store_senders.c ------------------------------------------------ */

extern const char inbox_senders_sql[]; /* makes the table */
/* From where the sessions came, of the report with this number. */
bool inbox_put_senders(
    struct db *db, int64_t number, const struct report *report);
