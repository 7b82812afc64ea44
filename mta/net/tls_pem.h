/* Private to mta/net/tls*.c: PEM into OpenSSL objects. */
#pragma once
#include <openssl/ssl.h>

#include "base/err.h"
#include "base/span.h"

/* Leaf first.  NULL with words in *err; sk_X509_pop_free() it. */
STACK_OF(X509) * pem_read_chain(struct span pem, struct err *err);
EVP_PKEY *pem_read_key(struct span pem, struct err *err);
struct tls_cert;
/* Everything tls_cert.h tells of a certificate. */
void cert_facts(const X509 *cert, struct tls_cert *ret);
/* The newest OpenSSL error as words; empties the error queue. */
const char *pem_openssl_error(void);
