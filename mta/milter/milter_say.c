/* What a filter is told: each command with its macros. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/text.h"
#include "mta/milter/milter_private.h"

/* What we cannot say for want of room breaks the conversation, too. */
static void
need(struct milter *m, int rc)
{
	if (rc < 0)
		milter_fail(m, "there is too much to tell the filter");
}

static void
macro(struct milter *m, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	need(m, milter_put_text(&m->macros, span_of(name)));
	need(m, milter_put_text(&m->macros, span_of(value)));
}

static void
put(struct milter *m, struct span text)
{
	need(m, milter_put_text(&m->data, text));
}

static void
begin(struct milter *m, enum milter_command command)
{
	const char letter = (char)command;

	buf_clear(&m->macros);
	buf_clear(&m->data);
	need(m, buf_add(&m->macros, (struct span){&letter, 1}));
}

static bool
told(const struct milter *m, enum milter_flag flag)
{
	return (m->options.flags & flag) != 0;
}

/* Then wait, unless it has promised no reply. */
static void
say(struct milter *m, enum milter_command command, enum milter_flag no_reply)
{
	if (m->macros.n > 1)
		need(
		    m, milter_put(&m->out, MILTER_MACRO, buf_span(&m->macros)));
	need(m, milter_put(&m->out, command, buf_span(&m->data)));
	buf_clear(&m->macros);
	buf_clear(&m->data);
	if (!told(m, no_reply))
		m->waiting = command;
}

static void
say_options(struct milter *m)
{
	const struct milter_options all = {
	    MILTER_VERSION, MILTER_ACTIONS, MILTER_FLAGS};

	need(m, milter_put_options(&m->out, &all));
	m->waiting = MILTER_OPTNEG;
}

static char
family_of(const char *client)
{
	uint8_t ip[16];

	if (inet_pton(AF_INET, client, ip) == 1)
		return '4';
	return inet_pton(AF_INET6, client, ip) == 1 ? '6' : 'U';
}

/*
 * Names are not looked up: the host is its address in brackets, as other
 * servers say it of one without a name.
 */
static void
say_connect(struct milter *m)
{
	char host[MILTER_NAME_SIZE + 2], both[2 * sizeof(host)], port[8] = "";
	const char family = family_of(m->client);

	/* As other servers say it of mail that no client brought. */
	if (m->client[0] == '\0')
		(void)snprintf(host, sizeof(host), "localhost");
	else
		(void)snprintf(host, sizeof(host), "[%s]", m->client);
	(void)snprintf(both, sizeof(both), "%s %s", host, host);
	if (m->port != 0)
		(void)snprintf(port, sizeof(port), "%u", (unsigned)m->port);
	begin(m, MILTER_CONNECT);
	macro(m, "j", m->hostname);
	macro(m, "_", both);
	macro(m, "v", "Danelaw");
	macro(m, "{daemon_name}", m->hostname);
	macro(m, "{client_name}", host);
	macro(m, "{client_addr}", m->client);
	macro(m, "{client_port}", port);
	put(m, span_of(host));
	need(m, buf_add(&m->data, (struct span){&family, 1}));
	if (family != 'U') {
		need(m, milter_put_u16(&m->data, m->port));
		put(m, span_of(m->client));
	}
	say(m, MILTER_CONNECT, MILTER_NR_CONNECT);
}

static void
say_helo(struct milter *m)
{
	begin(m, MILTER_HELO);
	macro(m, "{tls_version}", m->tls_version);
	macro(m, "{cipher}", m->tls_cipher);
	put(m, span_of(m->helo));
	say(m, MILTER_HELO, MILTER_NR_HELO);
}

/* In angle brackets, and behind it each argument by itself. */
static void
put_path(struct milter *m, const char *address, const char *params)
{
	struct span rest = span_of(params);
	char path[MILTER_NAME_SIZE + 64];

	(void)snprintf(path, sizeof(path), "<%s>", address);
	put(m, span_of(path));
	while (rest.n > 0) {
		const char *blank = memchr(rest.p, ' ', rest.n);
		size_t n = blank == NULL ? rest.n : (size_t)(blank - rest.p);

		if (n > 0)
			put(m, span_first(rest, n));
		rest = span_from(rest, n + 1);
	}
}

static void
say_mail(struct milter *m)
{
	begin(m, MILTER_MAIL);
	macro(m, "{mail_addr}", m->sender);
	put_path(m, m->sender, m->params);
	m->in_mail = true;
	say(m, MILTER_MAIL, MILTER_NR_MAIL);
}

static void
say_rcpt(struct milter *m)
{
	begin(m, MILTER_RCPT);
	macro(m, "{rcpt_addr}", m->rcpt);
	/* As Sendmail says it of one that nobody will get mail for. */
	if (m->refused[0] != '\0') {
		macro(m, "{rcpt_mailer}", "error");
		macro(m, "{rcpt_host}", m->refused);
	}
	put_path(m, m->rcpt, m->params);
	say(m, MILTER_RCPT, MILTER_NR_RCPT);
}

static void
say_data(struct milter *m)
{
	begin(m, MILTER_DATA);
	macro(m, "i", m->id);
	say(m, MILTER_DATA, MILTER_NR_DATA);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks at its front are kept only for who asked for them. */
static struct span
value_for(const struct milter *m, const struct milter_field *field)
{
	struct span value = milter_field_value(field);

	while (!told(m, MILTER_LEADING_SPACE) && value.n > 0 &&
	       is_space(value.p[0]))
		value = span_from(value, 1);
	return value;
}

/* Folds end with LF alone in this protocol. */
static void
put_value(struct milter *m, struct span value)
{
	while (value.n > 0) {
		const char *cr = memchr(value.p, '\r', value.n);
		size_t n = cr == NULL ? value.n : (size_t)(cr - value.p);

		need(m, buf_add(&m->data, span_first(value, n)));
		value = span_from(value, n + 1);
	}
}

static void
say_field(struct milter *m, const struct milter_field *field)
{
	begin(m, MILTER_HEADER);
	put(m, milter_field_name(field));
	put_value(m, value_for(m, field));
	put(m, (struct span){0});
	say(m, MILTER_HEADER, MILTER_NR_HEADER);
}

static void
say_end(struct milter *m)
{
	begin(m, MILTER_END);
	macro(m, "i", m->id);
	say(m, MILTER_END, 0);
}

/* One of the fields, or none is left. */
static void
next_field(struct milter *m)
{
	const struct milter_header *header = m->header;

	while (m->field < header->n && milter_header_is_own(header, m->field))
		m->field++;
	if (m->field == header->n || told(m, MILTER_NO_HEADER))
		m->step = STEP_EOH;
	else
		say_field(m, &header->list[m->field++]);
}

/* The first of a question tells what comes before it, once. */
static void
next_connect(struct milter *m)
{
	if (m->options.version == 0) {
		say_options(m);
		return;
	}
	m->answer = m->standing;
	m->step = STEP_HELO;
	if (m->connected || m->answer.verdict != MILTER_NO_VERDICT)
		return;
	m->connected = true;
	if (!told(m, MILTER_NO_CONNECT))
		say_connect(m);
}

static void
next_helo(struct milter *m)
{
	bool silent = m->heard || told(m, MILTER_NO_HELO);

	m->heard = true;
	m->step = STEP_MAIL;
	if (!silent)
		say_helo(m);
}

typedef void say_fn(struct milter *m);

static void
unless(
    struct milter *m, enum milter_flag flag, say_fn *fn, enum milter_step next)
{
	m->step = next;
	if (!told(m, flag))
		fn(m);
}

static void
say_eoh(struct milter *m)
{
	begin(m, MILTER_EOH);
	say(m, MILTER_EOH, MILTER_NR_EOH);
}

void
milter_say(struct milter *m)
{
	switch (m->step) {
	case STEP_CONNECT:
		next_connect(m);
		return;
	case STEP_HELO:
		next_helo(m);
		return;
	case STEP_MAIL:
		unless(m, MILTER_NO_MAIL, say_mail, STEP_SAID);
		return;
	case STEP_RCPT:
		unless(m, MILTER_NO_RCPT, say_rcpt, STEP_SAID);
		return;
	case STEP_DATA:
		unless(m, MILTER_NO_DATA, say_data, STEP_SAID);
		return;
	case STEP_FIELDS:
		next_field(m);
		return;
	case STEP_EOH:
		unless(m, MILTER_NO_EOH, say_eoh,
		    told(m, MILTER_NO_BODY) ? STEP_END : STEP_BODY);
		return;
	case STEP_END:
		say_end(m);
		return;
	case STEP_SAID:
		m->answer.verdict = MILTER_CONTINUE;
		return;
	case STEP_NONE:
	case STEP_BODY:
		break;
	}
}

void
milter_body(struct milter *m, struct span piece)
{
	if (piece.n == 0) {
		m->step = STEP_END;
		return;
	}
	begin(m, MILTER_BODY);
	need(m, buf_add(&m->data, span_first(piece, MILTER_CHUNK_MAX)));
	say(m, MILTER_BODY, MILTER_NR_BODY);
}
