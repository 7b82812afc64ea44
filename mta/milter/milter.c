/* See milter.h: its life, and what the owner asks. */
#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/milter/milter_private.h"

#define INPUT_MAX  ((size_t)2 * MILTER_PACKET_MAX)
#define OUTPUT_MAX (16u << 20)
#define MACROS_MAX 8192u

struct milter *
milter_new(const struct milter_setup *setup)
{
	struct milter *m = mem_new(sizeof(*m));

	(void)text_copy(m->hostname, sizeof(m->hostname), setup->hostname);
	(void)text_copy(m->client, sizeof(m->client), setup->client);
	m->port = setup->port;
	buf_init(&m->in, INPUT_MAX);
	buf_init(&m->out, OUTPUT_MAX);
	buf_init(&m->macros, MACROS_MAX);
	buf_init(&m->data, MILTER_PACKET_MAX - 1);
	return m;
}

void
milter_free(struct milter **milter)
{
	struct milter *m = *milter;

	*milter = NULL;
	if (m == NULL)
		return;
	buf_free(&m->in);
	buf_free(&m->out);
	buf_free(&m->macros);
	buf_free(&m->data);
	mem_free(m);
}

void
milter_fail(struct milter *m, const char *why)
{
	if (m->err.kind == ERR_NONE)
		(void)err_set(&m->err, ERR_TEMP, "4.3.0", "%s", why);
}

void
milter_ask_mail(struct milter *m, const struct milter_mail *mail)
{
	const char *version = mail->tls_version == NULL ? ""
	                                                : mail->tls_version;
	const char *cipher = mail->tls_cipher == NULL ? "" : mail->tls_cipher;

	milter_abort(m);
	m->answer = (struct milter_answer){0};
	m->heard = m->heard && strcmp(m->helo, mail->helo) == 0 &&
	           strcmp(m->tls_version, version) == 0;
	(void)text_copy(m->helo, sizeof(m->helo), mail->helo);
	(void)text_copy(m->sender, sizeof(m->sender), mail->sender);
	(void)text_copy(m->params, sizeof(m->params), mail->params);
	(void)text_copy(m->tls_version, sizeof(m->tls_version), version);
	(void)text_copy(m->tls_cipher, sizeof(m->tls_cipher), cipher);
	m->step = STEP_CONNECT;
}

static void
begin(struct milter *m, enum milter_step step)
{
	assert(m->waiting == 0);
	m->answer = (struct milter_answer){0};
	m->step = step;
}

void
milter_ask_rcpt(struct milter *m, const char *address, const char *params,
    const struct err *refused)
{
	begin(m, STEP_RCPT);
	(void)text_copy(m->rcpt, sizeof(m->rcpt), address);
	(void)text_copy(m->params, sizeof(m->params), params);
	(void)text_copy(m->refused, sizeof(m->refused),
	    refused == NULL ? "" : refused->enhanced);
}

void
milter_ask_data(struct milter *m, const char *id)
{
	(void)text_copy(m->id, sizeof(m->id), id);
	begin(m, STEP_DATA);
}

void
milter_ask_message(struct milter *m, const struct milter_header *header,
    struct milter_changes *changes)
{
	begin(m, STEP_FIELDS);
	m->header = header;
	m->field = 0;
	m->changes = changes;
	changes->spaced = (m->options.flags & MILTER_LEADING_SPACE) != 0;
}

void
milter_abort(struct milter *m)
{
	if (m->in_mail && m->err.kind == ERR_NONE &&
	    milter_put(&m->out, MILTER_ABORT, (struct span){0}) < 0)
		milter_fail(m, "there is too much to tell the filter");
	/* What it still owes an answer to, nobody can tell from the next. */
	if (m->waiting != 0)
		milter_fail(m, "given up in the middle");
	m->in_mail = false;
	m->step = STEP_NONE;
}

void
milter_quit(struct milter *m)
{
	milter_abort(m);
	(void)!milter_put(&m->out, MILTER_QUIT, (struct span){0});
}

void
milter_feed(struct milter *m, struct span bytes)
{
	buf_shift(&m->in, m->used);
	m->used = 0;
	if (buf_add(&m->in, bytes) < 0)
		milter_fail(m, "the filter sent too much at once");
}

/* MORE to say, or what to tell the owner. */
enum milter_event
milter_next(struct milter *m)
{
	enum milter_event event = MILTER_IDLE;

	while (m->err.kind == ERR_NONE) {
		if (m->answer.verdict != MILTER_NO_VERDICT) {
			m->step = STEP_NONE;
			return MILTER_ANSWERED;
		}
		if (m->waiting != 0) {
			event = milter_hear(m);
			if (event != MILTER_ANSWERED)
				return m->err.kind == ERR_NONE ? event
				                               : MILTER_BROKEN;
			continue;
		}
		if (m->used < m->in.n)
			milter_fail(m, "the filter answered what nobody asked");
		else if (m->step == STEP_NONE)
			return MILTER_IDLE;
		else if (m->step == STEP_BODY)
			return MILTER_WANTS_BODY;
		else
			milter_say(m);
	}
	return MILTER_BROKEN;
}

const struct milter_answer *
milter_answer(const struct milter *m)
{
	return &m->answer;
}

struct span
milter_piece(const struct milter *m)
{
	return m->piece;
}

const struct err *
milter_error(const struct milter *m)
{
	return &m->err;
}

struct span
milter_output(const struct milter *m)
{
	return buf_span(&m->out);
}

void
milter_sent(struct milter *m, size_t n)
{
	buf_shift(&m->out, n);
}

bool
milter_wants_refused(const struct milter *m)
{
	return (m->options.flags & MILTER_RCPT_REJ) != 0 &&
	       (m->options.flags & MILTER_NO_RCPT) == 0;
}

enum milter_command
milter_waits_for(const struct milter *m)
{
	return m->waiting;
}
