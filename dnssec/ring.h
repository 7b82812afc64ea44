/*
 * A list that ends where it begins.
 *
 * A struct ring is a list's head or an element's link.  A head alone is an
 * empty list; a link alone is in no list, and ring_remove() leaves it so.
 */
#pragma once
#include <stdbool.h>

struct ring {
	struct ring *next;
	struct ring *previous;
};

static inline void
ring_init(struct ring *ring)
{
	ring->next = ring;
	ring->previous = ring;
}

static inline bool
ring_is_empty(const struct ring *ring)
{
	return ring->next == ring;
}

static inline void
ring_remove(struct ring *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	ring_init(link);
}

static inline void
ring_append(struct ring *ring, struct ring *link)
{
	link->previous = ring->previous;
	link->next = ring;
	ring->previous->next = link;
	ring->previous = link;
}
