/* Asking the real resolver and waiting for what it says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnssec/dnssec.h"

#include "tests/support/dns_lab.h"

/* What a callback saw, copied out of the lent answer. */
struct got {
	unsigned calls;
	enum dns_trust trust;
	bool exists;
	bool nxdomain;
	bool not_asked;
	size_t nrdata;
	enum dns_ede ede;
	char canonical[256];
	char why[256];
	char first[64];
	size_t nfirst;
};

dns_done on_answer; /* arg: a struct got */

/* Run the resolver until `calls` callbacks came, at most for `ms`. */
void run_until(struct dns *dns, const unsigned *calls, unsigned wanted, int ms);

/* One lookup, waited for; the test fails when nothing comes. */
struct got look_up(struct dns *dns, const char *name, uint16_t type);

/* The test fails when it cannot be. */
struct dns *new_dns(const struct dns_setup *setup);

/* A signed tree and a resolver for it, as a fixture of cmocka. */
struct dns_tree {
	struct dns_lab lab;
	bool there;
	struct dns *dns;
};

int dns_tree_start(void **state);
int dns_tree_stop(void **state);
/* Skips the test, saying why, where there is none. */
struct dns_tree *dns_tree_need(void **state);
