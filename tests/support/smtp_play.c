#include "tests/support/smtp_play.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LIMIT (8u << 20)

struct session_setup
play_setup(void)
{
	return (struct session_setup){
	    .hostname = "mx.example.org",
	    .client = "192.0.2.1",
	    .id = "s1",
	    .message_max = 65536,
	    .rcpts_max = 4,
	    .text_line_max = 1000,
	    .errors_max = 10,
	    .hops_max = 5,
	    .starttls = true,
	    .requiretls = true,
	};
}

void
play_begin(struct play *play, const struct session_setup *setup)
{
	play->session = session_new(setup);
	buf_init(&play->replies, LIMIT);
	buf_init(&play->body, LIMIT);
	buf_init(&play->messages, LIMIT);
	buf_init(&play->envelopes, LIMIT);
	buf_init(&play->trace, LIMIT);
	play_feed(play, (struct span){0}, 0);
}

void
play_end(struct play *play)
{
	session_free(&play->session);
	buf_free(&play->replies);
	buf_free(&play->body);
	buf_free(&play->messages);
	buf_free(&play->envelopes);
	buf_free(&play->trace);
}

static void
note(int result)
{
	assert(result == 0);
	(void)result;
}

static void
write_envelope(struct play *play)
{
	const struct envelope *e = session_envelope(play->session);
	struct buf *out = &play->envelopes;

	note(buf_printf(out, "<%s>", e->sender));
	for (size_t i = 0; i < e->nrcpts; i++) {
		note(buf_printf(out, "<%s>", e->rcpts[i].address));
		if (e->rcpts[i].notify != 0)
			note(buf_printf(out, "n%u", e->rcpts[i].notify));
		if (e->rcpts[i].orcpt[0] != '\0')
			note(buf_printf(out, "o%s", e->rcpts[i].orcpt));
	}
	note(buf_printf(
	    out, "s%llu", (unsigned long long)session_size(play->session)));
	if (e->body != BODY_DEFAULT)
		note(buf_printf(out, "b%d", (int)e->body));
	if (e->ret != RET_DEFAULT)
		note(buf_printf(out, "r%d", (int)e->ret));
	if (e->envid[0] != '\0')
		note(buf_printf(out, "e%s", e->envid));
	note(buf_printf(
	    out, "%s%s|", e->smtputf8 ? "u" : "", e->tls ? "t" : ""));
}

static int
judge_rcpt(const char *address, struct err *err)
{
	if (strncmp(address, "no", 2) == 0)
		return err_set(err, ERR_PERM, "5.1.1", "No such user");
	if (strncmp(address, "later", 5) == 0)
		return err_set(err, ERR_TEMP, "4.2.0", "Come again");
	return 0;
}

static void
begin_message(struct play *play)
{
	write_envelope(play);
	buf_clear(&play->body);
	buf_clear(&play->trace);
	note(session_trace(play->session, "Q1", 1795338360, &play->trace));
	session_answer(
	    play->session, play->data.kind == ERR_NONE ? NULL : &play->data);
}

static void
end_message(struct play *play)
{
	if (play->end.kind != ERR_NONE) {
		session_answer(play->session, &play->end);
		return;
	}
	play->wish = session_envelope(play->session)->tls_wish;
	note(buf_add(&play->messages, buf_span(&play->body)));
	note(buf_add_str(&play->messages, "|"));
	session_accepted(play->session, "Q1");
}

static void
answer(struct play *play, enum session_event asked)
{
	static const struct session_tls tls = {
	    "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx.example.org"};
	struct session *session = play->session;
	struct err err = {0};

	if (asked == SESSION_MAIL &&
	    strncmp(session_envelope(session)->sender, "spam@", 5) == 0)
		(void)err_set(&err, ERR_PERM, "5.7.1", "Not from you");
	if (asked == SESSION_MAIL &&
	    strncmp(session_envelope(session)->sender, "later@", 6) == 0)
		(void)err_set(&err, ERR_TEMP, "4.7.1", "Not now");
	if (asked == SESSION_RCPT)
		(void)judge_rcpt(session_rcpt(session)->address, &err);
	if (asked == SESSION_DATA)
		begin_message(play);
	else if (asked == SESSION_END)
		end_message(play);
	else if (asked == SESSION_STARTTLS)
		session_tls_done(session, &tls);
	else
		session_answer(session, &err);
}

/* True to be called again. */
static bool
play_step(struct play *play)
{
	enum session_event event = session_next(play->session);
	struct span out = session_output(play->session);

	note(buf_add(&play->replies, out));
	session_sent(play->session, out.n);
	switch (event) {
	case SESSION_IDLE:
		return out.n > 0;
	case SESSION_WAIT:
		assert(play->asked != SESSION_IDLE);
		event = play->asked;
		play->asked = SESSION_IDLE;
		answer(play, event);
		return true;
	case SESSION_MAIL:
	case SESSION_RCPT:
	case SESSION_DATA:
	case SESSION_END:
	case SESSION_STARTTLS:
		if (play->owner == PLAY_SLOW)
			play->asked = event;
		else
			answer(play, event);
		return true;
	case SESSION_BODY:
		note(buf_add(&play->body, session_body(play->session)));
		return true;
	case SESSION_ABORT:
		play->aborts++;
		return true;
	case SESSION_CLOSE:
		play->closed = true;
		return false;
	}
	return false;
}

void
play_feed(struct play *play, struct span bytes, size_t step)
{
	if (step == 0)
		step = 65536;
	do {
		struct span piece = span_first(bytes, step);

		bytes = span_from(bytes, piece.n);
		session_feed(play->session, piece);
		while (play_step(play))
			;
	} while (bytes.n > 0 && !play->closed);
}

static size_t
status_length(struct span text)
{
	size_t n = 0;

	while (n < text.n && (text_is_digit(text.p[n]) || text.p[n] == '.'))
		n++;
	return n >= 5 && text.p[1] == '.' ? n : 0;
}

void
play_codes(const struct play *play, char *to, size_t size)
{
	struct span rest = buf_span(&play->replies);
	size_t n = 0;

	to[0] = '\0';
	while (rest.n > 4 && n < size - 20) {
		const char *end = memchr(rest.p, '\r', rest.n);
		struct span line = span_first(
		    rest, end == NULL ? rest.n : (size_t)(end - rest.p));
		struct span text = span_from(line, 4);
		size_t status = status_length(text);

		rest = span_from(rest, line.n + 2);
		if (line.p[3] == '-')
			continue;
		n += (size_t)snprintf(to + n, size - n, "%s%.3s%s%.*s",
		    n == 0 ? "" : " ", line.p, status > 0 ? "/" : "",
		    (int)status, text.p);
	}
	if (play->closed)
		(void)snprintf(to + n, size - n, " *");
}
