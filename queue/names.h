/*
 * Strings kept once: destinations and reasons.  Private to this folder.
 *
 * An entry begins with a struct name and may be bigger; it lives as long as
 * its count is above zero.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct name {
	struct name *next; /* of its bucket */
	uint64_t hash;
	uint32_t count; /* who points here */
	uint32_t size;  /* of the entry, without the text */
	const char *text;
};

struct names {
	struct name **buckets;
	size_t nbuckets; /* a power of two */
	size_t n;
	uint64_t seed;
	size_t bytes; /* of all entries */
};

void names_init(struct names *names, uint64_t seed);
/* Every entry, whatever its count. */
void names_free(struct names *names);

/* The entry of this text, made when new (zeroed, `size` bytes before the
 * text); counted once more. */
struct name *names_take(struct names *names, struct span text, size_t size);
/* NULL when there is none; not counted. */
struct name *names_find(const struct names *names, struct span text);
/* Counted once less; gone at zero.  NULL is fine. */
void names_drop(struct names *names, struct name *name);
