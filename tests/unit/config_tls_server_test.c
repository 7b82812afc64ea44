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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_said_is_modern),
	    cmocka_unit_test(each_key_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
