#include "tests/support/make_chain.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (value == NULL)
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension != NULL);
	(void)X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void
set_dates(X509 *cert, const struct shape *shape)
{
	long from = shape->from_day == 0 ? -1 : shape->from_day;
	long to = shape->to_day == 0 ? 90 : shape->to_day;

	(void)X509_gmtime_adj(X509_getm_notBefore(cert), 86400L * from);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * to);
}

static void
set_extensions(X509 *cert, X509 *issuer, const struct shape *shape)
{
	add_extension(cert, issuer, NID_basic_constraints, shape->basic);
	add_extension(cert, issuer, NID_subject_alt_name, shape->names);
	add_extension(cert, issuer, NID_ext_key_usage, shape->purpose);
	add_extension(cert, issuer, NID_name_constraints, shape->constraints);
	add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	if (issuer != cert)
		add_extension(
		    cert, issuer, NID_authority_key_identifier, "keyid");
}

static EVP_PKEY *
make_key(const struct shape *shape)
{
	if (shape->ed25519)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (shape->curve != NULL)
		return EVP_EC_gen(shape->curve);
	return shape->rsa_bits > 0 ? EVP_RSA_gen((unsigned)shape->rsa_bits)
	                           : EVP_EC_gen("P-256");
}

/* Ed25519 brings its own. */
static const EVP_MD *
digest_of(const struct shape *shape, const struct issued *issuer)
{
	if (issuer == NULL && shape->ed25519)
		return NULL;
	return EVP_get_digestbyname(
	    shape->digest == NULL ? "SHA256" : shape->digest);
}

struct issued
issue(const struct shape *shape, const struct issued *issuer)
{
	static long serial;
	struct issued made = {X509_new(), make_key(shape)};
	X509 *by = issuer == NULL ? made.cert : issuer->cert;
	int signed_bytes;

	assert(made.cert != NULL && made.key != NULL);
	(void)X509_set_version(made.cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial);
	if (shape->cn != NULL)
		(void)X509_NAME_add_entry_by_txt(
		    X509_get_subject_name(made.cert), "CN", MBSTRING_UTF8,
		    (const unsigned char *)shape->cn, -1, -1, 0);
	(void)X509_set_issuer_name(made.cert, X509_get_subject_name(by));
	(void)X509_set_pubkey(made.cert, made.key);
	set_dates(made.cert, shape);
	set_extensions(made.cert, by, shape);
	signed_bytes = X509_sign(made.cert,
	    issuer == NULL ? made.key : issuer->key, digest_of(shape, issuer));
	assert(signed_bytes > 0);
	return made;
}

void
issued_free(struct issued *issued)
{
	X509_free(issued->cert);
	EVP_PKEY_free(issued->key);
	*issued = (struct issued){0};
}

static void
add_bio(struct buf *out, BIO *bio)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	int rc = buf_add(out, (struct span){p, (size_t)n});

	assert(n > 0 && rc == 0);
	BIO_free(bio);
}

void
add_cert_pem(struct buf *out, const struct issued *issued)
{
	BIO *bio = BIO_new(BIO_s_mem());

	(void)PEM_write_bio_X509(bio, issued->cert);
	add_bio(out, bio);
}

void
add_key_pem(struct buf *out, const struct issued *issued)
{
	BIO *bio = BIO_new(BIO_s_mem());

	(void)PEM_write_bio_PrivateKey(
	    bio, issued->key, NULL, NULL, 0, NULL, NULL);
	add_bio(out, bio);
}

void
add_association(struct buf *out, const struct issued *issued, uint8_t selector,
    uint8_t matching)
{
	unsigned char *der = NULL;
	int n = selector == 0 ? i2d_X509(issued->cert, &der)
	                      : i2d_PUBKEY(issued->key, &der);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	struct span data = {(const char *)der, (size_t)n};
	int rc;

	assert(n > 0);
	if (matching != 0) {
		rc = EVP_Digest(der, (size_t)n, digest, &size,
		    matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
		assert(rc == 1);
		data = (struct span){(const char *)digest, size};
	}
	rc = buf_add(out, data);
	assert(rc == 0);
	OPENSSL_free(der);
}
