#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
or_die(void *p)
{
	if (p == NULL) {
		(void)fputs("event=out-of-memory level=error\n", stderr);
		abort();
	}
	return p;
}

void *
mem_new(size_t size)
{
	return or_die(calloc(1, size == 0 ? 1 : size));
}

void *
mem_raw(size_t size)
{
	return or_die(malloc(size == 0 ? 1 : size));
}

void *
mem_array(size_t count, size_t size)
{
	return or_die(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *
mem_grow(void *p, size_t old, size_t size)
{
	char *grown = or_die(realloc(p, size == 0 ? 1 : size));

	if (size > old)
		memset(grown + old, 0, size - old);
	return grown;
}

char *
mem_strdup(const char *s)
{
	return or_die(strdup(s));
}

char *
mem_strndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

void
mem_free(void *p)
{
	free(p);
}

void
mem_wipe_free(void *p, size_t size)
{
	if (p != NULL)
		explicit_bzero(p, size);
	free(p);
}
