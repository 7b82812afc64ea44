#include "mta/sts/table.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"

#define ROWS_MAX   20000
#define OCTETS_MAX (64u << 20)

struct sts_table {
	void *tree; /* tsearch(3) by the domain */
	struct sts_row *newest, *oldest;
	size_t rows, octets;
	size_t rows_max, octets_max;
};

static int
compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

struct sts_table *
sts_table_new(size_t rows_max, size_t octets_max)
{
	struct sts_table *table = mem_new(sizeof(*table));

	table->rows_max = rows_max == 0 ? ROWS_MAX : rows_max;
	table->octets_max = octets_max == 0 ? OCTETS_MAX : octets_max;
	return table;
}

static void
unlink_row(struct sts_table *table, struct sts_row *row)
{
	*(row->newer == NULL ? &table->newest
			     : &row->newer->older) = row->older;
	*(row->older == NULL ? &table->oldest
			     : &row->older->newer) = row->newer;
}

static void
link_newest(struct sts_table *table, struct sts_row *row)
{
	row->newer = NULL;
	row->older = table->newest;
	*(row->older == NULL ? &table->oldest : &row->older->newer) = row;
	table->newest = row;
}

static void
recount(struct sts_table *table, struct sts_row *row)
{
	table->octets -= row->size;
	row->size = sizeof(*row) + strlen(row->domain) +
	            (row->known == NULL ? 0 : sts_known_size(row->known));
	table->octets += row->size;
}

static void
drop_row(struct sts_table *table, struct sts_row *row)
{
	unlink_row(table, row);
	(void)tdelete(row, &table->tree, compare);
	table->octets -= row->size;
	table->rows--;
	sts_known_drop(&row->known);
	mem_free(row->trouble);
	mem_free(row->domain);
	mem_free(row);
}

static bool
is_full(const struct sts_table *table)
{
	return table->rows > table->rows_max ||
	       table->octets > table->octets_max;
}

/* The oldest first, but neither `spared` nor what somebody works on. */
static void
make_room(struct sts_table *table, const struct sts_row *spared)
{
	struct sts_row *row = table->oldest;

	while (row != NULL && is_full(table)) {
		struct sts_row *newer = row->newer;

		if (row != spared && row->search == NULL)
			drop_row(table, row);
		row = newer;
	}
}

void
sts_table_free(struct sts_table **tablep)
{
	struct sts_table *table = *tablep;

	*tablep = NULL;
	if (table == NULL)
		return;
	while (table->oldest != NULL)
		drop_row(table, table->oldest);
	mem_free(table);
}

struct sts_row *
sts_table_find(struct sts_table *table, const char *domain)
{
	struct sts_row **found = tfind(&domain, &table->tree, compare);

	return found == NULL ? NULL : *found;
}

struct sts_row *
sts_table_get(struct sts_table *table, const char *domain)
{
	struct sts_row *row = sts_table_find(table, domain);

	if (row != NULL) {
		unlink_row(table, row);
		link_newest(table, row);
		return row;
	}
	row = mem_new(sizeof(*row));
	row->domain = mem_strdup(domain);
	row->trouble_type = "";
	(void)tsearch(row, &table->tree, compare);
	link_newest(table, row);
	table->rows++;
	recount(table, row);
	make_room(table, row);
	return row;
}

void
sts_table_learn(
    struct sts_table *table, struct sts_row *row, struct sts_known *known)
{
	sts_known_drop(&row->known);
	row->known = known;
	recount(table, row);
	make_room(table, row);
}

void
sts_row_forget(struct sts_row *row)
{
	sts_known_drop(&row->known);
	row->record = (struct sts_record){.state = STS_RECORD_UNKNOWN};
	row->record_until = 0;
}

void
sts_row_trouble(struct sts_row *row, const char *text, const char *type)
{
	mem_free(row->trouble);
	row->trouble = text[0] == '\0' ? NULL : mem_strdup(text);
	row->trouble_type = type;
}

void
sts_table_forget(struct sts_table *table)
{
	for (struct sts_row *row = table->newest; row != NULL; row = row->older)
		sts_row_forget(row);
}

struct sts_search *
sts_table_search(struct sts_table *table)
{
	for (struct sts_row *row = table->newest; row != NULL; row = row->older)
		if (row->search != NULL)
			return row->search;
	return NULL;
}

size_t
sts_table_rows(const struct sts_table *table)
{
	return table->rows;
}
