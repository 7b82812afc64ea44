/*
 * Text of a Unix program as lines of mail (RFC 5321 2.3.8): LF and CRLF end a
 * line and come out as CRLF; a CR that ends none becomes a blank, so that
 * nobody behind us can take it for an end.  Pure; pieces of any size.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum lines_place {
	LINES_START = 0, /* of a line */
	LINES_DOT,       /* behind a dot at its start */
	LINES_INSIDE,
	LINES_ENDED, /* by a line with nothing but a dot */
};

struct lines {
	bool dot_ends;  /* a line with nothing but a dot ends the message */
	bool eight_bit; /* out: an octet above 127 was seen */
	bool cr;        /* the last octet was CR */
	enum lines_place place;
};

/* Appends; -1 when over out's limit (twice the input and 4 suffice). */
int lines_feed(struct lines *lines, struct span in, struct buf *out)
    __attribute__((warn_unused_result));
/* No more input: ends the last line. */
int lines_finish(struct lines *lines, struct buf *out)
    __attribute__((warn_unused_result));
