#include "queue/move.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "queue/state.h"

enum {
	LIST_MAX = 16384,       /* survivors of one walk */
	BUCKETS_A_TAKE = 32768, /* of the index */
	LOOK_AGAIN = 10,        /* seconds, when all were under way */
	TRY_AGAIN = 60,         /* after the disk has failed */
	STUCK = 3600,           /* what cannot be read is not tried before */
	ARENA_MAX = 64 << 20,
};

struct copy {
	struct survivor from;
	uint32_t offset; /* of the copy */
	uint32_t length;
	bool made;
	bool unreadable;
};

struct move {
	struct mover *mover;
	bool prepares; /* only makes the segment for the next */
	struct copy list[MOVE_MESSAGES];
	size_t n;
	uint64_t durable; /* of the segment, after it */
};

void
mover_init(struct mover *mover, const struct spool *spool)
{
	*mover = (struct mover){.spool = *spool};
	mover->spool.body_max = SPOOL_BODY_MAX;
	mover->reader = reader_new(&mover->spool);
}

void
mover_free(struct mover *mover)
{
	segment_close(&mover->segment);
	reader_free(&mover->reader);
	mem_free(mover->list);
	mover->list = NULL;
}

/* --- Which ----------------------------------------------------------------- */

static bool
is_mostly_finished(const struct place *place)
{
	return place->sealed && place->live > 0 &&
	       2 * place->bytes < place->size;
}

/* Mail that came a moment ago may all be gone in a moment. */
static bool
choose_places(struct queue *queue, int64_t now)
{
	int64_t patience = queue->setup.patience == 0 ? MOVE_PATIENCE
	                                              : queue->setup.patience;
	bool any = false;

	for (size_t i = 0; i < queue->places.n; i++) {
		struct place *place = queue->places.list[i];

		place->leaving = false;
		if (!is_mostly_finished(place)) {
			place->since = 0;
			continue;
		}
		if (place->since == 0)
			place->since = now;
		place->leaving = now - place->since >= patience;
		any |= place->leaving;
	}
	return any;
}

static void
remember(struct mover *mover, const struct message *message)
{
	if (mover->n == mover->size) {
		size_t size = mover->size == 0 ? 256 : 2 * mover->size;

		mover->list = mem_grow(mover->list,
		    mover->size * sizeof(mover->list[0]),
		    size * sizeof(mover->list[0]));
		mover->size = size;
	}
	mover->list[mover->n++] = (struct survivor){
	    .id = message->id,
	    .segment = message->place->number,
	    .offset = message->offset,
	    .length = message->length,
	};
}

static int
compare(const void *a, const void *b)
{
	const struct survivor *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/*
 * A part of the table, as in listing.c; true: that was all.  Some may be
 * found twice when the table grows; the second time they have moved.
 */
static bool
walk(struct queue *queue)
{
	struct mover *mover = &queue->mover;
	const struct index *index = &queue->index;
	size_t end = mover->bucket + BUCKETS_A_TAKE;

	for (; mover->bucket < end && mover->bucket < index->nbuckets &&
	       mover->n < LIST_MAX;
	     mover->bucket++) {
		const struct message *m = index->buckets[mover->bucket];

		for (; m != NULL; m = m->next)
			if (m->place->leaving)
				remember(mover, m);
	}
	return mover->bucket >= index->nbuckets || mover->n >= LIST_MAX;
}

/* True: the list is there. */
static bool
make_list(struct queue *queue, int64_t now)
{
	struct mover *mover = &queue->mover;

	if (!mover->walking) {
		mover->n = mover->at = mover->moved = 0;
		mover->bucket = 0;
		mover->walking = choose_places(queue, now);
		if (!mover->walking)
			return false;
	}
	if (!walk(queue))
		return false;
	mover->walking = false;
	if (mover->n > 0)
		qsort(mover->list, mover->n, sizeof(mover->list[0]), compare);
	return true;
}

static bool
is_under_way(const struct message *message)
{
	for (uint16_t i = 0; i < message->njobs; i++)
		if (message->jobs[i].nrcpts > 0 &&
		    message->jobs[i].state == JOB_LEASED)
			return true;
	return false;
}

/* Still there, and nobody works on it: its message, or NULL. */
static struct message *
find(const struct queue *queue, const struct survivor *survivor)
{
	struct message *message = index_find(&queue->index, survivor->id);

	if (message == NULL || message->place->number != survivor->segment ||
	    message->offset != survivor->offset || is_under_way(message))
		return NULL;
	return message;
}

/* --- Take ------------------------------------------------------------------ */

/* The next of the list that fit into one move. */
static void
fill(const struct queue *queue, struct move *move)
{
	struct mover *mover = move->mover;
	uint64_t bytes = 0, most = queue->spool->batch_max / 2;

	if (most > MOVE_BYTES)
		most = MOVE_BYTES;
	for (; mover->at < mover->n && move->n < MOVE_MESSAGES; mover->at++) {
		const struct survivor *survivor = &mover->list[mover->at];

		if (find(queue, survivor) == NULL)
			continue;
		bytes += survivor->length;
		if (move->n > 0 && bytes > most)
			break;
		move->list[move->n++].from = *survivor;
	}
}

/* No more into this one; it is closed with the next that is made. */
static void
leave_segment(struct queue *queue)
{
	const struct segment *segment = queue->mover.segment;
	struct place *place;

	if (segment == NULL)
		return;
	place = places_find(&queue->places, segment_number(segment));
	if (place == NULL || !place->ours)
		return;
	place->ours = false;
	place->sealed = true;
	place->size = place->cursor;
}

/* Copies stand in higher segments only. */
static bool
is_above(const struct mover *mover, const struct move *move)
{
	return mover->segment != NULL && !mover->full &&
	       segment_number(mover->segment) >
	           move->list[move->n - 1].from.segment;
}

struct move *
queue_move_take(struct queue *queue, int64_t now)
{
	struct mover *mover = &queue->mover;
	struct move *move;
	size_t at;

	if (mover->busy || now < mover->next ||
	    !journal_sound(&queue->journal) ||
	    (mover->at >= mover->n && !make_list(queue, now)))
		return NULL;
	move = mem_new(sizeof(*move));
	move->mover = mover;
	at = mover->at;
	fill(queue, move);
	if (move->n == 0) {
		/* All of them are under way or gone. */
		if (mover->moved == 0)
			mover->next = now + LOOK_AGAIN;
		mem_free(move);
		return NULL;
	}
	if (!is_above(mover, move)) {
		move->prepares = true;
		mover->at = at;
		leave_segment(queue);
	}
	mover->busy = true;
	return move;
}

/* --- Run ------------------------------------------------------------------- */

/* On the worker; what was full or failed is closed without hurry. */
static int
prepare(struct mover *mover, struct err *err)
{
	segment_close(&mover->segment);
	return segment_create(&mover->spool, &mover->segment, err);
}

/* 1: appended; 0: no room; -1: it cannot be read. */
static int
copy_message(
    struct mover *mover, const struct message_in *in, struct copy *copy)
{
	struct segment_message message = {
	    .id = copy->from.id,
	    .envelope = message_envelope(in),
	    .body = message_body(in),
	    .large = message_is_large(in),
	    .large_size = message_size(in),
	    .large_checksum = message_checksum(in),
	};
	uint64_t before = segment_end(mover->segment);
	struct err err;

	if (segment_room(mover->segment, message.envelope, message.body.n) !=
	    ROOM_NOW)
		return 0;
	if (segment_append(mover->segment, &message, &err) < 0)
		return -1;
	copy->offset = (uint32_t)before;
	copy->length = (uint32_t)(segment_end(mover->segment) - before);
	copy->made = true;
	return 1;
}

static int
copy_one(struct mover *mover, struct arena *arena, struct copy *copy)
{
	struct location at = {copy->from.segment, copy->from.offset};
	struct message_in *in;
	struct err err;
	int done;

	arena_reset(arena);
	if (message_open(mover->reader, copy->from.id, at, arena, &in, &err) <
	    0)
		return -1;
	done = copy_message(mover, in, copy);
	message_close(&in);
	return done;
}

int
move_run(struct move *move, struct err *err)
{
	struct mover *mover = move->mover;
	struct arena *arena;
	struct batch *batch;
	int done = 1;

	if (move->prepares)
		return prepare(mover, err);
	arena = arena_new(ARENA_MAX);
	for (size_t i = 0; done != 0 && i < move->n; i++) {
		done = copy_one(mover, arena, &move->list[i]);
		move->list[i].unreadable = done < 0;
	}
	arena_free(&arena);
	mover->full = done == 0;
	batch = segment_take(mover->segment);
	if (batch == NULL)
		return 0;
	done = batch_commit(batch, err);
	move->durable = segment_committed(mover->segment, &batch, done == 0);
	return done;
}

/* --- Done ------------------------------------------------------------------ */

static void
relocate(struct message *message, struct place *place, const struct copy *copy)
{
	message->place->live--;
	message->place->bytes -= message->length;
	message->place = place;
	message->offset = copy->offset;
	message->length = copy->length;
	place->live++;
	place->bytes += message->length;
}

/* Nothing in it is news to us, and never will be. */
static void
know_all_of(struct queue *queue, struct place *place, uint64_t end)
{
	if (end <= place->cursor)
		return;
	queue->scanned += end - place->cursor;
	place->cursor = end;
}

static void
finish(struct queue *queue, const struct move *move, int64_t now)
{
	struct mover *mover = &queue->mover;
	struct place *place = places_take(
	    &queue->places, segment_number(mover->segment));

	know_all_of(queue, place, move->durable);
	for (size_t i = 0; i < move->n; i++) {
		const struct copy *copy = &move->list[i];
		struct message *message = find(queue, &copy->from);

		if (message != NULL && copy->made) {
			relocate(message, place, copy);
			mover->moved++;
		} else if (message != NULL && copy->unreadable) {
			message->place->since = now + STUCK;
			message->place->leaving = false;
		}
	}
	/* What did not fit is found by the next walk. */
	if (mover->full)
		mover->at = mover->n;
	/* The segments it has read may go. */
	if (mover->at >= mover->n) {
		reader_free(&mover->reader);
		mover->reader = reader_new(&mover->spool);
	}
}

/* What may be in it was never synced: it must not be found again. */
static void
give_up(struct queue *queue, const struct move *move, int64_t now)
{
	struct mover *mover = &queue->mover;
	struct place *place;

	mover->next = now + TRY_AGAIN;
	mover->at = mover->n;
	if (move->prepares || mover->segment == NULL)
		return;
	leave_segment(queue);
	place = places_take(&queue->places, segment_number(mover->segment));
	place->cursor = queue->spool->segment_size;
	mover->full = true;
}

bool
queue_move_done(struct queue *queue, struct move **movep, bool ok, int64_t now)
{
	struct mover *mover = &queue->mover;
	struct move *move = *movep;

	*movep = NULL;
	mover->busy = false;
	if (!ok) {
		give_up(queue, move, now);
	} else if (move->prepares) {
		mover->full = false;
		places_take(&queue->places, segment_number(mover->segment))
		    ->ours = true;
	} else {
		finish(queue, move, now);
	}
	mem_free(move);
	return ok;
}
