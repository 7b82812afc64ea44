/*
 * A server as RFC 5321, 2033, 2920 and 3030 have it, told simply, which hears
 * a client and remembers what it heard and what it answered.  It asserts
 * whatever a client must not do; client_steps.c says what for.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define SERVER_RCPTS    4u
#define SERVER_COMMANDS 256u
#define SERVER_LINE     2048u

/* What it offers, as bits; the client has OFFER_ for the same. */
enum serves {
	SERVES_STARTTLS = 1,
	SERVES_PIPELINING = 2,
	SERVES_SIZE = 4,
	SERVES_8BITMIME = 8,
	SERVES_SMTPUTF8 = 16,
	SERVES_CHUNKING = 32,
	SERVES_DSN = 64,
};

enum heard {
	HEARD_NOTHING = 0,
	HEARD_CONNECT, /* the greeting is due */
	HEARD_HELLO,
	HEARD_STARTTLS,
	HEARD_MAIL,
	HEARD_RCPT,
	HEARD_DATA,
	HEARD_CHUNK,
	HEARD_END,
	HEARD_RSET,
	HEARD_QUIT,
};

struct command {
	enum heard heard;
	size_t rcpt;
};

enum hearing {
	HEARING_LINES = 0,
	HEARING_DATA,
	HEARING_CHUNK,
};

struct server {
	bool lmtp;
	unsigned serves;
	enum hearing hearing;
	struct command waiting[SERVER_COMMANDS]; /* a FIFO: [0, nwaiting) */
	size_t nwaiting;
	char line[SERVER_LINE];
	size_t nline;
	uint64_t chunk; /* octets still to come */
	bool last;      /* of the chunk */

	/* The transaction, as it was heard and answered. */
	bool mail; /* accepted, and not ended */
	size_t nrcpts;
	unsigned rcpt_code[SERVER_RCPTS]; /* 0: not answered */
	unsigned end_code[SERVER_RCPTS];
	bool fair;  /* MAIL, DATA and chunks were all answered well */
	bool whole; /* the end was heard */
	struct buf body;
};

void server_init(struct server *server, bool lmtp);
void server_free(struct server *server);
/* The client begins a transaction. */
void server_begin(struct server *server);
void server_hear(struct server *server, struct span bytes);
/* What waits for its reply. */
enum heard server_due(const struct server *server);
/* The first that waits has this reply. */
void server_answered(struct server *server, unsigned code);
