/*
 * The rules of the TLS decision once more, slower and the other way round:
 * not "what is decided", but "what forbids it".  Written from the RFCs alone;
 * the truth table and the fuzz target hold policy/ against it.
 */
#pragma once
#include "policy/policy.h"

/* All facts there are, one by its number; the audited are the second half. */
#define POLICY_FACTS (4u * 4u * 4u * 5u * 8u * 6u * 8u * 2u * 2u)
struct policy_facts policy_facts_of(unsigned number);

/* A connection as it stands when MAIL would be sent. */
struct rule_link {
	bool encrypted;
	bool dane; /* a record in use has matched */
	bool pkix; /* WebPKI vouches for a wanted name, */
	bool host; /* for the host's own */
};

/* The sentence that forbids delivery, or NULL: it is allowed. */
const char *policy_forbids(
    const struct policy_facts *facts, const struct rule_link *link);

/* Does anything go before an MTA-STS policy, in force or not? */
bool policy_passes_over_sts(const struct policy_facts *facts);

/* RFC 8461 4, of a policy that is in force or in testing mode. */
enum sts_verdict policy_rules_of_sts(
    const struct policy_facts *facts, const struct rule_link *link);
