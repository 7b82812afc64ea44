/*
 * What sessions of others with us came to, on disk: an SQLite file in the
 * state folder, from which `danelaw report summary` tells what was seen here
 * of those whom a report names.  Each call opens it, works and closes it; they
 * may block.
 *
 *   inbound.db          mode 0600, of the roles' account
 *   inbound.lock        whoever writes has it locked: one at a time
 *   inbound.db.damaged  what could not be read; the one before is gone
 *
 * Strangers choose what comes, so it is bounded, and nobody can push another
 * out: a day has room for so many rows of sessions in which TLS was tried, and
 * for as many of the others, which any scan of ports makes; of either no
 * network (an IPv4 /16, an IPv6 /32) has more than a tenth, and the last
 * quarter is for addresses that were seen the day before, too.  What has no
 * row is counted in one number a day, without an address: `untold`.
 *
 * A day also has from when to when it was counted, and what is missing in
 * between: without these nothing follows from an address that is not there.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "reporting/inbound.h"

#define INBOUND_ROWS 50000 /* a day, of either sort */
/* Seconds.  Who is away for less has missed nothing worth telling of. */
#define INBOUND_GAP 900

struct inbound_store {
	const char *folder; /* must be there */
	unsigned wait_ms;   /* for others who write, and for readers */
	size_t rows;        /* 0: INBOUND_ROWS */
};

struct inbound_batch {
	const struct inbound_seen *seen;
	size_t n;
	uint64_t untold;  /* sessions of which no more is known */
	int64_t from, to; /* seconds: of this time nothing is missing */
	int64_t days;     /* older ones are forgotten: db_sweep() */
};

/*
 * All of it or nothing: -1 (ERR_TEMP).  A file that is damaged is set aside,
 * and the next call begins a new one.
 */
int inbound_store_add(const struct inbound_store *store,
    const struct inbound_batch *batch, struct err *err);
/* The file is gone, with whatever stands in it. */
int inbound_store_remove(const struct inbound_store *store, struct err *err);

/* --- to look -------------------------------------------------------------- */

struct inbound_day {
	int64_t first, last; /* seconds; 0: nothing was counted */
	int64_t gap;         /* of these were not counted, in between */
	uint64_t untold;     /* sessions without an address */
};

struct inbound_view;

/*
 * As it is now.  No file is no error: no day is in it.  *ret_first is the
 * first day that is; 0: none.
 */
int inbound_view_open(const struct inbound_store *store,
    struct inbound_view **ret, int64_t *ret_first, struct err *err);
int inbound_view_day(struct inbound_view *view, int64_t day,
    struct inbound_day *ret, struct err *err);

typedef void inbound_seen_fn(const struct inbound_seen *seen, void *arg);

/* One of an address a kind of outcome. */
int inbound_view_look(struct inbound_view *view, int64_t day,
    const uint8_t address[INBOUND_ADDRESS], inbound_seen_fn *fn, void *arg,
    struct err *err);
void inbound_view_close(struct inbound_view **view);
