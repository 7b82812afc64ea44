/* A borrowed run of bytes.  Never owns, never NUL-terminated. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

/* For string literals only. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span
span_of(const char *s)
{
	return (struct span){s, s == NULL ? 0 : strlen(s)};
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The bytes from `from` on; empty when there are none. */
static inline struct span
span_from(struct span s, size_t from)
{
	if (from >= s.n)
		return (struct span){s.p == NULL ? NULL : s.p + s.n, 0};
	return (struct span){s.p + from, s.n - from};
}

/* The first `n` bytes, or all when there are fewer. */
static inline struct span
span_first(struct span s, size_t n)
{
	return (struct span){s.p, n < s.n ? n : s.n};
}

/* ASCII case folded; safe for bytes of any value. */
bool span_eq_nocase(struct span a, struct span b);
bool span_starts_nocase(struct span s, struct span prefix);
