/*
 * The form in which a message is hashed (RFC 6376 3.4).  Nothing here changes
 * the message; what comes out is for a hash alone.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "reporting/dkim.h"

/*
 * RFC 6376 3.4.1, 3.4.2: one header field, as it stands in the message with
 * its folds but without its last CRLF; that is not put, either.  -1 when over
 * the buffer's limit; never more octets come out than went in.
 */
int dkim_canon_field(enum dkim_canon canon, struct span field, struct buf *out)
    __attribute__((warn_unused_result));

typedef void dkim_sink(struct span bytes, void *arg);

/* A body on its way, in pieces of any size. */
struct dkim_body {
	enum dkim_canon canon;
	dkim_sink *sink; /* gets the canonical form, in pieces */
	void *arg;
	uint64_t ends; /* of lines, held back: they may be the last */
	bool cr;       /* held back: it may begin one */
	bool blank;    /* held back: it may stand at the end of a line */
	bool any;      /* something has been put that is no end of a line */
	size_t n;
	char bytes[512];
};

/* RFC 6376 3.4.3, 3.4.4 */
void dkim_body_init(
    struct dkim_body *body, enum dkim_canon canon, dkim_sink *sink, void *arg);
void dkim_body_feed(struct dkim_body *body, struct span bytes);
void dkim_body_end(struct dkim_body *body);
