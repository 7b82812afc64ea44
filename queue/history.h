/*
 * The files of attempts.  Private to this folder; attempt.h is what others
 * see, danelaw-spool(5) has the layout.
 *
 * Records are appended to the newest of SPOOL/history/NUMBER.hst by the worker
 * that commits the journal, without a sync of their own.  Each names the one
 * before of the same message; where the last one is stands in the message and
 * in the journal.  When the files together have more than HISTORY_LEAST and
 * HISTORY_EACH octets a queued message the oldest is removed: its attempts
 * are forgotten, and whoever comes to it stops there.
 *
 * Whatever goes wrong here costs memories, never mail.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "queue/attempt.h"
#include "queue/spool.h"

enum {
	HISTORY_LEAST = 16 << 20,
	HISTORY_EACH = 512,
	HISTORY_WAITS = 4 << 20, /* not yet written; more is forgotten */
};

struct history_file {
	uint64_t number;
	uint64_t bytes;
};

struct history {
	const struct spool *spool;
	struct buf collecting; /* for file `number` from `next` on */
	uint64_t number;
	uint64_t next;
	struct buf flying; /* with the worker */
	uint64_t flying_number;
	uint64_t flying_offset;
	uint64_t fd_number; /* the file that fd is */
	int fd;
	bool failed;                /* by the worker */
	struct history_file *files; /* written to, by number */
	size_t nfiles, files_size;
	uint64_t bytes; /* of all of them */
};

/* BLOCKING.  What is there already counts; the next record begins a file. */
void history_init(struct history *history, const struct spool *spool);
void history_free(struct history *history);

/* The place of the new record, or 0: there is no room for it now.  The
 * attempt's rcpts are two bytes each, little-endian. */
uint64_t history_put(struct history *history, uint64_t id, uint64_t before,
    const struct attempt *attempt);

/* What has collected goes with the next write; false: nothing has, or the
 * last write is not back. */
bool history_take(struct history *history);
/* BLOCKING, worker: a batch_aside of wal.h. */
void history_write(void *arg);
void history_written(struct history *history);

/*
 * BLOCKING.  The record at a place: 1, its texts are in `bytes`; 0: it is
 * gone, or not one of this message.
 */
int history_get(const struct history *history, uint64_t place, uint64_t id,
    struct buf *bytes, struct attempt *ret_attempt, uint64_t *ret_before);

/* The number of the file to remove with so much queued, or 0. */
uint64_t history_excess(const struct history *history, uint64_t messages);
void history_removed(struct history *history, uint64_t number);
