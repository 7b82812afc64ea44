#include "queue/checksum.h"

#include <assert.h>
#include <stddef.h>
#include <xxhash.h>

#include "base/mem.h"

struct checksum {
	XXH3_state_t *state;
};

uint64_t
checksum(struct span bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes.p, bytes.n, seed);
}

struct checksum *
checksum_new(uint64_t seed)
{
	struct checksum *sum = mem_new(sizeof(*sum));

	/* The library's own: the state has to stand on a 64-byte boundary. */
	sum->state = XXH3_createState();
	assert(sum->state != NULL);
	checksum_reset(sum, seed);
	return sum;
}

void
checksum_reset(struct checksum *sum, uint64_t seed)
{
	(void)XXH3_64bits_reset_withSeed(sum->state, seed);
}

void
checksum_add(struct checksum *sum, struct span bytes)
{
	if (bytes.n > 0)
		(void)XXH3_64bits_update(sum->state, bytes.p, bytes.n);
}

uint64_t
checksum_value(const struct checksum *sum)
{
	return XXH3_64bits_digest(sum->state);
}

void
checksum_free(struct checksum **sump)
{
	struct checksum *sum = *sump;

	*sump = NULL;
	if (sum == NULL)
		return;
	(void)XXH3_freeState(sum->state);
	mem_free(sum);
}
