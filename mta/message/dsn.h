/*
 * Delivery status notifications: bounces (RFC 3464, RFC 3461 6, RFC 6522).
 *
 * Who may get one, what of the message is returned, and the message itself:
 * words for people, fields for programs, and the original or its header.
 * Pure: time, names and the boundary are arguments.  The caller sends what
 * dsn_build() wrote from <> to the envelope's sender, with the parameters of
 * struct dsn_needs and, when the original had it, REQUIRETLS (RFC 8689 5).
 *
 * Replies of servers, HELO names and headers are strangers' text: control
 * characters, line ends and overlong lines do not get through.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

/* RFC 3464 2.3.3 */
enum dsn_action {
	DSN_FAILED = 0,
	DSN_DELAYED,
	DSN_RELAYED,   /* handed to a server that sends no notifications */
	DSN_EXPANDED,  /* an alias that stands for several */
	DSN_DELIVERED, /* in the mailbox */
};

struct dsn_rcpt {
	const struct envelope_rcpt *rcpt;
	enum dsn_action action;
	const char *status; /* "5.1.1"; other text becomes X.0.0 */
	/* Host name of the server that was talked to; "": none was. */
	const char *remote_mta;
	/* Its reply as it came, lines kept; without remote_mta our words. */
	struct span diagnostic;
	int64_t last_attempt; /* 0: unknown */
	int64_t retry_until;  /* DSN_DELAYED only; 0: unknown */
};

struct dsn {
	const struct envelope *envelope; /* of the original */
	const char *hostname;            /* ours */
	const char *id;       /* unique: "<id@hostname>" is the Message-ID */
	const char *queue_id; /* of the original, "" for none */
	const char *boundary; /* at most 60 letters and digits, random */
	int64_t now;
	const struct dsn_rcpt *rcpts; /* only those who are to be named */
	size_t nrcpts;
	struct span original; /* the message, or its header; CRLF */
	bool whole;           /* which of them */
};

/* What the envelope of the notification must say. */
struct dsn_needs {
	bool eight_bit; /* BODY=8BITMIME */
	bool smtputf8;
};

/* RFC 5321 6.1: nothing is sent about a message from <>. */
bool dsn_allowed(const struct envelope *envelope);

/* Does NOTIFY (0: not given) ask for, or allow, a notification of this? */
bool dsn_wanted(uint8_t notify, enum dsn_action action);

/* Beyond this a message is returned whole only when RET=FULL asked for it, */
#define DSN_WHOLE_DEFAULT 50000u
/* and beyond this never. */
#define DSN_WHOLE_MAX (1u << 20)

/* RFC 3461 6.2: whole or only its header?  `size` is the message's. */
bool dsn_returns_whole(
    const struct envelope *envelope, bool failed, uint64_t size);

/* What a bounce of this message asks of its own way. */
enum tls_wish dsn_wish(const struct envelope *envelope);

/* The header, up to and with its last CRLF, at most `most` bytes of it. */
struct span dsn_header(struct span message, size_t most);

/*
 * Append the notification.  -1 (ERR_BUG) when it does not fit out's limit:
 * twice the original, 32 KiB and 32 KiB more for each recipient are always
 * enough.
 */
int dsn_build(const struct dsn *dsn, struct buf *out,
    struct dsn_needs *ret_needs, struct err *err);

const char *dsn_action_name(enum dsn_action action);
