#include "mta/message/submit.h"

#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "mta/message/encode.h"

/* --- Lines and fields -------------------------------------------------- */

/* With its CRLF; all there is when that is missing. */
static struct span
line_of(struct span text)
{
	const char *lf = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);

	return lf == NULL ? text : span_first(text, (size_t)(lf - text.p) + 1);
}

static bool
is_whole(struct span line)
{
	return line.n > 0 && line.p[line.n - 1] == '\n';
}

static bool
is_folded(struct span line)
{
	return line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* RFC 5322 3.6.8; blanks before the colon are of RFC 5322 4.5. */
static size_t
name_length(struct span line)
{
	size_t n = 0, end;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 127 &&
	       line.p[n] != ':')
		n++;
	for (end = n;
	     end < line.n && (line.p[end] == ' ' || line.p[end] == '\t');)
		end++;
	return end < line.n && line.p[end] == ':' ? n : 0;
}

static bool
is_mbox_line(struct span line)
{
	return line.n > 5 && memcmp(line.p, "From ", 5) == 0;
}

static bool
split_done(struct submit_parts *parts, size_t at, size_t skip_line,
    struct submit_parts *ret)
{
	parts->head = at - parts->skip;
	parts->body = at + skip_line;
	*ret = *parts;
	return true;
}

bool
submit_split(struct span text, bool whole, struct submit_parts *ret)
{
	struct submit_parts parts = {0};
	size_t at = 0;

	while (at < text.n) {
		struct span line = line_of(span_from(text, at));

		if (!is_whole(line) && !whole)
			return false;
		if (at == 0 && is_mbox_line(line))
			parts.skip = line.n;
		else if (line.n == 2 && line.p[0] == '\r')
			return split_done(&parts, at, line.n, ret);
		else if (name_length(line) == 0 &&
			 (!is_folded(line) || at == parts.skip))
			return split_done(&parts, at, 0, ret);
		at += line.n;
	}
	return whole && split_done(&parts, at, 0, ret);
}

/* A field with the lines that continue it. */
static struct span
field_of(struct span rest)
{
	size_t n = line_of(rest).n;

	while (n < rest.n && is_folded(span_from(rest, n)))
		n += line_of(span_from(rest, n)).n;
	return span_first(rest, n);
}

static struct span
body_of(struct span field)
{
	const char *colon = memchr(field.p, ':', field.n);

	return span_from(field, (size_t)(colon - field.p) + 1);
}

/* --- Fields we know ---------------------------------------------------- */

enum {
	FIELD_DROP = 1,
	FIELD_RCPT = 2,   /* names recipients */
	FIELD_RESENT = 4, /* these count instead of the others */
	FIELD_DATE = 8,
	FIELD_FROM = 16,
	FIELD_ID = 32,
};

static unsigned
kind_of(struct span field)
{
	static const struct {
		const char *name;
		unsigned kind;
	} known[] = {
	    {"to", FIELD_RCPT},
	    {"cc", FIELD_RCPT},
	    {"bcc", FIELD_RCPT | FIELD_DROP},
	    {"resent-to", FIELD_RCPT | FIELD_RESENT},
	    {"resent-cc", FIELD_RCPT | FIELD_RESENT},
	    {"resent-bcc", FIELD_RCPT | FIELD_RESENT | FIELD_DROP},
	    /* RFC 5321 4.4: it is made at the final delivery. */
	    {"return-path", FIELD_DROP},
	    {"date", FIELD_DATE},
	    {"from", FIELD_FROM},
	    {"message-id", FIELD_ID},
	};
	struct span name = span_first(field, name_length(field));

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_eq_nocase(name, span_of(known[i].name)))
			return known[i].kind;
	return 0;
}

static unsigned
kinds_of(struct span header)
{
	unsigned all = 0;

	while (header.n > 0) {
		struct span field = field_of(header);

		all |= kind_of(field);
		header = span_from(header, field.n);
	}
	return all;
}

/* --- What is missing --------------------------------------------------- */

/* RFC 2047 2: an encoded word has at most 75 characters. */
#define WORD_OCTETS 42

/* As many octets as make whole characters. */
static size_t
word_length(struct span name)
{
	size_t n = name.n;

	if (n <= WORD_OCTETS)
		return n;
	for (n = WORD_OCTETS; n > 0 && (name.p[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

static int
put_encoded(struct span name, struct buf *out)
{
	int rc = 0;

	while (rc == 0 && name.n > 0) {
		size_t n = word_length(name);

		rc = buf_add_str(out, "=?utf-8?B?");
		if (rc == 0)
			rc = base64_encode(span_first(name, n), out);
		if (rc == 0) {
			out->n -= 2; /* its CRLF */
			name = span_from(name, n);
			rc = buf_add_str(out, name.n > 0 ? "?=\r\n " : "?=");
		}
	}
	return rc;
}

/* RFC 5322 3.2.4 */
static int
put_quoted(struct span name, struct buf *out)
{
	int rc = buf_add(out, SPAN("\""));

	for (size_t i = 0; rc == 0 && i < name.n; i++) {
		char c = name.p[i];

		if (c < ' ' || c == 127)
			continue;
		if (c == '"' || c == '\\')
			rc = buf_add(out, SPAN("\\"));
		if (rc == 0)
			rc = buf_add(out, (struct span){name.p + i, 1});
	}
	return rc == 0 ? buf_add(out, SPAN("\"")) : -1;
}

static int
put_from(const struct submit *submit, struct buf *out)
{
	struct span name = span_of(submit->name);
	int rc = buf_add_str(out, "From: ");

	if (name.n == 0 || !text_is_utf8(name))
		return rc == 0 ? buf_printf(out, "%s\r\n", submit->from) : -1;
	if (rc == 0)
		rc = text_is_ascii(name) ? put_quoted(name, out)
		                         : put_encoded(name, out);
	return rc == 0 ? buf_printf(out, " <%s>\r\n", submit->from) : -1;
}

/* RFC 6409 8.2, 8.3: what a message must have, a server may add. */
static int
put_missing(unsigned there, const struct submit *submit, struct buf *out)
{
	char date[CLOCK_RFC5322_SIZE];
	int rc = 0;

	clock_rfc5322(submit->now, date);
	if ((there & FIELD_DATE) == 0)
		rc = buf_printf(out, "Date: %s\r\n", date);
	if (rc == 0 && (there & FIELD_FROM) == 0)
		rc = put_from(submit, out);
	if (rc == 0 && (there & FIELD_ID) == 0)
		rc = buf_printf(out, "Message-ID: <%s@%s>\r\n", submit->id,
		    submit->hostname);
	return rc;
}

/* --- The header -------------------------------------------------------- */

static int
read_rcpts(struct span field, unsigned kind, bool resent,
    const struct submit *submit, struct err *err)
{
	if (submit->found == NULL || (kind & FIELD_RCPT) == 0 ||
	    ((kind & FIELD_RESENT) != 0) != resent)
		return 0;
	return addresses_read(
	    body_of(field), submit->hostname, submit->found, submit->arg, err);
}

static int
put_field(struct span field, unsigned kind, struct buf *out)
{
	if ((kind & FIELD_DROP) != 0)
		return 0;
	if (buf_add(out, field) < 0)
		return -1;
	return is_whole(field) ? 0 : buf_add(out, SPAN("\r\n"));
}

int
submit_header(struct span header, const struct submit *submit, struct buf *out,
    struct err *err)
{
	unsigned there = kinds_of(header);
	bool resent = (there & FIELD_RESENT) != 0;
	int rc = 0;

	while (rc == 0 && header.n > 0) {
		struct span field = field_of(header);
		unsigned kind = kind_of(field);

		if (read_rcpts(field, kind, resent, submit, err) < 0)
			return -1;
		rc = put_field(field, kind, out);
		header = span_from(header, field.n);
	}
	if (rc == 0)
		rc = put_missing(there, submit, out);
	if (rc == 0)
		rc = buf_add(out, SPAN("\r\n"));
	return rc == 0
	           ? 0
	           : err_set(err, ERR_PERM, "5.3.4", "the header is too large");
}
