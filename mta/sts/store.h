/*
 * The cache of MTA-STS policies on disk (RFC 8461 3.3, 5.1): an SQLite file
 * in the state folder, one row a domain.  It outlives the process, the
 * machine's crash and the domain's own DNS.
 *
 *   sts.db        the rows; mode 0600, of the roles' account
 *   sts.lock      whoever writes has it locked: one at a time
 *
 * Not to be able to read it is never "no policy": the caller defers.  So a
 * file that cannot be understood is not set aside by itself, which would
 * forget every policy in it; sts_store_reset() does that, for an operator.
 *
 * All calls may block, and belong on a worker thread; one thread at a time
 * uses a store.  Several processes may.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/sts_cache.h"

#define STS_STORE_FILE "sts.db"

struct sts_store;

/*
 * `wait_ms`: for others who write.  -1: there can be no file in `folder`, or
 * it is not ours; *ret is there either way, and each later call may work all
 * the same once it is mended.
 */
int sts_store_open(const char *folder, unsigned wait_ms, struct sts_store **ret,
    struct err *err);
void sts_store_close(struct sts_store **store);

/*
 * The entry of a domain (in normal form, dnssec/name.h), STS_ENTRY_EMPTY
 * where there is none; its policy is on the arena.  -1: *ret is zeroed, which
 * is STS_ENTRY_UNKNOWN.
 */
int sts_store_get(struct sts_store *store, const char *domain,
    struct arena *arena, struct sts_entry *ret, struct err *err);

/*
 * Durable when it returns 0.  The whole entry replaces what is there, but one
 * whose policy is older (by fetched_at), or that has none, leaves the policy
 * alone and changes what is known of tries and use.
 */
int sts_store_put(struct sts_store *store, const char *domain,
    const struct sts_entry *entry, struct err *err);

/* *ret_n: rows that are gone; none is no error. */
int sts_store_forget(struct sts_store *store, const char *domain, size_t *ret_n,
    struct err *err);

/* sts_cache_is_over(): rows that nobody will miss, at most `most` of them. */
int sts_store_sweep(struct sts_store *store, int64_t now, size_t most,
    size_t *ret_n, struct err *err);

/* The entry is lent for the call. */
typedef void sts_store_fn(
    const char *domain, const struct sts_entry *entry, void *arg);

/*
 * Every domain, in the order of their names.  -1 also when a row could not be
 * understood, after all others.
 */
int sts_store_each(
    struct sts_store *store, sts_store_fn *fn, void *arg, struct err *err);

/*
 * Those that may be sts_cache_is_due() by now, the ones that expire first
 * first, at most `most`.  The caller asks sts_cache_is_due() itself, which
 * knows the jitter.  -1 as with all of them.
 */
int sts_store_each_old(struct sts_store *store, int64_t now, size_t most,
    sts_store_fn *fn, void *arg, struct err *err);

/*
 * Forget everything.  1: the file was unreadable, or a row in it, and is kept
 * as sts.db.damaged.
 */
int sts_store_reset(const char *folder, unsigned wait_ms, struct err *err);
