/*
 * A segment being written: many sessions append, one fdatasync covers all.
 *
 *     id = segment_new_id(seg);              at DATA, for the trace header
 *     ... segment_room(seg, bytes) says ROOM_NOW ...
 *     segment_append(seg, &message, &err);   at the end of data: memory only
 *     batch = segment_take(seg);             all that was appended
 *     batch_commit(batch, &err);             BLOCKING, on a worker
 *     segment_committed(seg, &batch, ok);    back on the loop: 250, or 4.3.0
 *
 * While a batch is on its way the next one collects; there is at most one on
 * its way, and segment_take() says NULL until it is back.  Whoever appended
 * before the take is covered by that batch and by no other.
 *
 * After a batch that failed the segment is broken for good: room is
 * ROOM_NONE, and its owner opens another.  What had been appended behind the
 * failed batch is lost with it: the owner must answer those sessions too
 * (segment_broken() tells).  A failed fdatasync is never tried again.
 *
 * The writer holds a lock on the file as long as the segment is open; who can
 * take that lock knows that nothing will be appended any more.
 *
 * Threads: everything on the owner's loop, but segment_create(),
 * batch_commit() and segment_close(), which block and may run on a worker
 * (one at a time for one segment).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/batch.h"
#include "queue/envelope.h"
#include "queue/spool.h"

struct segment;

enum segment_room {
	ROOM_NONE = 0, /* full or broken: open the next segment */
	ROOM_LATER,    /* the batch is full: wait for the one on its way */
	ROOM_NOW,
};

struct segment_message {
	uint64_t id;
	const struct envelope *envelope;
	struct span body; /* empty when the body is in a file of its own */
	/* of large_commit(); 0 and ignored when the body is here */
	uint64_t large_size;
	uint64_t large_checksum;
	bool large;
};

/* BLOCKING.  The next free number, which nobody gets again. */
int segment_create(
    const struct spool *spool, struct segment **ret_segment, struct err *err);

uint64_t segment_number(const struct segment *segment);

/* An id no other message has or will have, in this segment or another. */
uint64_t segment_new_id(struct segment *segment);

/* For a record with `bytes` octets of body. */
enum segment_room segment_room(const struct segment *segment,
    const struct envelope *envelope, size_t bytes);

/*
 * Copy the message into the batch that collects.  -1: no room (4.3.1: ask
 * segment_room() first), body over the spool's body_max (ERR_BUG).
 */
int segment_append(struct segment *segment,
    const struct segment_message *message, struct err *err);

/* What has collected, or NULL: nothing, one is on its way, broken. */
struct batch *segment_take(struct segment *segment);

/* Frees the batch.  The file is durable up to the returned offset. */
uint64_t segment_committed(
    struct segment *segment, struct batch **batch, bool ok);

/* Where the next record will begin. */
uint64_t segment_end(const struct segment *segment);
bool segment_broken(const struct segment *segment);
/* Something was appended and waits for segment_take()? */
bool segment_collecting(const struct segment *segment);

/* BLOCKING.  Cut off what is not durable, let go of the lock.  NULL is fine;
 * no batch may be on its way. */
void segment_close(struct segment **segment);
