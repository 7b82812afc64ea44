/* What a filter answers, and whether it may. */
#include "mta/milter/milter_private.h"

static enum milter_event
refuse(struct milter *m, const char *why)
{
	milter_fail(m, why);
	return MILTER_BROKEN;
}

static enum milter_event
agree(struct milter *m, const struct milter_reply *reply)
{
	const struct milter_options *options = &reply->options;

	if (reply->kind != REPLY_IS_OPTIONS)
		return refuse(m, "the filter did not answer with its options");
	if (options->version < MILTER_VERSION_LEAST ||
	    options->version > MILTER_VERSION)
		return refuse(m, "the filter speaks another version");
	if ((options->actions & ~(uint32_t)MILTER_ACTIONS) != 0 ||
	    (options->flags & ~(uint32_t)MILTER_FLAGS) != 0)
		return refuse(m, "the filter wants what was not offered");
	m->options = *options;
	m->waiting = 0;
	return MILTER_ANSWERED;
}

/* What connect and helo are answered with counts for all that follows. */
static enum milter_event
settle(struct milter *m, enum milter_verdict verdict, unsigned code,
    const struct err *err)
{
	bool session = m->waiting == MILTER_CONNECT ||
	               m->waiting == MILTER_HELO;

	m->answer = (struct milter_answer){verdict, session, code, {0}};
	if (err != NULL)
		m->answer.err = *err;
	if (session)
		m->standing = m->answer;
	if (m->waiting == MILTER_END)
		m->in_mail = false;
	m->waiting = 0;
	return MILTER_ANSWERED;
}

static enum milter_event
settle_refusal(struct milter *m, enum err_kind kind)
{
	struct err err;

	(void)err_set(&err, kind, kind == ERR_PERM ? "5.7.1" : "4.7.1", "%s",
	    kind == ERR_PERM ? "refused by a filter"
			     : "a filter asks to try again later");
	return settle(m, MILTER_REFUSE, 0, &err);
}

static enum milter_event
hang_up(struct milter *m)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.7.0", "a filter closes the session");
	return settle(m, MILTER_HANG_UP, 421, &err);
}

static enum milter_event
go_on(struct milter *m)
{
	if (m->waiting == MILTER_END)
		return settle(m, MILTER_CONTINUE, 0, NULL);
	m->waiting = 0;
	return MILTER_ANSWERED;
}

static enum milter_event
on_skip(struct milter *m)
{
	if (m->waiting != MILTER_BODY || (m->options.flags & MILTER_SKIP) == 0)
		return refuse(m, "the filter skips what cannot be skipped");
	m->step = STEP_END;
	m->waiting = 0;
	return MILTER_ANSWERED;
}

static enum milter_event
on_discard(struct milter *m)
{
	if (m->waiting == MILTER_CONNECT || m->waiting == MILTER_HELO)
		return refuse(m, "the filter discards without a message");
	return settle(m, MILTER_DISCARD, 0, NULL);
}

/* The action a change needs; 0: it is no change. */
static uint32_t
action_of(const struct milter_reply *reply)
{
	switch (reply->kind) {
	case REPLY_IS_ADD_HEADER:
	case REPLY_IS_INSERT_HEADER:
		return MILTER_ADD_HEADERS;
	case REPLY_IS_CHANGE_HEADER:
		return MILTER_CHANGE_HEADERS;
	case REPLY_IS_BODY:
		return MILTER_CHANGE_BODY;
	case REPLY_IS_ADD_RCPT:
		return reply->value.n > 0
		           ? MILTER_ADD_RCPT_ARGS
		           : MILTER_ADD_RCPT | MILTER_ADD_RCPT_ARGS;
	case REPLY_IS_DELETE_RCPT:
		return MILTER_DELETE_RCPT;
	case REPLY_IS_FROM:
		return MILTER_CHANGE_FROM;
	case REPLY_IS_QUARANTINE:
		return MILTER_QUARANTINE;
	case REPLY_IS_BAD:
	case REPLY_IS_OPTIONS:
	case REPLY_IS_CONTINUE:
	case REPLY_IS_ACCEPT:
	case REPLY_IS_REJECT:
	case REPLY_IS_TEMPFAIL:
	case REPLY_IS_DISCARD:
	case REPLY_IS_SKIP:
	case REPLY_IS_CODE:
	case REPLY_IS_SHUTDOWN:
	case REPLY_IS_PROGRESS:
		break;
	}
	return 0;
}

/* Only at the end of the message, and what was agreed on. */
static enum milter_event
on_change(struct milter *m, const struct milter_reply *reply)
{
	if (m->waiting != MILTER_END)
		return refuse(m, "the filter changes before the message ends");
	if ((m->options.actions & action_of(reply)) == 0)
		return refuse(
		    m, "the filter changes what it said it would not");
	if (reply->kind == REPLY_IS_BODY) {
		m->changes->body = true;
		m->piece = reply->value;
		return MILTER_NEW_BODY;
	}
	if (milter_changes_take(m->changes, reply) < 0)
		return refuse(m, "the filter wants too many changes");
	return MILTER_ALIVE;
}

static enum milter_event
judge(struct milter *m, const struct milter_reply *reply)
{
	switch (reply->kind) {
	case REPLY_IS_CONTINUE:
		return go_on(m);
	case REPLY_IS_ACCEPT:
		return settle(m, MILTER_ACCEPT, 0, NULL);
	case REPLY_IS_REJECT:
		return settle_refusal(m, ERR_PERM);
	case REPLY_IS_TEMPFAIL:
		return settle_refusal(m, ERR_TEMP);
	case REPLY_IS_DISCARD:
		return on_discard(m);
	case REPLY_IS_SKIP:
		return on_skip(m);
	case REPLY_IS_CODE:
		return settle(m,
		    reply->code == 421 ? MILTER_HANG_UP : MILTER_REFUSE,
		    reply->code, &reply->err);
	case REPLY_IS_SHUTDOWN:
		return hang_up(m);
	case REPLY_IS_PROGRESS:
		return MILTER_ALIVE;
	case REPLY_IS_ADD_HEADER:
	case REPLY_IS_INSERT_HEADER:
	case REPLY_IS_CHANGE_HEADER:
	case REPLY_IS_BODY:
	case REPLY_IS_ADD_RCPT:
	case REPLY_IS_DELETE_RCPT:
	case REPLY_IS_FROM:
	case REPLY_IS_QUARANTINE:
		return on_change(m, reply);
	case REPLY_IS_BAD:
	case REPLY_IS_OPTIONS:
		break;
	}
	return refuse(m, "the filter answered something else");
}

enum milter_event
milter_hear(struct milter *m)
{
	struct milter_reply reply;
	size_t used;
	int rc = milter_take(
	    span_from(buf_span(&m->in), m->used), &reply, &used, &m->err);

	if (rc < 0)
		return MILTER_BROKEN;
	if (rc == 0)
		return MILTER_IDLE;
	m->used += used;
	if (m->waiting == MILTER_OPTNEG)
		return agree(m, &reply);
	return judge(m, &reply);
}
