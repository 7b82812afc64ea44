/*
 * May a renewed certificate chain be presented?
 *
 * What others find in DNS and in our MTA-STS policies is a promise about the
 * chain they will be shown.  renewal_judge() holds a new chain against it:
 * facts in, verdict out.  A chain that would break the promise does not come
 * into use while the old one is there, and the verdict says what is to be
 * published first.  What could not be looked up is no permission.
 *
 * Pure.  Facts are borrowed for the call; the verdict stands alone.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/sts_policy.h"
#include "tlsa/tlsa.h"

#define RENEWAL_TEXT_SIZE 1024

/* A name that the chain is presented for, and its TLSA records. */
struct renewal_host {
	const char *name;
	enum tlsa_state tlsa; /* LOOKUP_FAILED is the zero, and keeps */
	const char *why;      /* it failed */
	bool matches;         /* the new chain passes by the records */
	bool old_matches;     /* the one in use does */
	/* RFC 7671 8: parameters by which it alone does not, "3 1 2"; or "" */
	const char *astray;
	uint32_t ttl;        /* seconds, of the records */
	const char *publish; /* with !matches: a record that it would match */
};

/* A domain of ours whose mail hosts the chain is presented for. */
struct renewal_domain {
	const char *name;
	enum sts_mode mode; /* of its policy; NONE: it has none, too */
	const char *why;    /* mode is UNKNOWN */
	uint32_t max_age;   /* seconds, of the policy */
	/* The first of its mail hosts for which WebPKI does not vouch for the
	 * new chain, and why; or NULL. */
	const char *host;
	const char *host_why;
	bool old_valid; /* for all of them, that in use */
};

/* What one verdict leaves for the next about the same chain; zero at first. */
struct renewal_memory {
	/* Seconds, of the records there since it did not match some; or 0. */
	uint32_t absent_ttl;
	uint32_t max_age; /* seconds, of policies that refused it */
	int64_t until;    /* when those have gone from caches; or 0 */
};

struct renewal_facts {
	int64_t now;  /* seconds */
	bool has_old; /* false: nothing is in use in its place */
	bool old_expired;
	const struct renewal_host *hosts;
	size_t nhosts;
	const struct renewal_domain *domains;
	size_t ndomains;
	struct renewal_memory memory;
};

enum renewal_step {
	RENEWAL_KEEP = 0, /* what is in use stays in use */
	RENEWAL_LATER,    /* and so it does until memory.until */
	RENEWAL_LOAD,
};

enum renewal_rule {
	RENEWAL_BY_NOTHING = 0,  /* nobody has judged */
	RENEWAL_BY_TLSA,         /* secure records, and none matches */
	RENEWAL_BY_TLSA_UNKNOWN, /* they could not be looked up */
	RENEWAL_BY_STS,          /* a policy in force, and WebPKI says no */
	RENEWAL_BY_STS_UNKNOWN,  /* whether there is one is not known */
	RENEWAL_BY_STS_TESTING,  /* as BY_STS; that in use would pass */
	/* RFC 7671 8.1, RFC 8461 8.3: others may have what was there before */
	RENEWAL_BY_CACHES,
	RENEWAL_FITS,
	RENEWAL_BY_FILES, /* not judged here: they are no chain and its key */
	RENEWAL_RULES,
};

struct renewal_verdict {
	enum renewal_step step;
	enum renewal_rule rule;
	char reason[RENEWAL_TEXT_SIZE];  /* with KEEP and LATER, else "" */
	char remedy[RENEWAL_TEXT_SIZE];  /* the same */
	char warning[RENEWAL_TEXT_SIZE]; /* with LOAD; or "" */
	struct renewal_memory memory;
};

void renewal_judge(
    const struct renewal_facts *facts, struct renewal_verdict *ret);

/* Does it break what is published, as opposed to what is not known? */
bool renewal_rule_contradicts(enum renewal_rule rule);
/* "tlsa", "tlsa-unknown", "mta-sts", ... */
const char *renewal_rule_name(enum renewal_rule rule);
