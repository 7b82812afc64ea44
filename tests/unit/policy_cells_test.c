/*
 * What becomes of a message, cell by cell: the MTA-STS policy, DANE with what
 * DNSSEC says of the MX records, and what the host shows.  The tables are
 * written by hand from the RFCs; no code has filled them in.
 */
#include "policy/policy.h"

#include "tests/support/test.h"

/* What the host shows; WebPKI is asked for its own name. */
static const char *const shown[] = {
    "no STARTTLS",
    "a broken handshake",
    "nobody's certificate",
    "another's certificate",
    "its certificate",
};
#define SHOWN ROWS(shown)
#define FINE  4u

static const enum sts_state policies[] = {
    STS_UNKNOWN,
    STS_NOT_EVALUATED,
    STS_NOT_OBTAINED,
    STS_NONE,
    STS_TESTING_MATCH,
    STS_TESTING_NO_MATCH,
    STS_MATCH,
    STS_NO_MATCH,
};
#define POLICIES ROWS(policies)

/*
 * C in the clear, E encrypted, T refused for now, P for good; a column for
 * each of the certificates above, a row for each of the policies.
 */
struct table {
	const char *dane;
	enum dns_trust mx;
	enum tlsa_state tlsa;
	bool matches; /* a record and what the host shows */
	const char *cells[POLICIES];
};

/* A message of which nothing special is asked. */
static const struct table ordinary[] = {
    /* RFC 8461 5 alone; RFC 7435 3 where it is silent. */
    {"no records, insecure MX", DNS_INSECURE, TLSA_NONE, false,
	{"TTTTT", "CCEEE", "CCEEE", "CCEEE", "CCEEE", "CCEEE", "TTTTE",
	    "TTTTT"}},
    {"no records, secure MX", DNS_SECURE, TLSA_NONE, false,
	{"TTTTT", "CCEEE", "CCEEE", "CCEEE", "CCEEE", "CCEEE", "TTTTE",
	    "TTTTT"}},
    /* RFC 7672 2.2: TLS, and the policy is not suspended. */
    {"unusable records, insecure MX", DNS_INSECURE, TLSA_UNUSABLE, false,
	{"TTTTT", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTTTE",
	    "TTTTT"}},
    {"unusable records, secure MX", DNS_SECURE, TLSA_UNUSABLE, false,
	{"TTTTT", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTTTE",
	    "TTTTT"}},
    /* RFC 7672 2.1.2: no policy rescues a failed lookup. */
    {"failed lookup", DNS_SECURE, TLSA_LOOKUP_FAILED, false,
	{"TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT",
	    "TTTTT"}},
    /* RFC 8461 2: DANE that vouches for the whole way decides alone. */
    {"matching records, secure MX", DNS_SECURE, TLSA_USABLE, true,
	{"TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE",
	    "TTEEE"}},
    {"others' records, secure MX", DNS_SECURE, TLSA_USABLE, false,
	{"TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT",
	    "TTTTT"}},
    /* RFC 7672 2.2.1: where it does not, both must pass. */
    {"matching records, insecure MX", DNS_INSECURE, TLSA_USABLE, true,
	{"TTTTT", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTEEE", "TTTTE",
	    "TTTTT"}},
    {"others' records, insecure MX", DNS_INSECURE, TLSA_USABLE, false,
	{"TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT",
	    "TTTTT"}},
};

/*
 * RFC 8689 2, 4.2.1: DNSSEC or a policy in force for the name, DANE or WebPKI
 * for the certificate; a host that has no TLS will not have it tomorrow.
 */
static const struct table required[] = {
    {"no records, insecure MX", DNS_INSECURE, TLSA_NONE, false,
	{"TTTTT", "PPPPP", "TTTTT", "PPPPP", "PPPPP", "PPPPP", "PTTTE",
	    "TTTTT"}},
    {"no records, secure MX", DNS_SECURE, TLSA_NONE, false,
	{"TTTTT", "PTTTE", "PTTTE", "PTTTE", "PTTTE", "PTTTE", "PTTTE",
	    "TTTTT"}},
    {"unusable records, insecure MX", DNS_INSECURE, TLSA_UNUSABLE, false,
	{"TTTTT", "PPPPP", "TTTTT", "PPPPP", "PPPPP", "PPPPP", "PTTTE",
	    "TTTTT"}},
    {"unusable records, secure MX", DNS_SECURE, TLSA_UNUSABLE, false,
	{"TTTTT", "PTTTE", "PTTTE", "PTTTE", "PTTTE", "PTTTE", "PTTTE",
	    "TTTTT"}},
    {"failed lookup", DNS_SECURE, TLSA_LOOKUP_FAILED, false,
	{"TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT", "TTTTT",
	    "TTTTT"}},
    {"matching records, secure MX", DNS_SECURE, TLSA_USABLE, true,
	{"PTEEE", "PTEEE", "PTEEE", "PTEEE", "PTEEE", "PTEEE", "PTEEE",
	    "PTEEE"}},
    {"others' records, secure MX", DNS_SECURE, TLSA_USABLE, false,
	{"PTTTT", "PTTTT", "PTTTT", "PTTTT", "PTTTT", "PTTTT", "PTTTT",
	    "PTTTT"}},
    {"matching records, insecure MX", DNS_INSECURE, TLSA_USABLE, true,
	{"TTTTT", "PPPPP", "TTTTT", "PPPPP", "PPPPP", "PPPPP", "PTTTE",
	    "TTTTT"}},
    {"others' records, insecure MX", DNS_INSECURE, TLSA_USABLE, false,
	{"TTTTT", "PPPPP", "TTTTT", "PPPPP", "PPPPP", "PPPPP", "PTTTT",
	    "TTTTT"}},
};

static const struct tlsa_set set = {.base = "mx.example"};

static struct tls_seen
show(const struct table *table, size_t which)
{
	static const enum tls_got got[SHOWN] = {TLS_GOT_NO_OFFER,
	    TLS_GOT_BROKEN, TLS_GOT_ENCRYPTED, TLS_GOT_ENCRYPTED,
	    TLS_GOT_ENCRYPTED};
	static const char *const failure[SHOWN] = {NULL, NULL,
	    "certificate-not-trusted", "certificate-host-mismatch", NULL};

	return (struct tls_seen){.got = got[which],
	    .dane = table->matches && got[which] == TLS_GOT_ENCRYPTED,
	    .pkix = which == FINE,
	    .host = which == FINE,
	    .host_failure = failure[which]};
}

static char
outcome_of(const struct tls_plan *plan, const struct tls_seen *seen)
{
	switch (policy_judge(plan, seen)) {
	case VERDICT_NEXT_HOST:
		break;
	case VERDICT_DELIVER:
		return seen->got == TLS_GOT_NO_OFFER ? 'C' : 'E';
	case VERDICT_CLEAR:
		return 'C';
	}
	return policy_is_hopeless(plan, seen) ? 'P' : 'T';
}

static struct policy_facts
facts_of(const struct table *table, enum sts_state sts, enum sender_wish sender)
{
	return (struct policy_facts){.host = "mx.example",
	    .next_hop = "example",
	    .next_hop_expanded = "example",
	    .hop = HOP_MX,
	    .mx_trust = table->mx,
	    .address_trust = DNS_SECURE,
	    .tlsa = table->tlsa,
	    .set = &set,
	    .sts = sts,
	    .sender = sender,
	    .level = OPERATOR_NO_RULE};
}

typedef void cell_fn(const struct table *table, size_t policy, size_t which,
    enum sender_wish sender);

static void
each_cell(cell_fn *fn)
{
	for (size_t t = 0; t < ROWS(ordinary); t++)
		for (size_t p = 0; p < POLICIES; p++)
			for (size_t k = 0; k < SHOWN; k++)
				fn(&ordinary[t], p, k, SENDER_DEFAULT);
	for (size_t t = 0; t < ROWS(required); t++)
		for (size_t p = 0; p < POLICIES; p++)
			for (size_t k = 0; k < SHOWN; k++)
				fn(&required[t], p, k, SENDER_REQUIRES_TLS);
}

static void
complain(const struct table *table, size_t policy, size_t which,
    enum sender_wish sender, const char *what)
{
	fail_msg("%s: %s, MTA-STS %s, %s: %s", sender_wish_name(sender),
	    table->dane, sts_state_name(policies[policy]), shown[which], what);
}

/* --- the outcome ---------------------------------------------------------- */

static void
check_outcome(const struct table *table, size_t policy, size_t which,
    enum sender_wish sender)
{
	struct policy_facts facts = facts_of(table, policies[policy], sender);
	struct tls_plan plan = policy_plan(&facts);
	struct tls_seen seen = show(table, which);
	char got[] = {outcome_of(&plan, &seen), '\0'};

	if (got[0] != table->cells[policy][which])
		complain(table, policy, which, sender, got);
}

static void
every_cell_comes_out_as_written(void **state)
{
	(void)state;
	each_cell(check_outcome);
}

/* RFC 7672 9.1: as if opportunistic, and the table is what is told. */
static void
check_audit(const struct table *table, size_t policy, size_t which,
    enum sender_wish sender)
{
	struct policy_facts facts = facts_of(table, policies[policy], sender);
	char wanted = table->cells[policy][which];
	bool refused = wanted == 'T' || wanted == 'P';
	struct tls_seen seen = show(table, which);
	struct tls_plan plan;

	facts.enforcement = AUDIT;
	plan = policy_plan(&facts);
	if (sender == SENDER_REQUIRES_TLS) {
		if (outcome_of(&plan, &seen) != wanted)
			complain(table, policy, which, sender, "in audit");
		return;
	}
	if (outcome_of(&plan, &seen) != "CCEEE"[which])
		complain(table, policy, which, sender, "not delivered");
	if (policy_would_refuse(&plan, &seen) != refused)
		complain(table, policy, which, sender, "not told");
}

static void
audit_delivers_every_cell(void **state)
{
	(void)state;
	each_cell(check_audit);
}

/* --- what MTA-STS says by itself ------------------------------------------ */

/* RFC 8461 4.1, 4.2, 5: N no TLS, C certificate, H host, P passed. */
static const char *const verdicts[POLICIES] = {
    "-----", "-----", "-----", "-----", "NNCCP", "HHHHH", "NNCCP", "HHHHH"};

static char
letter_of(enum sts_verdict verdict)
{
	switch (verdict) {
	case STS_VERDICT_NONE:
		break;
	case STS_VERDICT_PASSED:
		return 'P';
	case STS_VERDICT_HOST_NOT_NAMED:
		return 'H';
	case STS_VERDICT_NO_TLS:
		return 'N';
	case STS_VERDICT_CERTIFICATE:
		return 'C';
	}
	return '-';
}

static void
check_verdict(const struct table *table, size_t policy, size_t which,
    enum sender_wish sender)
{
	struct policy_facts facts = facts_of(table, policies[policy], sender);
	struct tls_plan plan = policy_plan(&facts);
	struct tls_seen seen = show(table, which);
	char letter = letter_of(policy_sts_verdict(&plan, &seen));
	/* Of all that is here, these two alone go before a policy. */
	bool goes_before = table->tlsa == TLSA_LOOKUP_FAILED ||
	                   (table->tlsa == TLSA_USABLE &&
			       table->mx == DNS_SECURE);
	bool testing = policies[policy] == STS_TESTING_MATCH ||
	               policies[policy] == STS_TESTING_NO_MATCH;

	if (letter != verdicts[policy][which])
		complain(table, policy, which, sender,
		    sts_verdict_name(policy_sts_verdict(&plan, &seen)));
	if (policy_testing_would_refuse(&plan, &seen) !=
	    (testing && !goes_before && letter != 'P'))
		complain(table, policy, which, sender, "in testing mode");
}

static void
every_cell_has_its_mta_sts_verdict(void **state)
{
	(void)state;
	each_cell(check_verdict);
}

/* Before there is a connection, only the name can be judged. */
static void
nothing_seen_is_nothing_judged(void **state)
{
	static const struct tls_seen unseen[] = {
	    {.got = TLS_GOT_NOTHING}, {.got = TLS_GOT_NOT_ASKED},
	    {.got = TLS_GOT_ENCRYPTED}, /* the name was not looked at */
	};

	(void)state;
	for (size_t p = 0; p < POLICIES; p++)
		for (size_t k = 0; k < ROWS(unseen); k++) {
			struct policy_facts facts = facts_of(
			    &ordinary[0], policies[p], SENDER_DEFAULT);
			struct tls_plan plan = policy_plan(&facts);
			char wanted = verdicts[p][0] == 'H' ? 'H' : '-';

			assert_int_equal(
			    letter_of(policy_sts_verdict(&plan, &unseen[k])),
			    wanted);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_comes_out_as_written),
	    cmocka_unit_test(audit_delivers_every_cell),
	    cmocka_unit_test(every_cell_has_its_mta_sts_verdict),
	    cmocka_unit_test(nothing_seen_is_nothing_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
