/* What the sender asked for, as far as the operator lets it count. */
#include "mta/facts.h"

#include "tests/support/test.h"

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
	assert_int_equal(
	    facts_by_sender(&config, &by_mx, NULL, &envelope), SENDER_ENCRYPTS);
}

static void
waivers_may_be_ignored(void **state)
{
	struct config config = {
	    .requiretls = REQUIRETLS_ENFORCE, .ignore_waivers = true};
	struct envelope envelope = {
	    .sender = "a@b", .tls_wish = TLS_WISH_WAIVED};

	(void)state;
	assert_int_equal(
	    facts_by_sender(&config, &by_mx, NULL, &envelope), SENDER_DEFAULT);
	/* That is about what others write; a report is our own. */
	envelope.tls_wish = TLS_WISH_REPORT;
	assert_int_equal(facts_by_sender(&config, &by_mx, NULL, &envelope),
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
		    facts_by_sender(&config, &target, NULL, &envelope),
		    SENDER_DEFAULT);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
