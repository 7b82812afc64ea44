/*
 * Signatures for a message that we send (RFC 6376 5), one for each key.
 *
 *     s = dkim_signer_new(&setup, &err);
 *     dkim_signer_feed(s, piece, &err);          as often as there are pieces
 *     dkim_signer_end(s, &fields, &err);
 *
 * What comes out are header fields with their CRLFs, to stand in front of the
 * very same message.  Its lines end with CRLF; one that has a bare CR or LF
 * would be another message after its way, and is refused (RFC 6376 5.3).
 *
 * l= is never used: it would let anybody append to the body (RFC 8460 3).
 */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "reporting/dkim.h"
#include "reporting/dkim_crypto.h"

#define DKIM_SIGN_KEYS_MAX 4

/* RFC 5322 2.1.1: of a line; more only where one name alone is longer. */
#define DKIM_LINE_MAX 78

struct dkim_sign_key {
	const struct dkim_key *key;
	const char *selector;
};

/* Lent until the signer is freed. */
struct dkim_sign_setup {
	const char *domain; /* d= */
	/* RFC 8463 6: keys of two types have two selectors. */
	const struct dkim_sign_key *keys;
	size_t nkeys;
	enum dkim_canon header, body; /* zero: relaxed */
	/*
	 * Names of fields, NULL-terminated, or NULL.  Each field of these
	 * names is signed; of the second list also that there are no more.
	 * From is always in the second (RFC 6376 5.4).
	 */
	const char *const *fields;
	const char *const *oversigned;
	int64_t now;       /* t= */
	uint32_t lifetime; /* seconds from t= to x=; 0: no x= */
};

struct dkim_signer;

/* -1 (ERR_PERM): a name or a field that cannot be, and which. */
int dkim_signer_new(const struct dkim_sign_setup *setup,
    struct dkim_signer **ret, struct err *err);
void dkim_signer_free(struct dkim_signer **signer);

/* -1 (ERR_PERM): the message cannot be signed, whatever comes behind. */
int dkim_signer_feed(
    struct dkim_signer *signer, struct span piece, struct err *err);
/* Once.  Appends to `out` as many fields as there are keys, or nothing. */
int dkim_signer_end(
    struct dkim_signer *signer, struct buf *out, struct err *err);
