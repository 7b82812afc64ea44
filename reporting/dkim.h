/*
 * DKIM: a domain answers for a message by a signature in its header (RFC 6376,
 * with the algorithms of RFC 8301 and RFC 8463).
 *
 * dkim_sign.h puts signatures on a message that we send, dkim_verify.h looks
 * at those of one we got; here are the words that both use.  Neither opens a
 * file or asks a name server: a message comes in pieces, and what stands in
 * the DNS is brought by the caller.
 *
 * Messages end their lines with CRLF, as on the wire without dot-stuffing.
 */
#pragma once
#include <stddef.h>

/* d=, s= and the name to ask for: RFC 1035 2.3.4, as text, and its NUL. */
#define DKIM_NAME_SIZE 254

/* SHA-256, the only hash there is (RFC 8301 3.1). */
#define DKIM_HASH_SIZE 32

/* a= */
enum dkim_algorithm {
	DKIM_ALGORITHM_OTHER = 0, /* none that counts */
	DKIM_RSA_SHA256,
	DKIM_ED25519_SHA256,
};

/* c=, of header or body.  Of a signature that says nothing it is simple. */
enum dkim_canon {
	DKIM_RELAXED = 0,
	DKIM_SIMPLE,
};

/*
 * What became of one signature.  All but DKIM_PASS and DKIM_TEMPERROR are
 * what RFC 6376 3.9 calls PERMFAIL; the words are those of RFC 8601 2.7.1.
 */
enum dkim_verdict {
	DKIM_UNKNOWN = 0, /* not looked at to the end */
	DKIM_PASS,
	DKIM_FAIL,      /* something was changed, or the algorithm is weak */
	DKIM_POLICY,    /* it may be right, and we do not take it */
	DKIM_NEUTRAL,   /* made in a way we do not know */
	DKIM_TEMPERROR, /* the key could not be had now */
	DKIM_PERMERROR, /* signature or key are malformed, or there is no key */
};

struct dkim_finding {
	enum dkim_verdict verdict;
	const char *why; /* static, with the section; "" with DKIM_PASS */
};

/* "rsa-sha256", "ed25519-sha256", "other" */
const char *dkim_algorithm_name(enum dkim_algorithm algorithm);
/* "relaxed", "simple" */
const char *dkim_canon_name(enum dkim_canon canon);
/* "unknown", "pass", "fail", "policy", "neutral", "temperror", "permerror" */
const char *dkim_verdict_name(enum dkim_verdict verdict);
