#include "policy/decision.h"
#include "policy/key.h"
#include "policy/policy.h"

#include "tests/support/policy_key.h"
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
    {"RFC 8689 2 REQUIRETLS: all unusable is not by DANE, so by WebPKI",
	FACTS(MX, SECURE, SECURE, UNUSABLE, NONE, REQUIRES_TLS), TLS_AUTH_PKIX,
	SOURCE_SENDER},
    {"RFC 8689 2 REQUIRETLS: secure MX records and WebPKI",
	FACTS(MX, SECURE, INSECURE, NOT_EVALUATED, NOT_EVALUATED, REQUIRES_TLS),
	TLS_AUTH_PKIX, SOURCE_SENDER},
    {"RFC 8689 2 REQUIRETLS: no MX record, by proof",
	FACTS(IMPLICIT, SECURE, INSECURE, NONE, NONE, REQUIRES_TLS),
	TLS_AUTH_PKIX, SOURCE_SENDER},
    {"RFC 8689 2 REQUIRETLS: insecure MX records are not enough",
	FACTS(MX, INSECURE, SECURE, NOT_EVALUATED, NOT_EVALUATED, REQUIRES_TLS),
	TLS_DEFER, SOURCE_SENDER},
    {"RFC 8689 4.2.1 REQUIRETLS of which TLS is asked for",
	FACTS(MX, INSECURE, INSECURE, NONE, NONE, ENCRYPTS), TLS_ENCRYPT,
	SOURCE_SENDER},
    {"RFC 8689 4.2.1 the same, and policies stand",
	FACTS(MX, SECURE, SECURE, USABLE, NONE, ENCRYPTS), TLS_AUTH_DANE,
	SOURCE_DANE},
    {"RFC 8689 5 REQUIRETLS of a bounce demands nothing",
	FACTS(MX, INSECURE, INSECURE, NONE, NONE, PREFERS_TLS), TLS_MAY,
	SOURCE_NONE},
    {"RFC 8689 4.2.1 REQUIRETLS: TLSA under an insecure MX is not enough",
	FACTS(MX, INSECURE, SECURE, USABLE, TESTING_MATCH, REQUIRES_TLS),
	TLS_DEFER, SOURCE_SENDER},
    {"RFC 8689 4.2.1 REQUIRETLS: MTA-STS will do",
	FACTS(MX, INSECURE, INSECURE, NONE, MATCH, REQUIRES_TLS), TLS_AUTH_PKIX,
	SOURCE_STS},
    {"RFC 7672 2.2.1 insecure MX, TLSA and MTA-STS: both must pass",
	FACTS(MX, INSECURE, SECURE, USABLE, MATCH, DEFAULT), TLS_AUTH_BOTH,
	SOURCE_DANE},
    {"RFC 7672 2.2 usable records count under an insecure MX too",
	FACTS(MX, INSECURE, SECURE, USABLE, TESTING_MATCH, DEFAULT),
	TLS_AUTH_DANE, SOURCE_DANE},
    {"RFC 8461 5 enforce", FACTS(MX, INSECURE, INSECURE, NONE, MATCH, DEFAULT),
	TLS_AUTH_PKIX, SOURCE_STS},
    {"RFC 8461 5 enforce beside unusable TLSA records",
	FACTS(MX, SECURE, SECURE, UNUSABLE, MATCH, DEFAULT), TLS_AUTH_PKIX,
	SOURCE_STS},
    {"RFC 8461 5 testing enforces nothing",
	FACTS(MX, INSECURE, INSECURE, NONE, TESTING_NO_MATCH, DEFAULT), TLS_MAY,
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
	for (int field = 0; field < 7; field++) {
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
		if (field == 6)
			facts.level = (enum operator_level)0;
		if (policy_plan(&facts).need != TLS_DEFER)
			fail_msg("field %d", field);
	}
	assert_int_equal(policy_plan(&whole).need, TLS_MAY);
}

static const struct policy_facts secure_dane = FACTS(
    MX, SECURE, SECURE, USABLE, NONE, DEFAULT);
static const struct policy_facts no_policy = FACTS(
    MX, INSECURE, INSECURE, NONE, NONE, DEFAULT);

/* RFC 7672 8.1: SNI is the TLSA base domain. */
static void
sni_is_the_base_domain(void **state)
{
	struct policy_facts facts = secure_dane;

	(void)state;
	assert_string_equal(policy_plan(&facts).sni, "base.example");
	facts.tlsa = TLSA_UNUSABLE;
	assert_string_equal(policy_plan(&facts).sni, "base.example");
	facts.tlsa = TLSA_NONE;
	assert_string_equal(policy_plan(&facts).sni, "mx.example");
}

static void
assert_names(const struct policy_facts *facts, size_t n, const char *a,
    const char *b, const char *c)
{
	const char *const wanted[TLS_NAMES_MAX] = {a, b, c};
	struct tls_plan plan = policy_plan(facts);

	assert_int_equal(plan.nnames, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(plan.names[i], wanted[i]);
}

/* RFC 7672 3.2.2: base domain, next hop, and where its aliases led. */
static void
reference_identifiers(void **state)
{
	struct policy_facts facts = secure_dane;

	(void)state;
	assert_names(&facts, 3, "base.example", "example", "expanded.example");
	facts.next_hop_expanded = "example";
	assert_names(&facts, 2, "base.example", "example", NULL);
	facts.next_hop = "base.example";
	facts.next_hop_expanded = "";
	assert_names(&facts, 1, "base.example", NULL, NULL);
}

/* RFC 7672 3.2.2, erratum 6283: an insecure MX vouches for no name. */
static void
insecure_mx_leaves_the_base_domain_alone(void **state)
{
	struct policy_facts facts = secure_dane;

	(void)state;
	facts.mx_trust = DNS_INSECURE;
	assert_names(&facts, 1, "base.example", NULL, NULL);
}

/* RFC 7672 3.2.2: no MX, and the base domain is where aliases led. */
static void
implicit_mx_keeps_the_original_name(void **state)
{
	struct policy_facts facts = secure_dane;

	(void)state;
	facts.hop = HOP_IMPLICIT;
	facts.next_hop_expanded = "";
	assert_names(&facts, 2, "base.example", "example", NULL);
}

static void
operator_names(void **state)
{
	static const char *const match[] = {"a.example", ".b.example"};
	struct policy_facts facts = no_policy;
	struct tls_plan plan;

	(void)state;
	facts.level = OPERATOR_VERIFY;
	plan = policy_plan(&facts);
	assert_int_equal(plan.need, TLS_AUTH_PKIX);
	assert_int_equal(plan.nmatch, 0);
	assert_string_equal(plan.one, "mx.example");
	assert_false(plan.pkix_suffix);
	facts.level = OPERATOR_SECURE;
	plan = policy_plan(&facts);
	assert_string_equal(plan.one, "example");
	assert_true(plan.pkix_suffix);
	facts.match = match;
	facts.nmatch = 2;
	plan = policy_plan(&facts);
	assert_ptr_equal(plan.match, match);
	assert_int_equal(plan.nmatch, 2);
}

/* "secure" is content with whatever authenticates the next hop. */
static void
operator_secure(void **state)
{
	struct policy_facts facts = secure_dane;
	struct tls_plan plan;

	(void)state;
	facts.level = OPERATOR_SECURE;
	assert_int_equal(policy_plan(&facts).need, TLS_AUTH_DANE);
	facts.mx_trust = DNS_INSECURE;
	assert_int_equal(policy_plan(&facts).need, TLS_AUTH_BOTH);
	facts = no_policy;
	facts.level = OPERATOR_SECURE;
	facts.sts = STS_MATCH;
	plan = policy_plan(&facts);
	assert_int_equal(plan.need, TLS_AUTH_PKIX);
	assert_string_equal(plan.one, "mx.example");
	assert_false(plan.pkix_suffix);
}

/* RFC 7672 2.2: mandatory DANE delivers over usable records only. */
static void
mandatory_dane(void **state)
{
	struct policy_facts facts = secure_dane;
	struct tls_plan plan;

	(void)state;
	facts.level = OPERATOR_DANE;
	assert_int_equal(policy_plan(&facts).need, TLS_AUTH_DANE);
	facts.tlsa = TLSA_NONE;
	plan = policy_plan(&facts);
	assert_int_equal(plan.need, TLS_DEFER);
	assert_string_equal(plan.result_type, "dane-required");
	/* RFC 7672 2.2.1: nor under an insecure MX RRset. */
	facts = secure_dane;
	facts.level = OPERATOR_DANE;
	facts.mx_trust = DNS_INSECURE;
	plan = policy_plan(&facts);
	assert_int_equal(plan.need, TLS_DEFER);
	assert_string_equal(plan.result_type, "dane-required");
}

/* RFC 7672 9.1: an exemption, which does not bind who asks for TLS. */
static void
exemptions(void **state)
{
	struct policy_facts facts = secure_dane;

	(void)state;
	facts.level = OPERATOR_NONE;
	assert_int_equal(policy_plan(&facts).need, TLS_NEVER);
	facts.level = OPERATOR_OPPORTUNISTIC;
	assert_int_equal(policy_plan(&facts).need, TLS_MAY);
	facts.sender = SENDER_REQUIRES_TLS;
	assert_int_equal(policy_plan(&facts).need, TLS_AUTH_DANE);
}

/* RFC 7672 9.1: evaluated in full, delivered, and told. */
static void
audit(void **state)
{
	struct policy_facts facts = secure_dane;
	struct tls_seen seen = {.got = TLS_GOT_ENCRYPTED};
	struct tls_plan plan;
	char text[DECISION_TEXT_SIZE];

	(void)state;
	facts.enforcement = AUDIT;
	plan = policy_plan(&facts);
	assert_int_equal(plan.need, TLS_MAY);
	assert_int_equal(plan.wanted, TLS_AUTH_DANE);
	assert_int_equal(policy_judge(&plan, &seen), VERDICT_DELIVER);
	assert_true(policy_would_refuse(&plan, &seen));
	decision_text(&plan, &seen, text);
	assert_string_equal(text, "dane/encrypted/dane/dane");
	seen.dane = true;
	assert_false(policy_would_refuse(&plan, &seen));
	decision_text(&plan, &seen, text);
	assert_string_equal(text, "dane/verified/dane/dane");
}

/* Nothing verified for one requirement serves another. */
static void
keys_differ_where_demands_do(void **state)
{
	struct tlsa_set other = set;
	struct policy_facts facts = secure_dane;
	char key[POLICY_KEY_TEXT], again[POLICY_KEY_TEXT];

	(void)state;
	policy_key_of(&facts, key);
	other.digest[31] = 1;
	facts.set = &other;
	policy_key_of(&facts, again);
	assert_string_not_equal(key, again);
	facts = secure_dane;
	facts.next_hop = "other.example";
	policy_key_of(&facts, again);
	assert_string_not_equal(key, again);
	facts = secure_dane;
	facts.enforcement = AUDIT;
	policy_key_of(&facts, again);
	assert_string_not_equal(key, again);
	facts = secure_dane;
	policy_key_of(&facts, again);
	assert_string_equal(key, again);
}

static void
keys_that_do_not_fit_are_none(void **state)
{
	struct policy_facts facts = secure_dane;
	struct tls_plan plan = policy_plan(&facts);
	struct buf key;

	(void)state;
	buf_init(&key, 40);
	assert_int_equal(policy_key(&plan, &key), -1);
	buf_free(&key);
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
		/* nothing, not asked, no offer, refused, broken, encrypted */
		int verdict[6];
		/* encrypted, and proven: by DANE, by PKIX, by both */
		int proven[3];
	} judged[] = {
	    {TLS_DEFER, {N, N, N, N, N, N}, {N, N, N}},
	    {TLS_NEVER, {N, D, N, N, N, N}, {N, N, N}},
	    {TLS_MAY, {N, D, D, D, C, D}, {D, D, D}}, /* RFC 7435 3 */
	    {TLS_ENCRYPT, {N, N, N, N, N, D}, {D, D, D}},
	    {TLS_AUTH_PKIX, {N, N, N, N, N, N}, {N, D, D}},
	    {TLS_AUTH_DANE, {N, N, N, N, N, N}, {D, N, D}},
	    {TLS_AUTH_BOTH, {N, N, N, N, N, N}, {N, N, D}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(judged); i++)
		for (unsigned k = 0; k < 9; k++) {
			struct tls_plan plan = {.need = judged[i].need};
			struct tls_seen seen = {
			    .got = k < 6 ? (enum tls_got)k : TLS_GOT_ENCRYPTED,
			    .dane = k == 6 || k == 8,
			    .pkix = k == 7 || k == 8,
			};
			int wanted = k < 6 ? judged[i].verdict[k]
			                   : judged[i].proven[k - 6];
			enum tls_verdict verdict = policy_judge(&plan, &seen);

			if ((int)verdict != wanted)
				fail_msg("%s after %s (%u): %s",
				    tls_need_name(plan.need),
				    tls_got_name(seen.got), k,
				    tls_verdict_name(verdict));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan_table),
	    cmocka_unit_test(each_zero_fact_defers),
	    cmocka_unit_test(sni_is_the_base_domain),
	    cmocka_unit_test(reference_identifiers),
	    cmocka_unit_test(insecure_mx_leaves_the_base_domain_alone),
	    cmocka_unit_test(implicit_mx_keeps_the_original_name),
	    cmocka_unit_test(operator_names),
	    cmocka_unit_test(operator_secure),
	    cmocka_unit_test(mandatory_dane),
	    cmocka_unit_test(exemptions),
	    cmocka_unit_test(audit),
	    cmocka_unit_test(keys_differ_where_demands_do),
	    cmocka_unit_test(keys_that_do_not_fit_are_none),
	    cmocka_unit_test(judge_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
