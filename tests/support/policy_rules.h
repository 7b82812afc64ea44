/*
 * The rules of the TLS decision once more, slower and the other way round:
 * not "what is decided", but "what forbids it".  Written from the RFCs alone;
 * the truth table and the fuzz target hold policy/ against it.
 */
#pragma once
#include "policy/policy.h"

/* A connection as it stands when MAIL would be sent. */
struct rule_link {
	bool encrypted;
	bool dane; /* a record in use has matched */
	bool pkix; /* WebPKI vouches for a wanted name */
};

/* The sentence that forbids delivery, or NULL: it is allowed. */
const char *policy_forbids(
    const struct policy_facts *facts, const struct rule_link *link);
