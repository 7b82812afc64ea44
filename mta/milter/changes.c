/* See changes.h. */
#include "mta/milter/changes.h"

#include "base/mem.h"

void
milter_changes_init(struct milter_changes *changes, struct arena *arena)
{
	*changes = (struct milter_changes){.arena = arena};
}

void
milter_changes_free(struct milter_changes *changes)
{
	mem_free(changes->list);
	*changes = (struct milter_changes){0};
}

static bool
copy(struct arena *arena, struct span from, struct span *ret)
{
	ret->p = arena_strndup(arena, from.p, from.n);
	ret->n = from.n;
	return ret->p != NULL;
}

int
milter_changes_take(
    struct milter_changes *changes, const struct milter_reply *reply)
{
	struct milter_change change = {
	    .kind = reply->kind, .index = reply->index};
	size_t size = changes->size == 0 ? 16 : 2 * changes->size;

	if (changes->n >= MILTER_CHANGES_MAX ||
	    !copy(changes->arena, reply->name, &change.name) ||
	    !copy(changes->arena, reply->value, &change.value))
		return -1;
	if (changes->n == changes->size) {
		changes->list = mem_grow(changes->list,
		    changes->size * sizeof(change), size * sizeof(change));
		changes->size = size;
	}
	changes->list[changes->n++] = change;
	return 0;
}

static int
apply_one(const struct milter_change *change, bool spaced,
    struct milter_header *header)
{
	const struct milter_change_field field = {
	    change->name, change->value, change->index, spaced};

	if (change->kind == REPLY_IS_ADD_HEADER)
		return milter_header_add(header, &field);
	if (change->kind == REPLY_IS_INSERT_HEADER)
		return milter_header_insert(header, &field);
	if (change->kind == REPLY_IS_CHANGE_HEADER)
		return milter_header_change(header, &field);
	return 0;
}

int
milter_changes_apply(
    const struct milter_changes *changes, struct milter_header *header)
{
	for (size_t i = 0; i < changes->n; i++)
		if (apply_one(&changes->list[i], changes->spaced, header) < 0)
			return -1;
	return 0;
}
