/* What the journal says, applied to an index made from the segments. */
#include "base/mem.h"
#include "queue/state.h"

/* Called for each good block; -1 ends the walk. */
typedef int on_block(struct queue *queue, struct replay *replay,
    uint64_t number, uint32_t flags, struct span entries);

static int
walk_file(struct queue *queue, struct replay *replay, uint64_t number,
    on_block *block, struct err *err)
{
	struct journal_in *in;
	struct span entries;
	uint32_t flags;
	int done = journal_in_open(queue->spool, number, &in, err);

	if (done <= 0)
		return done;
	while ((done = journal_in_next(
		    in, &flags, &entries, &replay->damaged, err)) > 0)
		if (block(queue, replay, number, flags, entries) < 0) {
			done = err_set(err, ERR_BUG, "4.3.0",
			    "the journal cannot be read");
			break;
		}
	journal_in_close(&in);
	return done;
}

static int
walk(struct queue *queue, struct replay *replay, uint64_t from, on_block *block,
    struct err *err)
{
	for (size_t i = 0; i < replay->files->n; i++)
		if (replay->files->list[i] >= from &&
		    walk_file(
			queue, replay, replay->files->list[i], block, err) < 0)
			return err_wrap(err, "journal");
	return 0;
}

/* First walk: which file is the newest that is complete? */
static int
find_start(struct queue *queue, struct replay *replay, uint64_t number,
    uint32_t flags, struct span entries)
{
	(void)queue;
	(void)entries;
	if (flags & BLOCK_COMPLETE)
		replay->start = number;
	return 0;
}

static void
plan_route(struct replay *replay, uint64_t version)
{
	if (replay->version != version)
		replay->same_version = false;
}

/*
 * Second walk: the beginnings.  Only the first file's cursors hold: all that
 * was queued before them is in that file.  Without a complete file there is
 * no such file.
 */
static int
read_beginning(struct queue *queue, struct replay *replay, uint64_t number,
    uint32_t flags, struct span entries)
{
	struct cursor in = cursor_of(entries);
	struct entry entry;

	(void)flags;
	while (entry_take(&in, &entry)) {
		struct place *place;

		if (entry.kind == ENTRY_ROUTE)
			plan_route(replay, entry.id);
		if (entry.kind != ENTRY_CURSOR || number != replay->start)
			continue;
		place = places_find(&queue->places, entry.id);
		if (place != NULL && entry.offset > place->cursor)
			place->cursor = entry.offset;
	}
	/* Its checksum was right: we wrote it so, or a newer version did. */
	return in.failed ? -1 : 0;
}

static void
forget_cursors(struct queue *queue)
{
	for (size_t i = 0; i < queue->places.n; i++)
		queue->places.list[i]->cursor = SEGMENT_HEADER;
}

int
replay_plan(struct queue *queue, const struct files *files,
    struct replay *ret_replay, struct err *err)
{
	struct replay replay = {.files = files,
	    .version = queue->setup.route_version,
	    .same_version = true};

	if (walk(queue, &replay, 0, find_start, err) < 0)
		return -1;
	/* What older files have lost is in this one. */
	replay.damaged = false;
	if (walk(queue, &replay, replay.start, read_beginning, err) < 0)
		return -1;
	/* Whatever is missing may be about any message: read them all. */
	if (replay.damaged)
		forget_cursors(queue);
	*ret_replay = replay;
	return 0;
}

/* Recipients of all jobs of a WHOLE entry. */
static size_t
count_rcpts(const struct entry *entry)
{
	struct cursor in = cursor_of(entry->jobs);
	struct entry_job job;
	size_t n = 0;

	while (entry_take_job(&in, &job))
		n += entry_nrcpts(&job);
	return n;
}

static void
restore_job(struct queue *queue, struct job *job, const struct entry_job *from)
{
	job->attempts = from->attempts;
	job->marks = from->marks & JOB_WARNED;
	job_set_reason(&queue->index, job, from->reason);
	work_rest(queue, job, from->due);
}

/* The jobs of a message stand in the order of its entry's jobs. */
static void
restore_message(struct queue *queue, const struct entry *entry,
    const struct message_spec *place)
{
	size_t n = count_rcpts(entry);
	uint16_t *rcpts = mem_array(n, sizeof(rcpts[0]));
	struct destination **to = mem_array(n, sizeof(to[0]));
	struct cursor in = cursor_of(entry->jobs);
	struct message_spec spec = *place;
	struct message *message;
	struct entry_job job;

	spec.rcpts = rcpts;
	spec.to = to;
	while (entry_take_job(&in, &job))
		for (size_t i = 0; i < entry_nrcpts(&job); i++) {
			rcpts[spec.n] = entry_rcpt(&job, i);
			to[spec.n++] = index_destination(
			    &queue->index, job.key);
		}
	message = index_add(&queue->index, &spec);
	in = cursor_of(entry->jobs);
	for (uint16_t i = 0; i < message->njobs; i++)
		if (entry_take_job(&in, &job))
			restore_job(queue, &message->jobs[i], &job);
	mem_free(rcpts);
	mem_free(to);
}

/* Its segment may be gone: then it is finished further on, or lost. */
static struct place *
place_of(struct queue *queue, uint64_t segment)
{
	struct place *place = places_find(&queue->places, segment);

	if (place == NULL) {
		place = places_take(&queue->places, segment);
		place->gone = true;
	}
	return place;
}

static void
apply_whole(struct queue *queue, const struct entry *entry)
{
	struct message *message = index_find(&queue->index, entry->id);
	struct message_spec spec = {
	    .id = entry->id,
	    .offset = (uint32_t)entry->offset,
	    .length = entry->length,
	    .arrived = entry->arrived,
	    .size = entry->size,
	    .marks = entry->marks & MESSAGE_KEPT,
	};

	struct place *place;

	if (count_rcpts(entry) == 0 || count_rcpts(entry) > ENVELOPE_RCPTS_MAX)
		return;
	/* Where it is, if that is still there; or else its copy. */
	place = places_find(&queue->places, entry->segment);
	if (message != NULL && (place == NULL || place->gone)) {
		spec.place = message->place;
		spec.offset = message->offset;
		spec.length = message->length;
	} else {
		spec.place = place_of(queue, entry->segment);
	}
	if (message != NULL)
		index_remove(&queue->index, message);
	restore_message(queue, entry, &spec);
}

static void
apply_done(
    struct queue *queue, struct message *message, const struct entry_job *done)
{
	struct job *hint = NULL;

	for (size_t i = 0; i < entry_nrcpts(done); i++) {
		struct picked picked = pick(message, entry_rcpt(done, i), hint);

		hint = picked.job;
		if (hint == NULL)
			continue;
		*picked.rcpt = RCPT_GONE;
		settle_compact(queue, hint);
	}
	if (message->open == 0)
		index_remove(&queue->index, message);
}

static void
apply_retry(
    struct queue *queue, struct message *message, const struct entry_job *from)
{
	struct job *hint = NULL;

	for (size_t i = 0; i < entry_nrcpts(from); i++) {
		struct picked picked = pick(message, entry_rcpt(from, i), hint);

		if (picked.job != NULL && picked.job != hint)
			restore_job(queue, picked.job, from);
		hint = picked.job;
	}
}

static void
apply_hold(struct queue *queue, struct message *message, bool held)
{
	message->marks &= (uint8_t)~MESSAGE_HELD;
	if (held)
		message->marks |= MESSAGE_HELD;
	for (uint16_t i = 0; i < message->njobs; i++)
		if (message->jobs[i].nrcpts > 0)
			work_rest(
			    queue, &message->jobs[i], message->jobs[i].due);
}

static void
apply(struct queue *queue, const struct entry *entry)
{
	struct message *message = index_find(&queue->index, entry->id);

	if (entry->kind == ENTRY_WHOLE)
		apply_whole(queue, entry);
	if (message == NULL)
		return;
	switch (entry->kind) {
	case ENTRY_DONE:
		apply_done(queue, message, &entry->job);
		return;
	case ENTRY_FINISHED:
		index_remove(&queue->index, message);
		return;
	case ENTRY_RETRY:
		apply_retry(queue, message, &entry->job);
		return;
	case ENTRY_HOLD:
		apply_hold(queue, message, entry->marks != 0);
		return;
	case ENTRY_PAST:
		/* Behind a WHOLE the message is another than before. */
		message->past = entry->offset;
		return;
	case ENTRY_WHOLE:
	case ENTRY_ROUTE:
	case ENTRY_CURSOR:
		return;
	}
}

static int
apply_block(struct queue *queue, struct replay *replay, uint64_t number,
    uint32_t flags, struct span entries)
{
	struct cursor in = cursor_of(entries);
	struct entry entry;

	(void)replay;
	(void)number;
	(void)flags;
	while (entry_take(&in, &entry))
		apply(queue, &entry);
	return in.failed ? -1 : 0;
}

int
replay_apply(struct queue *queue, const struct replay *replay, struct err *err)
{
	struct replay copy = *replay;

	return walk(queue, &copy, replay->start, apply_block, err);
}
