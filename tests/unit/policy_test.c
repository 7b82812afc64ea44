#include "policy/policy.h"

#include "tests/support/test.h"

#define FACTS(h, m, a, t, s, w)                                                \
	{                                                                      \
		.hop = HOP_##h, .mx_trust = DNS_##m, .address_trust = DNS_##a, \
		.tlsa = TLSA_##t, .sts = STS_##s, .sender = SENDER_##w         \
	}

static const struct row {
	const char *rule; /* printed when the row fails */
	struct policy_facts facts;
	enum tls_need need;
	enum tls_source source;
} rows[] = {
    {"a forgotten field fails closed (zeroed)", {0}, TLS_DEFER, SOURCE_DNS},
    {"a forgotten field fails closed",
	FACTS(UNKNOWN, FAILED, FAILED, LOOKUP_FAILED, UNKNOWN, UNKNOWN),
	TLS_DEFER, SOURCE_DNS},
    {"RFC 7435 3 no policy evaluated is opportunistic",
	FACTS(MX, INSECURE, INSECURE, NOT_EVALUATED, NOT_EVALUATED, DEFAULT),
	TLS_MAY, SOURCE_NONE},
    {"RFC 7672 2.1.2 an unknown hop defers",
	FACTS(UNKNOWN, SECURE, SECURE, NONE, NONE, DEFAULT), TLS_DEFER,
	SOURCE_DNS},
    {"RFC 7672 2.1.2 MX failed defers",
	FACTS(MX, FAILED, SECURE, NOT_EVALUATED, NOT_EVALUATED, DEFAULT),
	TLS_DEFER, SOURCE_DNS},
    {"RFC 7672 2.1.2 MX bogus defers",
	FACTS(MX, BOGUS, SECURE, NOT_EVALUATED, NOT_EVALUATED, DEFAULT),
	TLS_DEFER, SOURCE_DNS},
    {"RFC 7672 2.1.2 implicit MX after a failed lookup defers",
	FACTS(IMPLICIT, FAILED, SECURE, NOT_EVALUATED, NOT_EVALUATED, DEFAULT),
	TLS_DEFER, SOURCE_DNS},
    {"RFC 7672 2.1.2 MX bogus defers even when TLS is waived",
	FACTS(MX, BOGUS, SECURE, NONE, NONE, WAIVES_TLS), TLS_DEFER,
	SOURCE_DNS},
    {"RFC 5321 5.1 implicit MX delivers",
	FACTS(IMPLICIT, INSECURE, INSECURE, NOT_EVALUATED, NOT_EVALUATED,
	    DEFAULT),
	TLS_MAY, SOURCE_NONE},
    {"a configured hop needs no MX lookup",
	FACTS(CONFIGURED, FAILED, INSECURE, NOT_EVALUATED, NOT_EVALUATED,
	    DEFAULT),
	TLS_MAY, SOURCE_NONE},
    {"a configured hop counts as secure for DANE",
	FACTS(CONFIGURED, FAILED, SECURE, USABLE, NOT_EVALUATED, REQUIRES_TLS),
	TLS_AUTH_DANE, SOURCE_DANE},
    {"RFC 7672 2.1.2 addresses failed: host skipped",
	FACTS(MX, SECURE, FAILED, NONE, NONE, DEFAULT), TLS_DEFER, SOURCE_DNS},
    {"RFC 7672 2.1.2 addresses bogus: host skipped",
	FACTS(MX, SECURE, BOGUS, NONE, NONE, DEFAULT), TLS_DEFER, SOURCE_DNS},
    {"a forgotten wish of the sender defers",
	FACTS(MX, SECURE, SECURE, NONE, NONE, UNKNOWN), TLS_DEFER,
	SOURCE_SENDER},
    {"RFC 8689 3 TLS-Required: No goes before the receiver's policies",
	FACTS(MX, SECURE, SECURE, USABLE, NO_MATCH, WAIVES_TLS), TLS_MAY,
	SOURCE_SENDER},
    {"RFC 7672 2.1.2 TLSA lookup failure defers",
	FACTS(MX, SECURE, SECURE, LOOKUP_FAILED, NONE, DEFAULT), TLS_DEFER,
	SOURCE_DANE},
    {"RFC 7672 2.1.2 TLSA lookup failure is not rescued by MTA-STS",
	FACTS(MX, INSECURE, SECURE, LOOKUP_FAILED, MATCH, DEFAULT), TLS_DEFER,
	SOURCE_DANE},
    {"RFC 8461 2 DANE goes before MTA-STS",
	FACTS(MX, SECURE, SECURE, USABLE, MATCH, DEFAULT), TLS_AUTH_DANE,
	SOURCE_DANE},
    {"RFC 8461 2 a policy that does not match does not stop DANE",
	FACTS(MX, SECURE, SECURE, USABLE, NO_MATCH, DEFAULT), TLS_AUTH_DANE,
	SOURCE_DANE},
    {"RFC 8461 5.1 an unknown policy is not no policy",
	FACTS(MX, SECURE, SECURE, NONE, UNKNOWN, DEFAULT), TLS_DEFER,
	SOURCE_STS},
    {"RFC 8461 4.1 a host outside the policy is out",
	FACTS(MX, INSECURE, INSECURE, NONE, NO_MATCH, DEFAULT), TLS_DEFER,
	SOURCE_STS},
    {"RFC 8461 4.1 also with TLSA records under an insecure MX",
	FACTS(MX, INSECURE, SECURE, USABLE, NO_MATCH, DEFAULT), TLS_DEFER,
	SOURCE_STS},
    {"RFC 8689 4.2.1 REQUIRETLS wants authentication, not encryption",
	FACTS(MX, SECURE, SECURE, UNUSABLE, NONE, REQUIRES_TLS), TLS_DEFER,
	SOURCE_SENDER},
    {"RFC 8689 4.2.1 REQUIRETLS without any policy evaluated",
	FACTS(MX, SECURE, SECURE, NOT_EVALUATED, NOT_EVALUATED, REQUIRES_TLS),
	TLS_DEFER, SOURCE_SENDER},
    {"RFC 8689 4.2.1 REQUIRETLS: TLSA under an insecure MX is not enough",
	FACTS(MX, INSECURE, SECURE, USABLE, TESTING, REQUIRES_TLS), TLS_DEFER,
	SOURCE_SENDER},
    {"RFC 8689 4.2.1 REQUIRETLS: MTA-STS will do",
	FACTS(MX, INSECURE, INSECURE, NONE, MATCH, REQUIRES_TLS), TLS_AUTH_PKIX,
	SOURCE_STS},
    {"RFC 7672 2.2.1 insecure MX, TLSA and MTA-STS: both must pass",
	FACTS(MX, INSECURE, SECURE, USABLE, MATCH, DEFAULT), TLS_AUTH_BOTH,
	SOURCE_DANE},
    {"RFC 7672 2.2 usable records count under an insecure MX too",
	FACTS(MX, INSECURE, SECURE, USABLE, TESTING, DEFAULT), TLS_AUTH_DANE,
	SOURCE_DANE},
    {"RFC 8461 5 enforce", FACTS(MX, INSECURE, INSECURE, NONE, MATCH, DEFAULT),
	TLS_AUTH_PKIX, SOURCE_STS},
    {"RFC 8461 5 enforce beside unusable TLSA records",
	FACTS(MX, SECURE, SECURE, UNUSABLE, MATCH, DEFAULT), TLS_AUTH_PKIX,
	SOURCE_STS},
    {"RFC 8461 5 testing enforces nothing",
	FACTS(MX, INSECURE, INSECURE, NONE, TESTING, DEFAULT), TLS_MAY,
	SOURCE_NONE},
    {"RFC 7672 2.2 unusable records still encrypt",
	FACTS(MX, SECURE, SECURE, UNUSABLE, NONE, DEFAULT), TLS_ENCRYPT,
	SOURCE_DANE},
    {"secure DNS alone demands nothing",
	FACTS(MX, SECURE, SECURE, NONE, NONE, DEFAULT), TLS_MAY, SOURCE_NONE},
};

static void
plan_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_plan got = policy_plan(&rows[i].facts);

		if (got.need != rows[i].need || got.source != rows[i].source)
			fail_msg("%s: got %s by %s", rows[i].rule,
			    tls_need_name(got.need),
			    tls_source_name(got.source));
		if (got.why[0] == '\0')
			fail_msg("%s: says nothing", rows[i].rule);
		if ((got.need == TLS_DEFER) != (got.enhanced[0] != '\0'))
			fail_msg("%s: code \"%s\"", rows[i].rule, got.enhanced);
	}
}

/* With one fact at zero nothing may come out below what was planned. */
static void
each_zero_fact_defers(void **state)
{
	static const struct policy_facts whole = FACTS(
	    MX, INSECURE, INSECURE, NOT_EVALUATED, NOT_EVALUATED, DEFAULT);

	(void)state;
	for (int field = 0; field < 6; field++) {
		struct policy_facts facts = whole;

		if (field == 0)
			facts.hop = (enum hop_source)0;
		if (field == 1)
			facts.mx_trust = (enum dns_trust)0;
		if (field == 2)
			facts.address_trust = (enum dns_trust)0;
		if (field == 3)
			facts.tlsa = (enum tlsa_state)0;
		if (field == 4)
			facts.sts = (enum sts_state)0;
		if (field == 5)
			facts.sender = (enum sender_wish)0;
		if (policy_plan(&facts).need != TLS_DEFER)
			fail_msg("field %d", field);
	}
	assert_int_equal(policy_plan(&whole).need, TLS_MAY);
}

/* RFC 8689 4.2.1: a message that can never go is not kept for days. */
static void
requiretls_bounces(void **state)
{
	static const struct policy_facts facts = FACTS(
	    MX, SECURE, SECURE, NONE, NONE, REQUIRES_TLS);

	(void)state;
	assert_string_equal(policy_plan(&facts).enhanced, "5.7.10");
}

static void
dane_plans_carry_the_set(void **state)
{
	struct policy_facts facts = FACTS(
	    MX, SECURE, SECURE, USABLE, NONE, DEFAULT);

	(void)state;
	facts.set = (const struct tlsa_set *)(const void *)&facts;
	assert_ptr_equal(policy_plan(&facts).set, facts.set);
	facts.tlsa = TLSA_NONE;
	assert_null(policy_plan(&facts).set);
}

static void
judge_table(void **state)
{
	enum {
		D = VERDICT_DELIVER,
		N = VERDICT_NEXT_HOST,
		C = VERDICT_CLEAR
	};
	static const struct {
		enum tls_need need;
		/* nothing, no offer, refused, broken, encrypted, verified */
		int verdict[6];
	} judged[] = {
	    {TLS_DEFER, {N, N, N, N, N, N}},
	    {TLS_MAY, {N, D, D, C, D, D}}, /* RFC 7435 3 */
	    {TLS_ENCRYPT, {N, N, N, N, D, D}},
	    {TLS_AUTH_PKIX, {N, N, N, N, N, D}},
	    {TLS_AUTH_DANE, {N, N, N, N, N, D}},
	    {TLS_AUTH_BOTH, {N, N, N, N, N, D}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(judged); i++)
		for (int got = 0; got < 6; got++) {
			struct tls_plan plan = {.need = judged[i].need};
			struct tls_seen seen = {.got = (enum tls_got)got};
			enum tls_verdict verdict = policy_judge(&plan, &seen);

			if ((int)verdict != judged[i].verdict[got])
				fail_msg("%s after %s: %s",
				    tls_need_name(plan.need),
				    tls_got_name(seen.got),
				    tls_verdict_name(verdict));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan_table),
	    cmocka_unit_test(each_zero_fact_defers),
	    cmocka_unit_test(requiretls_bounces),
	    cmocka_unit_test(dane_plans_carry_the_set),
	    cmocka_unit_test(judge_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
