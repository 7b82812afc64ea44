/*
 * One message with all there is to say: its jobs, and what was tried.
 *
 * Envelope and attempts are read once, with the first of its jobs.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mta/queue/ask.h"
#include "queue/attempt.h"

#define NAMED_MAX 3 /* recipients of one attempt that are named */

/* Recipients by their numbers in the envelope. */
struct chosen {
	uint8_t bits[(ENVELOPE_RCPTS_MAX + 1) / 8];
};

struct showing {
	struct answer *a;
	struct opened opened;
	struct attempt past[ATTEMPTS_MAX]; /* the newest first */
	size_t npast;
	bool cut;           /* there are more */
	struct chosen open; /* of all jobs */
};

static bool
has(const struct chosen *chosen, uint16_t rcpt)
{
	return (chosen->bits[rcpt / 8] >> rcpt % 8 & 1) != 0;
}

static void
choose(struct chosen *chosen, uint16_t rcpt)
{
	chosen->bits[rcpt / 8] |= (uint8_t)(1 << rcpt % 8);
}

/* --- Reading ----------------------------------------------------------- */

static void
on_attempt(void *arg, const struct attempt *attempt)
{
	struct showing *showing = arg;
	struct arena *arena = showing->opened.arena;

	struct attempt copy = {
	    .when = attempt->when,
	    .fate = attempt->fate,
	    .host = arena_span(arena, attempt->host),
	    .tls = arena_span(arena, attempt->tls),
	    .reason = arena_span(arena, attempt->reason),
	    .rcpts = arena_span(arena, attempt->rcpts),
	};

	/* The arena is full. */
	if (copy.host.n < attempt->host.n || copy.tls.n < attempt->tls.n ||
	    copy.reason.n < attempt->reason.n ||
	    copy.rcpts.n < attempt->rcpts.n)
		showing->cut = true;
	else
		showing->past[showing->npast++] = copy;
}

static void
read_message(struct showing *showing, const struct queue_job *job)
{
	ask_open(showing->a, job, &showing->opened);
	if (queue_history(showing->a->q->queue, job->id, on_attempt, showing))
		showing->cut = true;
}

/* --- What was tried ---------------------------------------------------- */

static const char *
address_of(const struct showing *showing, uint16_t rcpt)
{
	const struct envelope *envelope = showing->opened.envelope;

	return envelope == NULL || rcpt >= envelope->nrcpts
	           ? "?"
	           : envelope->rcpts[rcpt].address;
}

/* "a@x.example, b@x.example and 7 more"; how many. */
static size_t
write_rcpts(const struct showing *showing, const struct attempt *attempt,
    const struct chosen *whose, char *to, size_t size)
{
	size_t n = 0, at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < attempt_nrcpts(attempt); i++) {
		uint16_t rcpt = attempt_rcpt(attempt, i);
		int more;

		if (!has(whose, rcpt) || n++ >= NAMED_MAX)
			continue;
		more = snprintf(to + at, size - at, "%s%s", n > 1 ? ", " : "",
		    address_of(showing, rcpt));
		if (more > 0 && (size_t)more < size - at)
			at += (size_t)more;
	}
	if (n > NAMED_MAX)
		(void)snprintf(
		    to + at, size - at, " and %zu more", n - NAMED_MAX);
	return n;
}

static const char *
text_of(struct span from, char to[ATTEMPT_TEXT_MAX + 1])
{
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	to[from.n] = '\0';
	return to;
}

static void
put_attempt(const struct showing *showing, struct control_item *item,
    const struct attempt *attempt, const struct chosen *whose)
{
	char rcpts[(NAMED_MAX + 1) * 256], text[ATTEMPT_TEXT_MAX + 1];
	struct control_item *line;

	if (write_rcpts(showing, attempt, whose, rcpts, sizeof(rcpts)) == 0)
		return;
	line = control_item_new();
	control_put_number(line, "time", attempt->when);
	control_put_text(line, "outcome", fate_name(attempt->fate));
	control_put_text(line, "host", text_of(attempt->host, text));
	control_put_text(line, "reason", text_of(attempt->reason, text));
	if (attempt->tls.n > 0)
		control_put_text(line, "tls", text_of(attempt->tls, text));
	control_put_text(line, "recipients", rcpts);
	control_put_member(item, "history", &line);
}

static void
put_history(const struct showing *showing, struct control_item *item,
    const struct chosen *whose)
{
	for (size_t i = showing->npast; i > 0; i--)
		put_attempt(showing, item, &showing->past[i - 1], whose);
	if (showing->cut)
		control_put_flag(item, "history_cut", true);
}

/* With what was tried, or at least without it. */
static void
write_item(struct answer *a, struct control_item *item)
{
	int rc = control_write_item(item, &a->out);

	if (rc < 0) {
		control_drop(item, "history");
		control_put_flag(item, "history_cut", true);
		rc = control_write_item(item, &a->out);
	}
	if (rc == 0)
		a->n++;
	else
		a->full = true;
}

/* --- Jobs, and what is done -------------------------------------------- */

static void
on_shown(void *arg, const struct queue_entry *entry)
{
	struct showing *showing = arg;
	struct chosen *mine = mem_new(sizeof(*mine));
	struct control_item *item;

	if (showing->opened.arena == NULL)
		read_message(showing, &entry->job);
	for (size_t i = 0; i < entry->job.nrcpts; i++) {
		choose(mine, entry->job.rcpts[i]);
		choose(&showing->open, entry->job.rcpts[i]);
	}
	item = ask_item(showing->a, entry, &showing->opened, true);
	put_history(showing, item, mine);
	write_item(showing->a, item);
	control_item_free(&item);
	mem_free(mine);
}

/* Those of the attempts that no job has any more; how many. */
static size_t
find_done(const struct showing *showing, struct chosen *done,
    uint16_t list[ENVELOPE_RCPTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < showing->npast; i++)
		for (size_t r = 0; r < attempt_nrcpts(&showing->past[i]); r++) {
			uint16_t rcpt = attempt_rcpt(&showing->past[i], r);

			if (!has(&showing->open, rcpt))
				choose(done, rcpt);
		}
	for (uint16_t r = 0; r < ENVELOPE_RCPTS_MAX; r++)
		if (has(done, r))
			list[n++] = r;
	return n;
}

/* Those that are done with, as far as the attempts tell of them. */
static void
show_done(struct showing *showing, uint64_t message)
{
	uint16_t *list = mem_array(ENVELOPE_RCPTS_MAX, sizeof(list[0]));
	struct chosen *done = mem_new(sizeof(*done));
	size_t n = find_done(showing, done, list);
	struct control_item *item;
	char id[QUEUE_ID_SIZE];

	if (n > 0) {
		item = control_item_new();
		queue_id_text(message, id);
		control_put_text(item, "id", id);
		control_put_text(item, "state", "done");
		if (showing->opened.envelope != NULL)
			ask_put_rcpts(item, showing->opened.envelope, list, n);
		put_history(showing, item, done);
		write_item(showing->a, item);
		control_item_free(&item);
	}
	mem_free(done);
	mem_free(list);
}

bool
ask_show(struct answer *a, uint64_t id)
{
	struct showing *showing = mem_new(sizeof(*showing));
	bool there;

	showing->a = a;
	there = queue_show(a->q->queue, id, on_shown, showing);
	if (there)
		show_done(showing, id);
	ask_close(&showing->opened);
	mem_free(showing);
	return there;
}
