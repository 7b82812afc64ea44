/*
 * The TLSA records of a host: which names to ask, and what came of it
 * (RFC 7672 2.2.3).
 *
 * Ownership: as in dnssec/host.h.  The set and its strings live in the arena
 * that was given; the rest of the result is lent for the callback.
 */
#pragma once
#include "dnssec/host.h"
#include "tlsa/tlsa.h"

struct tlsa_find;

/* One question and its answer, for the record. */
struct tlsa_try {
	char owner[TLSA_OWNER_SIZE]; /* asked for */
	char alias[DNS_NAME_SIZE];   /* where CNAMEs led, or "" */
	enum dns_trust trust;
	bool exists;
	char why[200]; /* when trust is FAILED or BOGUS, or it is malformed */
};

struct tlsa_found {
	enum tlsa_state state;
	struct tlsa_set set; /* base is the TLSA base domain, if there is one */
	struct tlsa_try tries[2];
	size_t ntries;
	uint32_t ttl;    /* seconds: the least of what decided */
	bool not_asked;  /* LOOKUP_FAILED by a fault of our own */
	const char *why; /* one line: what decided */
};

typedef void tlsa_found_fn(const struct tlsa_found *found, void *arg);

/*
 * Asks only where host_tlsa_bases() names a base: no question at all for a
 * host whose addresses are not secure (RFC 7672 2.2.2).  Never NULL; the
 * callback comes from dns_process() in every case.  `host` is copied.  The
 * arena is to outlive the search.  Cancelling inside the callback is allowed
 * and does nothing.
 */
struct tlsa_find *tlsa_find(struct dns *dns, const struct host_dns *host,
    uint16_t port, struct arena *arena, tlsa_found_fn *done, void *arg);
void tlsa_find_cancel(struct tlsa_find **find);
