/* The server session: its life, its steps, and what the owner tells it. */
#include "mta/smtp/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/smtp/session_private.h"

#define LIFE_BYTES 8192
/* An address, its ORCPT and their rounding. */
#define RCPT_BYTES 1024u

static session_step run_command;
static session_step run_skip;
static session_step run_asked;
static session_step run_closed;

const struct step step_command = {"command", run_command};
const struct step step_skip = {"long-line", run_skip};
static const struct step step_asked = {"asked", run_asked};
static const struct step step_closed = {"closed", run_closed};

struct span
session_unread(const struct session *session)
{
	return span_from(buf_span(&session->in), session->at);
}

bool
session_say(struct session *session, enum session_event event)
{
	session->event = event;
	return false;
}

bool
session_ask(struct session *session, enum session_event event)
{
	session->asked = event;
	session->step = &step_asked;
	return session_say(session, event);
}

void
session_clear(struct session *session)
{
	struct envelope_rcpt *rcpts = session->envelope.rcpts;

	arena_reset(session->arena);
	session->envelope = (struct envelope){
	    .sender = "",
	    .envid = "",
	    .helo = session->helo,
	    .client = session->setup.client,
	    .session = session->setup.id,
	    .tls = session->tls.version != NULL,
	    .rcpts = rcpts,
	};
	session->pending = (struct envelope_rcpt){"", "", 0};
	session->size = 0;
	session->chunk.used = false;
	session->stage = STAGE_NONE;
	session->mail_refused = false;
	session->ending = ENDING_NONE;
}

void
session_end_transaction(struct session *session)
{
	if (session->stage == STAGE_OPEN)
		session->ending = ENDING_ABORT;
	else if (session->ending == ENDING_NONE)
		session_clear(session);
	session->stage = STAGE_NONE;
}

void
session_leave(struct session *session)
{
	session_end_transaction(session);
	session->asked = SESSION_IDLE;
	session->step = &step_closed;
}

static const char *
keep(struct session *session, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);
	const char *copy = arena_strndup(
	    session->life, s, n < SESSION_NAME_MAX ? n : SESSION_NAME_MAX - 1);

	return copy == NULL ? "" : copy;
}

static struct session *
create(const struct session_setup *setup)
{
	struct session *session = mem_new(sizeof(*session));
	uint64_t bytes = ((uint64_t)setup->rcpts_max + 4) * RCPT_BYTES;

	session->life = arena_new(LIFE_BYTES);
	session->arena = arena_new(
	    bytes < ENVELOPE_BYTES_MAX / 2 ? bytes : ENVELOPE_BYTES_MAX / 2);
	session->setup = *setup;
	session->setup.hostname = keep(session, setup->hostname);
	session->setup.client = keep(session, setup->client);
	session->setup.id = keep(session, setup->id);
	session->setup.version = keep(session, setup->version);
	if (session->setup.rcpts_max > ENVELOPE_RCPTS_MAX)
		session->setup.rcpts_max = ENVELOPE_RCPTS_MAX;
	buf_init(&session->in, SESSION_INPUT_MAX);
	buf_init(&session->out, SESSION_OUTPUT_MAX);
	session->step = &step_command;
	session_clear(session);
	return session;
}

struct session *
session_new(const struct session_setup *setup)
{
	struct session *session = create(setup);

	session_reply_greeting(session);
	return session;
}

struct session *
session_new_refusing(const struct session_setup *setup, const struct err *why)
{
	struct session *session = create(setup);
	char text[SESSION_NAME_MAX + sizeof(why->text)];

	(void)snprintf(
	    text, sizeof(text), "%s %s", session->setup.hostname, why->text);
	/* RFC 2034 4: no status code in a greeting. */
	session_reply_line(
	    session, why->kind == ERR_PERM ? 554 : 421, "", text);
	if (why->kind == ERR_PERM)
		session->hello = HELLO_REFUSED;
	else
		session_leave(session);
	return session;
}

void
session_free(struct session **sessionp)
{
	struct session *session = *sessionp;

	*sessionp = NULL;
	if (session == NULL)
		return;
	arena_free(&session->life);
	arena_free(&session->arena);
	buf_free(&session->in);
	buf_free(&session->out);
	mem_free(session->envelope.rcpts);
	mem_free(session);
}

void
session_feed(struct session *session, struct span bytes)
{
	if (session->step == &step_closed || bytes.n == 0)
		return;
	/* RFC 3207 4: nothing in the clear between 220 and the handshake. */
	if (session->asked == SESSION_STARTTLS) {
		session_leave(session);
		return;
	}
	buf_shift(&session->in, session->at);
	session->at = 0;
	if (buf_add(&session->in, bytes) == 0)
		return;
	session_reply(session, REPLY_TOO_MUCH_INPUT);
	session_leave(session);
}

bool
session_full(const struct session *session)
{
	return session_unread(session).n >= SESSION_INPUT_FULL;
}

enum session_event
session_next(struct session *session)
{
	session->body = (struct span){0};
	do {
		if (session->ending == ENDING_ABORT) {
			session->ending = ENDING_CLEAR;
			return SESSION_ABORT;
		}
		if (session->ending == ENDING_CLEAR)
			session_clear(session);
	} while (session->step->run(session));
	return session->event;
}

/* RFC 5321 2.3.8: whatever has a bare CR or LF, nothing behind it counts. */
static bool
bad_line_end(struct session *session)
{
	session_reply(session, REPLY_BAD_LINE_END);
	session_leave(session);
	return true;
}

static bool
run_command(struct session *session)
{
	struct span in = session_unread(session);
	struct span line = span_first(in, SESSION_LINE_MAX);
	const char *lf = line.n == 0 ? NULL : memchr(line.p, '\n', line.n);

	if (session->out.n >= SESSION_OUTPUT_FULL || session->held)
		return session_say(session, SESSION_IDLE);
	if (lf == NULL) {
		session_rest(session);
		session->skipped = 0;
		if (line.n == SESSION_LINE_MAX)
			session->step = &step_skip;
		return line.n == SESSION_LINE_MAX ||
		       session_say(session, SESSION_IDLE);
	}
	line = span_first(line, (size_t)(lf - line.p));
	session->at += line.n + 1;
	if (line.n == 0 || memchr(line.p, '\r', line.n) != lf - 1)
		return bad_line_end(session);
	session->commands++;
	if (session->setup.commands_max > 0 &&
	    session->commands > session->setup.commands_max)
		return session_end_at(session, SESSION_LIMIT_COMMANDS);
	return session_command(session, span_first(line, line.n - 1));
}

/* RFC 5321 4.5.3.1.4: drop the line up to its CRLF, then say so. */
static bool
run_skip(struct session *session)
{
	struct span in = session_unread(session);
	const char *lf = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
	size_t n = lf == NULL ? in.n : (size_t)(lf - in.p);

	if (lf != NULL) {
		session->at += n + 1;
		if (n == 0 || in.p[n - 1] != '\r')
			return bad_line_end(session);
		session->step = &step_command;
		session_complain(session, REPLY_LINE_TOO_LONG);
		return true;
	}
	/* A CR stays until its LF is seen. */
	if (n > 0 && in.p[n - 1] == '\r')
		n--;
	session->at += n;
	session->skipped += (uint32_t)n;
	if (session->skipped < SESSION_SKIP_MAX)
		return session_say(session, SESSION_IDLE);
	session_reply(session, REPLY_LINE_TOO_LONG);
	session_leave(session);
	return true;
}

static bool
run_asked(struct session *session)
{
	return session_say(session, SESSION_WAIT);
}

static bool
run_closed(struct session *session)
{
	return session_say(session, SESSION_CLOSE);
}

struct span
session_output(const struct session *session)
{
	return buf_span(&session->out);
}

void
session_sent(struct session *session, size_t n)
{
	buf_shift(&session->out, n);
	buf_rest(&session->out, SESSION_REST);
}

const struct envelope *
session_envelope(const struct session *session)
{
	return &session->envelope;
}

const struct envelope_rcpt *
session_rcpt(const struct session *session)
{
	return &session->pending;
}

uint64_t
session_size(const struct session *session)
{
	return session->size;
}

struct span
session_body(const struct session *session)
{
	return session->body;
}

static void
keep_rcpt(struct session *session)
{
	struct envelope *envelope = &session->envelope;
	size_t old = session->rcpts_cap;

	if (envelope->nrcpts == old) {
		session->rcpts_cap = old == 0 ? 4 : 2 * old;
		envelope->rcpts = mem_grow(envelope->rcpts,
		    old * sizeof(*envelope->rcpts),
		    session->rcpts_cap * sizeof(*envelope->rcpts));
	}
	envelope->rcpts[envelope->nrcpts++] = session->pending;
	session->granted = arena_mark(session->arena);
	/* As many as there may be are no idle talk. */
	session->commands--;
}

static void
accept_question(struct session *session, enum session_event asked)
{
	switch (asked) {
	case SESSION_MAIL:
		session->stage = STAGE_MAIL;
		session->granted = arena_mark(session->arena);
		session_reply(session, REPLY_MAIL_OK);
		return;
	case SESSION_RCPT:
		keep_rcpt(session);
		session_reply(session, REPLY_RCPT_OK);
		return;
	case SESSION_DATA:
		if (session->chunk.used)
			session_open_chunk(session);
		else
			session_open_data(session);
		return;
	case SESSION_IDLE:
	case SESSION_WAIT:
	case SESSION_BODY:
	case SESSION_END:
	case SESSION_ABORT:
	case SESSION_STARTTLS:
	case SESSION_CLOSE:
		break;
	}
	assert(0 && "session_answer: nothing to accept");
}

static void
refuse_question(
    struct session *session, enum session_event asked, const struct err *err)
{
	bool closes = session->code == 421;

	if (asked == SESSION_RCPT)
		session_refuse_rcpt(session, err);
	else
		session_refuse(session, asked, err);
	session->code = 0;
	if (closes)
		session_leave(session);
	if (closes || asked == SESSION_RCPT)
		return;
	if (asked == SESSION_DATA && session->chunk.used)
		session->step = &step_drop;
	session_end_transaction(session);
	session->mail_refused = asked == SESSION_MAIL;
}

/* END is answered; what session_expire() had to hold back follows. */
static void
say_farewell(struct session *session)
{
	if (session->farewell[0] == '\0')
		return;
	session_reply_line(session, 421, "", session->farewell);
	session_leave(session);
}

/* The question, now answered; IDLE when the session is closed already. */
static enum session_event
take_question(struct session *session)
{
	enum session_event asked = session->asked;

	assert(asked != SESSION_IDLE || session->step == &step_closed);
	session->asked = SESSION_IDLE;
	if (asked != SESSION_IDLE)
		session->step = &step_command;
	return asked;
}

void
session_answer(struct session *session, const struct err *err)
{
	enum session_event asked = take_question(session);

	if (asked == SESSION_IDLE)
		return;
	if (err == NULL || err->kind == ERR_NONE)
		accept_question(session, asked);
	else
		refuse_question(session, asked, err);
	say_farewell(session);
}

void
session_refuse_as(struct session *session, unsigned code)
{
	session->code = code;
}

void
session_accepted(struct session *session, const char *queue_id)
{
	enum session_event asked = take_question(session);

	if (asked == SESSION_IDLE)
		return;
	assert(asked == SESSION_END);
	session_reply_queued(session, queue_id);
	session->commands = 0;
	session_clear(session);
	say_farewell(session);
}

void
session_tls_done(struct session *session, const struct session_tls *tls)
{
	if (take_question(session) == SESSION_IDLE)
		return;
	session->tls = (struct session_tls){
	    .version = keep(session, tls->version),
	    .cipher = keep(session, tls->cipher),
	    .sni = keep(session, tls->sni),
	};
	/* RFC 3207 4.2: nothing said in the clear is known any more. */
	session->hello = HELLO_NONE;
	session->helo[0] = '\0';
	buf_clear(&session->in);
	session->at = 0;
	session_clear(session);
}

void
session_expire(struct session *session, const char *enhanced, const char *text)
{
	if (session->step == &step_closed)
		return;
	(void)snprintf(session->farewell, sizeof(session->farewell), "%s %s %s",
	    enhanced, session->setup.hostname, text);
	/* Whoever made the message durable must be able to say so. */
	if (session->asked != SESSION_END)
		say_farewell(session);
}

const char *
session_state_name(const struct session *session)
{
	switch (session->asked) {
	case SESSION_MAIL:
		return "mail";
	case SESSION_RCPT:
		return "rcpt";
	case SESSION_DATA:
		return "data-asked";
	case SESSION_END:
		return "end";
	case SESSION_STARTTLS:
		return "starttls";
	case SESSION_IDLE:
	case SESSION_WAIT:
	case SESSION_BODY:
	case SESSION_ABORT:
	case SESSION_CLOSE:
		break;
	}
	return session->step->name;
}
