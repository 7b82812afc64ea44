#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define BLOCK 2048
#define ALIGN 16

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	_Alignas(ALIGN) char data[];
};

struct arena {
	size_t limit;
	size_t total;
	/* The newest; the oldest is kept by arena_reset(). */
	struct arena_block *first;
};

static struct arena_block *
block_new(size_t size)
{
	struct arena_block *block = mem_raw(sizeof(*block) + size);

	*block = (struct arena_block){.size = size};
	POISON(block->data, size);
	return block;
}

static void
block_free(struct arena_block *block)
{
	UNPOISON(block->data, block->size);
	mem_free(block);
}

struct arena *
arena_new(size_t limit)
{
	struct arena *arena = mem_new(sizeof(*arena));

	arena->limit = limit;
	return arena;
}

void
arena_free(struct arena **arenap)
{
	struct arena *arena = *arenap;

	*arenap = NULL;
	if (arena == NULL)
		return;
	arena_rewind(arena, (struct arena_mark){0});
	mem_free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->first;
	char *p;

	if (size > arena->limit || arena->limit - size < arena->total)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (block == NULL || block->size - block->used < size) {
		block = block_new(size > BLOCK ? size : BLOCK);
		block->next = arena->first;
		arena->first = block;
	}
	p = block->data + block->used;
	block->used += size;
	arena->total += size;
	UNPOISON(p, size);
	memset(p, 0, size);
	return p;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t n)
{
	char *copy = n == SIZE_MAX ? NULL : arena_alloc(arena, n + 1);

	if (copy != NULL && n > 0)
		memcpy(copy, s, n);
	return copy;
}

struct span
arena_span(struct arena *arena, struct span s)
{
	char *copy = arena_strndup(arena, s.p, s.n);

	return (struct span){copy, copy == NULL ? 0 : s.n};
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *oldest = arena->first;

	while (oldest != NULL && oldest->next != NULL)
		oldest = oldest->next;
	arena_rewind(arena, (struct arena_mark){oldest, 0, 0});
}

struct arena_mark
arena_mark(const struct arena *arena)
{
	const struct arena_block *block = arena->first;

	return (struct arena_mark){
	    arena->first, block == NULL ? 0 : block->used, arena->total};
}

void
arena_rewind(struct arena *arena, struct arena_mark mark)
{
	struct arena_block *block;

	while ((block = arena->first) != mark.block) {
		arena->first = block->next;
		block_free(block);
	}
	if (block != NULL) {
		POISON(block->data + mark.used, block->used - mark.used);
		block->used = mark.used;
	}
	arena->total = mark.total;
}
