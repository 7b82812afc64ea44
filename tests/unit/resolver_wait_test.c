/* Lookups that nobody answers, that are refused or cancelled. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/rdata.h"

#include "tests/support/dns_ask.h"
#include "tests/support/dns_lab.h"
#include "tests/support/test.h"

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
	(void)dns_lookup(dns, "a.example", RR_A, on_answer, &got);
	run_until(dns, &got.calls, 1, 5000);
	took = clock_mono_ms() - begin;
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.trust, DNS_FAILED);
	assert_string_equal(got.why, "no answer within 300 ms");
	assert_false(got.not_asked);
	assert_in_range(took, 300, 2000);
	dns_free(&dns);
	(void)close(silent.fd);
}

/* One after the other, and the last has what the first has left. */
static void
all_together_have_an_end(void **state)
{
	struct silent silent;
	struct got first = {0}, second = {0}, third = {0};
	struct dns *dns;
	uint64_t begin, took;

	(void)state;
	silent_setup(&silent, 300, 0);
	silent.setup.total_ms = 500;
	begin = clock_mono_ms();
	dns = new_dns(&silent.setup);
	(void)dns_lookup(dns, "a.example", RR_A, on_answer, &first);
	run_until(dns, &first.calls, 1, 5000);
	(void)dns_lookup(dns, "b.example", RR_A, on_answer, &second);
	run_until(dns, &second.calls, 1, 5000);
	(void)dns_lookup(dns, "c.example", RR_A, on_answer, &third);
	run_until(dns, &third.calls, 1, 5000);
	took = clock_mono_ms() - begin;
	assert_string_equal(first.why, "no answer within 300 ms");
	assert_string_equal(second.why, "no answer within 500 ms");
	assert_int_equal(third.trust, DNS_FAILED);
	assert_string_equal(third.why, "no answer within 500 ms");
	assert_in_range(took, 500, 2000);
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
	(void)dns_lookup(dns, "a.example", RR_A, on_answer, &first);
	(void)dns_lookup(dns, "b.example", RR_A, on_answer, &second);
	(void)dns_lookup(dns, "c.example", RR_A, on_answer, &third);
	assert_int_equal(third.calls, 0);
	run_until(dns, &third.calls, 1, 5000);
	assert_int_equal(third.calls, 1);
	assert_int_equal(third.trust, DNS_FAILED);
	assert_string_equal(third.why, "too many lookups under way");
	assert_true(third.not_asked);
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
		struct got got = look_up(dns, names[i], RR_A);

		assert_int_equal(got.trust, DNS_FAILED);
		assert_string_equal(got.why, "not a domain name");
		assert_false(got.not_asked);
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
	asked = dns_lookup(dns, "a.example", RR_A, on_answer, &got);
	refused = dns_lookup(dns, "a..b", RR_A, on_answer, &got);
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
		    chain->dns, "a..b", RR_A, on_chain, chain);
}

static void
callbacks_may_do_anything(void **state)
{
	struct silent silent;
	struct chain chain = {0};

	(void)state;
	silent_setup(&silent, 200, 0);
	chain.dns = new_dns(&silent.setup);
	chain.self = dns_lookup(chain.dns, "a..b", RR_A, on_chain, &chain);
	chain.other = dns_lookup(chain.dns, "c..d", RR_A, on_chain, &chain);
	run_until(chain.dns, &chain.calls, 3, 5000);
	assert_int_equal(chain.calls, 3);
	chain.self = dns_lookup(
	    chain.dns, "slow.example", RR_A, on_chain, &chain);
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
	    cmocka_unit_test(silence_fails_in_time),
	    cmocka_unit_test(all_together_have_an_end),
	    cmocka_unit_test(too_many_lookups_fail),
	    cmocka_unit_test(bad_names_fail),
	    cmocka_unit_test(nobody_hears_of_cancelled_lookups),
	    cmocka_unit_test(callbacks_may_do_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
