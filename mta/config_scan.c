/*
 * Before libConfuse sees the text.
 *
 * Its scanner counts a line too many behind a C comment, expands variables of
 * the environment, drops characters it does not know without a word and takes
 * a key in quotes for a path through the blocks.  A configuration must mean
 * the same in every process, so all of that ends here.
 */
#include <string.h>

#include "base/text.h"
#include "mta/config_private.h"

enum token {
	TOKEN_NONE = 0,
	TOKEN_KEY,
	TOKEN_TITLE,
	TOKEN_EQUALS,
	TOKEN_VALUE,
	TOKEN_COMMA,
	TOKEN_OPEN,
	TOKEN_OPEN_LIST,
	TOKEN_CLOSE,
};

struct scan {
	struct config_report *report;
	struct config_memory *memory;
	char *text; /* NUL-terminated; comments are blanked in place */
	size_t n;
	size_t at;
	unsigned line;
	enum token last;
	bool in_list;
	unsigned opened[CONFIG_DEPTH]; /* lines of the open blocks */
	enum config_block_kind kinds[CONFIG_DEPTH + 1]; /* 0: the file */
	unsigned depth;
	unsigned *lines; /* of the closed blocks */
	size_t nlines;
	struct span key; /* the last one */
	unsigned key_line;
	bool skipping; /* what an unknown key says, to be blanked */
	size_t skip_from;
	unsigned skip_depth;
	size_t skip_lines;
	size_t unknown;
};

static bool
at_end(const struct scan *scan)
{
	return scan->at >= scan->n;
}

static char
peek(const struct scan *scan, size_t ahead)
{
	return scan->n - scan->at > ahead ? scan->text[scan->at + ahead] : '\0';
}

static bool
starts(const struct scan *scan, char first, char second)
{
	return peek(scan, 0) == first && peek(scan, 1) == second;
}

static void
blank(struct scan *scan)
{
	if (scan->text[scan->at] == '\n')
		scan->line++;
	else
		scan->text[scan->at] = ' ';
	scan->at++;
}

static void
blank_line_comment(struct scan *scan)
{
	while (!at_end(scan) && peek(scan, 0) != '\n')
		blank(scan);
}

static void
blank_block_comment(struct scan *scan)
{
	unsigned from = scan->line;

	while (!at_end(scan) && !starts(scan, '*', '/'))
		blank(scan);
	if (at_end(scan)) {
		config_problem(scan->report, from,
		    "this comment has no end: \"*/\" expected");
		return;
	}
	blank(scan);
	blank(scan);
}

/* --- Unknown keys ------------------------------------------------------ */

static bool
is_key(const struct scan *scan)
{
	size_t n;
	const struct config_key *keys = config_keys(&n);

	for (size_t i = 0; i < n; i++)
		if (keys[i].block == scan->kinds[scan->depth] &&
		    span_eq(scan->key, span_of(keys[i].name)))
			return true;
	return false;
}

/* The kind of a block by its key, or BLOCK_ROOT. */
static enum config_block_kind
block_kind(const struct scan *scan)
{
	for (unsigned k = BLOCK_ROOT + 1; k < BLOCK_KINDS; k++) {
		enum config_block_kind kind = (enum config_block_kind)k;
		const struct config_block_type *type = config_block_type(kind);

		if (type->parent == scan->kinds[scan->depth] &&
		    span_eq(scan->key, span_of(type->name)))
			return kind;
	}
	return BLOCK_ROOT;
}

/* One that is there, but as the other thing, is left to libConfuse. */
static void
judge_key(struct scan *scan)
{
	char shown[64], expected[512];

	if (scan->skipping || is_key(scan) || block_kind(scan) != BLOCK_ROOT)
		return;
	scan->skipping = true;
	scan->skip_from = (size_t)(scan->key.p - scan->text);
	scan->skip_depth = scan->depth;
	scan->skip_lines = scan->nlines;
	scan->unknown++;
	text_escape(scan->key, shown, sizeof(shown));
	config_list_keys(scan->kinds[scan->depth], expected, sizeof(expected));
	config_problem(scan->report, scan->key_line,
	    "unknown key \"%s\"; expected one of %s", shown, expected);
}

/* Is the value of an unknown key, or its block, over?  Nobody reads it. */
static void
end_skip(struct scan *scan)
{
	bool over = scan->last == TOKEN_CLOSE ||
	            (scan->last == TOKEN_VALUE && !scan->in_list);

	if (!scan->skipping || !over || scan->depth != scan->skip_depth)
		return;
	scan->skipping = false;
	scan->nlines = scan->skip_lines;
	scan->last = TOKEN_CLOSE;
	for (size_t i = scan->skip_from; i < scan->at; i++)
		if (scan->text[i] != '\n')
			scan->text[i] = ' ';
}

/* --- Tokens ------------------------------------------------------------ */

static bool
is_value_next(enum token last)
{
	return last == TOKEN_EQUALS || last == TOKEN_COMMA ||
	       last == TOKEN_OPEN_LIST;
}

/* The kind of a string by what stands before it. */
static void
accept_string(struct scan *scan)
{
	if (is_value_next(scan->last)) {
		scan->last = TOKEN_VALUE;
	} else if (scan->last == TOKEN_KEY) {
		scan->last = TOKEN_TITLE;
	} else {
		config_problem(scan->report, scan->line,
		    "a string where a key was expected; keys are written "
		    "without quotes");
		scan->last = TOKEN_TITLE;
	}
}

/* Complains about one character of a string; how far to go on, 0 to end. */
static size_t
string_step(struct scan *scan, char quote)
{
	char c = peek(scan, 0), next = peek(scan, 1);

	if (c == quote)
		return 0;
	if (c == '\\') {
		if (next == quote || next == '\\')
			return 2;
		config_problem(scan->report, scan->line,
		    "a backslash in a string: expected \\%c or \\\\", quote);
		return 1;
	}
	if (quote == '"' && c == '$' && next == '{')
		config_problem(scan->report, scan->line,
		    "\"${\" in a string: variables of the environment are not "
		    "used here");
	if ((unsigned char)c < ' ' || c == 0x7f)
		config_problem(scan->report, scan->line,
		    "a control character in a string");
	return 1;
}

static void
scan_string(struct scan *scan)
{
	char quote = peek(scan, 0);
	size_t from = ++scan->at, step;

	accept_string(scan);
	while (!at_end(scan) && peek(scan, 0) != '\n' &&
	       (step = string_step(scan, quote)) > 0)
		scan->at += step;
	if (scan->at > scan->n || peek(scan, 0) != quote) {
		config_problem(scan->report, scan->line,
		    "this string has no end: %c expected on the same line",
		    quote);
		return;
	}
	if (scan->at - from > CONFIG_VALUE_MAX)
		config_problem(scan->report, scan->line,
		    "a string of more than %d octets", CONFIG_VALUE_MAX);
	scan->at++;
}

static bool
is_word(char c)
{
	return text_is_alnum(c) || (c != '\0' && strchr("_-./:@%", c) != NULL);
}

static bool
is_comment(const struct scan *scan)
{
	return peek(scan, 0) == '#' || starts(scan, '/', '/') ||
	       starts(scan, '/', '*');
}

static enum token
word_token(enum token before)
{
	if (is_value_next(before))
		return TOKEN_VALUE;
	return before == TOKEN_KEY ? TOKEN_TITLE : TOKEN_KEY;
}

static void
scan_word(struct scan *scan)
{
	size_t from = scan->at;

	while (is_word(peek(scan, 0)) && !is_comment(scan))
		scan->at++;
	scan->last = word_token(scan->last);
	if (scan->last == TOKEN_KEY) {
		scan->key = (struct span){scan->text + from, scan->at - from};
		scan->key_line = scan->line;
	}
	if (scan->at - from > CONFIG_VALUE_MAX)
		config_problem(scan->report, scan->line,
		    "a word of more than %d octets", CONFIG_VALUE_MAX);
}

static void
scan_open(struct scan *scan)
{
	scan->at++;
	if (scan->last == TOKEN_EQUALS) {
		scan->last = TOKEN_OPEN_LIST;
		scan->in_list = true;
		return;
	}
	if (scan->last == TOKEN_KEY || scan->last == TOKEN_TITLE)
		judge_key(scan);
	scan->last = TOKEN_OPEN;
	if (scan->depth == CONFIG_DEPTH) {
		config_problem(scan->report, scan->line,
		    "blocks in blocks more than %d deep", CONFIG_DEPTH);
		return;
	}
	scan->opened[scan->depth] = scan->line;
	scan->kinds[scan->depth + 1] = block_kind(scan);
	scan->depth++;
}

static void
scan_close(struct scan *scan)
{
	scan->at++;
	if (scan->in_list) {
		scan->in_list = false;
		scan->last = TOKEN_VALUE;
		return;
	}
	scan->last = TOKEN_CLOSE;
	if (scan->depth == 0) {
		config_problem(scan->report, scan->line,
		    "\"}\" without a \"{\" before it");
		return;
	}
	scan->lines = config_append(
	    scan->memory, scan->lines, scan->nlines, sizeof(scan->lines[0]));
	scan->lines[scan->nlines++] = scan->opened[--scan->depth];
}

static void
scan_other(struct scan *scan)
{
	char shown[8];

	text_escape(
	    (struct span){scan->text + scan->at, 1}, shown, sizeof(shown));
	config_problem(scan->report, scan->line,
	    "unexpected \"%s\"; a value with such characters stands in "
	    "quotes, and nothing stands behind a value",
	    shown);
	scan->at++;
}

static void
scan_mark(struct scan *scan, enum token token)
{
	scan->last = token;
	scan->at++;
}

static void
scan_token(struct scan *scan)
{
	switch (peek(scan, 0)) {
	case '\n':
		scan->line++;
		scan->at++;
		return;
	case ' ':
	case '\t':
	case '\r':
		scan->at++;
		return;
	case '"':
	case '\'':
		scan_string(scan);
		return;
	case '{':
		scan_open(scan);
		return;
	case '}':
		scan_close(scan);
		return;
	case '=':
		if (scan->last == TOKEN_KEY)
			judge_key(scan);
		scan_mark(scan, TOKEN_EQUALS);
		return;
	case ',':
		scan_mark(scan, TOKEN_COMMA);
		return;
	}
	if (is_word(peek(scan, 0)))
		scan_word(scan);
	else
		scan_other(scan);
}

int
config_scan(struct span text, struct config_report *report,
    struct config_memory *memory, char **ret_clean, unsigned **ret_lines)
{
	struct scan scan = {report, memory, .line = 1, .n = text.n};
	size_t before = report->count;

	if (text.n > CONFIG_TEXT_MAX) {
		config_problem(
		    report, 1, "more than %u octets", CONFIG_TEXT_MAX);
		return -1;
	}
	scan.text = config_string(memory, text);
	while (!at_end(&scan)) {
		if (starts(&scan, '/', '*'))
			blank_block_comment(&scan);
		else if (is_comment(&scan))
			blank_line_comment(&scan);
		else
			scan_token(&scan);
		end_skip(&scan);
	}
	if (scan.depth > 0)
		config_problem(report, scan.opened[scan.depth - 1],
		    "this block has no end: \"}\" expected");
	*ret_clean = scan.text;
	*ret_lines = scan.lines;
	return report->count == before + scan.unknown ? 0 : -1;
}
