/*
 * What the configuration says of a next hop, as facts for the decision.  The
 * delivery and `danelaw explain` fill them in by the same functions.  Pure.
 */
#pragma once
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "policy/policy.h"

/*
 * level, match and enforcement for this next hop at `now` (seconds).  A
 * target that is no SMTP server has no rule: LMTP and Maildir are our own.
 */
void facts_by_operator(const struct config *config, const struct target *target,
    int64_t now, struct policy_facts *facts);

/* Is there any use in looking for TLSA records?  After facts_by_operator(). */
bool facts_want_tlsa(
    const struct target *target, const struct policy_facts *facts);

/*
 * "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]": a host that is an address
 * literal, or an MX record that wrongly holds one, has no name to look up and
 * no DANE (RFC 7672 2.2).
 */
bool facts_literal(const char *host, struct host_address *ret_address);
