/* The input is a file in the drop folder; its checks are mended first, so
 * that the fuzzer gets to what stands behind them. */
#include "mta/drop.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "mta/smtp/grammar.h"

#define ARENA_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_envelope(const struct envelope *envelope)
{
	struct address address;
	struct err err;

	assert(envelope->nrcpts > 0);
	assert(!envelope->internal && !envelope->tls &&
	       envelope->tls_wish == TLS_WISH_NONE);
	assert(envelope->client[0] == '\0' && envelope->session[0] == '\0');
	for (size_t i = 0; i < envelope->nrcpts; i++)
		assert(
		    strcasecmp(envelope->rcpts[i].address, "postmaster") == 0 ||
		    grammar_mailbox(span_of(envelope->rcpts[i].address),
			PATH_FORWARD, &address, &err) == 0);
}

static void
try_envelope(struct drop_header header, struct span bytes)
{
	struct arena *arena = arena_new(ARENA_MAX);
	uint8_t again[DROP_HEADER];
	struct envelope envelope;
	struct err err;

	drop_put_header(&header, bytes, again);
	if (drop_take_envelope(&header, bytes, arena, &envelope, &err) == 0)
		check_envelope(&envelope);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size};
	struct drop_header header;
	char name[64] = "";

	memcpy(name, data, size < sizeof(name) - 1 ? size : sizeof(name) - 1);
	assert(!drop_is_begun(name) || drop_is_name(name));
	assert(!drop_is_temporary(name) || !drop_is_name(name));
	if (drop_take_header(all, size, &header)) {
		struct span bytes = span_from(
		    all, DROP_HEADER + (size_t)header.message);

		assert(bytes.n == header.envelope);
		try_envelope(header, bytes);
	}
	header = (struct drop_header){0};
	try_envelope(header, all);
	return 0;
}
