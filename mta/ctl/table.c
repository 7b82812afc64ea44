/* See table.h. */
#include "mta/ctl/table.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define COLUMNS 24
#define CELL    256
#define RECORD  4096

struct column {
	char *key;
	size_t width;
};

struct table {
	FILE *to;
	int64_t now;
	json_t *items; /* of the page */
	struct column columns[COLUMNS];
	size_t ncolumns;
	const char *const *below; /* NULL: nothing */
	bool headed;              /* the first page is out */
};

/* --- Values ------------------------------------------------------------ */

typedef void write_value(int64_t number, int64_t now, char *to, size_t size);

static void
write_size(int64_t number, int64_t now, char *to, size_t size)
{
	static const char units[] = " KMGTP";
	double value = (double)number;
	size_t unit = 0;

	(void)now;
	while (value >= 1024 && unit < sizeof(units) - 2) {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		(void)snprintf(to, size, "%" PRId64, number);
	else
		(void)snprintf(to, size, "%.1f%c", value, units[unit]);
}

static void
write_time(int64_t number, int64_t now, char *to, size_t size)
{
	char words[CLOCK_WORDS_SIZE];

	if (number <= 0) {
		(void)text_copy(to, size, "-");
		return;
	}
	clock_words(number > now ? number - now : now - number, words);
	if (number == now)
		(void)text_copy(to, size, "now");
	else
		(void)snprintf(
		    to, size, number > now ? "in %s" : "%s ago", words);
}

static void
write_span(int64_t number, int64_t now, char *to, size_t size)
{
	char words[CLOCK_WORDS_SIZE];

	(void)now;
	clock_words(number, words);
	(void)text_copy(to, size, words);
}

static void
write_date(int64_t number, int64_t now, char *to, size_t size)
{
	char date[CLOCK_RFC5322_SIZE];

	(void)now;
	clock_rfc5322(number, date);
	(void)text_copy(to, size, date);
}

static void
write_end(int64_t number, int64_t now, char *to, size_t size)
{
	char words[CLOCK_WORDS_SIZE + 8], date[CLOCK_RFC5322_SIZE];

	write_time(number, now, words, sizeof(words));
	write_date(number, now, date, sizeof(date));
	(void)snprintf(to, size, "%s, %s", words, date);
}

/* Which keys are more than a number. */
static const struct {
	const char *key;
	write_value *write;
} kinds[] = {
    {"arrived", write_time},
    {"dane_off_until", write_end},
    {"due", write_time},
    {"expires", write_time},
    {"fetched", write_time},
    {"journal_bytes", write_size},
    {"last_try", write_time},
    {"last_used", write_time},
    {"max_age", write_span},
    {"memory", write_size},
    {"octets", write_size},
    {"oldest", write_time},
    {"reloaded", write_time},
    {"segment_bytes", write_size},
    {"since", write_time},
    {"size", write_size},
    {"started", write_time},
    {"time", write_date},
    {"uptime", write_span},
};

static void
write_number(
    const char *key, int64_t number, int64_t now, char *to, size_t size)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].key, key) != 0)
			continue;
		kinds[i].write(number, now, to, size);
		return;
	}
	(void)snprintf(to, size, "%" PRId64, number);
}

void
table_value(
    const char *key, const json_t *value, int64_t now, char *to, size_t size)
{
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		write_number(key, json_integer_value(value), now, to, size);
	else if (json_is_boolean(value))
		(void)text_copy(to, size, json_is_true(value) ? "yes" : "no");
	else if (text != NULL && text[0] != '\0')
		text_escape(span_of(text), to, size);
	else
		(void)text_copy(to, size, "-");
}

static bool
is_among(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* "  WHEN: OUTCOME; key value; key value": what is empty is left out. */
static void
write_member(FILE *to, json_t *member, int64_t now)
{
	const char *key, *before = "  ";
	json_t *value;

	json_object_foreach(member, key, value)
	{
		bool plain = strcmp(key, "time") == 0 ||
		             strcmp(key, "outcome") == 0;
		const char *text = json_string_value(value);
		char shown[RECORD];

		if (text != NULL && text[0] == '\0')
			continue;
		table_value(key, value, now, shown, sizeof(shown));
		(void)fprintf(to, "%s%s%s%s", before, plain ? "" : key,
		    plain ? "" : " ", shown);
		before = strcmp(key, "time") == 0 ? ": " : "; ";
	}
	(void)putc('\n', to);
}

static void
write_list(FILE *to, const char *key, json_t *list, int64_t now)
{
	json_t *member;
	size_t i;

	(void)fprintf(to, "%s:\n", key);
	json_array_foreach(list, i, member) write_member(to, member, now);
}

void
table_record(FILE *to, json_t *item, const char *const * not, int64_t now)
{
	const char *key;
	json_t *value;

	json_object_foreach(item, key, value)
	{
		char text[RECORD];

		if (is_among(not, key))
			continue;
		if (json_is_array(value)) {
			write_list(to, key, value, now);
			continue;
		}
		table_value(key, value, now, text, sizeof(text));
		(void)fprintf(to, "%s: %s\n", key, text);
	}
}

/* --- Tables ------------------------------------------------------------ */

struct table *
table_new(FILE *to, int64_t now)
{
	struct table *table = mem_new(sizeof(*table));

	table->to = to;
	table->now = now;
	table->items = json_array();
	return table;
}

void
table_free(struct table **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; i < (*table)->ncolumns; i++)
		mem_free((*table)->columns[i].key);
	json_decref((*table)->items);
	mem_free(*table);
	*table = NULL;
}

void
table_below(struct table *table, const char *const *keys)
{
	table->below = keys;
}

/* The column of a key; NULL when there is none and no more can be had. */
static struct column *
find_column(struct table *table, const char *key)
{
	struct column *column;

	for (size_t i = 0; i < table->ncolumns; i++)
		if (strcmp(table->columns[i].key, key) == 0)
			return &table->columns[i];
	if (table->headed || table->ncolumns == COLUMNS ||
	    (table->below != NULL && is_among(table->below, key)))
		return NULL;
	column = &table->columns[table->ncolumns++];
	column->key = mem_strdup(key);
	column->width = strlen(key);
	return column;
}

void
table_add(struct table *table, json_t *item)
{
	const char *key;
	json_t *value;

	json_array_append(table->items, item);
	json_object_foreach(item, key, value)
	{
		struct column *column = find_column(table, key);
		char cell[CELL];
		size_t n;

		if (column == NULL)
			continue;
		table_value(key, value, table->now, cell, sizeof(cell));
		n = strlen(cell);
		if (!table->headed && n > column->width)
			column->width = n;
	}
}

/* The last column is as long as it is. */
static void
write_cell(const struct table *table, size_t i, const char *text)
{
	if (i + 1 == table->ncolumns)
		(void)fprintf(table->to, "%s\n", text);
	else
		(void)fprintf(
		    table->to, "%-*s  ", (int)table->columns[i].width, text);
}

static void
write_below(const struct table *table, const char *key, const json_t *value)
{
	const char *said = json_string_value(value);
	char text[RECORD];

	if (said == NULL || said[0] == '\0')
		return;
	table_value(key, value, table->now, text, sizeof(text));
	(void)fprintf(table->to, "    %s: %s\n", key, text);
}

static void
write_lines(const struct table *table, const char *key, const json_t *value)
{
	const json_t *member;
	size_t i;

	if (!json_is_array(value))
		write_below(table, key, value);
	json_array_foreach(value, i, member) write_below(table, key, member);
}

static void
write_row(struct table *table, const json_t *item)
{
	const char *const *below = table->below;

	for (size_t i = 0; i < table->ncolumns; i++) {
		const char *key = table->columns[i].key;
		char cell[CELL];

		table_value(key, json_object_get(item, key), table->now, cell,
		    sizeof(cell));
		write_cell(table, i, cell);
	}
	for (; below != NULL && *below != NULL; below++)
		write_lines(table, *below, json_object_get(item, *below));
}

void
table_page(struct table *table)
{
	size_t i;
	json_t *item;

	for (i = 0; !table->headed && i < table->ncolumns; i++)
		write_cell(table, i, table->columns[i].key);
	table->headed = table->headed || table->ncolumns > 0;
	json_array_foreach(table->items, i, item) write_row(table, item);
	json_array_clear(table->items);
}

void
table_json(FILE *to, json_t *object)
{
	(void)json_dumpf(object, to, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)fputc('\n', to);
	json_decref(object);
}
