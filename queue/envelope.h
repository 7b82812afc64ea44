/*
 * The envelope: everything about a message that is not the message.
 *
 * The server session fills one in, the spool stores it in front of the
 * message, the client session sends from it.  Strings are NUL-terminated and
 * belong to an arena; "" (never NULL) where a value was not given.
 * Addresses are without angle brackets, local part as received, domain folded
 * to lower case.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* RFC 5321 4.5.3.1.3: a path has at most 256 octets with its brackets. */
#define ENVELOPE_ADDRESS_MAX 254
#define ENVELOPE_RCPTS_MAX   65535u
#define ENVELOPE_BYTES_MAX   (16u << 20)

/* RFC 3461 4.1 NOTIFY; 0 means the parameter was not given. */
enum notify {
	NOTIFY_DEFAULT = 0,
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
	/* Not of the parameter: an alias that stood for several, who stand
	 * beside it.  It is only to be told of (RFC 3461 5.2.7.3). */
	NOTIFY_EXPANDED = 16,
};
#define NOTIFY_ALL 31u

/* RFC 3461 4.3 RET */
enum ret {
	RET_DEFAULT = 0,
	RET_FULL,
	RET_HDRS,
};

/* RFC 6152 BODY */
enum body_type {
	BODY_DEFAULT = 0,
	BODY_7BIT,
	BODY_8BITMIME,
};

/* What is asked of the way to come (RFC 8689 4.1, RFC 8460 3). */
enum tls_wish {
	TLS_WISH_NONE = 0,
	TLS_WISH_REQUIRED, /* MAIL FROM:<...> REQUIRETLS */
	TLS_WISH_WAIVED,   /* a header with "TLS-Required: No" */
	TLS_WISH_REPORT,   /* a TLS-RPT report of ours: go, and count nothing */
};

struct envelope_rcpt {
	const char *address;
	const char *orcpt; /* RFC 3461 4.2, as received: "rfc822;a+40b" */
	uint8_t notify;    /* NOTIFY_* together */
};

struct envelope {
	const char *sender;  /* "" is the null reverse-path <> */
	const char *envid;   /* RFC 3461 4.4, xtext as received */
	const char *helo;    /* what the client called itself */
	const char *client;  /* its address: "192.0.2.1", "2001:db8::1" */
	const char *session; /* the session id of the log */
	enum ret ret;
	enum body_type body;
	enum tls_wish tls_wish;
	bool smtputf8;   /* RFC 6531: the parameter was given */
	bool tls;        /* it came in encrypted */
	bool internal;   /* made by Danelaw itself: bounces, reports */
	bool held;       /* it waits for the operator from the start */
	int64_t arrived; /* wall time, seconds */
	struct envelope_rcpt *rcpts;
	size_t nrcpts;
};

/* How many bytes envelope_encode() appends. */
size_t envelope_size(const struct envelope *envelope);

/* Append the envelope's bytes; -1 when over the buffer's limit. */
int envelope_encode(const struct envelope *envelope, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Read it back.  Everything is copied into the arena.  -1 (ERR_BUG) when the
 * bytes are not an envelope or the arena's limit is reached.
 */
int envelope_decode(struct span bytes, struct arena *arena,
    struct envelope *ret_envelope, struct err *err);

/* The part after the last "@", or "" for addresses without one. */
const char *address_domain(const char *address);
