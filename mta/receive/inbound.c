/*
 * One inbound session: a connection, the SMTP engine, and the message that
 * is coming in.  Every callback ends in inbound_run(), the only place where
 * the engine is asked what to do next.
 */
#include "mta/receive/inbound.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/metrics.h"
#include "mta/net/conn.h"
#include "mta/receive/chain.h"
#include "mta/receive/inbound_guard.h"
#include "mta/version.h"

#define OUTPUT_HIGH  (256u << 10) /* replies the client does not read */
#define ENVELOPE_MAX (4u << 20)

static void inbound_run(struct inbound *in);
static void inbound_end(struct inbound *in, const char *why);

void
inbound_log(const struct inbound *in, struct log_line *line,
    enum log_level level, const char *event)
{
	log_begin(line, level, event);
	log_str(line, "session", in->id);
	log_str(line, "client", in->client);
}

void
inbound_log_err(struct log_line *line, const struct err *err)
{
	log_str(line, "dsn", err->enhanced);
	log_str(line, "reason", err->text);
}

static void
unlink_session(struct inbound *in)
{
	*in->at = in->next;
	if (in->next != NULL)
		in->next->at = in->at;
	in->receive->nsessions--;
}

struct inbound *
inbound_next(const struct inbound *in)
{
	return in->next;
}

/* Before the connection goes, which knows of TLS. */
static void
look_at_tls(struct inbound *in)
{
	struct seen_session *seen = &in->seen;

	if (in->conn == NULL)
		return;
	seen->broken = tls_broken(conn_tls(in->conn), &seen->alert);
	seen->tls = in->state == INBOUND_SHAKING ? SEEN_SHAKING
	            : in->tls.up                 ? SEEN_TLS
	                                         : SEEN_NO_TLS;
}

/* No answer is waited for any more. */
static void
call_back(struct inbound *in)
{
	if (in->state != INBOUND_ASKING)
		return;
	in->state = INBOUND_OPEN;
	in->cancel(in->cancel_arg);
}

static void
count_session(const struct inbound *in)
{
	metrics_add(in->seen.turned_away ? METRIC_SESSIONS_TURNED_AWAY
					 : METRIC_SESSIONS,
	    1);
	metrics_set(METRIC_SESSIONS_OPEN, in->receive->nsessions - 1);
}

/* The connection goes; the rest too, unless the disk still has our arg. */
static void
inbound_end(struct inbound *in, const char *why)
{
	struct receive *receive = in->receive;
	struct log_line line;

	look_at_tls(in);
	conn_close(&in->conn);
	call_back(in);
	if (in->state == INBOUND_SYNCING) {
		in->state = INBOUND_ORPHANED;
		return;
	}
	inbound_tell_clear(in);
	inbound_log(in, &line, LOG_LEVEL_INFO, "session-end");
	log_u64(&line, "messages", in->seen.messages);
	log_u64(&line, "ms", loop_now(receive->role->loop) - in->began);
	log_str(&line, "tls", in->tls.up ? in->tls.version : "none");
	log_str(&line, "reason", why);
	log_end(&line);
	receive_seen_add(receive->seen, &in->seen);
	count_session(in);
	unlink_session(in);
	guard_leave(receive->guard, &in->pass);
	intake_abort(&in->message);
	chain_free(in);
	inbound_forget_answers(in);
	session_free(&in->session);
	arena_free(&in->arena);
	mem_free(in);
	receive_session_ended(receive);
}

void
inbound_flush(struct inbound *in)
{
	struct span out = session_output(in->session);

	if (out.n == 0 || in->conn == NULL)
		return;
	conn_write(in->conn, out);
	session_sent(in->session, out.n);
}

/* Nobody may make us hold more than the engine's buffer and some replies. */
static void
throttle(struct inbound *in)
{
	bool pause = session_full(in->session) ||
	             conn_backlog(in->conn) > OUTPUT_HIGH;

	if (pause == in->paused)
		return;
	in->paused = pause;
	conn_read(in->conn, !pause);
}

static void
on_starttls(struct inbound *in)
{
	inbound_flush(in);
	in->state = INBOUND_SHAKING;
	conn_tls_accept(in->conn, in->receive->tls);
	conn_deadline(in->conn, in->receive->config->timeouts.tls);
}

/* One event; false when there is nothing more to do for now. */
static bool
inbound_step(struct inbound *in)
{
	switch (session_next(in->session)) {
	case SESSION_MAIL:
		inbound_on_mail(in);
		return true;
	case SESSION_RCPT:
		inbound_on_rcpt(in);
		return true;
	case SESSION_DATA:
		inbound_on_data(in);
		return true;
	case SESSION_BODY:
		inbound_on_body(in);
		return true;
	case SESSION_END:
		inbound_on_message(in);
		return true;
	case SESSION_ABORT:
		chain_abort(in);
		return true;
	case SESSION_STARTTLS:
		on_starttls(in);
		return false;
	case SESSION_CLOSE:
		inbound_flush(in);
		inbound_tell_limit(in);
		inbound_end(in, "closed");
		return false;
	case SESSION_IDLE:
		if (in->receive->hurry && in->message == NULL) {
			session_expire(in->session, "4.3.2", "shutting down");
			return true;
		}
		if (inbound_delay(in))
			return false;
		break;
	case SESSION_WAIT:
		break;
	}
	inbound_flush(in);
	throttle(in);
	if (in->state == INBOUND_OPEN)
		inbound_pace(in);
	return false;
}

static void
inbound_run(struct inbound *in)
{
	while (inbound_step(in))
		;
}

static void
on_data(void *arg, struct span bytes)
{
	struct inbound *in = arg;
	const struct config_timeouts *t = &in->receive->config->timeouts;

	uint64_t now = loop_now(in->receive->role->loop);

	if (in->state == INBOUND_GREETING) {
		inbound_early(in);
		inbound_run(in);
		return;
	}
	session_feed(in->session, bytes);
	pace_credit(&in->pace, &in->receive->config->defence, bytes.n, now);
	if (in->state != INBOUND_OPEN) {
		throttle(in);
		return;
	}
	if (now - in->began > t->session)
		session_expire(in->session, "4.4.2", "session too long");
	else if (pace_is_slow(&in->pace, now))
		inbound_too_slow(in);
	inbound_run(in);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct inbound *in = arg;
	struct session_tls tls = {facts->version, facts->cipher, facts->sni};
	struct log_line line;

	in->tls = *facts;
	look_at_tls(in);
	metrics_add(
	    facts->up ? METRIC_HANDSHAKES_GOOD : METRIC_HANDSHAKES_BROKEN, 1);
	inbound_log(in, &line, facts->up ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
	    facts->up ? "tls-up" : "tls-failed");
	log_str(&line, "tls", facts->version);
	log_str(&line, "cipher", facts->cipher);
	log_str(&line, "sni", facts->sni);
	if (in->seen.broken == TLS_BREAK_ALERT)
		log_u64(&line, "alert", in->seen.alert);
	if (!facts->up)
		log_str(&line, "reason", facts->failure);
	log_end(&line);
	if (!facts->up) {
		inbound_end(in, "TLS handshake failed");
		return;
	}
	in->state = INBOUND_OPEN;
	session_tls_done(in->session, &tls);
	conn_deadline(in->conn, in->receive->config->timeouts.command);
	inbound_run(in);
}

static void
on_drained(void *arg)
{
	struct inbound *in = arg;

	/* With its replies unread the engine takes no further command. */
	throttle(in);
	if (in->state == INBOUND_OPEN)
		inbound_run(in);
}

static void
on_deadline(void *arg)
{
	struct inbound *in = arg;

	if (in->state == INBOUND_SHAKING) {
		in->seen.slow = true;
		inbound_end(in, "TLS handshake took too long");
		return;
	}
	if (inbound_delay_ends(in))
		inbound_flush(in);
	else if (pace_is_slow(&in->pace, loop_now(in->receive->role->loop)))
		inbound_too_slow(in);
	else
		session_expire(in->session, "4.4.2", "timeout");
	inbound_run(in);
}

static void
on_down(void *arg, const struct err *err)
{
	inbound_end(arg, err->text);
}

void
inbound_later(struct inbound *in, inbound_cancel *cancel, void *arg)
{
	in->state = INBOUND_ASKING;
	in->cancel = cancel;
	in->cancel_arg = arg;
	conn_deadline(in->conn, 0);
}

void
inbound_answer(struct inbound *in, const struct err *err)
{
	in->state = INBOUND_OPEN;
	session_answer(in->session, err);
	conn_deadline(in->conn, in->receive->config->timeouts.command);
	inbound_run(in);
}

void
inbound_resume(struct inbound *in, void (*again)(struct inbound *in))
{
	in->state = INBOUND_OPEN;
	again(in);
	if (in->state == INBOUND_OPEN)
		conn_deadline(in->conn, in->receive->config->timeouts.command);
	inbound_run(in);
}

void
inbound_synced(struct inbound *in)
{
	bool orphaned = in->state == INBOUND_ORPHANED;

	in->state = INBOUND_OPEN;
	if (orphaned) {
		inbound_end(in, "gone before the reply");
		return;
	}
	conn_deadline(in->conn, in->receive->config->timeouts.command);
	inbound_run(in);
}

static const struct conn_ops inbound_ops = {
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

void
inbound_drain(struct inbound *in, bool now)
{
	struct err err;

	if (in->state == INBOUND_SYNCING || in->state == INBOUND_ORPHANED)
		return;
	in->seen.turned_away = true;
	if (in->state == INBOUND_SHAKING) {
		inbound_end(in, "shutting down");
		return;
	}
	if (in->message != NULL && !now)
		return;
	if (in->state == INBOUND_ASKING) {
		call_back(in);
		(void)err_set(&err, ERR_TEMP, "4.3.2", "shutting down");
		session_answer(in->session, &err);
	}
	session_expire(in->session, "4.3.2", "shutting down");
	inbound_run(in);
}

struct session_setup
inbound_setup(const struct inbound *in)
{
	const struct receive *receive = in->receive;
	const struct config_limits *limits = &receive->config->limits;
	const struct config_defence *defence = &receive->config->defence;

	return (struct session_setup){
	    .hostname = receive->config->hostname,
	    .version = DANELAW_VERSION,
	    .client = in->client,
	    .id = in->id,
	    .message_max = limits->message,
	    /* RFC 5321 4.5.3.1.10: the rest comes in another transaction. */
	    .rcpts_max = limits->recipients,
	    .text_line_max = limits->text_line,
	    .errors_max = limits->errors,
	    .unknown_max = in->pass.exempt ? 0 : limits->unknown,
	    .commands_max = in->pass.exempt ? 0 : limits->commands,
	    .hold_after = in->pass.exempt || defence->tarpit_ms == 0
	                      ? 0
	                      : defence->tarpit_after,
	    .hops_max = limits->hops,
	    .starttls = receive->tls != NULL,
	    .requiretls = receive->config->requiretls != REQUIRETLS_OFF,
	    .must_tls = config_requires_tls(receive->config, in->client),
	    .any_hello = defence->any_hello,
	};
}

void
inbound_start(struct receive *receive, struct conn *conn, const char *client,
    struct span early)
{
	struct inbound *in = mem_new(sizeof(*in));
	struct log_line line;
	bool open;

	in->receive = receive;
	in->conn = conn;
	in->began = loop_now(receive->role->loop);
	in->arena = arena_new(ENVELOPE_MAX);
	(void)text_copy(in->client, sizeof(in->client), client);
	in->seen = (struct seen_session){.client = in->client,
	    .began = clock_wall(),
	    .offered = receive->tls != NULL};
	(void)snprintf(in->id, sizeof(in->id), "%" PRIx64 "-%u-%" PRIx64,
	    (uint64_t)in->seen.began, (unsigned)receive->role->index,
	    receive->ids++);
	in->next = receive->sessions;
	in->at = &receive->sessions;
	if (in->next != NULL)
		in->next->at = &in->next;
	receive->sessions = in;
	receive->nsessions++;
	metrics_set(METRIC_SESSIONS_OPEN, receive->nsessions);
	inbound_log(in, &line, LOG_LEVEL_DEBUG, "session");
	log_end(&line);
	conn_adopt(conn, &inbound_ops, in);
	conn_deadline(conn, receive->config->timeouts.command);
	open = inbound_open(in);
	if (early.n > 0)
		on_data(in, early);
	else if (open)
		inbound_run(in);
}
