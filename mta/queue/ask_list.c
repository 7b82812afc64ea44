/*
 * Many messages: to be shown, or to have something done with them.
 *
 * Envelopes are read only when a filter or the listing wants them, and never
 * more than OPENED_MAX for one request.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/queue/ask.h"

#define ARENA_MAX  (4u << 20)
#define OPENED_MAX 20000 /* envelopes; the part under way is finished */
#define PARTS_MAX  256   /* of the table, in one request */
#define OUT_ENOUGH (1u << 20)

void
ask_open(struct answer *a, const struct queue_job *job, struct opened *ret)
{
	*ret = (struct opened){.arena = arena_new(ARENA_MAX)};
	if (message_peek(a->q->reader, job->id, job->at, ret->arena, &ret->made,
		&ret->err) == 0)
		ret->envelope = &ret->made;
}

void
ask_close(struct opened *opened)
{
	arena_free(&opened->arena);
}

/* --- The place in the queue -------------------------------------------- */

static int
read_position(struct answer *a, uint64_t *ret)
{
	const char *after = a->request->after;

	*ret = 0;
	return after[0] == '\0' || text_parse_u64(span_of(after), ret) ? 0 : -1;
}

static int
bad_position(struct answer *a)
{
	return control_write_error("after: not a place in the list", &a->out);
}

static void
put_after(struct control_item *more, bool again, uint64_t position)
{
	char after[24];

	if (!again)
		return;
	(void)snprintf(after, sizeof(after), "%" PRIu64, position);
	control_put_text(more, "after", after);
}

static int
done(struct answer *a, struct control_item *more)
{
	int rc = control_write_done(more, &a->out);

	control_item_free(&more);
	return rc;
}

int
ask_done_count(struct answer *a, uint64_t count)
{
	struct control_item *more = control_item_new();

	if (a->request->dry_run)
		control_put_flag(more, "dry_run", true);
	control_put_number(more, "count", (int64_t)count);
	return done(a, more);
}

/* --- List -------------------------------------------------------------- */

static bool
has_recipient(const struct control_request *request,
    const struct queue_job *job, const struct envelope *envelope)
{
	for (size_t i = 0; i < job->nrcpts; i++)
		if (job->rcpts[i] < envelope->nrcpts &&
		    ask_matches_address(request->filter.recipient,
			envelope->rcpts[job->rcpts[i]].address))
			return true;
	return false;
}

static bool
matches_envelope(const struct control_request *request,
    const struct queue_job *job, const struct opened *opened)
{
	const struct envelope *envelope;

	if (!ask_needs_envelope(request))
		return true;
	envelope = opened->envelope;
	if (envelope == NULL)
		return false;
	return ask_matches_address(request->filter.sender, envelope->sender) &&
	       has_recipient(request, job, envelope);
}

struct walk {
	struct answer *a;
	uint64_t opened; /* envelopes */
	/* What a bulk operation means: recipients, those of one message
	 * together. */
	struct chosen {
		uint64_t id;
		uint16_t rcpt;
	} * chosen;
	size_t n, size;
};

static void
put_entry(struct answer *a, const struct queue_entry *entry,
    const struct opened *opened)
{
	struct control_item *item = ask_item(a, entry, opened, false);

	if (control_write_item(item, &a->out) == 0)
		a->n++;
	else
		a->full = true;
	control_item_free(&item);
}

static void
on_listed(void *arg, const struct queue_entry *entry)
{
	struct walk *walk = arg;
	struct answer *a = walk->a;
	struct opened opened;

	if (!ask_matches_entry(a->request, entry, a->now))
		return;
	walk->opened++;
	ask_open(a, &entry->job, &opened);
	if (matches_envelope(a->request, &entry->job, &opened))
		put_entry(a, entry, &opened);
	ask_close(&opened);
}

int
ask_list(struct answer *a)
{
	struct walk walk = {.a = a};
	struct control_item *more;
	uint64_t position;
	bool again = true;

	if (read_position(a, &position) < 0)
		return bad_position(a);
	for (unsigned part = 0;
	     again && part < PARTS_MAX && a->n < a->request->limit &&
	     !a->full && a->out.n < OUT_ENOUGH && walk.opened < OPENED_MAX;
	     part++)
		again = queue_list(a->q->queue, &position, on_listed, &walk);
	more = control_item_new();
	put_after(more, again, position);
	return done(a, more);
}

/* --- Bulk -------------------------------------------------------------- */

static void
choose(struct walk *walk, uint64_t id, uint16_t rcpt)
{
	if (walk->n == walk->size) {
		size_t size = walk->size == 0 ? 1024 : 2 * walk->size;

		walk->chosen = mem_grow(walk->chosen,
		    walk->size * sizeof(walk->chosen[0]),
		    size * sizeof(walk->chosen[0]));
		walk->size = size;
	}
	walk->chosen[walk->n++] = (struct chosen){id, rcpt};
}

static void
choose_rcpts(
    struct walk *walk, const struct queue_job *job, const struct opened *opened)
{
	const char *wanted = walk->a->request->filter.recipient;

	for (size_t i = 0; i < job->nrcpts; i++)
		if (wanted[0] == '\0' ||
		    (opened->envelope != NULL &&
			job->rcpts[i] < opened->envelope->nrcpts &&
			ask_matches_address(wanted,
			    opened->envelope->rcpts[job->rcpts[i]].address)))
			choose(walk, job->id, job->rcpts[i]);
}

static void
on_chosen(void *arg, const struct queue_entry *entry)
{
	struct walk *walk = arg;
	struct answer *a = walk->a;
	struct opened opened = {0};

	if (!ask_matches_entry(a->request, entry, a->now))
		return;
	if (!ask_needs_envelope(a->request)) {
		choose_rcpts(walk, &entry->job, &opened);
		return;
	}
	walk->opened++;
	ask_open(a, &entry->job, &opened);
	if (matches_envelope(a->request, &entry->job, &opened))
		choose_rcpts(walk, &entry->job, &opened);
	ask_close(&opened);
}

static bool
remove_chosen(struct walk *walk, size_t from, size_t n)
{
	uint16_t *rcpts = mem_array(n, sizeof(rcpts[0]));
	uint64_t id = walk->chosen[from].id;
	char ticket[REPORT_TICKET_SIZE];
	size_t gone;

	for (size_t i = 0; i < n; i++)
		rcpts[i] = walk->chosen[from + i].rcpt;
	ask_removing(walk->a, id, ticket);
	gone = queue_remove_rcpts(walk->a->q->queue, id, rcpts, n);
	ask_removed(walk->a, id, ticket);
	mem_free(rcpts);
	return gone > 0;
}

/* To the recipients of one message from `from` on; was there anything? */
static bool
apply_one(struct walk *walk, size_t from, size_t n)
{
	const struct answer *a = walk->a;
	uint64_t id = walk->chosen[from].id;

	if (a->request->dry_run)
		return true;
	switch (a->request->command) {
	case CONTROL_QUEUE_HOLD:
		return queue_hold(a->q->queue, id, true);
	case CONTROL_QUEUE_RELEASE:
		return queue_hold(a->q->queue, id, false);
	case CONTROL_QUEUE_FLUSH:
		return queue_flush_message(a->q->queue, id, a->now);
	case CONTROL_QUEUE_REQUEUE:
		return queue_requeue(a->q->queue, id, a->now);
	case CONTROL_QUEUE_REMOVE:
		return remove_chosen(walk, from, n);
	case CONTROL_NONE:
	case CONTROL_STATUS:
	case CONTROL_METRICS:
	case CONTROL_DANE_OFF:
	case CONTROL_DANE_ON:
	case CONTROL_STS_CHANGED:
	case CONTROL_RELOAD:
	case CONTROL_REPORT_SEND:
	case CONTROL_QUEUE_LIST:
	case CONTROL_QUEUE_SHOW:
	case CONTROL_QUEUE_STATS:
		break;
	}
	return false;
}

/* How many messages. */
static uint64_t
apply(struct walk *walk)
{
	uint64_t count = 0;
	size_t from = 0;

	while (from < walk->n) {
		size_t n = 1;

		while (from + n < walk->n &&
		       walk->chosen[from + n].id == walk->chosen[from].id)
			n++;
		count += apply_one(walk, from, n);
		from += n;
	}
	walk->n = 0;
	return count;
}

int
ask_bulk(struct answer *a)
{
	struct walk walk = {.a = a};
	struct control_item *more;
	uint64_t position, count = 0;
	bool again = true;

	if (read_position(a, &position) < 0)
		return bad_position(a);
	for (unsigned part = 0;
	     again && part < PARTS_MAX && walk.opened < OPENED_MAX; part++) {
		again = queue_list(a->q->queue, &position, on_chosen, &walk);
		count += apply(&walk);
	}
	mem_free(walk.chosen);
	more = control_item_new();
	if (a->request->dry_run)
		control_put_flag(more, "dry_run", true);
	control_put_number(more, "count", (int64_t)count);
	put_after(more, again, position);
	return done(a, more);
}
