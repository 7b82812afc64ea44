/* Every decision there is, against what must be true of its report. */
#include <stdio.h>

#include "reporting/session.h"

#include "tests/support/policy_rules.h"
#include "tests/support/test.h"

static bool
is_tried(enum tls_got got)
{
	return got >= TLS_GOT_NO_OFFER;
}

/* NULL, or what must not be. */
static const char *
forbidden(const struct decision *d, const struct report_outcome *out, size_t n)
{
	const struct policy_facts *facts = &d->facts;
	bool tried = is_tried(d->seen.got);
	bool sts = n > 0 && out[n - 1].type == POLICY_TYPE_STS;
	bool dane = n > 0 && out[0].type == POLICY_TYPE_TLSA;
	bool waived = facts->sender == SENDER_WAIVES_TLS;
	enum sts_verdict verdict = policy_sts_verdict(&d->plan, &d->seen);

	if (n > 0 && waived)
		return "the sender waives TLS";
	if (n > 0 && !tried && d->plan.need != TLS_DEFER)
		return "there was no session";
	if (n == 2 && !(dane && sts))
		return "two of a kind";
	if (sts && !tried && facts->sts != STS_NO_MATCH &&
	    facts->sts != STS_TESTING_NO_MATCH)
		return "a policy without a session";
	if (sts && out[n - 1].failed != (verdict != STS_VERDICT_PASSED))
		return "not what the policy says";
	if (!sts && tried && !waived && verdict != STS_VERDICT_NONE)
		return "the policy is left out";
	if (dane && !out[0].failed && !d->seen.dane)
		return "no record has matched";
	if (dane && out[0].failed && tried && d->seen.dane &&
	    d->seen.got >= TLS_GOT_ENCRYPTED && facts->tlsa == TLSA_USABLE &&
	    d->plan.wanted != TLS_DEFER)
		return "a record has matched";
	if (!dane && tried && !waived && tls_need_dane(d->plan.wanted))
		return "DANE is left out";
	if (dane && out[0].result == RESULT_DANE_REQUIRED &&
	    facts->level != OPERATOR_DANE)
		return "DANE is not mandatory";
	if (n == 1 && out[0].type == POLICY_TYPE_NONE &&
	    (facts->sts >= STS_TESTING_MATCH || facts->tlsa >= TLSA_UNUSABLE ||
		facts->tlsa == TLSA_LOOKUP_FAILED))
		return "there is a policy";
	if (n == 0 && tried && !waived &&
	    (facts->sts == STS_NONE || facts->sts == STS_NOT_OBTAINED) &&
	    facts->tlsa == TLSA_NONE)
		return "no heartbeat";
	return NULL;
}

static void
check_all(const struct decision *decision)
{
	struct report_session session = {.decision = decision};
	struct report_outcome out[REPORT_OUTCOMES];
	size_t n = report_session_of(&session, out);
	const char *why = forbidden(decision, out, n);
	char text[DECISION_TEXT_SIZE];

	for (size_t i = 0; i < n && why == NULL; i++) {
		if (out[i].failed != (out[i].result != RESULT_OTHER))
			why = "a failure without a type";
		if (out[i].domain == NULL || out[i].domain[0] == '\0')
			why = "no domain";
	}
	if (why == NULL)
		return;
	decision_text(&decision->plan, &decision->seen, text);
	fail_msg("%s: tlsa=%s sts=%s level=%s audit=%d: %zu outcomes; %s", text,
	    tlsa_state_name(decision->facts.tlsa),
	    sts_state_name(decision->facts.sts),
	    operator_level_name(decision->facts.level),
	    decision->facts.enforcement == AUDIT, n, why);
}

static void
all_decisions_are_reported_as_they_must(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICY_FACTS; i++) {
		struct decision decision = {.facts = policy_facts_of(i)};

		decision.facts.next_hop = "example.org";
		decision.plan = policy_plan(&decision.facts);
		for (unsigned k = 0; k < 4u * TLS_GOT_VERIFIED; k++) {
			decision.seen = (struct tls_seen){
			    .got = (enum tls_got)(k / 4),
			    .dane = (k & 1) != 0,
			    .host = (k & 2) != 0};
			if (!decision.seen.dane)
				decision.seen.failure = "validation-failure";
			if (!decision.seen.host)
				decision.seen
				    .host_failure = "certificate-expired";
			check_all(&decision);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_decisions_are_reported_as_they_must),
	};

	return cmocka_run_group_tests_name("report_truth", tests, NULL, NULL);
}
