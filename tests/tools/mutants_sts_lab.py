#!/usr/bin/python3
"""Does the laboratory notice when MTA-STS is not what it should be?  See
mutation.py; mutants_sts.py breaks the same in smaller pieces.

    mutants_sts_lab.py [WORDS]
"""
import sys

import mutation

LAB = "tests/integration/test_lab_sts.py "
ATTACK = "tests/integration/test_lab_sts_attacker.py "
CHANGES = "tests/integration/test_lab_sts_changes.py "
CACHE, PLAN, FACTS = "policy/sts_cache.c", "policy/plan.c", "mta/facts.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the decision
    ("hosts no policy names get mail", PLAN,
     "if (facts->sts != STS_NO_MATCH)", "if (1)", LAB + "match-other-host"),
    ("a policy asks for nothing", PLAN,
     "return decide(plan, TLS_AUTH_PKIX, SOURCE_STS,",
     "return decide(plan, TLS_MAY, SOURCE_STS,", LAB + "cert-self-signed"),
    ("a policy asks for TLS and no certificate", PLAN,
     "return decide(plan, TLS_AUTH_PKIX, SOURCE_STS,",
     "return decide(plan, TLS_ENCRYPT, SOURCE_STS,", LAB + "cert-other-name"),
    ("DANE does not go before a policy", PLAN,
     "    by_secure_dane,\n    by_sts_filter,", "    by_sts_filter,\n    by_secure_dane,",
     LAB + "dane-not-named"),
    ("a policy makes up for DANE", PLAN,
     "if (facts->tlsa != TLSA_USABLE || hop_trust(facts) != DNS_SECURE)",
     "if (facts->sts == STS_MATCH || facts->tlsa != TLSA_USABLE ||"
     " hop_trust(facts) != DNS_SECURE)", LAB + "dane-own-cert"),
    ("under insecure MX records a policy is enough", PLAN,
     "return decide(plan, TLS_AUTH_BOTH, SOURCE_DANE,",
     "return decide(plan, TLS_AUTH_PKIX, SOURCE_DANE,", LAB + "both-foreign"),
    ("under insecure MX records DANE is enough", PLAN,
     "return decide(plan, TLS_AUTH_BOTH, SOURCE_DANE,",
     "return decide(plan, TLS_AUTH_DANE, SOURCE_DANE,", LAB + "both-cert"),
    ("no usable TLSA record ends a policy", PLAN,
     "    by_sts,\n    by_unusable_tlsa,", "    by_unusable_tlsa,\n    by_sts,",
     LAB + "dane-unusable-cert"),
    ("a policy does nothing for REQUIRETLS", PLAN,
     "if (facts->sender != SENDER_REQUIRES_TLS || facts->sts == STS_MATCH)",
     "if (facts->sender != SENDER_REQUIRES_TLS)", LAB + "rtls-enforce"),
    ("testing is enforced", "policy/sts_policy.c",
     "? STS_TESTING_MATCH\n", "? STS_MATCH\n", LAB + "testing-cert-expired"),
    ("testing is no policy", "policy/sts_policy.c",
     "? STS_TESTING_MATCH\n", "? STS_NONE\n", LAB + "testing-cert-expired"),
    ("a wildcard is for any depth", "policy/sts_policy.c",
     "dot = memchr(host.p, '.', host.n);", "dot = memrchr(host.p, '.', host.n);"
     " for (const char *at = host.p; at < host.p + host.n; at++)"
     " if (span_eq_nocase(span_from(pattern, 1),"
     " span_from(host, (size_t)(at - host.p)))) return true;",
     LAB + "wildcard-two"),
    # --- whose policy
    ("an address is asked for its policy", FACTS,
     "else if (facts_literal(target->host, &literal))", "else if (0)",
     LAB + "no_address_is_asked"),
    ("an exemption is not", FACTS,
     "else if (is_exempt(facts))", "else if (0)", LAB + "rule-may"),
    ("redirects are policies", "mta/net/https_head.c",
     "	head->over = true;\n", "	head->over = true;\n"
     "	if (head->status == 302 || head->status == 410)\n		head->status = 200;\n",
     LAB + "host-found"),
    # --- the cache under attack
    ("no record, no policy", CACHE,
     "return ask_without_id(entry, true, now, jitter);",
     "return (struct sts_answer){STS_STEP_NONE, true, \"\", \"\"};",
     ATTACK + "txt-two"),
    ("a failed lookup is no policy", CACHE,
     "return ask_without_id(entry, false, now, jitter);",
     "return (struct sts_answer){STS_STEP_NONE, false, \"\", \"\"};",
     ATTACK + "txt-bogus"),
    ("a failed fetch ends the policy", CACHE,
     "		entry->failures++;", "		entry->expires_at = 0, entry->failures++;",
     ATTACK + "host-dead-mx-forged"),
    ("a fetch is tried for each message", CACHE,
     "	return elapsed(now, entry->last_try) >= pause;\n",
     "	(void)pause; return true;\n", CHANGES + "again_soon"),
    # --- its changes
    ("what is cached never expires", CACHE,
     "return entry->state == STS_ENTRY_POLICY && now <= entry->expires_at;",
     "(void)now; return entry->state == STS_ENTRY_POLICY;", CHANGES + "expire"),
    ("another id is no news", CACHE,
     "if (cached && strcmp(id, entry->id) == 0)", "if (cached)",
     CHANGES + "new_id"),
    ("ids have an order", CACHE,
     "if (cached && strcmp(id, entry->id) == 0)",
     "if (cached && strcmp(id, entry->id) <= 0)", CHANGES + "counts_at_once"),
    ("nothing is refreshed", CACHE,
     "return sts_cache_counts(entry, now) && is_old(entry, now, jitter) &&",
     "return false && is_old(entry, now, jitter) &&", CHANGES + "refreshed"),
    ("mail waits for a refresh", "mta/sts/search.c",
     "if (search->answer.step == STS_STEP_FETCH ||\n",
     "if (search->answer.step == STS_STEP_FETCH ||"
     " search->answer.step == STS_STEP_REFRESH ||\n", CHANGES + "refreshed"),
    ("nobody looks again", "mta/deliver/delivery_policy.c",
     "return d->sts_doubt == DOUBT_REFUSED", "return false",
     CHANGES + "looked_at_again"),
    ("nobody is told", CACHE, "entry->failures >= ALERT_FAILURES;", "false;",
     CHANGES + "costs_nothing"),
    ("what cannot be read is no policy", "mta/sts/finder.c",
     "	case STS_STEP_DEFER:\n", "	case STS_STEP_DEFER: return STS_NONE;\n",
     CHANGES + "cannot_be_read"),
    ("a clock that was ahead makes a life longer", CACHE,
     "entry->state != STS_ENTRY_POLICY || entry->fetched_at <= now)", "true)",
     CHANGES + "forward_costs"),
    ("what is over is forgotten at once", CACHE,
     "return now - entry->expires_at > YEAR;", "return true;", CHANGES + "ended_no_policy"),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
