#include "base/mem.h"

#include <malloc.h>
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

void *
mem_lend(size_t size)
{
	return size == 0 ? NULL : malloc(size);
}

void *
mem_lend_more(void *p, size_t size)
{
	size_t old = p == NULL ? 0 : malloc_usable_size(p);
	void *more;

	if (size > 0 && size <= old)
		return p;
	more = mem_lend(size);
	if (more == NULL && size > 0)
		return NULL;
	if (more != NULL && old > 0)
		memcpy(more, p, old);
	mem_give_back(p);
	return more;
}

void
mem_give_back(void *p)
{
	mem_wipe_free(p, p == NULL ? 0 : malloc_usable_size(p));
}
