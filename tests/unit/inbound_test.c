/* What sessions with us came to: addresses, words, and many of them. */
#include <string.h>

#include "reporting/inbound.h"

#include "tests/support/test.h"

/* Free text of a report, and the address as we write it; NULL: none. */
static const struct {
	const char *text, *address;
} addresses[] = {
    {"192.0.2.7", "192.0.2.7"},
    {" 192.0.2.7\r\n", "192.0.2.7"},
    {"[192.0.2.7]", "192.0.2.7"},
    {"::ffff:192.0.2.7", "192.0.2.7"},
    {"::FFFF:c000:0207", "192.0.2.7"},
    {"0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
    {"2001:db8:0:0::1", "2001:db8::1"},
    /* RFC 5321 4.1.3 */
    {"[IPv6:2001:db8::1]", "2001:db8::1"},
    {"IPv6:2001:db8::1", "2001:db8::1"},
    {"::192.0.2.7", "::192.0.2.7"}, /* is another */
    {"", NULL},
    {" ", NULL},
    {"[]", NULL},
    {"unknown", NULL},
    {"192.0.2", NULL},
    {"192.0.2.07", NULL},
    {"192.0.2.256", NULL},
    {"192.0.2.7:25", NULL},
    {"192.0.2.0/24", NULL},
    {"192.0.2.7, 192.0.2.8", NULL},
    {"2001:db8::1%eth0", NULL},
    {"2001:db8::1::2", NULL},
    {"3221225991", NULL},
    {"mx.example [192.0.2.7]", NULL},
    {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", NULL},
};

static void
addresses_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(addresses); i++) {
		uint8_t address[INBOUND_ADDRESS] = {1};
		char text[INBOUND_ADDRESS_TEXT];
		bool good = inbound_address_read(addresses[i].text, address);

		if (good != (addresses[i].address != NULL))
			fail_msg("\"%s\"", addresses[i].text);
		if (!good) {
			assert_int_equal(address[0], 1);
			continue;
		}
		inbound_address_write(address, text);
		assert_string_equal(text, addresses[i].address);
	}
}

/* RFC 8446 6 */
static void
alerts_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(inbound_alert_name(42), "bad_certificate");
	assert_string_equal(inbound_alert_name(45), "certificate_expired");
	assert_string_equal(inbound_alert_name(46), "certificate_unknown");
	assert_string_equal(inbound_alert_name(48), "unknown_ca");
	assert_string_equal(inbound_alert_name(70), "protocol_version");
	assert_string_equal(inbound_alert_name(120), "no_application_protocol");
	assert_string_equal(inbound_alert_name(1), "unassigned");
	assert_string_equal(inbound_alert_name(121), "unassigned");
	assert_string_equal(inbound_alert_name(255), "unassigned");
}

static void
outcomes_have_words_of_their_own(void **state)
{
	(void)state;
	for (int i = 0; i < INBOUND_OUTCOMES; i++)
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(
			    inbound_outcome_name((enum inbound_outcome)i),
			    inbound_outcome_name((enum inbound_outcome)j));
			assert_string_not_equal(
			    inbound_outcome_words((enum inbound_outcome)i),
			    inbound_outcome_words((enum inbound_outcome)j));
		}
	assert_string_equal(
	    inbound_outcome_name((enum inbound_outcome)0), "broken");
	assert_string_equal(inbound_outcome_name(INBOUND_OUTCOMES), "?");
	assert_string_equal(inbound_outcome_words(INBOUND_OUTCOMES), "?");
}

static struct inbound_seen
one_of(int64_t day, uint8_t host, enum inbound_outcome outcome, uint8_t alert)
{
	return (struct inbound_seen){.day = day,
	    .address = {[15] = host},
	    .outcome = outcome,
	    .alert = alert,
	    .sessions = 1};
}

static void
those_alike_are_one(void **state)
{
	struct inbound_seen list[] = {
	    one_of(2, 1, INBOUND_TLS, 0),
	    one_of(1, 1, INBOUND_ALERT, 46),
	    one_of(1, 2, INBOUND_TLS, 0),
	    one_of(1, 1, INBOUND_ALERT, 48),
	    one_of(1, 1, INBOUND_TLS, 0),
	    one_of(1, 1, INBOUND_ALERT, 46),
	    one_of(1, 1, INBOUND_ALERT, 46),
	};

	(void)state;
	assert_int_equal(inbound_merge(list, 0), 0);
	assert_int_equal(inbound_merge(list, ROWS(list)), 5);
	assert_int_equal(list[0].outcome, INBOUND_TLS);
	assert_int_equal(list[0].address[15], 1);
	assert_int_equal(list[1].alert, 46);
	assert_int_equal(list[1].sessions, 3);
	assert_int_equal(list[2].alert, 48);
	assert_int_equal(list[3].address[15], 2);
	assert_int_equal(list[4].day, 2);
}

static void
a_sum_stays_a_number(void **state)
{
	struct inbound_seen list[] = {
	    one_of(1, 1, INBOUND_TLS, 0), one_of(1, 1, INBOUND_TLS, 0)};

	(void)state;
	list[0].sessions = UINT32_MAX - 1;
	list[1].sessions = 2;
	assert_int_equal(inbound_merge(list, 2), 1);
	assert_int_equal(list[0].sessions, UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_read_as_they_are_written),
	    cmocka_unit_test(alerts_have_their_names),
	    cmocka_unit_test(outcomes_have_words_of_their_own),
	    cmocka_unit_test(those_alike_are_one),
	    cmocka_unit_test(a_sum_stays_a_number),
	};

	return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
