/* The first line is an address, the rest the file it is looked up in. */
#include "mta/recipients.h"

#include <assert.h>
#include <stdint.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_up(const struct recipients *recipients, const char *address)
{
	const char *const *targets;

	if (recipients_find(recipients, address, &targets) != RECIPIENT_ALIAS) {
		assert(targets == NULL);
		return;
	}
	assert(*targets != NULL);
	for (; *targets != NULL; targets++)
		assert((*targets)[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size};
	const char *end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t n = end == NULL ? size : (size_t)(end - all.p);
	char *address = mem_strndup(n == 0 ? "" : all.p, n);
	struct recipients *recipients = NULL;
	struct buf problems;

	buf_init(&problems, 1 << 20);
	if (recipients_parse(span_from(all, n + 1), "fuzz", RECIPIENTS_FOLD,
		&recipients, &problems) == 0) {
		assert(problems.n == 0);
		look_up(recipients, address);
	}
	recipients_free(&recipients);
	buf_free(&problems);
	mem_free(address);
	return 0;
}
