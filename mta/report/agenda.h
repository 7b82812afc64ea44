/*
 * The domains whose records are still to be looked up, by the time when that
 * is due.  Pure.
 *
 * Ownership: an item belongs to the agenda from agenda_add() to agenda_next().
 */
#pragma once
#include <stdbool.h>
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
	void *names; /* tsearch(3) by day and domain */
};

struct agenda_item *agenda_item_new(
    int64_t due, int64_t day, const char *domain);
void agenda_item_free(struct agenda_item **item);

void agenda_add(struct agenda *agenda, struct agenda_item *item);
/* The first one that is due by then; NULL: none. */
struct agenda_item *agenda_next(struct agenda *agenda, int64_t now);
/* Is one about this day and domain there? */
bool agenda_has(const struct agenda *agenda, int64_t day, const char *domain);
void agenda_free(struct agenda *agenda);

/*
 * So many lookups run at once.  Of names below one zone, by their last two
 * labels, a fifth, and of those that failed before a half: who has many names
 * and slow servers, or none, leaves room for others.
 */
#define AGENDA_LOOKUPS_MAX 20
#define AGENDA_OF_ZONE_MAX 4
#define AGENDA_TRIED_MAX   10

/* Whose it is: its last two labels. */
const char *agenda_zone(const char *domain);
/* May its record be looked up beside those that are, n of them? */
bool agenda_has_turn(const struct agenda_item *item,
    const struct agenda_item *const *running, size_t n);
