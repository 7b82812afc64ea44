/* What is asked over HTTP, by which name, and what the answers mean. */
#include "mta/web_words.h"

#include "tests/support/test.h"

static void
only_our_names_are_ours(void **state)
{
	static const struct {
		const char *host;
		bool want;
	} rows[] = {
	    {NULL, true},
	    {"127.0.0.1", true},
	    {"127.0.0.1:8025", true},
	    {"192.0.2.1:80", true},
	    {"[::1]", true},
	    {"[::1]:8025", true},
	    {"[2001:db8::1]:8025", true},
	    {"localhost", true},
	    {"LocalHost:8025", true},
	    {"mx.test.example", true},
	    {"MX.test.example:8025", true},
	    {"", false},
	    {":8025", false},
	    {"evil.example", false},
	    {"evil.example:8025", false},
	    {"localhost.evil.example", false},
	    {"xlocalhost", false},
	    {"mx.test.example.evil.example", false},
	    {"127.0.0.1.evil.example", false},
	    {"127.0.0.1 evil.example", false},
	    {"127.1", false},
	    {"[evil.example]", false},
	    {"[::1", false},
	    {"[", false},
	    {"[]", false},
	    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (web_is_host(rows[i].host, "mx.test.example") !=
		    rows[i].want)
			fail_msg("row %zu", i);
}

static void
an_answer_has_its_status(void **state)
{
	(void)state;
	assert_int_equal(web_status(WEB_METRICS, SPAN("x 1\n")), 200);
	assert_int_equal(web_status(WEB_HEALTH, SPAN("running\n")), 200);
	assert_int_equal(web_status(WEB_HEALTH, SPAN("degraded\n")), 200);
	assert_int_equal(web_status(WEB_HEALTH, SPAN("starting\n")), 503);
	assert_int_equal(web_status(WEB_HEALTH, SPAN("stopping\n")), 503);
	/* it could not make the page */
	assert_int_equal(web_status(WEB_METRICS, SPAN("")), 500);
	assert_int_equal(web_status(WEB_HEALTH, SPAN("")), 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_our_names_are_ours),
	    cmocka_unit_test(an_answer_has_its_status),
	};

	return cmocka_run_group_tests_name("web_words", tests, NULL, NULL);
}
