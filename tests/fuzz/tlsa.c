/* Records: a length of 16 bits and that many octets, as one secure answer. */
#include "tlsa/tlsa.h"

#include <assert.h>
#include <string.h>

#include "tests/fuzz/records.h"

#define RECORDS_MAX 80
#define ARENA_MAX   20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
outranks(const struct tlsa_record *a, const struct tlsa_record *b)
{
	return a->use == TLSA_IN_USE && a->usage == b->usage &&
	       a->selector == b->selector && a->matching > b->matching;
}

static void
check_record(const struct tlsa_set *set, const struct tlsa_record *record)
{
	bool outranked = false;

	for (size_t i = 0; i < set->n; i++)
		outranked |= outranks(&set->records[i], record);
	if (record->use == TLSA_OUTRANKED)
		assert(outranked && record->matching == TLSA_SHA256);
	if (record->use != TLSA_IN_USE)
		return;
	assert(record->usage == TLSA_DANE_TA || record->usage == TLSA_DANE_EE);
	assert(record->selector <= TLSA_SPKI);
	assert(record->matching != TLSA_SHA256 ||
	       (record->data.n == 32 && !outranked));
	assert(record->matching != TLSA_SHA512 || record->data.n == 64);
	assert(record->matching <= TLSA_SHA512 && record->data.n > 0);
}

static void
check(const struct dns_answer *answer)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct tlsa_set set;
	enum tlsa_state state = tlsa_read(answer, "mx.example", arena, &set);
	size_t used = 0;

	for (size_t i = 0; i < set.n; i++) {
		check_record(&set, &set.records[i]);
		used += set.records[i].use == TLSA_IN_USE;
	}
	assert(used == set.nused);
	assert((state == TLSA_USABLE) == (used > 0));
	assert((state == TLSA_UNUSABLE) == (used == 0 && set.n > 0));
	assert(state != TLSA_NOT_EVALUATED);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span records[RECORDS_MAX];
	struct dns_answer answer = {.trust = DNS_SECURE, .rdata = records};

	answer.nrdata = take_records(data, size, records, RECORDS_MAX);
	answer.exists = answer.nrdata > 0;
	check(&answer);
	return 0;
}
