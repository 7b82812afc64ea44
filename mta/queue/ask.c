/* What the operator asks of the queue: the answers of `danelaw queue`. */
#include "mta/queue/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define ANSWER_MAX (3u << 20)
#define LISTED_MAX 3 /* recipients of a job in a listing */

void
ask_put_rcpts(struct control_item *item, const struct envelope *envelope,
    const uint16_t *rcpts, size_t n)
{
	char list[4096];
	size_t at = 0;

	list[0] = '\0';
	for (size_t i = 0; i < n && rcpts[i] < envelope->nrcpts; i++) {
		int more = snprintf(list + at, sizeof(list) - at, "%s%s",
		    at == 0 ? "" : ", ", envelope->rcpts[rcpts[i]].address);

		if (more < 0 || (size_t)more >= sizeof(list) - at) {
			list[at] = '\0'; /* no half of an address */
			break;
		}
		at += (size_t)more;
	}
	control_put_text(item, "recipients", list);
}

static void
put_envelope(struct control_item *item, const struct queue_job *job,
    const struct envelope *envelope, bool whole)
{
	control_put_text(item, "sender", envelope->sender);
	ask_put_rcpts(item, envelope, job->rcpts,
	    whole || job->nrcpts < LISTED_MAX ? job->nrcpts : LISTED_MAX);
	if (!whole)
		return;
	control_put_text(item, "session", envelope->session);
	control_put_text(item, "client", envelope->client);
	control_put_text(item, "helo", envelope->helo);
	control_put_text(item, "envid", envelope->envid);
	control_put_flag(
	    item, "requiretls", envelope->tls_wish == TLS_WISH_REQUIRED);
	control_put_flag(
	    item, "tls_waived", envelope->tls_wish == TLS_WISH_WAIVED);
	control_put_flag(
	    item, "tls_report", envelope->tls_wish == TLS_WISH_REPORT);
	control_put_flag(item, "smtputf8", envelope->smtputf8);
}

static void
put_words(struct answer *a, struct control_item *item,
    const struct queue_entry *entry)
{
	char words[ASK_WORDS_SIZE];

	ask_words(entry, a->now, entry->job.ends, words);
	control_put_text(item, "next", words);
	control_put_number(item, "expires", entry->job.ends);
}

struct control_item *
ask_item(struct answer *a, const struct queue_entry *entry,
    const struct opened *opened, bool whole)
{
	struct control_item *item = control_item_new();
	char id[QUEUE_ID_SIZE];

	queue_id_text(entry->job.id, id);
	control_put_text(item, "id", id);
	control_put_text(item, "state", job_state_name(entry->state));
	control_put_number(item, "arrived", entry->job.arrived);
	control_put_number(item, "size", (int64_t)entry->job.size);
	control_put_text(item, "target", entry->job.destination);
	if (opened->envelope == NULL)
		control_put_text(item, "problem", opened->err.text);
	else
		put_envelope(item, &entry->job, opened->envelope, whole);
	control_put_number(item, "attempts", entry->job.attempts);
	control_put_number(item, "due", entry->due);
	control_put_text(item, "reason", entry->reason);
	if (whole)
		put_words(a, item, entry);
	return item;
}

static int
no_such_message(struct answer *a)
{
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "no such message: %.30s", a->request->id);
	return control_write_error(text, &a->out);
}

static int
not_an_id(struct answer *a)
{
	char text[CONTROL_WORD_MAX + 32];

	(void)snprintf(
	    text, sizeof(text), "not a queue id: %s", a->request->id);
	return control_write_error(text, &a->out);
}

static int
answer_bool(struct answer *a, bool found)
{
	if (found && a->request->dry_run)
		return ask_done_count(a, 1);
	return found ? control_write_done(NULL, &a->out) : no_such_message(a);
}

static int
answer_show(struct answer *a, uint64_t id)
{
	if (!ask_show(a, id))
		return no_such_message(a);
	/* Not all of it is there, and that is not to look as if it were. */
	return a->full ? control_write_error(CONTROL_TOO_LARGE, &a->out)
	               : control_write_done(NULL, &a->out);
}

/* By far the most frequent bulk operation; needs no look at each job. */
static int
answer_flush(struct answer *a)
{
	const char *target = a->request->target;

	return ask_done_count(
	    a, queue_flush(
		   a->q->queue, target[0] == '\0' ? NULL : target, a->now));
}

static void
on_nothing(void *arg, const struct queue_entry *entry)
{
	(void)arg;
	(void)entry;
}

static bool
remove_one(struct answer *a, uint64_t id)
{
	char ticket[REPORT_TICKET_SIZE];
	bool found;

	ask_removing(a, id, ticket);
	found = queue_remove(a->q->queue, id, a->now);
	ask_removed(a, id, ticket);
	return found;
}

static int
answer_id(struct answer *a)
{
	struct queue *queue = a->q->queue;
	uint64_t id;

	if (!queue_id_parse(a->request->id, &id))
		return not_an_id(a);
	if (a->request->dry_run)
		return answer_bool(a, queue_show(queue, id, on_nothing, a));
	switch (a->request->command) {
	case CONTROL_QUEUE_SHOW:
		return answer_show(a, id);
	case CONTROL_QUEUE_HOLD:
		return answer_bool(a, queue_hold(queue, id, true));
	case CONTROL_QUEUE_RELEASE:
		return answer_bool(a, queue_hold(queue, id, false));
	case CONTROL_QUEUE_REMOVE:
		return answer_bool(a, remove_one(a, id));
	case CONTROL_QUEUE_REQUEUE:
		return answer_bool(a, queue_requeue(queue, id, a->now));
	case CONTROL_QUEUE_FLUSH:
		return answer_bool(a, queue_flush_message(queue, id, a->now));
	case CONTROL_NONE:
	case CONTROL_STATUS:
	case CONTROL_METRICS:
	case CONTROL_DANE_OFF:
	case CONTROL_DANE_ON:
	case CONTROL_STS_CHANGED:
	case CONTROL_RELOAD:
	case CONTROL_REPORT_SEND:
	case CONTROL_QUEUE_LIST:
	case CONTROL_QUEUE_STATS:
		break;
	}
	return control_write_error("not a command for a message", &a->out);
}

/* Only one destination, or nothing at all, is asked for. */
static bool
is_plain_flush(const struct answer *a)
{
	struct control_request other = *a->request;

	other.target[0] = '\0';
	return !control_is_choosy(&other) && !other.dry_run &&
	       (a->request->target[0] == '\0' || a->one_target);
}

static int
answer_request(struct answer *a)
{
	if (!ask_knows_state(a->request))
		return control_write_error("state: not \"waiting\", \"ready\", "
					   "\"under way\" or \"held\"",
		    &a->out);
	switch (a->request->command) {
	case CONTROL_QUEUE_LIST:
		return ask_list(a);
	case CONTROL_QUEUE_STATS:
		return ask_stats(a);
	case CONTROL_QUEUE_FLUSH:
		if (a->request->id[0] == '\0' && is_plain_flush(a))
			return answer_flush(a);
		break;
	case CONTROL_QUEUE_SHOW:
	case CONTROL_QUEUE_HOLD:
	case CONTROL_QUEUE_RELEASE:
	case CONTROL_QUEUE_REMOVE:
	case CONTROL_QUEUE_REQUEUE:
		break;
	case CONTROL_NONE:
	case CONTROL_STATUS:
	case CONTROL_METRICS:
	case CONTROL_DANE_OFF:
	case CONTROL_DANE_ON:
	case CONTROL_STS_CHANGED:
	case CONTROL_RELOAD:
	case CONTROL_REPORT_SEND:
		return control_write_error(
		    "not a command of the queue", &a->out);
	}
	return a->request->id[0] == '\0' ? ask_bulk(a) : answer_id(a);
}

void
ask_answer(struct queue_role *q, const struct ipc_ask *ask)
{
	struct control_request request;
	struct answer a = {.q = q, .request = &request, .now = clock_wall()};
	struct err err;
	int rc;

	buf_init(&a.out, ANSWER_MAX);
	if (control_read_request(ask->text, &request, &err) < 0)
		rc = control_write_error(err.text, &a.out);
	else {
		a.one_target = ask_canonical(request.target);
		rc = answer_request(&a);
	}
	if (rc < 0) {
		buf_clear(&a.out);
		if (control_write_error(CONTROL_TOO_LARGE, &a.out) < 0)
			buf_clear(&a.out);
	}
	role_answer(q->role, ask->id, buf_span(&a.out), true);
	buf_free(&a.out);
	journal_pump(q);
	dispatch(q);
}
