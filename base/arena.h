/*
 * Arena: memory that dies with one object (a connection, a transaction, a
 * delivery attempt).  Memory is zeroed.  Nothing in an arena is freed alone.
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
