/*
 * TLSA records (RFC 6698, 7671, 7672): what they let us demand of a server.
 *
 * tlsa_read() turns an answer into a set; which of its records may be used is
 * decided there, record by record and then by digest agility.  OpenSSL does
 * the matching (mta/net/tls_verify.h).  Pure; everything read is copied into
 * the arena.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "dnssec/dnssec.h"

/* An RRset of more than these is a failed answer. */
#define TLSA_RECORDS_MAX 64
/* "_65535._tcp." and a name. */
#define TLSA_OWNER_SIZE (16 + 1024)

/* RFC 7218: the numbers we have a use for. */
enum {
	TLSA_DANE_TA = 2, /* usages */
	TLSA_DANE_EE = 3,
	TLSA_CERT = 0, /* selectors */
	TLSA_SPKI = 1,
	TLSA_FULL = 0, /* matching types */
	TLSA_SHA256 = 1,
	TLSA_SHA512 = 2,
};

/* What a TLSA lookup lets us demand.  Zero is the failed lookup. */
enum tlsa_state {
	TLSA_LOOKUP_FAILED = 0, /* bogus or no answer: do not use this host */
	TLSA_NOT_EVALUATED,     /* DANE is not looked at, on purpose */
	TLSA_NONE,              /* no records, or not secure: no DANE */
	TLSA_UNUSABLE,          /* secure records, none usable: encrypt */
	TLSA_USABLE,            /* secure and usable: authenticate */
};

/* What becomes of one record.  Zero: it is not used. */
enum tlsa_use {
	TLSA_MALFORMED = 0, /* not as long as its digest, or not its object */
	TLSA_UNSUPPORTED,   /* usage, selector or matching type not for us */
	TLSA_OUTRANKED,     /* RFC 7671 9: a stronger digest stands beside it */
	TLSA_IN_USE,
};

struct tlsa_record {
	uint8_t usage; /* RFC 7218: 2 DANE-TA, 3 DANE-EE */
	uint8_t selector;
	uint8_t matching;
	enum tlsa_use use;
	struct span data; /* the certificate association data */
};

struct tlsa_set {
	const char *base; /* the TLSA base domain, normal form */
	const struct tlsa_record *records;
	size_t n;
	size_t nused;
	uint32_t ttl; /* seconds, RFC 6698 8.2 */
	/*
	 * Equal for equal base and records in use, whatever their order: two
	 * sets with one digest ask the same of a server.
	 */
	uint8_t digest[32];
};

/*
 * The set of a TLSA answer for this base domain.  *ret_set has all records,
 * used or not, for every state but TLSA_LOOKUP_FAILED; it is empty where
 * there are none, and where the answer was not secure.
 *
 * A record shorter than three octets, more than TLSA_RECORDS_MAX of them, or
 * more than the arena holds make the answer a failed lookup (RFC 7672 2.1.1);
 * whatever else is wrong with a record makes that record unusable alone.
 */
enum tlsa_state tlsa_read(const struct dns_answer *answer, const char *base,
    struct arena *arena, struct tlsa_set *ret_set);

/* One record by itself: never TLSA_OUTRANKED. */
enum tlsa_use tlsa_usability(
    uint8_t usage, uint8_t selector, uint8_t matching, struct span data);

/* "_25._tcp.mx.example.org" (RFC 6698 3).  False: too long for a name. */
bool tlsa_owner(const char *base, uint16_t port, char ret[TLSA_OWNER_SIZE]);

const char *tlsa_state_name(enum tlsa_state state);
const char *tlsa_use_name(enum tlsa_use use);
