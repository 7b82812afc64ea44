/*
 * Moving survivors: what still lives in a segment that is mostly finished is
 * copied into a segment of the queue role's own, so that a message that waits
 * for days does not hold the space of all that came with it.
 *
 * Take (NULL: nothing to do just now), run on a worker, give back; one at a
 * time.  A move is a bounded piece of work: at most MOVE_BYTES, one sync.
 *
 * Why a crash does no harm:
 *
 *   - The copy is durable before the index names it, and the original is
 *     removed (queue_chore_take()) only when the index names the copy.
 *   - A copy always has a higher segment number.  After a crash the original
 *     counts as long as it is there: a copy that nobody has synced may be
 *     seen in the page cache and be gone after the next crash.
 *   - What is finished while its copy is being written stays finished: no new
 *     journal file begins until the move is back, so that the journal which
 *     is read with the copy also says that it is finished.
 *   - What is under way is not moved: whoever delivers it knows the old place.
 */
#pragma once
#include "queue/queue.h"

struct move;

enum {
	MOVE_BYTES = 1 << 20,
	MOVE_MESSAGES = 512,
	MOVE_PATIENCE = 60, /* seconds a segment is mostly finished before */
};

struct move *queue_move_take(struct queue *queue, int64_t now);
/* BLOCKING, worker. */
int move_run(struct move *move, struct err *err);
/* True: there is more to do now. */
bool queue_move_done(
    struct queue *queue, struct move **move, bool ok, int64_t now);
