/*
 * The segments the queue knows of: how far each was read, what still lives
 * in it.  Private to this folder.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan;

struct place {
	uint64_t number;
	uint64_t cursor;   /* records before it are in the index, or done */
	uint64_t live;     /* messages */
	uint64_t bytes;    /* of their records */
	uint64_t settled;  /* the journal batch that finished one last */
	uint64_t size;     /* sealed: of the file */
	int64_t since;     /* mostly finished since then; 0: it is not */
	struct scan *scan; /* kept open while its writer lives, or NULL */
	bool sealed;       /* its writer is gone, and it was read to the end */
	bool ours;         /* move.c writes it and knows what is in it */
	bool leaving;      /* what lives in it is to be moved */
	bool gone;         /* during recovery: there is no such file */
};

/* Sorted by number; few, so an array of pointers will do. */
struct places {
	struct place **list;
	size_t n, size;
};

void places_free(struct places *places);
struct place *places_find(const struct places *places, uint64_t number);
/* The place of this number, made when new. */
struct place *places_take(struct places *places, uint64_t number);
/* Nothing lives in it. */
void places_remove(struct places *places, uint64_t number);
