/*
 * The policies a process has in memory: what the store has of each domain it
 * delivers to, and what DNS last said of it.  Bounded; the row used longest
 * ago goes first, and one that is pinned does not go.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mta/sts/known.h"
#include "policy/sts_record.h"

struct sts_search;
struct sts_table;

struct sts_row {
	char *domain;              /* first: rows are found by it */
	struct sts_known *known;   /* NULL: the store has not been asked */
	struct sts_record record;  /* UNKNOWN: DNS has not */
	uint64_t record_until;     /* loop_now() */
	char *trouble;             /* what the last fetch came to, or NULL */
	const char *trouble_type;  /* RFC 8460 4.3.2, or "" */
	struct sts_search *search; /* under way, or NULL; pins the row */
	size_t size;               /* as counted */
	struct sts_row *newer, *older;
};

/* Zero: some default. */
struct sts_table *sts_table_new(size_t rows_max, size_t octets_max);
/* Nothing may be pinned. */
void sts_table_free(struct sts_table **table);

/* The row of a domain, now the newest; a new one knows nothing. */
struct sts_row *sts_table_get(struct sts_table *table, const char *domain);
/* NULL: none.  It keeps its age. */
struct sts_row *sts_table_find(struct sts_table *table, const char *domain);
/* `known` is taken over; what the row had is dropped. */
void sts_table_learn(
    struct sts_table *table, struct sts_row *row, struct sts_known *known);
/* Every row is to ask the store and DNS once more. */
void sts_table_forget(struct sts_table *table);
void sts_row_forget(struct sts_row *row);
/* What the last fetch came to: copied, "" for nothing; `type` is static. */
void sts_row_trouble(struct sts_row *row, const char *text, const char *type);
/* One that is under way, or NULL: for who has to end them all. */
struct sts_search *sts_table_search(struct sts_table *table);
size_t sts_table_rows(const struct sts_table *table);
