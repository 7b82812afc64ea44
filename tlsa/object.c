#include "tlsa/object.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* --- records that hold one ------------------------------------------------ */

static bool
parses_as_certificate(struct span der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	bool ok = cert != NULL && (const char *)p == der.p + der.n &&
	          X509_get0_pubkey(cert) != NULL;

	X509_free(cert);
	return ok;
}

static bool
parses_as_key(struct span der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	bool ok = key != NULL && (const char *)p == der.p + der.n;

	EVP_PKEY_free(key);
	return ok;
}

bool
tlsa_object_parses(uint8_t selector, struct span der)
{
	bool ok;

	if (der.n == 0 || der.n > UINT16_MAX)
		return false;
	ok = selector == TLSA_CERT ? parses_as_certificate(der)
	                           : parses_as_key(der);
	ERR_clear_error();
	return ok;
}

/* --- out of PEM ----------------------------------------------------------- */

/* One block between BEGIN and END. */
struct block {
	char *name;
	char *header;
	unsigned char *data;
	long n;
};

static void
block_free(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	/* It may be a private key. */
	if (block->data != NULL)
		OPENSSL_clear_free(block->data, (size_t)block->n);
	*block = (struct block){0};
}

/* Takes what OpenSSL has allocated; false when there is none. */
static bool
keep_der(struct arena *arena, unsigned char *der, int n, struct span *ret)
{
	if (n > 0)
		*ret = arena_span(
		    arena, (struct span){(const char *)der, (size_t)n});
	OPENSSL_free(der);
	return n > 0 && ret->p != NULL;
}

static bool
keep_certificate(
    const struct block *block, struct arena *arena, struct tlsa_object *ret)
{
	const unsigned char *p = block->data;
	X509 *cert = d2i_X509(NULL, &p, block->n);
	unsigned char *der = NULL, *spki = NULL;
	int n = cert == NULL ? 0 : i2d_X509(cert, &der);
	int nspki = cert == NULL
	                ? 0
	                : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	bool ok = keep_der(arena, der, n, &ret->cert);

	X509_free(cert);
	return keep_der(arena, spki, nspki, &ret->spki) && ok;
}

static bool
keep_key(const struct block *block, bool private_key, struct arena *arena,
    struct tlsa_object *ret)
{
	const unsigned char *p = block->data;
	EVP_PKEY *key = private_key ? d2i_AutoPrivateKey(NULL, &p, block->n)
	                            : d2i_PUBKEY(NULL, &p, block->n);
	unsigned char *der = NULL;
	int n = key == NULL ? 0 : i2d_PUBKEY(key, &der);

	EVP_PKEY_free(key);
	return keep_der(arena, der, n, &ret->spki);
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* 1: there is one in *ret; 0: it is something else; -1: *err says why. */
static int
read_block(const struct block *block, struct arena *arena,
    struct tlsa_object *ret, struct err *err)
{
	bool is_cert = strcmp(block->name, PEM_STRING_X509) == 0;
	bool is_public = strcmp(block->name, PEM_STRING_PUBLIC) == 0;
	bool is_private = ends_with(block->name, "PRIVATE KEY");
	bool ok;

	*ret = (struct tlsa_object){0};
	if (!is_cert && !is_public && !is_private)
		return 0;
	if (block->header[0] != '\0' ||
	    strcmp(block->name, PEM_STRING_PKCS8) == 0)
		return err_set(
		    err, ERR_PERM, "5.3.5", "the key has a password");
	ok = is_cert ? keep_certificate(block, arena, ret)
	             : keep_key(block, is_private, arena, ret);
	return ok ? 1
	          : err_set(err, ERR_PERM, "5.3.5", "a %s that is none",
			is_cert ? "certificate" : "key");
}

static int
read_blocks(BIO *bio, struct arena *arena, struct tlsa_object *ret, size_t room,
    size_t *ret_n, struct err *err)
{
	struct block block = {0};
	size_t n = 0;
	int rc = 0;

	while (rc == 0 && PEM_read_bio(bio, &block.name, &block.header,
			      &block.data, &block.n) == 1) {
		struct tlsa_object one;

		rc = read_block(&block, arena, &one, err);
		block_free(&block);
		if (rc == 1 && n == room)
			rc = err_set(err, ERR_PERM, "5.3.5",
			    "more than %zu certificates and keys", room);
		if (rc == 1) {
			ret[n++] = one;
			rc = 0;
		}
	}
	if (rc == 0 && n == 0)
		rc = err_set(err, ERR_PERM, "5.3.5",
		    "neither certificates nor keys in it");
	if (rc == 0)
		*ret_n = n;
	return rc;
}

int
tlsa_objects_read(struct span pem, struct arena *arena, struct tlsa_object *ret,
    size_t room, size_t *ret_n, struct err *err)
{
	BIO *bio = pem.n == 0 || pem.n > INT_MAX
	               ? NULL
	               : BIO_new_mem_buf(pem.p, (int)pem.n);
	int rc;

	if (bio == NULL)
		return err_set(err, ERR_PERM, "5.3.5", "the file is empty");
	rc = read_blocks(bio, arena, ret, room, ret_n, err);
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}

/* --- into a record -------------------------------------------------------- */

/* RFC 6698 2.1.3: the whole, its SHA-256 or its SHA-512. */
static bool
digest(
    uint8_t matching, struct span whole, struct arena *arena, struct span *ret)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct span data = whole;
	unsigned n = 0;

	if (matching != TLSA_FULL) {
		if (EVP_Digest(whole.p, whole.n, hash, &n,
			matching == TLSA_SHA256 ? EVP_sha256() : EVP_sha512(),
			NULL) != 1)
			return false;
		data = (struct span){(const char *)hash, n};
	}
	*ret = arena_span(arena, data);
	return ret->p != NULL;
}

int
tlsa_object_record(const struct tlsa_object *object, uint8_t usage,
    uint8_t selector, uint8_t matching, struct arena *arena,
    struct tlsa_record *ret, struct err *err)
{
	struct tlsa_record record = {
	    .usage = usage, .selector = selector, .matching = matching};
	struct span whole = selector == TLSA_CERT ? object->cert : object->spki;

	/* RFC 7672 3.1.3: nobody will use others for SMTP. */
	if (tlsa_usability(usage, selector, matching, (struct span){"", 0}) ==
	    TLSA_UNSUPPORTED)
		return err_set(err, ERR_PERM, "5.3.5",
		    "%u %u %u is no TLSA record for SMTP: usage 2 or 3, "
		    "selector 0 or 1, matching type 0, 1 or 2",
		    usage, selector, matching);
	/* RFC 6698 2.1.2: selector 0 is the certificate, 1 its key */
	if (whole.n == 0)
		return err_set(err, ERR_PERM, "5.3.5",
		    "selector 0 wants a certificate, and this is a key");
	if (!digest(matching, whole, arena, &record.data))
		return err_set(err, ERR_PERM, "5.3.5", "it is too big");
	record.use = tlsa_usability(usage, selector, matching, record.data);
	*ret = record;
	return 0;
}
