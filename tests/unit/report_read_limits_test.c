/* What is mended, what is too much, and what is no report. */
#include <string.h>

#include "reporting/json_scan.h"
#include "reporting/report_read_json.h"

#include "tests/support/report_rows.h"
#include "tests/support/test.h"

#define TEXT_MAX ((size_t)1 << 20)

#define ORGANIZATION(text) \
	"{'organization-name':'" text "','policies':[" NONE("d") "]}"
#define NAMED(text) text "   0-0" NONE_1_2 "]"

static const struct report_row texts[] = {
    {ORGANIZATION("M\xc3\xbcller"), NAMED("M\xc3\xbcller"),
	"missing*3@contact-info"},
    {ORGANIZATION("M\\u00fcller"), NAMED("M\xc3\xbcller"),
	"missing*3@contact-info"},
    /* not UTF-8 */
    {ORGANIZATION("M\xfcller"), NAMED("M?ller"), "utf8 missing*3@contact-info"},
    {ORGANIZATION("\xc3\xbc\xe2\x82\xf0\x9f\x98\x80\xff"),
	NAMED("\xc3\xbc??\xf0\x9f\x98\x80?"), "utf8 missing*3@contact-info"},
    /* what a terminal would obey */
    {ORGANIZATION("a\\u0000b\\u001b[2J\\u007f"), NAMED("a?b?[2J?"),
	"control@organization-name missing*3@contact-info"},
    {ORGANIZATION("a\\u009b2J\xc2\x9b"), NAMED("a??2J??"),
	"control@organization-name missing*3@contact-info"},
    {ORGANIZATION("a\\u00a0b"),
	NAMED("a\xc2\xa0"
	      "b"),
	"missing*3@contact-info"},
    /* RFC 8460 B: over two lines */
    {ORGANIZATION("a\r\n\tb"), NAMED("a   b"),
	"control missing*3@contact-info"},
    {ORGANIZATION("a\\\\"), NAMED("a\\"), "missing*3@contact-info"},
    /* behind it, before it, twice */
    {"\xef\xbb\xbf" POLICIES(NONE("d")), REPORT NONE_1_2 "]", "bom"},
    {POLICIES(NONE("d")) "\n{}", REPORT NONE_1_2 "]", "trailing"},
    {"{'report-id':'a','policies':[" NONE("d") "],'report-id':'b'}",
	"  b 0-0" NONE_1_2 "]", "duplicate missing*3@organization-name"},
};

static void
texts_are_mended(void **state)
{
	(void)state;
	report_rows_check(texts, ROWS(texts));
}

#define TEN(x) x x x x x x x x x x
static const struct report_row refused[] = {
    {"", NULL, "line "},
    {"{", NULL, "line 1: "},
    {"hello", NULL, "expected near"},
    {"[]", NULL, "the JSON is no object"},
    {"'report'", NULL, "expected near"},
    {"{}", NULL, "it is JSON and no report"},
    {"{'name':'package','version':'1.0.0'}", NULL, "JSON and no report"},
    {"{'report-id':'I'", NULL, "line 1: "},
    {"{'report-id':\n\n'\\ud800'}", NULL, "line 3: "},
    {"{'report-id':'a\\u00zz'}", NULL, "invalid escape"},
    {"{'report-id':NaN,'\x80'}", NULL, "line 1: "},
    {"{'policies':" TEN("[[[") "[[]]" TEN("]]]") "}", NULL,
	"nested more than 32 deep"},
    {"{'report-id':1,'x':" TEN("{'a':[") "]" TEN("}]"), NULL, "line 1: "},
};

static void
what_is_no_report_is_refused(void **state)
{
	(void)state;
	report_rows_check(refused, ROWS(refused));
}

/* As deep as may be: 1 and 30 make 31. */
static void
depth_is_counted_outside_of_texts(void **state)
{
	static const struct report_row rows[] = {
	    {HEAD "'policies':" TEN("[[[") TEN("]]]") "}", REPORT,
		"type@policies no-policies"},
	    {HEAD "'x':'\\'" TEN("[[[[") "\\\\','policies':[]}", REPORT,
		"no-policies"},
	};

	(void)state;
	report_rows_check(rows, ROWS(rows));
}

/* A text of n octets, the last character of which has two. */
static struct report
read_long(struct arena *arena, size_t n, struct report_notes *notes)
{
	struct buf text;
	struct report report = {0};
	struct err err;
	int rc;

	buf_init(&text, TEXT_MAX);
	rc = buf_add_str(&text, "{\"policies\":[],\"report-id\":\"");
	while (n-- > 2)
		rc |= buf_add_str(&text, "a");
	rc |= buf_add_str(&text, "\xc3\xbc\"}");
	assert_int_equal(rc, 0);
	assert_int_equal(
	    report_read_json(&text, arena, &report, notes, &err), 0);
	return report;
}

static void
long_texts_are_cut_between_characters(void **state)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_notes notes = {0};
	struct report report;

	(void)state;
	report = read_long(arena, REPORT_TEXT_MAX, &notes);
	assert_int_equal(strlen(report.id), REPORT_TEXT_MAX);
	assert_null(report_note_of(&notes, ODD_LONG));
	report = read_long(arena, REPORT_TEXT_MAX + 1, &notes);
	assert_int_equal(strlen(report.id), REPORT_TEXT_MAX - 1);
	assert_non_null(report_note_of(&notes, ODD_LONG));
	assert_string_equal(
	    report_note_of(&notes, ODD_LONG)->where, "report-id");
	arena_free(&arena);
}

/* So many entries of the list that this begins and ends. */
static int
read_many(struct arena *arena, const char *begin, const char *entry, size_t n,
    const char *end, struct report *ret, struct err *err)
{
	struct report_notes notes = {0};
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX);
	rc = buf_add_str(&text, begin);
	for (size_t i = 0; i < n; i++)
		rc |= buf_printf(&text, "%s%s", i == 0 ? "" : ",", entry);
	rc |= buf_add_str(&text, end);
	assert_int_equal(rc, 0);
	return report_read_json(&text, arena, ret, &notes, err);
}

static void
lists_have_an_end(void **state)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report report = {0};
	struct err err;

	(void)state;
	assert_int_equal(read_many(arena, "{\"policies\":[", "{}",
			     REPORT_POLICIES_MAX, "]}", &report, &err),
	    0);
	assert_int_equal(report.npolicies, REPORT_POLICIES_MAX);
	assert_int_equal(read_many(arena, "{\"policies\":[", "{}",
			     REPORT_POLICIES_MAX + 1, "]}", &report, &err),
	    -1);
	assert_non_null(strstr(err.text, "more than 1000 policies"));
	/* RFC 8461 3.2: a policy with many lines; what is more is left out */
	assert_int_equal(
	    read_many(arena, "{\"policies\":[{\"policy\":{\"policy-string\":[",
		"\"a\"", REPORT_LINES_MAX + 1, "]}}]}", &report, &err),
	    0);
	assert_int_equal(report.policies[0].nstrings, REPORT_LINES_MAX);
	arena_free(&arena);
}

/* A thousand in each policy: the 51st has none of its own. */
static void
lines_of_all_policies_have_an_end(void **state)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report report = {0};
	struct err err;
	struct buf entry;
	int rc;

	(void)state;
	buf_init(&entry, TEXT_MAX);
	rc = buf_add_str(&entry, "{\"policy\":{\"policy-string\":\"");
	for (int i = 0; i < 1000; i++)
		rc |= buf_add_str(&entry, "a;");
	rc |= buf_printf(&entry, "\"}}");
	assert_int_equal(rc, 0);
	rc = read_many(
	    arena, "{\"policies\":[", entry.p, 51, "]}", &report, &err);
	assert_int_equal(rc, 0);
	assert_int_equal(report.policies[49].nstrings, 1000);
	assert_int_equal(report.policies[50].nstrings, 0);
	buf_free(&entry);
	arena_free(&arena);
}

/* Of all policies together. */
static void
details_have_an_end(void **state)
{
	static const char half[] = "{\"policies\":[{\"failure-details\":[";
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report report = {0};
	struct err err;

	(void)state;
	assert_int_equal(read_many(arena, half, "{}", REPORT_DETAILS_MAX - 1,
			     "]},{\"failure-details\":[{}]}]}", &report, &err),
	    0);
	assert_int_equal(report.policies[0].ndetails, REPORT_DETAILS_MAX - 1);
	assert_int_equal(report.policies[1].ndetails, 1);
	assert_int_equal(
	    read_many(arena, half, "{}", REPORT_DETAILS_MAX - 1,
		"]},{\"failure-details\":[{},{}]}]}", &report, &err),
	    -1);
	assert_non_null(strstr(err.text, "more than 20000 failure details"));
	arena_free(&arena);
}

static void
it_fits_or_is_refused(void **state)
{
	struct arena *arena = arena_new(300);
	struct report report = {.start = 99};
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    read_many(arena, "{\"policies\":[", "{}", 4, "]}", &report, &err),
	    -1);
	assert_string_equal(err.text, "it does not fit");
	arena_reset(arena);
	assert_int_equal(
	    read_many(arena, "{\"policies\":[{\"policy\":{\"policy-string\":[",
		"\"ab\"", 40, "]}}]}", &report, &err),
	    -1);
	assert_string_equal(err.text, "it does not fit");
	assert_int_equal(report.start, 99);
	arena_free(&arena);
}

static void
every_oddity_has_words(void **state)
{
	(void)state;
	for (int i = ODD_NOTHING; i < ODDITIES; i++) {
		const char *name = report_oddity_name((enum report_oddity)i);

		assert_true(strlen(name) > 1);
		assert_true(
		    strlen(report_oddity_words((enum report_oddity)i)) > 8);
		for (int k = ODD_NOTHING; k < i; k++)
			assert_string_not_equal(
			    name, report_oddity_name((enum report_oddity)k));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_mended),
	    cmocka_unit_test(what_is_no_report_is_refused),
	    cmocka_unit_test(depth_is_counted_outside_of_texts),
	    cmocka_unit_test(long_texts_are_cut_between_characters),
	    cmocka_unit_test(lists_have_an_end),
	    cmocka_unit_test(lines_of_all_policies_have_an_end),
	    cmocka_unit_test(details_have_an_end),
	    cmocka_unit_test(it_fits_or_is_refused),
	    cmocka_unit_test(every_oddity_has_words),
	};

	return cmocka_run_group_tests_name(
	    "report_read_limits", tests, NULL, NULL);
}
