/* Lists of tags and of words, and base64, as DKIM has them. */
#include <stdio.h>

#include "reporting/dkim_tags.h"

#include "tests/support/test.h"

/* RFC 6376 3.2; NULL is malformed. */
static const struct {
	const char *text;
	const char *read; /* each tag as "name=value|" */
} rows[] = {
    {"a=b", "a=b|"},
    {"a=b;", "a=b|"},
    {"a=b; ", "a=b|"},
    {"a=b;\r\n ", "a=b|"},
    {" a = b ; c\t=\td", "a=b|c=d|"},
    {"a=b;\r\n\tc=d;\r\n e=f g", "a=b|c=d|e=f g|"},
    {"a=b\r\n c", "a=b\r\n c|"},
    /* an empty value is one, and a value may have "=" */
    {"a=; b= ;c=d=e==", "a=|b=|c=d=e==|"},
    /* names have a case */
    {"a=1; A=2; a1=3; a_=4", "a=1|A=2|a1=3|a_=4|"},
    {"a=1; b=2; a=1", NULL},
    {"a=1; b=2; a =3", NULL},
    {"", NULL},
    {" ", NULL},
    {";", NULL},
    {"a=b;;", NULL},
    {"a=b; ;c=d", NULL},
    {";a=b", NULL},
    {"a", NULL},
    {"a=b;c", NULL},
    {"=b", NULL},
    {"1a=b", NULL},
    {"_a=b", NULL},
    {"a-b=c", NULL},
    {"a b=c", NULL},
    /* RFC 6376 2.8: folds are whole */
    {"a=b\r\nc=d", NULL},
    {"a=b\r\n", NULL},
    {"a=b\n c", NULL},
    {"a=b\r c", NULL},
    {"a=b\001", NULL},
    {"a=b\177", NULL},
    /* its note: UTF-8 is not precluded, and nothing else above ASCII */
    {"n=\xc3\xbc", "n=\xc3\xbc|"},
    {"n=\xfc", NULL},
};

static void
lists_of_tags(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char read[200] = "";
		struct dkim_tags tags;
		const char *wrong = dkim_tags_read(
		    span_of(rows[i].text), &tags);

		for (size_t j = 0; wrong == NULL && j < tags.n; j++)
			(void)snprintf(read + strlen(read),
			    sizeof(read) - strlen(read), "%.*s=%.*s|",
			    (int)tags.list[j].name.n, tags.list[j].name.p,
			    (int)tags.list[j].value.n, tags.list[j].value.p);
		if ((wrong == NULL) != (rows[i].read != NULL) ||
		    (wrong == NULL && strcmp(read, rows[i].read) != 0))
			fail_msg("%s: %s, %s", rows[i].text, read,
			    wrong == NULL ? "" : wrong);
	}
}

static void
a_tag_is_whole_with_its_blanks(void **state)
{
	struct dkim_tags tags;

	(void)state;
	assert_null(dkim_tags_read(SPAN("a=1; b =\r\n x y ;c=2"), &tags));
	assert_true(
	    span_eq(dkim_tags_find(&tags, "b")->whole, SPAN("\r\n x y ")));
	assert_true(span_eq(dkim_tags_find(&tags, "b")->value, SPAN("x y")));
	assert_null(dkim_tags_find(&tags, "B"));
	assert_null(dkim_tags_find(&tags, ""));
}

static void
there_are_only_so_many_tags(void **state)
{
	char text[1000] = "";
	struct dkim_tags tags;

	(void)state;
	for (size_t i = 0; i < DKIM_TAGS_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "a%zu=;", i);
	assert_null(dkim_tags_read(span_of(text), &tags));
	assert_int_equal(tags.n, DKIM_TAGS_MAX);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "b=");
	assert_non_null(dkim_tags_read(span_of(text), &tags));
}

static const struct {
	const char *text;
	const char *items; /* each as "item|" */
} lists[] = {
    {"a", "a|"},
    {"a:b", "a|b|"},
    {" a :\r\n\tb : c ", "a|b|c|"},
    {"", "|"},
    {"a:", "a||"},
    {":a", "|a|"},
    {"a::b", "a||b|"},
    {"a b", "a b|"},
};

static void
lists_of_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(lists); i++) {
		struct dkim_list list = {.rest = span_of(lists[i].text)};
		char read[100] = "";
		struct span item;

		while (dkim_list_next(&list, &item))
			(void)snprintf(read + strlen(read),
			    sizeof(read) - strlen(read), "%.*s|", (int)item.n,
			    item.p);
		assert_string_equal(read, lists[i].items);
	}
	assert_true(dkim_list_has(SPAN("a : b"), "b"));
	assert_false(dkim_list_has(SPAN("a : b"), "B"));
	assert_false(dkim_list_has(SPAN("ab"), "a"));
}

/* RFC 6376 2.10, RFC 4648 4; NULL is none. */
static const struct {
	const char *text;
	const char *octets;
} base64[] = {
    {"Zm9vYmFy", "foobar"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYg", "foob"},
    {"Zm9vYmE", "fooba"},
    {" Z\r\n\tm9v YmE =\r\n ", "fooba"},
    {"Zm9vYg= =", "foob"},
    {"Pz8/", "???"},
    {"fn5+", "~~~"},
    {"", NULL},
    {" ", NULL},
    {"=", NULL},
    {"Z", NULL},
    {"Zm9vY", NULL},
    {"Zm9vYg=", NULL},
    {"Zm9vYmE==", NULL},
    {"Zm9vYmFy=", NULL},
    {"Zm9vYmFy====", NULL},
    {"Zm9v=YmFy", NULL},
    {"Zm9v.mFy", NULL},
    {"Zm9v-mFy", NULL},
    /* RFC 4648 3.5: bits that nobody would see */
    {"Zm9vYh==", NULL},
    {"Zm9vYmF=", NULL},
};

static void
base64_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(base64); i++) {
		unsigned char to[6];
		size_t n = 0;
		int rc = dkim_base64_read(
		    span_of(base64[i].text), to, sizeof(to), &n);

		if (base64[i].octets == NULL
			? rc != -1
			: rc != 0 || !span_eq((struct span){(char *)to, n},
					 span_of(base64[i].octets)))
			fail_msg("%s: %d, %zu octets", base64[i].text, rc, n);
		if (rc == 0)
			assert_int_equal(
			    dkim_base64_read(
				span_of(base64[i].text), to, n - 1, &n),
			    -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_of_tags),
	    cmocka_unit_test(a_tag_is_whole_with_its_blanks),
	    cmocka_unit_test(there_are_only_so_many_tags),
	    cmocka_unit_test(lists_of_words),
	    cmocka_unit_test(base64_is_read),
	};

	return cmocka_run_group_tests_name("dkim_tags", tests, NULL, NULL);
}
