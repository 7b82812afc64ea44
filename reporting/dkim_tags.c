#include "reporting/dkim_tags.h"

#include <stdint.h>

#include "base/text.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 6376 2.8: a CR or LF is there only as CRLF before a blank. */
static bool
is_fold(struct span rest)
{
	return rest.n > 2 && rest.p[0] == '\r' && rest.p[1] == '\n' &&
	       is_blank(rest.p[2]);
}

/*
 * RFC 6376 3.2: VALCHAR and FWS.  Of its advice not to preclude UTF-8 comes
 * that octets above 127 pass; where they would matter, they do not.
 */
static bool
has_right_octets(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_fold(span_from(text, i)))
			i += 2;
		else if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return text_is_utf8(text);
}

/* RFC 6376 3.2: tag-name = ALPHA *ALNUMPUNC */
static bool
is_name(struct span name)
{
	if (name.n == 0 || !text_is_alpha(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!text_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	return true;
}

static const struct dkim_tag *
find(const struct dkim_tags *tags, struct span name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (span_eq(tags->list[i].name, name))
			return &tags->list[i];
	return NULL;
}

/* What stands before, between or behind semicolons. */
static const char *
take_tag(struct span text, struct dkim_tags *tags)
{
	const char *equals = memchr(text.p, '=', text.n);
	struct dkim_tag tag;

	if (equals == NULL)
		return "a tag has no \"=\" (RFC 6376 3.2)";
	tag.name = span_first(text, (size_t)(equals - text.p));
	tag.whole = span_from(text, tag.name.n + 1);
	tag.name = text_trim(tag.name, DKIM_FWS);
	tag.value = text_trim(tag.whole, DKIM_FWS);
	if (!is_name(tag.name))
		return "the name of a tag is none (RFC 6376 3.2)";
	/* RFC 6376 3.2: "the entire tag-list is invalid" */
	if (find(tags, tag.name) != NULL)
		return "a tag stands there twice (RFC 6376 3.2)";
	if (tags->n == DKIM_TAGS_MAX)
		return "there are too many tags (RFC 6376 3.2)";
	tags->list[tags->n++] = tag;
	return NULL;
}

const char *
dkim_tags_read(struct span text, struct dkim_tags *ret)
{
	ret->n = 0;
	if (!has_right_octets(text))
		return "there is an octet that may not be there (RFC 6376 3.2)";
	do {
		const char *end = text.n == 0 ? NULL
		                              : memchr(text.p, ';', text.n);
		struct span tag = end == NULL ? text
		                              : span_first(text,
						    (size_t)(end - text.p));
		const char *wrong;

		/* RFC 6376 3.2: one ";" may stand at the end. */
		if (end == NULL && ret->n > 0 &&
		    text_trim(tag, DKIM_FWS).n == 0)
			return NULL;
		if (tag.n == 0)
			return "a tag is empty (RFC 6376 3.2)";
		wrong = take_tag(tag, ret);
		if (wrong != NULL)
			return wrong;
		if (end == NULL)
			return NULL;
		text = span_from(text, tag.n + 1);
	} while (true);
}

const struct dkim_tag *
dkim_tags_find(const struct dkim_tags *tags, const char *name)
{
	return find(tags, span_of(name));
}

bool
dkim_list_next(struct dkim_list *list, struct span *ret_item)
{
	const char *colon;

	if (list->ended)
		return false;
	colon = list->rest.n == 0 ? NULL
	                          : memchr(list->rest.p, ':', list->rest.n);
	list->ended = colon == NULL;
	*ret_item = list->rest;
	if (colon != NULL) {
		size_t n = (size_t)(colon - list->rest.p);

		*ret_item = span_first(list->rest, n);
		list->rest = span_from(list->rest, n + 1);
	}
	*ret_item = text_trim(*ret_item, DKIM_FWS);
	return true;
}

bool
dkim_list_has(struct span text, const char *word)
{
	struct dkim_list list = {.rest = text};
	struct span item;

	while (dkim_list_next(&list, &item))
		if (span_eq(item, span_of(word)))
			return true;
	return false;
}

/* 0 to 63; -1: no digit of base64. */
static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* The digits, from the front of *text; -1 over `room`. */
static int
read_digits(struct span *text, unsigned char *to, size_t room, size_t *ret_n)
{
	uint32_t bits = 0;
	size_t digits = 0;
	size_t n = 0;

	for (; text->n > 0; *text = span_from(*text, 1)) {
		int digit = digit_of(text->p[0]);

		if (memchr(DKIM_FWS, text->p[0], sizeof(DKIM_FWS) - 1) != NULL)
			continue;
		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		if (digits++ % 4 == 0)
			continue;
		if (n == room)
			return -1;
		to[n++] = (unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	*ret_n = n;
	/* What is left of the last digit: none, two or four bits. */
	if (digits == 0 || digits % 4 == 1 ||
	    (digits % 4 == 2 && (bits & 15) != 0) ||
	    (digits % 4 == 3 && (bits & 3) != 0))
		return -1;
	return (int)(digits % 4);
}

int
dkim_base64_read(
    struct span text, unsigned char *to, size_t room, size_t *ret_n)
{
	int over = read_digits(&text, to, room, ret_n);
	int equals = 0;

	if (over < 0)
		return -1;
	for (; text.n > 0; text = span_from(text, 1)) {
		if (text.p[0] == '=')
			equals++;
		else if (memchr(DKIM_FWS, text.p[0], sizeof(DKIM_FWS) - 1) ==
			 NULL)
			return -1;
	}
	return equals == 0 || (over > 0 && equals == 4 - over) ? 0 : -1;
}
