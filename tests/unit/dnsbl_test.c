/* Names that block lists are asked for, and what their answers mean. */
#include <string.h>

#include "mta/receive/dnsbl.h"

#include "tests/support/test.h"

#define LABEL60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

/* RFC 5782 2.1, RFC 5782 2.4 */
static void
names_are_the_address_from_behind(void **state)
{
	static const struct {
		const char *client, *zone, *name; /* NULL: none */
	} rows[] = {
	    {"192.0.2.99", "bad.example.com", "99.2.0.192.bad.example.com"},
	    {"2001:db8:1:2:3:4:567:89ab", "ugly.example.com",
		"b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0."
		"0.2.ugly.example.com"},
	    {"127.0.0.2", "x", "2.0.0.127.x"},
	    {"/run/socket", "x", NULL},
	    {"", "x", NULL},
	    {"::1", LABEL60 LABEL60 LABEL60 "example", NULL},
	    {"1.1.1.1", LABEL60 LABEL60 LABEL60 LABEL60 "example", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char name[DNSBL_NAME];
		bool ok = dnsbl_name(rows[i].client, rows[i].zone, name);

		if (ok != (rows[i].name != NULL) ||
		    (ok && strcmp(name, rows[i].name) != 0))
			fail_msg("%s: %s", rows[i].client, ok ? name : "-");
	}
}

/* RFC 5782 2.1: "values in the 127.0.0.0/8 range" */
static void
only_127_is_a_listing(void **state)
{
	static const struct {
		struct span rdata;
		bool lists, denies;
	} rows[] = {
	    {{"\x7f\0\0\2", 4}, true, false},
	    {{"\x7f\1\2\3", 4}, true, false},
	    {{"\x7f\xff\xfe\1", 4}, true, false},
	    {{"\x7f\xff\xff\xfe", 4}, false, true},
	    {{"\x7f\xff\xff\0", 4}, false, true},
	    {{"\xc0\0\2\1", 4}, false, false}, /* a zone that was sold */
	    {{"\x7f\0\0", 3}, false, false},
	    {{"", 0}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(dnsbl_lists(rows[i].rdata), rows[i].lists);
		assert_int_equal(dnsbl_denies(rows[i].rdata), rows[i].denies);
	}
}

static void
reasons_are_put_together_and_cut(void **state)
{
	char to[12];

	(void)state;
	dnsbl_reason(SPAN("\x03see\x04 web"), to, sizeof(to));
	assert_string_equal(to, "see web");
	dnsbl_reason(SPAN("\x0fsee our web page"), to, sizeof(to));
	assert_string_equal(to, "see our web");
	dnsbl_reason(SPAN("\x50short"), to, sizeof(to));
	assert_string_equal(to, "short");
	dnsbl_reason(SPAN("\x03"
			  "a\0b"),
	    to, sizeof(to));
	assert_string_equal(to, "a b");
	dnsbl_reason(SPAN("\x04"
			  "a\r\nb"),
	    to, sizeof(to));
	assert_null(strpbrk(to, "\r\n"));
	dnsbl_reason((struct span){NULL, 0}, to, sizeof(to));
	assert_string_equal(to, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_the_address_from_behind),
	    cmocka_unit_test(only_127_is_a_listing),
	    cmocka_unit_test(reasons_are_put_together_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
