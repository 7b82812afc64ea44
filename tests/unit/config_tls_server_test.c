/* tls_server { } of danelaw.conf(5). */
#include "tests/support/config.h"
#include "tests/support/test.h"

static void
what_is_not_said_is_modern(void **state)
{
	struct config *config = parse_good(LEAST);
	const struct config_tls_server *server = &config->tls_server;

	(void)state;
	/* RFC 9325 3.1.1, RFC 9325 3.4, RFC 9325 4.2 */
	assert_false(server->only_13);
	assert_false(server->wide);
	assert_true(server->tickets);
	assert_int_equal(server->ticket_lifetime, 7200);
	/* RFC 3207 4 */
	assert_int_equal(server->require.n, 0);
	assert_false(config_requires_tls(config, "192.0.2.1"));
	config_free(&config);
}

static void
each_key_is_read(void **state)
{
	struct config *config = parse_good(
	    LEAST "tls_server { minimum = 1.3 ciphers = wide tickets = no\n"
		  "	ticket_lifetime = 90s }\n");
	const struct config_tls_server *server = &config->tls_server;

	(void)state;
	assert_true(server->only_13);
	assert_true(server->wide);
	assert_false(server->tickets);
	assert_int_equal(server->ticket_lifetime, 90);
	config_free(&config);
}

/* RFC 3207 6 */
static void
who_has_to_speak_tls(void **state)
{
	struct config *config = parse_good(
	    LEAST "certificate \"a\" { chain = \"/c\" key = \"/k\" }\n"
		  "tls_server { require = {\"192.0.2.0/24\", "
		  "\"[2001:db8::]/32\"} }\n");
	static const struct {
		const char *client;
		bool required;
	} rows[] = {
	    {"192.0.2.1", true},
	    {"::ffff:192.0.2.255", true},
	    {"192.0.3.1", false},
	    {"127.0.0.1", false},
	    {"2001:db8::25", true},
	    {"2001:db9::25", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (config_requires_tls(config, rows[i].client) !=
		    rows[i].required)
			fail_msg("%s", rows[i].client);
	config_free(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_said_is_modern),
	    cmocka_unit_test(each_key_is_read),
	    cmocka_unit_test(who_has_to_speak_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
