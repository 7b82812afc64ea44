/* XXH3-64 with a seed: against bad disks and stale bytes, not against people
 * who know the seed.  The only place that knows the library. */
#pragma once
#include <stdint.h>

#include "base/span.h"

uint64_t checksum(struct span bytes, uint64_t seed);

/* The same over bytes that come in pieces. */
struct checksum;

struct checksum *checksum_new(uint64_t seed);
void checksum_add(struct checksum *sum, struct span bytes);
uint64_t checksum_value(const struct checksum *sum);
void checksum_reset(struct checksum *sum, uint64_t seed);
void checksum_free(struct checksum **sum);
