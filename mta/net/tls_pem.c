#include "mta/net/tls_pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define CHAIN_MAX 16

const char *
pem_openssl_error(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason == NULL ? "unknown error" : reason;
}

/* An encrypted key must not make OpenSSL ask at the terminal. */
static int
no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static BIO *
bio_of(struct span pem, struct err *err)
{
	BIO *bio = NULL;

	if (pem.n > 0 && pem.n <= INT_MAX)
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		(void)err_set(err, ERR_PERM, "4.3.5", "the file is empty");
	return bio;
}

/* To the end of the file: what stands behind a damaged one is not lost. */
static int
read_all(BIO *bio, STACK_OF(X509) * chain, struct err *err)
{
	X509 *cert;
	int n = 0;

	while (
	    (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		if (n++ < CHAIN_MAX)
			(void)sk_X509_push(chain, cert);
		else
			X509_free(cert);
	}
	if (n > CHAIN_MAX)
		return err_set(err, ERR_PERM, "4.3.5",
		    "%d certificates in it, more than %d", n, CHAIN_MAX);
	if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE &&
	    n > 0)
		return 0;
	return n == 0 ? err_set(err, ERR_PERM, "4.3.5",
			    "no PEM certificate in it: %s", pem_openssl_error())
	              : err_set(err, ERR_PERM, "4.3.5",
			    "certificate %d in it is damaged: %s", n + 1,
			    pem_openssl_error());
}

STACK_OF(X509) * pem_read_chain(struct span pem, struct err *err)
{
	BIO *bio = bio_of(pem, err);
	STACK_OF(X509) *chain = sk_X509_new_null();
	int rc = bio == NULL ? -1 : read_all(bio, chain, err);

	ERR_clear_error();
	BIO_free(bio);
	if (rc == 0)
		return chain;
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

EVP_PKEY *
pem_read_key(struct span pem, struct err *err)
{
	BIO *bio = bio_of(pem, err);
	EVP_PKEY *key;

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL)
		(void)err_set(err, ERR_PERM, "4.3.5",
		    "no PEM private key without password in it: %s",
		    pem_openssl_error());
	BIO_free(bio);
	return key;
}
