/* RFC 8460 4.5: a policy as a report tells it. */
#include <stdio.h>

#include "base/text.h"
#include "reporting/result.h"
#include "reporting/session.h"

/* What is cut is seen to be. */
#define CUT "..."

/* How much of a text is told, so that the dots have room behind it. */
static size_t
told(size_t n)
{
	return n > REPORT_STRING_MAX ? REPORT_STRING_MAX + 1 - sizeof(CUT) : n;
}

/* RFC 6698 2.2: "3 1 1 0123...", without blanks inside */
static char *
record_text(const struct tlsa_record *record, struct arena *arena)
{
	char head[16];
	size_t n = (size_t)snprintf(head, sizeof(head), "%u %u %u ",
	    (unsigned)record->usage, (unsigned)record->selector,
	    (unsigned)record->matching);
	struct span data = span_first(
	    record->data, (told(n + 2 * record->data.n) - n) / 2);
	char *text = arena_alloc(arena, n + 2 * data.n + sizeof(CUT));

	if (text == NULL)
		return NULL;
	memcpy(text, head, n);
	text_hex(data.p, data.n, text + n);
	if (data.n < record->data.n)
		memcpy(text + n + 2 * data.n, CUT, sizeof(CUT));
	return text;
}

/* RFC 7493 2.1: UTF-8 it has to be; no NUL, for the texts here end at one. */
static char *
line_text(struct span whole, struct arena *arena)
{
	struct span line = span_first(whole, told(whole.n));
	bool ascii = !text_is_utf8(line);
	char *text = arena_alloc(arena, line.n + sizeof(CUT));

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < line.n; i++)
		text[i] = line.p[i] == '\0' ||
		                  (ascii && (unsigned char)line.p[i] >= 0x80)
		              ? '?'
		              : line.p[i];
	if (line.n < whole.n)
		memcpy(text + line.n, CUT, sizeof(CUT));
	return text;
}

/* The next line of a policy, without its end (RFC 8461 3.2). */
static struct span
next_line(struct span *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	struct span line = end == NULL
	                       ? *text
	                       : span_first(*text, (size_t)(end - text->p));

	*text = span_from(*text, line.n + 1);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line = span_first(line, line.n - 1);
	return line;
}

static size_t
count_lines(struct span text)
{
	size_t n = 0;

	while (text.n > 0 && n < REPORT_STRINGS_MAX)
		n += next_line(&text).n > 0;
	return n;
}

static int
put_records(const struct tlsa_set *set, struct arena *arena, const char **to)
{
	for (size_t i = 0; i < set->n; i++) {
		to[i] = record_text(&set->records[i], arena);
		if (to[i] == NULL)
			return -1;
	}
	return 0;
}

static int
put_lines(struct span text, struct arena *arena, const char **to, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct span line = next_line(&text);

		if (line.n == 0)
			continue;
		to[i] = line_text(line, arena);
		if (to[i++] == NULL)
			return -1;
	}
	return 0;
}

int
report_policy_of(const struct report_outcome *outcome, struct arena *arena,
    struct report_policy *ret)
{
	size_t n = outcome->set != NULL ? outcome->set->n
	                                : count_lines(outcome->text);
	const char **strings = arena_alloc(arena, (n + 1) * sizeof(*strings));

	*ret = (struct report_policy){.type = outcome->type,
	    .type_text = report_policy_type_name(outcome->type),
	    .domain = outcome->domain,
	    .strings = strings,
	    .nstrings = n};
	if (outcome->sts != NULL) {
		ret->mx = outcome->sts->mx;
		ret->nmx = outcome->sts->nmx;
	}
	if (strings == NULL)
		return -1;
	return outcome->set != NULL
	           ? put_records(outcome->set, arena, strings)
	           : put_lines(outcome->text, arena, strings, n);
}
