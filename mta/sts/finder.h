/*
 * The MTA-STS policy that applies to a domain now (RFC 8461 3, 5.1).
 *
 *     TXT record > memory > store > decide > done
 *                                     |
 *                                     `-> fetch > store > decide > done
 *
 * The decision is policy/sts_cache's; here is what it decides about: what DNS
 * says, what is in memory and on disk, and the fetch.  One search runs for a
 * domain at a time, whoever asks; a refresh keeps nobody waiting.
 *
 * Everything learnt is written down before anybody hears of it.  A policy
 * that nobody asks for is refreshed by the walk of sts_finder_tend(), so that
 * it is still there for the next message.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mta/sts/known.h"

struct config;
struct dns;
struct loop;
struct sts_find;
struct sts_finder;

/* Zeroed is the default, but for what must be there. */
struct sts_finder_setup {
	struct loop *loop;           /* outlives it, as do the next two */
	struct dns *dns;             /* whose owner calls dns_process() */
	const struct config *config; /* mta_sts, ca_file, source, state */
	bool only_look;              /* write nothing down, and log nothing */
	/* Once for each new trouble, and with "" when it is over; or NULL. */
	void (*on_trouble)(void *arg, const char *text);
	void *arg;
	bool ask_anew; /* sts_find() fetches, whatever is known */
};

struct sts_finder *sts_finder_new(const struct sts_finder_setup *setup);
/* Not from a callback.  What is under way ends without its callbacks; the loop
 * runs until the worker is done. */
void sts_finder_free(struct sts_finder **finder);

/* Lent for the call; hold `known` to keep it. */
struct sts_found {
	struct sts_answer answer;
	struct sts_known *known;  /* with USE and REFRESH, else or NULL */
	struct sts_record record; /* of the domain */
	uint32_t ttl;             /* seconds for which it may be believed */
	bool fetched;             /* or tried to, for this answer */
	const char *trouble;      /* what a fetch came to, or "" */
	const char *trouble_type; /* RFC 8460 4.3.2, or "" */
};

typedef void sts_found_fn(const struct sts_found *found, void *arg);

/*
 * What is in memory and needs nobody to be asked; false: there is nothing.
 * The hot path: no file, no packet.
 */
bool sts_find_known(
    struct sts_finder *finder, const char *domain, struct sts_found *ret);

/*
 * `domain` in normal form.  Never NULL; the callback comes from the loop or
 * dns_process(), not from in here.  `insist`: mail is refused by the policy,
 * so look for a newer one as far as that may be (RFC 8461 5.1).
 */
struct sts_find *sts_find(struct sts_finder *finder, const char *domain,
    bool insist, sts_found_fn *done, void *arg);
/* `done` is never called.  The search goes on for the others. */
void sts_find_cancel(struct sts_find **find);

/* What the store has of the domain has changed; "": of any. */
void sts_finder_forget(struct sts_finder *finder, const char *domain);

/*
 * Refresh from now on what is due in the store, and drop what is over.  For
 * one process of several.
 */
void sts_finder_tend(struct sts_finder *finder);

/* Why what is on disk is not looked at, though it is there; or NULL. */
const char *sts_finder_blind(const struct sts_finder *finder);

/* What the found policy says of a host, as a fact for policy_plan(). */
enum sts_state sts_found_state(const struct sts_known *known,
    const struct sts_answer *answer, const char *host);
