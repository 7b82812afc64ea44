#include "mta/lookup/memory.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"

#define OCTETS_MAX (16u << 20)

struct kept {
	char *key;         /* first: of by_key() */
	struct kept *next; /* that came after it */
	enum answer_kind kind;
	uint64_t until;
	char *value;
	size_t n;
};

struct memory {
	uint32_t found_ms, missing_ms;
	void *tree;
	struct kept *oldest, *newest;
	size_t count, most, octets;
};

struct memory *
memory_new(uint32_t found_ms, uint32_t missing_ms, size_t most)
{
	struct memory *memory = mem_new(sizeof(*memory));

	memory->found_ms = found_ms;
	memory->missing_ms = missing_ms;
	memory->most = most;
	return memory;
}

static int
by_key(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
forget_oldest(struct memory *memory)
{
	struct kept *entry = memory->oldest;
	struct kept **found = tfind(entry, &memory->tree, by_key);

	/* A newer one of the same key may stand in its place. */
	if (found != NULL && *found == entry)
		(void)tdelete(entry, &memory->tree, by_key);
	memory->oldest = entry->next;
	if (memory->oldest == NULL)
		memory->newest = NULL;
	memory->count--;
	memory->octets -= entry->n;
	mem_free(entry->key);
	mem_free(entry->value);
	mem_free(entry);
}

void
memory_free(struct memory **memoryp)
{
	struct memory *memory = *memoryp;

	if (memory == NULL)
		return;
	*memoryp = NULL;
	while (memory->oldest != NULL)
		forget_oldest(memory);
	mem_free(memory);
}

bool
memory_find(
    struct memory *memory, const char *key, uint64_t now, struct said *ret)
{
	char *name = mem_strdup(key);
	const struct kept sought = {.key = name};
	struct kept **found = tfind(&sought, &memory->tree, by_key);

	mem_free(name);
	if (found == NULL || now >= (*found)->until)
		return false;
	*ret = (struct said){
	    .kind = (*found)->kind, .value = {(*found)->value, (*found)->n}};
	return true;
}

static uint32_t
keep_ms(const struct memory *memory, enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_FAILED:
		return 0;
	case ANSWER_MISSING:
		return memory->missing_ms;
	case ANSWER_FOUND:
		return memory->found_ms;
	}
	return 0;
}

void
memory_add(struct memory *memory, const char *key, uint64_t now,
    const struct said *said)
{
	uint32_t ms = keep_ms(memory, said->kind);
	struct kept *entry, **at;

	if (ms == 0)
		return;
	entry = mem_new(sizeof(*entry));
	entry->key = mem_strdup(key);
	entry->kind = said->kind;
	entry->until = now + ms;
	entry->n = said->value.n;
	entry->value = mem_strndup(
	    said->value.n == 0 ? "" : said->value.p, said->value.n);
	at = tsearch(entry, &memory->tree, by_key);
	*at = entry;
	if (memory->newest != NULL)
		memory->newest->next = entry;
	else
		memory->oldest = entry;
	memory->newest = entry;
	memory->count++;
	memory->octets += entry->n;
	while (memory->count > memory->most || memory->octets > OCTETS_MAX)
		forget_oldest(memory);
}
