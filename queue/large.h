/*
 * A body too big for a segment, in a file of its own.
 *
 *     large_begin(spool, id, &large, &err);
 *     large_write(large, bytes, &err);        as they come, checksum alongside
 *     large_commit(large, &err);              at the end of data, on a worker
 *     segment_append(seg, {.large = true, .large_size = large_size(large),
 *         .large_checksum = large_checksum(large), ...});
 *     ... the segment's batch is durable ...
 *     large_close(&large);
 *
 * The file is locked until large_close(), so that a queue role starting
 * meanwhile does not take it for an orphan.  large_abort() removes the file;
 * a crash leaves an orphan, which queue_open() removes.
 *
 * Threads: one at a time for one struct large.
 */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/spool.h"

struct large;

/* BLOCKING, shortly. */
int large_begin(const struct spool *spool, uint64_t id,
    struct large **ret_large, struct err *err);
/* Into the page cache; BLOCKING when the disk is far behind. */
int large_write(struct large *large, struct span bytes, struct err *err);
/* BLOCKING: file and folder are durable when this returns 0. */
int large_commit(struct large *large, struct err *err);

uint64_t large_size(const struct large *large);
uint64_t large_checksum(const struct large *large);

void large_close(struct large **large);
/* BLOCKING, shortly: an error to remove it is left to the next start. */
void large_abort(struct large **large);
