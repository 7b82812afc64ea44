#include "reporting/dkim_crypto.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/mem.h"

/* How the names of all blocks end that have one. */
#define KEY_BLOCK SPAN("PRIVATE KEY")

/* --- hashes --------------------------------------------------------------- */

struct dkim_hash {
	EVP_MD_CTX *context;
	bool failed;
};

struct dkim_hash *
dkim_hash_new(void)
{
	struct dkim_hash *hash = mem_new(sizeof(*hash));

	hash->context = EVP_MD_CTX_new();
	hash->failed = hash->context == NULL || EVP_DigestInit_ex(hash->context,
						    EVP_sha256(), NULL) != 1;
	return hash;
}

void
dkim_hash_add(struct dkim_hash *hash, struct span bytes)
{
	if (hash->failed || bytes.n == 0)
		return;
	hash->failed = EVP_DigestUpdate(hash->context, bytes.p, bytes.n) != 1;
}

int
dkim_hash_end(struct dkim_hash *hash, unsigned char ret[DKIM_HASH_SIZE])
{
	if (!hash->failed)
		hash->failed = EVP_DigestFinal_ex(hash->context, ret, NULL) !=
		               1;
	ERR_clear_error();
	return hash->failed ? -1 : 0;
}

void
dkim_hash_free(struct dkim_hash **hash)
{
	if (*hash == NULL)
		return;
	EVP_MD_CTX_free((*hash)->context);
	mem_free(*hash);
	*hash = NULL;
}

/* --- our keys ------------------------------------------------------------- */

struct dkim_key {
	EVP_PKEY *key;
	enum dkim_algorithm algorithm;
};

/* No terminal is asked. */
static int
no_password(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

/* Does the public half belong to the private one? */
static bool
is_pair(EVP_PKEY *key)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool ok = context != NULL && EVP_PKEY_pairwise_check(context) == 1;

	EVP_PKEY_CTX_free(context);
	return ok;
}

static int
check_rsa(const EVP_PKEY *key, struct err *err)
{
	int bits = EVP_PKEY_get_bits(key);

	/* RFC 8301 3.2: "SHOULD use RSA keys of at least 2048 bits" */
	if (bits < DKIM_OWN_RSA_LEAST)
		return err_set(err, ERR_PERM, "5.3.5",
		    "an RSA key of %d bits is too short, %d are the least",
		    bits, DKIM_OWN_RSA_LEAST);
	/* RFC 8301 3.2: verifiers need not take more */
	if (bits > DKIM_OWN_RSA_MOST)
		return err_set(err, ERR_PERM, "5.3.5",
		    "an RSA key of %d bits is too long, %d are the most", bits,
		    DKIM_OWN_RSA_MOST);
	return 0;
}

static int
check_key(struct dkim_key *key, struct err *err)
{
	if (EVP_PKEY_is_a(key->key, "RSA") == 1) {
		key->algorithm = DKIM_RSA_SHA256;
		if (check_rsa(key->key, err) < 0)
			return -1;
	} else if (EVP_PKEY_is_a(key->key, "ED25519") == 1)
		key->algorithm = DKIM_ED25519_SHA256;
	else
		return err_set(err, ERR_PERM, "5.3.5",
		    "the key is neither RSA nor Ed25519");
	if (!is_pair(key->key))
		return err_set(
		    err, ERR_PERM, "5.3.5", "the halves of the key differ");
	return 0;
}

/* Which of two would sign is for nobody to guess; other blocks are no matter. */
static bool
has_another(BIO *bio)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	bool found = false;
	long n;

	while (!found && PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		struct span is = span_of(name);

		found = is.n >= KEY_BLOCK.n &&
		        span_eq(span_from(is, is.n - KEY_BLOCK.n), KEY_BLOCK);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	return found;
}

int
dkim_key_read(struct span pem, struct dkim_key **ret, struct err *err)
{
	struct dkim_key *key = mem_new(sizeof(*key));
	BIO *bio = pem.n == 0 || pem.n > INT_MAX
	               ? NULL
	               : BIO_new_mem_buf(pem.p, (int)pem.n);
	bool asked = false;
	int rc = -1;

	if (bio != NULL)
		key->key = PEM_read_bio_PrivateKey(
		    bio, NULL, no_password, &asked);
	if (key->key != NULL && has_another(bio))
		(void)err_set(err, ERR_PERM, "5.3.5",
		    "there is more than one private key in it");
	else if (key->key != NULL)
		rc = check_key(key, err);
	else
		(void)err_set(err, ERR_PERM, "5.3.5",
		    asked ? "the key has a password"
			  : "there is no private key in PEM form");
	BIO_free(bio);
	ERR_clear_error();
	if (rc < 0)
		dkim_key_free(&key);
	else
		*ret = key;
	return rc;
}

void
dkim_key_free(struct dkim_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->key);
	mem_free(*key);
	*key = NULL;
}

enum dkim_algorithm
dkim_key_algorithm(const struct dkim_key *key)
{
	return key->algorithm;
}

/* RFC 6376 3.3: PKCS #1 version 1.5 over the hash */
static int
sign_rsa(EVP_PKEY *key, const unsigned char *hash, unsigned char *to, size_t *n)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool ok = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) ==
	              1 &&
	          EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	          EVP_PKEY_sign(context, to, n, hash, DKIM_HASH_SIZE) == 1;

	EVP_PKEY_CTX_free(context);
	return ok ? 0 : -1;
}

/* RFC 8463 3: the hash is what PureEdDSA signs */
static int
sign_ed25519(
    EVP_PKEY *key, const unsigned char *hash, unsigned char *to, size_t *n)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL &&
	          EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
	          EVP_DigestSign(context, to, n, hash, DKIM_HASH_SIZE) == 1;

	EVP_MD_CTX_free(context);
	return ok ? 0 : -1;
}

int
dkim_key_sign(const struct dkim_key *key,
    const unsigned char hash[DKIM_HASH_SIZE], struct buf *out, struct err *err)
{
	unsigned char signature[DKIM_SIGNATURE_SIZE];
	size_t n = sizeof(signature);
	int rc = key->algorithm == DKIM_RSA_SHA256
	             ? sign_rsa(key->key, hash, signature, &n)
	             : sign_ed25519(key->key, hash, signature, &n);

	ERR_clear_error();
	if (rc == 0)
		rc = dkim_base64_write(
		    (struct span){(const char *)signature, n}, out);
	return rc == 0
	           ? 0
	           : err_set(err, ERR_TEMP, "4.3.0", "OpenSSL would not sign");
}

int
dkim_base64_write(struct span bytes, struct buf *out)
{
	size_t n = (bytes.n + 2) / 3 * 4;
	/* It puts a NUL behind. */
	char *to = bytes.n > INT_MAX / 2 ? NULL : buf_reserve(out, n + 1);

	if (to == NULL)
		return -1;
	(void)EVP_EncodeBlock(
	    (unsigned char *)to, (const unsigned char *)bytes.p, (int)bytes.n);
	out->n += n;
	return 0;
}

/*
 * RFC 6376 3.6.1, erratum 3017: a SubjectPublicKeyInfo, as everybody publishes
 * it.
 */
static int
write_rsa(EVP_PKEY *key, struct buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	int rc = n <= 0 ? -1
	                : dkim_base64_write(
			      (struct span){(const char *)der, (size_t)n}, out);

	OPENSSL_free(der);
	return rc;
}

/* RFC 8463 4.2: the 256 bits themselves */
static int
write_ed25519(EVP_PKEY *key, struct buf *out)
{
	unsigned char bytes[32];
	size_t n = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(key, bytes, &n) != 1)
		return -1;
	return dkim_base64_write((struct span){(const char *)bytes, n}, out);
}

int
dkim_key_public(const struct dkim_key *key, struct buf *out)
{
	int rc = key->algorithm == DKIM_RSA_SHA256
	             ? write_rsa(key->key, out)
	             : write_ed25519(key->key, out);

	ERR_clear_error();
	return rc;
}

/* --- keys of others ------------------------------------------------------- */

/*
 * RFC 6376 3.6.1: an RSAPublicKey.  What its appendix C makes, and everybody
 * publishes, is a SubjectPublicKeyInfo around one (erratum 3017).
 */
static EVP_PKEY *
read_rsa(struct span der)
{
	const unsigned char *begin = (const unsigned char *)der.p;
	const unsigned char *p = begin;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);

	if (key == NULL) {
		p = begin;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);
	}
	if (key != NULL &&
	    (p != begin + der.n || EVP_PKEY_is_a(key, "RSA") != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* RFC 8463 4.2: the 256 bits themselves */
static EVP_PKEY *
read_ed25519(struct span bytes)
{
	if (bytes.n != 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, (const unsigned char *)bytes.p, bytes.n);
}

static bool
verify_rsa(EVP_PKEY *key, const unsigned char *hash, struct span signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool ok = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) ==
	              1 &&
	          EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	          EVP_PKEY_verify(context, (const unsigned char *)signature.p,
		      signature.n, hash, DKIM_HASH_SIZE) == 1;

	EVP_PKEY_CTX_free(context);
	return ok;
}

static bool
verify_ed25519(EVP_PKEY *key, const unsigned char *hash, struct span signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL &&
	          EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
	          EVP_DigestVerify(context, (const unsigned char *)signature.p,
		      signature.n, hash, DKIM_HASH_SIZE) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

static struct dkim_finding
judge(enum dkim_algorithm algorithm, EVP_PKEY *key, unsigned bits,
    const unsigned char *hash, struct span signature)
{
	bool rsa = algorithm == DKIM_RSA_SHA256;
	bool ok;

	/* RFC 8301 3.2: "MUST NOT consider [them] as valid signatures" */
	if (rsa && bits < DKIM_RSA_LEAST)
		return (struct dkim_finding){DKIM_FAIL,
		    "the RSA key has less than 1024 bits (RFC 8301 3.2)"};
	if (rsa && bits > DKIM_RSA_MOST)
		return (struct dkim_finding){DKIM_POLICY,
		    "the RSA key has more than 8192 bits (RFC 8301 3.2)"};
	ok = rsa ? verify_rsa(key, hash, signature)
	         : verify_ed25519(key, hash, signature);
	if (!ok)
		return (struct dkim_finding){DKIM_FAIL,
		    "the signature does not fit the header (RFC 6376 6.1.3)"};
	return (struct dkim_finding){DKIM_PASS, ""};
}

struct dkim_finding
dkim_public_verify(enum dkim_algorithm algorithm, struct span key,
    const unsigned char hash[DKIM_HASH_SIZE], struct span signature,
    unsigned *ret_bits)
{
	struct dkim_finding finding = {DKIM_PERMERROR,
	    "the public key is none of its type (RFC 6376 6.1.2)"};
	EVP_PKEY *pkey = NULL;

	*ret_bits = 0;
	if (algorithm == DKIM_RSA_SHA256)
		pkey = read_rsa(key);
	else if (algorithm == DKIM_ED25519_SHA256)
		pkey = read_ed25519(key);
	if (pkey != NULL) {
		*ret_bits = (unsigned)EVP_PKEY_get_bits(pkey);
		finding = judge(algorithm, pkey, *ret_bits, hash, signature);
	}
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return finding;
}
