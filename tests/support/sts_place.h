/* A folder with a store of policies in it, for one test. */
#pragma once
#include "mta/sts/store.h"

/* No test's clock is ahead of ours. */
#define NOW INT64_C(1700000000)
#define DAY INT64_C(86400)

struct place {
	char folder[64];
	struct sts_store *store;
	struct arena *arena;
};

int place_set_up(void **state);
int place_tear_down(void **state);

/* FOLDER/NAME, until the next call. */
const char *place_path(const struct place *place, const char *name);

/*
 * A policy that was fetched then and counts for a week, and one of a mode
 * with so many mx.  On the arena.
 */
struct sts_entry place_entry(struct place *place, int64_t fetched_at);
struct sts_entry place_policy(
    struct place *place, int64_t fetched_at, const char *mode, size_t nmx);

/* Each fails the test if it cannot. */
void place_put(
    struct place *place, const char *domain, const struct sts_entry *entry);
struct sts_entry place_get(struct place *place, const char *domain);
/* What it says: it must be -1, and nothing known. */
struct err place_get_fails(struct place *place, const char *domain);
void place_same(const struct sts_entry *a, const struct sts_entry *b);
/* By another connection. */
void place_sql(const struct place *place, const char *sql);
/* With a piece of text for a file. */
void place_write(const struct place *place, const char *text);
