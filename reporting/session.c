#include "reporting/session.h"

#include "dnssec/rdata.h"
#include "reporting/result.h"

static const char *
text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* TLS was tried and came about or not; a connection that failed is no such. */
static bool
was_made(const struct decision *decision)
{
	switch (decision->seen.got) {
	case TLS_GOT_NO_OFFER:
	case TLS_GOT_REFUSED:
	case TLS_GOT_BROKEN:
	case TLS_GOT_ENCRYPTED:
	case TLS_GOT_VERIFIED:
		return true;
	case TLS_GOT_NOTHING:
	case TLS_GOT_NOT_ASKED:
		break;
	}
	return false;
}

/* Or the host was given up for what the lookups or a policy say. */
static bool
was_attempted(const struct decision *decision)
{
	const struct tls_plan *plan = &decision->plan;

	return was_made(decision) ||
	       (plan->need == TLS_DEFER && plan->result_type[0] != '\0');
}

static void
fail(struct report_outcome *outcome, enum tls_result result, const char *reason)
{
	outcome->failed = true;
	/* RFC 8460 4.3.3: what fits nowhere */
	outcome->result = result == RESULT_OTHER ? RESULT_VALIDATION_FAILURE
	                                         : result;
	outcome->reason = text_or_empty(reason);
}

/* RFC 8460 4.3.1: no TLS; a failure under any policy.  False: there was. */
static bool
fail_without_tls(
    const struct report_session *session, struct report_outcome *outcome)
{
	switch (session->decision->seen.got) {
	case TLS_GOT_NO_OFFER:
		fail(outcome, RESULT_STARTTLS_NOT_SUPPORTED, "");
		return true;
	case TLS_GOT_REFUSED:
		fail(outcome, RESULT_STARTTLS_NOT_SUPPORTED,
		    "STARTTLS was refused");
		return true;
	case TLS_GOT_BROKEN:
		fail(outcome, RESULT_VALIDATION_FAILURE, session->tls_why);
		return true;
	case TLS_GOT_NOTHING:
	case TLS_GOT_NOT_ASKED:
	case TLS_GOT_ENCRYPTED:
	case TLS_GOT_VERIFIED:
		break;
	}
	return false;
}

static struct report_outcome
outcome_of(const struct decision *decision, enum report_policy_type type)
{
	return (struct report_outcome){.type = type,
	    .domain = decision->facts.next_hop,
	    .reason = "",
	    .mx_host = text_or_empty(decision->facts.host)};
}

/* --- DANE ----------------------------------------------------------------- */

static bool
has_records(const struct policy_facts *facts)
{
	return (facts->tlsa == TLSA_USABLE || facts->tlsa == TLSA_UNUSABLE) &&
	       facts->set != NULL;
}

/*
 * RFC 8460 1.1: the TLSA base domain; where a lookup failed, the name that
 * was to be it.
 */
static const char *
tlsa_domain(const struct policy_facts *facts)
{
	if (has_records(facts))
		return facts->set->base;
	return facts->host == NULL || facts->host[0] == '\0' ? facts->next_hop
	                                                     : facts->host;
}

/* RFC 8460 4.3.2.1: the host is out before anything is connected to. */
static bool
fail_by_plan(const struct decision *decision, struct report_outcome *outcome)
{
	const struct tls_plan *plan = &decision->plan;
	enum tls_result result = tls_result_of(span_of(plan->result_type));

	if (plan->wanted != TLS_DEFER ||
	    (result != RESULT_DNSSEC_INVALID && result != RESULT_DANE_REQUIRED))
		return false;
	/* There are validated records, so they are what is wrong. */
	if (result == RESULT_DANE_REQUIRED &&
	    decision->facts.tlsa == TLSA_UNUSABLE)
		result = RESULT_TLSA_INVALID;
	fail(outcome, result, plan->why);
	return true;
}

/* False: it was not looked at whether the records match. */
static bool
judge_records(
    const struct report_session *session, struct report_outcome *outcome)
{
	const struct decision *decision = session->decision;
	const struct tls_seen *seen = &decision->seen;

	if (fail_without_tls(session, outcome))
		return true;
	/* RFC 8460 4.3.2.1: "None of the records ... were found to be valid" */
	if (decision->facts.tlsa == TLSA_UNUSABLE) {
		fail(outcome, RESULT_TLSA_INVALID, "no usable TLSA records");
		return true;
	}
	if (seen->dane)
		return true;
	if (!tls_need_dane(decision->plan.wanted))
		return false;
	fail(outcome, tls_result_of(span_of(seen->failure)), session->dane_why);
	return true;
}

static bool
by_dane(const struct report_session *session, struct report_outcome *outcome)
{
	const struct decision *decision = session->decision;
	const struct policy_facts *facts = &decision->facts;

	*outcome = outcome_of(decision, POLICY_TYPE_TLSA);
	outcome->domain = tlsa_domain(facts);
	outcome->set = has_records(facts) ? facts->set : NULL;
	if (fail_by_plan(decision, outcome))
		return true;
	return has_records(facts) && was_made(decision) &&
	       judge_records(session, outcome);
}

/* --- MTA-STS -------------------------------------------------------------- */

/* The domain says that it has a policy, and that was not to be had. */
static bool
lacks_policy(const struct report_session *session)
{
	const struct decision *decision = session->decision;

	return decision->facts.sts == STS_NOT_OBTAINED &&
	       text_or_empty(session->sts_trouble)[0] != '\0' &&
	       session->sts_record == STS_RECORD_FOUND && was_made(decision);
}

/* RFC 8460 4.3.2.2 */
static bool
fail_without_policy(
    const struct report_session *session, struct report_outcome *outcome)
{
	enum tls_result result;

	if (!lacks_policy(session))
		return false;
	result = tls_result_of(span_of(session->sts_trouble));
	/* A host that was not found or not reached, by us; the others spoke. */
	if (session->decision->facts.own_fault &&
	    result == RESULT_STS_POLICY_FETCH_ERROR)
		return false;
	fail(outcome, result, session->sts_why);
	return true;
}

/* RFC 8461 5: in testing mode as in force. */
static bool
by_sts(const struct report_session *session, struct report_outcome *outcome)
{
	const struct decision *decision = session->decision;
	const struct tls_seen *seen = &decision->seen;

	*outcome = outcome_of(decision, POLICY_TYPE_STS);
	if (fail_without_policy(session, outcome))
		return true;
	outcome->sts = session->sts;
	if (session->sts != NULL)
		outcome->text = session->sts->text;
	switch (policy_sts_verdict(&decision->plan, seen)) {
	case STS_VERDICT_NONE:
		break;
	case STS_VERDICT_PASSED:
		return true;
	case STS_VERDICT_HOST_NOT_NAMED:
		fail(outcome, RESULT_VALIDATION_FAILURE,
		    "the policy does not name this MX host");
		return true;
	case STS_VERDICT_NO_TLS:
		return fail_without_tls(session, outcome);
	case STS_VERDICT_CERTIFICATE:
		fail(outcome, tls_result_of(span_of(seen->host_failure)),
		    session->host_why);
		return true;
	}
	return false;
}

/* --- neither -------------------------------------------------------------- */

/* Looked for and not found, or not looked for: but one of them was. */
static bool
has_no_policy(const struct policy_facts *facts)
{
	bool no_tlsa = facts->tlsa == TLSA_NONE ||
	               facts->tlsa == TLSA_NOT_EVALUATED;
	bool found_none = facts->sts == STS_NONE ||
	                  facts->sts == STS_NOT_OBTAINED;

	return no_tlsa && (found_none || facts->sts == STS_NOT_EVALUATED) &&
	       (facts->tlsa == TLSA_NONE || found_none);
}

static bool
without_policy(
    const struct report_session *session, struct report_outcome *outcome)
{
	const struct decision *decision = session->decision;

	if (!has_no_policy(&decision->facts) || lacks_policy(session) ||
	    !was_made(decision))
		return false;
	*outcome = outcome_of(decision, POLICY_TYPE_NONE);
	(void)fail_without_tls(session, outcome);
	return true;
}

/* RFC 8460 3: a record is looked up for a domain; an address has none. */
static bool
is_domain(const char *next_hop)
{
	struct host_address address;

	return next_hop != NULL && dns_name_is_host(next_hop) &&
	       !host_address_parse(next_hop, &address);
}

size_t
report_session_of(const struct report_session *session,
    struct report_outcome out[REPORT_OUTCOMES])
{
	const struct decision *decision = session->decision;
	size_t n = 0;

	if (!is_domain(decision->facts.next_hop) ||
	    decision->facts.sender == SENDER_WAIVES_TLS ||
	    !was_attempted(decision))
		return 0;
	n += by_dane(session, &out[n]);
	n += by_sts(session, &out[n]);
	if (n == 0)
		n += without_policy(session, &out[n]);
	return n;
}
