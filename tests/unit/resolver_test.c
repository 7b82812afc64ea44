#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dnssec/rdata.h"

#include "tests/support/dns_ask.h"
#include "tests/support/test.h"

struct trust_row {
	const char *name;
	uint16_t type;
	enum dns_trust trust;
	bool exists;
	enum dns_ede ede;
};

/*
 * RFC 4035 4.3, RFC 7672 2.1.1: each state comes out as itself; a response
 * code (RFC 1035 4.1.1) that is neither yes nor no is a failure.
 */
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
	    {"good.test", RR_MX, DNS_SECURE, true, "good.test"},
	    {"GOOD.Test.", RR_MX, DNS_SECURE, true, "good.test"},
	    {"mx.good.test", RR_A, DNS_SECURE, true, "mx.good.test"},
	    {"mx.good.test", RR_AAAA, DNS_SECURE, true, "mx.good.test"},
	    {"good.test", RR_TLSA, DNS_SECURE, false, "good.test"},
	    {"none.good.test", RR_MX, DNS_SECURE, false, "none.good.test"},
	    {"alias.good.test", RR_MX, DNS_SECURE, true, "good.test"},
	    /* libunbound spells it "a?b", which is another name */
	    {"odd.good.test", RR_MX, DNS_FAILED, false, "odd.good.test"},
	    {"out.good.test", RR_MX, DNS_INSECURE, true, "plain.test"},
	    {"nsec3.test", RR_MX, DNS_SECURE, true, "nsec3.test"},
	    {"none.nsec3.test", RR_MX, DNS_SECURE, false, "none.nsec3.test"},
	    {"plain.test", RR_MX, DNS_INSECURE, true, "plain.test"},
	    {"none.plain.test", RR_MX, DNS_INSECURE, false, "none.plain.test"},
	    {"mx.plain.test", RR_TLSA, DNS_INSECURE, false, "mx.plain.test"},
	    {"spoiled.test", RR_MX, DNS_SECURE, true, "spoiled.test"},
	    {"mx.spoiled.test", RR_A, DNS_BOGUS, false, "mx.spoiled.test"},
	    {"wrong-ds.test", RR_MX, DNS_BOGUS, false, "wrong-ds.test"},
	    {"expired.test", RR_MX, DNS_BOGUS, false, "expired.test"},
	    {"none.expired.test", RR_MX, DNS_BOGUS, false, "none.expired.test"},
	    {"servfail.test", RR_MX, DNS_FAILED, false, "servfail.test"},
	    {"loop.good.test", RR_A, DNS_FAILED, false, "loop.good.test"},
	};
	struct dns_tree *tree = dns_tree_need(state);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct got got = look_up(tree->dns, rows[i].name, rows[i].type);

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

/*
 * RFC 7672 2.1.1, row by row: all that may be insecure, and all that must be
 * an error.  RFC 8914 4: what is known of why.
 */
static void
check_rows(struct dns *dns, const struct trust_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct got got = look_up(dns, rows[i].name, rows[i].type);

		if (got.trust != rows[i].trust ||
		    got.exists != rows[i].exists || got.ede != rows[i].ede)
			fail_msg("%s %u: %s, exists %d, \"%s\" (%s)",
			    rows[i].name, rows[i].type,
			    dns_trust_name(got.trust), got.exists,
			    dns_ede_name(got.ede), got.why);
	}
}

/* RFC 7672 2.1.1: whatever the reason that a zone is insecure. */
static void
insecure_is_insecure_whatever_the_reason(void **state)
{
	static const struct trust_row rows[] = {
	    {"plain.test", RR_MX, DNS_INSECURE, true, 0},
	    {"none.plain.test", RR_MX, DNS_INSECURE, false, 0},
	    /* signed, and the parent has no DS: an island, and all below */
	    {"island.test", RR_MX, DNS_INSECURE, true, 0},
	    {"below.island.test", RR_MX, DNS_INSECURE, true, 0},
	    /* RFC 4035 5.2: an algorithm nobody knows is no algorithm */
	    {"algorithm.test", RR_MX, DNS_INSECURE, true, 0},
	    {"digest.test", RR_MX, DNS_INSECURE, true, 0},
	    /* RFC 5155 9.2: what opt-out does not prove */
	    {"child.opt-out.test", RR_MX, DNS_INSECURE, true, 0},
	    {"none.opt-out.test", RR_A, DNS_INSECURE, false, 0},
	    {"x.any.opt-out.test", RR_A, DNS_INSECURE, true, 0},
	    {"_25._tcp.x.any.opt-out.test", RR_TLSA, DNS_INSECURE, false, 0},
	};

	check_rows(dns_tree_need(state)->dns, rows, ROWS(rows));
}

/* RFC 7672 2.1.1: a proof that there is nothing is an answer. */
static void
proofs_of_absence_are_secure(void **state)
{
	static const struct trust_row rows[] = {
	    {"mx.good.test", RR_TLSA, DNS_SECURE, false, 0},
	    {"none.good.test", RR_TLSA, DNS_SECURE, false, 0},
	    {"mx.nsec3.test", RR_TLSA, DNS_SECURE, false, 0},
	    {"none.nsec3.test", RR_TLSA, DNS_SECURE, false, 0},
	    {"mx.opt-out.test", RR_TLSA, DNS_SECURE, false, 0},
	    /* wildcards: there, and there without this type */
	    {"x.any.wild.test", RR_MX, DNS_SECURE, true, 0},
	    {"x.any.wild.test", RR_AAAA, DNS_SECURE, false, 0},
	    {"y.x.any.wild.test", RR_A, DNS_SECURE, true, 0},
	};

	check_rows(dns_tree_need(state)->dns, rows, ROWS(rows));
}

/*
 * RFC 7672 2.1.1: indeterminate as RFC 4035 has it, the keys or proofs cannot
 * be had, is an error like bogus.
 */
static void
what_cannot_be_proven_is_bogus(void **state)
{
	static const struct trust_row rows[] = {
	    {"expired.test", RR_MX, DNS_BOGUS, false, EDE_SIGNATURE_EXPIRED},
	    {"early.test", RR_MX, DNS_BOGUS, false,
		EDE_SIGNATURE_NOT_YET_VALID},
	    {"wrong-ds.test", RR_MX, DNS_BOGUS, false, EDE_DNSKEY_MISSING},
	    {"no-key.test", RR_MX, DNS_BOGUS, false, EDE_DNSKEY_MISSING},
	    {"unsigned-lie.test", RR_MX, DNS_BOGUS, false, EDE_RRSIGS_MISSING},
	    {"none.no-proof.test", RR_MX, DNS_BOGUS, false, EDE_NSEC_MISSING},
	    {"mx.no-proof.test", RR_TLSA, DNS_BOGUS, false, EDE_NSEC_MISSING},
	    {"no-proof.test", RR_MX, DNS_SECURE, true, 0},
	    {"mx.spoiled.test", RR_A, DNS_BOGUS, false, EDE_BOGUS},
	    {"servfail.test", RR_MX, DNS_FAILED, false, EDE_OTHER},
	    /* asked again: from the cache, and just the same */
	    {"expired.test", RR_MX, DNS_BOGUS, false, EDE_SIGNATURE_EXPIRED},
	    {"mx.spoiled.test", RR_A, DNS_BOGUS, false, EDE_BOGUS},
	};

	check_rows(dns_tree_need(state)->dns, rows, ROWS(rows));
}

static void
records_arrive_whole(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);
	struct got got = look_up(tree->dns, "mx.good.test", RR_A);

	assert_int_equal(got.nfirst, 4);
	assert_memory_equal(got.first, "\xc0\x00\x02\x01", 4);
	got = look_up(tree->dns, "several.good.test", RR_MX);
	assert_int_equal(got.nrdata, 3);
	got = look_up(tree->dns, "null.good.test", RR_MX);
	assert_int_equal(got.nfirst, 3);
	assert_memory_equal(got.first, "\0\0\0", 3);
	got = look_up(tree->dns, "dangling.good.test", RR_A);
	assert_int_equal(got.trust, DNS_SECURE);
	assert_false(got.exists);
}

/* RFC 5321 5.1: no such domain bounces; no MX is the domain itself. */
static void
missing_names_are_told_from_missing_records(void **state)
{
	static const struct {
		const char *name;
		bool nxdomain;
	} rows[] = {
	    {"none.good.test", true},
	    {"mx.good.test", false},
	    {"none.nsec3.test", true},
	    {"none.plain.test", true},
	    {"mx.plain.test", false},
	    {"none.expired.test", false}, /* bogus says nothing */
	    {"servfail.test", false},
	};
	struct dns_tree *tree = dns_tree_need(state);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct got got = look_up(tree->dns, rows[i].name, RR_MX);

		if (got.exists || got.nxdomain != rows[i].nxdomain)
			fail_msg("%s: %d", rows[i].name, got.nxdomain);
	}
}

/* Many at once, some of them cancelled, some asked twice. */
static void
lookups_run_side_by_side(void **state)
{
	static struct got gots[600];
	static struct dns_query *queries[600];
	struct dns_tree *tree = dns_tree_need(state);
	unsigned calls = 0;
	uint64_t end = clock_mono_ms() + 20000;

	memset(gots, 0, sizeof(gots));
	for (size_t i = 0; i < 600; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "n%zu.%s.test", i % 400,
		    i % 2 ? "good" : "plain");
		queries[i] = dns_lookup(
		    tree->dns, name, RR_A, on_answer, &gots[i]);
	}
	for (size_t i = 0; i < 600; i += 3)
		dns_cancel(&queries[i]);
	while (calls < 400 && clock_mono_ms() < end) {
		unsigned none = 0;

		run_until(tree->dns, &none, 1, 50);
		calls = 0;
		for (size_t i = 0; i < 600; i++)
			calls += gots[i].calls;
	}
	for (size_t i = 0; i < 600; i++) {
		assert_int_equal(gots[i].calls, i % 3 == 0 ? 0 : 1);
		if (gots[i].calls > 0)
			assert_int_equal(
			    gots[i].trust, i % 2 ? DNS_SECURE : DNS_INSECURE);
	}
}

/* The limit is of lookups under way, not of all that ever were. */
static void
answered_lookups_make_room(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);
	struct dns_setup setup = {.stubs = tree->lab.zones,
	    .nstubs = tree->lab.nzones,
	    .lookups_max = 1};
	struct dns *dns = new_dns(&setup);

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
		    look_up(dns, "good.test", RR_MX).trust, DNS_INSECURE);
	dns_free(&dns);
}

/* RFC 7672 2.1.1: without an anchor there is no security, and no failure. */
static void
no_anchor_is_insecure(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);
	struct dns_setup setup = {
	    .stubs = tree->lab.zones, .nstubs = tree->lab.nzones};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", RR_MX).trust, DNS_INSECURE);
	assert_int_equal(
	    look_up(dns, "expired.test", RR_MX).trust, DNS_INSECURE);
	dns_free(&dns);
}

static void
zones_can_be_insecure(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);
	struct dns_zone expired = {.name = "expired.test", .insecure = true};
	struct dns_setup setup = {.trust_anchor = tree->lab.anchor,
	    .stubs = tree->lab.zones,
	    .nstubs = tree->lab.nzones,
	    .forwards = &expired,
	    .nforwards = 1};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", RR_MX).trust, DNS_SECURE);
	assert_int_equal(
	    look_up(dns, "expired.test", RR_MX).trust, DNS_INSECURE);
	assert_int_equal(look_up(dns, "wrong-ds.test", RR_MX).trust, DNS_BOGUS);
	dns_free(&dns);
}

static void
forward_zones_work(void **state)
{
	struct dns_tree *tree = dns_tree_need(state);
	struct dns_zone root = {.name = ".", .servers = tree->lab.servers};
	struct dns_setup setup = {.trust_anchor = tree->lab.anchor,
	    .forwards = &root,
	    .nforwards = 1};
	struct dns *dns = new_dns(&setup);

	assert_int_equal(look_up(dns, "good.test", RR_MX).trust, DNS_SECURE);
	assert_int_equal(look_up(dns, "expired.test", RR_MX).trust, DNS_BOGUS);
	dns_free(&dns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_carry_their_trust),
	    cmocka_unit_test(insecure_is_insecure_whatever_the_reason),
	    cmocka_unit_test(proofs_of_absence_are_secure),
	    cmocka_unit_test(what_cannot_be_proven_is_bogus),
	    cmocka_unit_test(records_arrive_whole),
	    cmocka_unit_test(missing_names_are_told_from_missing_records),
	    cmocka_unit_test(lookups_run_side_by_side),
	    cmocka_unit_test(answered_lookups_make_room),
	    cmocka_unit_test(no_anchor_is_insecure),
	    cmocka_unit_test(zones_can_be_insecure),
	    cmocka_unit_test(forward_zones_work),
	};

	return cmocka_run_group_tests(tests, dns_tree_start, dns_tree_stop);
}
