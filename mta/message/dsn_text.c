/* Strangers' text in lines of ours. */
#include <stdio.h>

#include "base/text.h"
#include "mta/message/dsn_private.h"

void
dsn_put_span(struct dsn_out *out, struct span bytes)
{
	if (buf_add(out->buf, bytes) < 0)
		out->full = true;
}

void
dsn_put(struct dsn_out *out, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		out->full = true;
	else
		dsn_put_span(out, (struct span){line, (size_t)n});
}

static bool
is_printable(unsigned char c, bool utf8)
{
	return (c >= ' ' && c < 0x7f) || (c >= 0x80 && utf8);
}

void
dsn_put_clean(struct dsn_out *out, struct span text)
{
	bool utf8 = out->utf8 && text_is_utf8(text);

	for (size_t i = 0; i < text.n; i++)
		if (is_printable((unsigned char)text.p[i], utf8))
			dsn_put_span(out, (struct span){text.p + i, 1});
		else
			dsn_put_span(out, SPAN("?"));
}

/* Blanks, and every control character but line ends, part words. */
static bool
is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* As much of a word as fits a line; UTF-8 is not cut in a character. */
static struct span
word_piece(struct span word)
{
	size_t n = DSN_LINE_HARD;

	if (word.n <= n)
		return word;
	while (
	    n > DSN_LINE_HARD - 4 && ((unsigned char)word.p[n] & 0xc0) == 0x80)
		n--;
	return span_first(word, n);
}

static void
put_word(
    struct dsn_out *out, struct span word, size_t *column, const char *indent)
{
	while (word.n > 0) {
		struct span piece = word_piece(word);

		dsn_put_clean(out, piece);
		*column += piece.n;
		word = span_from(word, piece.n);
		if (word.n > 0) {
			dsn_put(out, "\r\n%s", indent);
			*column = strlen(indent);
		}
	}
}

void
dsn_put_wrapped(
    struct dsn_out *out, struct span text, size_t column, const char *indent)
{
	size_t at = 0;
	bool first = true;

	while (at < text.n) {
		size_t from;
		bool new_line = false;

		for (; at < text.n && is_blank(text.p[at]); at++)
			new_line |= text.p[at] == '\n' || text.p[at] == '\r';
		from = at;
		while (at < text.n && !is_blank(text.p[at]))
			at++;
		if (at == from)
			break;
		if (!first &&
		    (new_line || column + 1 + at - from > DSN_LINE_GOOD)) {
			dsn_put(out, "\r\n%s", indent);
			column = strlen(indent);
		} else if (!first) {
			dsn_put_span(out, SPAN(" "));
			column++;
		}
		put_word(out, (struct span){text.p + from, at - from}, &column,
		    indent);
		first = false;
	}
}
