/*
 * What is known of the MTA-STS policy of one domain, shared by who needs it:
 * the finder's table, and each delivery that goes by it.  A policy that is
 * fetched anew is another value; this one stays as it is while it is held.
 */
#pragma once
#include "base/arena.h"
#include "policy/sts_cache.h"

struct sts_known {
	unsigned holders;
	struct arena *arena; /* where the policy is; NULL: there is none */
	/* Its policy never changes; what is known of tries does, and of dates
	 * when a clock was wrong. */
	struct sts_entry entry;
};

/* Held once.  The arena is taken over. */
struct sts_known *sts_known_new(
    struct arena *arena, const struct sts_entry *entry);
struct sts_known *sts_known_hold(struct sts_known *known);
/* The last one frees it; *known is then NULL.  NULL is nothing to drop. */
void sts_known_drop(struct sts_known **known);
/* Octets of memory, or more. */
size_t sts_known_size(const struct sts_known *known);
