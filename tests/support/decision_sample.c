/*
 * Print decision records, one a line, for tests/unit/decision_record.py: first
 * the example of docs/DECISION-RECORD.md, then what is kept of it, then a
 * sample of all there are.
 */
#include <jansson.h>
#include <stdio.h>

#include "mta/decision_json.h"

#include "tests/support/policy_rules.h"

#define STRIDE 211 /* prime, so that all values meet */

static void
print(json_t *object, size_t flags)
{
	(void)json_dumpf(object, stdout, flags);
	(void)putchar('\n');
	json_decref(object);
}

/* DANE decides, and the certificate is not what MTA-STS wants. */
static void
print_example(void)
{
	static const struct tlsa_set set = {.base = "mx1.example.org"};
	struct decision decision = {
	    .facts = {.host = "mx1.example.org",
		.next_hop = "example.org",
		.next_hop_expanded = "example.org",
		.hop = HOP_MX,
		.mx_trust = DNS_SECURE,
		.address_trust = DNS_SECURE,
		.tlsa = TLSA_USABLE,
		.set = &set,
		.sts = STS_TESTING_MATCH,
		.sender = SENDER_DEFAULT,
		.level = OPERATOR_NO_RULE},
	    .seen = {.got = TLS_GOT_ENCRYPTED,
		.dane = true,
		.host_failure = "certificate-not-trusted"},
	};
	char text[DECISION_TEXT_SIZE];

	decision.plan = policy_plan(&decision.facts);
	print(decision_json(&decision), JSON_COMPACT);
	decision_text(&decision.plan, &decision.seen, text);
	print(decision_brief_json(text), JSON_COMPACT);
}

static void
print_one(unsigned number)
{
	struct decision decision = {.facts = policy_facts_of(number)};
	unsigned shown = number / STRIDE;

	decision.plan = policy_plan(&decision.facts);
	decision.seen.got = (enum tls_got)(shown % TLS_GOT_VERIFIED);
	if (decision.seen.got == TLS_GOT_ENCRYPTED) {
		decision.seen.dane = (shown / 8) % 2 == 1;
		decision.seen.pkix = (shown / 16) % 2 == 1;
		decision.seen.host = (shown / 32) % 2 == 1;
	}
	if (!decision.seen.pkix)
		decision.seen.failure = "certificate-host-mismatch";
	if (!decision.seen.host && decision.plan.host[0] != '\0')
		decision.seen.host_failure = "certificate-expired";
	print(decision_json(&decision), JSON_COMPACT);
}

/* Of a delivery that has not come to its hosts. */
static void
print_nothing(void)
{
	struct decision decision = {.facts = {.host = NULL}};

	decision.plan = policy_plan(&decision.facts);
	print(decision_json(&decision), JSON_COMPACT);
}

int
main(void)
{
	print_example();
	print_nothing();
	for (unsigned i = 0; i < POLICY_FACTS; i += STRIDE)
		print_one(i);
	return 0;
}
