/* What the client puts out: commands as far as allowed, then the message. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/smtp/client_private.h"
#include "mta/smtp/grammar.h"

static void
refuse_all(struct transaction *t, const char *enhanced, const char *why)
{
	(void)err_set(&t->failed.err, ERR_PERM, enhanced, "%s", why);
	t->sending = SEND_NOTHING;
}

/* No byte of this may end a command, or a parameter. */
static bool
is_clean(const char *s, bool blanks)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f ||
		    (*s == ' ' && !blanks))
			return false;
	return true;
}

static bool
is_sendable(const struct transaction *t)
{
	if (!is_clean(t->envelope->sender, true) ||
	    !is_clean(t->envelope->envid, false))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (!is_clean(t->rcpts[i].to->address, true) ||
		    !is_clean(t->rcpts[i].to->orcpt, false))
			return false;
	return true;
}

/*
 * RFC 6531 3.4: what is ASCII through and through needs no SMTPUTF8, though it
 * came with it.  RFC 6533 3: an ORCPT in UTF-8 does.
 */
static bool
needs_utf8(const struct transaction *t)
{
	if (!text_is_ascii(span_of(t->envelope->sender)) ||
	    (t->envelope->smtputf8 && t->eight_bit))
		return true;
	for (size_t i = 0; i < t->n; i++)
		if (!text_is_ascii(span_of(t->rcpts[i].to->address)) ||
		    !text_is_ascii(span_of(t->rcpts[i].to->orcpt)))
			return true;
	return false;
}

/* What the server cannot take is not sent at all. */
static void
check(const struct client *client, struct transaction *t)
{
	t->utf8 = needs_utf8(t);
	if (!is_sendable(t))
		refuse_all(t, "5.1.0", "an address holds control characters");
	/* RFC 6531 3.2 */
	else if (t->utf8 && (client->offers & OFFER_SMTPUTF8) == 0)
		refuse_all(t, "5.6.7",
		    "the message needs SMTPUTF8, the server has it not");
	/* RFC 6152 3: we do not convert. */
	else if (t->eight_bit && t->envelope->body == BODY_8BITMIME &&
		 (client->offers & OFFER_8BITMIME) == 0)
		refuse_all(t, "5.6.3",
		    "the message needs 8BITMIME, the server has it not");
	/* RFC 1870 6.1 */
	else if (client->size_limit > 0 && t->size > client->size_limit)
		refuse_all(
		    t, "5.3.4", "the message is bigger than the server allows");
}

static bool
is_pipelining(const struct client *client)
{
	return (client->offers & OFFER_PIPELINING) != 0;
}

static void
open_transaction(struct client *client, const struct envelope *envelope,
    const uint16_t *which, size_t n)
{
	struct transaction *t = &client->t;

	mem_free(t->rcpts);
	*t = (struct transaction){
	    .envelope = envelope,
	    .rcpts = mem_array(n + 1, sizeof(*t->rcpts)),
	    .n = n,
	};
	for (size_t i = 0; i < n; i++)
		t->rcpts[i].to = &envelope->rcpts[which[i]];
	client->marks &= MARK_TLS | MARK_DIRTY | MARK_REQUIRETLS;
	/* Without pipelining each chunk would wait for its reply. */
	if (client->chunking && is_pipelining(client) &&
	    (client->offers & OFFER_CHUNKING) != 0)
		client->marks |= MARK_CHUNKING;
}

void
client_say_requiretls(struct client *client, bool say)
{
	if (say)
		client->marks |= MARK_REQUIRETLS;
	else
		client->marks &= ~(unsigned)MARK_REQUIRETLS;
}

void
client_send(struct client *client, const struct envelope *envelope,
    const uint16_t *which, size_t n, uint64_t size, bool eight_bit)
{
	struct transaction *t = &client->t;

	open_transaction(client, envelope, which, n);
	if (client->phase != PHASE_READY) {
		client_turn_down(client);
		return;
	}
	client->phase = PHASE_TRANSACTION;
	t->size = size;
	t->eight_bit = eight_bit;
	t->sending = SEND_MAIL;
	if ((client->marks & MARK_DIRTY) != 0)
		t->sending = SEND_RSET;
	if (n == 0)
		t->sending = SEND_NOTHING;
	else
		check(client, t);
}

/* True when the buffer took it all. */
static bool
put_mail(struct client *client)
{
	const struct envelope *e = client->t.envelope;
	struct buf *out = &client->out;
	bool dsn = (client->offers & OFFER_DSN) != 0;
	char sender[ENVELOPE_ADDRESS_MAX + 1];
	int bad = buf_printf(
	    out, "MAIL FROM:<%s>", grammar_least_quoted(e->sender, sender));

	/* RFC 1870 6.1 */
	if ((client->offers & OFFER_SIZE) != 0)
		bad |= buf_printf(
		    out, " SIZE=%llu", (unsigned long long)client->t.size);
	/* RFC 6152 2; RFC 5321 2.4: for MIME alone, which only who wrote it
	 * knows it to be.  RFC 6531 3.6: what SMTPUTF8 lets in is, too. */
	if ((client->offers & OFFER_8BITMIME) != 0 &&
	    (e->body == BODY_8BITMIME ||
		(client->t.utf8 && client->t.eight_bit)))
		bad |= buf_add_str(out, " BODY=8BITMIME");
	if (client->t.utf8)
		bad |= buf_add_str(out, " SMTPUTF8");
	/* RFC 8689 4.2.1: whether it may go here at all is policy's. */
	if ((client->marks & MARK_REQUIRETLS) != 0 &&
	    (client->offers & OFFER_REQUIRETLS) != 0)
		bad |= buf_add_str(out, " REQUIRETLS");
	/* RFC 3461 5.2.1: passed on as received. */
	if (dsn && e->ret != RET_DEFAULT)
		bad |= buf_add_str(
		    out, e->ret == RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (dsn && e->envid[0] != '\0')
		bad |= buf_printf(out, " ENVID=%s", e->envid);
	return (bad | buf_add_str(out, "\r\n")) == 0;
}

static int
put_notify(struct buf *out, unsigned notify)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
	    {"NEVER", NOTIFY_NEVER},
	    {"SUCCESS", NOTIFY_SUCCESS},
	    {"FAILURE", NOTIFY_FAILURE},
	    {"DELAY", NOTIFY_DELAY},
	};
	const char *before = " NOTIFY=";
	int bad = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		bad |= buf_printf(out, "%s%s", before, words[i].word);
		before = ",";
	}
	return bad;
}

static bool
put_rcpt(struct client *client, const struct envelope_rcpt *rcpt)
{
	struct buf *out = &client->out;
	char address[ENVELOPE_ADDRESS_MAX + 1];
	int bad = buf_printf(
	    out, "RCPT TO:<%s>", grammar_least_quoted(rcpt->address, address));

	if ((client->offers & OFFER_DSN) != 0) {
		bad |= put_notify(out, rcpt->notify);
		if (rcpt->orcpt[0] != '\0')
			bad |= buf_printf(out, " ORCPT=%s", rcpt->orcpt);
	}
	return (bad | buf_add_str(out, "\r\n")) == 0;
}

/* All RCPT are out.  True when something moved. */
static bool
begin_message(struct client *client)
{
	struct transaction *t = &client->t;
	bool answered = client->head == client->tail;

	if ((client->marks & MARK_CHUNKING) == 0) {
		client_put(client, SPAN("DATA\r\n"));
		client_expect(client, VERB_DATA, 0);
		t->sending = SEND_NOTHING;
		return true;
	}
	/* RFC 3030 4.2: chunks may go out with the envelope.  Not the big
	 * ones: nobody may want them; nor to LMTP, which answers the last
	 * one as often as it accepted recipients. */
	if (!answered && (client->lmtp || t->size > CLIENT_EAGER_MAX))
		return false;
	t->sending = SEND_BODY;
	return true;
}

/* Put out the next command.  True when something moved. */
static bool
pump_one(struct client *client)
{
	struct transaction *t = &client->t;
	bool room = true;

	switch (t->sending) {
	case SEND_NOTHING:
	case SEND_BODY:
		return false;
	case SEND_RSET:
		client_put(client, SPAN("RSET\r\n"));
		client_expect(client, VERB_RSET, 0);
		t->sending = SEND_MAIL;
		break;
	case SEND_MAIL:
		/* Not behind a RSET that may be refused: what the server took
		 * behind it would be sent once more. */
		if ((client->marks & MARK_DIRTY) != 0)
			return false;
		room = put_mail(client);
		client_expect(client, VERB_MAIL, 0);
		t->sending = SEND_RCPT;
		break;
	case SEND_RCPT:
		if (t->next < t->n) {
			room = put_rcpt(client, t->rcpts[t->next].to);
			client_expect(client, VERB_RCPT, t->next++);
		}
		if (t->next == t->n)
			t->sending = SEND_DATA;
		break;
	case SEND_DATA:
		return begin_message(client);
	}
	if (!room)
		client_fail_full(client);
	return true;
}

void
client_pump(struct client *client)
{
	while (client->phase == PHASE_TRANSACTION &&
	       client->out.n < CLIENT_OUTPUT_LOW &&
	       /* RFC 2920 3.1: else each command waits for its reply. */
	       (is_pipelining(client) || client->head == client->tail) &&
	       pump_one(client))
		;
}

bool
client_wants_body(const struct client *client)
{
	if (client->phase != PHASE_TRANSACTION ||
	    client->t.sending != SEND_BODY ||
	    client->out.n >= CLIENT_OUTPUT_LOW)
		return false;
	return (client->marks & MARK_CHUNKING) == 0 || is_pipelining(client) ||
	       client->head == client->tail;
}

/* RFC 5321 4.5.2: a dot in front of each line that begins with one. */
static void
put_stuffed(struct client *client, struct span bytes, bool line_start)
{
	size_t at = 0;

	if (line_start && bytes.n > 0 && bytes.p[0] == '.')
		client_put(client, SPAN("."));
	while (at < bytes.n) {
		const char *lf = memchr(bytes.p + at, '\n', bytes.n - at);

		at = lf == NULL ? bytes.n : (size_t)(lf - bytes.p) + 1;
		if (at == bytes.n || bytes.p[at] != '.')
			continue;
		client_put(client, span_first(bytes, at));
		client_put(client, SPAN("."));
		bytes = span_from(bytes, at);
		at = 0;
	}
	client_put(client, bytes);
}

/* `held`: a CR that waited for its LF, so that no chunk ends between them. */
static void
put_chunk(struct client *client, bool held, struct span bytes, bool last)
{
	char command[48];
	size_t octets = bytes.n + (held ? 1 : 0);
	int n = snprintf(command, sizeof(command), "BDAT %zu%s\r\n%s", octets,
	    last ? " LAST" : "", held ? "\r" : "");

	if (octets == 0 && !last)
		return;
	client_put(client, (struct span){command, (size_t)n});
	client_put(client, bytes);
	client_expect(client, last ? VERB_END : VERB_CHUNK, 0);
}

/* RFC 5321 2.3.8, 4.1.1.4: a bare CR or LF, or a last line without an end,
 * would change what the next server reads; such a message stays here. */
static bool
is_sound(struct client *client, struct span bytes, bool last)
{
	struct scan *scan = &client->t.scan;

	scan_bytes(scan, bytes);
	return scan->fault == SCAN_CLEAN && !(last && scan->middle);
}

void
client_body(struct client *client, struct span bytes, bool last)
{
	struct transaction *t = &client->t;
	bool line_start = !t->scan.middle;
	bool held = t->scan.cr;

	if (client->phase != PHASE_TRANSACTION || t->sending != SEND_BODY ||
	    (bytes.n == 0 && !last))
		return;
	if (!is_sound(client, bytes, last)) {
		refuse_all(t, "5.6.0",
		    "the message has lines that do not end in CRLF");
		client_fail(client, &t->failed.err);
		return;
	}
	if ((client->marks & MARK_CHUNKING) != 0) {
		put_chunk(client, held,
		    span_first(bytes, bytes.n - (t->scan.cr ? 1 : 0)), last);
	} else {
		put_stuffed(client, bytes, line_start);
		if (last) {
			client_put(client, SPAN(".\r\n"));
			client_expect(client, VERB_END, 0);
		}
	}
	if (last) {
		client->marks |= MARK_END;
		t->sending = SEND_NOTHING;
	}
}
