#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "reporting/gunzip.h"

#include "tests/support/gzip_kit.h"
#include "tests/support/test.h"

#define MIB ((size_t)1 << 20)
/* RFC 1952 2.3: CRC32 and ISIZE */
#define TRAILER 8

static const struct span hello = {"hello, report", 13};

/* What becomes of it: the text, or the reason. */
struct result {
	int rc;
	struct buf text;
	struct gunzip_seen seen;
	struct err err;
};

static struct result
run(struct span bytes, size_t limit)
{
	struct result r = {.seen = {99, 99}};

	buf_init(&r.text, limit);
	r.rc = gunzip(bytes, &r.text, &r.seen, &r.err);
	return r;
}

static void
assert_text(
    struct span bytes, struct span text, unsigned members, size_t trailing)
{
	struct result r = run(bytes, MIB);

	if (r.rc != 0)
		fail_msg("%s", r.err.text);
	assert_true(span_eq(buf_span(&r.text), text));
	assert_int_equal(r.seen.members, members);
	assert_int_equal(r.seen.trailing, trailing);
	buf_free(&r.text);
}

static void
assert_refused(struct span bytes, size_t limit, const char *why)
{
	struct result r = run(bytes, limit);

	assert_int_equal(r.rc, -1);
	assert_int_equal(r.err.kind, ERR_PERM);
	if (strstr(r.err.text, why) == NULL)
		fail_msg("\"%s\", not \"%s\"", r.err.text, why);
	assert_int_equal(r.seen.members, 99);
	assert_true(r.text.n <= limit);
	buf_free(&r.text);
}

static struct buf
gzip_of(struct span text, const char *name)
{
	struct buf gz;

	buf_init(&gz, 64 * MIB);
	gzip_add(&gz, text, name);
	return gz;
}

static void
gzip_is_known_by_its_magic(void **state)
{
	(void)state;
	/* RFC 8460 6.5 */
	assert_true(gunzip_is(SPAN("\x1f\x8b")));
	assert_true(gunzip_is(SPAN("\x1f\x8b\x08")));
	assert_false(gunzip_is(SPAN("\x1f")));
	assert_false(gunzip_is(SPAN("")));
	assert_false(gunzip_is(SPAN("\x1f\x8c")));
	assert_false(gunzip_is(SPAN("{}")));
}

static void
a_member_becomes_its_text(void **state)
{
	struct buf gz = gzip_of(hello, NULL);

	(void)state;
	assert_text(buf_span(&gz), hello, 1, 0);
	buf_free(&gz);
	gz = gzip_of(SPAN(""), NULL);
	assert_text(buf_span(&gz), SPAN(""), 1, 0);
	buf_free(&gz);
}

/* RFC 8460 6.3: what the file is called is nobody's business. */
static void
its_name_is_skipped(void **state)
{
	struct buf gz = gzip_of(hello, "../../etc/passwd");

	(void)state;
	assert_text(buf_span(&gz), hello, 1, 0);
	buf_free(&gz);
}

static void
members_follow_one_another(void **state)
{
	struct buf gz = gzip_of(SPAN("hello, "), NULL);

	(void)state;
	gzip_add(&gz, SPAN("report"), NULL);
	assert_text(buf_span(&gz), hello, 2, 0);
	for (unsigned i = 2; i < GUNZIP_MEMBERS; i++)
		gzip_add(&gz, SPAN(""), NULL);
	assert_text(buf_span(&gz), hello, GUNZIP_MEMBERS, 0);
	gzip_add(&gz, SPAN(""), NULL);
	assert_refused(buf_span(&gz), MIB, "too many members");
	buf_free(&gz);
}

static void
what_stands_behind_is_told(void **state)
{
	struct buf gz = gzip_of(hello, NULL);

	(void)state;
	assert_int_equal(buf_add(&gz, SPAN("\r\n")), 0);
	assert_text(buf_span(&gz), hello, 1, 2);
	buf_free(&gz);
}

static void
it_may_end_nowhere_but_at_its_end(void **state)
{
	struct buf gz = gzip_of(hello, "name");

	(void)state;
	for (size_t n = 0; n < gz.n; n++)
		assert_refused(
		    span_first(buf_span(&gz), n), MIB, "it ends too early");
	/* So may the second of two. */
	gzip_add(&gz, hello, NULL);
	assert_refused(
	    span_first(buf_span(&gz), gz.n - 1), MIB, "it ends too early");
	buf_free(&gz);
}

static void
damage_is_noticed(void **state)
{
	struct buf gz = gzip_of(hello, NULL);

	(void)state;
	gz.p[gz.n - TRAILER] ^= 1;
	assert_refused(buf_span(&gz), MIB, "it is damaged");
	gz.p[gz.n - TRAILER] ^= 1;
	gz.p[gz.n - 1] ^= 1;
	assert_refused(buf_span(&gz), MIB, "it is damaged");
	gz.p[gz.n - 1] ^= 1;
	gz.p[2] = 7; /* RFC 1952 2.3.1: CM 8 alone is known */
	assert_refused(buf_span(&gz), MIB, "it is damaged");
	buf_free(&gz);
	assert_refused(SPAN("{\"a\": \"no gzip at all\"}"), MIB, "damaged");
	/* RFC 1950, and nothing in it */
	assert_refused(SPAN("\x78\x9c\x03\0\0\0\0\1"), MIB, "damaged");
}

static void
the_limit_is_the_buffers(void **state)
{
	struct buf gz = gzip_of(hello, NULL);
	struct result r = run(buf_span(&gz), hello.n);

	(void)state;
	assert_int_equal(r.rc, 0);
	buf_free(&r.text);
	assert_refused(buf_span(&gz), hello.n - 1, "more than 12 octets");
	buf_free(&gz);
}

/* A text that no ratio gives away: every octet is another. */
static struct buf
noise(size_t n)
{
	struct buf text;
	uint32_t x = 1;
	char *room;

	buf_init(&text, n);
	room = buf_reserve(&text, n);
	assert_non_null(room);
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		room[i] = (char)(x >> 24);
	}
	text.n = n;
	return text;
}

static void
large_and_honest_is_taken(void **state)
{
	struct buf text = noise(4 * MIB);
	struct buf gz = gzip_of(buf_span(&text), NULL);
	struct result r = run(buf_span(&gz), 4 * MIB);

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_true(span_eq(buf_span(&r.text), buf_span(&text)));
	buf_free(&r.text);
	assert_refused(buf_span(&gz), 4 * MIB - 1, "more than 4194303 octets");
	buf_free(&gz);
	buf_free(&text);
}

/* RFC 8460 7 */
static void
what_grows_too_much_is_no_report(void **state)
{
	struct buf gz;

	(void)state;
	buf_init(&gz, 64 * MIB);
	gzip_bomb(&gz, UINT64_C(10) << 30, '0');
	assert_true(gz.n < 16 * MIB);
	assert_refused(buf_span(&gz), 16 * MIB, "more than 200 times");
	buf_free(&gz);
	/* A megabyte may be as dense as it likes: a day without news is. */
	buf_init(&gz, MIB);
	gzip_bomb(&gz, MIB, '0');
	assert_refused(buf_span(&gz), 16 * MIB, "it ends too early");
	buf_free(&gz);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gzip_is_known_by_its_magic),
	    cmocka_unit_test(a_member_becomes_its_text),
	    cmocka_unit_test(its_name_is_skipped),
	    cmocka_unit_test(members_follow_one_another),
	    cmocka_unit_test(what_stands_behind_is_told),
	    cmocka_unit_test(it_may_end_nowhere_but_at_its_end),
	    cmocka_unit_test(damage_is_noticed),
	    cmocka_unit_test(the_limit_is_the_buffers),
	    cmocka_unit_test(large_and_honest_is_taken),
	    cmocka_unit_test(what_grows_too_much_is_no_report),
	};

	return cmocka_run_group_tests_name("gunzip", tests, NULL, NULL);
}
