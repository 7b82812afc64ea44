/* From the commit of a message to its sync. */
#include <assert.h>

#include "base/mem.h"
#include "mta/intake_private.h"
#include "mta/net/loop.h"

#define RETRY_MS 1000

static void intake_pump(struct intake *intake);
static loop_fn on_committed, on_switched, on_closed, on_message_worked;

static void
list_init(struct intake_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void
list_add(struct intake_list *list, struct intake_message *message)
{
	message->next = NULL;
	*list->last = message;
	list->last = &message->next;
}

static struct intake_message *
list_take(struct intake_list *list)
{
	struct intake_message *message = list->first;

	if (message == NULL)
		return NULL;
	list->first = message->next;
	if (list->first == NULL)
		list->last = &list->first;
	return message;
}

static void
on_retry(void *arg)
{
	intake_pump(arg);
}

int
intake_new(
    const struct intake_setup *setup, struct intake **ret, struct err *err)
{
	struct intake *intake;
	struct segment *segment;

	if (segment_create(setup->spool, &segment, err) < 0)
		return -1;
	intake = mem_new(sizeof(*intake));
	intake->setup = *setup;
	intake->segment = segment;
	intake->retry = timer_new(setup->loop, on_retry, intake);
	list_init(&intake->waiting);
	list_init(&intake->collected);
	list_init(&intake->flying);
	*ret = intake;
	return 0;
}

bool
intake_busy(const struct intake *intake)
{
	return intake->batch != NULL || intake->switching ||
	       intake->workers > 0 || intake->untold > 0 ||
	       intake->waiting.first != NULL || intake->collected.first != NULL;
}

void
intake_free(struct intake **intakep)
{
	struct intake *intake = *intakep;

	*intakep = NULL;
	if (intake == NULL)
		return;
	assert(!intake_busy(intake));
	segment_close(&intake->segment);
	timer_free(&intake->retry);
	mem_free(intake);
}

void
intake_announce(struct intake *intake)
{
	if (intake->durable > 0)
		intake->setup.on_synced(intake->setup.arg,
		    segment_number(intake->segment), intake->durable);
}

/* Take, clear, then call. */
static void
tell(struct intake_message *message, const struct err *err)
{
	intake_done *done = message->done;
	void *arg = message->arg;
	uint64_t id = message->id;

	if (err == NULL)
		large_close(&message->large);
	else
		large_abort(&message->large);
	intake_message_free(message);
	done(arg, id, err);
}

/* Whoever is told before others may ask whether anything is on its way. */
static void
tell_all(struct intake *intake, struct intake_list *list, const struct err *err)
{
	struct intake_message *message = list->first, *next;

	list_init(list);
	for (next = message; next != NULL; next = next->next)
		intake->untold++;
	for (; message != NULL; message = next) {
		next = message->next;
		intake->untold--;
		tell(message, err);
	}
}

static int
append(struct intake *intake, struct intake_message *message, struct err *err)
{
	struct segment_message record = {
	    .id = message->id,
	    .envelope = message->envelope,
	    .body = buf_span(&message->body),
	};

	if (message->large != NULL) {
		record.large = true;
		record.large_size = large_size(message->large);
		record.large_checksum = large_checksum(message->large);
	}
	return segment_append(intake->segment, &record, err);
}

static void
work_commit(void *arg)
{
	struct intake *intake = arg;

	intake->worker_failed = batch_commit(
				    intake->batch, &intake->worker_err) < 0;
}

static void
work_switch(void *arg)
{
	struct intake *intake = arg;

	intake->worker_failed = segment_create(intake->setup.spool,
				    &intake->opened, &intake->worker_err) < 0;
}

static void
work_close(void *arg)
{
	struct intake *intake = arg;

	segment_close(&intake->closing);
}

/* The full or broken segment stays until the next one is there. */
static void
switch_segment(struct intake *intake)
{
	bool broken = segment_broken(intake->segment);

	/* What a broken segment had collected has been answered for. */
	if (intake->switching || intake->batch != NULL ||
	    (!broken && segment_collecting(intake->segment)) ||
	    timer_running(intake->retry))
		return;
	intake->switching = true;
	work_run(intake->setup.loop, work_switch, on_switched, intake);
}

static void
on_switched(void *arg)
{
	struct intake *intake = arg;
	struct err err = intake->worker_err;

	if (intake->worker_failed) {
		intake->switching = false;
		timer_start(intake->retry, RETRY_MS);
		tell_all(intake, &intake->waiting, &err);
		return;
	}
	intake->closing = intake->segment;
	intake->segment = intake->opened;
	intake->opened = NULL;
	intake->durable = 0;
	work_run(intake->setup.loop, work_close, on_closed, intake);
}

static void
on_closed(void *arg)
{
	struct intake *intake = arg;

	intake->switching = false;
	intake_pump(intake);
}

static void
work_nothing(void *arg)
{
	(void)arg;
}

/* Never from inside intake_commit(). */
static void
refuse_later(struct intake_message *message, const struct err *err)
{
	message->failed = true;
	message->err = *err;
	message->intake->workers++;
	work_run(message->intake->setup.loop, work_nothing, on_message_worked,
	    message);
}

/* Move what waits into the segment's batch, as far as there is room. */
static void
collect(struct intake *intake)
{
	while (intake->waiting.first != NULL && !intake->switching) {
		struct intake_message *message = intake->waiting.first;
		struct err err;
		enum segment_room room = segment_room(
		    intake->segment, message->envelope, message->body.n);

		if (room == ROOM_NONE)
			switch_segment(intake);
		if (room != ROOM_NOW)
			return;
		(void)list_take(&intake->waiting);
		if (append(intake, message, &err) == 0)
			list_add(&intake->collected, message);
		else
			refuse_later(message, &err);
	}
}

static void
intake_pump(struct intake *intake)
{
	collect(intake);
	if (intake->batch != NULL || intake->switching)
		return;
	intake->batch = segment_take(intake->segment);
	if (intake->batch == NULL)
		return;
	assert(intake->collected.first != NULL);
	intake->flying = intake->collected;
	list_init(&intake->collected);
	work_run(intake->setup.loop, work_commit, on_committed, intake);
}

static void
on_committed(void *arg)
{
	struct intake *intake = arg;
	bool ok = !intake->worker_failed;
	struct err err = intake->worker_err;

	intake->durable = segment_committed(
	    intake->segment, &intake->batch, ok);
	if (ok) {
		intake_announce(intake);
		tell_all(intake, &intake->flying, NULL);
	} else {
		/* What collected behind it is lost with the segment. */
		tell_all(intake, &intake->flying, &err);
		tell_all(intake, &intake->collected, &err);
	}
	intake_pump(intake);
}

static void
work_large(void *arg)
{
	struct intake_message *message = arg;

	message->failed = intake_flush(message, &message->err) < 0 ||
	                  large_commit(message->large, &message->err) < 0;
}

static void
enqueue(struct intake_message *message)
{
	list_add(&message->intake->waiting, message);
	intake_pump(message->intake);
}

static void
on_message_worked(void *arg)
{
	struct intake_message *message = arg;
	struct err err = message->err;

	message->intake->workers--;
	if (message->failed)
		tell(message, &err);
	else
		enqueue(message);
}

void
intake_commit(struct intake_message **messagep, const struct envelope *envelope,
    intake_done *done, void *arg)
{
	struct intake_message *message = *messagep;

	*messagep = NULL;
	message->envelope = envelope;
	message->done = done;
	message->arg = arg;
	if (message->large == NULL) {
		enqueue(message);
		return;
	}
	message->intake->workers++;
	work_run(message->intake->setup.loop, work_large, on_message_worked,
	    message);
}
