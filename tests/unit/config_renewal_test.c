/* renewal { } of danelaw.conf(5): what renewed certificates must pass. */
#include <stdio.h>

#include "tests/support/config.h"
#include "tests/support/test.h"

static void
everything_is_looked_at_unless_it_is_said(void **state)
{
	struct config *config = parse_good(LEAST);

	(void)state;
	assert_true(config->renewal.watch && config->renewal.tlsa);
	assert_true(config->renewal.mta_sts);
	assert_int_equal(config->renewal.settle_ms, 5000);
	assert_int_equal(config->renewal.timeout_ms, 30000);
	assert_int_equal(config->renewal.retry_ms, 300000);
	config_free(&config);
}

static void
each_key_is_read(void **state)
{
	struct config *config = parse_good(
	    LEAST "renewal { watch = no settle = 1m tlsa = no mta_sts = no "
		  "timeout = 5s retry = 1s }\n");

	(void)state;
	assert_false(config->renewal.watch || config->renewal.tlsa);
	assert_false(config->renewal.mta_sts);
	assert_int_equal(config->renewal.settle_ms, 60000);
	assert_int_equal(config->renewal.timeout_ms, 5000);
	assert_int_equal(config->renewal.retry_ms, 1000);
	config_free(&config);
}

static void
times_have_bounds(void **state)
{
	static const char *const wrong[] = {"settle = 99ms", "settle = 2h",
	    "timeout = 11m", "retry = 25h", "watch = perhaps"};
	char text[512], problems[4096];

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		(void)snprintf(
		    text, sizeof(text), LEAST "renewal { %s }\n", wrong[i]);
		assert_null(parse(text, problems, sizeof(problems)));
		assert_non_null(strstr(problems, "renewal"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_is_looked_at_unless_it_is_said),
	    cmocka_unit_test(each_key_is_read),
	    cmocka_unit_test(times_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
