/*
 * The DKIM-Signature field: what it claims, and whether it may (RFC 6376 3.5,
 * 6.1.1).  Input is what a stranger wrote.  Pure.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "reporting/dkim.h"
#include "reporting/dkim_crypto.h"

/* RFC 6376 3.5: "implementer to check the length of this and all other tags" */
#define DKIM_FIELD_MAX ((size_t)16 << 10)
/* Names in h=. */
#define DKIM_NAMES_MAX 256

struct dkim_signature {
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	/* In normal form (dnssec/name.h); "" when there is none to read. */
	char domain[DKIM_NAME_SIZE];   /* d= */
	char selector[DKIM_NAME_SIZE]; /* s= */
	char identity[DKIM_NAME_SIZE]; /* what stands behind the "@" of i= */
	struct span names;             /* h=, borrowed */
	unsigned char body_hash[DKIM_HASH_SIZE];
	unsigned char bytes[DKIM_SIGNATURE_SIZE]; /* b= */
	size_t nbytes;
	bool has_length; /* l= */
	uint64_t length; /* UINT64_MAX stands for more, too */
	uint64_t signed_at;
	struct span before_b, after_b; /* the field without b=, borrowed */
};

/*
 * `field` is the raw one, name and all.  DKIM_PASS: nothing speaks against it
 * so far.  With another verdict, domain and selector may be there all the
 * same.  A signature with x= has expired when `now` is not known (0).
 */
struct dkim_finding dkim_signature_read(
    struct span field, int64_t now, struct dkim_signature *ret);

/*
 * A domain or selector into its normal form: letters, digits, "-", "_", and
 * single dots between labels.
 */
bool dkim_name_read(struct span text, char ret[DKIM_NAME_SIZE]);
