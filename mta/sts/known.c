#include "mta/sts/known.h"

#include "base/mem.h"

/* An arena's first block, and a policy beside its text. */
#define AROUND 4096

struct sts_known *
sts_known_new(struct arena *arena, const struct sts_entry *entry)
{
	struct sts_known *known = mem_new(sizeof(*known));

	known->holders = 1;
	known->arena = arena;
	known->entry = *entry;
	return known;
}

struct sts_known *
sts_known_hold(struct sts_known *known)
{
	known->holders++;
	return known;
}

void
sts_known_drop(struct sts_known **knownp)
{
	struct sts_known *known = *knownp;

	*knownp = NULL;
	if (known == NULL || --known->holders > 0)
		return;
	arena_free(&known->arena);
	mem_free(known);
}

size_t
sts_known_size(const struct sts_known *known)
{
	if (known->arena == NULL)
		return sizeof(*known);
	return sizeof(*known) + AROUND + 3 * known->entry.policy.text.n;
}
