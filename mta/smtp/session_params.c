/* The parameters of MAIL and RCPT, one function each. */
#include "base/text.h"
#include "mta/smtp/grammar.h"
#include "mta/smtp/session_private.h"

typedef enum session_reply param_rule(
    struct session *session, struct span value);

struct rule {
	const char *name;
	param_rule *take;
};

static bool
is_number(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (!text_is_digit(value.p[i]))
			return false;
	return value.n > 0;
}

/* RFC 1870 3, 6.1 */
static enum session_reply
by_size(struct session *session, struct span value)
{
	if (value.n > 20 || !is_number(value))
		return REPLY_BAD_PARAM;
	/* Twenty digits may be more than fits. */
	if (!text_parse_u64(value, &session->size))
		session->size = UINT64_MAX;
	if (session->setup.message_max > 0 &&
	    session->size > session->setup.message_max)
		return REPLY_TOO_BIG;
	return REPLY_NONE;
}

/* RFC 6152 2; BINARYMIME is not offered. */
static enum session_reply
by_body(struct session *session, struct span value)
{
	if (span_eq_nocase(value, SPAN("7BIT")))
		session->envelope.body = BODY_7BIT;
	else if (span_eq_nocase(value, SPAN("8BITMIME")))
		session->envelope.body = BODY_8BITMIME;
	else
		return REPLY_BAD_PARAM;
	return REPLY_NONE;
}

/* RFC 6531 3.4: it has no value. */
static enum session_reply
by_smtputf8(struct session *session, struct span value)
{
	session->envelope.smtputf8 = true;
	return value.p == NULL ? REPLY_NONE : REPLY_BAD_PARAM;
}

/* RFC 8689 2: it has no value, and only a session with TLS may have it. */
static enum session_reply
by_requiretls(struct session *session, struct span value)
{
	if (!session->setup.requiretls)
		return REPLY_UNKNOWN_PARAM;
	if (value.p != NULL)
		return REPLY_BAD_PARAM;
	if (session->tls.version == NULL)
		return REPLY_NEED_TLS;
	session->envelope.tls_wish = TLS_WISH_REQUIRED;
	return REPLY_NONE;
}

/* RFC 3461 4.3 */
static enum session_reply
by_ret(struct session *session, struct span value)
{
	if (span_eq_nocase(value, SPAN("FULL")))
		session->envelope.ret = RET_FULL;
	else if (span_eq_nocase(value, SPAN("HDRS")))
		session->envelope.ret = RET_HDRS;
	else
		return REPLY_BAD_PARAM;
	return REPLY_NONE;
}

static enum session_reply
keep(struct session *session, struct span value, const char **ret)
{
	*ret = arena_strndup(session->arena, value.p, value.n);
	return *ret == NULL ? REPLY_TOO_MANY_RCPTS : REPLY_NONE;
}

/* RFC 3461 4.4 */
static enum session_reply
by_envid(struct session *session, struct span value)
{
	if (!grammar_is_envid(value))
		return REPLY_BAD_PARAM;
	return keep(session, value, &session->envelope.envid);
}

/* RFC 3461 4.1 */
static enum session_reply
by_notify(struct session *session, struct span value)
{
	return grammar_notify(value, &session->pending.notify)
	           ? REPLY_NONE
	           : REPLY_BAD_PARAM;
}

/* RFC 3461 4.2 */
static enum session_reply
by_orcpt(struct session *session, struct span value)
{
	if (!grammar_is_orcpt(value))
		return REPLY_BAD_PARAM;
	/* RFC 6533 3: raw UTF-8 only where SMTPUTF8 was said. */
	if (!session->envelope.smtputf8 && !text_is_ascii(value))
		return REPLY_NEED_UTF8;
	return keep(session, value, &session->pending.orcpt);
}

static const struct rule mail_rules[] = {
    {"SIZE", by_size},
    {"BODY", by_body},
    {"SMTPUTF8", by_smtputf8},
    {"REQUIRETLS", by_requiretls},
    {"RET", by_ret},
    {"ENVID", by_envid},
    {NULL, NULL},
};

static const struct rule rcpt_rules[] = {
    {"NOTIFY", by_notify},
    {"ORCPT", by_orcpt},
    {NULL, NULL},
};

static enum session_reply
take_one(struct session *session, const struct rule *rules,
    const struct param *param, unsigned *seen)
{
	for (unsigned i = 0; rules[i].name != NULL; i++) {
		if (!span_eq_nocase(param->name, span_of(rules[i].name)))
			continue;
		if ((*seen & 1u << i) != 0)
			return REPLY_BAD_PARAM;
		*seen |= 1u << i;
		return rules[i].take(session, param->value);
	}
	/* RFC 5321 4.1.1.11 */
	return REPLY_UNKNOWN_PARAM;
}

static enum session_reply
take_all(struct session *session, const struct rule *rules, struct span params)
{
	unsigned seen = 0;

	for (;;) {
		struct param param;
		enum param_take take = grammar_param(&params, &param);
		enum session_reply reply;

		if (take == PARAM_END)
			return REPLY_NONE;
		if (take == PARAM_BAD)
			return REPLY_BAD_PARAM;
		/* RFC 5321 4.1.1.11: extensions come with EHLO. */
		if (session->hello != HELLO_EHLO)
			return REPLY_UNKNOWN_PARAM;
		reply = take_one(session, rules, &param, &seen);
		if (reply != REPLY_NONE)
			return reply;
	}
}

enum session_reply
session_mail_params(struct session *session, struct span params)
{
	return take_all(session, mail_rules, params);
}

enum session_reply
session_rcpt_params(struct session *session, struct span params)
{
	/* Of the one before, unless it was accepted, nothing is kept. */
	arena_rewind(session->arena, session->granted);
	return take_all(session, rcpt_rules, params);
}
