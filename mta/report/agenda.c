#include "mta/report/agenda.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"

#define CAP_FIRST 64

struct agenda_item *
agenda_item_new(int64_t due, int64_t day, const char *domain)
{
	struct agenda_item *item = mem_new(sizeof(*item));

	item->due = due;
	item->day = day;
	item->domain = mem_strdup(domain);
	return item;
}

void
agenda_item_free(struct agenda_item **itemp)
{
	struct agenda_item *item = *itemp;

	*itemp = NULL;
	if (item == NULL)
		return;
	mem_free(item->domain);
	mem_free(item);
}

/* --- names ---------------------------------------------------------------- */

static int
compare_name(const void *a, const void *b)
{
	const struct agenda_item *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return strcmp(x->domain, y->domain);
}

/* Two may have one name: the operator asks for what is there. */
static int
compare(const void *a, const void *b)
{
	int order = compare_name(a, b);

	return order != 0 ? order : (a > b) - (a < b);
}

bool
agenda_has(const struct agenda *agenda, int64_t day, const char *domain)
{
	char name[DNS_NAME_SIZE];
	const struct agenda_item key = {.day = day, .domain = name};

	return text_copy(name, sizeof(name), domain) &&
	       tfind(&key, &agenda->names, compare_name) != NULL;
}

/* --- the heap ------------------------------------------------------------- */

static void
grow(struct agenda *agenda)
{
	size_t cap = agenda->cap == 0 ? CAP_FIRST : 2 * agenda->cap;
	struct agenda_item **items = mem_array(cap, sizeof(items[0]));

	for (size_t i = 0; i < agenda->n; i++)
		items[i] = agenda->items[i];
	mem_free(agenda->items);
	agenda->items = items;
	agenda->cap = cap;
}

void
agenda_add(struct agenda *agenda, struct agenda_item *item)
{
	size_t i = agenda->n;

	if (agenda->n == agenda->cap)
		grow(agenda);
	agenda->n++;
	for (; i > 0 && agenda->items[(i - 1) / 2]->due > item->due;
	     i = (i - 1) / 2)
		agenda->items[i] = agenda->items[(i - 1) / 2];
	agenda->items[i] = item;
	(void)tsearch(item, &agenda->names, compare);
}

/* The hole at the top goes down to where the last one fits. */
static void
close_top(struct agenda *agenda)
{
	struct agenda_item *last = agenda->items[--agenda->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < agenda->n) {
		if (child + 1 < agenda->n &&
		    agenda->items[child + 1]->due < agenda->items[child]->due)
			child++;
		if (agenda->items[child]->due >= last->due)
			break;
		agenda->items[i] = agenda->items[child];
		i = child;
	}
	agenda->items[i] = last;
}

struct agenda_item *
agenda_next(struct agenda *agenda, int64_t now)
{
	struct agenda_item *first;

	if (agenda->n == 0 || agenda->items[0]->due > now)
		return NULL;
	first = agenda->items[0];
	close_top(agenda);
	(void)tdelete(first, &agenda->names, compare);
	return first;
}

static void
keep(void *item)
{
	(void)item; /* the heap has it, too */
}

void
agenda_free(struct agenda *agenda)
{
	tdestroy(agenda->names, keep);
	for (size_t i = 0; i < agenda->n; i++)
		agenda_item_free(&agenda->items[i]);
	mem_free(agenda->items);
	*agenda = (struct agenda){.n = 0};
}

/* --- whose turn is it? ---------------------------------------------------- */

const char *
agenda_zone(const char *domain)
{
	const char *last = strrchr(domain, '.');

	while (last != NULL && last > domain && last[-1] != '.')
		last--;
	return last == NULL ? domain : last;
}

bool
agenda_has_turn(const struct agenda_item *item,
    const struct agenda_item *const *running, size_t n)
{
	const char *zone = agenda_zone(item->domain);
	size_t same = 0, tried = 0;

	for (size_t i = 0; i < n; i++) {
		same += strcmp(agenda_zone(running[i]->domain), zone) == 0;
		tried += running[i]->tries > 0;
	}
	return same < AGENDA_OF_ZONE_MAX &&
	       (item->tries == 0 || tried < AGENDA_TRIED_MAX);
}
