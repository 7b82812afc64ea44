/*
 * Private to mta/net/tls*.c: versions, cipher suites and groups of our
 * sessions, and what may be called modern (RFC 9325).
 */
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>

#include "mta/net/tls.h"

/* -1 when OpenSSL knows none of it. */
int offer_server(SSL_CTX *ctx, const struct tls_server_setup *setup);
int offer_client(SSL_CTX *ctx);
/*
 * This session counts only if it is authenticated: suites with forward
 * secrecy and AEAD alone are offered.  -1 when OpenSSL has none.
 */
int offer_authenticated(SSL *ssl);

/* RFC 9325 4.1, 7.2: NULL, or why what is in use may not authenticate. */
const char *offer_lacks(const SSL_CIPHER *cipher);

/* The first of these lists of groups that OpenSSL takes, or NULL. */
const char *offer_groups(SSL_CTX *ctx, const char *const *lists, size_t n);
