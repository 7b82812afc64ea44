/*
 * The counts of audit.h on disk: an SQLite file in the state folder, one row
 * a day and key.  Every call opens it, works and closes it, so none holds
 * anything in between; they may block, and belong on a worker thread.
 *
 *   audit.db          the counts; mode 0600, of the roles' account
 *   audit.lock        whoever writes has it locked: one at a time
 *   audit.db.damaged  what could not be read; the one before is gone
 *
 * Bounded: AUDIT_DAYS days, AUDIT_ROWS_A_DAY rows in each (audit.h tells what
 * becomes of more).
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "mta/audit.h"

#define AUDIT_DAYS       30
#define AUDIT_ROWS_A_DAY 20000

struct audit_store {
	const char *folder; /* must be there */
	unsigned wait_ms;   /* for others who write, and for readers */
	size_t rows_a_day;  /* 0: AUDIT_ROWS_A_DAY */
};

/*
 * Add all of it, or nothing: then ERR_TEMP.  A file that cannot be understood
 * is set aside, with the reason in *ret_damaged, and a new one begun;
 * ret_damaged->kind is ERR_NONE otherwise.  Older days are forgotten.
 */
int audit_store_add(const struct audit_store *store,
    const struct audit_table *table, int64_t now, struct err *ret_damaged,
    struct err *err);

/* The sums for one destination. */
struct audit_sums {
	uint64_t counts[AUDIT_ENDS];
	int64_t first, last;
};

typedef void audit_read_fn(
    const struct audit_row *row, const struct audit_sums *sums, void *arg);

/*
 * What was counted since that day, summed up: destinations with the most that
 * was or would be refused first, and of each the rows in the same order.
 * Texts live for the callback; row->day means nothing.  Without a file there
 * is nothing to read.
 */
int audit_store_read(const struct audit_store *store, int64_t since_day,
    audit_read_fn *fn, void *arg, struct err *err);

/* Forget everything. */
int audit_store_reset(const struct audit_store *store, struct err *err);
