/*
 * The certificates and keys that TLSA records hold or select, in DER.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Would OpenSSL verify by a Full(0) record with this data?  One DER object
 * with nothing behind it: a certificate with a public key we know (selector
 * 0), or a SubjectPublicKeyInfo (selector 1).
 */
bool tlsa_object_parses(uint8_t selector, struct span der);
