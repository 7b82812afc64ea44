/* What the replies mean for the recipients of a transaction. */
#include <string.h>

#include "base/text.h"
#include "mta/smtp/client_private.h"

static struct client_result
result_of(const struct client *client, const char *command)
{
	struct client_result result = {
	    .err = reply_to_err(&client->reply, command)};

	reply_words(&client->reply, result.reply);
	return result;
}

static bool
is_ok(const struct client *client)
{
	return client->reply.code / 100 == 2;
}

/* All recipients without a result of their own will have this one. */
static void
fail_rest(struct client *client, const char *command)
{
	if (client->t.failed.err.kind == ERR_NONE)
		client->t.failed = result_of(client, command);
}

static bool
is_alive(const struct transaction *t)
{
	return t->accepted > 0 && t->failed.err.kind == ERR_NONE;
}

/* Nothing was refused, and there are recipients of whom nothing was said. */
static bool
is_unheard(const struct transaction *t)
{
	return t->answered < t->n && t->failed.err.kind == ERR_NONE;
}

static void
on_rset(struct client *client)
{
	if (is_ok(client))
		client->marks &= ~(unsigned)MARK_DIRTY;
	else
		client_fail_protocol(client, "RSET");
}

static void
on_mail(struct client *client)
{
	if (is_ok(client)) {
		client->marks |= MARK_DIRTY;
		return;
	}
	/* RFC 1870 6.2: RSET before another message. */
	if (client->reply.code == 452 || client->reply.code == 552)
		client->marks |= MARK_DIRTY;
	fail_rest(client, "MAIL FROM");
	client->t.sending = SEND_NOTHING;
}

static void
settle(struct transaction *t, struct client_rcpt *rcpt,
    const struct client_result *result)
{
	if (rcpt->state == RCPT_ACCEPTED)
		t->accepted--;
	rcpt->state = RCPT_SETTLED;
	rcpt->result = *result;
}

/* RFC 5321 4.5.3.1.10: too many recipients, in the words of RFC 821 too. */
static bool
is_too_many(const struct client *client, const struct err *err)
{
	if (client->reply.code == 452)
		return strcmp(err->enhanced, "4.5.3") == 0 ||
		       strcmp(err->enhanced, "4.0.0") == 0;
	return client->reply.code == 552 &&
	       (strcmp(err->enhanced, "5.5.3") == 0 ||
		   strcmp(err->enhanced, "5.0.0") == 0);
}

static void
refuse_rcpt(struct client *client, struct client_rcpt *rcpt)
{
	struct transaction *t = &client->t;
	struct client_result result = result_of(client, "RCPT TO");
	bool too_many = is_too_many(client, &result.err);

	result.about = too_many ? ABOUT_COUNT : ABOUT_RCPT;
	if (too_many) {
		result.err.kind = ERR_TEMP;
		(void)text_copy(
		    result.err.enhanced, sizeof(result.err.enhanced), "4.5.3");
	}
	settle(t, rcpt, &result);
	/* The others need not be tried one by one. */
	if (too_many && t->sending == SEND_RCPT) {
		for (size_t i = t->next; i < t->n; i++)
			settle(t, &t->rcpts[i], &result);
		t->answered += t->n - t->next;
		t->next = t->n;
	}
}

static void
on_rcpt(struct client *client, struct client_rcpt *rcpt)
{
	struct transaction *t = &client->t;

	t->answered++;
	if (t->failed.err.kind != ERR_NONE)
		return;
	if (is_ok(client)) {
		rcpt->state = RCPT_ACCEPTED;
		t->accepted++;
	} else {
		refuse_rcpt(client, rcpt);
	}
	/* Nobody to send it to: say no more, but hear all replies. */
	if (t->answered == t->n && t->accepted == 0)
		t->sending = SEND_NOTHING;
}

static void
on_data(struct client *client)
{
	struct transaction *t = &client->t;
	bool go = client->reply.code == 354;
	bool alive = is_alive(t);

	/* RFC 2033 4.2: for nobody LMTP has to say 503; how many replies
	 * would come behind a dot, nobody can tell. */
	if (is_ok(client) || (go && !alive && client->lmtp)) {
		client_fail_protocol(client, "DATA");
	} else if (!go) {
		fail_rest(client, "DATA");
	} else if (alive) {
		t->sending = SEND_BODY;
	} else {
		/* RFC 2920 3.1: an empty message for nobody ends it. */
		client_put(client, SPAN(".\r\n"));
		client_expect(client, VERB_END, 0);
	}
}

static void
on_chunk(struct client *client)
{
	if (is_ok(client))
		return;
	fail_rest(client, "BDAT");
	client->t.sending = SEND_NOTHING;
	/* How often the last chunk is answered now, nobody can tell. */
	if (client->lmtp && (client->marks & MARK_END) != 0)
		client_fail(client, &client->t.failed.err);
}

static struct client_rcpt *
next_accepted(struct transaction *t)
{
	for (; t->ended < t->n; t->ended++)
		if (t->rcpts[t->ended].state == RCPT_ACCEPTED)
			return &t->rcpts[t->ended];
	return NULL;
}

static void
on_end(struct client *client)
{
	struct transaction *t = &client->t;
	struct client_result result = result_of(client, "end of data");
	struct client_rcpt *rcpt;

	result.about = ABOUT_RCPT;
	/* RFC 3030 4.2: behind a refused chunk stands RSET. */
	if (is_ok(client) || (client->marks & MARK_CHUNKING) == 0)
		client->marks &= ~(unsigned)MARK_DIRTY;
	if (!is_alive(t))
		return;
	while ((rcpt = next_accepted(t)) != NULL) {
		settle(t, rcpt, &result);
		if (client->lmtp)
			break;
	}
	/* RFC 2033 4.2: one reply for each accepted recipient. */
	if (t->accepted > 0)
		client_expect(client, VERB_END, 0);
}

void
client_transaction_reply(struct client *client, const struct expect *expect)
{
	switch (expect->verb) {
	case VERB_RSET:
		on_rset(client);
		return;
	case VERB_MAIL:
		on_mail(client);
		return;
	case VERB_RCPT:
		on_rcpt(client, &client->t.rcpts[expect->rcpt]);
		return;
	case VERB_DATA:
		on_data(client);
		return;
	case VERB_CHUNK:
		on_chunk(client);
		return;
	case VERB_END:
		on_end(client);
		return;
	case VERB_GREETING:
	case VERB_EHLO:
	case VERB_HELO:
	case VERB_STARTTLS:
	case VERB_QUIT:
		break;
	}
}

void
client_transaction_unexpected(struct client *client)
{
	fail_rest(client, "closing");
}

bool
client_transaction_over(const struct client *client)
{
	return client->phase == PHASE_TRANSACTION &&
	       client->t.sending == SEND_NOTHING &&
	       client->head == client->tail;
}

void
client_transaction_settle(struct client *client, const struct err *err)
{
	struct transaction *t = &client->t;
	struct client_result rest = t->failed;

	if (rest.err.kind == ERR_NONE)
		rest.err = *err;
	/* Its last octet being out, the server may have taken it, also where
	 * no reply to RCPT was seen (RFC 3030 4.2: BDAT behind it). */
	if ((is_alive(t) || is_unheard(t)) && (client->marks & MARK_END) != 0 &&
	    client->out.n == 0)
		client->marks |= MARK_DOUBT;
	for (size_t i = 0; i < t->n; i++)
		if (t->rcpts[i].state != RCPT_SETTLED)
			settle(t, &t->rcpts[i], &rest);
}

void
client_transaction_finish(struct client *client)
{
	struct err err;

	(void)err_set(&err, ERR_BUG, "4.3.0", "no reply was kept");
	client_transaction_settle(client, &err);
	client->phase = PHASE_READY;
	client_say(client, CLIENT_DONE);
	client_say(client, CLIENT_READY);
}

const struct client_result *
client_result(const struct client *client, size_t i)
{
	return &client->t.rcpts[i].result;
}
