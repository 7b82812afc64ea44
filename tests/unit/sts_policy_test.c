/* The text of MTA-STS policies, and what a policy says of a host. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "policy/sts_policy.h"

#include "tests/support/test.h"

/* For tables. */
#define BYTES(s)                    \
	{                           \
		"" s, sizeof(s) - 1 \
	}

#define VERSION "version: STSv1\n"
#define MODE    "mode: enforce\n"
#define MX      "mx: mx.example.com\n"
#define AGE     "max_age: 86400\n"
#define HEAD    VERSION MODE AGE
#define NAME32  "abcdefghijklmnopqrstuvwxyz012345"
#define L63     "aaaaaaaaabbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"
#define L61     "aaaaaaaaabbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static struct arena *
new_arena(void)
{
	return arena_new(STS_POLICY_ARENA);
}

/* Good policies: their mode, their max_age, their patterns in one line. */
static const struct {
	const char *text;
	enum sts_mode mode;
	uint32_t max_age;
	const char *mx;
} good[] = {
    {HEAD MX, STS_MODE_ENFORCE, 86400, "mx.example.com"},
    /* RFC 8461 3.2: LF, CRLF (erratum 6253), both, and none at the end */
    {"version: STSv1\r\nmode: enforce\r\nmax_age: 1\r\nmx: a.b\r\n",
	STS_MODE_ENFORCE, 1, "a.b"},
    {"version: STSv1\r\nmode: testing\nmax_age: 1\r\nmx: a.b", STS_MODE_TESTING,
	1, "a.b"},
    /* any order; white space behind the colon and at the end */
    {"mx:a.b\nmax_age:7\nmode:testing\nversion:STSv1", STS_MODE_TESTING, 7,
	"a.b"},
    {"version: \t STSv1 \t\nmode:\tenforce \r\nmx:  *.a.b\t\nmax_age: 7 ",
	STS_MODE_ENFORCE, 7, "*.a.b"},
    /* every pattern, in its order, folded */
    {HEAD "mx: B.Example\nmx: *.a.example\nmx: B.example\n", STS_MODE_ENFORCE,
	86400, "b.example *.a.example b.example"},
    /* mode none does without mx */
    {VERSION AGE "mode: none\n", STS_MODE_NONE, 86400, ""},
    {VERSION AGE "mode: none\nmx: a.b\n", STS_MODE_NONE, 86400, "a.b"},
    /* unknown fields are ignored */
    {HEAD MX "x: y\nA_-.: b: c \xc3\xa9\n0: \xf0\x9f\x93\xa7\n" NAME32 ": 1\n",
	STS_MODE_ENFORCE, 86400, "mx.example.com"},
    {HEAD MX "Mode: none\nMX: other.example\n", STS_MODE_ENFORCE, 86400,
	"mx.example.com"},
    /* of all but mx the first counts */
    {HEAD MX "mode: none\nmax_age: x\nversion: STSv2\n", STS_MODE_ENFORCE,
	86400, "mx.example.com"},
    /* erratum 7282: ten digits, and not more than a year */
    {VERSION MODE MX "max_age: 0\n", STS_MODE_ENFORCE, 0, "mx.example.com"},
    {VERSION MODE MX "max_age: 31557600\n", STS_MODE_ENFORCE, 31557600,
	"mx.example.com"},
    {VERSION MODE MX "max_age: 31557601\n", STS_MODE_ENFORCE, 31557600,
	"mx.example.com"},
    {VERSION MODE MX "max_age: 9999999999\n", STS_MODE_ENFORCE, 31557600,
	"mx.example.com"},
    {VERSION MODE MX "max_age: 0000000009\n", STS_MODE_ENFORCE, 9,
	"mx.example.com"},
    /* empty lines mean nothing */
    {"\n" VERSION "\r\n" MODE " \t\n" MX AGE "\n\r\n\n", STS_MODE_ENFORCE,
	86400, "mx.example.com"},
    /* names */
    {HEAD "mx: a\nmx: 0-1.xn--aca-6ma.x\nmx: *.b\n", STS_MODE_ENFORCE, 86400,
	"a 0-1.xn--aca-6ma.x *.b"},
    {HEAD "mx: *." L63 "." L63 "." L63 "." L61 "\n", STS_MODE_ENFORCE, 86400,
	"*." L63 "." L63 "." L63 "." L61},
};

static void
join_mx(const struct sts_policy *policy, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < policy->nmx && n < size; i++)
		n += (size_t)snprintf(
		    to + n, size - n, "%s%s", i == 0 ? "" : " ", policy->mx[i]);
}

/* RFC 8461 3.2 */
static void
policies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(good); i++) {
		struct arena *arena = new_arena();
		struct sts_policy policy = {0};
		struct err err = {0};
		char mx[1000];

		if (sts_policy_read(
			span_of(good[i].text), arena, &policy, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.text);
		join_mx(&policy, mx, sizeof(mx));
		assert_string_equal(mx, good[i].mx);
		assert_int_equal(policy.mode, good[i].mode);
		assert_int_equal(policy.max_age, good[i].max_age);
		assert_true(span_eq(policy.text, span_of(good[i].text)));
		assert_ptr_not_equal(policy.text.p, good[i].text);
		arena_free(&arena);
	}
}

/* Texts that are no policy, and what is said of them. */
static const struct {
	struct span text;
	const char *why;
} bad[] = {
    {BYTES(""), "there is no version"},
    {BYTES(MODE AGE MX), "there is no version"},
    {BYTES(VERSION AGE MX), "there is no mode"},
    {BYTES(VERSION MODE MX), "there is no max_age"},
    {BYTES(HEAD), "there is no mx"},
    {BYTES(VERSION AGE "mode: testing\n"), "there is no mx"},
    {BYTES(HEAD "nmx: a.b\n"), "there is no mx"},
    {BYTES(HEAD "MX: a.b\n"), "there is no mx"},
    {BYTES("version: STSv2\n" MODE AGE MX),
	"line 1: \"STSv2\" is not version STSv1"},
    {BYTES("version: stsv1\n" MODE AGE MX),
	"line 1: \"stsv1\" is not version STSv1"},
    {BYTES("version: STSv2\n" HEAD MX),
	"line 1: \"STSv2\" is not version STSv1"},
    {BYTES("version: STSv1 x\n" MODE AGE MX),
	"line 1: \"STSv1 x\" is not version STSv1"},
    {BYTES(VERSION "mode: Enforce\n" AGE MX),
	"line 2: \"Enforce\" is not mode enforce, testing or none"},
    {BYTES(VERSION "mode: unknown\n" AGE MX),
	"line 2: \"unknown\" is not mode enforce, testing or none"},
    {BYTES(VERSION "mode: report\nmode: enforce\n" AGE MX),
	"line 2: \"report\" is not mode enforce, testing or none"},
    {BYTES(VERSION MODE MX "max_age: 00000000001\n"),
	"line 4: \"00000000001\" is not a max_age of 1 to 10 digits"},
    {BYTES(VERSION MODE MX "max_age: -1\n"),
	"line 4: \"-1\" is not a max_age of 1 to 10 digits"},
    {BYTES(VERSION MODE MX "max_age: 1 2\n"),
	"line 4: \"1 2\" is not a max_age of 1 to 10 digits"},
    {BYTES(VERSION MODE MX "max_age: 0x1\n"),
	"line 4: \"0x1\" is not a max_age of 1 to 10 digits"},
    {BYTES(VERSION MODE MX "max_age:\n"),
	"line 4: \"max_age:\" has no value, or one with a control "
	"character"},
    /* lines */
    {BYTES("garbage"), "line 1: \"garbage\" is not \"name: value\""},
    {BYTES(HEAD " " MX),
	"line 4: \" mx: mx.example.com\" is not \"name: value\""},
    {BYTES(HEAD "mx : a\n"), "line 4: \"mx : a\" is not \"name: value\""},
    {BYTES(HEAD ": a\n"), "line 4: \": a\" is not \"name: value\""},
    {BYTES(HEAD "_x: a\n"), "line 4: \"_x: a\" is not \"name: value\""},
    {BYTES(HEAD "x/y: a\n"), "line 4: \"x/y: a\" is not \"name: value\""},
    {BYTES(HEAD NAME32 "6: a\n"),
	"line 4: \"" NAME32 "6: a\" is not \"name: value\""},
    {BYTES("\xef\xbb\xbf" HEAD MX),
	"line 1: \"\\xef\\xbb\\xbfversion: STSv1\" is not "
	"\"name: value\""},
    {BYTES(HEAD MX "x:  \n"),
	"line 5: \"x:  \" has no value, or one with a control character"},
    {BYTES(HEAD MX "x: a\tb\n"),
	"line 5: \"x: a\\x09b\" has no value, or one with a control "
	"character"},
    {BYTES(HEAD MX "x: a\0b\n"),
	"line 5: \"x: a\\x00b\" has no value, or one with a control "
	"character"},
    {BYTES(HEAD MX "x: a\x7f\n"),
	"line 5: \"x: a\\x7f\" has no value, or one with a control "
	"character"},
    {BYTES(HEAD MX "x: \xc3\n"),
	"line 5: \"x: \\xc3\" has no value, or one with a control "
	"character"},
    {BYTES(HEAD "mx: a.b\r"),
	"line 4: \"mx: a.b\\x0d\" has no value, or one with a control "
	"character"},
    {BYTES(HEAD "mx: a.b\rmx: c.d\n"),
	"line 4: \"mx: a.b\\x0dmx: c.d\" has no value, or one with a "
	"control character"},
    {BYTES(HEAD MX "mode:\n"),
	"line 5: \"mode:\" has no value, or one with a control character"},
};

/* RFC 8461 3.2: a policy that is none leaves nothing behind, and says why. */
static void
other_texts_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct arena *arena = new_arena();
		struct sts_policy policy = {.nmx = 77};
		struct err err = {0};

		if (sts_policy_read(bad[i].text, arena, &policy, &err) == 0)
			fail_msg("taken: %s", bad[i].text.p);
		assert_string_equal(err.text, bad[i].why);
		/* RFC 3463 3.8: no message fails for good by it */
		assert_int_equal(err.kind, ERR_TEMP);
		assert_string_equal(err.enhanced, "4.7.5");
		assert_int_equal(policy.nmx, 77);
		assert_int_equal(policy.mode, STS_MODE_UNKNOWN);
		arena_free(&arena);
	}
}

/* Of any text a policy is made that names it as mx: is it one? */
static bool
is_mx(const char *pattern, struct arena *arena, struct sts_policy *policy)
{
	char text[2000];
	struct err err;

	(void)snprintf(text, sizeof(text), HEAD "mx: %s\n", pattern);
	return sts_policy_read(span_of(text), arena, policy, &err) == 0;
}

/* RFC 8461 3.2, RFC 5321 4.1.2: ["*."] Domain, in A-labels */
static void
patterns_are_names(void **state)
{
	static const char *const wrong[] = {"*", "*.", "**.a", "*a.b", "a*.b",
	    "a.*.b", "*.*.b", "*.a.*", ".a", ".a.b", "a.", "a.b.", "a..b", ".",
	    "-a", "a-", "a.-b.c", "a.b-", "a_b.c", "_a.b", "a b", "a,b",
	    "a.b, c.d", "a:25", "[192.0.2.1]",
	    "\xc3\xb1"
	    "aca.com",
	    "a.\xc3\xa9", "*.\xd7\x9e.x", "\\097.b", "a@b", L63 "x",
	    "*." L63 "x.a", L63 "." L63 "." L63 "." L61 "x"};

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct arena *arena = new_arena();
		struct sts_policy policy;

		if (is_mx(wrong[i], arena, &policy))
			fail_msg("taken: %s", wrong[i]);
		arena_free(&arena);
	}
}

/* RFC 8461 4.1, RFC 6125 6.4.3 */
static void
patterns_match_hosts(void **state)
{
	static const struct {
		const char *pattern;
		const char *host;
		bool match;
	} rows[] = {
	    {"mail.example.com", "mail.example.com", true},
	    {"mail.example.com", "MAIL.example.Com.", true},
	    {"MAIL.example.com", "mail.example.com", true},
	    {"mail.example.com", "example.com", false},
	    {"mail.example.com", "a.mail.example.com", false},
	    {"mail.example.com", "xmail.example.com", false},
	    {"mail.example.com", "mail.example.comx", false},
	    {"mail.example.com", "mail.example.com..", false},
	    {"example.com", "mail.example.com", false},
	    {"*.example.com", "mail.example.com", true},
	    {"*.Example.com", "MAIL.eXample.com.", true},
	    {"*.example.com", "xn--aca-6ma.example.com", true},
	    /* one whole label, no less and no more */
	    {"*.example.com", "example.com", false},
	    {"*.example.com", ".example.com", false},
	    {"*.example.com", "foo.bar.example.com", false},
	    {"*.example.com", "mailexample.com", false},
	    {"*.example.com", "mail.example.com.evil", false},
	    {"*.example.com", "mail.badexample.com", false},
	    {"*.com", "example.com", true},
	    {"*.com", "com", false},
	    {"a", "a", true},
	    {"a", "", false},
	    {"a", ".", false},
	    {"*.a", ".", false},
	    {"*.a", "", false},
	    {"*.a", ".a", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = new_arena();
		struct sts_policy policy = {0};

		assert_true(is_mx(rows[i].pattern, arena, &policy));
		if (sts_policy_allows_mx(&policy, rows[i].host) !=
		    rows[i].match)
			fail_msg("%s and %s", rows[i].pattern, rows[i].host);
		arena_free(&arena);
	}
}

/* RFC 8461 5: what each mode means for a host */
static void
modes_are_facts(void **state)
{
	static const char *const mx[] = {"other.example", "mx.example"};
	static const struct {
		enum sts_mode mode;
		const char *host;
		enum sts_state state;
	} rows[] = {
	    {STS_MODE_UNKNOWN, "mx.example", STS_UNKNOWN},
	    {STS_MODE_NONE, "mx.example", STS_NONE},
	    {STS_MODE_NONE, "no.example", STS_NONE},
	    {STS_MODE_TESTING, "mx.example", STS_TESTING_MATCH},
	    {STS_MODE_TESTING, "no.example", STS_TESTING_NO_MATCH},
	    {STS_MODE_ENFORCE, "mx.example", STS_MATCH},
	    {STS_MODE_ENFORCE, "other.example", STS_MATCH},
	    {STS_MODE_ENFORCE, "no.example", STS_NO_MATCH},
	};
	struct sts_policy nothing = {0};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sts_policy policy = {
		    .mode = rows[i].mode, .mx = mx, .nmx = 2};

		assert_int_equal(
		    sts_policy_state(&policy, rows[i].host), rows[i].state);
	}
	assert_false(sts_policy_allows_mx(&nothing, "mx.example"));
	assert_int_equal(sts_policy_state(&nothing, "a"), STS_UNKNOWN);
}

static void
fill(struct buf *text, const char *line, size_t n)
{
	buf_init(text, 2000000);
	assert_int_equal(buf_add_str(text, HEAD), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_add_str(text, line), 0);
}

static void
size_row(const char *line, size_t n, const char *why)
{
	struct arena *arena = new_arena();
	struct sts_policy policy = {0};
	struct err err = {0};
	struct buf text;

	fill(&text, line, n);
	if (sts_policy_read(buf_span(&text), arena, &policy, &err) < 0)
		assert_string_equal(err.text, why);
	else
		assert_string_equal("", why);
	buf_free(&text);
	arena_free(&arena);
}

/* A policy of so many octets. */
static bool
is_taken_at(size_t n)
{
	struct arena *arena = new_arena();
	struct sts_policy policy;
	struct err err;
	struct buf text;
	int rc;

	fill(&text, MX "x: ", 1);
	while (text.n < n)
		assert_int_equal(buf_add(&text, SPAN("a")), 0);
	rc = sts_policy_read(buf_span(&text), arena, &policy, &err);
	if (rc < 0)
		assert_string_equal(err.text, "it has more than 65536 octets");
	buf_free(&text);
	arena_free(&arena);
	return rc == 0;
}

/* RFC 8461 3.3: 64 kilobytes, and what fits into them. */
static void
size_is_bounded(void **state)
{
	struct arena *small = arena_new(100);
	struct sts_policy policy = {0};
	struct err err = {0};

	(void)state;
	size_row("mx:a\n", STS_MX_MAX, "");
	size_row(
	    "mx:a\n", STS_MX_MAX + 1, "line 1004: \"a\" is one mx too many");
	/* The most that 1000 patterns can take. */
	size_row("mx:*." L61 "." L61 "\n", 502, "");
	size_row("mx:aaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaa."
		 "aaaaaaaaaaaaaaaa.aaaaaaaaaa\n",
	    1000, "");
	assert_true(is_taken_at(65536));
	assert_false(is_taken_at(65537));
	assert_int_equal(
	    sts_policy_read(SPAN(HEAD MX MX MX MX), small, &policy, &err), -1);
	assert_string_equal(err.text, "it does not fit");
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(policies_are_read),
	    cmocka_unit_test(other_texts_are_refused),
	    cmocka_unit_test(patterns_are_names),
	    cmocka_unit_test(patterns_match_hosts),
	    cmocka_unit_test(modes_are_facts),
	    cmocka_unit_test(size_is_bounded),
	};

	return cmocka_run_group_tests_name("sts_policy", tests, NULL, NULL);
}
