/*
 * Decisions about one entry of the MTA-STS policy cache (RFC 8461 5.1, 3.3,
 * 10.2): is there a policy for the domain, and has it to be fetched?
 *
 *     sts_cache_ask() --> use, refresh --------------> the policy applies
 *                     |-> none ----------------------> no policy applies
 *                     `-> fetch --> sts_cache_fetched() --> ask once more,
 *                                                           with the same now
 *
 * Pure: the clock, the entry and the answer of DNS are arguments; where
 * entries are kept, and that there is one fetch at a time for a domain, is
 * somebody else's business.  One promise above all: a
 * policy that has not expired is applied, whatever DNS or the policy host
 * say or fail to say; only another policy replaces it.
 *
 * A clock that was set back makes no entry older than it is, drops none, and
 * delays no fetch; what was fetched while it was ahead lives from then on.  One
 * that is ahead by less than a year drops nothing that is not asked for.
 *
 * There is a minute at least from one fetch to the next.  A policy that lives
 * shorter serves all that time where a record stands.
 *
 * Nothing is owned: a policy lives in somebody's arena.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "policy/sts_policy.h"
#include "policy/sts_record.h"

enum sts_entry_state {
	STS_ENTRY_UNKNOWN = 0, /* the cache could not be read: defer */
	STS_ENTRY_EMPTY,       /* it could; no policy has been fetched yet */
	STS_ENTRY_POLICY,      /* expired or not */
};

/* Times are seconds of wall time; 0: never. */
struct sts_entry {
	enum sts_entry_state state;
	struct sts_policy policy;
	char id[STS_ID_MAX + 1]; /* of the record it was fetched for */
	int64_t fetched_at;
	int64_t expires_at; /* the last second it counts */
	int64_t last_used;  /* to a day: see sts_cache_used() */
	int64_t last_try;   /* of the last fetch, whatever came of it */
	char tried_id[STS_ID_MAX + 1]; /* of the last one with a record */
	uint32_t failures; /* fetches since the last that succeeded */
};

enum sts_step {
	STS_STEP_DEFER = 0, /* nothing is known: deliver later */
	STS_STEP_NONE,      /* no policy applies */
	STS_STEP_USE,       /* the policy of the entry applies */
	STS_STEP_REFRESH,   /* the same; fetch it anew in the background */
	STS_STEP_FETCH,     /* wait for a fetch, and ask once more */
};

struct sts_answer {
	enum sts_step step;
	/*
	 * RFC 8461 5.1: DNS was asked, and knows of no newer policy than the
	 * one to use; with STS_STEP_NONE: of none at all.
	 */
	bool current;
	const char *why; /* in words */
	const char *rfc; /* "RFC 8461 5.1" */
};

/*
 * `jitter`: any number, the same for a domain from one fetch to the next; it
 * spreads the refreshes.  The caller delivers to the domain now.
 */
struct sts_answer sts_cache_ask(const struct sts_entry *entry,
    const struct sts_record *record, int64_t now, uint32_t jitter);

enum sts_fetched {
	STS_FETCHED_NOT_TRIED = 0, /* our own fault: nothing is known, defer */
	STS_FETCHED_NOTHING,       /* no connection, no 200, no certificate */
	STS_FETCHED_INVALID,       /* a text that is no policy */
	STS_FETCHED_POLICY,
};

struct sts_fetch {
	enum sts_fetched fetched;
	const struct sts_policy *policy; /* with STS_FETCHED_POLICY */
	const char *id; /* of the record that was found, or "" */
};

/* The entry after a fetch; its policy is that of *old or of *fetch. */
struct sts_entry sts_cache_fetched(
    const struct sts_entry *old, const struct sts_fetch *fetch, int64_t now);

/* RFC 8461 5.1: is there a policy, and has it not expired? */
bool sts_cache_counts(const struct sts_entry *entry, int64_t now);

/*
 * Is it time to fetch the policy anew, with nobody waiting and whatever DNS
 * says?  For a walk through the cache; sts_cache_ask() looks at it, too.
 */
bool sts_cache_is_due(
    const struct sts_entry *entry, int64_t now, uint32_t jitter);

/*
 * RFC 8461 5.1: mail is refused because of the entry's policy.  May it be
 * fetched anew before that is said, although nothing tells of a new one?
 */
bool sts_cache_may_insist(const struct sts_entry *entry, int64_t now);

/*
 * What to go by when the record was not asked for, or a fetch was called for and
 * could not be tried, for a reason of our own.
 */
struct sts_answer sts_cache_untried(const struct sts_entry *entry, int64_t now);

/*
 * The entry serves a delivery.  True: it has changed and is to be written, for
 * the first use in a day or for a clock that was ahead at the fetch.
 */
bool sts_cache_used(struct sts_entry *entry, int64_t now);

/*
 * May the entry be forgotten?  A policy only when a fetch has been tried since
 * it expired; what nobody asks for stays a year more.
 */
bool sts_cache_is_over(const struct sts_entry *entry, int64_t now);

/*
 * RFC 8461 10.2: has the refresh of a policy that counts failed so often
 * that the administrator should know?
 */
bool sts_cache_alerts(const struct sts_entry *entry, int64_t now);

/* Is there a policy to go by? */
bool sts_step_applies(enum sts_step step);

const char *sts_entry_state_name(enum sts_entry_state state);
const char *sts_step_name(enum sts_step step);
