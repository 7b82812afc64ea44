#include "reporting/dkim_canon.h"

#include "base/text.h"

/* --- header fields -------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * RFC 6376 3.4.2: unfolded, each run of blanks one space, none at the ends.
 * In a field each CRLF stands before a blank, so it is part of such a run.
 */
static size_t
relax_value(struct span value, char *to)
{
	bool blank = false;
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		if (is_blank(value.p[i])) {
			blank = true;
			continue;
		}
		if (i + 1 < value.n && value.p[i] == '\r' &&
		    value.p[i + 1] == '\n') {
			i++;
			continue;
		}
		if (blank && n > 0)
			to[n++] = ' ';
		blank = false;
		to[n++] = value.p[i];
	}
	return n;
}

/* RFC 6376 3.4.2: name in small letters, no blanks around the colon */
static int
relax(struct span field, struct buf *out)
{
	const char *colon = memchr(field.p, ':', field.n);
	size_t before = colon == NULL ? field.n : (size_t)(colon - field.p);
	struct span name = text_trim(span_first(field, before), " \t");
	char *to = buf_reserve(out, field.n);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < name.n; i++)
		*to++ = text_lower(name.p[i]);
	out->n += name.n;
	if (colon == NULL)
		return 0;
	*to++ = ':';
	out->n += 1 + relax_value(span_from(field, before + 1), to);
	return 0;
}

int
dkim_canon_field(enum dkim_canon canon, struct span field, struct buf *out)
{
	if (field.n == 0)
		return 0;
	/* RFC 6376 3.4.1: exactly as they are in the message */
	return canon == DKIM_SIMPLE ? buf_add(out, field) : relax(field, out);
}

/* --- bodies --------------------------------------------------------------- */

void
dkim_body_init(
    struct dkim_body *body, enum dkim_canon canon, dkim_sink *sink, void *arg)
{
	*body = (struct dkim_body){.canon = canon, .sink = sink, .arg = arg};
}

static void
flush(struct dkim_body *body)
{
	if (body->n > 0)
		body->sink((struct span){body->bytes, body->n}, body->arg);
	body->n = 0;
}

static void
put(struct dkim_body *body, char c)
{
	if (body->n == sizeof(body->bytes))
		flush(body);
	body->bytes[body->n++] = c;
}

static void
put_end(struct dkim_body *body)
{
	put(body, '\r');
	put(body, '\n');
}

/* An octet that is no part of a line's end. */
static void
take_octet(struct dkim_body *body, char c)
{
	/* RFC 6376 3.4.4: blanks are one space, and none before an end */
	if (body->canon == DKIM_RELAXED && is_blank(c)) {
		body->blank = true;
		return;
	}
	for (; body->ends > 0; body->ends--)
		put_end(body);
	if (body->blank)
		put(body, ' ');
	body->blank = false;
	body->any = true;
	put(body, c);
}

static void
take(struct dkim_body *body, char c)
{
	if (body->cr) {
		body->cr = false;
		if (c == '\n') {
			body->blank = false;
			body->ends++;
			return;
		}
		take_octet(body, '\r');
	}
	if (c == '\r')
		body->cr = true;
	else
		take_octet(body, c);
}

void
dkim_body_feed(struct dkim_body *body, struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		take(body, bytes.p[i]);
}

/*
 * RFC 6376 3.4.3: empty lines at the end are not there, and the last line has
 * an end; of an empty body remains one CRLF.  RFC 6376 3.4.4: or nothing.
 */
void
dkim_body_end(struct dkim_body *body)
{
	if (body->cr)
		take_octet(body, '\r');
	body->cr = false;
	body->ends = 0;
	if (body->canon == DKIM_SIMPLE || body->any)
		put_end(body);
	flush(body);
}
