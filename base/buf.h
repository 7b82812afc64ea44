/*
 * A growing run of bytes, born with its limit.
 *
 * Invariants: n <= cap <= limit.  An append that would pass the limit adds
 * nothing and returns -1; nothing is ever cut in the middle.  A zeroed struct
 * buf has limit 0 and refuses every byte: call buf_init() first.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#include "base/span.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t limit;
};

void buf_init(struct buf *buf, size_t limit);
/* Releases the memory; the limit stays, the buffer can be used again. */
void buf_free(struct buf *buf);
/* Empty it, keep the memory. */
void buf_clear(struct buf *buf);
/* Release the memory if it is empty, and has room for more than this. */
void buf_rest(struct buf *buf, size_t cap);

int buf_add(struct buf *buf, struct span bytes)
    __attribute__((warn_unused_result));
int buf_add_str(struct buf *buf, const char *s)
    __attribute__((warn_unused_result));
int buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));

/* Room for `n` more bytes at buf->p + buf->n, or NULL over the limit. */
char *buf_reserve(struct buf *buf, size_t n)
    __attribute__((warn_unused_result));
/* Forget the first `n` bytes. */
void buf_shift(struct buf *buf, size_t n);

static inline struct span
buf_span(const struct buf *buf)
{
	return (struct span){buf->p, buf->n};
}
