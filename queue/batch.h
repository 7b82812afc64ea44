/*
 * A batch: bytes on their way to one file under one fdatasync.
 *
 * Batches come from segment_take() and queue_journal_take() and go back to
 * segment_committed() and queue_journal_committed().  In between one worker
 * thread may call batch_commit(), which touches nothing but the batch.
 */
#pragma once
#include "base/err.h"

struct batch;

/*
 * BLOCKING.  Write and sync.  -1: nothing is known of what reached the disk;
 * tell the owner, never call this again for the same batch.
 */
int batch_commit(struct batch *batch, struct err *err);
