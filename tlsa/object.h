/*
 * The certificates and keys that TLSA records hold or select, in DER.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "tlsa/tlsa.h"

/* What a record can be made from; the bytes are in the arena. */
struct tlsa_object {
	struct span cert; /* {NULL, 0}: a key alone */
	struct span spki; /* SubjectPublicKeyInfo, RFC 5280 4.1 */
};

/*
 * Would OpenSSL verify by a Full(0) record with this data?  One DER object
 * with nothing behind it: a certificate with a public key we know (selector
 * 0), or a SubjectPublicKeyInfo (selector 1).
 */
bool tlsa_object_parses(uint8_t selector, struct span der);

/*
 * Certificates, public and private keys of a PEM file, in their order; what
 * else is in it is passed over.  Of a private key only the public half is
 * kept.  -1 (ERR_PERM) when there are none or more than `room`, one is
 * broken, or a key has a password.
 */
int tlsa_objects_read(struct span pem, struct arena *arena,
    struct tlsa_object *ret, size_t room, size_t *ret_n, struct err *err);

/*
 * The record of these parameters that this object matches (RFC 6698 2.1).
 * The data is in the arena.  -1 (ERR_PERM): parameters that are not for SMTP,
 * or a certificate is wanted of a key.
 */
int tlsa_object_record(const struct tlsa_object *object, uint8_t usage,
    uint8_t selector, uint8_t matching, struct arena *arena,
    struct tlsa_record *ret, struct err *err);
