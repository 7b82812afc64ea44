/* What the files of the client session share; nobody else includes this. */
#pragma once
#include "base/buf.h"
#include "mta/smtp/client.h"
#include "mta/smtp/reply.h"
#include "mta/smtp/scan.h"

#define CLIENT_INPUT_MAX ((size_t)2 * REPLY_MAX)
/* Commands and body are queued while less than this waits to be sent. */
#define CLIENT_OUTPUT_LOW 65536u
/* A body of CLIENT_BODY_MAX octets, each of which may get its dot. */
#define CLIENT_OUTPUT_MAX ((size_t)2 * (CLIENT_BODY_MAX + CLIENT_OUTPUT_LOW))
/* By BDAT a message up to this size is sent before RCPT is answered. */
#define CLIENT_EAGER_MAX 65536u

enum phase {
	PHASE_HELLO = 0, /* up to the reply to EHLO */
	PHASE_GREETED,   /* the owner chooses */
	PHASE_STARTTLS,  /* up to client_tls_done() */
	PHASE_READY,
	PHASE_TRANSACTION,
	PHASE_QUIT,
	PHASE_FAILED,
	PHASE_CLOSED,
};

/* Whom a reply is for. */
enum verb {
	VERB_GREETING = 0,
	VERB_EHLO,
	VERB_HELO,
	VERB_STARTTLS,
	VERB_RSET,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_CHUNK, /* BDAT, not the last */
	VERB_END,   /* the final dot, or BDAT LAST */
	VERB_QUIT,
};

struct expect {
	enum verb verb;
	size_t rcpt; /* of VERB_RCPT: its place in the transaction */
};

/* What goes out next.  Nothing here knows what came in. */
enum sending {
	SEND_NOTHING = 0,
	SEND_RSET,
	SEND_MAIL,
	SEND_RCPT,
	SEND_DATA,
	SEND_BODY,
};

enum rcpt_state {
	RCPT_OPEN = 0,
	RCPT_ACCEPTED,
	RCPT_SETTLED, /* its result is known */
};

struct client_rcpt {
	const struct envelope_rcpt *to;
	enum rcpt_state state;
	struct client_result result;
};

struct transaction {
	const struct envelope *envelope;
	struct client_rcpt *rcpts;
	size_t n;
	size_t next;     /* the next RCPT to send */
	size_t answered; /* replies to RCPT */
	size_t ended;    /* LMTP: where to look for the next end */
	size_t accepted; /* in RCPT_ACCEPTED */
	uint64_t size;
	bool eight_bit;
	bool utf8;
	enum sending sending;
	struct scan scan;
	struct client_result failed; /* of all without their own */
};

/* What a connection has come to, as bits of client->marks. */
enum mark {
	MARK_TLS = 1,
	MARK_DIRTY = 2,     /* RSET before the next MAIL */
	MARK_END = 4,       /* the end of the message was put out */
	MARK_DOUBT = 8,     /* and the connection was lost behind it */
	MARK_CHUNKING = 16, /* this transaction uses BDAT */
	MARK_REQUIRETLS = 32,
};

struct client {
	char helo[256];
	bool lmtp;
	bool chunking;
	unsigned marks;
	enum phase phase;

	struct buf in;
	size_t at; /* octets of `in` already taken */
	struct buf out;
	struct reply reply;

	struct expect *expects; /* a FIFO: [head, tail) */
	size_t head, tail, cap;
	enum client_event events[4]; /* to be said, in order */
	size_t nevents;

	char peer[256]; /* see client_peer() */
	unsigned offers;
	uint64_t size_limit;
	struct client_limits limits;
	struct transaction t;
	struct err error;
};

/* client.c */
void client_expect(struct client *client, enum verb verb, size_t rcpt);
void client_say(struct client *client, enum client_event event);
void client_put(struct client *client, struct span bytes);
void client_fail(struct client *client, const struct err *err);
/* The owner fed more than CLIENT_BODY_MAX, or without asking. */
void client_fail_full(struct client *client);
/* A transaction that cannot be: DONE for all, then FAILED or CLOSED. */
void client_turn_down(struct client *client);
/* The server did what no server may: temporary, 4.5.0. */
void client_fail_protocol(struct client *client, const char *where);

/* client_transaction.c */
bool client_transaction_over(const struct client *client);
void client_transaction_finish(struct client *client);
void client_transaction_reply(
    struct client *client, const struct expect *expect);
void client_transaction_unexpected(struct client *client);
void client_transaction_settle(struct client *client, const struct err *err);

/* client_send.c: queue what may be queued */
void client_pump(struct client *client);
bool client_wants_body(const struct client *client);

/* client_offers.c: the greeting, and the reply to EHLO */
void client_read_peer(struct client *client);
void client_read_offers(struct client *client);
