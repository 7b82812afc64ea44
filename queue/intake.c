/* Records of segments become messages of the index. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "queue/scan.h"
#include "queue/state.h"

struct destination *
intake_route(struct queue *queue, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt)
{
	char key[QUEUE_KEY_MAX] = "";

	queue->setup.route(queue->setup.route_arg, envelope, rcpt, key);
	key[sizeof(key) - 1] = '\0';
	return index_destination(&queue->index, span_of(key));
}

/* RFC 8460 5.5: a report is tried for a day. */
static uint8_t
marks_of(const struct record *record, const struct envelope *envelope)
{
	bool brief = envelope->tls_wish == TLS_WISH_REPORT;

	return (uint8_t)((record->large ? MESSAGE_LARGE : 0) |
			 (brief ? MESSAGE_BRIEF : 0) |
			 (envelope->held ? MESSAGE_HELD : 0));
}

/* One that is born held rests as the operator's do: see work_rest(). */
static void
begin(struct queue *queue, struct job *job)
{
	if (job_message(job)->marks & MESSAGE_HELD)
		job_hold(&queue->index, job);
	else
		job_ready(&queue->index, job);
}

static void
add(struct queue *queue, struct place *place, const struct record *record,
    const struct envelope *envelope)
{
	size_t n = envelope->nrcpts;
	uint16_t *rcpts = mem_array(n, sizeof(rcpts[0]));
	struct destination **to = mem_array(n, sizeof(to[0]));
	struct message_spec spec = {
	    .id = record->id,
	    .place = place,
	    .offset = record->offset,
	    .length = (uint32_t)record_length(record),
	    .arrived = envelope->arrived,
	    .size = record->body_size,
	    .marks = marks_of(record, envelope),
	    .rcpts = rcpts,
	    .to = to,
	    .n = n,
	};
	struct message *message;

	for (size_t i = 0; i < n; i++) {
		rcpts[i] = (uint16_t)i;
		to[i] = intake_route(queue, envelope, &envelope->rcpts[i]);
	}
	message = index_add(&queue->index, &spec);
	for (uint16_t i = 0; i < message->njobs; i++)
		begin(queue, &message->jobs[i]);
	mem_free(rcpts);
	mem_free(to);
}

void
intake(struct queue *queue, struct place *place, const struct record *record,
    struct span encoded)
{
	struct envelope envelope;
	struct err err;

	/* A copy: whether it can be trusted is for the journal to say. */
	if (index_find(&queue->index, record->id) != NULL)
		return;
	arena_reset(queue->arena);
	if (envelope_decode(encoded, queue->arena, &envelope, &err) < 0) {
		queue->found.damaged++;
		return;
	}
	add(queue, place, record, &envelope);
}

/*
 * At a place where no record begins.  With `end` known everything before it
 * had been synced, so the disk has lost something; without, only a batch
 * that a later one is based on had.  1: go on with what is found behind.
 */
static int
go_past(struct queue *queue, struct scan *scan, uint64_t end, struct err *err)
{
	uint64_t bad = scan_offset(scan);
	uint64_t base = 0;
	int written = scan_written(scan, err);
	int found = written < 0 ? -1 : scan_resync(scan, &base, err);

	if (found < 0)
		return -1;
	if (end != 0 || (found && base > bad))
		queue->found.damaged++;
	else if (found || written)
		queue->found.torn++;
	return found;
}

/* The cursor goes with every record: what was taken in is never taken in
 * again, it may be finished by then. */
static void
advance(struct queue *queue, struct place *place)
{
	uint64_t now = scan_offset(place->scan);

	if (now <= place->cursor)
		return;
	queue->scanned += now - place->cursor;
	place->cursor = now;
}

/* To the end that scan_seek() was told. */
static int
take_all(
    struct queue *queue, struct place *place, uint64_t end, struct err *err)
{
	struct record record;
	struct span envelope;
	int done;

	for (;;) {
		done = scan_next(place->scan, &record, &envelope, err);
		if (done > 0)
			intake(queue, place, &record, envelope);
		if (done == 0 && !scan_at_end(place->scan))
			done = go_past(queue, place->scan, end, err);
		if (done < 0)
			return -1;
		advance(queue, place);
		if (done == 0)
			return 0;
	}
}

/*
 * A writer may die before its sync; what the journal says of a record must not
 * outlive the record.  So nothing that is not announced is taken in before a
 * sync has gone well.  (After one that failed the kernel may call the next one
 * good: then a record that nobody was told of may be named by the journal and
 * be gone after a crash.)
 */
static int
sync_unread(const struct place *place, struct err *err)
{
	return place->cursor < scan_size(place->scan)
	           ? scan_sync(place->scan, err)
	           : 0;
}

/* What a living writer has in its file: up to the first that is not whole. */
static int
take_whole(struct queue *queue, struct place *place, struct err *err)
{
	struct record record;
	struct span envelope;
	int done;

	if (sync_unread(place, err) < 0)
		return -1;
	scan_seek(place->scan, place->cursor, 0, 0);
	while ((done = scan_next(place->scan, &record, &envelope, err)) > 0) {
		intake(queue, place, &record, envelope);
		advance(queue, place);
	}
	if (done == 0 && !scan_at_end(place->scan))
		done = scan_written(place->scan, err);
	queue->unread |= done > 0;
	return done < 0 ? -1 : 0;
}

/* 1: place->scan is there and fresh.  0: no such file, or none yet. */
static int
open_scan(
    struct queue *queue, struct place *place, uint64_t end, struct err *err)
{
	enum scan_file file;

	if (place->scan != NULL)
		return scan_refresh(place->scan, end == 0, err) < 0 ? -1 : 1;
	if (scan_open(queue->spool, place->number, &file, &place->scan, err) <
	    0)
		return -1;
	if (place->scan != NULL)
		return 1;
	/* Numbers without files would hide which is the highest. */
	if (place->live == 0)
		places_remove(&queue->places, place->number);
	return 0;
}

/* Nobody will append: read it to its end and be done with it. */
static int
take_sealed(struct queue *queue, struct place *place, struct err *err)
{
	uint64_t last;

	if (sync_unread(place, err) < 0 ||
	    scan_last_batch(place->scan, place->cursor, &last, err) < 0)
		return -1;
	scan_seek(place->scan, place->cursor, 0, last);
	if (take_all(queue, place, 0, err) < 0)
		return -1;
	place->sealed = true;
	place->size = scan_size(place->scan);
	scan_close(&place->scan);
	return 0;
}

static int
scan_place(
    struct queue *queue, struct place *place, uint64_t end, struct err *err)
{
	int done = open_scan(queue, place, end, err);

	if (done <= 0)
		return done;
	if (scan_sealed(place->scan))
		return take_sealed(queue, place, err);
	if (end != 0) {
		scan_seek(place->scan, place->cursor, end, UINT64_MAX);
		return take_all(queue, place, end, err);
	}
	/* Not durable, not announced, but the journal may know it already. */
	return queue->recovering ? take_whole(queue, place, err) : 0;
}

int
queue_scan(struct queue *queue, uint64_t number, uint64_t end, struct err *err)
{
	struct place *place = places_take(&queue->places, number);
	char path[SPOOL_FILE_MAX];

	if (place->sealed || place->ours || (end != 0 && end <= place->cursor))
		return 0;
	if (scan_place(queue, place, end, err) < 0) {
		/* Whatever happened to it, begin with a fresh descriptor. */
		scan_close(&place->scan);
		files_path(queue->spool, FILES_SEGMENT, number, path);
		return err_wrap(err, path);
	}
	return 0;
}

int
queue_scan_all(struct queue *queue, struct err *err)
{
	struct files files;
	int done = 0;

	if (files_list(queue->spool, FILES_SEGMENT, &files, err) < 0)
		return -1;
	for (size_t i = 0; done == 0 && i < files.n; i++)
		done = queue_scan(queue, files.list[i], 0, err);
	files_free(&files);
	return done;
}
