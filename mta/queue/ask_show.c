/* One message with all there is to say: its jobs, and what was tried. */
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
	struct chosen *open;     /* of all jobs */
	struct queue_job job;    /* the last; for where the message is */
	struct chosen *told;     /* whose attempts are told now */
	bool rest;               /* the others' */
	struct control_item *to; /* into its "history" */
	const struct envelope *envelope; /* or NULL */
	struct chosen *found;            /* by the attempts */
	size_t nfound;
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

static bool
is_told(const struct showing *showing, uint16_t rcpt)
{
	return has(showing->told, rcpt) != showing->rest;
}

static const char *
address_of(const struct showing *showing, uint16_t rcpt)
{
	const struct envelope *envelope = showing->envelope;

	return envelope == NULL || rcpt >= envelope->nrcpts
	           ? "?"
	           : envelope->rcpts[rcpt].address;
}

/* "a@x.example, b@x.example and 7 more"; how many. */
static size_t
write_rcpts(struct showing *showing, const struct attempt *attempt, char *to,
    size_t size)
{
	size_t n = 0, at = 0, count = attempt_nrcpts(attempt);

	to[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		uint16_t rcpt = attempt_rcpt(attempt, i);
		int more;

		if (!is_told(showing, rcpt))
			continue;
		if (showing->found != NULL && !has(showing->found, rcpt)) {
			choose(showing->found, rcpt);
			showing->nfound++;
		}
		if (n++ >= NAMED_MAX)
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
on_attempt(void *arg, const struct attempt *attempt)
{
	struct showing *showing = arg;
	char rcpts[(NAMED_MAX + 1) * 256], text[ATTEMPT_TEXT_MAX + 1];
	struct control_item *line;

	if (write_rcpts(showing, attempt, rcpts, sizeof(rcpts)) == 0 ||
	    showing->to == NULL)
		return;
	line = control_item_new();
	control_put_number(line, "time", attempt->when);
	control_put_text(line, "outcome", fate_name(attempt->fate));
	control_put_text(line, "host", text_of(attempt->host, text));
	control_put_text(line, "reason", text_of(attempt->reason, text));
	if (attempt->tls.n > 0)
		control_put_text(line, "tls", text_of(attempt->tls, text));
	control_put_text(line, "recipients", rcpts);
	control_put_member(showing->to, "history", &line);
}

static void
put_history(struct showing *showing, struct control_item *item, uint64_t id,
    const struct opened *opened)
{
	showing->to = item;
	showing->envelope = opened->envelope;
	if (queue_history(showing->a->q->queue, id, on_attempt, showing))
		control_put_flag(item, "history_cut", true);
}

/* With what was tried, or at least without it. */
static void
write_item(struct showing *showing, struct control_item *item)
{
	struct answer *a = showing->a;
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

static void
on_shown(void *arg, const struct queue_entry *entry)
{
	struct showing *showing = arg;
	struct chosen *mine = mem_new(sizeof(*mine));
	struct control_item *item;
	struct opened opened;

	for (size_t i = 0; i < entry->job.nrcpts; i++) {
		choose(mine, entry->job.rcpts[i]);
		choose(showing->open, entry->job.rcpts[i]);
	}
	showing->job = entry->job;
	showing->told = mine;
	ask_open(showing->a, &entry->job, &opened);
	item = ask_item(showing->a, entry, &opened, true);
	put_history(showing, item, entry->job.id, &opened);
	write_item(showing, item);
	control_item_free(&item);
	ask_close(&opened);
	mem_free(mine);
}

static void
put_found(const struct showing *showing, struct control_item *item)
{
	char list[4096];
	size_t at = 0;

	list[0] = '\0';
	for (uint32_t r = 0; r < ENVELOPE_RCPTS_MAX; r++) {
		int n;

		if (!has(showing->found, (uint16_t)r))
			continue;
		n = snprintf(list + at, sizeof(list) - at, "%s%s",
		    at == 0 ? "" : ", ", address_of(showing, (uint16_t)r));
		if (n < 0 || (size_t)n >= sizeof(list) - at)
			break;
		at += (size_t)n;
	}
	control_put_text(item, "recipients", list);
}

/* Those that are done with, as far as the attempts tell of them. */
static void
show_done(struct showing *showing)
{
	struct control_item *item = control_item_new();
	struct chosen *found = mem_new(sizeof(*found));
	char id[QUEUE_ID_SIZE];
	struct opened opened;

	showing->told = showing->open;
	showing->rest = true;
	showing->found = found;
	queue_id_text(showing->job.id, id);
	control_put_text(item, "id", id);
	control_put_text(item, "state", "done");
	ask_open(showing->a, &showing->job, &opened);
	put_history(showing, item, showing->job.id, &opened);
	put_found(showing, item);
	if (showing->nfound > 0)
		write_item(showing, item);
	control_item_free(&item);
	ask_close(&opened);
	mem_free(found);
}

bool
ask_show(struct answer *a, uint64_t id)
{
	struct showing showing = {.a = a};
	bool there;

	showing.open = mem_new(sizeof(*showing.open));
	there = queue_show(a->q->queue, id, on_shown, &showing);
	if (there && a->n > 0)
		show_done(&showing);
	mem_free(showing.open);
	return there;
}
