/* The commands, one function each; the table stands at the end. */
#include "base/text.h"
#include "mta/smtp/grammar.h"
#include "mta/smtp/session_private.h"

/* A message in chunks of so many octets is no idle talk. */
#define CHUNK_COUNTS_BELOW 1024u

/* Answers at once (true) or asks the owner (false), as a step does. */
typedef bool verb_fn(struct session *session, struct span argument);

struct verb {
	const char *name;
	verb_fn *run;
	bool bare; /* RFC 5321 4.1.1: takes no argument */
};

static bool
replied(struct session *session, enum session_reply reply)
{
	session_reply(session, reply);
	return true;
}

static bool
complained(struct session *session, enum session_reply reply)
{
	session_complain(session, reply);
	return true;
}

/* RFC 5321 4.1.2: letters, digits and hyphens, or an address in brackets.  A
 * dot too many does no harm, nor does an address that is none. */
static bool
is_of_names(struct span name)
{
	const char *others = name.p[0] == '[' ? "-.:[]" : "-.";

	for (size_t i = 0; i < name.n; i++)
		if (!text_is_alnum(name.p[i]) &&
		    strchr(others, name.p[i]) == NULL)
			return grammar_is_literal(name);
	return true;
}

static bool
hello(struct session *session, struct span name, enum hello hello)
{
	/* RFC 5321 4.1.4: the name need not be true, but be one word. */
	if (name.n == 0 || name.n >= sizeof(session->helo) ||
	    !text_is_ascii(name) || memchr(name.p, ' ', name.n) != NULL)
		return complained(session, REPLY_BAD_HELLO);
	if (!session->setup.any_hello && !is_of_names(name))
		return complained(session, REPLY_BAD_HELLO);
	/* RFC 5321 4.1.4: EHLO again means RSET. */
	session_end_transaction(session);
	memcpy(session->helo, name.p, name.n);
	session->helo[name.n] = '\0';
	session->hello = hello;
	session_reply_hello(session, hello == HELLO_EHLO);
	return true;
}

static bool
verb_ehlo(struct session *session, struct span argument)
{
	return hello(session, argument, HELLO_EHLO);
}

static bool
verb_helo(struct session *session, struct span argument)
{
	return hello(session, argument, HELLO_HELO);
}

/* Wrong parameters count as errors; limits are no fault of the client. */
static bool
bad_params(struct session *session, enum session_reply reply)
{
	if (reply == REPLY_TOO_BIG || reply == REPLY_TOO_MANY_RCPTS)
		return replied(session, reply);
	return complained(session, reply);
}

static bool
take_prefix(struct span *argument, struct span prefix)
{
	if (!span_starts_nocase(*argument, prefix))
		return false;
	*argument = span_from(*argument, prefix.n);
	return true;
}

static enum session_reply
check_sender(
    struct session *session, const struct address *address, struct span params)
{
	enum session_reply reply = session_mail_params(session, params);

	if (reply != REPLY_NONE)
		return reply;
	/* RFC 6531 3.5: without the parameter it has to be ASCII. */
	if (address->utf8 && !session->envelope.smtputf8)
		return REPLY_NEED_UTF8_FROM;
	session->envelope.sender = arena_strndup(
	    session->arena, address->text, strlen(address->text));
	return session->envelope.sender == NULL ? REPLY_TOO_MANY_RCPTS
	                                        : REPLY_NONE;
}

/*
 * RFC 2920 3.1, RFC 5321 3.3: a pipelining client has sent RCPT and DATA
 * before it knows what became of those before them.
 */
static bool
out_of_order(struct session *session, enum session_reply reply)
{
	if (reply == REPLY_NEED_RCPT ||
	    (reply == REPLY_NEED_MAIL && session->mail_refused))
		return replied(session, reply);
	return complained(session, reply);
}

static bool
verb_mail(struct session *session, struct span argument)
{
	struct address address;
	struct err err;
	enum session_reply reply;

	/* RFC 5321 4.1.4: a session begins with EHLO or HELO. */
	if (session->hello == HELLO_NONE)
		return complained(session, REPLY_NEED_HELLO);
	if (session->stage != STAGE_NONE)
		return complained(session, REPLY_NESTED_MAIL);
	if (!take_prefix(&argument, SPAN("FROM:")))
		return complained(session, REPLY_BAD_ARGUMENT);
	if (grammar_path(&argument, PATH_REVERSE, &address, &err) < 0) {
		session_complain_err(session, &err);
		session->mail_refused = true;
		return true;
	}
	session_clear(session);
	reply = check_sender(session, &address, argument);
	if (reply == REPLY_NONE)
		return session_ask(session, SESSION_MAIL);
	session_clear(session);
	session->mail_refused = true;
	return bad_params(session, reply);
}

static enum session_reply
check_rcpt(
    struct session *session, const struct address *address, struct span params)
{
	struct envelope_rcpt *rcpt = &session->pending;
	enum session_reply reply;

	*rcpt = (struct envelope_rcpt){.orcpt = ""};
	reply = session_rcpt_params(session, params);
	if (reply != REPLY_NONE)
		return reply;
	if (address->utf8 && !session->envelope.smtputf8)
		return REPLY_NEED_UTF8;
	rcpt->address = arena_strndup(
	    session->arena, address->text, strlen(address->text));
	return rcpt->address == NULL ? REPLY_TOO_MANY_RCPTS : REPLY_NONE;
}

static bool
verb_rcpt(struct session *session, struct span argument)
{
	struct address address;
	struct err err;
	enum session_reply reply;

	if (session->stage != STAGE_MAIL)
		return out_of_order(session, session->stage == STAGE_OPEN
						 ? REPLY_IN_CHUNKS
						 : REPLY_NEED_MAIL);
	if (!take_prefix(&argument, SPAN("TO:")))
		return complained(session, REPLY_BAD_ARGUMENT);
	if (grammar_path(&argument, PATH_FORWARD, &address, &err) < 0) {
		session_complain_err(session, &err);
		return true;
	}
	/* RFC 5321 4.5.3.1.10 */
	if (session->envelope.nrcpts >= session->setup.rcpts_max)
		return replied(session, REPLY_TOO_MANY_RCPTS);
	reply = check_rcpt(session, &address, argument);
	if (reply != REPLY_NONE)
		return bad_params(session, reply);
	return session_ask(session, SESSION_RCPT);
}

static bool
lacks_tls(const struct session *session)
{
	return session->setup.must_tls && session->tls.version == NULL;
}

static bool
ask_for_tls(struct session *session)
{
	session->lacked_tls = true;
	return complained(session, REPLY_TLS_FIRST);
}

/* Why no message may come now, or REPLY_NONE. */
static enum session_reply
before_message(const struct session *session)
{
	if (lacks_tls(session))
		return REPLY_TLS_FIRST;
	if (session->hello == HELLO_NONE)
		return REPLY_NEED_HELLO;
	if (session->stage == STAGE_NONE)
		return REPLY_NEED_MAIL;
	if (session->envelope.nrcpts == 0)
		return REPLY_NEED_RCPT;
	return REPLY_NONE;
}

static bool
verb_data(struct session *session, struct span argument)
{
	enum session_reply reply = before_message(session);

	(void)argument;
	if (reply != REPLY_NONE)
		return out_of_order(session, reply);
	/* RFC 3030 3: DATA and BDAT do not mix. */
	if (session->stage == STAGE_OPEN)
		return complained(session, REPLY_IN_CHUNKS);
	return session_ask(session, SESSION_DATA);
}

static bool
parse_chunk(struct span argument, struct chunk *ret_chunk)
{
	const char *space = argument.n == 0
	                        ? NULL
	                        : memchr(argument.p, ' ', argument.n);
	size_t n = space == NULL ? argument.n : (size_t)(space - argument.p);
	struct span rest = span_from(argument, n);
	struct chunk chunk = {.last = rest.n > 0};

	while (rest.n > 0 && rest.p[0] == ' ')
		rest = span_from(rest, 1);
	if (chunk.last && !span_eq_nocase(rest, SPAN("LAST")))
		return false;
	if (!text_parse_u64(span_first(argument, n), &chunk.left))
		return false;
	*ret_chunk = chunk;
	return true;
}

static bool
verb_bdat(struct session *session, struct span argument)
{
	enum session_reply reply = before_message(session);
	struct chunk chunk;

	/* Without its size nobody knows where the chunk ends. */
	if (!parse_chunk(argument, &chunk)) {
		session_reply(session, REPLY_BAD_CHUNK);
		session_leave(session);
		return true;
	}
	chunk.used = session->stage == STAGE_OPEN;
	session->chunk = chunk;
	if (reply != REPLY_NONE) {
		session->step = &step_drop;
		if (reply == REPLY_TLS_FIRST)
			return ask_for_tls(session);
		return out_of_order(session, reply);
	}
	if (chunk.left >= CHUNK_COUNTS_BELOW)
		session->commands--;
	if (chunk.used) {
		session->step = &step_chunk;
		return true;
	}
	session->chunk.used = true;
	if (session->chunk.left > session->size)
		session->size = session->chunk.left;
	return session_ask(session, SESSION_DATA);
}

static bool
verb_rset(struct session *session, struct span argument)
{
	(void)argument;
	session_end_transaction(session);
	return replied(session, REPLY_RESET);
}

static bool
verb_noop(struct session *session, struct span argument)
{
	(void)argument;
	return replied(session, REPLY_OK);
}

static bool
verb_quit(struct session *session, struct span argument)
{
	(void)argument;
	session_reply(session, REPLY_BYE);
	session_leave(session);
	return true;
}

static bool
verb_starttls(struct session *session, struct span argument)
{
	(void)argument;
	if (!session->setup.starttls)
		return complained(session, REPLY_NOT_OFFERED);
	if (session->tls.version != NULL)
		return complained(session, REPLY_TLS_ACTIVE);
	if (session->stage == STAGE_OPEN)
		return complained(session, REPLY_IN_CHUNKS);
	/* RFC 3207 4.2: what was injected behind it must never be taken for
	 * something that came under TLS. */
	if (session_unread(session).n > 0) {
		session_reply(session, REPLY_TLS_PIPELINED);
		session_leave(session);
		return true;
	}
	session_end_transaction(session);
	session_reply(session, REPLY_TLS_READY);
	return session_ask(session, SESSION_STARTTLS);
}

/* RFC 5321 3.5.3 */
static bool
verb_vrfy(struct session *session, struct span argument)
{
	if (argument.n == 0)
		return complained(session, REPLY_BAD_ARGUMENT);
	return replied(session, REPLY_VRFY);
}

static bool
verb_help(struct session *session, struct span argument)
{
	(void)argument;
	session_reply_help(session);
	return true;
}

static bool
verb_not_offered(struct session *session, struct span argument)
{
	(void)argument;
	return complained(session, REPLY_NOT_OFFERED);
}

/* A browser, or a web page using one, to reach past a firewall. */
static bool
verb_http(struct session *session, struct span argument)
{
	(void)argument;
	session_reply(session, REPLY_HTTP);
	session_leave(session);
	return true;
}

static const struct verb verbs[] = {
    {"MAIL", verb_mail, false},
    {"RCPT", verb_rcpt, false},
    {"DATA", verb_data, true},
    {"BDAT", verb_bdat, false},
    {"QUIT", verb_quit, true},
    {"EHLO", verb_ehlo, false},
    {"HELO", verb_helo, false},
    {"RSET", verb_rset, true},
    {"NOOP", verb_noop, false},
    {"STARTTLS", verb_starttls, true},
    {"VRFY", verb_vrfy, false},
    {"HELP", verb_help, false},
    {"EXPN", verb_not_offered, false},
    {"AUTH", verb_not_offered, false},
    {"GET", verb_http, false},
    {"POST", verb_http, false},
    {"CONNECT", verb_http, false},
    {"PUT", verb_http, false},
    {"HEAD", verb_http, false},
    {"OPTIONS", verb_http, false},
    {"DELETE", verb_http, false},
    {"TRACE", verb_http, false},
    {"PATCH", verb_http, false},
};

static const struct verb *
find_verb(struct span name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (span_eq_nocase(name, span_of(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

static bool
has_control(struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			return true;
	return false;
}

/*
 * RFC 3207 4: "to every command other than NOOP, EHLO, STARTTLS, or QUIT".  A
 * chunk follows BDAT and must be dropped first; HTTP is shown out.
 */
static bool
goes_before_tls(const struct verb *verb)
{
	static verb_fn *const them[] = {verb_noop, verb_ehlo, verb_starttls,
	    verb_quit, verb_bdat, verb_http};

	for (size_t i = 0; verb != NULL && i < sizeof(them) / sizeof(them[0]);
	     i++)
		if (verb->run == them[i])
			return true;
	return false;
}

bool
session_command(struct session *session, struct span line)
{
	const struct verb *verb;
	size_t n = 0;

	/* RFC 5321 4.1.1: white space at the end is tolerated. */
	while (line.n > 0 &&
	       (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	if (has_control(line))
		return complained(session, REPLY_BAD_OCTET);
	while (n < line.n && line.p[n] != ' ')
		n++;
	verb = find_verb(span_first(line, n));
	while (n < line.n && line.p[n] == ' ')
		n++;
	line = span_from(line, n);
	/* RFC 5321 3.1: greeted with 554, only QUIT is answered. */
	if (session->hello == HELLO_REFUSED &&
	    (verb == NULL || verb->run != verb_quit))
		return complained(session, REPLY_REFUSED);
	if (lacks_tls(session) && !goes_before_tls(verb))
		return ask_for_tls(session);
	if (verb == NULL)
		return complained(session, REPLY_UNKNOWN);
	if (verb->bare && line.n > 0)
		return complained(session, REPLY_NO_ARGUMENT);
	return verb->run(session, line);
}
