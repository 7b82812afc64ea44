/*
 * The recipients of a domain as a sorted array; see recipients.h.
 *
 * A key is the local part, folded and without quotes, an "@", and the folded
 * domain: "user@", "user@example.org" or "@example.org".  A domain has no
 * "@", so the last one splits a key in one way only.
 */
#include "mta/recipients.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/domain.h"
#include "mta/recipients_private.h"

#define TEXT_MAX (64u << 20)
#define BLANKS   " \t\r"

struct recipients {
	enum recipients_case how;
	struct recipient *entries; /* by key */
	size_t n;
	const char **lists; /* targets; NULL ends each list */
	size_t nlists;
	size_t lists_cap;
	char *pool; /* all strings */
	size_t pooled;
};

struct reader {
	struct recipients *to;
	struct recipients_report report;
	unsigned line;
	size_t cap;
};

void
recipients_problem(
    struct recipients_report *report, unsigned line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_printable(text);
	report->count++;
	(void)!buf_printf(
	    report->problems, "%s:%u: %s\n", report->file, line, text);
}

static void
refuse(struct reader *reader, struct span text, const char *expected)
{
	char shown[80];

	text_escape(text, shown, sizeof(shown));
	recipients_problem(&reader->report, reader->line, "\"%s\": expected %s",
	    shown, expected);
}

/* --- Finding ----------------------------------------------------------- */

static int
key_order(const void *key, const void *element)
{
	return strcmp(key, ((const struct recipient *)element)->key);
}

static const struct recipient *
find_key(const struct recipients *recipients, const char *key)
{
	if (recipients->n == 0)
		return NULL;
	return bsearch(key, recipients->entries, recipients->n,
	    sizeof(recipients->entries[0]), key_order);
}

/* The address, then (`bare`) its local part. */
static const struct recipient *
find_own(const struct recipients *recipients, const char *key, bool bare)
{
	const struct recipient *found = find_key(recipients, key);
	size_t local = (size_t)(strrchr(key, '@') - key);
	char name[RECIPIENTS_KEY];

	if (found != NULL || !bare)
		return found;
	(void)snprintf(name, sizeof(name), "%.*s@", (int)local, key);
	return find_key(recipients, name);
}

/* The same, then everybody in its domain. */
static const struct recipient *
resolve(const struct recipients *recipients, const char *key, bool bare)
{
	const struct recipient *found = find_own(recipients, key, bare);

	return found != NULL ? found : find_key(recipients, strrchr(key, '@'));
}

static enum recipient_answer
answer(const struct recipient *found, const char *const **ret_targets)
{
	*ret_targets = found == NULL ? NULL : found->targets;
	if (found == NULL)
		return RECIPIENT_UNKNOWN;
	return found->targets == NULL ? RECIPIENT_KNOWN : RECIPIENT_ALIAS;
}

enum recipient_answer
recipients_find_own(const struct recipients *recipients, const char *key,
    const char *const **ret_targets)
{
	return answer(find_own(recipients, key, true), ret_targets);
}

enum recipient_answer
recipients_find_rest(const struct recipients *recipients, const char *key,
    const char *const **ret_targets)
{
	return answer(find_key(recipients, strrchr(key, '@')), ret_targets);
}

enum recipient_answer
recipients_find(const struct recipients *recipients, const char *address,
    const char *const **ret_targets)
{
	char key[RECIPIENTS_KEY];

	*ret_targets = NULL;
	if (!recipients_key(address, recipients->how, key))
		return RECIPIENT_UNKNOWN;
	return answer(resolve(recipients, key, true), ret_targets);
}

/*
 * Only what is certain: a bare name is in the alias's own domain; a name in
 * another domain may be somebody else's though its local part stands here.
 */
const struct recipient *
recipients_follow(const struct recipients *recipients,
    const struct recipient *alias, const char *target)
{
	const char *domain = strrchr(alias->key, '@') + 1;
	const struct recipient *next;
	char key[RECIPIENTS_KEY];
	size_t n;

	if (!recipients_name(span_of(target), recipients->how, key))
		return NULL;
	n = strlen(key);
	if (key[n - 1] == '@')
		(void)text_copy(key + n, sizeof(key) - n, domain);
	next = resolve(
	    recipients, key, strcmp(strrchr(key, '@') + 1, domain) == 0);
	return next == alias ? NULL : next;
}

const struct recipient *
recipients_entries(const struct recipients *recipients, size_t *ret_count)
{
	*ret_count = recipients->n;
	return recipients->entries;
}

/* --- Parsing ----------------------------------------------------------- */

static const char *
keep(struct recipients *to, struct span text)
{
	char *copy = to->pool + to->pooled;

	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	to->pooled += text.n + 1;
	return copy;
}

static void
add_to_lists(struct recipients *to, const char *target)
{
	size_t size = sizeof(to->lists[0]);

	if (to->nlists == to->lists_cap) {
		size_t cap = to->lists_cap == 0 ? 16 : 2 * to->lists_cap;

		to->lists = mem_grow(
		    to->lists, to->lists_cap * size, cap * size);
		to->lists_cap = cap;
	}
	to->lists[to->nlists++] = target;
}

static void
add_entry(struct reader *reader, const char *key, size_t list)
{
	struct recipients *to = reader->to;
	size_t size = sizeof(to->entries[0]);

	if (to->n == reader->cap) {
		size_t cap = reader->cap == 0 ? 16 : 2 * reader->cap;

		to->entries = mem_grow(
		    to->entries, reader->cap * size, cap * size);
		reader->cap = cap;
	}
	to->entries[to->n++] = (struct recipient){
	    keep(to, span_of(key)), NULL, list, reader->line};
}

static bool
is_blank(char c)
{
	return memchr(BLANKS, c, sizeof(BLANKS) - 1) != NULL;
}

/* Where `c` first stands outside quotes; text.n when it does not. */
static size_t
find_outside(struct span text, char c)
{
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			quoted = !quoted;
		else if (quoted && text.p[i] == '\\')
			i++;
		else if (!quoted && text.p[i] == c)
			return i;
	}
	return text.n;
}

/* Up to a "#" that begins the line or follows a blank. */
static struct span
without_comment(struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1])))
			return span_first(line, i);
	return line;
}

/*
 * A program, a file or a list, as sendmail's aliases have them: also in quotes,
 * where it would be a local part that nobody means.
 */
static bool
is_command(struct span target)
{
	struct span text = target.n > 1 && target.p[0] == '"'
	                       ? span_from(target, 1)
	                       : target;

	return text.n > 0 &&
	       (text.p[0] == '/' || text.p[0] == '|' || text.p[0] == ':');
}

static bool
is_target(
    struct span text, enum recipients_case how, char ret_key[RECIPIENTS_KEY])
{
	return recipients_local(text) > 0 && !is_command(text) &&
	       recipients_name(text, how, ret_key);
}

/* Up to the first blank outside quotes. */
static struct span
first_word(struct span text)
{
	size_t blank = find_outside(text, ' '), tab = find_outside(text, '\t');

	return span_first(text, blank < tab ? blank : tab);
}

/* Two targets with a blank between them are one with a comma missing. */
static void
refuse_target(struct reader *reader, struct span target)
{
	struct span first = first_word(target),
		    rest = text_trim(span_from(target, first.n), BLANKS),
		    second = first_word(rest);
	char key[RECIPIENTS_KEY], shown[40], expected[80];

	if (is_target(first, reader->to->how, key) &&
	    is_target(second, reader->to->how, key)) {
		text_escape(first, shown, sizeof(shown));
		(void)snprintf(
		    expected, sizeof(expected), "a comma behind \"%s\"", shown);
		refuse(reader, target, expected);
	} else {
		refuse(reader, target,
		    "a mail address or a local part after the colon");
	}
}

/* Who gets an alias: as written, but for the domain, which is folded. */
static void
read_target(struct reader *reader, struct span target)
{
	char key[RECIPIENTS_KEY], text[RECIPIENTS_KEY];
	size_t n = recipients_local(target);

	if (!is_target(target, reader->to->how, key)) {
		refuse_target(reader, target);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*s%s", (int)n, target.p,
	    n == target.n ? "" : strrchr(key, '@'));
	add_to_lists(reader->to, keep(reader->to, span_of(text)));
}

static void
read_alias(struct reader *reader, const char *key, struct span targets)
{
	size_t list = reader->to->nlists;

	while (true) {
		size_t n = find_outside(targets, ',');

		read_target(reader, text_trim(span_first(targets, n), BLANKS));
		if (n == targets.n)
			break;
		targets = span_from(targets, n + 1);
	}
	add_to_lists(reader->to, NULL);
	add_entry(reader, key, list);
}

/* A list that goes on from the line above, or an alias without its colon. */
static void
refuse_name(struct reader *reader, struct span name)
{
	bool is_list = first_word(name).n < name.n ||
	               find_outside(name, ',') < name.n;

	refuse(reader, name,
	    is_list ? "user, user@domain or @domain; an alias has a colon "
		      "behind its name and is one line"
		    : "user, user@domain or @domain");
}

static void
read_line(struct reader *reader, struct span line)
{
	size_t colon;
	struct span name;
	char key[RECIPIENTS_KEY];

	line = text_trim(without_comment(line), BLANKS);
	if (line.n == 0)
		return;
	colon = find_outside(line, ':');
	name = text_trim(span_first(line, colon), BLANKS);
	if (!recipients_name(name, reader->to->how, key))
		refuse_name(reader, name);
	else if (colon < line.n)
		read_alias(reader, key, span_from(line, colon + 1));
	else
		add_entry(reader, key, NO_LIST);
}

static int
by_key(const void *a, const void *b)
{
	const struct recipient *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sort, point at the lists, which no longer move, and find what is twice. */
static void
finish(struct reader *reader)
{
	struct recipients *to = reader->to;

	if (to->n > 1)
		qsort(to->entries, to->n, sizeof(to->entries[0]), by_key);
	for (size_t i = 0; i < to->n; i++) {
		struct recipient *entry = &to->entries[i];

		if (entry->list != NO_LIST)
			entry->targets = &to->lists[entry->list];
		if (i > 0 && strcmp(entry[-1].key, entry->key) == 0)
			recipients_problem(&reader->report, entry->line,
			    "comes twice, first in line %u", entry[-1].line);
	}
}

static void
read_lines(struct reader *reader, struct span text)
{
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);

		reader->line++;
		read_line(reader, span_first(text, n));
		text = span_from(text, n + 1);
	}
}

int
recipients_parse(struct span text, const char *file, enum recipients_case how,
    struct recipients **ret, struct buf *problems)
{
	struct recipients *to = mem_new(sizeof(*to));
	struct reader reader = {.to = to, .report = {file, problems, 0}};

	to->how = how;
	if (text.n > TEXT_MAX) {
		recipients_problem(
		    &reader.report, 1, "more than %u octets", TEXT_MAX);
	} else {
		/* A key grows by its "@" and its NUL, a line has its end. */
		to->pool = mem_new(2 * text.n + 2);
		read_lines(&reader, text);
		finish(&reader);
		if (reader.report.count == 0)
			recipients_check(to, &reader.report);
	}
	if (reader.report.count > 0) {
		recipients_free(&to);
		return -1;
	}
	*ret = to;
	return 0;
}

int
recipients_parse_list(struct span value, struct recipients **ret)
{
	struct recipients *to = mem_new(sizeof(*to));
	struct reader reader = {.to = to};
	struct buf problems;

	buf_init(&problems, 4096);
	reader.report = (struct recipients_report){"", &problems, 0};
	to->pool = mem_new(2 * value.n + 8);
	read_alias(&reader, "_@", value);
	finish(&reader);
	buf_free(&problems);
	if (reader.report.count > 0) {
		recipients_free(&to);
		return -1;
	}
	*ret = to;
	return 0;
}

void
recipients_free(struct recipients **recipients)
{
	struct recipients *r = *recipients;

	if (r == NULL)
		return;
	*recipients = NULL;
	mem_free(r->entries);
	mem_free(r->lists);
	mem_free(r->pool);
	mem_free(r);
}
