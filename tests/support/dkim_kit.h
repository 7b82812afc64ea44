/*
 * What tests of DKIM have in common: keys, and signatures of every kind, also
 * of those that our signer would not make.
 */
#pragma once
#include "base/buf.h"
#include "reporting/dkim_verify.h"

/* PEM; RFC 8463 A.1 has the second. */
extern const char kit_rsa_pem[];
extern const char kit_ed25519_pem[];

/* RFC 8463 A.2, A.3 */
extern const char kit_rfc8463[];
extern const char kit_rfc8463_rsa[];
extern const char kit_rfc8463_ed25519[];

struct kit_key;
struct kit_key *kit_key_rsa(unsigned bits);
struct kit_key *kit_key_ed25519(void);
void kit_key_free(struct kit_key **key);
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
