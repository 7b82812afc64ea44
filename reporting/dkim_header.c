#include "reporting/dkim_header.h"

#include "base/mem.h"
#include "reporting/dkim_canon.h"
#include "reporting/dkim_crypto.h"
#include "reporting/dkim_tags.h"

/* --- collecting ----------------------------------------------------------- */

void
dkim_header_init(struct dkim_header *header)
{
	*header = (struct dkim_header){0};
	buf_init(&header->bytes, DKIM_HEADER_MAX);
}

void
dkim_header_free(struct dkim_header *header)
{
	buf_free(&header->bytes);
	mem_free(header->fields);
	header->fields = NULL;
	header->nfields = 0;
}

/* RFC 5322 3.5: an empty line ends it.  How much it is with that, or 0. */
static size_t
find_end(struct span bytes, size_t from)
{
	const char *end;

	if (span_eq(span_first(bytes, 2), SPAN("\r\n")))
		return 2;
	from = from > 3 ? from - 3 : 0;
	end = bytes.n == 0
	          ? NULL
	          : memmem(bytes.p + from, bytes.n - from, "\r\n\r\n", 4);
	return end == NULL ? 0 : (size_t)(end - bytes.p) + 4;
}

/* RFC 5322 2.2: printable ASCII without a colon; blanks may stand behind. */
static struct span
name_of(struct span raw)
{
	const char *colon = raw.n == 0 ? NULL : memchr(raw.p, ':', raw.n);
	struct span name = {raw.p, 0};
	struct span none = name;

	if (colon == NULL)
		return none;
	name.n = (size_t)(colon - raw.p);
	while (name.n > 0 &&
	       (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return none;
	return name;
}

/* The field at the front: its line and those that begin with a blank. */
static size_t
field_length(struct span rest)
{
	size_t n = 0;

	for (;;) {
		const char *end = memmem(rest.p + n, rest.n - n, "\r\n", 2);

		if (end == NULL)
			return rest.n;
		n = (size_t)(end - rest.p) + 2;
		if (n == rest.n || (rest.p[n] != ' ' && rest.p[n] != '\t'))
			return n - 2;
	}
}

int
dkim_header_end(struct dkim_header *header)
{
	struct span rest = buf_span(&header->bytes);
	struct dkim_field *fields = mem_array(
	    DKIM_FIELDS_MAX, sizeof(*header->fields));

	header->complete = true;
	header->fields = fields;
	while (rest.n > 0) {
		struct span raw = span_first(rest, field_length(rest));

		if (header->nfields == DKIM_FIELDS_MAX)
			return -1;
		fields[header->nfields++] = (struct dkim_field){
		    .name = name_of(raw), .raw = raw};
		rest = span_from(rest, raw.n + 2);
	}
	return 0;
}

int
dkim_header_feed(struct dkim_header *header, struct span *piece)
{
	size_t had = header->bytes.n;
	struct span take = span_first(*piece, DKIM_HEADER_MAX - had);
	size_t end;

	if (buf_add(&header->bytes, take) < 0)
		return -1;
	end = find_end(buf_span(&header->bytes), had);
	if (end == 0) {
		bool over = take.n < piece->n;

		*piece = span_from(*piece, take.n);
		return over ? -1 : 0;
	}
	*piece = span_from(*piece, end - had);
	header->bytes.n = end - 2;
	return dkim_header_end(header);
}

size_t
dkim_header_count(const struct dkim_header *header, struct span name)
{
	size_t n = 0;

	for (size_t i = 0; i < header->nfields; i++)
		n += span_eq_nocase(header->fields[i].name, name);
	return n;
}

/* --- what is signed ------------------------------------------------------- */

/*
 * RFC 6376 5.4.2: of fields with one name the last comes first, and each
 * counts once.  Which one a name of h= means, or DKIM_NO_FIELD.
 */
static size_t
find_last(const struct dkim_header *header, struct span name, const bool *used)
{
	for (size_t i = header->nfields; name.n > 0 && i-- > 0;)
		if (!used[i] && span_eq_nocase(header->fields[i].name, name))
			return i;
	return DKIM_NO_FIELD;
}

static int
add_field(enum dkim_canon canon, struct span raw, const char *end,
    struct dkim_hash *hash)
{
	struct buf text;
	int rc;

	buf_init(&text, raw.n + 2);
	rc = dkim_canon_field(canon, raw, &text);
	if (rc == 0)
		rc = buf_add_str(&text, end);
	if (rc == 0)
		dkim_hash_add(hash, buf_span(&text));
	buf_free(&text);
	return rc;
}

/* Each name of h= marks its field as used; hash may be NULL. */
static int
walk(const struct dkim_header *header, const struct dkim_cover *cover,
    bool *used, struct dkim_hash *hash)
{
	struct dkim_list names = {.rest = cover->names};
	struct span name;

	/* RFC 6376 3.7: the signature is not part of its own h= */
	if (cover->own != DKIM_NO_FIELD)
		used[cover->own] = true;
	while (dkim_list_next(&names, &name)) {
		size_t i = find_last(header, name, used);

		/* RFC 6376 5.4: what does not exist is the null string */
		if (i == DKIM_NO_FIELD)
			continue;
		used[i] = true;
		if (hash != NULL &&
		    add_field(
			cover->canon, header->fields[i].raw, "\r\n", hash) < 0)
			return -1;
	}
	return 0;
}

int
dkim_header_hash(const struct dkim_header *header,
    const struct dkim_cover *cover, unsigned char ret[DKIM_HASH_SIZE])
{
	bool used[DKIM_FIELDS_MAX] = {false};
	struct dkim_hash *hash = dkim_hash_new();
	int rc = walk(header, cover, used, hash);

	/* RFC 6376 3.7: then the signature itself, without a CRLF */
	if (rc == 0)
		rc = add_field(cover->canon, cover->field, "", hash);
	if (dkim_hash_end(hash, ret) < 0)
		rc = -1;
	dkim_hash_free(&hash);
	return rc;
}

bool
dkim_header_covers(const struct dkim_header *header,
    const struct dkim_cover *cover, struct span name)
{
	bool used[DKIM_FIELDS_MAX] = {false};

	(void)walk(header, cover, used, NULL);
	return dkim_header_count(header, name) > 0 &&
	       find_last(header, name, used) == DKIM_NO_FIELD;
}
