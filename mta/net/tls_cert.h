/*
 * What a certificate says of itself, bounded and printable, for people.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* More of a chain is not looked at. */
#define TLS_CHAIN_MAX 16

struct tls_cert {
	char subject[256]; /* RFC 2253: "CN=mx.example.org,O=Example" */
	char issuer[256];
	int64_t not_before; /* seconds since the epoch */
	int64_t not_after;
	char names[1024]; /* DNS-IDs, blank between; "..." when cut */
	char key[32];     /* "RSA", "EC P-256", "ED25519" */
	int bits;
	uint8_t sha256[32];      /* of the certificate: selector 0 */
	uint8_t spki_sha256[32]; /* of its key: selector 1 */
};

/*
 * The certificates of a PEM file in their order, at most `room`.  -1 with
 * words for the operator when there are none.
 */
int tls_cert_read(struct span pem, struct tls_cert *ret, size_t room,
    size_t *ret_n, struct err *err);

/*
 * All DNS-IDs of the first certificate, blank between, as far as the buffer
 * has room.  -1 when there is no certificate.
 */
int tls_cert_names(struct span pem, struct buf *out, struct err *err);
