/* What REQUIRETLS does to a plan beside its place among the rules, which
 * policy_test.c has: said onward or not, and what it is not moved by. */
#include "policy/policy.h"

#include "tests/support/test.h"

static const struct tlsa_set set = {.base = "base.example"};

#define FACTS(h, m, a, t, s, w)                                         \
	{                                                               \
		.host = "mx.example", .next_hop = "example",            \
		.next_hop_expanded = "expanded.example",                \
		.level = OPERATOR_NO_RULE, .set = &set, .hop = HOP_##h, \
		.mx_trust = DNS_##m, .address_trust = DNS_##a,          \
		.tlsa = TLSA_##t, .sts = STS_##s, .sender = SENDER_##w  \
	}

/* RFC 8689 4.2.1: a message that can never go is not kept for days. */
static void
requiretls_bounces(void **state)
{
	static const struct policy_facts facts = FACTS(
	    MX, INSECURE, SECURE, NONE, NONE, REQUIRES_TLS);

	(void)state;
	assert_string_equal(policy_plan(&facts).enhanced, "5.7.10");
}

/* One answer that was lost on the way bounces nothing. */
static void
requiretls_waits_for_an_answer(void **state)
{
	static const struct policy_facts facts = FACTS(
	    MX, INSECURE, SECURE, NONE, NOT_OBTAINED, REQUIRES_TLS);
	static const struct policy_facts secure = FACTS(
	    MX, SECURE, SECURE, NONE, NOT_OBTAINED, REQUIRES_TLS);

	(void)state;
	assert_int_equal(policy_plan(&facts).need, TLS_DEFER);
	assert_string_equal(policy_plan(&facts).enhanced, "4.7.5");
	assert_int_equal(policy_plan(&secure).need, TLS_AUTH_PKIX);
}

/* RFC 8689 2: said where the host has proven itself, and only there. */
static void
requiretls_goes_onward(void **state)
{
	static const struct {
		const char *rule;
		struct policy_facts facts;
		enum tls_onward onward;
	} cases[] = {
	    {"DANE", FACTS(MX, SECURE, SECURE, USABLE, NONE, REQUIRES_TLS),
		ONWARD_NEEDED},
	    {"WebPKI", FACTS(MX, SECURE, SECURE, NONE, NONE, REQUIRES_TLS),
		ONWARD_NEEDED},
	    {"not asked for", FACTS(MX, SECURE, SECURE, USABLE, NONE, DEFAULT),
		ONWARD_NOT},
	    {"waived", FACTS(MX, SECURE, SECURE, USABLE, NONE, WAIVES_TLS),
		ONWARD_NOT},
	    {"a bounce", FACTS(MX, SECURE, SECURE, USABLE, NONE, PREFERS_TLS),
		ONWARD_OFFERED},
	    {"a bounce, by MTA-STS",
		FACTS(MX, INSECURE, SECURE, NONE, MATCH, PREFERS_TLS),
		ONWARD_OFFERED},
	    {"a bounce, unverified",
		FACTS(MX, SECURE, SECURE, NONE, NONE, PREFERS_TLS), ONWARD_NOT},
	    {"a bounce, whose host nobody vouches for",
		FACTS(MX, INSECURE, SECURE, USABLE, NONE, PREFERS_TLS),
		ONWARD_NOT},
	    {"only encrypted",
		FACTS(MX, INSECURE, SECURE, NONE, NONE, ENCRYPTS), ONWARD_NOT},
	    {"encrypted and verified",
		FACTS(MX, SECURE, SECURE, USABLE, NONE, ENCRYPTS),
		ONWARD_OFFERED},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++)
		if (policy_plan(&cases[i].facts).onward != cases[i].onward)
			fail_msg("%s", cases[i].rule);
}

/* What the operator exempts or tries out, REQUIRETLS does not care. */
static void
requiretls_is_no_policy_of_ours(void **state)
{
	struct policy_facts facts = FACTS(
	    MX, INSECURE, INSECURE, NONE, NONE, ENCRYPTS);

	(void)state;
	facts.level = OPERATOR_NONE;
	assert_int_equal(policy_plan(&facts).need, TLS_ENCRYPT);
	facts.level = OPERATOR_NO_RULE;
	facts.enforcement = AUDIT;
	assert_int_equal(policy_plan(&facts).need, TLS_ENCRYPT);
	facts.sender = SENDER_PREFERS_TLS;
	assert_int_equal(policy_plan(&facts).need, TLS_MAY);
	facts = (struct policy_facts)FACTS(
	    MX, SECURE, SECURE, USABLE, NONE, PREFERS_TLS);
	facts.enforcement = AUDIT;
	assert_int_equal(policy_plan(&facts).onward, ONWARD_NOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requiretls_bounces),
	    cmocka_unit_test(requiretls_waits_for_an_answer),
	    cmocka_unit_test(requiretls_goes_onward),
	    cmocka_unit_test(requiretls_is_no_policy_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
