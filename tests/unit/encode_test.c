#include <string.h>

#include "base/base64.h"
#include "mta/message/encode.h"

#include "tests/support/test.h"

typedef int coder(struct span in, struct buf *out);

struct row {
	struct span in;
	const char *out; /* NULL: malformed */
};

#define IN(literal)                             \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static void
run_rows(const struct row *rows, size_t n, coder *code)
{
	for (size_t i = 0; i < n; i++) {
		struct buf out;
		int result;

		buf_init(&out, 1000);
		assert_int_equal(buf_add_str(&out, "kept:"), 0);
		result = code(rows[i].in, &out);
		assert_int_equal(buf_add(&out, SPAN("\0")), 0);
		if ((result == 0) != (rows[i].out != NULL) ||
		    strcmp(out.p + 5, result == 0 ? rows[i].out : "") != 0)
			fail_msg("row %zu: %d \"%s\"", i, result, out.p);
		buf_free(&out);
	}
}

/* RFC 3461 4 */
static void
xtext(void **state)
{
	static const struct row rows[] = {
	    {IN(""), ""},
	    {IN("a@b"), "a@b"},
	    {IN("a+2Bb+3Dc"), "a+b=c"},
	    {IN("+20"), " "},
	    {IN("+C3+A9"), "\xc3\xa9"},
	    {IN("+0D+0A"), "\r\n"},
	    {IN("+"), NULL},
	    {IN("a+2"), NULL},
	    {IN("+2b"), NULL},
	    {IN("+G0"), NULL},
	    {IN("a=b"), NULL},
	    {IN("a b"), NULL},
	    {IN("\xc3\xa9"), NULL},
	};

	(void)state;
	run_rows(rows, ROWS(rows), xtext_decode);
}

/* RFC 6533 3, RFC 5234 2.3 */
static void
unitext(void **state)
{
	static const struct row encode[] = {
	    {IN("a@b"), "a@b"},
	    {IN("\xc3\xa9"), "\\x{E9}"},
	    {IN("\xe2\x82\xac"), "\\x{20AC}"},
	    {IN("\xf0\x9f\x93\xa7"), "\\x{1F4E7}"},
	    {IN("a+b=c\\d e"), "a\\x{2B}b\\x{3D}c\\x{5C}d\\x{20}e"},
	    {IN("\x7f\n"), "\\x{7F}\\x{0A}"},
	    {IN("\xff"), NULL},
	};
	static const struct row decode[] = {
	    {IN("a@b"), "a@b"},
	    {IN("\\x{E9}\\x{20AC}\\x{1F4E7}"),
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7"},
	    {IN("\\x{2B}"), "+"},
	    {IN("\\x{10FFFF}"), "\xf4\x8f\xbf\xbf"},
	    {IN("\xc3\xa9"), "\xc3\xa9"},
	    {IN("\\"), NULL},
	    {IN("\\x{}"), NULL},
	    {IN("\\x{E}"), NULL},
	    {IN("\\x{E9"), NULL},
	    {IN("\\x{e9}\\x{1f4E7}"), "\xc3\xa9\xf0\x9f\x93\xa7"},
	    {IN("\\x{0000E9}"), "\xc3\xa9"},
	    {IN("\\x{00000E9}"), NULL},
	    {IN("\\x{D800}"), NULL},
	    {IN("\\x{110000}"), NULL},
	    {IN("\\y{E9}"), NULL},
	};

	(void)state;
	run_rows(encode, ROWS(encode), unitext_encode);
	run_rows(decode, ROWS(decode), unitext_decode);
}

/* RFC 4648 10, RFC 2045 6.8 */
static void
base64(void **state)
{
	static const struct row rows[] = {
	    {IN(""), ""},
	    {IN("f"), "Zg==\r\n"},
	    {IN("fo"), "Zm8=\r\n"},
	    {IN("foo"), "Zm9v\r\n"},
	    {IN("foob"), "Zm9vYg==\r\n"},
	    {IN("\0\xff\xfe"), "AP/+\r\n"},
	    {IN("123456789012345678901234567890123456789012345678901234567"),
		"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1"
		"Njc4OTAxMjM0NTY3\r\n"},
	    {IN("1234567890123456789012345678901234567890123456789012345678"),
		"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1"
		"Njc4OTAxMjM0NTY3\r\nOA==\r\n"},
	};

	(void)state;
	run_rows(rows, ROWS(rows), base64_encode);
}

/* RFC 2045 6.7 */
static void
quoted_printable(void **state)
{
	static const struct row rows[] = {
	    {IN(""), ""},
	    {IN("a = b\r\n"), "a =3D b\r\n"},
	    {IN("\xc3\xa9\r\n"), "=C3=A9\r\n"},
	    {IN("end \r\nend\t\r\n"), "end=20\r\nend=09\r\n"},
	    {IN("last "), "last=20"},
	    {IN("bare\ncr\rx"), "bare=0Acr=0Dx"},
	    {IN("1234567890123456789012345678901234567890123456789012345678901"
		"2345678901234567890"),
		"123456789012345678901234567890123456789012345678901234567890"
		"123456789012345=\r\n67890"},
	    {IN("1234567890123456789012345678901234567890123456789012345678901"
		"234567890123\xc3\xa9"),
		"123456789012345678901234567890123456789012345678901234567890"
		"1234567890123=\r\n=C3=A9"},
	};

	(void)state;
	run_rows(rows, ROWS(rows), quoted_printable_encode);
}

static void
a_full_buffer_takes_nothing(void **state)
{
	static coder *const coders[] = {xtext_decode, unitext_encode,
	    unitext_decode, base64_encode, quoted_printable_encode};

	(void)state;
	for (size_t i = 0; i < ROWS(coders); i++) {
		struct buf out;

		buf_init(&out, 5);
		assert_int_equal(buf_add_str(&out, "12"), 0);
		assert_int_equal(coders[i](SPAN("abcdef"), &out), -1);
		assert_int_equal(out.n, 2);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xtext),
	    cmocka_unit_test(unitext),
	    cmocka_unit_test(base64),
	    cmocka_unit_test(quoted_printable),
	    cmocka_unit_test(a_full_buffer_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
