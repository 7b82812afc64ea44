/* The double keeps the promises of dnssec.h, so that its users can rely. */
#include <poll.h>
#include <string.h>

#include "base/text.h"
#include "dnssec/rdata.h"

#include "tests/support/fake_dns.h"
#include "tests/support/test.h"

static const struct fake_record zone[] = {
    {"example.org", RR_MX, DNS_SECURE, "20 mx2.example.org", NULL},
    {"example.org", RR_MX, DNS_SECURE, "10 mx.example.org", NULL},
    {"mx.example.org", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"alias.example.org", RR_A, DNS_SECURE, "192.0.2.2", "host.example.org"},
    {"bogus.example", RR_MX, DNS_BOGUS, NULL, NULL},
    {"empty.example", RR_MX, DNS_SECURE, NULL, NULL},
    {"_25._tcp.mx.example.org", RR_TLSA, DNS_SECURE, "030101FF", NULL},
};

struct got {
	unsigned calls;
	struct dns_answer answer;
	enum mx_state mx;
	char canonical[64];
	size_t nfirst;
};

static void
on_answer(const struct dns_answer *answer, void *arg)
{
	struct got *got = arg;
	struct arena *arena = arena_new(65536);
	struct mx_list list;

	got->calls++;
	got->answer = *answer;
	got->mx = mx_read(answer, 1, arena, &list);
	got->nfirst = answer->nrdata > 0 ? answer->rdata[0].n : 0;
	(void)text_copy(
	    got->canonical, sizeof(got->canonical), answer->canonical);
	arena_free(&arena);
}

static struct got
look_up(struct dns *dns, const char *name, uint16_t type)
{
	struct got got = {0};
	struct pollfd one = {.fd = dns_fd(dns), .events = POLLIN};

	(void)dns_lookup(dns, name, type, on_answer, &got);
	assert_int_equal(got.calls, 0);
	assert_int_equal(poll(&one, 1, 0), 1);
	dns_process(dns);
	assert_int_equal(got.calls, 1);
	assert_int_equal(poll(&one, 1, 0), 0);
	return got;
}

static void
the_table_answers(void **state)
{
	struct dns *dns = fake_dns_new(zone, ROWS(zone));
	struct got got;

	(void)state;
	got = look_up(dns, "Example.ORG", RR_MX);
	assert_int_equal(got.answer.trust, DNS_SECURE);
	assert_int_equal(got.answer.nrdata, 2);
	assert_int_equal(got.mx, MX_HOSTS);
	got = look_up(dns, "alias.example.org", RR_A);
	assert_string_equal(got.canonical, "host.example.org");
	got = look_up(dns, "mx.example.org", RR_AAAA);
	assert_int_equal(got.answer.trust, DNS_INSECURE);
	assert_false(got.answer.exists);
	assert_false(got.answer.nxdomain);
	got = look_up(dns, "other.example", RR_MX);
	assert_true(got.answer.nxdomain);
	assert_int_equal(got.mx, MX_NONE);
	got = look_up(dns, "bogus.example", RR_MX);
	assert_int_equal(got.answer.trust, DNS_BOGUS);
	assert_non_null(got.answer.why);
	assert_int_equal(got.mx, MX_FAILED);
	got = look_up(dns, "empty.example", RR_MX);
	assert_int_equal(got.answer.trust, DNS_SECURE);
	assert_false(got.answer.exists);
	got = look_up(dns, "_25._tcp.mx.example.org", RR_TLSA);
	assert_int_equal(got.nfirst, 4);
	fake_dns_absent(dns, DNS_FAILED);
	got = look_up(dns, "other.example", RR_MX);
	assert_int_equal(got.answer.trust, DNS_FAILED);
	assert_int_equal(fake_dns_asked(dns), 8);
	dns_free(&dns);
}

static void
questions_can_be_held_and_cancelled(void **state)
{
	struct dns *dns = fake_dns_new(zone, ROWS(zone));
	struct got held = {0};
	struct got other = {0};
	struct dns_query *query;

	(void)state;
	fake_dns_hold(dns, "example.org");
	query = dns_lookup(dns, "example.org", RR_MX, on_answer, &held);
	(void)dns_lookup(dns, "mx.example.org", RR_A, on_answer, &other);
	dns_process(dns);
	assert_int_equal(other.calls, 1);
	assert_int_equal(held.calls, 0);
	assert_int_equal(fake_dns_waiting(dns), 1);
	dns_cancel(&query);
	assert_null(query);
	dns_cancel(&query);
	fake_dns_hold(dns, NULL);
	dns_process(dns);
	assert_int_equal(held.calls, 0);
	(void)dns_lookup(dns, "example.org", RR_MX, on_answer, &held);
	dns_free(&dns);
	assert_int_equal(held.calls, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_answers),
	    cmocka_unit_test(questions_can_be_held_and_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
