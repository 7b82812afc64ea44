/*
 * The header of a message that a program hands in (RFC 6409 8): where it
 * ends, what is missing in it, who is named in it.  Pure; lines end in CRLF.
 *
 *   submit_split   text that is still coming: where is the header?
 *   submit_header  that header, completed
 *
 * A "From " line in front (mbox) is dropped.  What begins with a line that is
 * no header field is all body.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "mta/message/addresses.h"

/*
 * The header is the first `head` octets behind `skip`, the body begins at
 * `body`.  False: more is needed (never with `whole`: that is all there is).
 */
struct submit_parts {
	size_t skip;
	size_t head;
	size_t body;
};
bool submit_split(struct span text, bool whole, struct submit_parts *ret);

struct submit {
	const char *hostname; /* for addresses without a domain */
	const char *from;     /* the sender's address, for a missing From */
	const char *name;     /* and name in UTF-8, or "" */
	const char *id;       /* left side of a missing Message-ID */
	int64_t now;
	/* Recipients of To, Cc and Bcc, or of Resent-*; NULL: not asked. */
	address_found *found;
	void *arg;
};

/*
 * Append the header with Date, From and Message-ID and without Bcc and
 * Return-Path, then the blank line.  -1: a field has no addresses in it where
 * it should (found's error too), or `out` is full.
 */
int submit_header(struct span header, const struct submit *submit,
    struct buf *out, struct err *err);
