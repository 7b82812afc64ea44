/* What the sender asked for, as far as the operator lets it count. */
#include "base/text.h"
#include "mta/facts.h"
#include "mta/resolver.h"

#include "tests/support/test.h"

static const struct config_tls nothing = {.level = OPERATOR_NO_RULE};
static const struct target by_mx = {.kind = TARGET_MX, .host = "a.example"};

static enum sender_wish
wish_of(enum tls_wish wish, enum requiretls_grade grade, const char *sender)
{
	struct config config = {.requiretls = REQUIRETLS_ENFORCE};
	struct config_tls rule = {.requiretls = grade};
	struct envelope envelope = {.sender = sender, .tls_wish = wish};

	return facts_by_sender(&config, &by_mx, &rule, &envelope);
}

static void
wishes_and_grades(void **state)
{
	static const struct {
		const char *rule;
		enum tls_wish wish;
		enum requiretls_grade grade;
		const char *sender;
		enum sender_wish counts;
	} cases[] = {
	    {"RFC 8689 4.2.1: unsaid is enforced", TLS_WISH_REQUIRED,
		REQUIRETLS_UNSAID, "a@b", SENDER_REQUIRES_TLS},
	    {"RFC 8689 4.2.1: enforced", TLS_WISH_REQUIRED, REQUIRETLS_ENFORCE,
		"a@b", SENDER_REQUIRES_TLS},
	    {"encrypt", TLS_WISH_REQUIRED, REQUIRETLS_ENCRYPT, "a@b",
		SENDER_ENCRYPTS},
	    {"opportunistic", TLS_WISH_REQUIRED, REQUIRETLS_OPPORTUNISTIC,
		"a@b", SENDER_PREFERS_TLS},
	    {"off", TLS_WISH_REQUIRED, REQUIRETLS_OFF, "a@b", SENDER_DEFAULT},
	    {"RFC 8689 5: a bounce", TLS_WISH_REQUIRED, REQUIRETLS_ENFORCE, "",
		SENDER_PREFERS_TLS},
	    {"RFC 8689 5: a bounce, encrypt", TLS_WISH_REQUIRED,
		REQUIRETLS_ENCRYPT, "", SENDER_PREFERS_TLS},
	    {"a bounce, off", TLS_WISH_REQUIRED, REQUIRETLS_OFF, "",
		SENDER_DEFAULT},
	    {"no wish", TLS_WISH_NONE, REQUIRETLS_ENFORCE, "a@b",
		SENDER_DEFAULT},
	    {"RFC 8689 3: waived", TLS_WISH_WAIVED, REQUIRETLS_ENFORCE, "a@b",
		SENDER_WAIVES_TLS},
	    {"RFC 8460 3: a report", TLS_WISH_REPORT, REQUIRETLS_ENFORCE, "a@b",
		SENDER_WAIVES_TLS},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		enum sender_wish got = wish_of(
		    cases[i].wish, cases[i].grade, cases[i].sender);

		if (got != cases[i].counts)
			fail_msg(
			    "%s: %s", cases[i].rule, sender_wish_name(got));
	}
}

static void
without_a_rule_that_of_all_counts(void **state)
{
	struct config config = {.requiretls = REQUIRETLS_ENCRYPT};
	struct envelope envelope = {
	    .sender = "a@b", .tls_wish = TLS_WISH_REQUIRED};

	(void)state;
	assert_int_equal(facts_by_sender(&config, &by_mx, &nothing, &envelope),
	    SENDER_ENCRYPTS);
}

static void
waivers_may_be_ignored(void **state)
{
	struct config config = {
	    .requiretls = REQUIRETLS_ENFORCE, .ignore_waivers = true};
	struct envelope envelope = {
	    .sender = "a@b", .tls_wish = TLS_WISH_WAIVED};

	(void)state;
	assert_int_equal(facts_by_sender(&config, &by_mx, &nothing, &envelope),
	    SENDER_DEFAULT);
	/* That is about what others write; a report is our own. */
	envelope.tls_wish = TLS_WISH_REPORT;
	assert_int_equal(facts_by_sender(&config, &by_mx, &nothing, &envelope),
	    SENDER_WAIVES_TLS);
}

/* RFC 8689 4.4: behind LMTP the message has arrived. */
static void
what_is_ours_is_asked_for_nothing(void **state)
{
	static const enum target_kind kinds[] = {
	    TARGET_LMTP_UNIX, TARGET_LMTP_TCP, TARGET_MAILDIR};
	struct config config = {.requiretls = REQUIRETLS_ENFORCE};
	struct envelope envelope = {
	    .sender = "a@b", .tls_wish = TLS_WISH_REQUIRED};

	(void)state;
	for (size_t i = 0; i < ROWS(kinds); i++) {
		struct target target = {.kind = kinds[i]};

		assert_int_equal(
		    facts_by_sender(&config, &target, &nothing, &envelope),
		    SENDER_DEFAULT);
	}
}

/* --- whose policy: RFC 8461 3.4 ------------------------------------------- */

static const struct ask {
	const char *rule;
	enum target_kind kind;
	const char *host;
	bool off;                  /* mta_sts is not enabled */
	enum operator_level level; /* 0: no rule */
	enum sender_wish sender;   /* 0: nothing special */
	bool asked;
} asks[] = {
    {"a domain", TARGET_MX, "a.example", .asked = true},
    {"RFC 8461 3.4: a smart host", TARGET_SMTP, "relay.example", .asked = true},
    {"RFC 8461 3.4: a literal", TARGET_MX, "[192.0.2.1]", .asked = false},
    {"RFC 8461 3.4: a literal of IPv6", TARGET_MX, "[IPv6:2001:db8::1]",
	.asked = false},
    {"RFC 8461 3.4: a smart host without a name", TARGET_SMTP, "192.0.2.1",
	.asked = false},
    {"LMTP", TARGET_LMTP_TCP, "a.example", .asked = false},
    {"LMTP by a file", TARGET_LMTP_UNIX, "a.example", .asked = false},
    {"Maildir", TARGET_MAILDIR, "a.example", .asked = false},
    {"switched off", TARGET_MX, "a.example", .off = true},
    {"exempt", TARGET_MX, "a.example", .level = OPERATOR_NONE},
    {"RFC 7672 9.1: exempt, too", TARGET_MX, "a.example",
	.level = OPERATOR_OPPORTUNISTIC},
    /* RFC 8689 4.2.1: a policy may be what vouches for the host. */
    {"exempt, the sender is not", TARGET_MX, "a.example",
	.level = OPERATOR_OPPORTUNISTIC, .sender = SENDER_REQUIRES_TLS,
	.asked = true},
    {"a floor", TARGET_MX, "a.example", .level = OPERATOR_ENCRYPT,
	.asked = true},
    {"verified otherwise", TARGET_MX, "a.example", .level = OPERATOR_SECURE,
	.asked = true},
    {"waived by the sender: it is told of all the same", TARGET_MX, "a.example",
	.sender = SENDER_WAIVES_TLS, .asked = true},
};

static void
whose_policy_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(asks); i++) {
		const struct ask *row = &asks[i];
		struct config config = {.mta_sts.enabled = !row->off};
		struct target target = {.kind = row->kind};
		struct policy_facts facts = {
		    .level = row->level == 0 ? OPERATOR_NO_RULE : row->level,
		    .sender = row->sender == 0 ? SENDER_DEFAULT : row->sender,
		    .sts = STS_MATCH};
		const char *why = NULL;

		(void)text_copy(target.host, sizeof(target.host), row->host);
		if (facts_ask_sts(&config, &target, &facts, &why) != row->asked)
			fail_msg("%s: \"%s\"", row->rule, why);
		assert_int_equal(facts.sts, STS_NOT_EVALUATED);
		if ((why[0] == '\0') != row->asked)
			fail_msg("%s: \"%s\"", row->rule, why);
	}
}

/* A lookup of a delivery that is refused makes it wait. */
/* What fails is theirs, unless we know better; it fails all the same. */
static void
whose_fault_a_failed_lookup_is(void **state)
{
	static const struct {
		const char *what;
		bool unable, suspect, not_asked;
		enum dns_trust trust;
		bool asks;
		enum tlsa_state tlsa; /* unless it asks */
		bool ours;
	} rows[] = {
	    {"all is well", false, false, false, DNS_SECURE, true, 0, false},
	    {"their addresses are bogus", false, false, false, DNS_BOGUS, false,
		TLSA_LOOKUP_FAILED, false},
	    {"they are not found", false, false, false, DNS_FAILED, false,
		TLSA_LOOKUP_FAILED, false},
	    {"RFC 7672 2.1.1: nothing is validated", true, false, false,
		DNS_SECURE, false, TLSA_LOOKUP_FAILED, true},
	    {"nor is that it has no records", true, false, false, DNS_INSECURE,
		false, TLSA_LOOKUP_FAILED, true},
	    {"the resolver has no answers", false, true, false, DNS_SECURE,
		true, 0, true},
	    {"nobody asked for the addresses", false, false, true, DNS_FAILED,
		false, TLSA_LOOKUP_FAILED, true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct host_dns host = {.name = "mx.a.example",
		    .trust = rows[i].trust,
		    .not_asked = rows[i].not_asked,
		    .naddresses = 1};
		struct facts_scene scene = {.target = &by_mx,
		    .host = &host,
		    .unable = rows[i].unable,
		    .suspect = rows[i].suspect};
		/* As the host before has left it. */
		struct policy_facts facts = {
		    .level = OPERATOR_NO_RULE, .own_fault = !rows[i].ours};
		const char *why = "";

		if (facts_ask_tlsa(&scene, &facts, &why) != rows[i].asks ||
		    facts.own_fault != rows[i].ours ||
		    (!rows[i].asks && facts.tlsa != rows[i].tlsa))
			fail_msg("%s: %s", rows[i].what, why);
	}
}

static void
there_is_room_for_the_lookups_of_each_delivery(void **state)
{
	static const uint32_t rows[] = {1, 1000, 100000};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config config = {.limits.deliveries = rows[i]};
		struct resolver_setup setup;

		resolver_setup_make(&config, &setup);
		assert_in_range(setup.dns.lookups_max, 2 * rows[i] + 1000,
		    2 * rows[i] + 10000);
		resolver_setup_free(&setup);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wishes_and_grades),
	    cmocka_unit_test(without_a_rule_that_of_all_counts),
	    cmocka_unit_test(waivers_may_be_ignored),
	    cmocka_unit_test(what_is_ours_is_asked_for_nothing),
	    cmocka_unit_test(whose_policy_is_asked_for),
	    cmocka_unit_test(whose_fault_a_failed_lookup_is),
	    cmocka_unit_test(there_is_room_for_the_lookups_of_each_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
