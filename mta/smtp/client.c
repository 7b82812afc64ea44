/* The client session: its life, and each reply to whom it belongs. */
#include "mta/smtp/client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/smtp/client_private.h"

struct client *
client_new(const struct client_setup *setup)
{
	struct client *client = mem_new(sizeof(*client));

	(void)text_copy(client->helo, sizeof(client->helo), setup->helo);
	client->lmtp = setup->lmtp;
	client->chunking = setup->chunking;
	buf_init(&client->in, CLIENT_INPUT_MAX);
	buf_init(&client->out, CLIENT_OUTPUT_MAX);
	reply_init(&client->reply);
	client_expect(client, VERB_GREETING, 0);
	return client;
}

void
client_free(struct client **clientp)
{
	struct client *client = *clientp;

	*clientp = NULL;
	if (client == NULL)
		return;
	buf_free(&client->in);
	buf_free(&client->out);
	reply_free(&client->reply);
	mem_free(client->expects);
	mem_free(client->t.rcpts);
	mem_free(client);
}

void
client_expect(struct client *client, enum verb verb, size_t rcpt)
{
	if (client->head == client->tail)
		client->head = client->tail = 0;
	if (client->tail == client->cap) {
		size_t cap = client->cap == 0 ? 8 : 2 * client->cap;

		client->expects = mem_grow(client->expects,
		    client->cap * sizeof(*client->expects),
		    cap * sizeof(*client->expects));
		client->cap = cap;
	}
	client->expects[client->tail++] = (struct expect){verb, rcpt};
}

void
client_say(struct client *client, enum client_event event)
{
	assert(client->nevents <
	       sizeof(client->events) / sizeof(client->events[0]));
	client->events[client->nevents++] = event;
}

void
client_put(struct client *client, struct span bytes)
{
	if (buf_add(&client->out, bytes) < 0)
		client_fail_full(client);
}

void
client_fail_full(struct client *client)
{
	struct err err;

	(void)err_set(
	    &err, ERR_BUG, "4.3.0", "more output than the session holds");
	client_fail(client, &err);
}

/* Lost between READY and client_send(): the answer is the same. */
void
client_turn_down(struct client *client)
{
	struct err gone;

	(void)err_set(&gone, ERR_TEMP, "4.4.2", "the connection is not ready");
	client_fail(client, &gone);
	if (client->error.kind == ERR_NONE)
		client->error = gone;
	client_transaction_settle(client, &client->error);
	client->nevents = 0;
	client_say(client, CLIENT_DONE);
}

static bool
is_over(const struct client *client)
{
	return client->phase == PHASE_FAILED || client->phase == PHASE_CLOSED;
}

void
client_fail(struct client *client, const struct err *err)
{
	bool open = client->phase == PHASE_TRANSACTION;

	if (is_over(client))
		return;
	client->error = *err;
	client->phase = PHASE_FAILED;
	if (open) {
		client_transaction_settle(client, err);
		client_say(client, CLIENT_DONE);
	}
	client_say(client, CLIENT_FAILED);
}

void
client_fail_protocol(struct client *client, const char *where)
{
	char words[REPLY_WORDS_MAX];
	struct err err;

	reply_words(&client->reply, words);
	(void)err_set(&err, ERR_TEMP, "4.5.0", "protocol error, %s: %.160s",
	    where, words);
	client_fail(client, &err);
}

void
client_feed(struct client *client, struct span bytes)
{
	struct err err;

	if (is_over(client) || bytes.n == 0)
		return;
	/* RFC 3207 5: what comes behind 220 in the clear was injected. */
	if (client->phase == PHASE_STARTTLS && client->head == client->tail) {
		(void)err_set(&err, ERR_TEMP, "4.7.0",
		    "STARTTLS: the server sent more behind its reply");
		client_fail(client, &err);
		return;
	}
	buf_shift(&client->in, client->at);
	client->at = 0;
	if (buf_add(&client->in, bytes) == 0)
		return;
	(void)err_set(
	    &err, ERR_TEMP, "4.5.0", "protocol error, too many replies");
	client_fail(client, &err);
}

static void
say_hello(struct client *client, enum verb verb)
{
	const char *word = client->lmtp        ? "LHLO"
	                   : verb == VERB_HELO ? "HELO"
	                                       : "EHLO";

	client->offers = 0;
	client->size_limit = 0;
	client->limits = (struct client_limits){0};
	client_put(client, span_of(word));
	client_put(client, SPAN(" "));
	client_put(client, span_of(client->helo));
	client_put(client, SPAN("\r\n"));
	client->phase = PHASE_HELLO;
	client_expect(client, verb, 0);
}

static void
on_greeting(struct client *client)
{
	struct err err = reply_to_err(&client->reply, "greeting");

	/* RFC 5321 3.1: 220, or the server will not serve us. */
	if (client->reply.code == 220) {
		client_read_peer(client);
		say_hello(client, VERB_EHLO);
	} else if (err.kind != ERR_NONE) {
		client_fail(client, &err);
	} else {
		client_fail_protocol(client, "greeting");
	}
}

static void
on_hello(struct client *client, enum verb verb)
{
	const char *word = client->lmtp        ? "LHLO"
	                   : verb == VERB_HELO ? "HELO"
	                                       : "EHLO";
	struct err err = reply_to_err(&client->reply, word);

	/* RFC 5321 4.1.1.1: who does not know EHLO is asked with HELO. */
	if (err.kind == ERR_PERM && verb == VERB_EHLO && !client->lmtp) {
		say_hello(client, VERB_HELO);
		return;
	}
	if (err.kind != ERR_NONE) {
		client_fail(client, &err);
		return;
	}
	if (verb == VERB_EHLO)
		client_read_offers(client);
	if ((client->marks & MARK_TLS) != 0) {
		client->phase = PHASE_READY;
		client_say(client, CLIENT_READY);
	} else {
		client->phase = PHASE_GREETED;
		client_say(client, CLIENT_GREETED);
	}
}

void
client_starttls(struct client *client)
{
	if (client->phase != PHASE_GREETED)
		return;
	client_put(client, SPAN("STARTTLS\r\n"));
	client->phase = PHASE_STARTTLS;
	client_expect(client, VERB_STARTTLS, 0);
}

static void
on_starttls(struct client *client)
{
	struct err err = reply_to_err(&client->reply, "STARTTLS");

	if (client->reply.code == 220 && client->at < client->in.n) {
		/* RFC 3207 5: it would pass for something said under TLS. */
		(void)err_set(&err, ERR_TEMP, "4.7.0",
		    "STARTTLS: the server sent more behind its reply");
		client_fail(client, &err);
	} else if (client->reply.code == 220) {
		client_say(client, CLIENT_STARTTLS);
	} else if (err.kind != ERR_NONE) {
		/* RFC 3207 4: whether to go on is the owner's to say. */
		client->error = err;
		client->offers &= ~(unsigned)OFFER_STARTTLS;
		client->phase = PHASE_GREETED;
		client_say(client, CLIENT_GREETED);
	} else {
		client_fail_protocol(client, "STARTTLS");
	}
}

void
client_tls_done(struct client *client)
{
	if (client->phase != PHASE_STARTTLS || client->head != client->tail)
		return;
	client->marks |= MARK_TLS;
	say_hello(client, VERB_EHLO);
}

void
client_proceed(struct client *client)
{
	if (client->phase != PHASE_GREETED)
		return;
	client->error = (struct err){0};
	client->phase = PHASE_READY;
	client_say(client, CLIENT_READY);
}

static void
close_session(struct client *client)
{
	client->phase = PHASE_CLOSED;
	client_say(client, CLIENT_CLOSED);
}

void
client_quit(struct client *client)
{
	if (client->phase == PHASE_CLOSED || client->phase == PHASE_QUIT)
		return;
	if (client->phase != PHASE_READY && client->phase != PHASE_GREETED) {
		client->nevents = 0;
		close_session(client);
		return;
	}
	client_put(client, SPAN("QUIT\r\n"));
	client->phase = PHASE_QUIT;
	client_expect(client, VERB_QUIT, 0);
}

/* A reply nobody asked for, or one that cannot be meant. */
static void
on_unexpected(struct client *client)
{
	struct err err = reply_to_err(&client->reply, "unasked");

	if (client->phase == PHASE_TRANSACTION)
		client_transaction_unexpected(client);
	if (err.kind != ERR_NONE)
		client_fail(client, &err);
	else
		client_fail_protocol(client, "unexpected reply");
}

static void
dispatch(struct client *client, const struct expect *expect)
{
	switch (expect->verb) {
	case VERB_GREETING:
		on_greeting(client);
		return;
	case VERB_EHLO:
	case VERB_HELO:
		on_hello(client, expect->verb);
		return;
	case VERB_STARTTLS:
		on_starttls(client);
		return;
	case VERB_QUIT:
		close_session(client);
		return;
	case VERB_RSET:
	case VERB_MAIL:
	case VERB_RCPT:
	case VERB_DATA:
	case VERB_CHUNK:
	case VERB_END:
		client_transaction_reply(client, expect);
		return;
	}
}

static void
on_reply(struct client *client)
{
	struct expect expect;
	struct err err;

	if (client->head == client->tail) {
		on_unexpected(client);
		return;
	}
	expect = client->expects[client->head++];
	/* RFC 5321 3.8: 421 to whatever: the server is leaving. */
	if (client->reply.code == 421 && expect.verb != VERB_QUIT) {
		if (client->phase == PHASE_TRANSACTION)
			client_transaction_unexpected(client);
		err = reply_to_err(&client->reply, "closing");
		client_fail(client, &err);
		return;
	}
	if (client->reply.code / 100 == 3 && expect.verb != VERB_DATA &&
	    expect.verb != VERB_QUIT) {
		on_unexpected(client);
		return;
	}
	dispatch(client, &expect);
}

/* Read one reply, if one is there. */
static bool
take_reply(struct client *client)
{
	struct span in = span_from(buf_span(&client->in), client->at);
	struct err err;
	enum reply_take take;

	if (is_over(client) || in.n == 0)
		return false;
	take = reply_take(&client->reply, &in, &err);
	client->at = client->in.n - in.n;
	switch (take) {
	case REPLY_BROKEN:
		client_fail(client, &err);
		return true;
	case REPLY_WAIT:
		return false;
	case REPLY_WHOLE:
		on_reply(client);
		return true;
	}
	return false;
}

enum client_event
client_next(struct client *client)
{
	for (;;) {
		if (client->nevents > 0) {
			enum client_event event = client->events[0];

			client->nevents--;
			memmove(client->events, client->events + 1,
			    client->nevents * sizeof(event));
			return event;
		}
		if (client->phase == PHASE_FAILED)
			return CLIENT_FAILED;
		if (client->phase == PHASE_CLOSED)
			return CLIENT_CLOSED;
		if (take_reply(client))
			continue;
		client_pump(client);
		if (!client_transaction_over(client))
			break;
		client_transaction_finish(client);
	}
	return client_wants_body(client) ? CLIENT_BODY : CLIENT_IDLE;
}

void
client_broken(struct client *client, const struct err *why)
{
	/* What it said before it went still counts. */
	while (take_reply(client))
		;
	if (client->phase == PHASE_QUIT)
		close_session(client);
	else
		client_fail(client, why);
}
