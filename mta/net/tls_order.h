/*
 * Private to mta/net/tls*.c: what follows what in a file of certificates.
 */
#pragma once
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "mta/net/tls_cert.h"

/* Places in the file, the own certificate first. */
struct tls_order {
	size_t at[TLS_CHAIN_MAX];
	size_t n; /* what is not named has no place in the chain */
};

/*
 * Whose key it is, and from there who has issued whom, by name and key identifier
 * (RFC 5280 4.2.1.1).  `key` NULL: the first certificate is ours.  n is 0 when the
 * key belongs to none.
 */
struct tls_order tls_order_of(STACK_OF(X509) * certs, EVP_PKEY *key);
/* The file has them so; what follows them is of no matter. */
bool tls_order_is_kept(const struct tls_order *order);
