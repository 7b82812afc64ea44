/*
 * Arena: memory that dies with one object (a connection, a transaction, a
 * delivery attempt).  Memory is zeroed.  Nothing in an arena is freed alone,
 * but all that is newer than a mark may be.
 *
 * Two different failures, kept apart on purpose:
 *  - over the arena's limit: arena_alloc() returns NULL, an ordinary error a
 *    peer can cause and the caller must answer;
 *  - malloc() itself failing: the process ends.  The queue is on disk.
 */
#pragma once
#include <stddef.h>

#include "base/span.h"

struct arena;
struct arena_block;

/* A moment in its life; all of them are void after arena_reset(). */
struct arena_mark {
	struct arena_block *block;
	size_t used, total;
};

/* `limit`: most bytes it will ever hand out between two resets. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena **arena);

void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((warn_unused_result));
char *arena_strndup(struct arena *arena, const char *s, size_t n)
    __attribute__((warn_unused_result));

/* A copy of the bytes; {NULL, 0} when over the limit. */
struct span arena_span(struct arena *arena, struct span s);

/* Forget everything, keep the first block.  Poisons it under ASan. */
void arena_reset(struct arena *arena);

struct arena_mark arena_mark(const struct arena *arena);
/* Forget what came after the mark, and any later mark. */
void arena_rewind(struct arena *arena, struct arena_mark mark);
