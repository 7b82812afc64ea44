/* What move.c keeps between two moves.  Private to this folder. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "queue/place.h"
#include "queue/reader.h"
#include "queue/segment.h"

/* A survivor, as it was found. */
struct survivor {
	uint64_t id;
	uint64_t segment;
	uint32_t offset;
	uint32_t length;
};

struct mover {
	struct spool spool; /* takes every body there may be */
	struct reader *reader;
	struct segment *segment; /* where copies go, or NULL */
	bool full;               /* close it, take another */
	bool busy;               /* a move is under way */
	bool walking;
	size_t bucket; /* of the walk through the index, the next */
	struct survivor *list;
	size_t n, at, size;
	size_t moved; /* of this list */
	int64_t next; /* do not look before */
};

void mover_init(struct mover *mover, const struct spool *spool);
void mover_free(struct mover *mover);
