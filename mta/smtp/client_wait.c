/* What the client waits for, RFC 5321 4.5.3.2 gives each its own time; and
 * what else may be asked about it. */
#include "mta/smtp/client_private.h"

static enum client_wait
wait_for(const struct client *client, enum verb verb)
{
	switch (verb) {
	case VERB_GREETING:
		return CLIENT_WAIT_GREETING;
	case VERB_EHLO:
	case VERB_HELO:
		return CLIENT_WAIT_HELLO;
	case VERB_STARTTLS:
		return CLIENT_WAIT_STARTTLS;
	case VERB_RSET:
	case VERB_MAIL:
		return CLIENT_WAIT_MAIL;
	case VERB_RCPT:
		return CLIENT_WAIT_RCPT;
	case VERB_DATA:
		return CLIENT_WAIT_DATA;
	case VERB_CHUNK:
		return CLIENT_WAIT_BLOCK;
	case VERB_END:
		/* The server's time starts when it has all of it. */
		return client->out.n > 0 ? CLIENT_WAIT_BLOCK : CLIENT_WAIT_END;
	case VERB_QUIT:
		return CLIENT_WAIT_QUIT;
	}
	return CLIENT_WAIT_NONE;
}

enum client_wait
client_waiting(const struct client *client)
{
	if (client->phase == PHASE_FAILED || client->phase == PHASE_CLOSED)
		return CLIENT_WAIT_NONE;
	if (client->head < client->tail)
		return wait_for(client, client->expects[client->head].verb);
	if (client->phase == PHASE_TRANSACTION)
		return CLIENT_WAIT_BLOCK;
	return CLIENT_WAIT_NONE;
}

const char *
client_wait_name(enum client_wait wait)
{
	switch (wait) {
	case CLIENT_WAIT_NONE:
		return "nothing";
	case CLIENT_WAIT_GREETING:
		return "greeting";
	case CLIENT_WAIT_HELLO:
		return "ehlo";
	case CLIENT_WAIT_STARTTLS:
		return "starttls";
	case CLIENT_WAIT_MAIL:
		return "mail";
	case CLIENT_WAIT_RCPT:
		return "rcpt";
	case CLIENT_WAIT_DATA:
		return "data";
	case CLIENT_WAIT_BLOCK:
		return "body";
	case CLIENT_WAIT_END:
		return "end-of-data";
	case CLIENT_WAIT_QUIT:
		return "quit";
	}
	return "unknown";
}

struct span
client_output(const struct client *client)
{
	return buf_span(&client->out);
}

void
client_sent(struct client *client, size_t n)
{
	buf_shift(&client->out, n);
}

unsigned
client_offers(const struct client *client)
{
	return client->offers;
}

const struct client_limits *
client_limits(const struct client *client)
{
	return &client->limits;
}

const char *
client_peer(const struct client *client)
{
	return client->peer;
}

uint64_t
client_size_limit(const struct client *client)
{
	return client->size_limit;
}

const struct err *
client_error(const struct client *client)
{
	return &client->error;
}

bool
client_in_doubt(const struct client *client)
{
	return (client->marks & MARK_DOUBT) != 0;
}
