/*
 * The key record: what a domain publishes at SELECTOR._domainkey.DOMAIN
 * (RFC 6376 3.6.1).  Input is what a stranger's zone says.  Pure.
 */
#pragma once
#include "base/span.h"
#include "reporting/dkim.h"

/* A SubjectPublicKeyInfo of 8192 bits, with room. */
#define DKIM_PUBLIC_MAX 1152

/* What a record says beside the key, as bits. */
enum dkim_flag {
	DKIM_FLAG_TESTING = 1 << 0,       /* t=y */
	DKIM_FLAG_STRICT = 1 << 1,        /* t=s: i= is d=, not below */
	DKIM_FLAG_REVOKED = 1 << 2,       /* p= is empty */
	DKIM_FLAG_ANY_SERVICE = 1 << 3,   /* no s=, or one with "*" */
	DKIM_FLAG_NAMED_SERVICE = 1 << 4, /* s= names the one asked for */
};

struct dkim_record {
	enum dkim_algorithm algorithm; /* that the key is good for */
	unsigned flags;
	unsigned char key[DKIM_PUBLIC_MAX];
	size_t nkey;
};

/*
 * DKIM_PASS: it is a key for that service ("email", "tlsrpt") and algorithm.
 * What the flags mean for a signature is left to the caller.  With another
 * verdict the flags are what could be read, and there is no key.
 */
struct dkim_finding dkim_record_read(struct span text, const char *service,
    enum dkim_algorithm algorithm, struct dkim_record *ret);
