/*
 * Lists of texts in reports (RFC 8460 4.4: policy-string, mx-host).  What is
 * found is first made into one flat array, then copied.
 */
#include <string.h>

#include "base/text.h"
#include "reporting/json_take.h"
#include "reporting/report_read_json.h"

/* Of JSON inside of a text: a policy has 64 KiB at most (RFC 8461 3.3). */
#define INNER_MAX 65536
/* A list, a text with a list in it, and a list in that. */
#define LEVELS 3

struct flat {
	struct taker *taker;
	const char *name;
	json_t *list;
};

static void flatten(struct flat *flat, const json_t *value, unsigned level);

/* false: there is no room for more. */
static bool
add(struct flat *flat, struct span text)
{
	if (json_array_size(flat->list) == REPORT_LINES_MAX ||
	    flat->taker->nlines == REPORT_ALL_LINES_MAX) {
		take_note(flat->taker, ODD_LONG, flat->name);
		return false;
	}
	flat->taker->nlines++;
	(void)json_array_append_new(flat->list, json_stringn(text.p, text.n));
	return true;
}

/* "[\"version: STSv1\",...]": is it that, and has it been added? */
static bool
add_inner(struct flat *flat, struct span text, unsigned level)
{
	struct span trimmed = text_trim(text, " \t\r\n");
	json_t *inner;

	if (trimmed.n == 0 || trimmed.p[0] != '[' || trimmed.n > INNER_MAX)
		return false;
	inner = json_loadb(trimmed.p, trimmed.n, JSON_ALLOW_NUL, NULL);
	if (inner == NULL)
		return false;
	take_note(flat->taker, ODD_LIST_JSON, flat->name);
	flatten(flat, inner, level + 1);
	json_decref(inner);
	return true;
}

/* RFC 8460 4 speaks of one string with semicolons; a file has lines. */
static void
add_lines(struct flat *flat, struct span text)
{
	while (text.n > 0) {
		size_t n = 0;
		struct span line;

		while (n < text.n && text.p[n] != ';' && text.p[n] != '\n')
			n++;
		line = text_trim(span_first(text, n), " \t\r");
		if (line.n > 0 && !add(flat, line))
			return;
		text = span_from(text, n + 1);
	}
}

static void
flatten_text(struct flat *flat, const json_t *value, unsigned level)
{
	struct span text = {
	    json_string_value(value), json_string_length(value)};

	if (add_inner(flat, text, level))
		return;
	if (level > 0) {
		(void)add(flat, text);
		return;
	}
	take_note(flat->taker, ODD_LIST_TEXT, flat->name);
	add_lines(flat, text);
}

static void
flatten(struct flat *flat, const json_t *value, unsigned level)
{
	size_t i;
	const json_t *item;

	if (json_is_string(value)) {
		flatten_text(flat, value, level);
		return;
	}
	if (!json_is_array(value) || level >= LEVELS) {
		take_note(flat->taker, ODD_TYPE, flat->name);
		return;
	}
	json_array_foreach(value, i, item)
	{
		/* RFC 8460 4.5: never a nested array */
		if (json_is_array(item))
			take_note(flat->taker, ODD_LIST_NESTED, flat->name);
		flatten(flat, item, level + 1);
	}
}

const char *const *
take_list(struct taker *taker, const json_t *object,
    const struct member *member, size_t *ret_n)
{
	const json_t *value = take_member(taker, object, member);
	struct flat flat = {.taker = taker, .name = member->name};
	const char **list = NULL;

	*ret_n = 0;
	if (value == NULL)
		return NULL;
	flat.list = json_array();
	flatten(&flat, value, 0);
	*ret_n = json_array_size(flat.list);
	list = arena_alloc(taker->arena, *ret_n * sizeof(*list));
	taker->full |= list == NULL;
	for (size_t i = 0; list != NULL && i < *ret_n; i++)
		list[i] = take_value(
		    taker, json_array_get(flat.list, i), member);
	if (list == NULL)
		*ret_n = 0;
	json_decref(flat.list);
	return list;
}
