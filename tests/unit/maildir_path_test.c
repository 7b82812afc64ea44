#include <stdio.h>

#include "mta/deliver/maildir.h"

#include "tests/support/test.h"

static const struct {
	const char *template;
	const char *local;
	const char *domain;
	const char *path; /* NULL: refused */
	const char *enhanced;
} rows[] = {
    {"/m/%d/%u", "alice", "example.org", "/m/example.org/alice", ""},
    {"/m/%d/%u", "Alice", "Example.ORG", "/m/example.org/alice", ""},
    {"/m/%u/Maildir", "\"Al ice\"", "x", "/m/al ice/Maildir", ""},
    {"/m/%u", "\"a\\\"b\"", "x", "/m/a\"b", ""},
    {"/m/%u", "j\xc3\xbcrgen", "x", "/m/j\xc3\xbcrgen", ""},
    {"/m/100%%/%u", "a+b", "x", "/m/100%/a+b", ""},
    {"/m/all", "../..", "../..", "/m/all", ""},
    {"/m/%u", "", "x", NULL, "5.1.3"},
    {"/m/%u", "\"\"", "x", NULL, "5.1.3"},
    {"/m/%u", ".", "x", NULL, "5.1.3"},
    {"/m/%u", "..", "x", NULL, "5.1.3"},
    {"/m/%u", "\"..\"", "x", NULL, "5.1.3"},
    {"/m/%u", "\"\\.\\.\"", "x", NULL, "5.1.3"},
    {"/m/%u", ".ssh", "x", NULL, "5.1.3"},
    {"/m/%u", "../bob", "x", NULL, "5.1.3"},
    {"/m/%u", "a/b", "x", NULL, "5.1.3"},
    {"/m/%u", "\"a\\/b\"", "x", NULL, "5.1.3"},
    {"/m/%u", "/", "x", NULL, "5.1.3"},
    {"/m/%u", "a\nb", "x", NULL, "5.1.3"},
    {"/m/%u", "a\x7f", "x", NULL, "5.1.3"},
    {"/m/%u", "a\xff", "x", NULL, "5.1.3"},
    {"/m/%d", "a", "", NULL, "5.1.3"},
    {"/m/%d", "a", "..", NULL, "5.1.3"},
    {"/m/%d", "a", ".x", NULL, "5.1.3"},
    {"/m/%d", "a", "x.", NULL, "5.1.3"},
    {"/m/%d", "a", "a..b", NULL, "5.1.3"},
    {"/m/%d", "a", "a/b", NULL, "5.1.3"},
    {"/m/%d", "a", "[192.0.2.1]", NULL, "5.1.3"},
    {"/m/%x", "a", "x", NULL, "5.3.5"},
    {"/m/%", "a", "x", NULL, "5.3.5"},
    {"/a/path/that/is/far/too/long/for/it", "a", "x", NULL, "5.3.5"},
};

static void
paths_are_expanded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char path[32] = "unchanged";
		struct err err = {0};
		int result = maildir_path(rows[i].template,
		    span_of(rows[i].local), span_of(rows[i].domain), path,
		    sizeof(path), &err);

		if ((result == 0) != (rows[i].path != NULL) ||
		    strcmp(err.enhanced, rows[i].enhanced) != 0)
			fail_msg("%s, %s: %d %s %s", rows[i].template,
			    rows[i].local, result, path, err.text);
		assert_string_equal(
		    path, result == 0 ? rows[i].path : "unchanged");
	}
}

static void
paths_fit_or_fail(void **state)
{
	char path[8];
	struct err err = {0};

	(void)state;
	assert_int_equal(maildir_path("/m/%u", (struct span){"a\0b", 3},
			     SPAN("x"), path, sizeof(path), &err),
	    -1);
	assert_int_equal(maildir_path("/m/%u", SPAN("1234"), SPAN("x"), path,
			     sizeof(path), &err),
	    0);
	assert_int_equal(maildir_path("/m/%u", SPAN("12345"), SPAN("x"), path,
			     sizeof(path), &err),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_are_expanded),
	    cmocka_unit_test(paths_fit_or_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
