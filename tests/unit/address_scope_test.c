/* Which addresses are out in the internet. */
#include <string.h>

#include "mta/net/address.h"

#include "tests/support/test.h"

static const struct row {
	const char *ip;
	const char *scope; /* NULL: out there */
} rows[] = {
    {"0.0.0.0", "unspecified"},
    {"0.1.2.3", "unspecified"},
    {"1.0.0.0", NULL},
    {"9.255.255.255", NULL},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.64.0.0", "private"},
    {"100.127.255.255", "private"},
    {"100.128.0.0", NULL},
    {"126.255.255.255", NULL},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"128.0.0.0", NULL},
    {"169.253.255.255", NULL},
    {"169.254.169.254", "link-local"},
    {"169.255.0.0", NULL},
    {"172.15.255.255", NULL},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"172.32.0.0", NULL},
    {"192.0.0.1", "private"},
    {"192.0.1.0", NULL},
    {"192.167.255.255", NULL},
    {"192.168.0.1", "private"},
    {"192.169.0.0", NULL},
    {"198.17.255.255", NULL},
    {"198.18.0.0", "private"},
    {"198.19.255.255", "private"},
    {"198.20.0.0", NULL},
    {"223.255.255.255", NULL},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.0", "reserved"},
    {"255.255.255.255", "reserved"},
    {"::", "unspecified"},
    {"::1", "loopback"},
    /* RFC 4291 2.5.5.1: as IPv4, 0.0.0.2 */
    {"::2", "unspecified"},
    {"::7f00:1", "loopback"},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:10.0.0.1", "private"},
    {"::ffff:192.168.1.1", "private"},
    {"::ffff:169.254.0.1", "link-local"},
    {"::ffff:0.0.0.0", "unspecified"},
    {"::ffff:192.0.2.1", NULL},
    {"::ffff:0:127.0.0.1", "loopback"},
    {"::ffff:0:192.0.2.1", NULL},
    /* RFC 6052 2.1 */
    {"64:ff9b::127.0.0.1", "loopback"},
    {"64:ff9b::192.0.2.1", NULL},
    {"64:ff9b:1::192.0.2.1", "private"},
    {"100::1", "discarded"},
    /* RFC 3056 2 */
    {"2002:7f00:1::", "loopback"},
    {"2002:c0a8:101::1", "private"},
    {"2002:c000:201::1", NULL},
    {"2001:db8::1", NULL},
    {"2a00::1", NULL},
    {"fbff::1", NULL},
    {"fc00::1", "unique-local"},
    {"fdff::1", "unique-local"},
    {"fe00::1", NULL},
    {"fe7f::1", NULL},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"feff::1", "site-local"},
    {"ff02::1", "multicast"},
};

static void
each_has_its_scope(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct net_address address;
		const char *scope;

		assert_true(net_address_ip(rows[i].ip, 443, &address));
		scope = net_address_scope(&address);
		if ((scope == NULL) != (rows[i].scope == NULL) ||
		    (scope != NULL && strcmp(scope, rows[i].scope) != 0))
			fail_msg("%s: %s", rows[i].ip,
			    scope == NULL ? "none" : scope);
	}
}

static void
what_is_none_is_not_out_there(void **state)
{
	struct net_address address = {.family = 0};

	(void)state;
	assert_non_null(net_address_scope(&address));
	assert_true(net_address_unix("/run/x", &address));
	assert_non_null(net_address_scope(&address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_has_its_scope),
	    cmocka_unit_test(what_is_none_is_not_out_there),
	};

	return cmocka_run_group_tests_name("address_scope", tests, NULL, NULL);
}
