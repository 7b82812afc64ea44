/* From a name to addresses, over every shape that the answers can have. */
#include <stdio.h>
#include <string.h>

#include "dnssec/host.h"

#include "tests/support/fake_dns.h"
#include "tests/support/test.h"

static const struct fake_record zone[] = {
    /* no alias */
    {"secure.example", RR_A, DNS_SECURE, "192.0.2.1", NULL},
    {"secure.example", RR_A, DNS_SECURE, "192.0.2.2", NULL},
    {"secure.example", RR_AAAA, DNS_SECURE, "2001:db8::1", NULL},
    {"plain.example", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"plain.example", RR_AAAA, DNS_INSECURE, NULL, NULL},
    {"only6.example", RR_A, DNS_SECURE, NULL, NULL},
    {"only6.example", RR_AAAA, DNS_SECURE, "2001:db8::1", NULL},
    {"empty.example", RR_MX, DNS_SECURE, "10 mx.example", NULL},
    {"neither.example", RR_A, DNS_INSECURE, NULL, NULL},
    {"neither.example", RR_AAAA, DNS_SECURE, NULL, NULL},
    /* the two families disagree */
    {"a-failed.example", RR_A, DNS_FAILED, NULL, NULL},
    {"a-failed.example", RR_AAAA, DNS_SECURE, "2001:db8::1", NULL},
    {"aaaa-failed.example", RR_A, DNS_SECURE, "192.0.2.1", NULL},
    {"aaaa-failed.example", RR_AAAA, DNS_FAILED, NULL, NULL},
    {"aaaa-bogus.example", RR_A, DNS_SECURE, "192.0.2.1", NULL},
    {"aaaa-bogus.example", RR_AAAA, DNS_BOGUS, NULL, NULL},
    {"both-bad.example", RR_A, DNS_BOGUS, NULL, NULL},
    {"both-bad.example", RR_AAAA, DNS_FAILED, NULL, NULL},
    {"insecure-failed.example", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"insecure-failed.example", RR_AAAA, DNS_FAILED, NULL, NULL},
    {"a-proven.example", RR_A, DNS_SECURE, "192.0.2.1", NULL},
    {"a-proven.example", RR_AAAA, DNS_INSECURE, "2001:db8::1", NULL},
    {"aaaa-proven.example", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"aaaa-proven.example", RR_AAAA, DNS_SECURE, "2001:db8::1", NULL},
    {"none-proven.example", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"none-proven.example", RR_AAAA, DNS_SECURE, NULL, NULL},
    /* malformed */
    {"short.example", RR_A, DNS_SECURE, "#c00002", NULL},
    {"short.example", RR_AAAA, DNS_SECURE, "2001:db8::1", NULL},
    {"long.example", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"long.example", RR_AAAA, DNS_INSECURE,
	"#20010db800000000000000000000000101", NULL},
    /* an alias, secure all the way */
    {"alias.example", RR_A, DNS_SECURE, "192.0.2.1", "end.example"},
    {"alias.example", RR_AAAA, DNS_SECURE, "2001:db8::1", "end.example"},
    {"half.example", RR_A, DNS_SECURE, "192.0.2.1", "end.example"},
    {"half.example", RR_AAAA, DNS_SECURE, NULL, "end.example"},
    {"dangling.example", RR_A, DNS_SECURE, NULL, "end.example"},
    {"dangling.example", RR_AAAA, DNS_SECURE, NULL, "end.example"},
    /* two ends */
    {"forked.example", RR_A, DNS_SECURE, "192.0.2.1", "four.example"},
    {"forked.example", RR_AAAA, DNS_SECURE, "2001:db8::1", "six.example"},
    {"fork6.example", RR_A, DNS_INSECURE, "192.0.2.1", "four.example"},
    {"fork6.example", RR_AAAA, DNS_SECURE, "2001:db8::1", "six.example"},
    {"one-alias.example", RR_A, DNS_SECURE, "192.0.2.1", NULL},
    {"one-alias.example", RR_AAAA, DNS_SECURE, "2001:db8::1", "six.example"},
    {"void4.example", RR_A, DNS_SECURE, NULL, "four.example"},
    {"void4.example", RR_AAAA, DNS_SECURE, "2001:db8::1", "six.example"},
    {"void6.example", RR_A, DNS_SECURE, "192.0.2.1", "four.example"},
    {"void6.example", RR_AAAA, DNS_SECURE, "!", "six.example"},
    {"half-gone.example", RR_A, DNS_SECURE, NULL, "four.example"},
    {"half-gone.example", RR_AAAA, DNS_SECURE, "!", "six.example"},
    {"gone.example", RR_A, DNS_SECURE, "!", "end.example"},
    {"gone.example", RR_AAAA, DNS_SECURE, "!", "end.example"},
    /* an alias to an insecure end: the first link decides */
    {"link-secure.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-secure.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-secure.example", RR_CNAME, DNS_SECURE, "hop.test", NULL},
    {"link-insecure.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-insecure.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-insecure.example", RR_CNAME, DNS_INSECURE, "hop.test", NULL},
    {"link-bogus.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-bogus.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-bogus.example", RR_CNAME, DNS_BOGUS, NULL, NULL},
    {"link-failed.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-failed.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-failed.example", RR_CNAME, DNS_FAILED, NULL, NULL},
    {"link-gone.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-gone.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-gone.example", RR_CNAME, DNS_SECURE, NULL, NULL},
    {"link-void.example", RR_A, DNS_INSECURE, NULL, "end.test"},
    {"link-void.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-void.example", RR_CNAME, DNS_FAILED, NULL, NULL},
    {"link-untried.example", RR_A, DNS_INSECURE, "192.0.2.1", "end.test"},
    {"link-untried.example", RR_AAAA, DNS_INSECURE, NULL, "end.test"},
    {"link-untried.example", RR_CNAME, DNS_FAILED, "?", NULL},
    /* an alias made of a DNAME, as libunbound shows it */
    {"a.b.dname.example", RR_A, DNS_INSECURE, "192.0.2.1", "a.b.test"},
    {"a.b.dname.example", RR_AAAA, DNS_INSECURE, NULL, "a.b.test"},
    {"a.b.dname.example", RR_CNAME, DNS_BOGUS, NULL, NULL},
    {"b.dname.example", RR_DNAME, DNS_INSECURE, "c.test", "b.test"},
    {"dname.example", RR_DNAME, DNS_SECURE, "test", NULL},
    {"a.dname-bad.example", RR_A, DNS_INSECURE, "192.0.2.1", "a.test"},
    {"a.dname-bad.example", RR_AAAA, DNS_INSECURE, NULL, "a.test"},
    {"a.dname-bad.example", RR_CNAME, DNS_BOGUS, NULL, NULL},
    {"dname-bad.example", RR_DNAME, DNS_FAILED, NULL, NULL},
    {"a.dname-untried.example", RR_A, DNS_INSECURE, "192.0.2.1", "a.test"},
    {"a.dname-untried.example", RR_AAAA, DNS_INSECURE, NULL, "a.test"},
    {"a.dname-untried.example", RR_CNAME, DNS_BOGUS, NULL, NULL},
    {"dname-untried.example", RR_DNAME, DNS_FAILED, "?", NULL},
    {"1.2.3.4.5.6.7.8.9.deep.example", RR_A, DNS_INSECURE, "192.0.2.1",
	"a.test"},
    {"1.2.3.4.5.6.7.8.9.deep.example", RR_AAAA, DNS_INSECURE, NULL, "a.test"},
    {"1.2.3.4.5.6.7.8.9.deep.example", RR_CNAME, DNS_BOGUS, NULL, NULL},
    {"deep.example", RR_DNAME, DNS_SECURE, "test", NULL},
    {"end-bogus.example", RR_A, DNS_BOGUS, NULL, NULL},
    {"end-bogus.example", RR_AAAA, DNS_BOGUS, NULL, NULL},
    {"end-bogus.example", RR_CNAME, DNS_SECURE, "hop.test", NULL},
};

struct got {
	unsigned calls;
	struct host_dns host;
	struct host_find **cancel;
};

static void
on_host(const struct host_dns *host, void *arg)
{
	struct got *got = arg;

	got->calls++;
	got->host = *host;
	if (got->cancel != NULL)
		host_find_cancel(got->cancel);
}

static struct got
find(struct dns *dns, const char *name)
{
	struct got got = {0};

	(void)host_find(dns, name, on_host, &got);
	assert_int_equal(got.calls, 0);
	for (unsigned i = 0; i < 20 && got.calls == 0; i++)
		dns_process(dns);
	assert_int_equal(got.calls, 1);
	assert_int_equal(fake_dns_waiting(dns), 0);
	return got;
}

/* The bases as one text: "!" for a host that must not be used. */
static void
bases_text(const struct host_dns *host, char to[256])
{
	const char *bases[2];
	size_t n = 9;

	to[0] = '\0';
	if (!host_tlsa_bases(host, bases, &n)) {
		assert_int_equal(n, 9);
		(void)snprintf(to, 256, "!");
		return;
	}
	assert_true(n <= 2);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(to + strlen(to), 256 - strlen(to), "%s%s",
		    i > 0 ? " " : "", bases[i]);
}

static void
addresses_text(const struct host_dns *host, char to[256])
{
	char one[INET6_ADDRSTRLEN];

	to[0] = '\0';
	for (size_t i = 0; i < host->naddresses; i++) {
		host_address_text(&host->addresses[i], one);
		(void)snprintf(to + strlen(to), 256 - strlen(to), "%s%s",
		    i > 0 ? " " : "", one);
	}
}

#define ALL4 "192.0.2.1"
#define ALL6 "2001:db8::1"

/*
 * RFC 7672 2.2.2, RFC 7672 2.2.3: which names may have the TLSA records; RFC 7672
 * 2.1.3: a separate question for the first alias, and only then ("asked").
 */
static const struct {
	const char *name;
	enum dns_trust trust;
	const char *bases;
	const char *addresses;
	unsigned asked;
	const char *why;
} rows[] = {
    {"secure.example", DNS_SECURE, "secure.example",
	ALL6 " 192.0.2.1 192.0.2.2", 2, ""},
    {"SECURE.Example.", DNS_SECURE, "secure.example",
	ALL6 " 192.0.2.1 192.0.2.2", 2, ""},
    {"plain.example", DNS_INSECURE, "", ALL4, 2, ""},
    {"only6.example", DNS_SECURE, "only6.example", ALL6, 2, ""},
    {"empty.example", DNS_SECURE, "", "", 2, ""},
    {"nothing.example", DNS_SECURE, "", "", 2, ""},
    {"neither.example", DNS_INSECURE, "", "", 2, ""},
    {"a-failed.example", DNS_FAILED, "!", "", 2, "A: SERVFAIL"},
    {"aaaa-failed.example", DNS_FAILED, "!", "", 2, "AAAA: SERVFAIL"},
    {"aaaa-bogus.example", DNS_BOGUS, "!", "", 2, "AAAA: validation failed"},
    {"both-bad.example", DNS_FAILED, "!", "", 2, "AAAA: SERVFAIL"},
    {"insecure-failed.example", DNS_FAILED, "!", "", 2, "AAAA: SERVFAIL"},
    {"a-proven.example", DNS_SECURE, "a-proven.example", ALL4, 2, ""},
    {"aaaa-proven.example", DNS_SECURE, "aaaa-proven.example", ALL6, 2, ""},
    {"none-proven.example", DNS_INSECURE, "", ALL4, 2, ""},
    {"short.example", DNS_FAILED, "!", "", 2, "A: a record of a wrong length"},
    {"long.example", DNS_FAILED, "!", "", 2,
	"AAAA: a record of a wrong length"},
    {"alias.example", DNS_SECURE, "end.example alias.example", ALL6 " " ALL4, 2,
	""},
    {"half.example", DNS_SECURE, "end.example half.example", ALL4, 2, ""},
    {"dangling.example", DNS_SECURE, "", "", 2, ""},
    {"forked.example", DNS_SECURE, "four.example forked.example", ALL4, 2, ""},
    {"fork6.example", DNS_SECURE, "six.example fork6.example", ALL6, 2, ""},
    {"one-alias.example", DNS_SECURE, "one-alias.example", ALL4, 2, ""},
    {"void4.example", DNS_SECURE, "six.example void4.example", ALL6, 2, ""},
    {"void6.example", DNS_SECURE, "four.example void6.example", ALL4, 2, ""},
    {"half-gone.example", DNS_SECURE, "", "", 2, ""},
    {"link-secure.example", DNS_INSECURE, "link-secure.example", ALL4, 3, ""},
    {"link-insecure.example", DNS_INSECURE, "", ALL4, 3, ""},
    {"a.b.dname.example", DNS_INSECURE, "a.b.dname.example", ALL4, 5, ""},
    {"a.dname-bad.example", DNS_INSECURE, "!", ALL4, 4,
	"CNAME: validation failed"},
    {"1.2.3.4.5.6.7.8.9.deep.example", DNS_INSECURE, "!", ALL4, 11,
	"CNAME: validation failed"},
    {"link-bogus.example", DNS_INSECURE, "!", ALL4, 4,
	"CNAME: validation failed"},
    {"link-failed.example", DNS_INSECURE, "!", ALL4, 3, "CNAME: SERVFAIL"},
    {"link-untried.example", DNS_INSECURE, "!", ALL4, 3, "CNAME: too many"},
    {"link-gone.example", DNS_INSECURE, "link-gone.example", ALL4, 3, ""},
    {"link-void.example", DNS_INSECURE, "", "", 2, ""},
    {"end-bogus.example", DNS_BOGUS, "!", "", 2, "A: validation failed"},
    {"no..name", DNS_FAILED, "!", "", 2, "A: SERVFAIL"},
};

static void
every_shape_has_its_bases(void **state)
{
	struct dns *dns = fake_dns_new(zone, ROWS(zone));

	(void)state;
	fake_dns_absent(dns, DNS_SECURE);
	for (size_t i = 0; i < ROWS(rows); i++) {
		char addresses[256];
		char bases[256];
		size_t before = fake_dns_asked(dns);
		struct got got;

		if (strcmp(rows[i].name, "no..name") == 0)
			fake_dns_absent(dns, DNS_FAILED);
		got = find(dns, rows[i].name);
		bases_text(&got.host, bases);
		addresses_text(&got.host, addresses);
		if (got.host.trust != rows[i].trust ||
		    strcmp(bases, rows[i].bases) != 0 ||
		    strcmp(addresses, rows[i].addresses) != 0 ||
		    fake_dns_asked(dns) - before != rows[i].asked ||
		    strcmp(got.host.why, rows[i].why) != 0)
			fail_msg("%s: %s, bases \"%s\", addresses \"%s\", "
				 "%zu asked, why \"%s\"",
			    rows[i].name, dns_trust_name(got.host.trust), bases,
			    addresses, fake_dns_asked(dns) - before,
			    got.host.why);
	}
	dns_free(&dns);
}

static void
a_missing_name_is_told_from_a_missing_address(void **state)
{
	struct dns *dns = fake_dns_new(zone, ROWS(zone));

	(void)state;
	assert_true(find(dns, "nothing.example").host.nxdomain);
	assert_false(find(dns, "empty.example").host.nxdomain);
	assert_false(find(dns, "secure.example").host.nxdomain);
	/* Said of one family alone it is not said of the host. */
	assert_false(find(dns, "void6.example").host.nxdomain);
	assert_false(find(dns, "half-gone.example").host.nxdomain);
	assert_true(find(dns, "gone.example").host.nxdomain);
	dns_free(&dns);
}

/* What nobody was asked says nothing of the host, and nothing good. */
static void
what_was_not_asked_is_said(void **state)
{
	static const struct {
		const char *name;
		bool not_asked;
	} names[] = {
	    {"secure.example", false},
	    {"link-failed.example", false},
	    {"link-untried.example", true},
	    {"a.dname-bad.example", false},
	    {"a.dname-untried.example", true},
	};
	struct dns *dns = fake_dns_new(zone, ROWS(zone));

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++)
		if (find(dns, names[i].name).host.not_asked !=
		    names[i].not_asked)
			fail_msg("%s", names[i].name);
	dns_free(&dns);
}

/* RFC 6698 8.2: nothing outlives the shortest-lived answer on the way. */
static void
the_shortest_time_is_the_hosts(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint32_t ttl;
		uint32_t wanted;
	} times[] = {
	    {"secure.example", RR_A, 7, 7},
	    {"secure.example", RR_AAAA, 7, 7},
	    {"secure.example", RR_A, 700, 60},
	    {"secure.example", RR_A, 0, 0},
	    {"plain.example", RR_AAAA, 0, 60}, /* a proof without a time */
	    {"plain.example", RR_AAAA, 7, 7},
	    {"link-secure.example", RR_CNAME, 7, 7},
	    {"a.b.dname.example", RR_DNAME, 7, 7},
	};
	struct dns *dns = fake_dns_new(zone, ROWS(zone));

	(void)state;
	for (size_t i = 0; i < ROWS(times); i++) {
		uint32_t ttl;

		fake_dns_ttl(dns, times[i].type, times[i].ttl);
		ttl = find(dns, times[i].name).host.ttl;
		if (ttl != times[i].wanted)
			fail_msg(
			    "%s %u: %u", times[i].name, times[i].type, ttl);
	}
	dns_free(&dns);
}

/* A name with more addresses than we will ever try. */
static void
too_many_addresses_are_left_out(void **state)
{
	static char texts[40][16];
	static struct fake_record many[40];
	struct dns *dns;
	struct got got;

	(void)state;
	for (size_t i = 0; i < ROWS(many); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "192.0.2.%zu", i);
		many[i] = (struct fake_record){
		    "many.example", RR_A, DNS_SECURE, texts[i], NULL};
	}
	dns = fake_dns_new(many, ROWS(many));
	got = find(dns, "many.example");
	assert_int_equal(got.host.naddresses, HOST_ADDRESSES_MAX);
	dns_free(&dns);
}

/* The zero value, and each status alone, demand what they should. */
static void
bases_of_unfinished_hosts_are_refused(void **state)
{
	const char *bases[2];
	size_t n = 9;
	struct host_dns host = {0};

	(void)state;
	assert_false(host_tlsa_bases(&host, bases, &n));
	host.naddresses = 1;
	assert_false(host_tlsa_bases(&host, bases, &n));
	host.trust = DNS_INSECURE;
	host.alias = true;
	assert_false(host_tlsa_bases(&host, bases, &n));
	assert_int_equal(n, 9);
}

/* Before any answer, after each of them, and from the callback itself. */
static void
it_can_be_cancelled_at_every_moment(void **state)
{
	static const char *const held[] = {"", "link-secure.example"};
	struct dns *dns = fake_dns_new(zone, ROWS(zone));

	(void)state;
	for (unsigned rounds = 0; rounds < 3; rounds++)
		for (size_t i = 0; i < ROWS(held); i++) {
			struct got got = {0};
			struct host_find *one = host_find(
			    dns, "link-secure.example", on_host, &got);

			fake_dns_hold(dns, held[i]);
			for (unsigned j = 0; j < rounds && got.calls == 0; j++)
				dns_process(dns);
			if (got.calls == 0)
				host_find_cancel(&one);
			fake_dns_hold(dns, NULL);
			assert_int_equal(fake_dns_waiting(dns), 0);
			dns_process(dns);
			assert_int_equal(got.calls, rounds == 2 && i == 0);
		}
	dns_free(&dns);
}

static void
it_can_be_cancelled_between_its_two_answers(void **state)
{
	struct dns *dns = fake_dns_new(zone, ROWS(zone));
	struct got first = {0};
	struct got second = {0};
	struct host_find *one = host_find(
	    dns, "plain.example", on_host, &first);
	struct host_find *two;
	struct host_find *none = NULL;

	(void)state;
	first.cancel = &one;
	two = host_find(dns, "secure.example", on_host, &second);
	dns_process(dns);
	assert_int_equal(first.calls, 1);
	assert_null(one);
	assert_int_equal(second.calls, 1);
	(void)two;
	host_find_cancel(&none);
	dns_free(&dns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_shape_has_its_bases),
	    cmocka_unit_test(a_missing_name_is_told_from_a_missing_address),
	    cmocka_unit_test(what_was_not_asked_is_said),
	    cmocka_unit_test(the_shortest_time_is_the_hosts),
	    cmocka_unit_test(too_many_addresses_are_left_out),
	    cmocka_unit_test(bases_of_unfinished_hosts_are_refused),
	    cmocka_unit_test(it_can_be_cancelled_at_every_moment),
	    cmocka_unit_test(it_can_be_cancelled_between_its_two_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
