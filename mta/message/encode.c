/* Encodings of bounces. */
#include "mta/message/encode.h"

#include "base/text.h"

#define QP_LINE 76

/* RFC 3461 4: upper-case digits only. */
static int
upper_hex_value(char c)
{
	return c >= 'a' ? -1 : text_hex_value(c);
}

/* The octet of the "+41" that s begins with, or -1. */
static int
escaped(struct span s)
{
	int high = s.n < 3 ? -1 : upper_hex_value(s.p[1]);
	int low = s.n < 3 ? -1 : upper_hex_value(s.p[2]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Forget what was added since `from`; always -1. */
static int
undo(struct buf *out, size_t from)
{
	out->n = from;
	return -1;
}

int
xtext_decode(struct span text, struct buf *out)
{
	size_t from = out->n;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '+') {
			int octet = escaped(span_from(text, i));

			if (octet < 0)
				return undo(out, from);
			c = (char)octet;
			i += 2;
		} else if (c <= ' ' || c >= 0x7f || c == '=') {
			return undo(out, from);
		}
		if (buf_add(out, (struct span){&c, 1}) < 0)
			return undo(out, from);
	}
	return 0;
}

/* The code point at the front of well-formed UTF-8, and its octets. */
static uint32_t
code_point(struct span utf8, size_t *ret_n)
{
	unsigned char first = (unsigned char)utf8.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t value = n == 1 ? first : first & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		value = value << 6 | ((unsigned char)utf8.p[i] & 0x3fu);
	*ret_n = n;
	return value;
}

int
unitext_encode(struct span utf8, struct buf *out)
{
	size_t from = out->n;

	if (!text_is_utf8(utf8))
		return -1;
	while (utf8.n > 0) {
		size_t n;
		uint32_t value = code_point(utf8, &n);
		bool plain = value > ' ' && value < 0x7f && value != '\\' &&
		             value != '+' && value != '=';
		int result = plain ? buf_add(out, span_first(utf8, 1))
		                   : buf_printf(out, "\\x{%02X}", value);

		if (result < 0)
			return undo(out, from);
		utf8 = span_from(utf8, n);
	}
	return 0;
}

/* RFC 3629 3; surrogates are no characters. */
static int
add_code_point(uint32_t value, struct buf *out)
{
	char utf8[4];
	size_t n = value < 0x80      ? 1
	           : value < 0x800   ? 2
	           : value < 0x10000 ? 3
	                             : 4;

	if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return -1;
	for (size_t i = n; i > 1; i--, value >>= 6)
		utf8[i - 1] = (char)(0x80 | (value & 0x3f));
	utf8[0] = (char)(n == 1 ? value : ((0xf00u >> n) & 0xff) | value);
	return buf_add(out, (struct span){utf8, n});
}

/* \x{2 to 6 digits}: its length, or 0 when it is none.  RFC 5234 2.3: of
 * either case. */
static size_t
take_hexpoint(struct span text, uint32_t *ret)
{
	uint32_t value = 0;
	size_t i = 3;

	if (text.n < 6 || memcmp(text.p, "\\x{", 3) != 0)
		return 0;
	for (; i < text.n && i < 9 && text_hex_value(text.p[i]) >= 0; i++)
		value = value << 4 | (uint32_t)text_hex_value(text.p[i]);
	if (i < 5 || i == text.n || text.p[i] != '}')
		return 0;
	*ret = value;
	return i + 1;
}

int
unitext_decode(struct span text, struct buf *out)
{
	size_t from = out->n;

	while (text.n > 0) {
		uint32_t value;
		size_t n = 1;

		if (text.p[0] != '\\') {
			if (buf_add(out, span_first(text, 1)) < 0)
				return undo(out, from);
		} else {
			n = take_hexpoint(text, &value);
			if (n == 0 || add_code_point(value, out) < 0)
				return undo(out, from);
		}
		text = span_from(text, n);
	}
	return 0;
}

/* RFC 2045 6.7 (2), (3): printable, and no blank before a line end. */
static bool
is_literal(struct span rest)
{
	char c = rest.p[0];

	if (c == ' ' || c == '\t')
		return rest.n > 1 && rest.p[1] != '\r';
	return c > ' ' && c < 0x7f && c != '=';
}

int
quoted_printable_encode(struct span text, struct buf *out)
{
	size_t from = out->n;
	size_t column = 0;

	while (text.n > 0) {
		bool end = text.n > 1 && text.p[0] == '\r' && text.p[1] == '\n';
		bool literal = !end && is_literal(text);
		size_t width = literal ? 1 : 3;
		int result = 0;

		if (!end && column + width >= QP_LINE) {
			result |= buf_add_str(out, "=\r\n");
			column = 0;
		}
		if (end)
			result |= buf_add_str(out, "\r\n");
		else if (literal)
			result |= buf_add(out, span_first(text, 1));
		else
			result |= buf_printf(
			    out, "=%02X", (unsigned char)text.p[0]);
		if (result < 0)
			return undo(out, from);
		column = end ? 0 : column + width;
		text = span_from(text, end ? 2 : 1);
	}
	return 0;
}
