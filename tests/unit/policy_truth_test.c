/*
 * Every combination of facts and outcomes, held against an independent
 * restatement of the rules: delivered where nothing forbids it, and never
 * where something does.
 */
#include "policy/policy.h"

#include "tests/support/policy_rules.h"
#include "tests/support/test.h"

#define HOPS     4u
#define TRUSTS   4u
#define TLSAS    5u
#define STSES    6u
#define SENDERS  6u
#define LEVELS   8u
#define ENFORCES 2u
#define ALL \
	(HOPS * TRUSTS * TRUSTS * TLSAS * STSES * SENDERS * LEVELS * ENFORCES)

static const struct tlsa_set set = {.base = "base.example"};

static unsigned
digit(unsigned *number, unsigned base)
{
	unsigned result = *number % base;

	*number /= base;
	return result;
}

static struct policy_facts
facts_of(unsigned number)
{
	struct policy_facts facts = {.host = "mx.example",
	    .next_hop = "example",
	    .next_hop_expanded = "example",
	    .set = &set};

	facts.hop = (enum hop_source)digit(&number, HOPS);
	facts.mx_trust = (enum dns_trust)digit(&number, TRUSTS);
	facts.address_trust = (enum dns_trust)digit(&number, TRUSTS);
	facts.tlsa = (enum tlsa_state)digit(&number, TLSAS);
	facts.sts = (enum sts_state)digit(&number, STSES);
	facts.sender = (enum sender_wish)digit(&number, SENDERS);
	facts.level = (enum operator_level)digit(&number, LEVELS);
	facts.enforcement = (enum enforcement)digit(&number, ENFORCES);
	return facts;
}

static void
complain(const struct policy_facts *facts, const struct tls_plan *plan,
    const struct tls_seen *seen, const char *what)
{
	fail_msg("hop=%s mx=%s address=%s tlsa=%s sts=%s sender=%s level=%s "
		 "audit=%d: need %s (rule %s), seen %s dane=%d pkix=%d: %s",
	    hop_source_name(facts->hop), dns_trust_name(facts->mx_trust),
	    dns_trust_name(facts->address_trust), tlsa_state_name(facts->tlsa),
	    sts_state_name(facts->sts), sender_wish_name(facts->sender),
	    operator_level_name(facts->level), facts->enforcement == AUDIT,
	    tls_need_name(plan->need), plan->rule, tls_got_name(seen->got),
	    seen->dane, seen->pkix, what);
}

/* STARTTLS is not tried where the operator forbids it, and tried elsewhere. */
static bool
can_come_about(const struct tls_plan *plan, const struct tls_seen *seen)
{
	if (plan->need == TLS_DEFER)
		return true;
	return (plan->need == TLS_NEVER) == (seen->got == TLS_GOT_NOT_ASKED);
}

static void
check_one(const struct policy_facts *facts, const struct tls_plan *plan,
    const struct tls_seen *seen)
{
	struct rule_link link = {.encrypted = seen->got >= TLS_GOT_ENCRYPTED,
	    .dane = seen->dane,
	    .pkix = seen->pkix};
	const char *why = policy_forbids(facts, &link);
	enum tls_verdict verdict = policy_judge(plan, seen);
	bool clear = seen->got == TLS_GOT_BROKEN;

	if (!can_come_about(plan, seen))
		return;
	if (seen->got == TLS_GOT_NOTHING)
		why = "nothing was seen";
	if (why != NULL && verdict != VERDICT_NEXT_HOST)
		complain(facts, plan, seen, why);
	if (why == NULL && verdict != (clear ? VERDICT_CLEAR : VERDICT_DELIVER))
		complain(facts, plan, seen, "nothing forbids it");
}

static void
no_combination_delivers_less_than_the_rules_demand(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		struct policy_facts facts = facts_of(i);
		struct tls_plan plan = policy_plan(&facts);

		for (unsigned k = 0; k < 4 * TLS_GOT_VERIFIED; k++) {
			struct tls_seen seen = {
			    .got = (enum tls_got)(k / 4),
			    .dane = (k & 1) != 0,
			    .pkix = (k & 2) != 0,
			};

			check_one(&facts, &plan, &seen);
		}
	}
}

/* What is said would have been refused is what enforcement does refuse. */
static void
audit_tells_what_enforcement_would_do(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		struct policy_facts facts = facts_of(i);
		struct tls_plan audit, enforce;

		facts.enforcement = AUDIT;
		audit = policy_plan(&facts);
		facts.enforcement = ENFORCE;
		enforce = policy_plan(&facts);
		assert_int_equal(audit.wanted, enforce.need);
		assert_string_equal(audit.rule, enforce.rule);
		for (unsigned k = 0; k < 4 * TLS_GOT_VERIFIED; k++) {
			struct tls_seen seen = {
			    .got = (enum tls_got)(k / 4),
			    .dane = (k & 1) != 0,
			    .pkix = (k & 2) != 0,
			};
			bool refused = policy_judge(&enforce, &seen) ==
			               VERDICT_NEXT_HOST;

			if (audit.need != enforce.need &&
			    policy_would_refuse(&audit, &seen) != refused)
				complain(&facts, &audit, &seen, "audit lies");
			if (policy_would_refuse(&enforce, &seen))
				complain(&facts, &enforce, &seen, "no audit");
		}
	}
}

/* Whatever the plan, it says who decided, why, and what it would cost. */
static void
every_plan_says_why(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		struct policy_facts facts = facts_of(i);
		struct tls_plan plan = policy_plan(&facts);

		assert_true(plan.rule[0] != '\0' && plan.why[0] != '\0');
		assert_non_null(plan.rfc);
		assert_non_null(plan.sni);
		assert_int_equal(
		    plan.wanted == TLS_DEFER, plan.enhanced[0] != '\0');
		if (tls_need_dane(plan.need)) {
			assert_ptr_equal(plan.set, &set);
			assert_string_equal(plan.sni, set.base);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		no_combination_delivers_less_than_the_rules_demand),
	    cmocka_unit_test(audit_tells_what_enforcement_would_do),
	    cmocka_unit_test(every_plan_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
