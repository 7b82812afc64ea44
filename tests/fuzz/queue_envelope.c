/* An envelope as a segment holds it: what is accepted encodes to the same. */
#include <assert.h>
#include <stdint.h>

#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	struct arena *arena = arena_new(1 << 20);
	struct envelope envelope;
	struct err err;
	struct buf again;

	if (envelope_decode(bytes, arena, &envelope, &err) == 0) {
		buf_init(&again, size);
		assert(envelope_size(&envelope) == size);
		assert(envelope_encode(&envelope, &again) == 0);
		assert(span_eq(buf_span(&again), bytes));
		buf_free(&again);
	}
	arena_free(&arena);
	return 0;
}
