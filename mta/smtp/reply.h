/*
 * Replies of a server (RFC 5321 4.2), read line by line.
 *
 * Lines of one reply carry one code; a line has at most REPLY_LINE_MAX
 * octets and a reply REPLY_MAX.  A line may end with a bare LF: some servers
 * still do that, and a reply carries no bytes of anybody but the server.
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Four times what RFC 5321 4.5.3.1.5 allows. */
#define REPLY_LINE_MAX  2048u
#define REPLY_MAX       65536u
#define REPLY_WORDS_MAX 512u

struct reply {
	unsigned code;
	struct buf text; /* the lines without their codes, '\n' between */
	size_t octets;
	bool more; /* the next line belongs to it too */
};

void reply_init(struct reply *reply);
void reply_free(struct reply *reply);

enum reply_take {
	REPLY_BROKEN = 0, /* not SMTP; *err says why */
	REPLY_WAIT,       /* not all there */
	REPLY_WHOLE,
};

/* Take lines from the front of *in until one reply is whole. */
enum reply_take reply_take(
    struct reply *reply, struct span *in, struct err *err);

/* Its words as one printable line: "550 5.1.1 No such user". */
void reply_words(const struct reply *reply, char to[REPLY_WORDS_MAX]);

/*
 * What the reply to `command` means.  The one place where 4yz becomes "try
 * again" and 5yz "bounce".  2yz and 354: kind ERR_NONE.  The status is that
 * of the reply when it is well-formed and of its class, else X.0.0.
 */
struct err reply_to_err(const struct reply *reply, const char *command);
