/*
 * The operator's floor: it raises what the receiver's policies came to, and
 * never lowers it.  So does a sender who is content with TLS.  A host that the
 * plan has skipped already stays skipped.
 */
#include "policy/private.h"

/* Never less than it was, and WebPKI beside whatever else is asked for. */
static enum tls_need
with_pkix(enum tls_need need)
{
	return tls_need_dane(need) ? TLS_AUTH_BOTH : TLS_AUTH_PKIX;
}

static bool
floor_encrypt(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->level != OPERATOR_ENCRYPT || plan->need >= TLS_ENCRYPT)
		return false;
	return decide(plan, TLS_ENCRYPT, SOURCE_OPERATOR,
	    (struct reason){"operator-encrypt", "RFC 3207 4.1",
		"the operator's rule: encrypt"});
}

static bool
floor_verify(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->level != OPERATOR_VERIFY)
		return false;
	return decide(plan, with_pkix(plan->need), SOURCE_OPERATOR,
	    (struct reason){"operator-verify", "RFC 3207 4.1",
		"the operator's rule: verify the host's name"});
}

bool
has_secure_dane(const struct policy_facts *facts)
{
	return facts->tlsa == TLSA_USABLE && hop_trust(facts) == DNS_SECURE;
}

/* By DANE, where that vouches for the whole way, or else by WebPKI. */
static bool
floor_secure(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->level != OPERATOR_SECURE)
		return false;
	return decide(plan,
	    has_secure_dane(facts) ? TLS_AUTH_DANE : with_pkix(plan->need),
	    SOURCE_OPERATOR,
	    (struct reason){"operator-secure", "RFC 3207 4.1",
		"the operator's rule: authenticated, by DANE or WebPKI"});
}

/*
 * RFC 7672 2.2: mandatory DANE delivers over secure and usable TLSA records
 * only, and 2.2.1: not under an insecure MX RRset.
 */
static bool
floor_dane(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->level != OPERATOR_DANE)
		return false;
	if (has_secure_dane(facts))
		return decide(plan, TLS_AUTH_DANE, SOURCE_OPERATOR,
		    (struct reason){"operator-dane", "RFC 7672 2.2",
			"the operator's rule: DANE is mandatory"});
	(void)defer(plan, "4.7.5", SOURCE_OPERATOR,
	    (struct reason){"operator-dane", "RFC 7672 2.2",
		facts->tlsa == TLSA_USABLE
		    ? "DANE is mandatory, and the MX records are not secure"
		    : "DANE is mandatory, and there are no usable TLSA "
		      "records"});
	plan->result_type = "dane-required";
	return true;
}

static rule_fn *const floors[] = {
    floor_encrypt,
    floor_verify,
    floor_secure,
    floor_dane,
};

/* RFC 8689 4.2.1, as far as the operator lets it count: see enum sender_wish. */
static void
raise_for_sender(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (facts->sender == SENDER_ENCRYPTS && plan->need < TLS_ENCRYPT)
		(void)decide(plan, TLS_ENCRYPT, SOURCE_SENDER,
		    (struct reason){"requiretls-encrypt", "RFC 8689 4.2.1",
			"REQUIRETLS, of which the operator asks for TLS"});
}

void
plan_raise(const struct policy_facts *facts, struct tls_plan *plan)
{
	if (plan->need == TLS_DEFER)
		return;
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++)
		if (floors[i](facts, plan))
			break;
	if (plan->need != TLS_DEFER)
		raise_for_sender(facts, plan);
}
