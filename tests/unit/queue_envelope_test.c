#include <string.h>

#include "queue/envelope.h"
#include "queue/spool.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

static const struct envelope_rcpt two[] = {
    {"b@example.org", "rfc822;B@example.org", NOTIFY_SUCCESS | NOTIFY_DELAY},
    {"\xc3\xa9@example.org", "", NOTIFY_DEFAULT},
};

/* RFC 3461 5.2.7.3 */
static const struct envelope_rcpt alias[] = {
    {"all@example.org", "", NOTIFY_SUCCESS | NOTIFY_EXPANDED},
};

static const struct envelope expanded = {
    .sender = "a@client.example",
    .rcpts = (struct envelope_rcpt *)(uintptr_t)alias,
    .nrcpts = 1,
};

static const struct envelope full = {
    .sender = "a@client.example",
    .envid = "QQ+2B314159",
    .helo = "client.example",
    .client = "2001:db8::1",
    .session = "4fa3c1",
    .ret = RET_HDRS,
    .body = BODY_8BITMIME,
    .smtputf8 = true,
    .tls_wish = TLS_WISH_REQUIRED,
    .tls = true,
    .internal = true,
    .arrived = 1795339560,
    .rcpts = (struct envelope_rcpt *)(uintptr_t)two,
    .nrcpts = 2,
};

static const struct envelope waived = {
    .sender = "a@client.example",
    .tls_wish = TLS_WISH_WAIVED,
    .rcpts = (struct envelope_rcpt *)(uintptr_t)two,
    .nrcpts = 1,
};

static const struct envelope report = {
    .sender = "reports@client.example",
    .tls_wish = TLS_WISH_REPORT,
    .internal = true,
    .rcpts = (struct envelope_rcpt *)(uintptr_t)two,
    .nrcpts = 1,
};

static const struct envelope held = {
    .sender = "a@client.example",
    .held = true,
    .rcpts = (struct envelope_rcpt *)(uintptr_t)two,
    .nrcpts = 1,
};

/* The null sender and nothing that was not said. */
static const struct envelope bare = {
    .sender = "",
    .rcpts = (struct envelope_rcpt *)(uintptr_t)two,
    .nrcpts = 1,
};

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static void
assert_same(const struct envelope *a, const struct envelope *b)
{
	assert_string_equal(or_empty(a->sender), b->sender);
	assert_string_equal(or_empty(a->envid), b->envid);
	assert_string_equal(or_empty(a->helo), b->helo);
	assert_string_equal(or_empty(a->client), b->client);
	assert_string_equal(or_empty(a->session), b->session);
	assert_int_equal(a->ret, b->ret);
	assert_int_equal(a->body, b->body);
	assert_int_equal(a->smtputf8, b->smtputf8);
	assert_int_equal(a->tls_wish, b->tls_wish);
	assert_int_equal(a->tls, b->tls);
	assert_int_equal(a->internal, b->internal);
	assert_int_equal(a->held, b->held);
	assert_int_equal(a->arrived, b->arrived);
	assert_int_equal(a->nrcpts, b->nrcpts);
	for (size_t i = 0; i < a->nrcpts; i++) {
		assert_string_equal(a->rcpts[i].address, b->rcpts[i].address);
		assert_string_equal(a->rcpts[i].orcpt, b->rcpts[i].orcpt);
		assert_int_equal(a->rcpts[i].notify, b->rcpts[i].notify);
	}
}

static void
comes_back_as_it_was(void **state)
{
	static const struct envelope *const rows[] = {
	    &full, &waived, &report, &held, &bare, &expanded};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(10000);
		struct envelope got;
		struct err err;
		struct buf buf;

		buf_init(&buf, 1000);
		assert_int_equal(envelope_encode(rows[i], &buf), 0);
		assert_int_equal(buf.n, envelope_size(rows[i]));
		assert_int_equal(
		    envelope_decode(buf_span(&buf), arena, &got, &err), 0);
		assert_same(rows[i], &got);
		buf_free(&buf);
		arena_free(&arena);
	}
}

static void
nothing_shorter_or_longer_is_one(void **state)
{
	struct arena *arena = arena_new(10000);
	struct envelope got;
	struct err err;
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(envelope_encode(&full, &buf), 0);
	for (size_t n = 0; n < buf.n; n++) {
		err = (struct err){0};
		arena_reset(arena);
		assert_int_equal(envelope_decode(span_first(buf_span(&buf), n),
				     arena, &got, &err),
		    -1);
		assert_int_equal(err.kind, ERR_BUG);
	}
	assert_int_equal(buf_add(&buf, SPAN("x")), 0);
	assert_int_equal(
	    envelope_decode(buf_span(&buf), arena, &got, &err), -1);
	buf_free(&buf);
	arena_free(&arena);
}

/* Offsets into the encoded `bare`, see danelaw-spool(5). */
static void
hostile_bytes_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t offset;
		char byte;
	} rows[] = {
	    {"a later version", 0, 2},
	    {"an unknown flag", 1, (char)128},
	    /* RFC 8689 4.1 */
	    {"TLS required and waived", 1, 2 | 16},
	    {"a report that waives", 1, 16 | 32},
	    {"a report that requires", 1, 2 | 32},
	    {"an unknown RET", 2, 3},
	    {"an unknown BODY", 3, 3},
	    {"a string longer than all that is left", 12, 100},
	    {"no recipient", 32, 0},
	    {"more recipients than bytes", 33, 1},
	    {"a count near 2^32", 35, (char)0xff},
	    {"a NUL in an address", 41, 0},
	    {"an unknown NOTIFY", 77, 32},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(10000);
		struct envelope got;
		struct err err;
		struct buf buf;

		buf_init(&buf, 1000);
		assert_int_equal(envelope_encode(&bare, &buf), 0);
		assert_true(rows[i].offset < buf.n);
		buf.p[rows[i].offset] = rows[i].byte;
		if (envelope_decode(buf_span(&buf), arena, &got, &err) == 0)
			fail_msg("%s", rows[i].what);
		buf_free(&buf);
		arena_free(&arena);
	}
}

static void
memory_has_a_limit(void **state)
{
	struct arena *arena = arena_new(40);
	struct envelope got;
	struct err err;
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(envelope_encode(&full, &buf), 0);
	assert_int_equal(
	    envelope_decode(buf_span(&buf), arena, &got, &err), -1);
	buf_free(&buf);
	buf_init(&buf, 20);
	assert_int_equal(envelope_encode(&full, &buf), -1);
	buf_free(&buf);
	arena_free(&arena);
}

static void
domains(void **state)
{
	static const struct {
		const char *address, *domain;
	} rows[] = {
	    {"a@example.org", "example.org"},
	    {"\"a@b\"@example.org", "example.org"},
	    {"postmaster", ""},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(
		    address_domain(rows[i].address), rows[i].domain);
}

static void
ids_as_text(void **state)
{
	static const struct {
		uint64_t id;
		const char *text;
	} rows[] = {
	    {0, "0000000000000"},
	    {1, "0000000000001"},
	    {31, "000000000000z"},
	    {1ull << 32 | 5, "0000004000005"},
	    {UINT64_MAX, "fzzzzzzzzzzzz"},
	};
	static const char *const bad[] = {"", "000000000000", "00000000000000",
	    "g000000000000", "000000000000l", "000000000000A", "00000000000 0"};
	char text[QUEUE_ID_SIZE];
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		queue_id_text(rows[i].id, text);
		assert_string_equal(text, rows[i].text);
		assert_true(queue_id_parse(text, &id));
		assert_true(id == rows[i].id);
	}
	for (size_t i = 0; i < ROWS(bad); i++)
		if (queue_id_parse(bad[i], &id))
			fail_msg("\"%s\"", bad[i]);
}

static void
space_is_kept_in_reserve(void **state)
{
	static const struct {
		uint64_t free, size;
		int result;
	} rows[] = {
	    {2000, 0, 0},
	    {1000, 0, 0},
	    {999, 0, -1},
	    {2000, 1000, 0},
	    {2000, 1001, -1},
	    {2000, UINT64_MAX, -1},
	};
	struct fake_disk *fake = fake_disk_new();
	struct kit kit;

	(void)state;
	kit_open_on(&kit, fake_disk_of(fake));
	kit.spool.reserve = 1000;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {0};

		fake_disk_set_free(fake, rows[i].free);
		assert_int_equal(queue_space(&kit.spool, rows[i].size, &err),
		    rows[i].result);
		if (rows[i].result < 0)
			assert_string_equal(err.enhanced, "4.3.1");
	}
	fake_disk_free(&fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back_as_it_was),
	    cmocka_unit_test(nothing_shorter_or_longer_is_one),
	    cmocka_unit_test(hostile_bytes_are_refused),
	    cmocka_unit_test(memory_has_a_limit),
	    cmocka_unit_test(domains),
	    cmocka_unit_test(ids_as_text),
	    cmocka_unit_test(space_is_kept_in_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
