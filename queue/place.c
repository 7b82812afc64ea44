#include "queue/place.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "queue/record.h"
#include "queue/scan.h"

void
places_free(struct places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		scan_close(&places->list[i]->scan);
		mem_free(places->list[i]);
	}
	mem_free(places->list);
	*places = (struct places){0};
}

/* Where this number stands, or would. */
static size_t
position(const struct places *places, uint64_t number)
{
	size_t low = 0, high = places->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->list[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct place *
places_find(const struct places *places, uint64_t number)
{
	size_t at = position(places, number);

	if (at < places->n && places->list[at]->number == number)
		return places->list[at];
	return NULL;
}

static void
make_room(struct places *places)
{
	size_t size = places->size == 0 ? 16 : places->size * 2;

	if (places->n < places->size)
		return;
	places->list = mem_grow(places->list,
	    places->size * sizeof(places->list[0]),
	    size * sizeof(places->list[0]));
	places->size = size;
}

struct place *
places_take(struct places *places, uint64_t number)
{
	struct place *place = places_find(places, number);
	size_t at;

	if (place != NULL)
		return place;
	make_room(places);
	at = position(places, number);
	memmove(&places->list[at + 1], &places->list[at],
	    (places->n - at) * sizeof(places->list[0]));
	place = mem_new(sizeof(*place));
	place->number = number;
	place->cursor = SEGMENT_HEADER;
	places->list[at] = place;
	places->n++;
	return place;
}

void
places_remove(struct places *places, uint64_t number)
{
	size_t at = position(places, number);

	if (at == places->n || places->list[at]->number != number)
		return;
	assert(places->list[at]->live == 0);
	scan_close(&places->list[at]->scan);
	mem_free(places->list[at]);
	places->n--;
	memmove(&places->list[at], &places->list[at + 1],
	    (places->n - at) * sizeof(places->list[0]));
}
