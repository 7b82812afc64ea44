/* The beginning of a mail that came back. */
#include "reporting/bounce.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span mail = {(const char *)data, size};
	char why[BOUNCE_WHY_SIZE];
	enum bounce bounce = bounce_read(mail, "r@b.example", why);

	assert(strlen(why) < sizeof(why));
	for (const char *c = why; *c != '\0'; c++)
		assert(*c >= ' ' && *c <= '~');
	assert(bounce == BOUNCE_FAILED || why[0] == '\0');
	return 0;
}
