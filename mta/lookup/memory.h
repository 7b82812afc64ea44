/* What was said, for as long as it may be relied upon.  Pure; bounded. */
#pragma once
#include "mta/lookup/said.h"

struct memory;

/* Nothing is kept of what has 0 ms; `most` answers at once. */
struct memory *memory_new(uint32_t found_ms, uint32_t missing_ms, size_t most);
void memory_free(struct memory **memory);

/* ret->value is good until the next call. */
bool memory_find(
    struct memory *memory, const char *key, uint64_t now, struct said *ret);
void memory_add(struct memory *memory, const char *key, uint64_t now,
    const struct said *said);
