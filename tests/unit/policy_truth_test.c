/*
 * Every combination of facts and outcomes, held against an independent
 * restatement of the rules: delivered where nothing forbids it, and never
 * where something does.
 */
#include <string.h>

#include "policy/policy.h"

#include "tests/support/policy_key.h"
#include "tests/support/policy_rules.h"
#include "tests/support/test.h"

#define SEEN (8u * TLS_GOT_VERIFIED)

static struct tls_seen
seen_of(unsigned number)
{
	struct tls_seen seen = {
	    .dane = (number & 1) != 0,
	    .pkix = (number & 2) != 0,
	    .host = (number & 4) != 0,
	};

	if (!seen.host)
		seen.host_failure = "certificate-host-mismatch";
	seen.got = (enum tls_got)(number / 8);
	return seen;
}

static struct rule_link
link_of(const struct tls_seen *seen)
{
	return (struct rule_link){.encrypted = seen->got >= TLS_GOT_ENCRYPTED,
	    .dane = seen->dane,
	    .pkix = seen->pkix,
	    .host = seen->host};
}

static void
complain(const struct policy_facts *facts, const struct tls_plan *plan,
    const struct tls_seen *seen, const char *what)
{
	fail_msg("hop=%s mx=%s address=%s tlsa=%s sts=%s sender=%s level=%s "
		 "match=%zu audit=%d: need %s (rule %s), seen %s dane=%d "
		 "pkix=%d host=%d: %s",
	    hop_source_name(facts->hop), dns_trust_name(facts->mx_trust),
	    dns_trust_name(facts->address_trust), tlsa_state_name(facts->tlsa),
	    sts_state_name(facts->sts), sender_wish_name(facts->sender),
	    operator_level_name(facts->level), facts->nmatch,
	    facts->enforcement == AUDIT, tls_need_name(plan->need), plan->rule,
	    tls_got_name(seen->got), seen->dane, seen->pkix, seen->host, what);
}

/*
 * STARTTLS is not tried where the operator forbids it, and tried elsewhere;
 * one certificate is not two things at a time for one name.
 */
static bool
can_come_about(const struct policy_facts *facts, const struct tls_plan *plan,
    const struct tls_seen *seen)
{
	bool operators = (facts->level == OPERATOR_VERIFY &&
			     facts->nmatch > 0) ||
	                 facts->level == OPERATOR_SECURE;

	if (!operators && seen->pkix != seen->host)
		return false;
	if (plan->need == TLS_DEFER)
		return true;
	return (plan->need == TLS_NEVER) == (seen->got == TLS_GOT_NOT_ASKED);
}

static void
check_one(const struct policy_facts *facts, const struct tls_plan *plan,
    const struct tls_seen *seen)
{
	struct rule_link link = link_of(seen);
	const char *why = policy_forbids(facts, &link);
	enum tls_verdict verdict = policy_judge(plan, seen);
	bool clear = seen->got == TLS_GOT_BROKEN;

	if (!can_come_about(facts, plan, seen))
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
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan plan = policy_plan(&facts);

		for (unsigned k = 0; k < SEEN; k++) {
			struct tls_seen seen = seen_of(k);

			check_one(&facts, &plan, &seen);
		}
	}
}

/* What is said would have been refused is what enforcement does refuse. */
static void
audit_tells_what_enforcement_would_do(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS / 2; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan audit, enforce;

		facts.enforcement = AUDIT;
		audit = policy_plan(&facts);
		facts.enforcement = ENFORCE;
		enforce = policy_plan(&facts);
		assert_int_equal(audit.wanted, enforce.need);
		assert_string_equal(audit.rule, enforce.rule);
		for (unsigned k = 0; k < SEEN; k++) {
			struct tls_seen seen = seen_of(k);
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

/* --- MTA-STS in testing mode ---------------------------------------------- */

/* RFC 8461 5: delivered as though there were no failure, or no policy. */
static void
testing_changes_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan with, without;

		if (facts.sts != STS_TESTING_MATCH &&
		    facts.sts != STS_TESTING_NO_MATCH)
			continue;
		with = policy_plan(&facts);
		facts.sts = STS_NONE;
		without = policy_plan(&facts);
		assert_int_equal(with.need, without.need);
		assert_int_equal(with.wanted, without.wanted);
		assert_int_equal(with.source, without.source);
		assert_int_equal(with.onward, without.onward);
		assert_int_equal(with.host_counts, without.host_counts);
		assert_int_equal(with.nmatch, without.nmatch);
		assert_string_equal(with.rule, without.rule);
		assert_string_equal(with.one, without.one);
		assert_string_equal(with.sni, without.sni);
	}
}

/* It says of a connection what the same policy in force does to it. */
static void
check_testing(const struct policy_facts *facts, const struct tls_plan *testing,
    const struct tls_plan *forced)
{
	/* What is in force may vouch for a host, too; testing never does. */
	bool lent = facts->sender == SENDER_REQUIRES_TLS;

	for (unsigned k = 0; k < SEEN; k++) {
		struct tls_seen seen = seen_of(k);
		bool refused = policy_judge(forced, &seen) == VERDICT_NEXT_HOST;
		bool already = policy_judge(testing, &seen) ==
		               VERDICT_NEXT_HOST;
		bool would = policy_testing_would_refuse(testing, &seen);

		if (!can_come_about(facts, testing, &seen) ||
		    seen.got == TLS_GOT_NOTHING)
			continue;
		if (would && !refused)
			complain(facts, testing, &seen, "it would be let in");
		if (refused && !would && !already)
			complain(facts, testing, &seen, "it would be refused");
		if (already && !refused && !lent &&
		    facts->level != OPERATOR_SECURE)
			complain(facts, testing, &seen, "refused for testing");
		if (policy_testing_would_refuse(forced, &seen))
			complain(facts, forced, &seen, "it is in force");
	}
}

static void
testing_tells_what_enforcing_would_do(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS / 2; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan testing, forced;

		facts.enforcement = ENFORCE;
		if (facts.sts != STS_TESTING_MATCH &&
		    facts.sts != STS_TESTING_NO_MATCH)
			continue;
		testing = policy_plan(&facts);
		facts.sts = facts.sts == STS_TESTING_MATCH ? STS_MATCH
		                                           : STS_NO_MATCH;
		forced = policy_plan(&facts);
		check_testing(&facts, &testing, &forced);
	}
}

/* RFC 8460 4: also where DANE decides, or an exemption. */
static void
mta_sts_has_a_verdict_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan plan = policy_plan(&facts);

		assert_int_equal(plan.sts, facts.sts);
		for (unsigned k = 0; k < SEEN; k++) {
			struct tls_seen seen = seen_of(k);
			struct rule_link link = link_of(&seen);
			enum sts_verdict verdict = policy_sts_verdict(
			    &plan, &seen);
			bool seen_any = seen.got > TLS_GOT_NOT_ASKED;

			if (!seen_any && verdict != STS_VERDICT_NONE &&
			    verdict != STS_VERDICT_HOST_NOT_NAMED)
				complain(&facts, &plan, &seen, "a guess");
			if (seen_any &&
			    verdict != policy_rules_of_sts(&facts, &link))
				complain(&facts, &plan, &seen, "MTA-STS");
			if (policy_passes_over_sts(&facts) &&
			    policy_testing_would_refuse(&plan, &seen))
				complain(&facts, &plan, &seen, "not its turn");
		}
	}
}

/* --- what is shared ------------------------------------------------------- */

#define KEYS 1024u

/* The keys there are, each with what is said of all that may be seen. */
static struct shared {
	char key[POLICY_KEY_TEXT];
	struct {
		enum tls_verdict verdict;
		bool would_refuse;
	} said[SEEN];
} shared[KEYS];

/* Its place, or the one it is to have. */
static struct shared *
place_of(const char *key)
{
	unsigned hash = 2166136261u;

	for (const char *c = key; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (unsigned i = 0; i < KEYS; i++) {
		struct shared *one = &shared[(hash + i) % KEYS];

		if (one->key[0] == '\0' || strcmp(one->key, key) == 0)
			return one;
	}
	fail_msg("more than %u keys", KEYS);
	return NULL;
}

static void
check_shared(const struct policy_facts *facts)
{
	struct tls_plan plan = policy_plan(facts);
	char key[POLICY_KEY_TEXT];
	struct shared *one;
	bool is_new;

	if (plan.need == TLS_DEFER)
		return;
	policy_key_of(facts, key);
	one = place_of(key);
	is_new = one->key[0] == '\0';
	memcpy(one->key, key, sizeof(key));
	for (unsigned k = 0; k < SEEN; k++) {
		struct tls_seen seen = seen_of(k);
		enum tls_verdict verdict = policy_judge(&plan, &seen);
		bool would = policy_would_refuse(&plan, &seen);

		if (!is_new && (one->said[k].verdict != verdict ||
				   one->said[k].would_refuse != would))
			complain(facts, &plan, &seen, key);
		one->said[k].verdict = verdict;
		one->said[k].would_refuse = would;
	}
}

/*
 * Who takes a connection over does not judge it again: it must have been
 * judged in the same way.  A host that is an address literal has no name.
 */
static void
what_is_shared_is_judged_alike(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i / 2);

		if (i % 2 == 1)
			facts.host = "";
		check_shared(&facts);
	}
}

/* It decides as any other does; it says nothing of the receiver's policies. */
static void
our_own_fault_decides_as_theirs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan theirs = policy_plan(&facts), ours;

		facts.own_fault = true;
		ours = policy_plan(&facts);
		if (ours.need != theirs.need || ours.wanted != theirs.wanted ||
		    ours.source != theirs.source || ours.rule != theirs.rule ||
		    ours.enhanced != theirs.enhanced)
			fail_msg("%u: %s, and %s", i, ours.rule, theirs.rule);
		if (strcmp(ours.result_type, "dnssec-invalid") == 0)
			fail_msg("%u: told of them: %s", i, ours.why);
	}
}

/* --- the record ----------------------------------------------------------- */

/* Whatever the plan, it says who decided, why, and what it would cost. */
static void
every_plan_says_why(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct policy_facts facts = policy_facts_of(i);
		struct tls_plan plan = policy_plan(&facts);

		assert_true(plan.rule[0] != '\0' && plan.why[0] != '\0');
		assert_non_null(plan.rfc);
		assert_non_null(plan.sni);
		assert_non_null(plan.host);
		assert_true(!plan.host_counts || plan.host[0] != '\0');
		assert_int_equal(
		    plan.wanted == TLS_DEFER, plan.enhanced[0] != '\0');
		if (tls_need_dane(plan.need)) {
			assert_ptr_equal(plan.set, facts.set);
			assert_string_equal(plan.sni, facts.set->base);
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
	    cmocka_unit_test(testing_changes_nothing),
	    cmocka_unit_test(testing_tells_what_enforcing_would_do),
	    cmocka_unit_test(mta_sts_has_a_verdict_of_its_own),
	    cmocka_unit_test(what_is_shared_is_judged_alike),
	    cmocka_unit_test(our_own_fault_decides_as_theirs),
	    cmocka_unit_test(every_plan_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
