/* A local part, a line end, and a domain: the path never leaves /m/. */
#include <assert.h>
#include <string.h>

#include "mta/deliver/maildir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *cut = size > 0 ? memchr(text, '\n', size) : NULL;
	size_t n = cut == NULL ? size : (size_t)(cut - text);
	struct span local = {text, n};
	struct span domain = span_from((struct span){text, size}, n + 1);
	char path[300];
	size_t slashes = 0;
	struct err err;

	if (size == 0 || maildir_path("/m/%d/%u", local, domain, path,
			     sizeof(path), &err) < 0)
		return 0;
	assert(strncmp(path, "/m/", 3) == 0 && strlen(path) < sizeof(path));
	assert(strstr(path, "/.") == NULL && strstr(path, "//") == NULL);
	assert(path[strlen(path) - 1] != '/');
	for (const char *c = path; *c != '\0'; c++) {
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
		slashes += *c == '/';
	}
	assert(slashes == 3);
	return 0;
}
