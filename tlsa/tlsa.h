/*
 * TLSA records (RFC 6698, 7671, 7672): what they let us demand.
 *
 * For now only the words in which the decision speaks of them; reading the
 * records and handing them to OpenSSL is not built yet.
 */
#pragma once
#include "dnssec/dnssec.h"

struct tlsa_set;

/* What a TLSA lookup lets us demand.  Zero is the failed lookup. */
enum tlsa_state {
	TLSA_LOOKUP_FAILED = 0, /* bogus or no answer: do not use this host */
	TLSA_NOT_EVALUATED,     /* DANE is not looked at, on purpose */
	TLSA_NONE,              /* no records, or not secure: no DANE */
	TLSA_UNUSABLE,          /* secure records, none usable: encrypt */
	TLSA_USABLE,            /* secure and usable: authenticate */
};
