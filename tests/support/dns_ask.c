#include "tests/support/dns_ask.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "tests/support/test.h"

void
on_answer(const struct dns_answer *answer, void *arg)
{
	struct got *got = arg;

	got->calls++;
	got->trust = answer->trust;
	got->exists = answer->exists;
	got->nxdomain = answer->nxdomain;
	got->not_asked = answer->not_asked;
	got->nrdata = answer->nrdata;
	got->ede = answer->ede;
	(void)snprintf(
	    got->canonical, sizeof(got->canonical), "%s", answer->canonical);
	(void)snprintf(got->why, sizeof(got->why), "%s",
	    answer->why != NULL ? answer->why : "");
	if (answer->nrdata > 0 && answer->rdata[0].n <= sizeof(got->first)) {
		got->nfirst = answer->rdata[0].n;
		memcpy(got->first, answer->rdata[0].p, got->nfirst);
	}
}

void
run_until(struct dns *dns, const unsigned *calls, unsigned wanted, int ms)
{
	uint64_t end = clock_mono_ms() + (uint64_t)ms;
	struct pollfd one = {.fd = dns_fd(dns), .events = POLLIN};

	while (*calls < wanted && clock_mono_ms() < end)
		if (poll(&one, 1, 50) > 0)
			dns_process(dns);
}

struct got
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

struct dns *
new_dns(const struct dns_setup *setup)
{
	struct err err = {0};
	struct dns *dns = dns_new(setup, &err);

	if (dns == NULL)
		fail_msg("%s", err.text);
	return dns;
}

int
dns_tree_start(void **state)
{
	static struct dns_tree tree;
	struct dns_setup setup = {.trust_anchor = tree.lab.anchor};
	struct err err;

	*state = &tree;
	tree.there = dns_lab_start(&tree.lab);
	if (!tree.there)
		return tree.lab.why[0] != '\0' ? 0 : -1;
	setup.stubs = tree.lab.zones;
	setup.nstubs = tree.lab.nzones;
	tree.dns = dns_new(&setup, &err);
	if (tree.dns == NULL)
		print_error("%s\n", err.text);
	return tree.dns == NULL ? -1 : 0;
}

int
dns_tree_stop(void **state)
{
	struct dns_tree *tree = *state;

	dns_free(&tree->dns);
	dns_lab_stop(&tree->lab);
	return 0;
}

struct dns_tree *
dns_tree_need(void **state)
{
	struct dns_tree *tree = *state;

	if (!tree->there) {
		print_message("no DNS tree: %s\n", tree->lab.why);
		skip();
	}
	return tree;
}
