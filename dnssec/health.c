/* A lookup that must be secure, and what it means if it is not. */
#include "dnssec/health.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/rdata.h"

struct dns_test {
	struct dns *dns;
	dns_tested *done;
	void *arg;
	char name[DNS_NAME_SIZE];
};

const char *
dns_ability_name(enum dns_ability ability)
{
	switch (ability) {
	case DNS_UNTESTED:
		return "untested";
	case DNS_UNABLE:
		return "does not validate";
	case DNS_UNREACHED:
		return "does not answer";
	case DNS_NO_ANCHOR:
		return "no trust anchor";
	case DNS_ABLE:
		return "works";
	}
	return "?";
}

bool
dns_health_denies(const struct dns_health *health)
{
	return health->ability == DNS_UNABLE;
}

bool
dns_ability_alarms(enum dns_ability ability)
{
	switch (ability) {
	case DNS_UNABLE:
	case DNS_UNREACHED:
		return true;
	case DNS_UNTESTED:
	case DNS_NO_ANCHOR:
	case DNS_ABLE:
		return false;
	}
	return true;
}

bool
dns_ability_is_worse(enum dns_ability one, enum dns_ability other)
{
	return one != DNS_UNTESTED && (other == DNS_UNTESTED || one < other);
}

/* What an operator would look at first. */
static const char *
advice(enum dns_ede ede)
{
	switch (ede) {
	case EDE_SIGNATURE_EXPIRED:
	case EDE_SIGNATURE_NOT_YET_VALID:
		return "is the clock right? ";
	case EDE_RRSIGS_MISSING:
	case EDE_DNSKEY_MISSING:
	case EDE_NSEC_MISSING:
		return "does a forwarder lose DNSSEC records, or is the trust "
		       "anchor old? ";
	case EDE_OTHER:
	case EDE_BOGUS:
		break;
	}
	return "";
}

struct dns_health
dns_health_of(const struct dns_answer *answer, const char *name)
{
	struct dns_health health = {0};

	switch (answer->trust) {
	case DNS_SECURE:
		health.ability = DNS_ABLE;
		return health;
	case DNS_INSECURE:
		/* RFC 5011 5: a trust point without keys is no trust point */
		health.ability = DNS_UNABLE;
		(void)snprintf(health.why, sizeof(health.why),
		    "the answer for %.64s is insecure: no trust anchor is "
		    "left for it, or it is not signed",
		    name);
		return health;
	case DNS_BOGUS:
		health.ability = DNS_UNABLE;
		break;
	case DNS_FAILED:
		health.ability = DNS_UNREACHED;
		break;
	}
	(void)snprintf(health.why, sizeof(health.why), "%.64s: %s%.120s", name,
	    advice(answer->ede), answer->why != NULL ? answer->why : "");
	return health;
}

static void
on_answer(const struct dns_answer *answer, void *arg)
{
	struct dns_test *test = arg;
	struct dns_health health = dns_health_of(answer, test->name);

	test->done(&health, test->arg);
}

struct dns_test *
dns_test_new(const struct dns_setup *setup, const char *name, dns_tested *done,
    void *arg, struct err *err)
{
	struct dns *dns = dns_new(setup, err);
	struct dns_test *test;

	if (dns == NULL)
		return NULL;
	test = mem_new(sizeof(*test));
	test->dns = dns;
	test->done = done;
	test->arg = arg;
	(void)text_copy(test->name, sizeof(test->name), name);
	(void)dns_lookup(dns, name, RR_SOA, on_answer, test);
	return test;
}

void
dns_test_free(struct dns_test **test)
{
	struct dns_test *gone = *test;

	*test = NULL;
	if (gone == NULL)
		return;
	dns_free(&gone->dns);
	mem_free(gone);
}

int
dns_test_fd(const struct dns_test *test)
{
	return dns_fd(test->dns);
}

void
dns_test_process(struct dns_test *test)
{
	dns_process(test->dns);
}
