/* See header.h. */
#include "mta/milter/header.h"

#include "base/mem.h"
#include "base/text.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 2.2, and 4.5.8 with its blanks before the colon; 0: no field. */
static size_t
name_length(struct span line)
{
	size_t n = 0, end;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f &&
	       line.p[n] != ':')
		n++;
	for (end = n; end < line.n && is_blank(line.p[end]);)
		end++;
	return end < line.n && line.p[end] == ':' ? n : 0;
}

/* One line without its CRLF; *rest goes behind it. */
static struct span
take_line(struct span *rest)
{
	const char *lf = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	size_t n = lf == NULL ? rest->n : (size_t)(lf - rest->p);
	struct span line = span_first(*rest, n);

	*rest = span_from(*rest, lf == NULL ? n : n + 1);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
room(struct milter_header *header)
{
	size_t size = header->size == 0 ? 32 : 2 * header->size;

	if (header->n >= MILTER_FIELDS_MAX)
		return false;
	if (header->n < header->size)
		return true;
	header->list = mem_grow(header->list,
	    header->size * sizeof(header->list[0]),
	    size * sizeof(header->list[0]));
	header->size = size;
	return true;
}

static int
place(struct milter_header *header, size_t at, struct milter_field field)
{
	if (!room(header))
		return -1;
	for (size_t i = header->n; i > at; i--)
		header->list[i] = header->list[i - 1];
	header->list[at] = field;
	header->n++;
	return 0;
}

static int
read_fields(struct milter_header *header, struct span *rest)
{
	while (rest->n > 0) {
		struct span from = *rest;
		struct span line = take_line(rest);
		size_t name = name_length(line);

		if (line.n == 0) {
			header->separated = true;
			return 0;
		}
		if (name == 0) {
			*rest = from;
			return 0;
		}
		/* RFC 5322 2.2.3 */
		while (rest->n > 0 && is_blank(rest->p[0])) {
			struct span more = take_line(rest);

			line.n = (size_t)(more.p - line.p) + more.n;
		}
		if (place(header, header->n,
			(struct milter_field){line, name}) < 0)
			return -1;
	}
	return 0;
}

int
milter_header_read(struct milter_header *header, struct arena *arena,
    struct span own, struct span message, size_t *ret_body)
{
	struct span rest = message;
	struct span trace = text_trim(own, "\r\n");

	*header = (struct milter_header){.arena = arena, .own = trace.p};
	if (place(header, 0, (struct milter_field){trace, name_length(trace)}) <
		0 ||
	    read_fields(header, &rest) < 0)
		return -1;
	*ret_body = message.n - rest.n;
	return 0;
}

void
milter_header_free(struct milter_header *header)
{
	mem_free(header->list);
	*header = (struct milter_header){0};
}

void
milter_header_copy(const struct milter_header *from, struct milter_header *ret)
{
	*ret = *from;
	ret->size = from->n;
	ret->list = mem_array(from->n, sizeof(from->list[0]));
	for (size_t i = 0; i < from->n; i++)
		ret->list[i] = from->list[i];
}

struct span
milter_field_name(const struct milter_field *field)
{
	return span_first(field->text, field->name);
}

struct span
milter_field_value(const struct milter_field *field)
{
	size_t at = field->name;

	while (at < field->text.n && field->text.p[at] != ':')
		at++;
	return span_from(field->text, at + 1);
}

/* RFC 5322 2.2.3: its lines end with CRLF, whatever the filter wrote. */
static char *
copy_lines(char *to, struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\r' && i + 1 < value.n && value.p[i + 1] == '\n')
			continue;
		if (c == '\r' || c == '\n') {
			*to++ = '\r';
			c = '\n';
		}
		*to++ = c;
	}
	return to;
}

static int
make(struct milter_header *header, const struct milter_change_field *from,
    struct milter_field *ret)
{
	bool blank = !from->spaced && from->value.n > 0;
	char *text = arena_alloc(
	    header->arena, from->name.n + 2 + 2 * from->value.n);
	char *to = text;

	if (text == NULL)
		return -1;
	memcpy(to, from->name.p, from->name.n);
	to += from->name.n;
	*to++ = ':';
	if (blank)
		*to++ = ' ';
	to = copy_lines(to, from->value);
	*ret = (struct milter_field){{text, (size_t)(to - text)}, from->name.n};
	return 0;
}

int
milter_header_insert(
    struct milter_header *header, const struct milter_change_field *field)
{
	struct milter_field made;
	size_t at = field->index < header->n ? field->index : header->n;

	header->changed = true;
	return make(header, field, &made) < 0 ? -1 : place(header, at, made);
}

int
milter_header_add(
    struct milter_header *header, const struct milter_change_field *field)
{
	struct milter_change_field last = *field;

	last.index = UINT32_MAX;
	return milter_header_insert(header, &last);
}

bool
milter_header_is_own(const struct milter_header *header, size_t i)
{
	return header->list[i].text.p == header->own;
}

static size_t
find(const struct milter_header *header, const struct milter_change_field *what)
{
	uint32_t left = what->index == 0 ? 1 : what->index;

	for (size_t i = 0; i < header->n; i++)
		if (!milter_header_is_own(header, i) &&
		    span_eq_nocase(
			milter_field_name(&header->list[i]), what->name) &&
		    --left == 0)
			return i;
	return header->n;
}

int
milter_header_change(
    struct milter_header *header, const struct milter_change_field *field)
{
	size_t at = find(header, field);

	header->changed = true;
	if (at == header->n)
		return field->value.n == 0 ? 0
		                           : milter_header_add(header, field);
	if (field->value.n > 0)
		return make(header, field, &header->list[at]);
	header->n--;
	for (size_t i = at; i < header->n; i++)
		header->list[i] = header->list[i + 1];
	return 0;
}

int
milter_header_write(
    const struct milter_header *header, bool body, struct buf *out)
{
	for (size_t i = 0; i < header->n; i++)
		if (buf_add(out, header->list[i].text) < 0 ||
		    buf_add(out, SPAN("\r\n")) < 0)
			return -1;
	if (header->separated || (body && header->changed))
		return buf_add(out, SPAN("\r\n"));
	return 0;
}
