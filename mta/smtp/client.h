/*
 * The client side of SMTP and LMTP as bytes in, bytes out.  No socket, no
 * clock, no TLS: mta/deliver/ drives it, tests and the fuzzer too.
 *
 * The story of a connection:
 *
 *   client_new()     waits for the greeting, sends EHLO (HELO if refused)
 *   CLIENT_GREETED   client_offers() is known; say client_starttls() or
 *                    client_proceed().  A server that refuses STARTTLS
 *                    leads here again, without OFFER_STARTTLS and with
 *                    its words in client_error() until client_proceed()
 *   CLIENT_STARTTLS  the peer said 220: switch, then client_tls_done();
 *                    EHLO is sent again and CLIENT_READY follows
 *   CLIENT_READY     client_send() begins a transaction
 *   CLIENT_BODY      feed the message with client_body() while
 *                    client_output() is small
 *   CLIENT_DONE      every recipient has its client_result(); the next event
 *                    is CLIENT_READY again, or CLIENT_FAILED
 *   CLIENT_FAILED    client_error(); the connection is of no more use.  With
 *                    a transaction open CLIENT_DONE comes first and every
 *                    recipient without a reply carries that error.
 *   CLIENT_CLOSED    QUIT has been answered or given up
 *
 * Pipelining (RFC 2920): what was sent and what was answered are kept in a
 * FIFO of expectations, so a reply can only mean one thing.
 */
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

struct client;

enum client_event {
	CLIENT_IDLE = 0, /* feed me, or send what client_output() holds */
	CLIENT_GREETED,
	CLIENT_STARTTLS,
	CLIENT_READY,
	CLIENT_BODY,
	CLIENT_DONE,
	CLIENT_FAILED,
	CLIENT_CLOSED,
};

/* What EHLO listed, as bits. */
enum client_offer {
	OFFER_STARTTLS = 1,
	OFFER_PIPELINING = 2,
	OFFER_SIZE = 4,
	OFFER_8BITMIME = 8,
	OFFER_SMTPUTF8 = 16,
	OFFER_CHUNKING = 32,
	OFFER_DSN = 64,
	OFFER_ENHANCED = 128,
	OFFER_REQUIRETLS = 256,
	OFFER_LIMITS = 512,
};

/* What the wait is for: each has its own limit in RFC 5321 4.5.3.2. */
enum client_wait {
	CLIENT_WAIT_NONE = 0,
	CLIENT_WAIT_GREETING,
	CLIENT_WAIT_HELLO,
	CLIENT_WAIT_STARTTLS,
	CLIENT_WAIT_MAIL,
	CLIENT_WAIT_RCPT,
	CLIENT_WAIT_DATA,
	CLIENT_WAIT_BLOCK,
	CLIENT_WAIT_END, /* after the final dot */
	CLIENT_WAIT_QUIT,
};

struct client_setup {
	const char *helo; /* our name */
	bool lmtp;     /* RFC 2033: LHLO, a reply a recipient after the dot */
	bool chunking; /* use BDAT when CHUNKING and PIPELINING are offered */
};

/* Whom a refusal is for. */
enum client_about {
	ABOUT_ALL = 0, /* whoever it is for: MAIL, DATA, a lost connection */
	ABOUT_RCPT,    /* them who were in the transaction: RCPT, the end */
	ABOUT_COUNT,   /* RFC 5321 4.5.3.1.10: one too many in it */
};

/* One recipient's end.  err.kind ERR_NONE: the peer took responsibility. */
struct client_result {
	struct err err;  /* mapped from the reply in one function */
	char reply[512]; /* the peer's words, escaped, "" when none came */
	enum client_about about;
};

/* Copies what it needs of the setup. */
struct client *client_new(const struct client_setup *setup);
void client_free(struct client **client);

void client_feed(struct client *client, struct span bytes);
enum client_event client_next(struct client *client);
struct span client_output(const struct client *client);
void client_sent(struct client *client, size_t n);

unsigned client_offers(const struct client *client);
uint64_t client_size_limit(const struct client *client); /* 0: not said */

/* RFC 9422: what the last EHLO said; 0: not said, or not understood. */
struct client_limits {
	uint32_t mail_max;        /* MAIL commands a session */
	uint32_t rcpt_max;        /* RCPT commands a transaction */
	uint32_t rcpt_domain_max; /* recipient domains a session */
};
const struct client_limits *client_limits(const struct client *client);
/*
 * RFC 5321 4.2: by what name the server greeted; folded, of letters, digits and
 * ".-_:[]" alone.  "": it has not, or that is no name.
 */
const char *client_peer(const struct client *client);
enum client_wait client_waiting(const struct client *client);
const char *client_wait_name(enum client_wait wait);

void client_starttls(struct client *client);
void client_proceed(struct client *client);
void client_tls_done(struct client *client);

/*
 * Begin a transaction for envelope->rcpts[which[0..n-1]].  `size` is the
 * message's length in octets, `eight_bit` whether it holds any octet > 127; it
 * has to be right where the envelope says SMTPUTF8.
 * The envelope must live until CLIENT_DONE.  Only in CLIENT_READY; when the
 * connection was lost meanwhile CLIENT_DONE comes all the same, with its
 * error for all, and CLIENT_FAILED behind it.
 */
void client_send(struct client *client, const struct envelope *envelope,
    const uint16_t *which, size_t n, uint64_t size, bool eight_bit);
/*
 * More of the message (CRLF lines), at most CLIENT_BODY_MAX octets; `last`
 * with the final bytes.  Ignored when no body is wanted any more: the server
 * may have refused in the meantime.  A bare CR or LF, or a last line without
 * its CRLF, is never sent: 5.6.0 for all, then CLIENT_FAILED.
 */
#define CLIENT_BODY_MAX 262144u
void client_body(struct client *client, struct span bytes, bool last);
/* Result of which[i]; valid from CLIENT_DONE until the next client_send(). */
const struct client_result *client_result(
    const struct client *client, size_t i);

/* RFC 8689 2: MAIL says REQUIRETLS from here on, or no more. */
void client_say_requiretls(struct client *client, bool say);

void client_quit(struct client *client);
/* The connection is gone or a deadline passed: say why.  Leads to FAILED. */
void client_broken(struct client *client, const struct err *why);
const struct err *client_error(const struct client *client);
/* After FAILED: the end of the message was out and no final reply had come, so
 * the server may have taken it and the next attempt may make it two. */
bool client_in_doubt(const struct client *client);
