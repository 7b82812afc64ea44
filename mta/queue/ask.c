/* What the operator asks of the queue: the answers of `danelaw queue`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/ctl/control.h"
#include "mta/queue/private.h"
#include "queue/listing.h"

#define ANSWER_MAX (3u << 20)
#define ARENA_MAX  (4u << 20)

struct answer {
	struct queue_role *q;
	const struct control_request *request;
	struct buf out;
	uint32_t n; /* items so far */
	bool full;
};

static void
put_envelope(struct control_item *item, const struct queue_job *job,
    const struct envelope *envelope, bool whole)
{
	char list[4096];
	size_t at = 0;

	control_put_text(item, "sender", envelope->sender);
	list[0] = '\0';
	for (size_t i = 0; i < job->nrcpts; i++) {
		int n;

		if (job->rcpts[i] >= envelope->nrcpts || (!whole && i == 3))
			break;
		n = snprintf(list + at, sizeof(list) - at, "%s%s",
		    at == 0 ? "" : ", ",
		    envelope->rcpts[job->rcpts[i]].address);
		if (n < 0 || (size_t)n >= sizeof(list) - at)
			break;
		at += (size_t)n;
	}
	control_put_text(item, "recipients", list);
	if (!whole)
		return;
	control_put_text(item, "session", envelope->session);
	control_put_text(item, "client", envelope->client);
	control_put_text(item, "helo", envelope->helo);
	control_put_text(item, "envid", envelope->envid);
	control_put_flag(item, "requiretls", envelope->requiretls);
	control_put_flag(item, "smtputf8", envelope->smtputf8);
}

static void
put_message(struct answer *a, struct control_item *item,
    const struct queue_job *job, bool whole)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct message_in *in = NULL;
	struct err err;

	if (message_open(a->q->reader, job->id, job->at, arena, &in, &err) < 0)
		control_put_text(item, "problem", err.text);
	else
		put_envelope(item, job, message_envelope(in), whole);
	message_close(&in);
	arena_free(&arena);
}

static void
add_entry(struct answer *a, const struct queue_entry *entry, bool whole)
{
	struct control_item *item = control_item_new();
	char id[QUEUE_ID_SIZE];

	queue_id_text(entry->job.id, id);
	control_put_text(item, "id", id);
	control_put_text(item, "state", job_state_name(entry->state));
	control_put_number(item, "arrived", entry->job.arrived);
	control_put_number(item, "size", (int64_t)entry->job.size);
	control_put_text(item, "target", entry->job.destination);
	put_message(a, item, &entry->job, whole);
	control_put_number(item, "attempts", entry->job.attempts);
	control_put_number(item, "due", entry->due);
	control_put_text(item, "reason", entry->reason);
	if (control_write_item(item, &a->out) == 0)
		a->n++;
	else
		a->full = true;
	control_item_free(&item);
}

static void
on_listed(void *arg, const struct queue_entry *entry)
{
	struct answer *a = arg;
	const char *target = a->request->target;

	if (target[0] != '\0' && strcmp(target, entry->job.destination) != 0)
		return;
	add_entry(a, entry, false);
}

static void
on_shown(void *arg, const struct queue_entry *entry)
{
	add_entry(arg, entry, true);
}

static int
done(struct answer *a, const struct control_item *more)
{
	return control_write_done(more, &a->out);
}

static int
answer_list(struct answer *a)
{
	struct control_item *more = control_item_new();
	uint64_t position = 0;
	char after[24];
	bool again = true;
	int rc;

	if (a->request->after[0] != '\0' &&
	    !text_parse_u64(span_of(a->request->after), &position)) {
		control_item_free(&more);
		return control_write_error(
		    "after: not a place in the list", &a->out);
	}
	while (again && a->n < a->request->limit && !a->full)
		again = queue_list(a->q->queue, &position, on_listed, a);
	if (again) {
		(void)snprintf(after, sizeof(after), "%" PRIu64, position);
		control_put_text(more, "after", after);
	}
	rc = done(a, more);
	control_item_free(&more);
	return rc;
}

static int
answer_stats(struct answer *a)
{
	struct control_item *more = control_item_new();
	struct queue_counts c;
	int rc;

	queue_count(a->q->queue, &c);
	control_put_number(more, "messages", (int64_t)c.messages);
	control_put_number(more, "waiting", (int64_t)c.waiting);
	control_put_number(more, "ready", (int64_t)c.ready);
	control_put_number(more, "leased", (int64_t)c.leased);
	control_put_number(more, "held", (int64_t)c.held);
	control_put_number(more, "destinations", (int64_t)c.destinations);
	control_put_number(more, "segments", (int64_t)c.segments);
	control_put_number(more, "segment_bytes", (int64_t)c.segment_bytes);
	control_put_number(more, "journal_bytes", (int64_t)c.journal_bytes);
	control_put_number(more, "memory", (int64_t)c.memory);
	control_put_number(more, "delivered", (int64_t)a->q->delivered);
	control_put_number(more, "deferred", (int64_t)a->q->deferred);
	control_put_number(more, "failed", (int64_t)a->q->failed);
	rc = done(a, more);
	control_item_free(&more);
	return rc;
}

static int
answer_bool(struct answer *a, bool found)
{
	return found ? done(a, NULL)
	             : control_write_error("no such message", &a->out);
}

static int
answer_flush(struct answer *a)
{
	struct control_item *more = control_item_new();
	const char *target = a->request->target;
	size_t n = queue_flush(
	    a->q->queue, target[0] == '\0' ? NULL : target, clock_wall());
	int rc;

	control_put_number(more, "count", (int64_t)n);
	rc = done(a, more);
	control_item_free(&more);
	dispatch(a->q);
	return rc;
}

static int
answer_id(struct answer *a)
{
	struct queue *queue = a->q->queue;
	int64_t now = clock_wall();
	uint64_t id;

	if (!queue_id_parse(a->request->id, &id))
		return control_write_error("id: not a queue id", &a->out);
	switch (a->request->command) {
	case CONTROL_QUEUE_SHOW:
		return answer_bool(a, queue_show(queue, id, on_shown, a));
	case CONTROL_QUEUE_HOLD:
		return answer_bool(a, queue_hold(queue, id, true));
	case CONTROL_QUEUE_RELEASE:
		return answer_bool(a, queue_hold(queue, id, false));
	case CONTROL_QUEUE_REMOVE:
		return answer_bool(a, queue_remove(queue, id, now));
	case CONTROL_QUEUE_FLUSH:
		return answer_bool(a, queue_flush_message(queue, id, now));
	case CONTROL_NONE:
	case CONTROL_STATUS:
	case CONTROL_QUEUE_LIST:
	case CONTROL_QUEUE_STATS:
		break;
	}
	return control_write_error("not a command for a message", &a->out);
}

static int
answer_request(struct answer *a)
{
	switch (a->request->command) {
	case CONTROL_QUEUE_LIST:
		return answer_list(a);
	case CONTROL_QUEUE_STATS:
		return answer_stats(a);
	case CONTROL_QUEUE_FLUSH:
		return a->request->id[0] == '\0' ? answer_flush(a)
		                                 : answer_id(a);
	case CONTROL_QUEUE_SHOW:
	case CONTROL_QUEUE_HOLD:
	case CONTROL_QUEUE_RELEASE:
	case CONTROL_QUEUE_REMOVE:
		return answer_id(a);
	case CONTROL_NONE:
	case CONTROL_STATUS:
		break;
	}
	return control_write_error("not a command of the queue", &a->out);
}

void
ask_answer(struct queue_role *q, const struct ipc_ask *ask)
{
	struct control_request request;
	struct answer a = {.q = q, .request = &request};
	struct err err;
	int rc;

	buf_init(&a.out, ANSWER_MAX);
	if (control_read_request(ask->text, &request, &err) < 0)
		rc = control_write_error(err.text, &a.out);
	else
		rc = answer_request(&a);
	if (rc < 0) {
		buf_clear(&a.out);
		if (control_write_error("the answer grew too large", &a.out) <
		    0)
			buf_clear(&a.out);
	}
	role_answer(q->role, ask->id, buf_span(&a.out), true);
	buf_free(&a.out);
	journal_pump(q);
	dispatch(q);
}
