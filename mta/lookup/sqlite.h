/*
 * A question to a database of somebody else's: opened to be read only, the
 * address bound to the one parameter of the query, and no longer than the
 * lookup's timeout.  Blocking: for the thread pool, one question at a time.
 */
#pragma once
#include "base/buf.h"
#include "mta/config.h"
#include "mta/lookup/said.h"

struct sqlite_lookup;

struct sqlite_lookup *sqlite_lookup_new(const struct config_lookup *by);
void sqlite_lookup_free(struct sqlite_lookup **lookup);

/*
 * The first column of all rows, with ", " between them, goes to *value (with
 * its limit), and said->value is that.  A row of NULL counts as none.
 */
void sqlite_lookup_ask(struct sqlite_lookup *lookup, const char *key,
    struct buf *value, struct said *said);

/* -1: it cannot be opened, or the query is not one this can do. */
int sqlite_lookup_check(const struct config_lookup *by, struct err *err);
