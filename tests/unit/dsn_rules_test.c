/* Who gets a report, and what of the message comes back with it. */
#include "mta/message/dsn.h"

#include "tests/support/test.h"

static void
notify_is_honoured(void **state)
{
	static const struct {
		const char *rule;
		uint8_t notify;
		bool wanted
		    [5]; /* failed, delayed, relayed, expanded, delivered */
	} rows[] = {
	    {"RFC 3461 5.2.6 no NOTIFY: failures and delays", NOTIFY_DEFAULT,
		{true, true, false, false, false}},
	    {"RFC 3461 5.2.2 NEVER", NOTIFY_NEVER, {false}},
	    {"RFC 3461 5.2.5 FAILURE alone: no delays", NOTIFY_FAILURE,
		{true, false, false, false, false}},
	    {"RFC 3461 5.2.5 DELAY", NOTIFY_DELAY,
		{false, true, false, false, false}},
	    {"RFC 3461 5.2.3 SUCCESS", NOTIFY_SUCCESS,
		{false, false, true, true, true}},
	    {"all three", NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY,
		{true, true, true, true, true}},
	    {"NEVER with others still means it", NOTIFY_NEVER | NOTIFY_FAILURE,
		{false}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (int action = 0; action < 5; action++)
			if (dsn_wanted(
				rows[i].notify, (enum dsn_action)action) !=
			    rows[i].wanted[action])
				fail_msg("%s: %s", rows[i].rule,
				    dsn_action_name((enum dsn_action)action));
}

static void
no_bounce_for_bounces(void **state)
{
	struct envelope envelope = {.sender = ""};

	(void)state;
	assert_false(dsn_allowed(&envelope)); /* RFC 5321 6.1 */
	envelope.sender = "a@example.org";
	assert_true(dsn_allowed(&envelope));
	envelope.tls_wish = TLS_WISH_REPORT; /* RFC 8460: of ours */
	assert_false(dsn_allowed(&envelope));
}

static void
what_is_returned(void **state)
{
	static const struct {
		const char *rule;
		struct envelope envelope;
		bool failed;
		uint64_t size;
		bool whole;
	} rows[] = {
	    {"RFC 6522 3 no wish, small", {.ret = RET_DEFAULT}, true, 50000,
		true},
	    {"no wish, big", {.ret = RET_DEFAULT}, true, 50001, false},
	    {"RFC 3461 6.2 FULL", {.ret = RET_FULL}, true, DSN_WHOLE_MAX, true},
	    {"RFC 3461 6.2 FULL, too big", {.ret = RET_FULL}, true,
		DSN_WHOLE_MAX + 1, false},
	    {"RFC 3461 6.2 HDRS", {.ret = RET_HDRS}, true, 10, false},
	    {"RFC 3461 6.2 FULL, no failure", {.ret = RET_FULL}, false, 10,
		false},
	    {"RFC 8689 5 FULL does not count with REQUIRETLS",
		{.ret = RET_FULL, .tls_wish = TLS_WISH_REQUIRED}, true, 10,
		false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (dsn_returns_whole(&rows[i].envelope, rows[i].failed,
			rows[i].size) != rows[i].whole)
			fail_msg("%s", rows[i].rule);
}

static void
headers_end_at_the_blank_line(void **state)
{
	static const struct {
		const char *message;
		size_t most;
		const char *header;
	} rows[] = {
	    {"A: b\r\nC: d\r\n\r\nbody\r\n", 99, "A: b\r\nC: d\r\n"},
	    {"A: b\r\nC: d\r\n", 99, "A: b\r\nC: d\r\n"},
	    {"A: b\r\nC: d", 99, "A: b\r\nC: d"},
	    {"\r\nbody\r\n", 99, ""},
	    {"", 99, ""},
	    {"A: b\r\nC: d\r\n\r\n", 7, "A: b\r\n"},
	    {"A: b\r\nC: d\r\n\r\n", 12, "A: b\r\nC: d\r\n"},
	    {"A: b\r\nC: d\r\n\r\n", 5, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct span got = dsn_header(
		    span_of(rows[i].message), rows[i].most);

		if (!span_eq(got, span_of(rows[i].header)))
			fail_msg("row %zu: %.*s", i, (int)got.n, got.p);
	}
}

/* RFC 8689 5: as the message was; but nobody waives for whom it goes to. */
static void
bounces_require_tls_as_the_message_did(void **state)
{
	struct envelope envelope = {.tls_wish = TLS_WISH_REQUIRED};

	(void)state;
	assert_int_equal(dsn_wish(&envelope), TLS_WISH_REQUIRED);
	envelope.tls_wish = TLS_WISH_WAIVED;
	assert_int_equal(dsn_wish(&envelope), TLS_WISH_NONE);
	envelope.tls_wish = TLS_WISH_NONE;
	assert_int_equal(dsn_wish(&envelope), TLS_WISH_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notify_is_honoured),
	    cmocka_unit_test(no_bounce_for_bounces),
	    cmocka_unit_test(what_is_returned),
	    cmocka_unit_test(bounces_require_tls_as_the_message_did),
	    cmocka_unit_test(headers_end_at_the_blank_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
