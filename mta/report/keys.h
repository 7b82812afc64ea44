/*
 * The keys that sign reports by mail, out of the bundle that the report role
 * got; no other role has them.
 */
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "reporting/dkim_sign.h"

struct report_keys {
	/* For struct dkim_sign_setup; the selectors are the configuration's. */
	struct dkim_sign_key list[DKIM_SIGN_KEYS_MAX];
	size_t n;           /* 0: nothing can be signed */
	const char *domain; /* d= of all, or NULL */
	struct dkim_key *owned[DKIM_SIGN_KEYS_MAX]; /* those of the list */
};

/*
 * Lent to *ret: the configuration.  -1, and *ret without any: a key is missing
 * or none, though the supervisor has looked at them.
 */
int report_keys_load(const struct config *config, const struct bundle *bundle,
    struct report_keys *ret, struct err *err);
void report_keys_free(struct report_keys *keys);
