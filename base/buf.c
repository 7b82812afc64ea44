#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FIRST 256

void
buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){.limit = limit};
}

void
buf_free(struct buf *buf)
{
	mem_free(buf->p);
	*buf = (struct buf){.limit = buf->limit};
}

void
buf_clear(struct buf *buf)
{
	buf->n = 0;
}

void
buf_rest(struct buf *buf, size_t cap)
{
	if (buf->n == 0 && buf->cap > cap)
		buf_free(buf);
}

char *
buf_reserve(struct buf *buf, size_t n)
{
	size_t cap = buf->cap == 0 ? FIRST : buf->cap;

	if (n > buf->limit || buf->limit - n < buf->n)
		return NULL;
	if (buf->p != NULL && buf->cap - buf->n >= n)
		return buf->p + buf->n;
	while (cap < buf->n + n)
		cap *= 2;
	if (cap > buf->limit)
		cap = buf->limit;
	buf->p = mem_grow(buf->p, buf->cap, cap);
	buf->cap = cap;
	return buf->p + buf->n;
}

int
buf_add(struct buf *buf, struct span bytes)
{
	char *to = buf_reserve(buf, bytes.n);

	if (to == NULL)
		return -1;
	if (bytes.n > 0)
		memcpy(to, bytes.p, bytes.n);
	buf->n += bytes.n;
	return 0;
}

int
buf_add_str(struct buf *buf, const char *s)
{
	return buf_add(buf, span_of(s));
}

int
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap, again;
	char *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : buf_reserve(buf, (size_t)n + 1);
	if (to != NULL)
		(void)vsnprintf(to, (size_t)n + 1, fmt, again);
	va_end(again);
	if (to == NULL)
		return -1;
	buf->n += (size_t)n;
	return 0;
}

void
buf_shift(struct buf *buf, size_t n)
{
	assert(n <= buf->n);
	buf->n -= n;
	if (buf->n > 0 && n > 0)
		memmove(buf->p, buf->p + n, buf->n);
}
