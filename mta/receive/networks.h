/*
 * What the networks that clients come from have done: sessions there are, and
 * how fast connections and messages come.  Pure: the clock is a parameter.
 *
 * Bounded: a network that has no session is forgotten when there is no room,
 * the one heard of longest ago first.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mta/cidr.h"

struct networks;

/*
 * So many in so long, and all of them at once at most.  Kept as the time when
 * the last one taken would have come had they come evenly.
 */
struct rate {
	uint64_t due; /* ms; 0: none came yet */
};

/* Count one more; false when it is too many, and then it is not counted.
 * `most` 0: any number. */
bool rate_take(
    struct rate *rate, uint32_t most, uint64_t period_ms, uint64_t now);

struct network {
	struct cidr key; /* first: found by it */
	uint32_t sessions;
	struct rate connections;
	struct rate messages;
	struct network *newer, *older;
};

/* `rows_max` 0: some default.  Sessions are bounded by their own limit. */
struct networks *networks_new(size_t rows_max);
void networks_free(struct networks **networks);
/* It is the newest now; a new one has done nothing.  It stays as long as it
 * has sessions, else until the next call. */
struct network *networks_get(struct networks *networks, const struct cidr *key);
size_t networks_count(const struct networks *networks);
