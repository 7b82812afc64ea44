#include "base/base64.h"

#include <stdint.h>

#define LINE 57 /* octets that make 76 characters */

static size_t
quad_of(struct span in, char to[4])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				     "pqrstuvwxyz0123456789+/";
	size_t n = in.n < 3 ? in.n : 3;
	uint32_t bits = 0;

	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < n ? (unsigned char)in.p[i] : 0);
	for (size_t i = 0; i < 4; i++)
		to[i] = i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=';
	return n;
}

static int
undo(struct buf *out, size_t from)
{
	out->n = from;
	return -1;
}

int
base64_encode(struct span bytes, struct buf *out)
{
	size_t from = out->n;

	while (bytes.n > 0) {
		struct span line = span_first(bytes, LINE);
		char quad[4];

		bytes = span_from(bytes, line.n);
		while (line.n > 0) {
			size_t n = quad_of(line, quad);

			if (buf_add(out, (struct span){quad, 4}) < 0)
				return undo(out, from);
			line = span_from(line, n);
		}
		if (buf_add_str(out, "\r\n") < 0)
			return undo(out, from);
	}
	return 0;
}
