/*
 * RFC 7672 2.1.3, 2.2.2 with the real resolver and a signed tree: what
 * libunbound says of chains is what host.c takes for granted.
 */
#include <stdio.h>
#include <string.h>

#include "dnssec/host.h"

#include "tests/support/dns_ask.h"
#include "tests/support/test.h"

struct found {
	unsigned calls;
	struct host_dns host;
};

static void
on_host(const struct host_dns *host, void *arg)
{
	struct found *found = arg;

	found->calls++;
	found->host = *host;
}

static const struct {
	const char *name;
	enum dns_trust trust;
	enum dns_trust alias_trust; /* where it matters */
	size_t naddresses;
	const char *bases; /* "!": not to be used */
} rows[] = {
    {"mx.good.test", DNS_SECURE, DNS_FAILED, 2, "mx.good.test"},
    {"mx.nsec3.test", DNS_SECURE, DNS_FAILED, 2, "mx.nsec3.test"},
    {"mx.plain.test", DNS_INSECURE, DNS_FAILED, 2, ""},
    {"none.good.test", DNS_SECURE, DNS_FAILED, 0, ""},
    {"dangling.good.test", DNS_SECURE, DNS_SECURE, 0, ""},
    {"moved.good.test", DNS_SECURE, DNS_SECURE, 2,
	"mx.nsec3.test moved.good.test"},
    {"twice.good.test", DNS_SECURE, DNS_SECURE, 2,
	"mx.nsec3.test twice.good.test"},
    {"hosted.good.test", DNS_INSECURE, DNS_SECURE, 2, "hosted.good.test"},
    {"deep.good.test", DNS_INSECURE, DNS_SECURE, 2, "deep.good.test"},
    /* secure, insecure, secure: RFC 7672 2.1.3, one insecure link is enough */
    {"through.good.test", DNS_INSECURE, DNS_SECURE, 2, "through.good.test"},
    {"back.plain.test", DNS_INSECURE, DNS_INSECURE, 2, ""},
    {"to-bogus.good.test", DNS_BOGUS, DNS_FAILED, 0, "!"},
    {"to-failed.good.test", DNS_FAILED, DNS_FAILED, 0, "!"},
    {"away.expired.test", DNS_BOGUS, DNS_FAILED, 0, "!"},
    {"loop.good.test", DNS_FAILED, DNS_FAILED, 0, "!"},
    /* RFC 6672 5.3.1: the CNAME that comes of a DNAME has no signature itself */
    {"mx.dname.good.test", DNS_SECURE, DNS_SECURE, 2,
	"mx.nsec3.test mx.dname.good.test"},
    {"mx.leave.good.test", DNS_INSECURE, DNS_SECURE, 2, "mx.leave.good.test"},
    {"mx.dname.plain.test", DNS_INSECURE, DNS_INSECURE, 2, ""},
    {"mx.spoiled.test", DNS_BOGUS, DNS_FAILED, 0, "!"},
    {"mx.servfail.test", DNS_FAILED, DNS_FAILED, 0, "!"},
};

static void
chains_keep_the_status_of_their_links(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct found found = {0};
		const char *names[2];
		char bases[256] = "!";
		size_t n = 0;

		(void)host_find(tree->dns, rows[i].name, on_host, &found);
		run_until(tree->dns, &found.calls, 1, 20000);
		if (found.calls == 1 && host_tlsa_bases(&found.host, names, &n))
			(void)snprintf(bases, sizeof(bases), "%s%s%s",
			    n > 0 ? names[0] : "", n > 1 ? " " : "",
			    n > 1 ? names[1] : "");
		if (found.calls != 1 || found.host.trust != rows[i].trust ||
		    found.host.alias_trust != rows[i].alias_trust ||
		    found.host.naddresses != rows[i].naddresses ||
		    strcmp(bases, rows[i].bases) != 0)
			fail_msg("%s: %s, alias %s, %zu addresses, \"%s\", %s",
			    rows[i].name, dns_trust_name(found.host.trust),
			    dns_trust_name(found.host.alias_trust),
			    found.host.naddresses, bases, found.host.why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chains_keep_the_status_of_their_links),
	};

	return cmocka_run_group_tests(tests, dns_tree_start, dns_tree_stop);
}
