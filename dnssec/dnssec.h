/*
 * DNS answers with a verdict.
 *
 * Above this folder a lookup is a name, a type and a struct dns_answer;
 * libunbound, ldns and wire packets stay below.  The folder knows no event
 * loop: the owner watches dns_fd() and calls dns_process() when it is
 * readable, and every callback runs inside that call, never inside
 * dns_lookup().
 *
 * Ownership: a struct dns_query belongs to the resolver.  Its pointer is good
 * until its callback has returned or dns_cancel() has been called, whichever
 * is first.  The answer is lent for the length of the callback.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dnssec/ede.h"

struct dns;
struct dns_query;

/* Ordered: a bigger value deserves more trust; zero deserves none. */
enum dns_trust {
	DNS_FAILED = 0, /* timeout, SERVFAIL, cancelled by shutdown */
	DNS_BOGUS,      /* signed, and the signature is wrong */
	DNS_INSECURE,   /* provably unsigned, or no trust anchor */
	DNS_SECURE,     /* validated, including "there is none" */
};

struct dns_answer {
	enum dns_trust trust;
	bool exists;              /* false: NXDOMAIN or NODATA */
	bool nxdomain;            /* the name has no records of any type */
	bool not_asked;           /* FAILED by a fault of our own: see below */
	const char *canonical;    /* owner name after CNAMEs */
	const struct span *rdata; /* nrdata records, wire format */
	size_t nrdata;
	uint32_t ttl;
	const char *why;  /* for the log when trust is FAILED or BOGUS */
	enum dns_ede ede; /* then, too: RFC 8914, see dnssec/ede.h */
};

typedef void dns_done(const struct dns_answer *answer, void *arg);

/* Part of the tree that is asked at given servers instead of the root. */
struct dns_zone {
	const char *name;
	const char *const *servers; /* "127.0.0.1@5353", NULL-terminated */
	bool insecure;              /* a signed parent does not bind it */
};

/* Strings are copied.  Zero means: the root servers, no trust anchor. */
struct dns_setup {
	const char *trust_anchor; /* file, as unbound-anchor(8) writes it */
	/* RFC 5011: used in its place and kept up to date; see anchor.h. */
	const char *anchor_state;
	uint32_t anchor_holddown; /* seconds; 0: 30 days */
	const char *root_hints;   /* file */
	const struct dns_zone *stubs;
	size_t nstubs;
	const struct dns_zone *forwards;
	size_t nforwards;
	uint32_t timeout_ms;  /* of one lookup; 0: 30 s */
	uint32_t total_ms;    /* of all, from dns_new() on; 0: no end */
	uint32_t lookups_max; /* under way at once; 0: 2000 */
	uint32_t ttl_max;     /* seconds; more is cut to it; 0: a day */
};

/* RFC 2181 8: there is no longer one. */
#define DNS_TTL_MAX 2147483647u

/*
 * Files, names and addresses of the setup are checked here: NULL with
 * ERR_PERM and words for the operator, or ERR_TEMP when the system refuses.
 * libunbound brings a thread of its own: do not fork() afterwards.
 */
struct dns *dns_new(const struct dns_setup *setup, struct err *err);

/* Never from a callback.  Queries under way end without their callbacks. */
void dns_free(struct dns **dns);

/*
 * Readable also when a lookup has passed timeout_ms, so nobody needs to keep
 * a timer for it.  Callbacks may look up and cancel.
 */
int dns_fd(const struct dns *dns);
void dns_process(struct dns *dns);

/*
 * Never NULL.  A name that is none, or one lookup more than lookups_max, is
 * answered DNS_FAILED like the others: by dns_process(), not from in here.
 * `not_asked` says that this tells nothing of the name: there were too many, or
 * the machine had no room.
 * `type` is a number of the IANA registry.  The name is ASCII text; see
 * dns_name_from_domain() for domains of mail addresses.
 */
struct dns_query *dns_lookup(struct dns *dns, const char *name, uint16_t type,
    dns_done *done, void *arg);

/* After this the callback will not run.  Sets *query to NULL. */
void dns_cancel(struct dns_query **query);

const char *dns_trust_name(enum dns_trust trust);
