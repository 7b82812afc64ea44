/* A TLSA answer to a set of records, each with what becomes of it. */
#include "tlsa/tlsa.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dnssec/name.h"
#include "tlsa/object.h"

#define HEAD_SIZE 3 /* usage, selector, matching type */

/* RFC 6698 2.1.3; a digest of more `strength` outranks one of less. */
static const struct digest {
	uint8_t matching;
	size_t size;
	unsigned strength;
} digests[] = {
    {TLSA_SHA256, 32, 1},
    {TLSA_SHA512, 64, 2},
};

/* NULL: a full object, or one we do not know. */
static const struct digest *
find_digest(uint8_t matching)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (digests[i].matching == matching)
			return &digests[i];
	return NULL;
}

enum tlsa_use
tlsa_usability(
    uint8_t usage, uint8_t selector, uint8_t matching, struct span data)
{
	const struct digest *digest = find_digest(matching);

	/*
	 * RFC 7672 3.1.3: PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP.
	 * RFC 6698 4.1: so is whatever we do not know.
	 */
	if ((usage != TLSA_DANE_TA && usage != TLSA_DANE_EE) ||
	    (selector != TLSA_CERT && selector != TLSA_SPKI))
		return TLSA_UNSUPPORTED;
	if (matching == TLSA_FULL)
		return tlsa_object_parses(selector, data) ? TLSA_IN_USE
		                                          : TLSA_MALFORMED;
	if (digest == NULL)
		return TLSA_UNSUPPORTED;
	/* RFC 6698 4.1: malformed association data makes a record unusable */
	return data.n == digest->size ? TLSA_IN_USE : TLSA_MALFORMED;
}

/* False: over the arena's limit. */
static bool
read_record(
    struct span rdata, struct arena *arena, struct tlsa_record *ret_record)
{
	struct span data = span_from(rdata, HEAD_SIZE);

	ret_record->usage = (uint8_t)rdata.p[0];
	ret_record->selector = (uint8_t)rdata.p[1];
	ret_record->matching = (uint8_t)rdata.p[2];
	ret_record->use = tlsa_usability(ret_record->usage,
	    ret_record->selector, ret_record->matching, data);
	ret_record->data = arena_span(arena, data);
	return ret_record->data.p != NULL;
}

/* Both are in use. */
static bool
outranks(const struct tlsa_record *one, const struct tlsa_record *other)
{
	const struct digest *strong = find_digest(one->matching);
	const struct digest *weak = find_digest(other->matching);

	return one->usage == other->usage && one->selector == other->selector &&
	       strong != NULL && weak != NULL &&
	       strong->strength > weak->strength;
}

/*
 * RFC 7671 9: of each usage and selector, the full objects and the strongest
 * digest stay; what is malformed or unsupported has been dropped before.  The
 * strongest one is always still in use, so one look at each pair is enough.
 */
static void
apply_agility(struct tlsa_record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (records[i].use == TLSA_IN_USE &&
			    records[j].use == TLSA_IN_USE &&
			    outranks(&records[j], &records[i]))
				records[i].use = TLSA_OUTRANKED;
}

static int
compare_records(const void *a, const void *b)
{
	const struct tlsa_record *one = *(const struct tlsa_record *const *)a;
	const struct tlsa_record *two = *(const struct tlsa_record *const *)b;

	if (one->usage != two->usage)
		return one->usage < two->usage ? -1 : 1;
	if (one->selector != two->selector)
		return one->selector < two->selector ? -1 : 1;
	if (one->matching != two->matching)
		return one->matching < two->matching ? -1 : 1;
	if (one->data.n != two->data.n)
		return one->data.n < two->data.n ? -1 : 1;
	return one->data.n == 0 ? 0
	                        : memcmp(one->data.p, two->data.p, one->data.n);
}

/* What stands before the data: no two lists have the same bytes. */
static bool
hash_record(EVP_MD_CTX *hash, const struct tlsa_record *record)
{
	uint32_t n = (uint32_t)record->data.n; /* fits: an rdata */
	const uint8_t head[] = {record->usage, record->selector,
	    record->matching, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n};

	return EVP_DigestUpdate(hash, head, sizeof(head)) == 1 &&
	       EVP_DigestUpdate(hash, record->data.p, record->data.n) == 1;
}

static bool
hash_set(struct tlsa_set *set)
{
	const struct tlsa_record *used[TLSA_RECORDS_MAX];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	size_t n = 0;
	bool ok;

	for (size_t i = 0; i < set->n; i++)
		if (set->records[i].use == TLSA_IN_USE)
			used[n++] = &set->records[i];
	qsort(used, n, sizeof(used[0]), compare_records);
	ok = hash != NULL && EVP_DigestInit(hash, EVP_sha256()) == 1 &&
	     EVP_DigestUpdate(hash, set->base, strlen(set->base) + 1) == 1;
	for (size_t i = 0; ok && i < n; i++)
		if (i == 0 || compare_records(&used[i - 1], &used[i]) != 0)
			ok = hash_record(hash, used[i]);
	ok = ok && EVP_DigestFinal_ex(hash, set->digest, NULL) == 1;
	EVP_MD_CTX_free(hash);
	return ok;
}

static bool
read_records(
    const struct dns_answer *answer, struct arena *arena, struct tlsa_set *set)
{
	struct tlsa_record *records = arena_alloc(
	    arena, (answer->nrdata + 1) * sizeof(*records));

	if (records == NULL)
		return false;
	for (size_t i = 0; i < answer->nrdata; i++)
		if (!read_record(answer->rdata[i], arena, &records[i]))
			return false;
	apply_agility(records, answer->nrdata);
	set->records = records;
	set->n = answer->nrdata;
	for (size_t i = 0; i < set->n; i++)
		set->nused += records[i].use == TLSA_IN_USE;
	return true;
}

/*
 * RFC 7672 2.1.1: a malformed reply is a lookup error.  RFC 6698 2.1: a
 * record has three octets and data behind them; with less it is no TLSA
 * record.  What is wrong behind the three is the record's affair (6698 4.1).
 */
static bool
is_wellformed(const struct dns_answer *answer)
{
	if (answer->exists != (answer->nrdata > 0) ||
	    answer->nrdata > TLSA_RECORDS_MAX)
		return false;
	for (size_t i = 0; i < answer->nrdata; i++)
		if (answer->rdata[i].n < HEAD_SIZE ||
		    answer->rdata[i].n > UINT16_MAX)
			return false;
	return true;
}

enum tlsa_state
tlsa_read(const struct dns_answer *answer, const char *base,
    struct arena *arena, struct tlsa_set *ret_set)
{
	struct tlsa_set set = {.ttl = answer->ttl};

	*ret_set = (struct tlsa_set){.base = ""};
	switch (answer->trust) {
	case DNS_SECURE:
		break;
	case DNS_INSECURE:
		/* RFC 7672 2.2: insecure records are as good as none */
		return TLSA_NONE;
	case DNS_FAILED:
	case DNS_BOGUS:
	default: /* no trust we know */
		return TLSA_LOOKUP_FAILED;
	}
	set.base = arena_strndup(arena, base, strlen(base));
	if (!is_wellformed(answer) || set.base == NULL ||
	    !read_records(answer, arena, &set) || !hash_set(&set))
		return TLSA_LOOKUP_FAILED;
	if (set.n == 0)
		return TLSA_NONE;
	*ret_set = set;
	return set.nused > 0 ? TLSA_USABLE : TLSA_UNUSABLE;
}

bool
tlsa_owner(const char *base, uint16_t port, char ret[TLSA_OWNER_SIZE])
{
	uint8_t wire[DNS_WIRE_MAX];
	char owner[TLSA_OWNER_SIZE];
	size_t n;

	/* RFC 6698 3: the port in decimal, without leading zeros */
	if (snprintf(owner, sizeof(owner), "_%u._tcp.%s", (unsigned)port,
		base) >= (int)sizeof(owner) ||
	    !dns_name_wire(owner, wire, &n))
		return false;
	memcpy(ret, owner, strlen(owner) + 1);
	return true;
}

const char *
tlsa_state_name(enum tlsa_state state)
{
	switch (state) {
	case TLSA_LOOKUP_FAILED:
		return "lookup-failed";
	case TLSA_NOT_EVALUATED:
		return "not-evaluated";
	case TLSA_NONE:
		return "none";
	case TLSA_UNUSABLE:
		return "unusable";
	case TLSA_USABLE:
		return "usable";
	}
	return "?";
}

const char *
tlsa_use_name(enum tlsa_use use)
{
	switch (use) {
	case TLSA_MALFORMED:
		return "malformed";
	case TLSA_UNSUPPORTED:
		return "unsupported";
	case TLSA_OUTRANKED:
		return "outranked";
	case TLSA_IN_USE:
		return "in-use";
	}
	return "?";
}
