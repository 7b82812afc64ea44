/*
 * The heap.  The only callers of malloc(3) and free(3) stand in mem.c.
 *
 * When memory runs out the process ends: the queue is on disk, and the
 * supervisor starts the role again.  So none of these returns NULL.
 * mem_new() and mem_grow() zero what is new.
 */
#pragma once
#include <stddef.h>

void *mem_new(size_t size) __attribute__((returns_nonnull, malloc));
/* Not zeroed: for who zeroes what it hands out. */
void *mem_raw(size_t size) __attribute__((returns_nonnull, malloc));
void *mem_array(size_t count, size_t size)
    __attribute__((returns_nonnull, malloc));
/* Resize from `old` to `size` bytes; the tail is zeroed. */
void *mem_grow(void *p, size_t old, size_t size)
    __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((returns_nonnull, malloc));
char *mem_strndup(const char *s, size_t n)
    __attribute__((returns_nonnull, malloc));
void mem_free(void *p);

/* Overwrite before freeing: keys, passwords. */
void mem_wipe_free(void *p, size_t size);

/*
 * For a library that forgets to do that, and knows no sizes: malloc(3),
 * realloc(3) and free(3) that leave nothing behind.  NULL for nothing, and
 * when memory runs out: it has words for that.
 */
void *mem_lend(size_t size);
void *mem_lend_more(void *p, size_t size);
void mem_give_back(void *p);
