/*
 * The domains whose records are still to be looked up, by the time when that
 * is due.  Pure.
 *
 * Ownership: an item belongs to the agenda from agenda_add() to agenda_next().
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct agenda_item {
	int64_t due; /* wall time, seconds */
	int64_t day;
	uint32_t tries; /* lookups that failed */
	char *domain;
};

/* Zeroed is empty. */
struct agenda {
	struct agenda_item **items; /* a heap, the first one due in front */
	size_t n, cap;
};

struct agenda_item *agenda_item_new(
    int64_t due, int64_t day, const char *domain);
void agenda_item_free(struct agenda_item **item);

void agenda_add(struct agenda *agenda, struct agenda_item *item);
/* The first one that is due by then; NULL: none. */
struct agenda_item *agenda_next(struct agenda *agenda, int64_t now);
void agenda_free(struct agenda *agenda);
