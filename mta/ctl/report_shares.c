/* See report_shares.h. */
#include "mta/ctl/report_shares.h"

#include <search.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct shares {
	void *zones; /* tsearch(3) */
	size_t most;
	size_t *turns; /* so many zones want this turn, too */
	/* Once somebody takes: so many turns all have, so many have one more,
	 * and so many were taken. */
	bool is_open;
	size_t each, more, taken;
};

struct shares *
shares_new(size_t most)
{
	struct shares *shares = mem_new(sizeof(*shares));

	shares->most = most;
	shares->turns = mem_new(most * sizeof(shares->turns[0]));
	return shares;
}

static void
free_zone(void *item)
{
	struct shares_zone *zone = item;

	mem_free(zone->name);
	mem_free(zone);
}

void
shares_free(struct shares **sharesp)
{
	struct shares *shares = *sharesp;

	*sharesp = NULL;
	if (shares == NULL)
		return;
	tdestroy(shares->zones, free_zone);
	mem_free(shares->turns);
	mem_free(shares);
}

const char *
shares_name(const char *signer)
{
	const char *last = signer == NULL ? NULL : strrchr(signer, '.');

	if (signer == NULL)
		return "";
	while (last != NULL && last > signer && last[-1] != '.')
		last--;
	return last == NULL ? signer : last;
}

static int
by_name(const void *a, const void *b)
{
	const struct shares_zone *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct shares_zone *
shares_zone(struct shares *shares, const char *name)
{
	const struct shares_zone key = {.name = (char *)(uintptr_t)name};
	struct shares_zone *const *found = tfind(&key, &shares->zones, by_name);
	struct shares_zone *zone;

	if (found != NULL)
		return *found;
	zone = mem_new(sizeof(*zone));
	zone->name = mem_strdup(name);
	(void)tsearch(zone, &shares->zones, by_name);
	return zone;
}

void
shares_want(struct shares *shares, struct shares_zone *zone)
{
	if (zone->wants < shares->most)
		shares->turns[zone->wants]++;
	zone->wants++;
}

/* As many turns as all can have. */
static void
open_shares(struct shares *shares)
{
	size_t left = shares->most;

	while (
	    shares->each < shares->most && shares->turns[shares->each] <= left)
		left -= shares->turns[shares->each++];
	shares->more = left;
	shares->is_open = true;
}

/* Somebody may ask who did not say so before: there is an end even then. */
bool
shares_take(struct shares *shares, struct shares_zone *zone)
{
	if (!shares->is_open)
		open_shares(shares);
	if (shares->taken == shares->most || zone->has > shares->each ||
	    (zone->has == shares->each && shares->more == 0))
		return false;
	shares->more -= zone->has == shares->each;
	zone->has++;
	shares->taken++;
	return true;
}
