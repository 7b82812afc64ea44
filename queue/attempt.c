#include "queue/attempt.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "queue/state.h"

enum {
	ENDS_MAX = 16, /* different ones kept of one attempt */
	BYTES_MAX = 512 * 1024
};

size_t
attempt_nrcpts(const struct attempt *attempt)
{
	return attempt->rcpts.n / 2;
}

uint16_t
attempt_rcpt(const struct attempt *attempt, size_t i)
{
	uint16_t value;

	memcpy(&value, attempt->rcpts.p + 2 * i, sizeof(value));
	return le16toh(value);
}

const char *
fate_name(enum fate fate)
{
	switch (fate) {
	case FATE_DELIVERED:
		return "delivered";
	case FATE_WAITS:
	case FATE_LATE:
		return "deferred";
	case FATE_FAILED:
		return "failed";
	case FATE_EXPIRED:
		return "given up";
	case FATE_UNKNOWN:
		break;
	}
	return "unknown";
}

/* --- Remembering ----------------------------------------------------------- */

/* How an attempt ended, and for whom. */
struct end {
	enum fate fate;
	char reason[ATTEMPT_TEXT_MAX];
	uint16_t *rcpts; /* little-endian */
	size_t n;
};

struct ends {
	struct end list[ENDS_MAX];
	size_t n;
};

static void
write_reason(const struct queue_result *result, char to[ATTEMPT_TEXT_MAX])
{
	const struct err *why = result->why;
	struct span said = result->said;

	if (why != NULL && why->kind != ERR_NONE)
		(void)snprintf(
		    to, ATTEMPT_TEXT_MAX, "%s %s", why->enhanced, why->text);
	else
		(void)snprintf(to, ATTEMPT_TEXT_MAX, "%.*s",
		    said.n < ATTEMPT_TEXT_MAX ? (int)said.n : ATTEMPT_TEXT_MAX,
		    said.n == 0 ? "" : said.p);
}

/* The last is for all that do not fit, and says so. */
static struct end *
find_end(struct ends *ends, const struct queue_result *result, size_t most)
{
	enum fate fate = result->fate == FATE_LATE ? FATE_WAITS : result->fate;
	char reason[ATTEMPT_TEXT_MAX];
	struct end *end = ends->list;

	write_reason(result, reason);
	for (; end < ends->list + ends->n; end++)
		if (end->fate == fate && strcmp(end->reason, reason) == 0)
			return end;
	if (ends->n == ENDS_MAX) {
		end = &ends->list[ENDS_MAX - 1];
		end->fate = FATE_UNKNOWN;
		(void)snprintf(end->reason, sizeof(end->reason),
		    "various ends, see the log");
		return end;
	}
	end->fate = fate;
	memcpy(end->reason, reason, sizeof(reason));
	end->rcpts = mem_array(most, sizeof(end->rcpts[0]));
	ends->n++;
	return end;
}

static void
put_end(struct queue *queue, struct message *message,
    const struct attempt_note *note, const struct end *end)
{
	struct attempt attempt = {
	    .when = note->when,
	    .fate = end->fate,
	    .host = note->host,
	    .tls = note->tls,
	    .reason = span_of(end->reason),
	    .rcpts = {(const char *)end->rcpts, 2 * end->n},
	};
	uint64_t place = history_put(
	    &queue->history, message->id, message->past, &attempt);

	if (place == 0)
		return;
	message->past = place;
	if (entry_put_past(journal_buf(&queue->journal), message->id, place) <
	    0)
		queue->journal.failing = true;
}

void
queue_note(struct queue *queue, uint64_t id, const struct attempt_note *note,
    const struct queue_result *results, size_t n)
{
	struct message *message = index_find(&queue->index, id);
	struct ends *ends;

	if (message == NULL)
		return;
	ends = mem_new(sizeof(*ends));
	for (size_t i = 0; i < n; i++) {
		struct end *end;

		if (results[i].fate == FATE_UNKNOWN)
			continue;
		end = find_end(ends, &results[i], n);
		end->rcpts[end->n++] = htole16(results[i].rcpt);
	}
	for (size_t i = 0; i < ends->n; i++) {
		put_end(queue, message, note, &ends->list[i]);
		mem_free(ends->list[i].rcpts);
	}
	mem_free(ends);
}

/* --- Telling --------------------------------------------------------------- */

bool
queue_history(const struct queue *queue, uint64_t id,
    queue_on_attempt *on_attempt, void *arg)
{
	const struct message *message = index_find(&queue->index, id);
	uint64_t place = message == NULL ? 0 : message->past, before = 0;
	struct attempt attempt;
	struct buf bytes;

	buf_init(&bytes, BYTES_MAX);
	for (size_t n = 0; n < ATTEMPTS_MAX && place != 0; n++) {
		if (history_get(&queue->history, place, id, &bytes, &attempt,
			&before) != 1)
			break;
		on_attempt(arg, &attempt);
		/* A file lost with the power may have given its places again. */
		if (before >= place)
			break;
		place = before;
	}
	buf_free(&bytes);
	return place != 0;
}
