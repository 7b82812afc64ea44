/* The forms in which a message is hashed. */
#include <stdlib.h>

#include "reporting/dkim_canon.h"
#include "reporting/dkim_crypto.h"

#include "tests/support/test.h"

/* RFC 6376 3.4.1, RFC 6376 3.4.2; simple changes nothing. */
static const struct {
	const char *raw;
	const char *relaxed;
} fields[] = {
    /* RFC 6376 3.4.5, its examples */
    {"A: X", "a:X"},
    {"B : Y\t\r\n\tZ  ", "b:Y Z"},
    {"SUBJect: AbC", "subject:AbC"},
    {"a:b", "a:b"},
    {"a:", "a:"},
    {"a: \t ", "a:"},
    {"a:\r\n b", "a:b"},
    {"a: b\r\n ", "a:b"},
    {"a:b\r\n\tc", "a:b c"},
    {"a:b \t c\t\td", "a:b c d"},
    {"a: b:  c : d", "a:b: c : d"},
    {"a \t:b", "a:b"},
    /* only CRLF is a fold, and nothing else is a blank */
    {"a: b\rc\n d\v", "a:b\rc\n d\v"},
    {"a: \xc3\x84 ", "a:\xc3\x84"},
    {"no colon", "no colon"},
};

static void
fields_are_relaxed_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(fields); i++) {
		struct span raw = span_of(fields[i].raw);
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(dkim_canon_field(DKIM_RELAXED, raw, &out), 0);
		if (!span_eq(buf_span(&out), span_of(fields[i].relaxed)))
			fail_msg("%s: %.*s", raw.p, (int)out.n, out.p);
		buf_clear(&out);
		assert_int_equal(dkim_canon_field(DKIM_SIMPLE, raw, &out), 0);
		assert_true(span_eq(buf_span(&out), raw));
		buf_free(&out);
	}
}

static void
collect(struct span bytes, void *arg)
{
	assert_int_equal(buf_add(arg, bytes), 0);
}

/* RFC 6376 3.4.3, RFC 6376 3.4.4 */
static const struct {
	const char *raw;
	const char *simple;
	const char *relaxed;
} bodies[] = {
    /* RFC 6376 3.4.5, its examples */
    {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"", "\r\n", ""},
    {"\r\n", "\r\n", ""},
    {"\r\n\r\n\r\n", "\r\n", ""},
    {"a", "a\r\n", "a\r\n"},
    {"a\r\n", "a\r\n", "a\r\n"},
    {"a\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"\r\n\r\na", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
    /* a line of blanks is empty once they are gone */
    {"a\r\n \t\r\n", "a\r\n \t\r\n", "a\r\n"},
    {" \r\n", " \r\n", ""},
    {" ", " \r\n", ""},
    {"a \r\n \r\nb", "a \r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"a ", "a \r\n", "a\r\n"},
    {"\ta\t\tb", "\ta\t\tb\r\n", " a b\r\n"},
    /* CR and LF alone are octets as others */
    {"a\rb\nc\r\n", "a\rb\nc\r\n", "a\rb\nc\r\n"},
    {"a\r", "a\r\r\n", "a\r\r\n"},
    {"a \r\r\n", "a \r\r\n", "a \r\r\n"},
    {"a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n"},
    {"\n", "\n\r\n", "\n\r\n"},
    {"..\r\n.\r\n", "..\r\n.\r\n", "..\r\n.\r\n"},
};

static void
check_body(enum dkim_canon canon, const char *raw, const char *want)
{
	for (size_t cut = 0; cut <= strlen(raw); cut++) {
		struct dkim_body body;
		struct buf out;

		buf_init(&out, 200);
		dkim_body_init(&body, canon, collect, &out);
		dkim_body_feed(&body, (struct span){raw, cut});
		dkim_body_feed(&body, span_of(raw + cut));
		dkim_body_end(&body);
		if (!span_eq(buf_span(&out), span_of(want)))
			fail_msg("%s %s: %.*s", dkim_canon_name(canon), raw,
			    (int)out.n, out.p);
		buf_free(&out);
	}
}

static void
bodies_are_the_same_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bodies); i++) {
		check_body(DKIM_SIMPLE, bodies[i].raw, bodies[i].simple);
		check_body(DKIM_RELAXED, bodies[i].raw, bodies[i].relaxed);
	}
}

static void
hash_piece(struct span bytes, void *arg)
{
	dkim_hash_add(arg, bytes);
}

/* RFC 6376 3.4.3, RFC 6376 3.4.4: the hashes of empty bodies, as they stand there */
static void
empty_bodies_have_their_hashes(void **state)
{
	static const char *const want[] = {
	    [DKIM_SIMPLE] = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
	    [DKIM_RELAXED] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(want); i++) {
		struct dkim_hash *hash = dkim_hash_new();
		unsigned char bytes[DKIM_HASH_SIZE];
		struct dkim_body body;
		struct buf out;

		buf_init(&out, 100);
		dkim_body_init(&body, (enum dkim_canon)i, hash_piece, hash);
		dkim_body_end(&body);
		assert_int_equal(dkim_hash_end(hash, bytes), 0);
		assert_int_equal(
		    dkim_base64_write((struct span){(char *)bytes, 32}, &out),
		    0);
		assert_true(span_eq(buf_span(&out), span_of(want[i])));
		buf_free(&out);
		dkim_hash_free(&hash);
	}
}

/* More than fits into what is collected before it is passed on. */
static void
long_bodies_pass_through(void **state)
{
	static char raw[3000];
	struct dkim_body body;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i += 2) {
		raw[i] = '\r';
		raw[i + 1] = '\n';
	}
	raw[2998] = 'a';
	raw[2999] = 'b';
	buf_init(&out, 4000);
	dkim_body_init(&body, DKIM_RELAXED, collect, &out);
	dkim_body_feed(&body, (struct span){raw, sizeof(raw)});
	dkim_body_end(&body);
	assert_int_equal(out.n, 3002);
	assert_memory_equal(out.p, raw, sizeof(raw));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_relaxed_or_not),
	    cmocka_unit_test(bodies_are_the_same_in_any_pieces),
	    cmocka_unit_test(empty_bodies_have_their_hashes),
	    cmocka_unit_test(long_bodies_pass_through),
	};

	return cmocka_run_group_tests_name("dkim_canon", tests, NULL, NULL);
}
