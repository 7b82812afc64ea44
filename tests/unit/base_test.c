#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/wire.h"

#include "tests/support/test.h"

static void
arena_has_a_limit(void **state)
{
	struct arena *arena = arena_new(100);
	char *first = arena_alloc(arena, 60);

	(void)state;
	assert_non_null(first);
	assert_int_equal(first[59], 0);
	assert_null(arena_alloc(arena, 60));
	assert_non_null(arena_strndup(arena, "abc", 3));
	arena_reset(arena);
	assert_non_null(arena_alloc(arena, 96));
	assert_null(arena_strndup(arena, "x", SIZE_MAX));
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

/* Whatever came behind a mark is gone: its octets, its blocks, its share of
 * the limit; what stood before stays. */
static void
arena_goes_back_to_a_mark(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 2048, 5000};

	(void)state;
	for (size_t i = 0; i < ROWS(sizes) * ROWS(sizes); i++) {
		size_t before = sizes[i % ROWS(sizes)];
		size_t behind = sizes[i / ROWS(sizes)];
		struct arena *arena = arena_new(before + behind + 2000);
		char *old = arena_alloc(arena, before);
		struct arena_mark mark;

		assert_non_null(old);
		memset(old, 'x', before);
		mark = arena_mark(arena);
		/* A hundred of them never fit side by side. */
		for (size_t n = 0; n < 100; n++) {
			char *new = arena_alloc(arena, behind);

			assert_non_null(new);
			for (size_t k = 0; k < behind; k++)
				assert_int_equal(new[k], 0);
			memset(new, 'y', behind);
			assert_non_null(arena_alloc(arena, 1000));
			arena_rewind(arena, mark);
		}
		for (size_t k = 0; k < before; k++)
			assert_int_equal(old[k], 'x');
		arena_reset(arena);
		assert_non_null(arena_alloc(arena, before + behind + 1000));
		arena_free(&arena);
	}
}

static void
buf_refuses_what_does_not_fit(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_add(&buf, SPAN("12345678")), 0);
	assert_int_equal(buf_add(&buf, SPAN("9")), -1);
	assert_int_equal(buf.n, 8);
	buf_shift(&buf, 6);
	assert_true(span_eq(buf_span(&buf), SPAN("78")));
	buf_free(&buf);
	buf = (struct buf){0};
	assert_int_equal(buf_add(&buf, SPAN("x")), -1);
}

/* Only an empty one, and only one that is large. */
static void
buf_rests_with_little(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5000);
	assert_non_null(buf_reserve(&buf, 4096));
	buf_rest(&buf, 4096);
	assert_int_equal(buf.cap, 4096);
	assert_int_equal(buf_add(&buf, SPAN("x")), 0);
	buf_rest(&buf, 4095);
	assert_true(span_eq(buf_span(&buf), SPAN("x")));
	buf_clear(&buf);
	buf_rest(&buf, 4095);
	assert_int_equal(buf.cap, 0);
	assert_non_null(buf_reserve(&buf, 5000));
	buf_free(&buf);
}

static void
cursor_never_passes_the_end(void **state)
{
	struct buf buf;
	struct cursor in;
	struct span blob;
	uint32_t u32 = 7;
	uint64_t u64 = 7;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(put_u32(&buf, 0x01020304), 0);
	assert_int_equal(put_blob(&buf, SPAN("abc")), 0);
	in = cursor_of(buf_span(&buf));
	assert_true(take_u32(&in, &u32));
	assert_int_equal(u32, 0x01020304);
	assert_true(take_blob(&in, 3, &blob));
	assert_true(cursor_done(&in));
	assert_false(take_u64(&in, &u64));
	assert_int_equal(u64, 7);
	assert_false(cursor_done(&in));

	in = cursor_of(span_from(buf_span(&buf), 4));
	assert_false(take_blob(&in, 2, &blob)); /* longer than allowed */
	in = cursor_of(span_first(span_from(buf_span(&buf), 4), 6));
	assert_false(take_blob(&in, 3, &blob)); /* cut short */
	buf_free(&buf);
}

static void
numbers_are_parsed_strictly(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} rows[] = {
	    {"0", true, 0},
	    {"18446744073709551615", true, UINT64_MAX},
	    {"18446744073709551616", false, 0},
	    {"99999999999999999999", false, 0},
	    {"", false, 0},
	    {"-1", false, 0},
	    {"+1", false, 0},
	    {" 1", false, 0},
	    {"1a", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t value = 0;
		bool ok = text_parse_u64(span_of(rows[i].text), &value);

		if (ok != rows[i].ok || value != rows[i].value)
			fail_msg("\"%s\"", rows[i].text);
	}
}

static void
ends_are_trimmed(void **state)
{
	static const struct {
		struct span text;
		const char *blanks;
		struct span rest;
	} rows[] = {
	    {{"", 0}, " ", {"", 0}},
	    {{NULL, 0}, " ", {"", 0}},
	    {{" \t ", 3}, " \t", {"", 0}},
	    {{"\t a b\t", 6}, " \t", {"a b", 3}},
	    {{" a\r", 3}, " \t", {"a\r", 2}},
	    {{" a\r\n", 4}, " \t\r\n", {"a", 1}},
	    {{"\0a\0", 3}, " ", {"\0a\0", 3}},
	    {{" a ", 3}, "", {" a ", 3}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (!span_eq(
			text_trim(rows[i].text, rows[i].blanks), rows[i].rest))
			fail_msg("row %zu", i);
}

/* RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
static void
utf8_is_checked(void **state)
{
	static const struct {
		struct span text;
		bool ok;
	} rows[] = {
	    {{"", 0}, true},
	    {{"abc", 3}, true},
	    {{"\xc3\xa9", 2}, true},
	    {{"\xe2\x82\xac", 3}, true},
	    {{"\xf0\x9f\x93\xa7", 4}, true},
	    {{"\xc3", 1}, false},
	    {{"\xc0\x80", 2}, false},         /* overlong */
	    {{"\xe0\x80\x80", 3}, false},     /* overlong */
	    {{"\xed\xa0\x80", 3}, false},     /* surrogate */
	    {{"\xf4\x90\x80\x80", 4}, false}, /* past U+10FFFF */
	    {{"\xff", 1}, false},
	    {{"\x80", 1}, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (text_is_utf8(rows[i].text) != rows[i].ok)
			fail_msg("row %zu", i);
}

static void
escaping_fits_and_shows_every_byte(void **state)
{
	char out[16];

	(void)state;
	text_escape(SPAN("a\r\nb\\"), out, sizeof(out));
	assert_string_equal(out, "a\\x0d\\x0ab\\\\");
	text_escape(SPAN("0123456789abcdef"), out, sizeof(out));
	assert_string_equal(out, "0123456789ab...");
	text_escape(SPAN("0123456789abcde"), out, sizeof(out));
	assert_string_equal(out, "0123456789abcde");
	text_escape(SPAN("\x80\x80\x80\x80\x80\x80"), out, sizeof(out));
	assert_string_equal(out, "\\x80\\x80\\x80...");
}

static void
errors_are_one_printable_line(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    err_set(&err, ERR_TEMP, "4.4.3", "%s", "two\r\nlines"), -1);
	assert_string_equal(err.text, "two??lines");
	assert_int_equal(err_wrap(&err, "mx1"), -1);
	assert_string_equal(err.text, "mx1: two??lines");
	assert_int_equal(err.kind, ERR_TEMP);
	assert_string_equal(err.enhanced, "4.4.3");
}

static void
dates_are_rfc_5322(void **state)
{
	char date[CLOCK_RFC5322_SIZE];
	char words[CLOCK_WORDS_SIZE];

	(void)state;
	clock_rfc5322(0, date);
	assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 +0000");
	clock_rfc5322(1795338360, date);
	assert_string_equal(date, "Sun, 22 Nov 2026 09:06:00 +0000");
	clock_words(1, words);
	assert_string_equal(words, "1 second");
	clock_words(5 * 86400 + 5, words);
	assert_string_equal(words, "5 days");
}

/* Octets of a stranger into a text with an end. */
static void
octets_are_cut_to_fit(void **state)
{
	static const struct {
		struct span from;
		bool fits;
		const char *to;
	} rows[] = {
	    {{"", 0}, true, ""},
	    {{NULL, 0}, true, ""},
	    {{"abc", 3}, true, "abc"},
	    {{"abcd", 4}, false, "abc"},
	    {{"a\0c", 3}, true, "a\0c"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char to[5] = "????";

		assert_int_equal(
		    text_copy_span(to, 4, rows[i].from), rows[i].fits);
		assert_memory_equal(
		    to, rows[i].to, rows[i].fits ? rows[i].from.n + 1 : 4);
		assert_int_equal(to[4], 0);
	}
}

static void
a_clock_that_is_set_back_is_noticed(void **state)
{
	static const struct {
		int64_t wall;
		uint64_t mono_ms;
		int64_t back;
	} rows[] = {
	    {1000, 5000, 0},                  /* nothing to compare with */
	    {1001, 6000, 0}, {1001, 7900, 0}, /* a second is not whole */
	    {4602, 8900, 0},                  /* set forward */
	    {1003, 9900, 3600},               /* and back */
	    {1004, 10900, 0},                 /* told once */
	    {1000, 15900, 0},                 /* nine seconds: slewed */
	    {995, 20900, 10},                 /* ten */
	    {5, 20900, 990},                  /* at once */
	    {6, 100, 0}, /* the other clock makes no sense */
	};
	struct clock_watch watch = {0};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t back = clock_set_back(
		    &watch, rows[i].wall, rows[i].mono_ms);

		if (back != rows[i].back)
			fail_msg("row %zu: %lld", i, (long long)back);
	}
}

static void
hexadecimal_digits_have_either_case(void **state)
{
	static const char digits[] = "0123456789abcdef";
	static const char others[] = "/:@`gG\xe6 \xff";

	(void)state;
	for (int i = 0; i < 16; i++) {
		char upper = digits[i];

		if (i > 9)
			upper = (char)(digits[i] - 'a' + 'A');
		assert_int_equal(text_hex_value(digits[i]), i);
		assert_int_equal(text_hex_value(upper), i);
	}
	for (size_t i = 0; i < sizeof(others); i++)
		assert_int_equal(text_hex_value(others[i]), -1);
}

static void
an_end_comes_by_either_clock(void **state)
{
	static const struct {
		struct clock_end end;
		int64_t wall;
		uint64_t mono_ms;
		int64_t then;
	} rows[] = {
	    {{0, 0}, 1000, 5000, 0}, {{1060, 65000}, 1000, 5000, 1060},
	    {{1060, 65000}, 1059, 64900, 1060},
	    {{1060, 65000}, 1060, 64900, 0}, /* by the one */
	    {{1060, 65000}, 1059, 65000, 0}, /* by the other */
	    {{1060, 65000}, 2000, 5100, 0},  /* set on */
	    {{1060, 65000}, 100, 5000, 160}, /* set back, once */
	    {{1060, 65000}, 110, 15000, 160}, {{1060, 65000}, 159, 64001, 160},
	    {{1060, 65000}, 100, 65000, 0},
	    {{1060, 65000}, 1000, 100, 1060}, /* no sense: the one is left */
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t then = clock_end_of(
		    &rows[i].end, rows[i].wall, rows[i].mono_ms);

		if (then != rows[i].then)
			fail_msg("row %zu: %lld", i, (long long)then);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_has_a_limit),
	    cmocka_unit_test(arena_goes_back_to_a_mark),
	    cmocka_unit_test(buf_refuses_what_does_not_fit),
	    cmocka_unit_test(buf_rests_with_little),
	    cmocka_unit_test(cursor_never_passes_the_end),
	    cmocka_unit_test(numbers_are_parsed_strictly),
	    cmocka_unit_test(ends_are_trimmed),
	    cmocka_unit_test(utf8_is_checked),
	    cmocka_unit_test(escaping_fits_and_shows_every_byte),
	    cmocka_unit_test(errors_are_one_printable_line),
	    cmocka_unit_test(dates_are_rfc_5322),
	    cmocka_unit_test(octets_are_cut_to_fit),
	    cmocka_unit_test(a_clock_that_is_set_back_is_noticed),
	    cmocka_unit_test(hexadecimal_digits_have_either_case),
	    cmocka_unit_test(an_end_comes_by_either_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
