#include "reporting/json_scan.h"

#include "base/text.h"

#define BOM "\xef\xbb\xbf"

/* What jansson takes for each, with malloc's own; measured and rounded up. */
#define COST_OBJECT 256
#define COST_ARRAY  144
#define COST_NAME   128
#define COST_VALUE  96

struct scan {
	size_t depth;
	size_t deepest;
	size_t cost;
	bool in_text;
	bool escaped;
	bool mended;
};

/* The well-formed sequence at the start of these bytes; 0: there is none. */
static size_t
sequence(struct span s)
{
	for (size_t n = 1; n <= 4 && n <= s.n; n++)
		if (text_is_utf8(span_first(s, n)))
			return n;
	return 0;
}

static void
mend_utf8(struct buf *text)
{
	size_t i = 0;

	while (i < text->n) {
		size_t n = sequence(span_from(buf_span(text), i));

		if (n == 0)
			text->p[i] = '?';
		i += n == 0 ? 1 : n;
	}
}

static void
in_text(struct scan *scan, char *c)
{
	scan->cost++;
	if (scan->escaped) {
		scan->escaped = false;
	} else if (*c == '\\') {
		scan->escaped = true;
	} else if (*c == '"') {
		scan->in_text = false;
	}
	if ((unsigned char)*c < ' ') {
		*c = ' ';
		scan->mended = true;
	}
}

static void
open(struct scan *scan, size_t cost)
{
	scan->cost += cost + COST_VALUE;
	if (++scan->depth > scan->deepest)
		scan->deepest = scan->depth;
}

static void
between_texts(struct scan *scan, char c)
{
	switch (c) {
	case '"':
		scan->in_text = true;
		break;
	case '{':
		open(scan, COST_OBJECT);
		break;
	case '[':
		open(scan, COST_ARRAY);
		break;
	case '}':
	case ']':
		scan->depth -= scan->depth > 0;
		break;
	case ':':
		scan->cost += COST_NAME;
		break;
	case ',':
		scan->cost += COST_VALUE;
		break;
	default:
		break;
	}
}

int
json_scan(struct buf *text, struct report_notes *notes, struct err *err)
{
	struct scan scan = {0};

	if (span_starts_nocase(buf_span(text), SPAN(BOM))) {
		buf_shift(text, sizeof(BOM) - 1);
		report_note(notes, ODD_BOM, "");
	}
	if (!text_is_utf8(buf_span(text))) {
		mend_utf8(text);
		report_note(notes, ODD_UTF8, "");
	}
	for (size_t i = 0; i < text->n; i++) {
		if (scan.in_text)
			in_text(&scan, &text->p[i]);
		else
			between_texts(&scan, text->p[i]);
	}
	if (scan.mended)
		report_note(notes, ODD_CONTROL, "");
	if (scan.deepest > JSON_DEPTH_MAX)
		return err_set(err, ERR_PERM, "5.6.0",
		    "it is nested more than %d deep", JSON_DEPTH_MAX);
	if (scan.cost > JSON_TREE_MAX)
		return err_set(err, ERR_PERM, "5.3.4",
		    "it has too much in it: more than %zu octets as a tree",
		    JSON_TREE_MAX);
	return 0;
}
