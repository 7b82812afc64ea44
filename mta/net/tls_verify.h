/*
 * Private to mta/net/tls*.c: judge the chain of one session.
 *
 * OpenSSL does the matching, the path building and the name checks; here it
 * is told what counts, once for TLSA records and once for WebPKI, and what
 * came of each is kept apart.
 */
#pragma once
#include <openssl/ssl.h>

#include "mta/net/tls.h"

/* Zeroed: nothing is demanded, nothing was checked. */
struct tls_verify {
	bool wants_dane;
	bool wants_pkix;
	bool wants_host;
	X509_STORE *store; /* the authorities of WebPKI */
	X509_VERIFY_PARAM *pkix_names;
	X509_VERIFY_PARAM *host_name; /* NULL: as pkix_names */
	struct tls_proof dane, pkix, host;
	char matched[12];
	int depth;
};

/*
 * Set the session up.  What cannot be demanded as it stands (a name that is
 * none, a record that OpenSSL does not take) has failed from here on.
 */
void verify_begin(struct tls_verify *verify, SSL *ssl, X509_STORE *store,
    const struct tls_demand *demand);
/* The peer's leaf and chain are in `ctx`. */
void verify_chain(struct tls_verify *verify, SSL *ssl, X509_STORE_CTX *ctx);
/* The handshake is over; what was demanded and not checked has failed. */
void verify_end(struct tls_verify *verify, SSL *ssl);
void verify_free(struct tls_verify *verify);
/* Has anything that was demanded not passed? */
bool verify_failed(const struct tls_verify *verify);
