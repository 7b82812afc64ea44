/*
 * A file that grows by batches, each under one fdatasync: what a segment and
 * a journal have in common.  Private to this folder; batch.h is its public
 * half.
 *
 * Bytes are written to whole pages, the rest of the last page zeroed, and
 * the file is filled with zeros some way ahead: a sync that needs no new
 * blocks is twice as fast as one that does, and what follows the last record
 * is never somebody's old data.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "queue/batch.h"
#include "queue/disk.h"

enum {
	WAL_PAGE = 4096,
	WAL_AHEAD = 1 << 20
};

/* Called on the worker before a batch is written: makes the file. */
typedef int batch_prepare(struct batch *batch, void *arg, struct err *err);

/* Something to be done on the way, on the worker. */
typedef void batch_aside(void *arg);

struct batch {
	const struct disk *disk;
	batch_prepare *prepare; /* or NULL */
	void *arg;
	batch_aside *aside; /* or NULL */
	void *aside_arg;
	struct buf bytes;
	uint64_t offset; /* of bytes.p[0] in the file */
	uint64_t filled; /* the file has blocks up to here */
	uint64_t ahead;  /* fill so far beyond the end */
	uint64_t limit;  /* never write beyond */
	int fd;
};

struct wal {
	const struct disk *disk;
	struct buf collecting;
	struct batch *flying; /* on its way, or NULL */
	struct batch *spare;  /* keeps its memory for the next take */
	uint64_t durable;     /* synced up to here */
	uint64_t next;        /* where the collecting batch will begin */
	uint64_t filled;
	uint64_t ahead; /* at most WAL_AHEAD */
	uint64_t limit; /* of the file's size */
	int fd;
	bool broken;
};

/* `start`: the first byte that may be written.  `ahead` may be changed
 * until the first take. */
void wal_init(struct wal *wal, const struct disk *disk, int fd, uint64_t start,
    uint64_t limit);
/* No batch is on its way; the descriptor is not closed. */
void wal_free(struct wal *wal);

/* NULL: nothing has collected, a batch is on its way, or the file is broken. */
struct batch *wal_take(struct wal *wal);
/* ok: durable moves on.  Else the file is broken. */
void wal_committed(struct wal *wal, struct batch *batch, bool ok);
