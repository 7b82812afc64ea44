/* tls "..." { } of danelaw.conf(5): whose rule counts for a next hop. */
#include "tests/support/config.h"
#include "tests/support/test.h"

static const char tls_rules[] = LEAST
    "enforcement = audit\n"
    "tls \"*\" { level = encrypt }\n"
    "tls \".bank.example\" { level = verify  match = {\"MX.bank.example\", "
    "\".bank.example\"} }\n"
    "tls \"old.bank.example\" { level = none  until = \"2027-01-31\"  "
    "reason = \"their server is from 2009\" }\n"
    "requiretls = opportunistic\n"
    "tls_required = ignore\n"
    "tls \"strict.example\" { level = dane  enforcement = enforce }\n"
    "tls \"onward.example\" { requiretls = encrypt }\n";

static enum operator_level
level_for(const struct config *config, const char *next_hop, int64_t now)
{
	return config_tls(config, next_hop, now).level;
}

static void
tls_rules_are_found_by_pattern(void **state)
{
	struct config *config = parse_good(tls_rules);
	struct config_tls rule;

	(void)state;
	assert_int_equal(config->enforcement, ENFORCEMENT_AUDIT);
	assert_int_equal(config->ntls, 5);
	assert_int_equal(
	    level_for(config, "else.example", 0), OPERATOR_ENCRYPT);
	assert_int_equal(
	    level_for(config, "bank.example", 0), OPERATOR_ENCRYPT);
	assert_int_equal(
	    level_for(config, "a.b.bank.example", 0), OPERATOR_VERIFY);
	assert_int_equal(
	    level_for(config, "old.bank.example", 0), OPERATOR_NONE);
	rule = config_tls(config, "x.bank.example", 0);
	assert_int_equal(rule.nmatch, 2);
	assert_string_equal(rule.match[0], "mx.bank.example");
	assert_string_equal(rule.match[1], ".bank.example");
	assert_int_equal(rule.enforcement, ENFORCEMENT_INHERIT);
	rule = config_tls(config, "strict.example", 0);
	assert_int_equal(rule.enforcement, ENFORCEMENT_ENFORCE);
	config_free(&config);
}

/* Each key is that of the most special rule that sets it. */
static void
a_narrower_rule_lifts_no_floor(void **state)
{
	struct config *config = parse_good(LEAST
	    "tls \"*\" { level = secure  match = {\"mx.example\"}\n"
	    "  reason = \"all\"  requiretls = off }\n"
	    "tls \".example\" { enforcement = audit  requiretls = encrypt\n"
	    "  until = 2027-01-31 }\n"
	    "tls \"partner.example\" { enforcement = enforce\n"
	    "  until = 2026-01-31  reason = \"rehearsed\" }\n"
	    "tls \"old.example\" { level = opportunistic }\n");
	struct config_tls rule = config_tls(config, "partner.example", 0);

	(void)state;
	assert_int_equal(rule.level, OPERATOR_SECURE);
	assert_int_equal(rule.nmatch, 1);
	assert_string_equal(rule.pattern, "*");
	assert_string_equal(rule.reason, "all");
	assert_int_equal(rule.enforcement, ENFORCEMENT_ENFORCE);
	assert_int_equal(config_requiretls(config, &rule), REQUIRETLS_ENCRYPT);
	assert_int_equal(rule.until, 1769904000); /* the first end */
	rule = config_tls(config, "partner.example", 1769904000);
	assert_int_equal(rule.level, OPERATOR_SECURE);
	assert_int_equal(rule.enforcement, ENFORCEMENT_AUDIT);
	assert_int_equal(rule.until, 1801440000);
	rule = config_tls(config, "old.example", 0);
	assert_int_equal(rule.level, OPERATOR_OPPORTUNISTIC);
	assert_int_equal(rule.nmatch, 0);
	assert_int_equal(rule.enforcement, ENFORCEMENT_AUDIT);
	rule = config_tls(config, "old.example", 1801440000);
	assert_int_equal(rule.enforcement, ENFORCEMENT_INHERIT);
	assert_int_equal(config_requiretls(config, &rule), REQUIRETLS_OFF);
	assert_int_equal(rule.until, 0);
	config_free(&config);
}

/* 2027-01-31 24:00 UTC is 1801440000. */
static void
a_tls_rule_runs_out_at_the_end_of_its_day(void **state)
{
	struct config *config = parse_good(tls_rules);

	(void)state;
	assert_int_equal(
	    level_for(config, "old.bank.example", 1801439999), OPERATOR_NONE);
	assert_int_equal(
	    level_for(config, "old.bank.example", 1801440000), OPERATOR_VERIFY);
	config_free(&config);
}

static void
nothing_written_is_enforced(void **state)
{
	struct config *config = parse_good(LEAST);
	struct config_tls rule;

	(void)state;
	assert_int_equal(config->enforcement, ENFORCEMENT_ENFORCE);
	rule = config_tls(config, "a.example", 0);
	assert_int_equal(config_requiretls(config, &rule), REQUIRETLS_ENFORCE);
	assert_int_equal(
	    config_enforcement(config, &rule), ENFORCEMENT_ENFORCE);
	assert_false(config->ignore_waivers);
	assert_null(rule.pattern);
	assert_int_equal(rule.level, OPERATOR_NO_RULE);
	config_free(&config);
}

static void
requiretls_is_graded_by_next_hop(void **state)
{
	static const enum requiretls_grade grades[] = {REQUIRETLS_ENFORCE,
	    REQUIRETLS_ENCRYPT, REQUIRETLS_OPPORTUNISTIC, REQUIRETLS_OFF};
	struct config *config = parse_good(tls_rules);
	struct config_tls rule;

	(void)state;
	assert_true(config->ignore_waivers);
	rule = config_tls(config, "strict.example", 0);
	assert_int_equal(
	    config_requiretls(config, &rule), REQUIRETLS_OPPORTUNISTIC);
	rule = config_tls(config, "onward.example", 0);
	assert_int_equal(config_requiretls(config, &rule), REQUIRETLS_ENCRYPT);
	assert_int_equal(rule.level, OPERATOR_ENCRYPT);
	config_free(&config);
	for (size_t i = 0; i < ROWS(grades); i++) {
		static const char *const texts[] = {
		    LEAST "requiretls = enforce", LEAST "requiretls = encrypt",
		    LEAST "requiretls = opportunistic",
		    LEAST "requiretls = off"};

		config = parse_good(texts[i]);
		assert_int_equal(config->requiretls, grades[i]);
		config_free(&config);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tls_rules_are_found_by_pattern),
	    cmocka_unit_test(a_narrower_rule_lifts_no_floor),
	    cmocka_unit_test(a_tls_rule_runs_out_at_the_end_of_its_day),
	    cmocka_unit_test(nothing_written_is_enforced),
	    cmocka_unit_test(requiretls_is_graded_by_next_hop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
