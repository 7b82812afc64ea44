#include "mta/report/agenda.h"

#include "base/mem.h"

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
	return first;
}

void
agenda_free(struct agenda *agenda)
{
	for (size_t i = 0; i < agenda->n; i++)
		agenda_item_free(&agenda->items[i]);
	mem_free(agenda->items);
	*agenda = (struct agenda){.n = 0};
}
