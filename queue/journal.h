/*
 * The journal being written.  Private to this folder.
 *
 * Entries collect in journal_buf(); journal_take() closes them into a block
 * with one checksum, which is written and synced whole or not at all.  A
 * file begins with the routes' version and the cursors of all segments, and
 * is *complete* once every message queued at its beginning has been written
 * into it; older files are not needed from then on.
 *
 * When a batch fails nothing is known of what its file holds behind it.  Its
 * entries are kept and come again at the head of the next file, and a file
 * that has no other batch is removed.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "queue/block.h"
#include "queue/files.h"
#include "queue/record.h"
#include "queue/wal.h"

struct journal {
	const struct spool *spool;
	struct wal wal;
	struct file_header header; /* of the newest file */
	struct buf again;          /* what has to come again after a failure */
	size_t beginning; /* of the block that collects: never comes again */
	size_t flying_beginning;
	uint64_t taken;    /* batches are numbered; the one on its way */
	uint64_t durable;  /* the last that was committed */
	uint64_t complete; /* the last complete file, 0: none */
	uint32_t flags;    /* of the block that collects */
	uint32_t flying_flags;
	bool failing; /* until a commit succeeds */
};

void journal_init(struct journal *journal, const struct spool *spool);
/* No batch is on its way. */
void journal_free(struct journal *journal);

/*
 * Go on in a new file behind `number`; what has collected goes with it.  The
 * file is made with the next batch.  The caller puts the beginning of a file
 * in first.  -1: no random numbers.
 */
int journal_begin(struct journal *journal, uint64_t number, struct err *err);
/* After journal_begin() and the file's beginning: what has to come again.
 * The beginning itself is left out should the file fail. */
void journal_repeat(struct journal *journal);

/* Where the next entry goes. */
struct buf *journal_buf(struct journal *journal);
/* All that was queued when this file began is in it, with this block. */
void journal_set_complete(struct journal *journal);

/* Has the newest file been made, and was its last batch committed? */
bool journal_sound(const struct journal *journal);
bool journal_pending(const struct journal *journal);
struct batch *journal_take(struct journal *journal);
void journal_committed(struct journal *journal, struct batch *batch, bool ok);

/* The number of the batch that an entry put now will be in. */
uint64_t journal_next_batch(const struct journal *journal);
/* Bytes of the newest file's blocks. */
uint64_t journal_size(const struct journal *journal);
