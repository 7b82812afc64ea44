/* See audit.h. */
#include "mta/audit.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"

struct audit_table {
	void *rows; /* tsearch(3) */
	size_t n;
	size_t max;
};

const struct audit_key audit_others = {"", "", "", ""};

bool
audit_is_others(const struct audit_key *key)
{
	return key->destination[0] == '\0';
}

bool
audit_has_room(const struct audit_key *key, size_t n, size_t max)
{
	if (audit_is_others(key))
		return true;
	return n < (key->reason[0] == '\0' ? max - max / 4 : max);
}

static int
compare(const void *a, const void *b)
{
	const struct audit_row *x = a, *y = b;
	int order = x->day < y->day ? -1 : x->day > y->day;

	if (order == 0)
		order = strcmp(x->key.destination, y->key.destination);
	if (order == 0)
		order = strcmp(x->key.host, y->key.host);
	if (order == 0)
		order = strcmp(x->key.tls, y->key.tls);
	if (order == 0)
		order = strcmp(x->key.reason, y->key.reason);
	return order;
}

struct audit_table *
audit_table_new(size_t max)
{
	struct audit_table *table = mem_new(sizeof(*table));

	table->max = max;
	return table;
}

void
audit_table_free(struct audit_table **tablep)
{
	struct audit_table *table = *tablep;

	*tablep = NULL;
	if (table != NULL)
		tdestroy(table->rows, mem_free);
	mem_free(table);
}

/* Puts the text behind what stands at *at. */
static const char *
put(char **at, const char *text)
{
	size_t n = strlen(text) + 1;
	char *to = *at;

	memcpy(to, text, n);
	*at += n;
	return to;
}

/* The row and its texts are one piece of memory. */
static struct audit_row *
row_new(const struct audit_key *key, int64_t day)
{
	size_t n = strlen(key->destination) + strlen(key->host) +
	           strlen(key->tls) + strlen(key->reason) + 4;
	struct audit_row *row = mem_new(sizeof(*row) + n);
	char *at = (char *)(row + 1);

	row->key.destination = put(&at, key->destination);
	row->key.host = put(&at, key->host);
	row->key.tls = put(&at, key->tls);
	row->key.reason = put(&at, key->reason);
	row->day = day;
	return row;
}

static struct audit_row *
find_row(struct audit_table *table, const struct audit_key *key, int64_t day)
{
	struct audit_row wanted = {.key = *key, .day = day};
	struct audit_row **found = tfind(&wanted, &table->rows, compare);
	struct audit_row *row;

	if (found != NULL)
		return *found;
	if (!audit_has_room(key, table->n, table->max))
		return find_row(table, &audit_others, day);
	row = row_new(key, day);
	(void)tsearch(row, &table->rows, compare);
	table->n++;
	return row;
}

void
audit_add(struct audit_table *table, const struct audit_row *from)
{
	struct audit_row *row = find_row(table, &from->key, from->day);

	for (size_t i = 0; i < AUDIT_ENDS; i++)
		row->counts[i] += from->counts[i];
	if (row->first == 0 || from->first < row->first)
		row->first = from->first;
	if (from->last > row->last)
		row->last = from->last;
}

void
audit_count(struct audit_table *table, const struct audit_key *key,
    enum audit_end end, int64_t now)
{
	struct audit_row row = {
	    .key = *key, .day = now / AUDIT_DAY_S, .first = now, .last = now};

	row.counts[end] = 1;
	audit_add(table, &row);
}

size_t
audit_rows(const struct audit_table *table)
{
	return table->n;
}

struct walk {
	audit_row_fn *fn;
	void *arg;
};

static void
visit(const void *node, VISIT when, void *arg)
{
	const struct walk *walk = arg;

	if (when == postorder || when == leaf)
		walk->fn(*(const struct audit_row *const *)node, walk->arg);
}

void
audit_each(const struct audit_table *table, audit_row_fn *fn, void *arg)
{
	struct walk walk = {fn, arg};

	twalk_r(table->rows, visit, &walk);
}
