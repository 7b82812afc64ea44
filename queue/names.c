#include "queue/names.h"

#include <string.h>

#include "base/mem.h"
#include "queue/checksum.h"

enum {
	FIRST_BUCKETS = 64
};

void
names_init(struct names *names, uint64_t seed)
{
	*names = (struct names){.seed = seed, .nbuckets = FIRST_BUCKETS};
	names->buckets = mem_array(FIRST_BUCKETS, sizeof(names->buckets[0]));
}

void
names_free(struct names *names)
{
	for (size_t i = 0; i < names->nbuckets; i++)
		while (names->buckets[i] != NULL) {
			struct name *name = names->buckets[i];

			names->buckets[i] = name->next;
			mem_free(name);
		}
	mem_free(names->buckets);
	*names = (struct names){0};
}

static struct name **
bucket_of(const struct names *names, uint64_t hash)
{
	return &names->buckets[hash & (names->nbuckets - 1)];
}

static void
grow(struct names *names)
{
	struct names bigger = *names;

	bigger.nbuckets *= 2;
	bigger.buckets = mem_array(bigger.nbuckets, sizeof(bigger.buckets[0]));
	for (size_t i = 0; i < names->nbuckets; i++)
		while (names->buckets[i] != NULL) {
			struct name *name = names->buckets[i];
			struct name **to = bucket_of(&bigger, name->hash);

			names->buckets[i] = name->next;
			name->next = *to;
			*to = name;
		}
	mem_free(names->buckets);
	*names = bigger;
}

static struct name *
find(const struct names *names, struct span text, uint64_t hash)
{
	struct name *name = *bucket_of(names, hash);

	while (name != NULL &&
	       (name->hash != hash || !span_eq(span_of(name->text), text)))
		name = name->next;
	return name;
}

struct name *
names_find(const struct names *names, struct span text)
{
	return find(names, text, checksum(text, names->seed));
}

struct name *
names_take(struct names *names, struct span text, size_t size)
{
	uint64_t hash = checksum(text, names->seed);
	struct name *name = find(names, text, hash);
	struct name **bucket;
	char *copy;

	if (name != NULL) {
		name->count++;
		return name;
	}
	if (names->n >= names->nbuckets)
		grow(names);
	name = mem_new(size + text.n + 1);
	copy = (char *)name + size;
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	bucket = bucket_of(names, hash);
	*name = (struct name){.next = *bucket,
	    .hash = hash,
	    .count = 1,
	    .size = (uint32_t)size,
	    .text = copy};
	*bucket = name;
	names->n++;
	names->bytes += size + text.n + 1;
	return name;
}

void
names_drop(struct names *names, struct name *name)
{
	struct name **at;

	if (name == NULL || --name->count > 0)
		return;
	at = bucket_of(names, name->hash);
	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	names->n--;
	names->bytes -= name->size + strlen(name->text) + 1;
	mem_free(name);
}
