/*
 * The resolver as the configuration describes it.
 *
 * Ownership: strings are the configuration's, which must outlive the value.
 */
#pragma once
#include "dnssec/dnssec.h"
#include "mta/config.h"

struct dns;

/* NULL with words for the operator; see dns_new(). */
struct dns *resolver_open(const struct config *config, struct err *err);
/*
 * For one command: all of its lookups end by then, and each may take as long;
 * 0: each by itself alone, as the configuration says.  It tells each TTL as it
 * is.
 */
struct dns *resolver_open_for(
    const struct config *config, uint32_t total_ms, struct err *err);

struct resolver_setup {
	struct dns_setup dns;
	struct dns_zone *stubs;
	struct dns_zone *forwards;
};

void resolver_setup_make(
    const struct config *config, struct resolver_setup *ret);
void resolver_setup_free(struct resolver_setup *setup);
