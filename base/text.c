#include "base/text.h"

#include <stdio.h>

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_is_alpha(char c)
{
	c = text_lower(c);
	return c >= 'a' && c <= 'z';
}

bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
text_is_alnum(char c)
{
	return text_is_alpha(c) || text_is_digit(c);
}

bool
span_eq_nocase(struct span a, struct span b)
{
	return a.n == b.n && span_starts_nocase(a, b);
}

bool
span_starts_nocase(struct span s, struct span prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (text_lower(s.p[i]) != text_lower(prefix.p[i]))
			return false;
	return true;
}

static bool
is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

void
text_make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if (!is_printable(*s))
			*s = '?';
}

static size_t
escape_byte(char c, char out[5])
{
	static const char hex[] = "0123456789abcdef";

	if (is_printable(c) && c != '\\') {
		out[0] = c;
		return 1;
	}
	out[0] = '\\';
	if (c == '\\') {
		out[1] = '\\';
		return 2;
	}
	out[1] = 'x';
	out[2] = hex[((unsigned char)c >> 4) & 15];
	out[3] = hex[(unsigned char)c & 15];
	return 4;
}

static size_t
escaped_length(struct span s)
{
	char out[5];
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += escape_byte(s.p[i], out);
	return n;
}

void
text_escape(struct span s, char *to, size_t size)
{
	size_t keep = escaped_length(s) < size ? 1 : sizeof("...");
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char out[5];
		size_t k = escape_byte(s.p[i], out);

		if (n + k + keep > size) {
			memcpy(to + n, "...", keep);
			return;
		}
		memcpy(to + n, out, k);
		n += k;
	}
	to[n] = '\0';
}

bool
text_parse_u64(struct span s, uint64_t *ret)
{
	uint64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!text_is_digit(s.p[i]) ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(s.p[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool
text_parse_u32(struct span s, uint32_t *ret)
{
	uint64_t value;

	if (!text_parse_u64(s, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

int
text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_hex(const void *bytes, size_t n, char *to)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = hex[p[i] >> 4];
		to[2 * i + 1] = hex[p[i] & 15];
	}
	to[2 * n] = '\0';
}

void
text_fold(char *s)
{
	for (; *s != '\0'; s++)
		*s = text_lower(*s);
}

/* RFC 3629 4: the length of the sequence at s.p, or 0 when malformed. */
static size_t
utf8_length(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || s.n < n)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	if (p[0] == 0xed)
		hi = 0x9f;
	if (p[0] == 0xf0)
		lo = 0x90;
	if (p[0] == 0xf4)
		hi = 0x8f;
	for (size_t i = 1; i < n; i++) {
		if (p[i] < lo || p[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return n;
}

bool
text_is_utf8(struct span s)
{
	while (s.n > 0) {
		size_t n = utf8_length(s);

		if (n == 0)
			return false;
		s = span_from(s, n);
	}
	return true;
}

bool
text_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static bool
is_one_of(char c, const char *set)
{
	while (*set != '\0' && *set != c)
		set++;
	return *set != '\0';
}

struct span
text_trim(struct span s, const char *blanks)
{
	while (s.n > 0 && is_one_of(s.p[0], blanks))
		s = span_from(s, 1);
	while (s.n > 0 && is_one_of(s.p[s.n - 1], blanks))
		s.n--;
	return s;
}

bool
text_copy(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size;
}

bool
text_copy_span(char *to, size_t size, struct span from)
{
	size_t n = from.n < size - 1 ? from.n : size - 1;

	if (n > 0)
		memcpy(to, from.p, n);
	to[n] = '\0';
	return n == from.n;
}
