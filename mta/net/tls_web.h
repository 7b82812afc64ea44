/*
 * Whom WebPKI trusts, and TLS sessions that libcurl begins: what it is to
 * vouch for.
 *
 * libcurl takes a certificate without SANs by its common name, and any words
 * for what is wrong with one; here it is told as the rest of mta/net/ is.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "mta/net/https.h"

/* What Debian's ca-certificates keeps; no variable names another. */
#define TLS_WEB_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct x509_store_st;

/* The authorities of a file; NULL with the words for the operator. */
struct x509_store_st *tls_web_store(const char *ca_file, struct err *err);
/* Does it load?  -1 with the same words. */
int tls_web_check_file(const char *ca_file, struct err *err);

/* Who is told what comes in; outlives every session. */
struct tls_web_watcher {
	/* A record of so many octets, after the handshake. */
	void (*on_record)(void *arg, const void *ssl_ctx, size_t n);
	/* A close_notify. */
	void (*on_closed)(void *arg, const void *ssl_ctx);
	void *arg;
};

/*
 * `ssl_ctx` is the SSL_CTX of one session about to begin: `host` must be a
 * DNS-ID of the certificate.  False: no memory; it must not begin.
 */
bool tls_web_demand(
    void *ssl_ctx, const char *host, struct tls_web_watcher *watcher);

/* OpenSSL's verify error of a certificate that did not pass. */
enum https_kind tls_web_kind(long error);
const char *tls_web_words(long error);
