/*
 * What enforcement has refused, or would have: deliveries counted by where
 * they went and why.  A table in memory, pure; audit_store.h keeps it.
 *
 * A table has a limit.  What comes when it is full is counted all the same,
 * as one row whose key is empty: "the others".  Rows without a reason leave a
 * quarter of the room to those with one.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_DAY_S 86400

/* How a delivery ended, as far as transport security goes. */
enum audit_end {
	AUDIT_REFUSED = 0,  /* enforcement is on, and no host would do */
	AUDIT_WOULD_REFUSE, /* delivered; with enforcement on it were not */
	AUDIT_ALLOWED,      /* might be sent, enforced or not */
	AUDIT_ENDS,
};

/* Text is never NULL. */
struct audit_key {
	const char *destination; /* as target_text() writes it */
	const char *host;
	const char *tls;    /* see decision_text() */
	const char *reason; /* "" for what is allowed */
};

struct audit_row {
	struct audit_key key;
	int64_t day; /* of the epoch, UTC */
	uint64_t counts[AUDIT_ENDS];
	int64_t first, last; /* seconds of the wall clock */
};

struct audit_table;

struct audit_table *audit_table_new(size_t max);
void audit_table_free(struct audit_table **table);
/* One more; the texts are copied. */
void audit_count(struct audit_table *table, const struct audit_key *key,
    enum audit_end end, int64_t now);
/* A row with what it counts: what could not be stored, for one. */
void audit_add(struct audit_table *table, const struct audit_row *from);
/* Rows, the others among them. */
size_t audit_rows(const struct audit_table *table);

typedef void audit_row_fn(const struct audit_row *row, void *arg);
/* Day by day. */
void audit_each(const struct audit_table *table, audit_row_fn *fn, void *arg);

/* May a row of this kind be added where `n` are, of at most `max`? */
bool audit_has_room(const struct audit_key *key, size_t n, size_t max);
bool audit_is_others(const struct audit_key *key);
extern const struct audit_key audit_others;
