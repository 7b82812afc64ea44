#include <stdio.h>
#include <string.h>

#include "dnssec/rdata.h"

#include "tests/support/test.h"

#define WIRE(literal)                           \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static const struct span mx10 = WIRE("\0\12\2mx\7example\0");
static const struct span mx10_upper = WIRE("\0\24\2MX\7Example\0");
static const struct span mx10_b = WIRE("\0\12\1b\7example\0");
static const struct span mx10_c = WIRE("\0\12\1c\7example\0");
static const struct span mx20 = WIRE("\0\24\3mx2\7example\0");
static const struct span mx256 = WIRE("\1\0\1d\7example\0");
static const struct span null_mx = WIRE("\0\0\0");
static const struct span root10 = WIRE("\0\12\0");
static const struct span not_host = WIRE("\0\1\3a/b\7example\0");
static const struct span cut = WIRE("\0\1\2mx\7exam");
static const struct span trailing = WIRE("\0\1\2mx\0x");
static const struct span only_number = WIRE("\0\1");

/* The hosts as "name/preference name/preference". */
static void
list_text(const struct mx_list *list, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < list->n && n < size; i++)
		n += (size_t)snprintf(to + n, size - n, "%s%s/%u",
		    i > 0 ? " " : "", list->hosts[i].name,
		    list->hosts[i].preference);
}

/* RFC 1035 3.3.9 */
static void
mx_table(void **state)
{
	static const struct {
		const char *rule;
		enum dns_trust trust;
		struct span rdata[4];
		enum mx_state state;
		const char *hosts;
	} rows[] = {
	    {"zero is failed", DNS_FAILED, {{0}}, MX_FAILED, ""},
	    {"a failed answer is not read", DNS_FAILED, {mx10}, MX_FAILED, ""},
	    {"a bogus answer is not read", DNS_BOGUS, {mx10}, MX_FAILED, ""},
	    {"RFC 5321 5.1 no MX: implicit", DNS_INSECURE, {{0}}, MX_NONE, ""},
	    {"one", DNS_SECURE, {mx10}, MX_HOSTS, "mx.example/10"},
	    {"RFC 5321 5.1 by preference", DNS_INSECURE, {mx256, mx20, mx10},
		MX_HOSTS, "mx.example/10 mx2.example/20 d.example/256"},
	    {"a host named twice stays where it is better", DNS_INSECURE,
		{mx10_upper, mx20, mx10}, MX_HOSTS,
		"mx.example/10 mx2.example/20"},
	    {"RFC 7505 3 null MX", DNS_INSECURE, {null_mx}, MX_NULL, ""},
	    {"a lone root is null with any preference", DNS_INSECURE, {root10},
		MX_NULL, ""},
	    {"RFC 7505 3 null MX beside others is ignored", DNS_INSECURE,
		{null_mx, mx10}, MX_HOSTS, "mx.example/10"},
	    {"RFC 5321 5.1 none usable is an error", DNS_INSECURE,
		{not_host, null_mx}, MX_UNUSABLE, ""},
	    {"one unusable is left out", DNS_INSECURE, {not_host, mx20},
		MX_HOSTS, "mx2.example/20"},
	    {"RFC 7672 2.1.1 malformed is failed: cut", DNS_INSECURE,
		{mx10, cut}, MX_FAILED, ""},
	    {"RFC 7672 2.1.1 malformed is failed: trailing octet", DNS_INSECURE,
		{mx10, trailing}, MX_FAILED, ""},
	    {"RFC 7672 2.1.1 malformed is failed: no name", DNS_INSECURE,
		{only_number}, MX_FAILED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct dns_answer answer = {
		    .trust = rows[i].trust, .rdata = rows[i].rdata};
		struct mx_list list;
		char hosts[256];
		enum mx_state got;

		while (answer.nrdata < 4 && rows[i].rdata[answer.nrdata].n > 0)
			answer.nrdata++;
		answer.exists = answer.nrdata > 0;
		got = mx_read(&answer, 1, arena, &list);
		list_text(&list, hosts, sizeof(hosts));
		if (got != rows[i].state || strcmp(hosts, rows[i].hosts) != 0)
			fail_msg("%s: %s \"%s\"", rows[i].rule,
			    mx_state_name(got), hosts);
		arena_free(&arena);
	}
}

/* RFC 5321 5.1: equal preferences share the load. */
static void
equal_preferences_are_shuffled(void **state)
{
	const struct span rdata[] = {mx20, mx10, mx10_b, mx10_c};
	struct dns_answer answer = {
	    .trust = DNS_INSECURE, .exists = true, .rdata = rdata, .nrdata = 4};
	unsigned first[3] = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct arena *arena = arena_new(65536);
		struct mx_list list;

		assert_int_equal(
		    mx_read(&answer, seed, arena, &list), MX_HOSTS);
		assert_int_equal(list.n, 4);
		assert_string_equal(list.hosts[3].name, "mx2.example");
		first[list.hosts[0].name[0] == 'm'   ? 0
		      : list.hosts[0].name[0] == 'b' ? 1
						     : 2]++;
		arena_free(&arena);
	}
	for (size_t i = 0; i < 3; i++)
		assert_in_range(first[i], 60, 140);
}

static void
many_hosts_are_cut(void **state)
{
	static char wire[600][16];
	static struct span rdata[600];
	struct dns_answer answer = {.trust = DNS_INSECURE,
	    .exists = true,
	    .rdata = rdata,
	    .nrdata = 600};
	struct arena *arena = arena_new(65536);
	struct arena *small = arena_new(100);
	struct mx_list list;

	(void)state;
	for (size_t i = 0; i < 600; i++) {
		wire[i][0] = (char)((600 - i) >> 8);
		wire[i][1] = (char)(600 - i);
		wire[i][2] = 4;
		(void)snprintf(wire[i] + 3, 8, "m%03zu", i);
		rdata[i] = (struct span){wire[i], 8};
	}
	assert_int_equal(mx_read(&answer, 1, arena, &list), MX_HOSTS);
	assert_int_equal(list.n, MX_MAX);
	assert_string_equal(list.hosts[0].name, "m599");
	assert_int_equal(mx_read(&answer, 1, small, &list), MX_FAILED);
	assert_int_equal(list.n, 0);
	arena_free(&arena);
	arena_free(&small);
}

/*
 * RFC 1035 3.4.1 and RFC 3596 2.2 for their length; no host has what
 * RFC 1122 3.2.1.3, RFC 5771 3, RFC 1112 4 and RFC 4291 2.7 keep for others.
 */
static void
addresses_table(void **state)
{
	static const struct {
		enum rr_type type;
		struct span rdata[3];
		bool ok;
		const char *first; /* "" when none is left */
		size_t n;
	} rows[] = {
	    {RR_A, {WIRE("\300\0\2\1"), WIRE("\177\0\0\1")}, true, "192.0.2.1",
		2},
	    {RR_A, {WIRE("\0\0\0\0"), WIRE("\12\0\0\1")}, true, "10.0.0.1", 1},
	    {RR_A, {WIRE("\340\0\0\1"), WIRE("\377\377\377\377")}, true, "", 0},
	    {RR_A, {WIRE("\300\0\2")}, false, "", 0},
	    {RR_A, {WIRE("\300\0\2\1"), WIRE("\300\0\2\1\0")}, false, "", 0},
	    {RR_AAAA, {WIRE("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1")}, true,
		"2001:db8::1", 1},
	    {RR_AAAA,
		{WIRE("\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1"),
		    WIRE("\377\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1")},
		true, "", 0},
	    {RR_AAAA,
		{WIRE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		    WIRE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")},
		true, "::1", 1},
	    {RR_AAAA, {WIRE("\300\0\2\1")}, false, "", 0},
	    {RR_A, {{0}}, true, "", 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dns_answer answer = {
		    .trust = DNS_INSECURE, .rdata = rows[i].rdata};
		struct host_address got[4] = {{0}};
		char text[INET6_ADDRSTRLEN];
		size_t n = 99;
		bool ok;

		while (answer.nrdata < 3 && rows[i].rdata[answer.nrdata].n > 0)
			answer.nrdata++;
		ok = host_addresses_read(&answer, rows[i].type, got, 4, &n);
		host_address_text(&got[0], text);
		if (ok != rows[i].ok || n != rows[i].n ||
		    strcmp(text, rows[i].first) != 0)
			fail_msg("row %zu: %d, %zu, %s", i, ok, n, text);
		answer.trust = DNS_BOGUS;
		assert_false(
		    host_addresses_read(&answer, rows[i].type, got, 4, &n));
		assert_int_equal(n, 0);
	}
}

static void
addresses_fit_the_room(void **state)
{
	const struct span rdata[] = {
	    WIRE("\300\0\2\1"), WIRE("\300\0\2\2"), WIRE("\300\0\2\3")};
	struct dns_answer answer = {
	    .trust = DNS_INSECURE, .rdata = rdata, .nrdata = 3};
	struct host_address got[2];
	size_t n;

	(void)state;
	assert_true(host_addresses_read(&answer, RR_A, got, 2, &n));
	assert_int_equal(n, 2);
	assert_true(host_addresses_read(&answer, RR_A, got, 0, &n));
	assert_int_equal(n, 0);
}

static void
address_texts(void **state)
{
	struct host_address address;

	(void)state;
	assert_true(host_address_parse("127.0.0.1", &address));
	assert_true(host_address_is_loopback(&address));
	assert_true(host_address_parse("::1", &address));
	assert_true(host_address_is_loopback(&address));
	assert_true(host_address_parse("128.0.0.1", &address));
	assert_false(host_address_is_loopback(&address));
	assert_false(host_address_parse("", &address));
	assert_false(host_address_parse("127.1", &address));
	assert_false(host_address_parse("127.0.0.1 ", &address));
	assert_false(host_address_parse("[::1]", &address));
	assert_false(host_address_parse("mx.example", &address));
	address = (struct host_address){0};
	assert_false(host_address_is_loopback(&address));
}

/* RFC 2181 10.1 */
static void
an_alias_has_one_target(void **state)
{
	const struct span rdata[] = {WIRE("\2MX\7example\0"), WIRE("\1a\0")};
	const struct span longer = WIRE("\1a\0x");
	struct dns_answer answer = {
	    .trust = DNS_SECURE, .rdata = rdata, .nrdata = 1};
	char target[DNS_NAME_SIZE] = "";

	(void)state;
	assert_true(cname_read(&answer, target));
	assert_string_equal(target, "mx.example");
	answer.nrdata = 2;
	assert_false(cname_read(&answer, target));
	answer.nrdata = 0;
	assert_false(cname_read(&answer, target));
	answer.rdata = &longer;
	answer.nrdata = 1;
	assert_false(cname_read(&answer, target));
	assert_string_equal(target, "mx.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mx_table),
	    cmocka_unit_test(equal_preferences_are_shuffled),
	    cmocka_unit_test(many_hosts_are_cut),
	    cmocka_unit_test(addresses_table),
	    cmocka_unit_test(addresses_fit_the_room),
	    cmocka_unit_test(address_texts),
	    cmocka_unit_test(an_alias_has_one_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
