/*
 * The MX host's own name beside the names of an operator: where it is looked
 * at, where it counts, and what may share a connection.
 */
#include "policy/decision.h"

#include "tests/support/policy_key.h"
#include "tests/support/test.h"

static const struct tlsa_set own = {.base = "mx.example"};
static const struct tlsa_set aliased = {.base = "base.example"};
static const char *const match[] = {"operators.example"};

#define FACTS(m, t, s, w, l)                                                 \
	{                                                                    \
		.host = "mx.example", .next_hop = "example",                 \
		.next_hop_expanded = "example", .hop = HOP_MX,               \
		.mx_trust = DNS_##m, .address_trust = DNS_SECURE,            \
		.tlsa = TLSA_##t, .set = &own, .sts = STS_##s,               \
		.sender = SENDER_##w, .level = OPERATOR_##l, .match = match, \
		.nmatch = 1                                                  \
	}

/* The host's name: '-' not looked at, 'r' for the record, 'c' it counts. */
static const struct row {
	const char *rule;
	struct policy_facts facts;
	char host;
	bool sts_counts;
} rows[] = {
    {"no policy", FACTS(INSECURE, NONE, NONE, DEFAULT, NO_RULE), '-', true},
    {"RFC 8461 5 enforce", FACTS(INSECURE, NONE, MATCH, DEFAULT, NO_RULE), 'c',
	true},
    {"RFC 8461 5 testing",
	FACTS(INSECURE, NONE, TESTING_MATCH, DEFAULT, NO_RULE), 'r', true},
    {"RFC 8461 4.1 not its host: nothing to look at",
	FACTS(INSECURE, NONE, TESTING_NO_MATCH, DEFAULT, NO_RULE), '-', true},
    {"RFC 8461 4.2 enforce, and the operator has names of its own",
	FACTS(INSECURE, NONE, MATCH, DEFAULT, VERIFY), 'c', true},
    {"the same in testing: the operator's names alone count",
	FACTS(INSECURE, NONE, TESTING_MATCH, DEFAULT, VERIFY), 'r', true},
    {"RFC 8461 2 DANE decides, and MTA-STS is for the record",
	FACTS(SECURE, USABLE, MATCH, DEFAULT, NO_RULE), 'r', false},
    {"RFC 8461 2 the same with an operator's names",
	FACTS(SECURE, USABLE, MATCH, DEFAULT, VERIFY), 'r', false},
    {"RFC 7672 2.2.1 under an insecure MX both count",
	FACTS(INSECURE, USABLE, MATCH, DEFAULT, VERIFY), 'c', true},
    {"RFC 7672 2.2 unusable records suspend no policy",
	FACTS(SECURE, UNUSABLE, MATCH, DEFAULT, NO_RULE), 'c', true},
    {"RFC 8689 3 waived", FACTS(INSECURE, NONE, MATCH, WAIVES_TLS, VERIFY), 'r',
	false},
    {"RFC 7672 9.1 exempt",
	FACTS(INSECURE, NONE, MATCH, DEFAULT, OPPORTUNISTIC), 'r', false},
    {"RFC 8689 4.2.1 REQUIRETLS: the name from the MX lookup",
	FACTS(SECURE, NONE, NONE, REQUIRES_TLS, VERIFY), 'c', true},
    {"RFC 8689 4.2.1 MTA-STS vouches for that name, if in force",
	FACTS(INSECURE, NONE, MATCH, REQUIRES_TLS, VERIFY), 'c', true},
};

static void
the_hosts_own_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_plan plan = policy_plan(&rows[i].facts);
		bool looked_at = strcmp(plan.host, "mx.example") == 0;

		if (looked_at != (rows[i].host != '-') ||
		    plan.host_counts != (rows[i].host == 'c') ||
		    plan.sts_counts != rows[i].sts_counts)
			fail_msg("%s: \"%s\", %d, %d", rows[i].rule, plan.host,
			    plan.host_counts, plan.sts_counts);
	}
}

/* RFC 8689 2: what the operator wrote down was not looked up. */
static void
a_configured_host_has_the_operators_name(void **state)
{
	struct policy_facts facts = FACTS(
	    FAILED, NONE, NOT_EVALUATED, REQUIRES_TLS, VERIFY);
	struct tls_seen seen = {.got = TLS_GOT_ENCRYPTED, .pkix = true};
	struct tls_plan plan;

	(void)state;
	facts.hop = HOP_CONFIGURED;
	facts.host = "";
	plan = policy_plan(&facts);
	assert_int_equal(policy_judge(&plan, &seen), VERDICT_DELIVER);
	facts.hop = HOP_MX;
	facts.mx_trust = DNS_SECURE;
	plan = policy_plan(&facts);
	assert_int_equal(policy_judge(&plan, &seen), VERDICT_NEXT_HOST);
}

/* RFC 8461 4.2, RFC 8689 4.2.1: a floor raises, it does not loosen. */
static void
operators_names_are_not_enough(void **state)
{
	static const struct policy_facts cases[] = {
	    FACTS(INSECURE, NONE, MATCH, DEFAULT, VERIFY),
	    FACTS(INSECURE, USABLE, MATCH, DEFAULT, VERIFY),
	    FACTS(SECURE, NONE, NONE, REQUIRES_TLS, VERIFY),
	    FACTS(SECURE, NONE, NONE, REQUIRES_TLS, SECURE),
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct tls_plan plan = policy_plan(&cases[i]);
		struct tls_seen seen = {.got = TLS_GOT_ENCRYPTED,
		    .dane = true,
		    .pkix = true,
		    .host_failure = "certificate-host-mismatch"};

		assert_int_equal(policy_judge(&plan, &seen), VERDICT_NEXT_HOST);
		assert_int_equal(policy_got(&plan, &seen), TLS_GOT_ENCRYPTED);
		seen.host = true;
		assert_int_equal(policy_judge(&plan, &seen), VERDICT_DELIVER);
		assert_int_equal(policy_got(&plan, &seen), TLS_GOT_VERIFIED);
		seen.pkix = false;
		assert_int_equal(policy_judge(&plan, &seen), VERDICT_NEXT_HOST);
	}
}

/* RFC 8689 2: said where the session would do for any message. */
static void
requiretls_goes_to_the_hosts_own_name(void **state)
{
	struct policy_facts facts = FACTS(
	    SECURE, NONE, NONE, PREFERS_TLS, VERIFY);

	(void)state;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_NOT);
	facts.nmatch = 0;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_OFFERED);
	facts.nmatch = 1;
	facts.sts = STS_TESTING_MATCH;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_NOT);
	facts.sts = STS_MATCH;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_OFFERED);
	facts.mx_trust = DNS_INSECURE;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_OFFERED);
	facts.level = OPERATOR_SECURE;
	facts.sts = STS_NONE;
	facts.mx_trust = DNS_SECURE;
	facts.nmatch = 0;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_NOT);
	facts.hop = HOP_CONFIGURED;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_OFFERED);
}

/*
 * RFC 8461 7.1 asks for the MX host by SNI and RFC 7672 8.1 for the base
 * domain.  One of them is asked for, and what that shows says nothing of what
 * the other would have shown.
 */
static void
another_name_asked_for_says_nothing(void **state)
{
	struct policy_facts facts = FACTS(
	    SECURE, USABLE, MATCH, DEFAULT, NO_RULE);

	(void)state;
	facts.set = &aliased;
	assert_string_equal(policy_plan(&facts).sni, "base.example");
	assert_string_equal(policy_plan(&facts).host, "");
	facts.sts = STS_TESTING_MATCH;
	assert_string_equal(policy_plan(&facts).host, "");
	/* Where the policy counts, that is the session it gets. */
	facts.mx_trust = DNS_INSECURE;
	assert_string_equal(policy_plan(&facts).host, "mx.example");
	facts.sts = STS_MATCH;
	assert_string_equal(policy_plan(&facts).host, "mx.example");
	assert_true(policy_plan(&facts).host_counts);
}

/* What was not looked at, or did not have to pass, serves nobody who asks. */
static void
connections_are_shared_by_equals(void **state)
{
	static const enum sts_state states[] = {
	    STS_NONE, STS_TESTING_MATCH, STS_MATCH};
	struct policy_facts facts = FACTS(
	    INSECURE, NONE, NONE, DEFAULT, VERIFY);
	char keys[ROWS(states)][POLICY_KEY_TEXT], other[POLICY_KEY_TEXT];

	(void)state;
	for (size_t i = 0; i < ROWS(states); i++) {
		facts.sts = states[i];
		policy_key_of(&facts, keys[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(keys[i], keys[k]);
	}
	facts.host = "mx2.example";
	policy_key_of(&facts, other);
	assert_string_not_equal(other, keys[2]);
	/* Nor does a word of testing stand in the way of a connection. */
	facts.sts = STS_TESTING_NO_MATCH;
	facts.host = "mx.example";
	policy_key_of(&facts, other);
	assert_string_equal(other, keys[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_hosts_own_name),
	    cmocka_unit_test(a_configured_host_has_the_operators_name),
	    cmocka_unit_test(operators_names_are_not_enough),
	    cmocka_unit_test(requiretls_goes_to_the_hosts_own_name),
	    cmocka_unit_test(another_name_asked_for_says_nothing),
	    cmocka_unit_test(connections_are_shared_by_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
