/* See seen.h. */
#include "mta/receive/seen.h"

#include "base/log.h"
#include "base/mem.h"
#include "mta/ipc_inbound.h"
#include "mta/net/channel.h"
#include "mta/receive/private.h"

#define TELL_MS      1000
#define DAY_S        86400
#define BACKLOG_HIGH (1u << 20) /* what the report role has not read yet */

struct receive_seen {
	struct receive *receive;
	struct channel *role; /* NULL: it is not there */
	struct timer *timer;
	struct ipc_inbound waiting;
};

/* --- the role ------------------------------------------------------------- */

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	(void)owner; /* it has nothing to say */
	(void)type;
	(void)payload;
	(void)fd;
}

static void
on_closed(void *owner)
{
	struct receive_seen *seen = owner;

	channel_close(&seen->role);
}

static const struct channel_ops role_ops = {on_message, on_closed};

static void
tell(struct receive_seen *seen)
{
	struct ipc_inbound *waiting = &seen->waiting;
	struct buf out;

	if (seen->role == NULL || (waiting->n == 0 && waiting->untold == 0) ||
	    channel_backlog(seen->role) >= BACKLOG_HIGH)
		return;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_inbound(&out, waiting);
	channel_send(seen->role, IPC_INBOUND, buf_span(&out));
	buf_free(&out);
	waiting->n = 0;
	waiting->untold = 0;
}

static void
on_time(void *arg)
{
	struct receive_seen *seen = arg;

	tell(seen);
	if (seen->waiting.n > 0)
		timer_start(seen->timer, TELL_MS);
}

void
receive_seen_peer(struct receive_seen *seen, int fd)
{
	/* The one before reads to the end, and counts that. */
	channel_finish(&seen->role);
	seen->role = channel_new(
	    seen->receive->role->loop, fd, &role_ops, seen);
	tell(seen);
}

/* --- sessions ------------------------------------------------------------- */

static enum inbound_outcome
outcome_of_break(enum tls_break broken)
{
	switch (broken) {
	case TLS_BREAK_ALERT:
		return INBOUND_ALERT;
	case TLS_BREAK_VERSION:
		return INBOUND_VERSION;
	case TLS_BREAK_CIPHER:
		return INBOUND_CIPHER;
	case TLS_BREAK_NONE:
	case TLS_BREAK_OTHER:
		break;
	}
	return INBOUND_BROKEN;
}

/*
 * Mail that came is what counts, however it ended.  An alert counts also
 * behind the handshake: there are clients that look at certificates then.
 */
static enum inbound_outcome
outcome_of(const struct seen_session *session)
{
	if (session->messages > 0)
		return session->tls == SEEN_TLS ? INBOUND_MAIL_TLS
		                                : INBOUND_MAIL_PLAIN;
	if (session->broken == TLS_BREAK_ALERT)
		return INBOUND_ALERT;
	if (session->turned_away)
		return INBOUND_TURNED_AWAY;
	if (session->tls == SEEN_TLS)
		return INBOUND_TLS;
	if (session->tls == SEEN_SHAKING && session->broken != TLS_BREAK_NONE)
		return outcome_of_break(session->broken);
	if (session->tls == SEEN_SHAKING)
		return session->slow ? INBOUND_SLOW : INBOUND_DROPPED;
	return session->offered ? INBOUND_PLAIN : INBOUND_NOT_OFFERED;
}

void
receive_seen_add(struct receive_seen *seen, const struct seen_session *session)
{
	struct inbound_seen one = {.outcome = outcome_of(session),
	    .day = session->began / DAY_S,
	    .sessions = 1};
	struct ipc_inbound *waiting;

	if (seen == NULL || !inbound_address_read(session->client, one.address))
		return;
	waiting = &seen->waiting;
	if (one.outcome == INBOUND_ALERT)
		one.alert = session->alert;
	if (waiting->n == IPC_INBOUND_MAX)
		tell(seen);
	if (waiting->n == IPC_INBOUND_MAX)
		waiting->untold++;
	else
		waiting->seen[waiting->n++] = one;
	if (!timer_running(seen->timer))
		timer_start(seen->timer, TELL_MS);
}

/* --- life ----------------------------------------------------------------- */

struct receive_seen *
receive_seen_new(struct receive *receive)
{
	struct receive_seen *seen;

	if (!config_counts_inbound(receive->config))
		return NULL;
	seen = mem_new(sizeof(*seen));
	seen->receive = receive;
	seen->timer = timer_new(receive->role->loop, on_time, seen);
	return seen;
}

void
receive_seen_free(struct receive_seen **seenp)
{
	struct receive_seen *seen = *seenp;
	struct log_line line;
	uint64_t lost;

	*seenp = NULL;
	if (seen == NULL)
		return;
	tell(seen);
	lost = seen->waiting.n + seen->waiting.untold;
	if (lost > 0) {
		log_begin(&line, LOG_LEVEL_WARN, "inbound-lost");
		log_u64(&line, "sessions", lost);
		log_end(&line);
	}
	channel_finish(&seen->role);
	timer_free(&seen->timer);
	mem_free(seen);
}
