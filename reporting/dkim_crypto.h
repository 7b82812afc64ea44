/*
 * What DKIM needs of OpenSSL: SHA-256, and signatures over such a hash by RSA
 * (PKCS #1 v1.5) and Ed25519.  The only place in reporting/ that knows it.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "reporting/dkim.h"

struct dkim_hash;

/* What OpenSSL refuses is said at the end. */
struct dkim_hash *dkim_hash_new(void);
void dkim_hash_add(struct dkim_hash *hash, struct span bytes);
int dkim_hash_end(struct dkim_hash *hash, unsigned char ret[DKIM_HASH_SIZE]);
void dkim_hash_free(struct dkim_hash **hash);

/*
 * RFC 8301 3.2: verifiers take RSA keys of 1024 to 4096 bits; we take longer
 * ones, too, and refuse what makes a verification dear.  Ours have to be of
 * 2048 bits, and of what everybody takes.
 */
#define DKIM_RSA_LEAST      1024
#define DKIM_RSA_MOST       8192
#define DKIM_OWN_RSA_LEAST  2048
#define DKIM_OWN_RSA_MOST   4096
#define DKIM_SIGNATURE_SIZE (DKIM_RSA_MOST / 8)

/* A private key. */
struct dkim_key;

/* RSA or Ed25519, without a password, and no other key beside it.  -1
 * (ERR_PERM): it will not do. */
int dkim_key_read(struct span pem, struct dkim_key **ret, struct err *err);
void dkim_key_free(struct dkim_key **key);
enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key);
/* Append the signature, as base64 in one line. */
int dkim_key_sign(const struct dkim_key *key,
    const unsigned char hash[DKIM_HASH_SIZE], struct buf *out, struct err *err);

/*
 * Append the public half as p= of its record has it, base64 in one line; -1
 * when over the limit or OpenSSL would not.
 */
int dkim_key_public(const struct dkim_key *key, struct buf *out)
    __attribute__((warn_unused_result));

/* Append bytes as base64 in one line; -1 when over the limit. */
int dkim_base64_write(struct span bytes, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Did the owner of this public key, p= of its record as octets, sign the
 * hash?  *ret_bits is its size, or 0 when it is no key of this algorithm.
 */
struct dkim_finding dkim_public_verify(enum dkim_algorithm algorithm,
    struct span key, const unsigned char hash[DKIM_HASH_SIZE],
    struct span signature, unsigned *ret_bits);
