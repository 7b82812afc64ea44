/*
 * Certificates for tests, signed by one another, with what is wrong with them
 * said field by field.
 */
#pragma once
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

struct issued {
	X509 *cert;
	EVP_PKEY *key;
};

/* Zeroed: a leaf without names that is valid from yesterday for 30 days. */
struct shape {
	const char *cn;          /* NULL: an empty subject */
	const char *names;       /* "DNS:a.example,DNS:*.b.example", or NULL */
	const char *purpose;     /* extendedKeyUsage, or NULL */
	const char *constraints; /* nameConstraints of a CA, or NULL */
	const char *basic;       /* "critical,CA:TRUE,pathlen:0"; NULL: none */
	int from_day;            /* counted from now; 0: yesterday */
	int to_day;              /* 0: in 90 days */
	int rsa_bits;            /* 0: EC P-256 */
	const char *curve;       /* instead, "P-224"; NULL: as said */
	bool ed25519;            /* instead of either */
	const char *digest;      /* NULL: SHA256 */
};

/* `issuer` NULL: self-signed. */
struct issued issue(const struct shape *shape, const struct issued *issuer);
void issued_free(struct issued *issued);

void add_cert_pem(struct buf *out, const struct issued *issued);
void add_key_pem(struct buf *out, const struct issued *issued);
/* The association data of a record for this certificate. */
void add_association(struct buf *out, const struct issued *issued,
    uint8_t selector, uint8_t matching);
