/* Private to policy/: the three stages of a plan, and what they share. */
#pragma once
#include "policy/policy.h"

/* Decides, and then the search ends; or says false. */
typedef bool rule_fn(const struct policy_facts *facts, struct tls_plan *plan);

/* Which rule it was, for logs; where it stands; why, in words. */
struct reason {
	const char *rule;
	const char *rfc;
	const char *why;
};

/* Both true, for `return decide(...)`. */
bool decide(struct tls_plan *plan, enum tls_need need, enum tls_source source,
    struct reason reason);
bool defer(struct tls_plan *plan, const char *enhanced, enum tls_source source,
    struct reason reason);

/* Of what named the host: a next hop in the configuration is secure. */
enum dns_trust hop_trust(const struct policy_facts *facts);

/* DNSSEC vouches for the host's name, TLSA records for its certificate. */
bool has_secure_dane(const struct policy_facts *facts);

/* The stages, in this order. */
void plan_raise(const struct policy_facts *facts, struct tls_plan *plan);
void plan_names(const struct policy_facts *facts, struct tls_plan *plan);
void plan_relax(const struct policy_facts *facts, struct tls_plan *plan);
void plan_onward(const struct policy_facts *facts, struct tls_plan *plan);
