/* Any facts and any outcome: the rules, a key that fits, and words. */
#include <assert.h>
#include <string.h>

#include "policy/decision.h"
#include "policy/key.h"

#include "tests/support/policy_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS 6

static struct policy_facts
facts_of(const uint8_t *b, const struct tlsa_set *set)
{
	struct policy_facts facts = {
	    .hop = (enum hop_source)(b[0] % 4),
	    .mx_trust = (enum dns_trust)(b[1] % 4),
	    .address_trust = (enum dns_trust)(b[2] % 4),
	    .tlsa = (enum tlsa_state)(b[3] % 5),
	    .set = (b[3] & 128) != 0 ? NULL : set,
	    .sts = (enum sts_state)(b[4] % 8),
	    .sender = (enum sender_wish)(b[5] % 6),
	    .level = (enum operator_level)(b[6] % 8),
	    .enforcement = (enum enforcement)(b[7] % 2),
	};

	return facts;
}

static void
check(const struct policy_facts *facts, const struct tls_plan *plan, uint8_t b)
{
	struct tls_seen seen = {
	    .got = (enum tls_got)(b % 6),
	    .dane = (b & 64) != 0,
	    .pkix = (b & 128) != 0,
	    .host = (b & 32) != 0,
	};
	struct rule_link link = {
	    seen.got >= TLS_GOT_ENCRYPTED, seen.dane, seen.pkix, seen.host};
	char text[DECISION_TEXT_SIZE];

	decision_text(plan, &seen, text);
	assert(strlen(text) < sizeof(text) - 1);
	if (policy_judge(plan, &seen) != VERDICT_NEXT_HOST)
		assert(policy_forbids(facts, &link) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXTS][256] = {{0}};
	struct tlsa_set set = {.base = text[0]};
	const char *match[2] = {text[4], text[5]};
	struct policy_facts facts;
	struct tls_plan plan;
	struct buf key;

	if (size < 9)
		return 0;
	for (size_t i = 0; i < TEXTS && 9 + i * 40 < size; i++) {
		size_t n = size - 9 - i * 40;

		memcpy(text[i], data + 9 + i * 40, n < 255 ? n : 255);
	}
	facts = facts_of(data, &set);
	facts.host = (data[0] & 128) != 0 ? NULL : text[1];
	facts.next_hop = text[2];
	facts.next_hop_expanded = (data[1] & 128) != 0 ? NULL : text[3];
	facts.match = match;
	facts.nmatch = data[2] >> 6 > 2 ? 2 : data[2] >> 6;
	plan = policy_plan(&facts);
	check(&facts, &plan, data[8]);
	buf_init(&key, 512);
	if (policy_key(&plan, &key) == 0)
		assert(key.n > 0 && key.n <= 512);
	buf_free(&key);
	return 0;
}
