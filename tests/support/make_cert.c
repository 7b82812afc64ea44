#include "tests/support/make_cert.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

static char *
bio_text(BIO *bio)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	char *text = mem_strndup(p, (size_t)n);

	BIO_free(bio);
	return text;
}

struct made_cert
make_cert(const char *names, int days)
{
	struct made_cert made;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *chain = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());
	X509_EXTENSION *san = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, names);

	assert(key != NULL && cert != NULL && san != NULL);
	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -90000);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days);
	(void)X509_set_pubkey(cert, key);
	(void)X509_add_ext(cert, san, -1);
	(void)X509_sign(cert, key, EVP_sha256());
	(void)PEM_write_bio_X509(chain, cert);
	(void)PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
	X509_EXTENSION_free(san);
	X509_free(cert);
	EVP_PKEY_free(key);
	made.chain = bio_text(chain);
	made.key = bio_text(pem);
	return made;
}

void
made_cert_free(struct made_cert *cert)
{
	mem_free(cert->chain);
	mem_free(cert->key);
}
