/*
 * The guard (guard.h) at a session: who gets one, and the waits that are our
 * own: before the greeting, and before replies to whom they are a lesson.
 */
#include "mta/receive/inbound_guard.h"

#include "base/clock.h"
#include "mta/net/conn.h"
#include "mta/receive/greylist.h"

static uint64_t
now_of(const struct inbound *in)
{
	return loop_now(in->receive->role->loop);
}

static const struct config_defence *
defence_of(const struct inbound *in)
{
	return &in->receive->config->defence;
}

void
inbound_log_refused(
    struct inbound *in, enum refusal kind, const struct err *err)
{
	struct log_line line;

	inbound_log(in, &line, LOG_LEVEL_INFO, "refused");
	log_str(&line, "kind", refusal_name(kind));
	inbound_log_err(&line, err);
	log_end(&line);
}

/* --- the greeting --------------------------------------------------------- */

static void
turn_away(struct inbound *in, enum refusal kind, const struct err *err)
{
	struct session_setup setup = inbound_setup(in);

	in->seen.turned_away = true;
	inbound_log_refused(in, kind, err);
	session_free(&in->session);
	in->session = session_new_refusing(&setup, err);
}

bool
inbound_open(struct inbound *in)
{
	uint32_t ms = defence_of(in)->greeting_ms;
	struct err err;
	enum refusal kind = guard_enter(
	    in->receive->guard, in->client, now_of(in), &in->pass, &err);
	struct session_setup setup = inbound_setup(in);

	if (kind != REFUSAL_NONE) {
		turn_away(in, kind, &err);
		return true;
	}
	in->session = session_new(&setup);
	if (in->pass.exempt || ms == 0)
		return true;
	in->state = INBOUND_GREETING;
	conn_deadline(in->conn, ms);
	return false;
}

/* RFC 5321 4.3.1: the client "SHOULD wait for this greeting message before
 * sending any commands". */
void
inbound_early(struct inbound *in)
{
	struct err err;

	bool reject = defence_of(in)->early_reject;

	(void)err_set(&err, reject ? ERR_PERM : ERR_TEMP,
	    reject ? "5.5.1" : "4.5.1",
	    "you talk before the greeting (RFC 5321 4.3.1)");
	in->state = INBOUND_OPEN;
	guard_count(in->receive->guard, REFUSAL_EARLY);
	turn_away(in, REFUSAL_EARLY, &err);
	conn_deadline(in->conn, in->receive->config->timeouts.command);
}

/* --- replies -------------------------------------------------------------- */

bool
inbound_delay(struct inbound *in)
{
	if (!session_held(in->session))
		return false;
	in->state = INBOUND_DELAYED;
	conn_deadline(in->conn, defence_of(in)->tarpit_ms);
	return true;
}

bool
inbound_delay_ends(struct inbound *in)
{
	if (in->state != INBOUND_GREETING && in->state != INBOUND_DELAYED)
		return false;
	in->state = INBOUND_OPEN;
	session_release(in->session);
	return true;
}

/* --- the client's turn ---------------------------------------------------- */

void
inbound_pace(struct inbound *in)
{
	uint64_t now = now_of(in);
	bool amid = !in->pass.exempt && !in->paused &&
	            session_amid(in->session);

	pace_judge(&in->pace, defence_of(in), amid, now);
	conn_deadline(in->conn,
	    pace_wait(&in->pace, in->receive->config->timeouts.command, now));
}

void
inbound_too_slow(struct inbound *in)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.4.2",
	    "too slow: fewer than %u octets a minute",
	    (unsigned)defence_of(in)->slow_octets);
	guard_count(in->receive->guard, REFUSAL_SLOW);
	inbound_log_refused(in, REFUSAL_SLOW, &err);
	session_expire(in->session, err.enhanced, err.text);
}

int
inbound_may_mail(struct inbound *in, struct err *err)
{
	enum refusal kind = guard_message(
	    in->receive->guard, &in->pass, now_of(in), err);

	if (kind == REFUSAL_NONE)
		return 0;
	inbound_log_refused(in, kind, err);
	return -1;
}

void
inbound_no_room(struct inbound *in, const struct err *err)
{
	guard_count(in->receive->guard, REFUSAL_SPACE);
	inbound_log_refused(in, REFUSAL_SPACE, err);
}

static enum refusal
kind_of(enum session_limit limit)
{
	switch (limit) {
	case SESSION_LIMIT_NONE:
		break;
	case SESSION_LIMIT_ERRORS:
		return REFUSAL_ERRORS;
	case SESSION_LIMIT_UNKNOWN:
		return REFUSAL_UNKNOWN;
	case SESSION_LIMIT_COMMANDS:
		return REFUSAL_COMMANDS;
	}
	return REFUSAL_NONE;
}

void
inbound_tell_limit(struct inbound *in)
{
	enum refusal kind = kind_of(session_limit(in->session));
	struct err err;

	if (kind == REFUSAL_NONE)
		return;
	(void)err_set(&err, ERR_TEMP, "4.7.0", "too many %s in a session",
	    refusal_name(kind));
	guard_count(in->receive->guard, kind);
	inbound_log_refused(in, kind, &err);
}

void
inbound_tell_clear(struct inbound *in)
{
	struct err err;

	if (!session_lacked_tls(in->session))
		return;
	(void)err_set(&err, ERR_PERM, "5.7.0",
	    "no STARTTLS, and tls_server { require } has this client");
	guard_count(in->receive->guard, REFUSAL_CLEAR);
	inbound_log_refused(in, REFUSAL_CLEAR, &err);
}

/* --- block lists ---------------------------------------------------------- */

static void
on_screened(void *arg, const struct screen_verdict *verdict)
{
	struct inbound *in = arg;

	in->screening = NULL;
	in->screened = true;
	in->verdict = *verdict;
	inbound_resume(in, inbound_on_rcpt);
}

static void
cancel_screening(void *arg)
{
	struct inbound *in = arg;

	screen_cancel(&in->screening);
}

bool
inbound_screen(struct inbound *in)
{
	if (in->receive->screen == NULL || in->pass.exempt || in->screened)
		return false;
	in->screening = screen_begin(
	    in->receive->screen, in->client, on_screened, in);
	inbound_later(in, cancel_screening, in);
	return true;
}

int
inbound_may_rcpt(struct inbound *in, const char *address, struct err *err)
{
	const struct screen_verdict *verdict = &in->verdict;
	uint32_t most = defence_of(in)->dnsbl_reject;

	/* RFC 5321 4.5.1: who is listed in error must be able to say so. */
	if (most == 0 || verdict->score < most || locals_is_postmaster(address))
		return 0;
	(void)err_set(err, ERR_PERM, "5.7.1", "%s is listed by %s%s%s",
	    in->client, verdict->zone, verdict->reason[0] == '\0' ? "" : ": ",
	    verdict->reason);
	guard_count(in->receive->guard, REFUSAL_DNSBL);
	inbound_log_refused(in, REFUSAL_DNSBL, err);
	return -1;
}

/* Neither whom we know, nor what everybody has to be able to reach. */
int
inbound_greylist(struct inbound *in, const char *address, struct err *err)
{
	struct log_line line;
	int rc;

	if (in->receive->greylist == NULL || in->pass.exempt ||
	    locals_is_postmaster(address))
		return 0;
	rc = greylist_ask(in->receive->greylist, in->client,
	    session_envelope(in->session)->sender, address, clock_wall(), err);
	if (rc == 0 && err->kind != ERR_NONE) {
		inbound_log(in, &line, LOG_LEVEL_ERROR, "greylist-failed");
		inbound_log_err(&line, err);
		log_end(&line);
	}
	if (rc == 0)
		return 0;
	guard_count(in->receive->guard, REFUSAL_GREYLIST);
	inbound_log_refused(in, REFUSAL_GREYLIST, err);
	return -1;
}

int
inbound_tag(const struct inbound *in, struct buf *out)
{
	uint32_t least = defence_of(in)->dnsbl_tag;

	if (least == 0 || in->verdict.score < least)
		return 0;
	return buf_printf(out, "X-Danelaw-DNSBL: score=%u; %s\r\n",
	    (unsigned)in->verdict.score, in->verdict.zones);
}
