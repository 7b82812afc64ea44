#include <stdio.h>
#include <string.h>

#include "dnssec/name.h"

#include "tests/support/test.h"

/* 63 octets */
#define L63 "aaaaaaaaabbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"

/* RFC 1035 5.1 */
static void
text_has_one_normal_form(void **state)
{
	static const struct {
		const char *text;
		const char *normal; /* NULL: not a name */
	} rows[] = {
	    {"example.org", "example.org"}, {"Example.ORG.", "example.org"},
	    {".", "."}, {"a", "a"},
	    {"_25._tcp.MX.example", "_25._tcp.mx.example"},
	    {"a\\.b.c", "a\\046b.c"}, {"a\\\\b", "a\\092b"},
	    {"\\065\\090.x", "az.x"}, {"a b", "a\\032b"},
	    {"\xc3\xa9", "\\195\\169"}, {"\\000", "\\000"},
	    {L63 ".x", L63 ".x"}, {"", NULL}, {"..", NULL}, {".a", NULL},
	    {"a..b", NULL}, {"a\\", NULL}, {"a\\25", NULL}, {"a\\2x5", NULL},
	    {"\\256", NULL},
	    {L63 "x", NULL}, /* RFC 1035 2.3.4: 63 octets in a label */
	    {L63 "." L63 "." L63 "." L63, NULL}, /* and 255 in a name */
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char normal[DNS_NAME_SIZE] = "unchanged";
		bool ok = dns_name_normal(rows[i].text, normal);

		if (ok != (rows[i].normal != NULL))
			fail_msg("\"%s\": %d", rows[i].text, ok);
		assert_string_equal(normal, ok ? rows[i].normal : "unchanged");
	}
}

/* RFC 1035 2.3.4: exactly 255 octets pass, 256 do not. */
static void
the_longest_name_fits(void **state)
{
	char text[300];
	char normal[DNS_NAME_SIZE];
	uint8_t wire[DNS_WIRE_MAX];
	uint8_t longer[400];
	size_t n = 0;

	(void)state;
	(void)snprintf(
	    text, sizeof(text), "%s.%s.%s.%.61s", L63, L63, L63, L63);
	assert_true(dns_name_wire(text, wire, &n));
	assert_int_equal(n, 255);
	(void)snprintf(
	    text, sizeof(text), "%s.%s.%s.%.62s", L63, L63, L63, L63);
	assert_false(dns_name_wire(text, wire, &n));

	/* The longest text: every octet needs four characters. */
	memset(wire, 0xff, sizeof(wire));
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	wire[254] = 0;
	struct span in = {(const char *)wire, sizeof(wire)};

	assert_true(dns_name_read(&in, normal));
	assert_int_equal(strlen(normal), 4 * 250 + 3);
	assert_int_equal(in.n, 0);

	/* One more label would not fit the text. */
	memset(longer, 0xff, sizeof(longer));
	longer[0] = longer[64] = longer[128] = 63;
	longer[192] = 61;
	longer[254] = 63;
	in = (struct span){(const char *)longer, sizeof(longer)};
	assert_false(dns_name_read(&in, normal));
}

/* RFC 1035 3.1 */
static void
wire_is_read_to_its_end(void **state)
{
	static const struct {
		struct span wire;
		const char *name; /* NULL: not a name */
		size_t rest;
	} rows[] = {
	    {{"\0", 1}, ".", 0},
	    {{"\1a\0", 3}, "a", 0},
	    {{"\2MX\3Org\0xy", 10}, "mx.org", 2},
	    {{"\1.\0", 3}, "\\046", 0},
	    {{"", 0}, NULL, 0},
	    {{"\1a", 2}, NULL, 2},        /* no root label */
	    {{"\2a", 2}, NULL, 2},        /* cut in the label */
	    {{"\5ab\0", 4}, NULL, 4},     /* longer than the data */
	    {{"\xc0\x0c\0", 3}, NULL, 3}, /* RFC 1035 4.1.4 pointer */
	    {{"\1a\xc0\x00", 4}, NULL, 4},
	    {{"\x40x", 2}, NULL, 2},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char name[DNS_NAME_SIZE] = "unchanged";
		struct span in = rows[i].wire;
		bool ok = dns_name_read(&in, name);

		if (ok != (rows[i].name != NULL) || in.n != rows[i].rest)
			fail_msg("row %zu: %d, %zu left", i, ok, in.n);
		assert_string_equal(name, ok ? rows[i].name : "unchanged");
	}
}

/* RFC 5891 5, RFC 5890 2.3.2.1 */
static void
domains_become_a_labels(void **state)
{
	static const struct {
		const char *domain;
		const char *name; /* NULL: refused */
	} rows[] = {
	    {"example.org", "example.org"},
	    {"Example.Org.", "example.org"},
	    {"b\xc3\xbc"
	     "cher.example",
		"xn--bcher-kva.example"},
	    {"B\xc3\x9c"
	     "CHER.example",
		"xn--bcher-kva.example"},
	    {"bu\xcc\x88"
	     "cher.example",
		"xn--bcher-kva.example"}, /* NFD */
	    /* RFC 5892: sharp s and final sigma stay themselves */
	    {"stra\xc3\x9f"
	     "e.example",
		"xn--strae-oqa.example"},
	    {"\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9"
	     "\xe3\x83\x88",
		"xn--r8jz45g.xn--zckzah"},
	    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
	    {"a_b.example", "a_b.example"},
	    {"", NULL},
	    {".", NULL},
	    {"a..b", NULL},
	    {"a b.example", NULL},
	    {"a/b.example", NULL},
	    {"a\\046b.example", NULL},
	    {"-a.example", NULL},
	    {"a-.example", NULL},
	    {"[192.0.2.1]", NULL},
	    {"a\xef\xbc\x8f"
	     "b.example",
		NULL}, /* fullwidth "/" */
	    {"\xff.example", NULL},
	    {"\xc3\xa9.\xe2\x80\x8f.example", NULL},
	    {L63 "\xc3\xa9.example", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char name[DNS_NAME_SIZE] = "unchanged";
		struct err err = {0};
		int result = dns_name_from_domain(rows[i].domain, name, &err);

		if ((result == 0) != (rows[i].name != NULL))
			fail_msg("\"%s\": %s", rows[i].domain,
			    result == 0 ? name : err.text);
		assert_string_equal(
		    name, result == 0 ? rows[i].name : "unchanged");
		if (result < 0)
			assert_string_equal(err.enhanced, "5.1.2");
	}
}

static void
zones_contain_names(void **state)
{
	(void)state;
	assert_true(dns_name_in("a.example", "."));
	assert_true(dns_name_in("a.example", "example"));
	assert_true(dns_name_in("example", "example"));
	assert_false(dns_name_in("example", "a.example"));
	assert_false(dns_name_in("notexample", "example"));
	assert_false(dns_name_in("x.notexample", "example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_has_one_normal_form),
	    cmocka_unit_test(the_longest_name_fits),
	    cmocka_unit_test(wire_is_read_to_its_end),
	    cmocka_unit_test(domains_become_a_labels),
	    cmocka_unit_test(zones_contain_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
