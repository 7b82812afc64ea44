#include <string.h>

#include "mta/cidr.h"

#include "tests/support/test.h"

static void
prefixes_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		unsigned bits;
	} rows[] = {
	    {"127.0.0.1", true, 32},
	    {"192.0.2.0/24", true, 24},
	    {"0.0.0.0/0", true, 0},
	    {"255.255.255.255/32", true, 32},
	    {"[::1]", true, 128},
	    {"::1", true, 128},
	    {"[2001:db8::]/32", true, 32},
	    {"2001:db8::/32", true, 32},
	    {"[2001:db8:8000::]/33", true, 33},
	    {"::/0", true, 0},
	    {"::ffff:192.0.2.0/120", true, 24}, /* RFC 4291 2.5.5.2 */
	    {"[::ffff:192.0.2.1]", true, 32},
	    {"::ffff:0:0/96", true, 0},
	    {"", false, 0},
	    {"/", false, 0},
	    {"/8", false, 0},
	    {"[]", false, 0},
	    {"[]/0", false, 0},
	    {"192.0.2.1/24", false, 0}, /* bits behind the length */
	    {"192.0.2.0/33", false, 0},
	    {"192.0.2.0/", false, 0},
	    {"192.0.2.0/-1", false, 0},
	    {"192.0.2.0/24 ", false, 0},
	    {"192.0.2.0/0024", false, 0},
	    {"192.0.2", false, 0},
	    {"192.0.2.0.0/24", false, 0},
	    {"[192.0.2.1]", false, 0},
	    {"[2001:db8::]/129", false, 0},
	    {"[2001:db8::/32]", false, 0},
	    {"2001:db8::1/32", false, 0},
	    {"[2001:db8::", false, 0},
	    {"example.org", false, 0},
	    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cidr cidr = {0};
		bool ok = cidr_parse(span_of(rows[i].text), &cidr);

		if (ok != rows[i].ok || cidr.bits != rows[i].bits)
			fail_msg("\"%s\": %d /%u", rows[i].text, ok, cidr.bits);
	}
	assert_false(cidr_parse((struct span){NULL, 0}, &(struct cidr){0}));
	assert_false(
	    cidr_parse((struct span){"127.0.0.1\0", 10}, &(struct cidr){0}));
}

static void
addresses_are_found_inside(void **state)
{
	static const struct {
		const char *prefix, *address;
		bool inside;
	} rows[] = {
	    {"192.0.2.0/24", "192.0.2.0", true},
	    {"192.0.2.0/24", "192.0.2.255", true},
	    {"192.0.2.0/24", "192.0.3.0", false},
	    {"192.0.2.128/25", "192.0.2.127", false},
	    {"192.0.2.128/25", "192.0.2.128", true},
	    {"0.0.0.0/0", "203.0.113.9", true},
	    {"0.0.0.0/0", "::1", false},
	    {"::/0", "203.0.113.9", false},
	    {"::/0", "2001:db8::1", true},
	    {"127.0.0.1", "127.0.0.1", true},
	    {"127.0.0.1", "127.0.0.2", false},
	    {"192.0.2.0/24", "::ffff:192.0.2.9", true}, /* RFC 4291 2.5.5.2 */
	    {"::ffff:192.0.2.0/120", "192.0.2.9", true},
	    {"::ffff:0:0/96", "192.0.2.9", true},
	    {"::ffff:0:0/96", "2001:db8::1", false},
	    {"[2001:db8::]/33", "2001:db8:7fff::1", true},
	    {"[2001:db8::]/33", "2001:db8:8000::1", false},
	    {"[fe80::]/10", "fe80::1%eth0", true},
	    {"0.0.0.0/0", "", false},
	    {"0.0.0.0/0", "nonsense", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cidr cidr;

		assert_true(cidr_parse(span_of(rows[i].prefix), &cidr));
		if (cidr_contains(&cidr, rows[i].address) != rows[i].inside)
			fail_msg("%s in %s", rows[i].address, rows[i].prefix);
	}
}

/* Zero is the safe answer: a forgotten prefix lets nobody in. */
static void
zero_contains_nobody(void **state)
{
	struct cidr zero = {0};

	(void)state;
	assert_false(cidr_contains(&zero, "127.0.0.1"));
	assert_false(cidr_contains(&zero, "::"));
	assert_false(cidr_contains(&zero, "nonsense"));
}

static void
a_client_is_counted_with_its_network(void **state)
{
	static const struct {
		const char *client, *network; /* NULL: none */
	} rows[] = {
	    {"192.0.2.129", "192.0.2.129/32"},
	    {"::ffff:192.0.2.129", "192.0.2.129/32"},
	    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	    {"2001:db8:1:2::", "2001:db8:1:2::/64"},
	    {"fe80::1%eth0", "fe80::/64"},
	    {"", NULL},
	    {"/run/socket", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cidr want = {0}, got = {0};
		bool ok = cidr_network(rows[i].client, &got);

		if (rows[i].network != NULL)
			assert_true(
			    cidr_parse(span_of(rows[i].network), &want));
		if (ok != (rows[i].network != NULL) ||
		    memcmp(&want, &got, sizeof(want)) != 0)
			fail_msg("%s", rows[i].client);
	}
}

static void
a_prefix_is_written_as_it_is_read(void **state)
{
	static const char *const rows[] = {"127.0.0.1", "192.0.2.0/24",
	    "0.0.0.0/0", "[::1]", "[2001:db8::]/32", "[::]/0",
	    "[1111:2222:3333:4444:5555:6666:7777:8880]/124"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[CIDR_TEXT];
		struct cidr cidr;

		assert_true(cidr_parse(span_of(rows[i]), &cidr));
		cidr_text(&cidr, text);
		assert_string_equal(text, rows[i]);
	}
}

static void
what_nobody_owns_is_public(void **state)
{
	static const struct {
		const char *prefix;
		bool public;
	} rows[] = {
	    {"0.0.0.0/0", true},
	    {"128.0.0.0/1", true},
	    {"10.0.0.0/7", true},
	    {"10.0.0.0/8", false},
	    {"192.0.2.1", false},
	    {"::/0", true},
	    {"2000::/3", true},
	    {"2600::/12", false},
	    {"::ffff:0:0/96", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cidr cidr;

		assert_true(cidr_parse(span_of(rows[i].prefix), &cidr));
		if (cidr_is_public(&cidr) != rows[i].public)
			fail_msg("%s", rows[i].prefix);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prefixes_are_read_strictly),
	    cmocka_unit_test(addresses_are_found_inside),
	    cmocka_unit_test(zero_contains_nobody),
	    cmocka_unit_test(a_client_is_counted_with_its_network),
	    cmocka_unit_test(a_prefix_is_written_as_it_is_read),
	    cmocka_unit_test(what_nobody_owns_is_public),
	};

	return cmocka_run_group_tests_name("cidr", tests, NULL, NULL);
}
