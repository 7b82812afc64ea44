#include <string.h>

#include "mta/drop.h"
#include "queue/checksum.h"

#include "tests/support/test.h"

static const struct envelope plain = {
    .sender = "a@x.example",
    .envid = "",
    .helo = "liar",
    .client = "192.0.2.1",
    .session = "s",
    .tls = true,
    .internal = true,
    .tls_wish = TLS_WISH_REQUIRED,
    .arrived = 99,
};

/* Encode with these recipients, decode; 0 or -1 as drop_take_envelope(). */
static int
round_trip(struct envelope envelope, struct envelope_rcpt *rcpts, size_t n,
    struct arena *arena, struct envelope *ret)
{
	struct drop_header header = {.message = 5, .sum = 7}, got;
	uint8_t front[DROP_HEADER];
	struct buf bytes;
	struct err err;
	int rc;

	envelope.rcpts = rcpts;
	envelope.nrcpts = n;
	buf_init(&bytes, DROP_ENVELOPE_MAX);
	assert_int_equal(envelope_encode(&envelope, &bytes), 0);
	drop_put_header(&header, buf_span(&bytes), front);
	assert_true(
	    drop_take_header((struct span){(const char *)front, sizeof(front)},
		DROP_HEADER + 5 + bytes.n, &got));
	assert_memory_equal(&got, &header, sizeof(got));
	rc = drop_take_envelope(&got, buf_span(&bytes), arena, ret, &err);
	buf_free(&bytes);
	return rc;
}

/* What only we may say is not taken from a file. */
static void
only_what_a_submitter_may_say_is_kept(void **state)
{
	struct envelope_rcpt rcpts[] = {
	    {"b@Y.Example", "rfc822;b", NOTIFY_DELAY},
	    {"c@y.example", "", 0},
	};
	struct arena *arena = arena_new(1 << 20);
	struct envelope got;

	(void)state;
	assert_int_equal(round_trip(plain, rcpts, 2, arena, &got), 0);
	assert_string_equal(got.sender, "a@x.example");
	assert_string_equal(got.client, "");
	assert_string_equal(got.helo, "");
	assert_string_equal(got.session, "");
	assert_false(got.tls || got.internal);
	assert_int_equal(got.tls_wish, TLS_WISH_NONE);
	assert_int_equal(got.arrived, 0);
	assert_int_equal(got.nrcpts, 2);
	assert_string_equal(got.rcpts[0].address, "b@y.example");
	assert_string_equal(got.rcpts[0].orcpt, "rfc822;b");
	assert_int_equal(got.rcpts[0].notify, NOTIFY_DELAY);
	arena_free(&arena);
}

static void
grammars_are_enforced(void **state)
{
	static const struct {
		const char *sender, *envid, *rcpt, *orcpt;
		uint8_t notify;
		int rc;
	} rows[] = {
	    {"a@x.example", "", "b@y.example", "", 0, 0},
	    {"", "id+2B", "postmaster", "", NOTIFY_NEVER, 0},
	    {"a@x.example\r\nRCPT TO:<c@z>", "", "b@y.example", "", 0, -1},
	    {"a b@x.example", "", "b@y.example", "", 0, -1},
	    {"a", "", "b@y.example", "", 0, -1},
	    {"", "a b", "b@y.example", "", 0, -1},
	    {"", "", "b@y.example> X", "", 0, -1},
	    {"", "", "", "", 0, -1},
	    {"", "", "b@y.example", "no type", 0, -1},
	    /* RFC 3461 4.1: NEVER stands alone. */
	    {"", "", "b@y.example", "", NOTIFY_NEVER | NOTIFY_DELAY, -1},
	    {"", "", "b@y.example", "", NOTIFY_SUCCESS | NOTIFY_EXPANDED, -1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct envelope_rcpt rcpt = {
		    rows[i].rcpt, rows[i].orcpt, rows[i].notify};
		struct envelope envelope = plain, got;
		struct arena *arena = arena_new(1 << 20);

		envelope.sender = rows[i].sender;
		envelope.envid = rows[i].envid;
		if (round_trip(envelope, &rcpt, 1, arena, &got) != rows[i].rc)
			fail_msg("row %zu", i);
		arena_free(&arena);
	}
}

static void
utf8_addresses_need_smtputf8(void **state)
{
	struct envelope_rcpt rcpt = {"b\xc3\xa4@y.example", "", 0};
	struct arena *arena = arena_new(1 << 20);
	struct envelope got;

	(void)state;
	assert_int_equal(round_trip(plain, &rcpt, 1, arena, &got), 0);
	assert_true(got.smtputf8);
	arena_free(&arena);
}

/* Each octet of header and envelope counts. */
static void
damage_is_seen(void **state)
{
	struct envelope_rcpt rcpt = {"b@y.example", "", 0};
	struct envelope envelope = plain, got;
	struct drop_header header = {.message = 0}, seen;
	struct arena *arena = arena_new(1 << 20);
	struct buf bytes;
	struct err err;

	(void)state;
	envelope.rcpts = &rcpt;
	envelope.nrcpts = 1;
	buf_init(&bytes, DROP_ENVELOPE_MAX);
	memset(buf_reserve(&bytes, DROP_HEADER), 0, DROP_HEADER);
	bytes.n = DROP_HEADER;
	assert_int_equal(envelope_encode(&envelope, &bytes), 0);
	drop_put_header(&header, span_from(buf_span(&bytes), DROP_HEADER),
	    (uint8_t *)bytes.p);
	for (size_t i = 0; i < bytes.n; i++) {
		bool taken;

		bytes.p[i] = (char)(bytes.p[i] ^ 0x10);
		taken = drop_take_header(buf_span(&bytes), bytes.n, &seen) &&
		        drop_take_envelope(&seen,
			    span_from(buf_span(&bytes), DROP_HEADER), arena,
			    &got, &err) == 0;
		if (taken)
			fail_msg("octet %zu does not count", i);
		bytes.p[i] = (char)(bytes.p[i] ^ 0x10);
		arena_reset(arena);
	}
	assert_false(drop_take_header(buf_span(&bytes), bytes.n - 1, &seen));
	assert_false(drop_take_header(buf_span(&bytes), bytes.n + 1, &seen));
	assert_false(drop_take_header(
	    span_first(buf_span(&bytes), DROP_HEADER - 1), bytes.n, &seen));
	buf_free(&bytes);
	arena_free(&arena);
}

static void
names(void **state)
{
	static const struct {
		const char *name;
		bool whole, begun, temporary;
	} rows[] = {
	    {"0123456789abcdef0123456789abcdef", true, false, false},
	    {"0123456789abcdef0123456789abcdef.try", true, true, false},
	    {"tmp.0123456789abcdef0123456789abcdef", false, false, true},
	    {"0123456789abcdef0123456789abcde", false, false, false},
	    {"0123456789abcdef0123456789abcdef0", false, false, false},
	    {"0123456789ABCDEF0123456789ABCDEF", false, false, false},
	    {"0123456789abcdef0123456789abcdef.try.try", false, false, false},
	    {".try", false, false, false},
	    {"", false, false, false},
	    {"../../etc/passwd", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (drop_is_name(rows[i].name) != rows[i].whole ||
		    drop_is_begun(rows[i].name) != rows[i].begun ||
		    drop_is_temporary(rows[i].name) != rows[i].temporary)
			fail_msg("%s", rows[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_a_submitter_may_say_is_kept),
	    cmocka_unit_test(grammars_are_enforced),
	    cmocka_unit_test(utf8_addresses_need_smtputf8),
	    cmocka_unit_test(damage_is_seen),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("drop", tests, NULL, NULL);
}
