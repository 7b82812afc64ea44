/*
 * What tests of DKIM have in common: keys, and signatures of every kind, also
 * of those that our signer would not make.
 */
#pragma once
#include "base/buf.h"
#include "reporting/dkim_verify.h"

#define KIT_NOW  1000
#define KIT_TAGS "v=1; d=example.org; s=sel; h=From:To:Subject; bh=@bh; b=@b"
#define KIT_RSA  "a=rsa-sha256; " KIT_TAGS
#define KIT_ED   "a=ed25519-sha256; " KIT_TAGS
#define KIT_FROM "From: a@example.org\r\n"
#define KIT_MESSAGE                                                   \
	KIT_FROM "To: b@example.com\r\nSubject: one\r\n  two\r\n\r\n" \
		 "Hello,  you \r\nthere.\r\n\r\n"

/* PEM; RFC 8463 A.1 has the second. */
extern const char kit_rsa_pem[];
extern const char kit_ed25519_pem[];
/* What the first has in the DNS; that of the second is below. */
extern const char kit_rsa_record[];

/* RFC 8463 A.2, A.3 */
extern const char kit_rfc8463[];
extern const char kit_rfc8463_rsa[];
extern const char kit_rfc8463_ed25519[];

struct kit_key;
struct kit_key *kit_key_rsa(unsigned bits);
struct kit_key *kit_key_ed25519(void);
/* Of 32 octets in base64. */
struct kit_key *kit_key_seed(struct span base64);
void kit_key_free(struct kit_key **key);

/* A pair for a group of tests; 1024 bits of RSA are enough. */
struct kit_keys {
	struct kit_key *rsa, *ed25519;
};
int kit_keys_make(void **state);
int kit_keys_drop(void **state);

/* "v=DKIM1; k=...; " with what is given, and p=; good until the next one. */
const char *kit_record(const struct kit_key *key, const char *tags);

/*
 * The message with a DKIM-Signature of these tags in front, signed rightly,
 * whatever they are; "@bh" and "@b" in them are replaced.
 */
void kit_claim(struct buf *out, const struct kit_key *key, const char *tags,
    const char *message);

/* Of the whole message in pieces of n octets, up to the question. */
struct dkim_verifier *kit_verifier(
    const struct dkim_verify_setup *setup, struct span message, size_t n);

/* The same with a claim in front, at KIT_NOW, and one record for an answer. */
struct dkim_verifier *kit_verify(const struct kit_key *key, const char *tags,
    const char *message, const char *record);

/* Fails the test unless result i is this, for a reason with these words. */
void kit_expect(const struct dkim_verifier *v, size_t i,
    enum dkim_verdict verdict, const char *why);
