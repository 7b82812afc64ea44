/*
 * Can this resolver do DNSSEC at all?
 *
 * A test asks for a record that must be secure, with a resolver of its own
 * and so with an empty cache: what was validated yesterday says nothing about
 * a forwarder of today.  What it finds are a forwarder that loses signatures,
 * a root key we do not know, a clock that is wrong.
 *
 * A lookup that fails is a failure by itself, whatever the test says.  The
 * test is for what would not fail: with it, "insecure" is never the
 * consequence of a resolver that cannot tell.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "dnssec/dnssec.h"

/* Once tested, the smaller is the worse. */
enum dns_ability {
	DNS_UNTESTED = 0, /* no test, or the first one has not ended */
	DNS_UNABLE,       /* there is an answer, and it is not secure */
	DNS_UNREACHED,    /* there is no answer */
	DNS_NO_ANCHOR,    /* nothing is validated, as the setup says */
	DNS_ABLE,
};

struct dns_health {
	enum dns_ability ability;
	char why[224]; /* one printable line, or "" */
};

/* "works", "does not validate", ... */
const char *dns_ability_name(enum dns_ability ability);

/*
 * Must every answer about TLSA be taken for a failed one?  RFC 7672 2.1.1:
 * what cannot be told apart from an attack is an error, not "insecure".
 */
bool dns_health_denies(const struct dns_health *health);

/*
 * Must an operator look at it?  Not where there is no trust anchor: that is
 * what the setup says; and not before the first test has ended.
 */
bool dns_ability_alarms(enum dns_ability ability);
/* Of several resolvers, is `one` the one to be told of?  Not untested. */
bool dns_ability_is_worse(enum dns_ability one, enum dns_ability other);

/* What an answer for `name` says.  Pure. */
struct dns_health dns_health_of(
    const struct dns_answer *answer, const char *name);

struct dns_test;
typedef void dns_tested(const struct dns_health *health, void *arg);

/*
 * Look up the SOA record of `name`.  The setup is copied as dns_new() does.
 * NULL with *err when there can be no resolver.
 */
struct dns_test *dns_test_new(const struct dns_setup *setup, const char *name,
    dns_tested *done, void *arg, struct err *err);
/* Not from its callback. */
void dns_test_free(struct dns_test **test);
/* To be watched; see dns_fd(). */
int dns_test_fd(const struct dns_test *test);
void dns_test_process(struct dns_test *test);
