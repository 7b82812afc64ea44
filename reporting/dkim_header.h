/*
 * The header of a message: collected from pieces, split into fields, and
 * hashed as a signature says (RFC 6376 3.7).
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "reporting/dkim.h"

/* What has more is not verified: no message of people comes near. */
#define DKIM_HEADER_MAX ((size_t)256 << 10)
#define DKIM_FIELDS_MAX 2000

struct dkim_field {
	struct span name; /* empty: none that a field can have */
	struct span raw;  /* with its folds, without its last CRLF */
};

/* Fields are borrowed from bytes, which stay as they are once complete. */
struct dkim_header {
	struct buf bytes;
	bool complete;
	struct dkim_field *fields;
	size_t nfields;
};

void dkim_header_init(struct dkim_header *header);
void dkim_header_free(struct dkim_header *header);

/*
 * Take what is header from the front of *piece.  The empty line behind it is
 * taken, too; header->complete then says so, and the rest is body.  -1 when
 * it is too long or has too many fields.
 */
int dkim_header_feed(struct dkim_header *header, struct span *piece);
/* The message has ended: what is there is the header. */
int dkim_header_end(struct dkim_header *header);

/* How often there is a field of this name; RFC 5322 1.2.2: of any case. */
size_t dkim_header_count(const struct dkim_header *header, struct span name);

/* No field of the header is the signature in question. */
#define DKIM_NO_FIELD ((size_t)-1)

/* What is signed. */
struct dkim_cover {
	enum dkim_canon canon;
	struct span names; /* h= */
	size_t own;        /* the field that is the signature */
	struct span field; /* the same, with an empty b= */
};

/* RFC 6376 3.7, hash step 2.  -1: OpenSSL refused. */
int dkim_header_hash(const struct dkim_header *header,
    const struct dkim_cover *cover, unsigned char ret[DKIM_HASH_SIZE]);

/* Is there such a field, and is each of that name signed? */
bool dkim_header_covers(const struct dkim_header *header,
    const struct dkim_cover *cover, struct span name);
