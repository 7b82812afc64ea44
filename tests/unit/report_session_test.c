/* From a decision to what is reported: cells written by hand from RFC 8460. */
#include <stdio.h>
#include <string.h>

#include "reporting/result.h"
#include "reporting/session.h"

#include "tests/support/test.h"

#define EXPIRED   "certificate-expired"
#define MISMATCH  "certificate-host-mismatch"
#define UNTRUSTED "certificate-not-trusted"
#define FAILURE   "validation-failure"
#define NO_TLS    "starttls-not-supported"

static const struct tlsa_set set = {.base = "base.example"};
static const struct sts_policy policy = {.mode = STS_MODE_ENFORCE};

/* What the connection showed. */
static const struct tls_seen nothing = {.got = TLS_GOT_NOTHING},
			     not_asked = {.got = TLS_GOT_NOT_ASKED},
			     no_offer = {.got = TLS_GOT_NO_OFFER,
				 .failure = NO_TLS},
			     refused = {.got = TLS_GOT_REFUSED,
				 .failure = NO_TLS},
			     broken = {.got = TLS_GOT_BROKEN,
				 .failure = FAILURE},
			     all_good = {.got = TLS_GOT_VERIFIED,
				 .dane = true,
				 .pkix = true,
				 .host = true},
			     encrypted = {.got = TLS_GOT_ENCRYPTED},
			     self_signed = {.got = TLS_GOT_ENCRYPTED,
				 .dane = true,
				 .failure = UNTRUSTED,
				 .host_failure = UNTRUSTED},
			     expired = {.got = TLS_GOT_ENCRYPTED,
				 .failure = EXPIRED,
				 .host_failure = EXPIRED},
			     no_match = {.got = TLS_GOT_ENCRYPTED,
				 .host = true,
				 .pkix = true,
				 .failure = FAILURE},
			     wrong_name = {.got = TLS_GOT_ENCRYPTED,
				 .failure = MISMATCH,
				 .host_failure = MISMATCH},
			     both_wrong = {.got = TLS_GOT_ENCRYPTED,
				 .failure = FAILURE,
				 .host_failure = EXPIRED},
			     odd = {.got = TLS_GOT_ENCRYPTED,
				 .failure = "some-day",
				 .host_failure = "some-day"};

#define SEC DNS_SECURE
#define INS DNS_INSECURE

/*
 * A row: facts, what was seen, what is reported.  "+" is success; the reason
 * (RFC 8460 4.3.3) follows in brackets.
 */
static const struct {
	enum dns_trust mx;
	enum tlsa_state tlsa;
	enum sts_state sts;
	enum operator_level level;
	enum enforcement enforcement;
	const struct tls_seen *seen;
	const char *want;
} cells[] = {
    /* neither: RFC 8460 4.2.1, the heartbeat */
    {SEC, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"no-policy-found example.org +"},
    {INS, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"no-policy-found example.org " NO_TLS},
    {INS, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &refused,
	"no-policy-found example.org " NO_TLS " (STARTTLS was refused)"},
    {INS, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &broken,
	"no-policy-found example.org " FAILURE " (tls)"},
    {INS, TLSA_NONE, STS_NOT_OBTAINED, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"no-policy-found example.org +"},
    {INS, TLSA_NOT_EVALUATED, STS_NOT_OBTAINED, OPERATOR_NO_RULE, ENFORCE,
	&encrypted, "no-policy-found example.org +"},
    {INS, TLSA_NOT_EVALUATED, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"no-policy-found example.org +"},
    {INS, TLSA_NONE, STS_NOT_EVALUATED, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"no-policy-found example.org +"},
    /* nobody looked */
    {INS, TLSA_NOT_EVALUATED, STS_NOT_EVALUATED, OPERATOR_NO_RULE, ENFORCE,
	&encrypted, ""},
    {INS, TLSA_NOT_EVALUATED, STS_NOT_EVALUATED, OPERATOR_NONE, ENFORCE,
	&not_asked, ""},
    /* the operator's own floor is nobody's failure */
    {INS, TLSA_NONE, STS_NONE, OPERATOR_VERIFY, ENFORCE, &wrong_name,
	"no-policy-found example.org +"},
    {INS, TLSA_NONE, STS_NONE, OPERATOR_ENCRYPT, ENFORCE, &no_offer,
	"no-policy-found example.org " NO_TLS},
    /* RFC 8460 4.3.4: the connection failed, or nobody tried TLS */
    {INS, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &nothing, ""},
    {INS, TLSA_NONE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &not_asked, ""},
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing, ""},
    {INS, TLSA_NONE, STS_TESTING_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing,
	""},
    {INS, TLSA_NONE, STS_TESTING_NO_MATCH, OPERATOR_NONE, ENFORCE, &not_asked,
	""},
    /* DANE alone: the base domain (RFC 8460 1.1) */
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"tlsa base.example +"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &self_signed,
	"tlsa base.example +"},
    {INS, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &no_match,
	"tlsa base.example " FAILURE " (dane)"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &expired,
	"tlsa base.example " EXPIRED " (dane)"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &wrong_name,
	"tlsa base.example " MISMATCH " (dane)"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"tlsa base.example " NO_TLS},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &refused,
	"tlsa base.example " NO_TLS " (STARTTLS was refused)"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &broken,
	"tlsa base.example " FAILURE " (tls)"},
    {SEC, TLSA_USABLE, STS_NOT_EVALUATED, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"tlsa base.example +"},
    /* a word that RFC 8460 4.3 does not have */
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &odd,
	"tlsa base.example " FAILURE " (dane)"},
    /* RFC 8460 4.3.2.1 */
    {SEC, TLSA_UNUSABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"tlsa base.example tlsa-invalid (no usable TLSA records)"},
    {SEC, TLSA_UNUSABLE, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"tlsa base.example " NO_TLS},
    {SEC, TLSA_LOOKUP_FAILED, STS_NONE, OPERATOR_NO_RULE, ENFORCE, &nothing,
	"tlsa mx.example dnssec-invalid (TLSA lookup failed)"},
    {DNS_BOGUS, TLSA_LOOKUP_FAILED, STS_NONE, OPERATOR_NO_RULE, ENFORCE,
	&nothing, "tlsa mx.example dnssec-invalid (MX lookup is bogus)"},
    {DNS_FAILED, TLSA_LOOKUP_FAILED, STS_NONE, OPERATOR_NO_RULE, ENFORCE,
	&nothing, ""},
    {DNS_FAILED, TLSA_LOOKUP_FAILED, STS_NO_MATCH, OPERATOR_NO_RULE, ENFORCE,
	&nothing, ""},
    {SEC, TLSA_NONE, STS_NONE, OPERATOR_DANE, ENFORCE, &nothing,
	"tlsa mx.example dane-required (DANE is mandatory, and there are no "
	"usable TLSA records)"},
    {INS, TLSA_USABLE, STS_NONE, OPERATOR_DANE, ENFORCE, &nothing,
	"tlsa base.example dane-required (DANE is mandatory, and the MX "
	"records are not secure)"},
    {SEC, TLSA_UNUSABLE, STS_NONE, OPERATOR_DANE, ENFORCE, &nothing,
	"tlsa base.example tlsa-invalid (DANE is mandatory, and there are no "
	"usable TLSA records)"},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_DANE, ENFORCE, &all_good,
	"tlsa base.example +"},
    /* an exemption: matching was not looked at, STARTTLS was */
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_OPPORTUNISTIC, ENFORCE, &encrypted,
	""},
    {SEC, TLSA_USABLE, STS_NONE, OPERATOR_OPPORTUNISTIC, ENFORCE, &no_offer,
	"tlsa base.example " NO_TLS},
    /* MTA-STS alone: the next hop */
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"sts example.org +"},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &expired,
	"sts example.org " EXPIRED " (host)"},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &wrong_name,
	"sts example.org " MISMATCH " (host)"},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &self_signed,
	"sts example.org " UNTRUSTED " (host)"},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &odd,
	"sts example.org " FAILURE " (host)"},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"sts example.org " NO_TLS},
    {INS, TLSA_NONE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &broken,
	"sts example.org " FAILURE " (tls)"},
    {INS, TLSA_NOT_EVALUATED, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"sts example.org +"},
    {INS, TLSA_NONE, STS_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing,
	"sts example.org " FAILURE " (the policy does not name this MX host)"},
    /* RFC 8461 5: testing is evaluated in full */
    {INS, TLSA_NONE, STS_TESTING_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"sts example.org +"},
    {INS, TLSA_NONE, STS_TESTING_MATCH, OPERATOR_NO_RULE, ENFORCE, &expired,
	"sts example.org " EXPIRED " (host)"},
    {INS, TLSA_NONE, STS_TESTING_MATCH, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"sts example.org " NO_TLS},
    {INS, TLSA_NONE, STS_TESTING_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"sts example.org " FAILURE " (the policy does not name this MX host)"},
    /* what was not looked at passes nothing */
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &encrypted,
	"tlsa base.example " FAILURE " (dane)"},
    /* both: each by itself, whoever decided */
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"tlsa base.example +; sts example.org +"},
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &self_signed,
	"tlsa base.example +; sts example.org " UNTRUSTED " (host)"},
    {INS, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &self_signed,
	"tlsa base.example +; sts example.org " UNTRUSTED " (host)"},
    {INS, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &no_match,
	"tlsa base.example " FAILURE " (dane); sts example.org +"},
    {SEC, TLSA_USABLE, STS_TESTING_MATCH, OPERATOR_NO_RULE, ENFORCE,
	&both_wrong,
	"tlsa base.example " FAILURE " (dane); sts example.org " EXPIRED
	" (host)"},
    {SEC, TLSA_USABLE, STS_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"tlsa base.example +; sts example.org " FAILURE
	" (the policy does not name this MX host)"},
    {INS, TLSA_USABLE, STS_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing,
	"sts example.org " FAILURE " (the policy does not name this MX host)"},
    {SEC, TLSA_UNUSABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &all_good,
	"tlsa base.example tlsa-invalid (no usable TLSA records); "
	"sts example.org +"},
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &no_offer,
	"tlsa base.example " NO_TLS "; sts example.org " NO_TLS},
    {SEC, TLSA_LOOKUP_FAILED, STS_NO_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing,
	"tlsa mx.example dnssec-invalid (TLSA lookup failed); "
	"sts example.org " FAILURE " (the policy does not name this MX host)"},
    {SEC, TLSA_LOOKUP_FAILED, STS_MATCH, OPERATOR_NO_RULE, ENFORCE, &nothing,
	"tlsa mx.example dnssec-invalid (TLSA lookup failed)"},
    /* the policy is not known: a doubt of ours, and no session */
    {INS, TLSA_NONE, STS_UNKNOWN, OPERATOR_NO_RULE, ENFORCE, &nothing, ""},
    /* audit: what was seen */
    {SEC, TLSA_USABLE, STS_MATCH, OPERATOR_NO_RULE, AUDIT, &both_wrong,
	"tlsa base.example " FAILURE " (dane); sts example.org " EXPIRED
	" (host)"},
    {INS, TLSA_NONE, STS_NO_MATCH, OPERATOR_NO_RULE, AUDIT, &all_good,
	"sts example.org " FAILURE " (the policy does not name this MX host)"},
    {INS, TLSA_NONE, STS_NO_MATCH, OPERATOR_NO_RULE, AUDIT, &nothing, ""},
    {SEC, TLSA_LOOKUP_FAILED, STS_MATCH, OPERATOR_NO_RULE, AUDIT, &all_good,
	"tlsa mx.example dnssec-invalid (TLSA lookup failed); "
	"sts example.org +"},
    {SEC, TLSA_LOOKUP_FAILED, STS_MATCH, OPERATOR_NO_RULE, AUDIT, &nothing, ""},
    {SEC, TLSA_NONE, STS_NONE, OPERATOR_DANE, AUDIT, &encrypted,
	"tlsa mx.example dane-required (DANE is mandatory, and there are no "
	"usable TLSA records)"},
};

static struct decision
decision_of(size_t i)
{
	struct decision decision = {
	    .facts = {.host = "mx.example",
		.next_hop = "example.org",
		.next_hop_expanded = "",
		.hop = HOP_MX,
		.mx_trust = cells[i].mx,
		.address_trust = DNS_SECURE,
		.tlsa = cells[i].tlsa,
		.set = &set,
		.sts = cells[i].sts,
		.sender = SENDER_DEFAULT,
		.level = cells[i].level,
		.enforcement = cells[i].enforcement},
	    .seen = *cells[i].seen,
	};

	decision.plan = policy_plan(&decision.facts);
	return decision;
}

/* "tlsa base.example +; sts example.org validation-failure (why)" */
static const char *
described(const struct report_outcome *out, size_t n)
{
	static char text[500];
	int at = 0;

	text[0] = '\0';
	assert_true(n <= REPORT_OUTCOMES);
	for (size_t i = 0; i < n; i++) {
		const struct report_outcome *o = &out[i];

		assert_string_equal(o->mx_host, "mx.example");
		assert_int_equal(o->failed, o->result != RESULT_OTHER);
		at += snprintf(text + at, sizeof(text) - (size_t)at,
		    "%s%s %s %s%s%s%s", i == 0 ? "" : "; ",
		    report_policy_type_name(o->type), o->domain,
		    o->failed ? tls_result_name(o->result) : "+",
		    o->reason[0] == '\0' ? "" : " (", o->reason,
		    o->reason[0] == '\0' ? "" : ")");
	}
	return text;
}

static void
cells_are_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(cells); i++) {
		struct decision decision = decision_of(i);
		struct report_session session = {.decision = &decision,
		    .sts = cells[i].sts >= STS_TESTING_MATCH ? &policy : NULL,
		    .tls_why = "tls",
		    .dane_why = "dane",
		    .host_why = "host"};
		struct report_outcome out[REPORT_OUTCOMES];
		const char *got = described(
		    out, report_session_of(&session, out));

		if (strcmp(got, cells[i].want) != 0)
			fail_msg("row %zu (%s, %s, %s): \"%s\", not \"%s\"", i,
			    tlsa_state_name(cells[i].tlsa),
			    sts_state_name(cells[i].sts), decision.plan.rule,
			    got, cells[i].want);
	}
}

/* RFC 8460 4.3.2.2: a record, and no policy to be had. */
static const struct {
	enum sts_state sts;
	enum tlsa_state tlsa;
	enum sts_record_state record;
	const char *trouble;
	const struct tls_seen *seen;
	const char *want;
} unobtained[] = {
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, "sts-policy-fetch-error",
	&encrypted, "sts example.org sts-policy-fetch-error (why)"},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, "sts-policy-invalid",
	&no_offer, "sts example.org sts-policy-invalid (why)"},
    {STS_NOT_OBTAINED, TLSA_USABLE, STS_RECORD_FOUND, "sts-webpki-invalid",
	&all_good,
	"tlsa base.example +; sts example.org sts-webpki-invalid "
	"(why)"},
    /* no record, no trouble, no session, an older policy */
    {STS_NONE, TLSA_NONE, STS_RECORD_NONE, "sts-policy-fetch-error", &encrypted,
	"no-policy-found example.org +"},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FAILED, "sts-policy-fetch-error",
	&encrypted, "no-policy-found example.org +"},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, "", &encrypted,
	"no-policy-found example.org +"},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, NULL, &encrypted,
	"no-policy-found example.org +"},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, "sts-policy-fetch-error",
	&nothing, ""},
    {STS_NOT_OBTAINED, TLSA_NONE, STS_RECORD_FOUND, "sts-policy-fetch-error",
	&not_asked, ""},
    {STS_NOT_OBTAINED, TLSA_LOOKUP_FAILED, STS_RECORD_FOUND,
	"sts-policy-fetch-error", &nothing,
	"tlsa mx.example dnssec-invalid (TLSA lookup failed)"},
    {STS_MATCH, TLSA_NONE, STS_RECORD_FOUND, "sts-policy-fetch-error",
	&all_good, "sts example.org +"},
};

static void
policies_that_cannot_be_had_are_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(unobtained); i++) {
		struct decision decision = decision_of(0);
		struct report_session session = {.decision = &decision,
		    .sts_record = unobtained[i].record,
		    .sts_trouble = unobtained[i].trouble,
		    .sts_why = "why"};
		struct report_outcome out[REPORT_OUTCOMES];
		size_t n;

		decision.facts.sts = unobtained[i].sts;
		decision.facts.tlsa = unobtained[i].tlsa;
		decision.seen = *unobtained[i].seen;
		decision.plan = policy_plan(&decision.facts);
		n = report_session_of(&session, out);
		if (strcmp(described(out, n), unobtained[i].want) != 0)
			fail_msg("row %zu: %s", i, described(out, n));
		if (strstr(unobtained[i].want, "(why)") != NULL)
			assert_int_equal(out[n - 1].text.n, 0);
	}
}

/*
 * RFC 8460 4.3: what the domain's policy came to.  What our own resolver does
 * not find out is no failure of theirs, and no want of a policy.
 */
static const struct {
	enum dns_trust mx, address;
	enum tlsa_state tlsa;
	enum sts_state sts;
	enum enforcement enforcement;
	const char *trouble;
	const struct tls_seen *seen;
	const char *want;
} ours[] = {
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_NONE, ENFORCE, "", &nothing, ""},
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_NO_MATCH, ENFORCE, "", &nothing, ""},
    {SEC, DNS_BOGUS, TLSA_LOOKUP_FAILED, STS_NONE, ENFORCE, "", &nothing, ""},
    {DNS_BOGUS, SEC, TLSA_LOOKUP_FAILED, STS_NONE, ENFORCE, "", &nothing, ""},
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_NONE, AUDIT, "", &all_good, ""},
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_NOT_OBTAINED, AUDIT, "", &all_good, ""},
    /* what is known otherwise */
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_MATCH, AUDIT, "", &all_good,
	"sts example.org +"},
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_MATCH, AUDIT, "", &expired,
	"sts example.org " EXPIRED " (host)"},
    {SEC, SEC, TLSA_USABLE, STS_NONE, ENFORCE, "", &all_good,
	"tlsa base.example +"},
    {INS, INS, TLSA_NONE, STS_NONE, ENFORCE, "", &encrypted,
	"no-policy-found example.org +"},
    /* RFC 8460 4.3.2.2: the host of the policy was not found, by us, */
    {SEC, SEC, TLSA_LOOKUP_FAILED, STS_NOT_OBTAINED, AUDIT,
	"sts-policy-fetch-error", &all_good, ""},
    {INS, INS, TLSA_NONE, STS_NOT_OBTAINED, ENFORCE, "sts-policy-fetch-error",
	&encrypted, ""},
    /* or it has spoken */
    {INS, INS, TLSA_NONE, STS_NOT_OBTAINED, ENFORCE, "sts-policy-invalid",
	&encrypted, "sts example.org sts-policy-invalid (why)"},
};

static void
faults_of_our_own_are_not_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(ours); i++) {
		struct decision decision = decision_of(0);
		struct report_session session = {.decision = &decision,
		    .sts = ours[i].sts >= STS_TESTING_MATCH ? &policy : NULL,
		    .sts_record = STS_RECORD_FOUND,
		    .sts_trouble = ours[i].trouble,
		    .sts_why = "why",
		    .host_why = "host"};
		struct report_outcome out[REPORT_OUTCOMES];
		struct policy_facts *facts = &decision.facts;
		const char *got;

		facts->mx_trust = ours[i].mx;
		facts->address_trust = ours[i].address;
		facts->tlsa = ours[i].tlsa;
		facts->sts = ours[i].sts;
		facts->enforcement = ours[i].enforcement;
		facts->own_fault = true;
		decision.seen = *ours[i].seen;
		decision.plan = policy_plan(facts);
		got = described(out, report_session_of(&session, out));
		if (strcmp(got, ours[i].want) != 0)
			fail_msg("row %zu (%s): \"%s\", not \"%s\"", i,
			    decision.plan.rule, got, ours[i].want);
	}
}

/* RFC 8460 3: a domain asks for reports, and no message that waives TLS. */
static void
some_sessions_are_not_reported(void **state)
{
	static const struct {
		const char *next_hop;
		enum sender_wish wish;
		bool reported;
	} rows[] = {
	    {"example.org", SENDER_DEFAULT, true},
	    {"example.org", SENDER_REQUIRES_TLS, true},
	    {"example.org", SENDER_ENCRYPTS, true},
	    {"example.org", SENDER_WAIVES_TLS, false},
	    {"smarthost.example", SENDER_DEFAULT, true},
	    {"", SENDER_DEFAULT, false},
	    {NULL, SENDER_DEFAULT, false},
	    {"[192.0.2.1]", SENDER_DEFAULT, false},
	    {"192.0.2.1", SENDER_DEFAULT, false},
	    {"2001:db8::1", SENDER_DEFAULT, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct decision decision = decision_of(0);
		struct report_session session = {.decision = &decision};
		struct report_outcome out[REPORT_OUTCOMES];

		decision.facts.next_hop = rows[i].next_hop;
		decision.facts.sender = rows[i].wish;
		decision.facts.tlsa = TLSA_USABLE;
		decision.plan = policy_plan(&decision.facts);
		decision.seen = all_good;
		if (report_session_of(&session, out) !=
		    (rows[i].reported ? 1 : 0))
			fail_msg("row %zu", i);
	}
}

/* Every word of the RFC comes out of some cell, so none is forgotten. */
static void
every_result_is_reported(void **state)
{
	(void)state;
	for (int i = RESULT_OTHER + 1; i <= RESULT_DANE_REQUIRED; i++) {
		const char *word = tls_result_name((enum tls_result)i);
		bool found = false;

		for (size_t k = 0; k < ROWS(cells); k++)
			found |= strstr(cells[k].want, word) != NULL;
		if (!found)
			fail_msg("%s", word);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cells_are_reported),
	    cmocka_unit_test(policies_that_cannot_be_had_are_reported),
	    cmocka_unit_test(faults_of_our_own_are_not_reported),
	    cmocka_unit_test(some_sessions_are_not_reported),
	    cmocka_unit_test(every_result_is_reported),
	};

	return cmocka_run_group_tests_name("report_session", tests, NULL, NULL);
}
