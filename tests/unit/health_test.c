/*
 * The self-test of the resolver: RFC 7672 2.1.1, what cannot do DNSSEC is
 * noticed and is never "insecure".
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/health.h"

#include "tests/support/dns_ask.h"
#include "tests/support/dns_lab.h"
#include "tests/support/test.h"

static struct dns_lab lab;
static bool there;

static int
start_lab(void **state)
{
	(void)state;
	there = dns_lab_start(&lab);
	return there || lab.why[0] != '\0' ? 0 : -1;
}

static int
stop_lab(void **state)
{
	(void)state;
	dns_lab_stop(&lab);
	return 0;
}

static struct dns_setup
need_setup(void)
{
	if (!there) {
		print_message("no DNS tree: %s\n", lab.why);
		skip();
	}
	return (struct dns_setup){.trust_anchor = lab.anchor,
	    .stubs = lab.zones,
	    .nstubs = lab.nzones};
}

struct tested {
	unsigned calls;
	struct dns_health health;
};

static void
on_tested(const struct dns_health *health, void *arg)
{
	struct tested *tested = arg;

	tested->calls++;
	tested->health = *health;
}

static struct dns_health
test_with(const struct dns_setup *setup, const char *name)
{
	struct tested tested = {0};
	struct err err = {0};
	struct dns_test *test = dns_test_new(
	    setup, name, on_tested, &tested, &err);
	uint64_t end = clock_mono_ms() + 20000;
	struct pollfd one;

	if (test == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(tested.calls, 0);
	one = (struct pollfd){.fd = dns_test_fd(test), .events = POLLIN};
	while (tested.calls == 0 && clock_mono_ms() < end)
		if (poll(&one, 1, 50) > 0)
			dns_test_process(test);
	assert_int_equal(tested.calls, 1);
	dns_test_free(&test);
	assert_null(test);
	dns_test_free(&test);
	return tested.health;
}

static void
check(const struct dns_setup *setup, const char *name, enum dns_ability ability,
    const char *words)
{
	struct dns_health health = test_with(setup, name);

	if (health.ability != ability || strstr(health.why, words) == NULL ||
	    dns_health_denies(&health) != (ability == DNS_UNABLE))
		fail_msg("%s: %s, \"%s\"", name,
		    dns_ability_name(health.ability), health.why);
}

static void
a_resolver_that_validates_is_able(void **state)
{
	struct dns_setup setup = need_setup();

	(void)state;
	check(&setup, ".", DNS_ABLE, "");
	check(&setup, "good.test", DNS_ABLE, "");
}

static void
a_wrong_clock_is_noticed(void **state)
{
	struct dns_setup setup = need_setup();

	(void)state;
	check(&setup, "expired.test", DNS_UNABLE, "is the clock right?");
	check(&setup, "early.test", DNS_UNABLE, "is the clock right?");
}

static void
lost_signatures_are_noticed(void **state)
{
	struct dns_setup setup = need_setup();

	(void)state;
	check(&setup, "unsigned-lie.test", DNS_UNABLE, "does a forwarder lose");
	check(&setup, "wrong-ds.test", DNS_UNABLE, "trust anchor old?");
}

/* RFC 7672 2.1.1: "insecure" where all must be secure is no answer. */
static void
insecure_is_not_able(void **state)
{
	struct dns_setup setup = need_setup();

	(void)state;
	check(&setup, "plain.test", DNS_UNABLE, "insecure");
	setup.trust_anchor = NULL;
	check(&setup, ".", DNS_UNABLE, "insecure");
}

static void
silence_is_not_able_and_denies_nothing(void **state)
{
	struct dns_setup setup = need_setup();
	const char *servers[] = {NULL, NULL};
	struct dns_zone root = {.name = ".", .servers = servers};
	char server[32];
	unsigned port;
	int fd = dns_lab_silence(&port);

	(void)state;
	(void)snprintf(server, sizeof(server), "127.0.0.1@%u", port);
	servers[0] = server;
	setup.stubs = &root;
	setup.nstubs = 1;
	setup.timeout_ms = 300;
	check(&setup, ".", DNS_UNREACHED, "no answer within");
	(void)close(fd);
}

/* What the setup says, and what nobody has tested yet, is no alarm. */
static void
only_what_fails_alarms(void **state)
{
	(void)state;
	assert_false(dns_ability_alarms(DNS_UNTESTED));
	assert_true(dns_ability_alarms(DNS_UNABLE));
	assert_true(dns_ability_alarms(DNS_UNREACHED));
	assert_false(dns_ability_alarms(DNS_NO_ANCHOR));
	assert_false(dns_ability_alarms(DNS_ABLE));
}

static void
the_worst_is_told_of(void **state)
{
	static const enum dns_ability worst_first[] = {
	    DNS_UNABLE, DNS_UNREACHED, DNS_NO_ANCHOR, DNS_ABLE, DNS_UNTESTED};
	size_t n = sizeof(worst_first) / sizeof(worst_first[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			assert_int_equal(dns_ability_is_worse(
					     worst_first[i], worst_first[j]),
			    i < j);
}

/* Not even one lookup needs to have ended. */
static void
a_test_can_be_given_up(void **state)
{
	struct dns_setup setup = need_setup();
	struct tested tested = {0};
	struct err err = {0};
	struct dns_test *test = dns_test_new(
	    &setup, ".", on_tested, &tested, &err);

	(void)state;
	assert_non_null(test);
	dns_test_free(&test);
	assert_int_equal(tested.calls, 0);
}

static void
no_resolver_is_an_error(void **state)
{
	struct dns_setup setup = {.trust_anchor = "/nonexistent/root.key"};
	struct err err = {0};

	(void)state;
	assert_null(dns_test_new(&setup, ".", on_tested, NULL, &err));
	assert_int_equal(err.kind, ERR_PERM);
}

/* RFC 8914 4: the validator's words, each as it says them. */
static void
reasons_have_their_codes(void **state)
{
	static const struct {
		const char *words;
		enum dns_ede ede;
	} rows[] = {
	    {"validation failure <a.test. A IN>: signature expired from "
	     "1.2.3.4",
		EDE_SIGNATURE_EXPIRED},
	    {"validation failure <a.test. A IN>: signature before inception "
	     "date",
		EDE_SIGNATURE_NOT_YET_VALID},
	    {"no keys have a DS with algorithm ECDSAP256SHA256",
		EDE_DNSKEY_MISSING},
	    {"no DNSKEY rrset for trust anchor", EDE_DNSKEY_MISSING},
	    {"No DNSKEY record for key a.test.", EDE_DNSKEY_MISSING},
	    {"no signatures from 1.2.3.4", EDE_RRSIGS_MISSING},
	    {"no DNSSEC records from 1.2.3.4 for DS a.test.", EDE_NSEC_MISSING},
	    {"no NSEC3 closest encloser", EDE_NSEC_MISSING},
	    {"no DS and also no proof that there is none", EDE_NSEC_MISSING},
	    {"nodata proof failed", EDE_NSEC_MISSING},
	    {"the NSEC3 did not prove it", EDE_NSEC_MISSING},
	    {"DS NSEC failed to prove", EDE_NSEC_MISSING},
	    /* the cause, not what came of it */
	    {"no signatures, signature expired", EDE_SIGNATURE_EXPIRED},
	    {"nodata proof failed, no signatures", EDE_RRSIGS_MISSING},
	    {"signature crypto failed", EDE_BOGUS},
	    {"", EDE_BOGUS},
	    {NULL, EDE_BOGUS},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (dns_ede_of(rows[i].words) != rows[i].ede)
			fail_msg("%s: %s", rows[i].words,
			    dns_ede_name(dns_ede_of(rows[i].words)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_resolver_that_validates_is_able),
	    cmocka_unit_test(a_wrong_clock_is_noticed),
	    cmocka_unit_test(lost_signatures_are_noticed),
	    cmocka_unit_test(insecure_is_not_able),
	    cmocka_unit_test(silence_is_not_able_and_denies_nothing),
	    cmocka_unit_test(only_what_fails_alarms),
	    cmocka_unit_test(the_worst_is_told_of),
	    cmocka_unit_test(a_test_can_be_given_up),
	    cmocka_unit_test(no_resolver_is_an_error),
	    cmocka_unit_test(reasons_have_their_codes),
	};

	return cmocka_run_group_tests(tests, start_lab, stop_lab);
}
