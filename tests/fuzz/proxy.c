/* Whatever comes from an address that a proxy should have. */
#include "mta/receive/proxy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct span all, size_t n, enum proxy_result whole)
{
	struct proxy_header header = {0};
	enum proxy_result result = proxy_read(span_first(all, n), &header);

	/* More octets never change what was said of fewer. */
	assert(result == PROXY_MORE || result == whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size};
	struct proxy_header header = {0};
	enum proxy_result result = proxy_read(all, &header);
	uint8_t bytes[16];

	assert(result != PROXY_MORE || size < PROXY_MAX);
	assert(header.length <= size && header.length <= PROXY_MAX);
	if (result == PROXY_CLIENT)
		assert(inet_pton(AF_INET, header.client, bytes) == 1 ||
		       inet_pton(AF_INET6, header.client, bytes) == 1);
	else
		assert(header.client[0] == '\0');
	for (size_t n = 0; n <= size && n < 200; n++)
		check(all, n, result);
	return 0;
}
