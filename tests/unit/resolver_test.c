#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/conf.h"
#include "dnssec/dnssec.h"

#include "tests/support/dns_lab.h"
#include "tests/support/test.h"

enum {
	A = 1,
	CNAME = 5,
	SOA = 6,
	MX = 15,
	TXT = 16,
	AAAA = 28,
	TLSA = 52
};

/* What a callback saw, copied out of the lent answer. */
struct got {
	unsigned calls;
	enum dns_trust trust;
	bool exists;
	size_t nrdata;
	char canonical[256];
	char why[256];
	char first[64];
	size_t nfirst;
};

static void
on_answer(const struct dns_answer *answer, void *arg)
{
	struct got *got = arg;

	got->calls++;
	got->trust = answer->trust;
	got->exists = answer->exists;
	got->nrdata = answer->nrdata;
	(void)snprintf(
	    got->canonical, sizeof(got->canonical), "%s", answer->canonical);
	(void)snprintf(got->why, sizeof(got->why), "%s",
	    answer->why != NULL ? answer->why : "");
	if (answer->nrdata > 0 && answer->rdata[0].n <= sizeof(got->first)) {
		got->nfirst = answer->rdata[0].n;
		memcpy(got->first, answer->rdata[0].p, got->nfirst);
	}
}

/* Run the resolver until `calls` callbacks came, at most for `ms`. */
static void
run_until(struct dns *dns, const unsigned *calls, unsigned wanted, int ms)
{
	uint64_t end = clock_mono_ms() + (uint64_t)ms;
	struct pollfd one = {.fd = dns_fd(dns), .events = POLLIN};

	while (*calls < wanted && clock_mono_ms() < end)
		if (poll(&one, 1, 50) > 0)
			dns_process(dns);
}

static struct got
look_up(struct dns *dns, const char *name, uint16_t type)
{
	struct got got = {0};
	struct dns_query *query = dns_lookup(dns, name, type, on_answer, &got);

	assert_int_equal(got.calls, 0); /* never from inside dns_lookup() */
	run_until(dns, &got.calls, 1, 20000);
	if (got.calls == 0)
		dns_cancel(&query);
	if (got.calls != 1)
		fail_msg("%s %u: %u answers", name, type, got.calls);
	return got;
}

struct fixture {
	struct dns_lab lab;
	bool there;
	struct dns *dns;
};

static int
start_lab(void **state)
{
	static struct fixture fixture;
	const char *servers[] = {fixture.lab.server, NULL};
	struct dns_zone root = {.name = ".", .servers = servers};
	struct dns_setup setup = {
	    .trust_anchor = fixture.lab.anchor, .stubs = &root, .nstubs = 1};
	struct err err;

	*state = &fixture;
	fixture.there = dns_lab_start(&fixture.lab);
	if (!fixture.there)
		return 0;
	setup.trust_anchor = fixture.lab.anchor;
	setup.stubs = fixture.lab.zones;
	setup.nstubs = fixture.lab.nzones;
	fixture.dns = dns_new(&setup, &err);
	if (fixture.dns == NULL)
		print_error("%s\n", err.text);
	return fixture.dns == NULL ? -1 : 0;
}

static int
stop_lab(void **state)
{
	struct fixture *fixture = *state;

	dns_free(&fixture->dns);
	dns_lab_stop(&fixture->lab);
	return 0;
}

static struct fixture *
need_lab(void **state)
{
	struct fixture *fixture = *state;

	if (!fixture->there) {
		print_message("no DNS tree: %s\n", fixture->lab.why);
		skip();
	}
	return fixture;
}

/* RFC 4035 4.3, RFC 7672 2.1.1: each state comes out as itself. */
static void
answers_carry_their_trust(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum dns_trust trust;
		bool exists;
		const char *canonical;
	} rows[] = {
	    {"good.test", MX, DNS_SECURE, true, "good.test"},
	    {"GOOD.Test.", MX, DNS_SECURE, true, "good.test"},
	    {"mx.good.test", A, DNS_SECURE, true, "mx.good.test"},
	    {"mx.good.test", AAAA, DNS_SECURE, true, "mx.good.test"},
	    {"good.test", TLSA, DNS_SECURE, false, "good.test"},
	    {"none.good.test", MX, DNS_SECURE, false, "none.good.test"},
	    {"alias.good.test", MX, DNS_SECURE, true, "good.test"},
	    {"out.good.test", MX, DNS_INSECURE, true, "plain.test"},
	    {"nsec3.test", MX, DNS_SECURE, true, "nsec3.test"},
	    {"none.nsec3.test", MX, DNS_SECURE, false, "none.nsec3.test"},
	    {"plain.test", MX, DNS_INSECURE, true, "plain.test"},
	    {"none.plain.test", MX, DNS_INSECURE, false, "none.plain.test"},
	    {"mx.plain.test", TLSA, DNS_INSECURE, false, "mx.plain.test"},
	    {"spoiled.test", MX, DNS_SECURE, true, "spoiled.test"},
	    {"mx.spoiled.test", A, DNS_BOGUS, false, "mx.spoiled.test"},
	    {"wrong-ds.test", MX, DNS_BOGUS, false, "wrong-ds.test"},
	    {"expired.test", MX, DNS_BOGUS, false, "expired.test"},
	    {"none.expired.test", MX, DNS_BOGUS, false, "none.expired.test"},
	    {"servfail.test", MX, DNS_FAILED, false, "servfail.test"},
	    {"loop.good.test", A, DNS_FAILED, false, "loop.good.test"},
	};
	struct fixture *fixture = need_lab(state);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct got got = look_up(
		    fixture->dns, rows[i].name, rows[i].type);

		if (got.trust != rows[i].trust ||
		    got.exists != rows[i].exists ||
		    strcmp(got.canonical, rows[i].canonical) != 0)
			fail_msg("%s %u: %s, exists %d, canonical %s (%s)",
			    rows[i].name, rows[i].type,
			    dns_trust_name(got.trust), got.exists,
			    got.canonical, got.why);
		if ((got.trust <= DNS_BOGUS) != (got.why[0] != '\0'))
			fail_msg("%s: why \"%s\"", rows[i].name, got.why);
	}
}

static void
records_arrive_whole(void **state)
{
	struct fixture *fixture = need_lab(state);
	struct got got = look_up(fixture->dns, "mx.good.test", A);

	assert_int_equal(got.nfirst, 4);
	assert_memory_equal(got.first, "\xc0\x00\x02\x01", 4);
	got = look_up(fixture->dns, "several.good.test", MX);
	assert_int_equal(got.nrdata, 3);
	got = look_up(fixture->dns, "null.good.test", MX);
	assert_int_equal(got.nfirst, 3);
	assert_memory_equal(got.first, "\0\0\0", 3);
	got = look_up(fixture->dns, "dangling.good.test", A);
	assert_int_equal(got.trust, DNS_SECURE);
	assert_false(got.exists);
}

static struct dns *
new_dns(const struct dns_setup *setup)
{
	struct err err = {0};
	struct dns *dns = dns_new(setup, &err);

	if (dns == NULL)
		fail_msg("%s", err.text);
	return dns;
}

/* RFC 7672 2.1.1: without an anchor there is no security, and no failure. */
static void
no_anchor_is_insecure(void **state)
{
	struct fixture *fixture = need_lab(state);
	struct dns_setup setup = {
	    .stubs = fixture->lab.zones, .nstubs = fixture->lab.nzones};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", MX).trust, DNS_INSECURE);
	assert_int_equal(look_up(dns, "expired.test", MX).trust, DNS_INSECURE);
	dns_free(&dns);
}

static void
zones_can_be_insecure(void **state)
{
	struct fixture *fixture = need_lab(state);
	struct dns_zone expired = {.name = "expired.test", .insecure = true};
	struct dns_setup setup = {.trust_anchor = fixture->lab.anchor,
	    .stubs = fixture->lab.zones,
	    .nstubs = fixture->lab.nzones,
	    .forwards = &expired,
	    .nforwards = 1};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", MX).trust, DNS_SECURE);
	assert_int_equal(look_up(dns, "expired.test", MX).trust, DNS_INSECURE);
	assert_int_equal(look_up(dns, "wrong-ds.test", MX).trust, DNS_BOGUS);
	dns_free(&dns);
}

static void
forward_zones_work(void **state)
{
	struct fixture *fixture = need_lab(state);
	struct dns_zone root = {.name = ".", .servers = fixture->lab.servers};
	struct dns_setup setup = {.trust_anchor = fixture->lab.anchor,
	    .forwards = &root,
	    .nforwards = 1};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", MX).trust, DNS_SECURE);
	assert_int_equal(look_up(dns, "expired.test", MX).trust, DNS_BOGUS);
	dns_free(&dns);
}

/* --- without the lab: a server that never answers ------------------------- */

struct silent {
	int fd;
	char server[32];
	const char *servers[2];
	struct dns_zone root;
	struct dns_setup setup;
};

static void
silent_setup(struct silent *silent, uint32_t timeout_ms, uint32_t lookups_max)
{
	unsigned port = 0;

	*silent = (struct silent){0};
	silent->fd = dns_lab_silence(&port);
	assert_true(silent->fd >= 0);
	(void)snprintf(
	    silent->server, sizeof(silent->server), "127.0.0.1@%u", port);
	silent->servers[0] = silent->server;
	silent->root = (struct dns_zone){
	    .name = ".", .servers = silent->servers};
	silent->setup = (struct dns_setup){.stubs = &silent->root,
	    .nstubs = 1,
	    .timeout_ms = timeout_ms,
	    .lookups_max = lookups_max};
}

static void
silence_fails_in_time(void **state)
{
	struct silent silent;
	struct got got = {0};
	struct dns *dns;
	uint64_t begin;
	uint64_t took;

	(void)state;
	silent_setup(&silent, 300, 0);
	dns = new_dns(&silent.setup);
	begin = clock_mono_ms();
	(void)dns_lookup(dns, "a.example", A, on_answer, &got);
	run_until(dns, &got.calls, 1, 5000);
	took = clock_mono_ms() - begin;
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.trust, DNS_FAILED);
	assert_string_equal(got.why, "no answer within 300 ms");
	assert_in_range(took, 300, 2000);
	dns_free(&dns);
	(void)close(silent.fd);
}

static void
too_many_lookups_fail(void **state)
{
	struct silent silent;
	struct got first = {0};
	struct got second = {0};
	struct got third = {0};
	struct dns *dns;

	(void)state;
	silent_setup(&silent, 60000, 2);
	dns = new_dns(&silent.setup);
	(void)dns_lookup(dns, "a.example", A, on_answer, &first);
	(void)dns_lookup(dns, "b.example", A, on_answer, &second);
	(void)dns_lookup(dns, "c.example", A, on_answer, &third);
	assert_int_equal(third.calls, 0);
	run_until(dns, &third.calls, 1, 5000);
	assert_int_equal(third.calls, 1);
	assert_int_equal(third.trust, DNS_FAILED);
	assert_string_equal(third.why, "too many lookups under way");
	assert_int_equal(first.calls + second.calls, 0);
	dns_free(&dns);
	(void)close(silent.fd);
}

static void
bad_names_fail(void **state)
{
	static const char *const names[] = {
	    "", "a..b", ".a", "a\\", "a\\999.b", "\\25"};
	struct silent silent;
	struct dns *dns;

	(void)state;
	silent_setup(&silent, 60000, 0);
	dns = new_dns(&silent.setup);
	for (size_t i = 0; i < ROWS(names); i++) {
		struct got got = look_up(dns, names[i], A);

		assert_int_equal(got.trust, DNS_FAILED);
		assert_string_equal(got.why, "not a domain name");
	}
	dns_free(&dns);
	(void)close(silent.fd);
}

static void
nobody_hears_of_cancelled_lookups(void **state)
{
	struct silent silent;
	struct got got = {0};
	struct dns_query *asked;
	struct dns_query *refused;
	struct dns *dns;

	(void)state;
	silent_setup(&silent, 200, 0);
	dns = new_dns(&silent.setup);
	asked = dns_lookup(dns, "a.example", A, on_answer, &got);
	refused = dns_lookup(dns, "a..b", A, on_answer, &got);
	dns_cancel(&asked);
	dns_cancel(&refused);
	assert_null(asked);
	assert_null(refused);
	dns_cancel(&asked);
	run_until(dns, &got.calls, 1, 600);
	assert_int_equal(got.calls, 0);
	dns_free(&dns);
	(void)close(silent.fd);
}

/* A callback may cancel others, itself, and look up again. */
struct chain {
	struct dns *dns;
	struct dns_query *self;
	struct dns_query *other;
	unsigned calls;
};

static void
on_chain(const struct dns_answer *answer, void *arg)
{
	struct chain *chain = arg;

	assert_int_equal(answer->trust, DNS_FAILED);
	dns_cancel(&chain->self);
	dns_cancel(&chain->other);
	if (++chain->calls < 3)
		chain->self = dns_lookup(
		    chain->dns, "a..b", A, on_chain, chain);
}

static void
callbacks_may_do_anything(void **state)
{
	struct silent silent;
	struct chain chain = {0};

	(void)state;
	silent_setup(&silent, 200, 0);
	chain.dns = new_dns(&silent.setup);
	chain.self = dns_lookup(chain.dns, "a..b", A, on_chain, &chain);
	chain.other = dns_lookup(chain.dns, "c..d", A, on_chain, &chain);
	run_until(chain.dns, &chain.calls, 3, 5000);
	assert_int_equal(chain.calls, 3);
	chain.self = dns_lookup(chain.dns, "slow.example", A, on_chain, &chain);
	chain.calls = 5;
	run_until(chain.dns, &chain.calls, 6, 5000);
	assert_int_equal(chain.calls, 6);
	dns_free(&chain.dns);
	(void)close(silent.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_carry_their_trust),
	    cmocka_unit_test(records_arrive_whole),
	    cmocka_unit_test(no_anchor_is_insecure),
	    cmocka_unit_test(zones_can_be_insecure),
	    cmocka_unit_test(forward_zones_work),
	    cmocka_unit_test(silence_fails_in_time),
	    cmocka_unit_test(too_many_lookups_fail),
	    cmocka_unit_test(bad_names_fail),
	    cmocka_unit_test(nobody_hears_of_cancelled_lookups),
	    cmocka_unit_test(callbacks_may_do_anything),
	};

	return cmocka_run_group_tests(tests, start_lab, stop_lab);
}
