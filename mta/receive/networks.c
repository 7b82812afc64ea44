/* See networks.h. */
#include "mta/receive/networks.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"

#define ROWS_MAX 50000

struct networks {
	void *tree; /* tsearch(3) by the key */
	struct network *newest, *oldest;
	size_t rows, rows_max;
};

bool
rate_take(struct rate *rate, uint32_t most, uint64_t period_ms, uint64_t now)
{
	/* In parts of a millisecond that come out even. */
	uint64_t due = rate->due > now * most ? rate->due : now * most;

	if (most == 0)
		return true;
	if (due + period_ms > (now + period_ms) * most)
		return false;
	rate->due = due + period_ms;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, sizeof(x->bytes));

	return order != 0 ? order : x->family - y->family;
}

struct networks *
networks_new(size_t rows_max)
{
	struct networks *networks = mem_new(sizeof(*networks));

	networks->rows_max = rows_max == 0 ? ROWS_MAX : rows_max;
	return networks;
}

static void
unlink_row(struct networks *networks, struct network *row)
{
	*(row->newer == NULL ? &networks->newest
			     : &row->newer->older) = row->older;
	*(row->older == NULL ? &networks->oldest
			     : &row->older->newer) = row->newer;
}

static void
link_newest(struct networks *networks, struct network *row)
{
	row->newer = NULL;
	row->older = networks->newest;
	*(row->older == NULL ? &networks->oldest : &row->older->newer) = row;
	networks->newest = row;
}

static void
drop_row(struct networks *networks, struct network *row)
{
	unlink_row(networks, row);
	(void)tdelete(row, &networks->tree, compare);
	networks->rows--;
	mem_free(row);
}

void
networks_free(struct networks **networksp)
{
	struct networks *networks = *networksp;

	*networksp = NULL;
	if (networks == NULL)
		return;
	while (networks->oldest != NULL)
		drop_row(networks, networks->oldest);
	mem_free(networks);
}

/*
 * Those with sessions move to the front: each is passed over once only before
 * it is the oldest again, so a call has little to do.
 */
static void
make_room(struct networks *networks)
{
	for (size_t n = networks->rows;
	     n > 0 && networks->rows >= networks->rows_max; n--) {
		struct network *row = networks->oldest;

		if (row->sessions == 0) {
			drop_row(networks, row);
			continue;
		}
		unlink_row(networks, row);
		link_newest(networks, row);
	}
}

struct network *
networks_get(struct networks *networks, const struct cidr *key)
{
	struct network *const *found = tfind(key, &networks->tree, compare);
	struct network *row;

	if (found != NULL) {
		row = *found;
		unlink_row(networks, row);
	} else {
		make_room(networks);
		row = mem_new(sizeof(*row));
		row->key = *key;
		(void)tsearch(row, &networks->tree, compare);
		networks->rows++;
	}
	link_newest(networks, row);
	return row;
}

size_t
networks_count(const struct networks *networks)
{
	return networks->rows;
}
