#include "tests/support/smtp_script.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define RCPTS 8

struct stage {
	const struct script *script;
	struct client *client;
	struct buf out; /* what the client said and nobody looked at yet */
	unsigned sent;
	size_t fed;
	enum client_event last;
	char *outcome;
	size_t n;
	char why[512];
};

static struct envelope_rcpt recipients[RCPTS] = {
    {"r0@x.org", "", 0},
    {"r1@x.org", "", 0},
    {"r2@x.org", "", 0},
    {"r3@x.org", "", 0},
    {"r4@x.org", "", 0},
    {"r5@x.org", "", 0},
    {"r6@x.org", "", 0},
    {"r7@x.org", "", 0},
};

struct script
script_new(size_t n)
{
	return (struct script){
	    .setup = {.helo = "me.example"},
	    .messages = 1,
	    .envelope = {.sender = "a@b.org",
		.envid = "",
		.helo = "",
		.client = "",
		.session = "",
		.rcpts = recipients,
		.nrcpts = n},
	    .message = SPAN("hi\r\n"),
	    .size = 4,
	};
}

static void __attribute__((format(printf, 2, 3)))
tell(struct stage *stage, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(
	    stage->outcome + stage->n, SCRIPT_OUTCOME_MAX - stage->n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < SCRIPT_OUTCOME_MAX - stage->n)
		stage->n += (size_t)n;
}

static void
tell_err(struct stage *stage, const struct err *err)
{
	static const char letters[] = "-TPB";

	if (err->kind == ERR_NONE)
		tell(stage, "ok");
	else
		tell(stage, "%c%s", letters[err->kind], err->enhanced);
}

static void
tell_results(struct stage *stage)
{
	for (size_t i = 0; i < stage->script->envelope.nrcpts; i++) {
		tell_err(stage, &client_result(stage->client, i)->err);
		tell(stage, " ");
	}
}

static void
send_message(struct stage *stage)
{
	static const uint16_t which[RCPTS] = {0, 1, 2, 3, 4, 5, 6, 7};
	const struct script *script = stage->script;

	if (stage->sent++ < script->messages) {
		stage->fed = 0;
		client_say_requiretls(stage->client,
		    script->envelope.tls_wish == TLS_WISH_REQUIRED);
		client_send(stage->client, &script->envelope, which,
		    script->envelope.nrcpts, script->size, script->eight_bit);
	} else if (script->quit) {
		client_quit(stage->client);
	}
}

static void
feed_body(struct stage *stage)
{
	struct span rest = span_from(stage->script->message, stage->fed);
	size_t piece = stage->script->piece;
	struct span now = span_first(rest, piece == 0 ? rest.n : piece);

	stage->fed += now.n;
	client_body(stage->client, now, now.n == rest.n);
}

static bool
on_event(struct stage *stage, enum client_event event)
{
	struct client *client = stage->client;

	switch (event) {
	case CLIENT_IDLE:
	case CLIENT_FAILED:
	case CLIENT_CLOSED:
		return false;
	case CLIENT_GREETED:
		if (stage->script->tls &&
		    (client_offers(client) & OFFER_STARTTLS) != 0)
			client_starttls(client);
		else if (!stage->script->hold)
			client_proceed(client);
		return true;
	case CLIENT_STARTTLS:
		client_tls_done(client);
		return true;
	case CLIENT_READY:
		send_message(stage);
		return true;
	case CLIENT_BODY:
		feed_body(stage);
		return true;
	case CLIENT_DONE:
		tell_results(stage);
		return true;
	}
	return false;
}

static void
run(struct stage *stage)
{
	struct span out;

	do {
		stage->last = client_next(stage->client);
		out = client_output(stage->client);
		(void)!buf_add(&stage->out, out);
		client_sent(stage->client, out.n);
	} while (on_event(stage, stage->last));
}

static void
say(struct stage *stage, struct span bytes)
{
	size_t step = stage->script->step;

	while (bytes.n > 0) {
		struct span piece = span_first(
		    bytes, step == 0 ? bytes.n : step);

		bytes = span_from(bytes, piece.n);
		client_feed(stage->client, piece);
		run(stage);
	}
}

static bool
hears(struct stage *stage, struct span line)
{
	struct span out = buf_span(&stage->out);
	struct span head = span_first(out, line.n);

	if (span_eq(head, line) &&
	    span_eq(span_first(span_from(out, line.n), 2), SPAN("\r\n"))) {
		buf_shift(&stage->out, line.n + 2);
		return true;
	}
	(void)snprintf(stage->why, sizeof(stage->why),
	    "client said \"%.*s\", not \"%.*s\"", (int)(out.n % 200), out.p,
	    (int)line.n, line.p);
	return false;
}

static void
tell_end(struct stage *stage)
{
	if (stage->last == CLIENT_CLOSED) {
		tell(stage, "closed");
	} else if (stage->last == CLIENT_FAILED) {
		tell(stage, "failed ");
		tell_err(stage, client_error(stage->client));
	} else if (client_waiting(stage->client) == CLIENT_WAIT_NONE) {
		tell(stage, "ready");
	} else {
		tell(stage, "%s",
		    client_wait_name(client_waiting(stage->client)));
	}
	if (client_in_doubt(stage->client))
		tell(stage, "?");
}

/* One line; false when the client did not follow. */
static bool
act(struct stage *stage, struct span line, struct buf *saying)
{
	struct err err;

	if (line.p[0] == 'S')
		return buf_add(saying, span_from(line, 2)) == 0 &&
		       buf_add(saying, SPAN("\r\n")) == 0;
	say(stage, buf_span(saying));
	buf_clear(saying);
	if (line.p[0] == 'C')
		return hears(stage, span_from(line, 2));
	if (line.p[0] == 'X') {
		(void)err_set(&err, ERR_TEMP, "4.4.2", "lost");
		client_broken(stage->client, &err);
		run(stage);
	}
	return true;
}

static bool
follow(struct stage *stage, const char *dialog)
{
	struct span rest = span_of(dialog);
	struct buf saying;
	bool same = true;

	buf_init(&saying, 1u << 20);
	run(stage);
	while (same && rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		same = act(stage, span_first(rest, n), &saying);
		rest = span_from(rest, n + 1);
	}
	if (same)
		same = act(stage, SPAN("."), &saying);
	if (same && stage->out.n > 0) {
		(void)snprintf(stage->why, sizeof(stage->why),
		    "client went on: \"%.*s\"", (int)(stage->out.n % 200),
		    stage->out.p);
		same = false;
	}
	buf_free(&saying);
	return same;
}

const char *
script_run(const struct script *script, const char *dialog,
    char outcome[SCRIPT_OUTCOME_MAX])
{
	struct stage stage = {.script = script, .outcome = outcome};
	bool same;

	outcome[0] = '\0';
	buf_init(&stage.out, 8u << 20);
	stage.client = client_new(&script->setup);
	same = follow(&stage, dialog);
	tell_end(&stage);
	client_free(&stage.client);
	buf_free(&stage.out);
	if (same)
		return NULL;
	tell(&stage, " [%s]", stage.why);
	return outcome;
}
