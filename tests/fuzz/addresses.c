/* A field with addresses; whatever comes out is one line without blanks
 * outside of quotes. */
#include "mta/message/addresses.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_address(void *arg, const char *address, struct err *err)
{
	(void)err;
	++*(size_t *)arg;
	assert(address[0] != '\0' && strlen(address) < 1100);
	assert(strchr(address, '@') != NULL);
	if (strpbrk(address, "\"[") == NULL)
		assert(strpbrk(address, " \t\r\n<>,;:()") == NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	size_t n = 0;
	struct err err = {0};

	if (addresses_read(text, "here.example", on_address, &n, &err) < 0)
		assert(err.kind == ERR_PERM && err.text[0] != '\0');
	assert(n <= size);
	return 0;
}
