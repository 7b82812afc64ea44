/* A target's text reads back as itself; prefixes are read beside it. */
#include "mta/target.h"

#include <assert.h>
#include <stdint.h>

#include "mta/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	char first[TARGET_TEXT_MAX], second[TARGET_TEXT_MAX];
	struct target target, again;
	struct cidr cidr;
	struct err err;

	if (target_parse(text, &target, &err) == 0) {
		target_text(&target, first);
		assert(target_parse(span_of(first), &again, &err) == 0);
		target_text(&again, second);
		assert(strcmp(first, second) == 0);
	}
	if (cidr_parse(text, &cidr))
		assert(cidr.bits <= 128);
	return 0;
}
