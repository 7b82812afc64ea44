/* TLSA answers: what is well formed, usable, outranked, and equal. */
#include <string.h>

#include "tlsa/tlsa.h"

#include "tests/support/make_chain.h"
#include "tests/support/test.h"

#define BASE      "mx.example.org"
#define DATA_MAX  70000
#define ARENA_MAX 1000000

/* Association data of `n` octets; -1 and less stand for real objects. */
#define CERTIFICATE (-1)
#define KEY         (-2)
#define CERT_AND_1  (-3) /* one octet behind the object */
#define KEY_AND_1   (-4)
#define CERT_CUT    (-5)

struct record {
	int usage, selector, matching; /* usage -1: the end */
	int n;
	enum tlsa_use use;
};

#define RECORDS 6
#define END                    \
	{                      \
		-1, 0, 0, 0, 0 \
	}

static struct issued sample;

static void
add_object(struct buf *out, int n)
{
	switch (n) {
	case CERTIFICATE:
	case CERT_AND_1:
	case CERT_CUT:
		add_association(out, &sample, TLSA_CERT, TLSA_FULL);
		break;
	default:
		add_association(out, &sample, TLSA_SPKI, TLSA_FULL);
		break;
	}
	if (n == CERT_AND_1 || n == KEY_AND_1)
		assert_int_equal(buf_add(out, SPAN("x")), 0);
	if (n == CERT_CUT)
		out->n--;
}

static void
add_rdata(struct buf *out, const struct record *record)
{
	char head[] = {(char)record->usage, (char)record->selector,
	    (char)record->matching};

	buf_init(out, DATA_MAX);
	assert_int_equal(buf_add(out, (struct span){head, 3}), 0);
	if (record->n < 0) {
		add_object(out, record->n);
		return;
	}
	for (int i = 0; i < record->n; i++)
		assert_int_equal(buf_add(out, SPAN("d")), 0);
}

static enum tlsa_state
read_records(
    const struct record *records, struct arena *arena, struct tlsa_set *ret_set)
{
	struct dns_answer answer = {.trust = DNS_SECURE, .ttl = 300};
	struct span rdata[RECORDS];
	struct buf bytes[RECORDS];
	enum tlsa_state state;
	size_t n = 0;

	for (; records[n].usage >= 0; n++) {
		add_rdata(&bytes[n], &records[n]);
		rdata[n] = buf_span(&bytes[n]);
	}
	answer.exists = n > 0;
	answer.rdata = rdata;
	answer.nrdata = n;
	state = tlsa_read(&answer, BASE, arena, ret_set);
	while (n > 0)
		buf_free(&bytes[--n]);
	return state;
}

static void
each_record_is_judged_by_itself(void **state)
{
	static const struct {
		const char *rule;
		struct record record;
	} rows[] = {
	    {"DANE-EE key, SHA2-256", {3, 1, 1, 32, TLSA_IN_USE}},
	    {"DANE-EE certificate, SHA2-512", {3, 0, 2, 64, TLSA_IN_USE}},
	    {"DANE-TA", {2, 0, 1, 32, TLSA_IN_USE}},
	    {"DANE-TA key", {2, 1, 2, 64, TLSA_IN_USE}},
	    {"full certificate", {3, 0, 0, CERTIFICATE, TLSA_IN_USE}},
	    {"full key", {2, 1, 0, KEY, TLSA_IN_USE}},
	    {"RFC 7672 3.1.3: PKIX-TA", {0, 0, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 7672 3.1.3: PKIX-EE", {1, 1, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: usage 4", {4, 1, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: usage 255", {255, 1, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: selector 2", {3, 2, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: selector 255", {3, 255, 1, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: matching type 3", {3, 1, 3, 32, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: matching type 255",
		{3, 1, 255, 64, TLSA_UNSUPPORTED}},
	    {"RFC 6698 4.1: no data", {3, 1, 1, 0, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: 20 octets", {3, 1, 1, 20, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: 31 octets", {3, 1, 1, 31, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: 33 octets", {3, 1, 1, 33, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: the other digest's", {3, 1, 1, 64, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: SHA2-512 cut", {3, 1, 2, 32, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: too long by far", {3, 1, 1, 65532, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: full and empty", {3, 0, 0, 0, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: full and no DER", {3, 0, 0, 900, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: full and long", {3, 1, 0, 65532, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: a key is no certificate",
		{3, 0, 0, KEY, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: a certificate is no key",
		{3, 1, 0, CERTIFICATE, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: an octet behind it",
		{2, 0, 0, CERT_AND_1, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: an octet behind the key",
		{2, 1, 0, KEY_AND_1, TLSA_MALFORMED}},
	    {"RFC 6698 4.1: an octet short",
		{2, 0, 0, CERT_CUT, TLSA_MALFORMED}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct record records[] = {rows[i].record, END};
		bool used = rows[i].record.use == TLSA_IN_USE;
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_set set;

		if (read_records(records, arena, &set) !=
			(used ? TLSA_USABLE : TLSA_UNUSABLE) ||
		    set.n != 1 || set.nused != (used ? 1 : 0) ||
		    set.records[0].use != rows[i].record.use)
			fail_msg("%s", rows[i].rule);
		assert_int_equal(set.ttl, 300);
		assert_string_equal(set.base, BASE);
		arena_free(&arena);
	}
}

static void
digest_agility(void **state)
{
	static const struct {
		const char *rule;
		struct record records[RECORDS];
	} rows[] = {
	    {"RFC 7671 9: the strongest digest alone",
		{{3, 1, 1, 32, TLSA_OUTRANKED}, {3, 1, 2, 64, TLSA_IN_USE},
		    END}},
	    {"RFC 7671 9: all of the strongest",
		{{3, 1, 2, 64, TLSA_IN_USE}, {3, 1, 1, 32, TLSA_OUTRANKED},
		    {3, 1, 2, 64, TLSA_IN_USE}, END}},
	    {"RFC 7671 9: a full key stays beside them",
		{{3, 1, 0, KEY, TLSA_IN_USE}, {3, 1, 1, 32, TLSA_OUTRANKED},
		    {3, 1, 2, 64, TLSA_IN_USE}, END}},
	    {"RFC 7671 9: by usage and selector",
		{{3, 1, 1, 32, TLSA_IN_USE}, {3, 0, 2, 64, TLSA_IN_USE},
		    {2, 1, 2, 64, TLSA_IN_USE}, {2, 0, 1, 32, TLSA_IN_USE},
		    END}},
	    {"RFC 7671 9: what is malformed outranks nothing",
		{{3, 1, 1, 32, TLSA_IN_USE}, {3, 1, 2, 20, TLSA_MALFORMED},
		    END}},
	    {"RFC 7671 9: nor what is not supported",
		{{3, 1, 1, 32, TLSA_IN_USE}, {1, 1, 2, 64, TLSA_UNSUPPORTED},
		    {3, 1, 3, 99, TLSA_UNSUPPORTED}, END}},
	    {"RFC 7671 9: one digest alone is the strongest",
		{{3, 1, 1, 32, TLSA_IN_USE}, {3, 1, 1, 32, TLSA_IN_USE}, END}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_set set;

		if (read_records(rows[i].records, arena, &set) != TLSA_USABLE)
			fail_msg("%s", rows[i].rule);
		for (size_t j = 0; j < set.n; j++)
			if (set.records[j].use != rows[i].records[j].use)
				fail_msg("%s: record %zu is %s", rows[i].rule,
				    j, tlsa_use_name(set.records[j].use));
		arena_free(&arena);
	}
}

#define SHORT(n)            \
	{                   \
		"\3\1\1", n \
	}
#define DIGEST                                               \
	{                                                    \
		"\3\1\1#0123456789abcdef0123456789abcde", 35 \
	}

static void
answers_by_their_trust_and_form(void **state)
{
	static const struct {
		const char *rule;
		enum dns_trust trust;
		struct span rdata[3];
		size_t n;
		enum tlsa_state state;
	} rows[] = {
	    {"secure and usable", DNS_SECURE, {DIGEST}, 1, TLSA_USABLE},
	    {"RFC 7672 2.2: insecure", DNS_INSECURE, {DIGEST}, 1, TLSA_NONE},
	    {"RFC 7672 2.1.1: bogus", DNS_BOGUS, {DIGEST}, 1,
		TLSA_LOOKUP_FAILED},
	    {"RFC 7672 2.1.1: failed", DNS_FAILED, {{0}}, 0,
		TLSA_LOOKUP_FAILED},
	    {"no trust at all", (enum dns_trust)99, {DIGEST}, 1,
		TLSA_LOOKUP_FAILED},
	    {"RFC 7672 2.1.1: proof that there is none", DNS_SECURE, {{0}}, 0,
		TLSA_NONE},
	    {"RFC 7672 2.1.1: insecure and none", DNS_INSECURE, {{0}}, 0,
		TLSA_NONE},
	    {"RFC 6698 2.1: no octet", DNS_SECURE, {SHORT(0)}, 1,
		TLSA_LOOKUP_FAILED},
	    {"RFC 6698 2.1: one", DNS_SECURE, {SHORT(1)}, 1,
		TLSA_LOOKUP_FAILED},
	    {"RFC 6698 2.1: two", DNS_SECURE, {SHORT(2)}, 1,
		TLSA_LOOKUP_FAILED},
	    {"RFC 6698 4.1: three are a record without data", DNS_SECURE,
		{SHORT(3)}, 1, TLSA_UNUSABLE},
	    {"RFC 7672 2.1.1: a malformed answer spoils a good record",
		DNS_SECURE, {DIGEST, SHORT(2)}, 2, TLSA_LOOKUP_FAILED},
	    {"RFC 6698 4.1: a malformed record does not", DNS_SECURE,
		{SHORT(3), DIGEST}, 2, TLSA_USABLE},
	    {"what is insecure is not looked into", DNS_INSECURE, {SHORT(1)}, 1,
		TLSA_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dns_answer answer = {.trust = rows[i].trust,
		    .exists = rows[i].n > 0,
		    .rdata = rows[i].rdata,
		    .nrdata = rows[i].n};
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_set set = {.n = 99};
		enum tlsa_state got = tlsa_read(&answer, BASE, arena, &set);

		if (got != rows[i].state)
			fail_msg("%s: %s", rows[i].rule, tlsa_state_name(got));
		if (got == TLSA_NONE || got == TLSA_LOOKUP_FAILED)
			assert_int_equal(set.n, 0);
		arena_free(&arena);
	}
}

/* What exists has records, and what has records exists. */
static void
an_answer_that_contradicts_itself_has_failed(void **state)
{
	const struct span digest[] = {DIGEST};
	struct arena *arena = arena_new(ARENA_MAX);
	struct dns_answer answer = {.trust = DNS_SECURE, .exists = true};
	struct tlsa_set set;

	(void)state;
	assert_int_equal(
	    tlsa_read(&answer, BASE, arena, &set), TLSA_LOOKUP_FAILED);
	answer = (struct dns_answer){
	    .trust = DNS_SECURE, .rdata = digest, .nrdata = 1};
	assert_int_equal(
	    tlsa_read(&answer, BASE, arena, &set), TLSA_LOOKUP_FAILED);
	arena_free(&arena);
}

static void
sets_have_limits(void **state)
{
	static const struct {
		const char *rule;
		size_t n, arena;
		enum tlsa_state state;
	} rows[] = {
	    {"as many as are looked at", TLSA_RECORDS_MAX, ARENA_MAX,
		TLSA_USABLE},
	    {"one more", TLSA_RECORDS_MAX + 1, ARENA_MAX, TLSA_LOOKUP_FAILED},
	    {"over the arena's limit", TLSA_RECORDS_MAX, 3000,
		TLSA_LOOKUP_FAILED},
	    {"not even room for the name", 1, 1, TLSA_LOOKUP_FAILED},
	};
	static const struct span digest = DIGEST;
	struct span rdata[TLSA_RECORDS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ROWS(rdata); i++)
		rdata[i] = digest;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dns_answer answer = {.trust = DNS_SECURE,
		    .exists = true,
		    .rdata = rdata,
		    .nrdata = rows[i].n};
		struct arena *arena = arena_new(rows[i].arena);
		struct tlsa_set set;

		if (tlsa_read(&answer, BASE, arena, &set) != rows[i].state)
			fail_msg("%s", rows[i].rule);
		arena_free(&arena);
	}
}

static void
equal_demands_have_equal_digests(void **state)
{
	static const struct record one[] = {
	    {3, 1, 1, 32, 0}, {2, 0, 1, 32, 0}, END};
	static const struct record turned[] = {
	    {2, 0, 1, 32, 0}, {3, 1, 1, 32, 0}, END};
	static const struct record twice[] = {
	    {2, 0, 1, 32, 0}, {3, 1, 1, 32, 0}, {2, 0, 1, 32, 0}, END};
	static const struct record with_unused[] = {{1, 1, 1, 32, 0},
	    {3, 1, 1, 32, 0}, {3, 1, 2, 20, 0}, {2, 0, 1, 32, 0}, END};
	static const struct record fewer[] = {{3, 1, 1, 32, 0}, END};
	static const struct record other[] = {
	    {3, 0, 1, 32, 0}, {2, 0, 1, 32, 0}, END};
	static const struct {
		const struct record *records;
		bool equal;
	} rows[] = {{turned, true}, {twice, true}, {with_unused, true},
	    {fewer, false}, {other, false}};
	struct arena *arena = arena_new(ARENA_MAX);
	struct dns_answer answer = {.trust = DNS_SECURE, .exists = true};
	const struct span digest[] = {DIGEST};
	const struct span changed = {
	    "\3\1\1#0123456789abcdef0123456789abcdf", 35};
	struct tlsa_set first, second;

	(void)state;
	(void)read_records(one, arena, &first);
	for (size_t i = 0; i < ROWS(rows); i++) {
		(void)read_records(rows[i].records, arena, &second);
		assert_int_equal(memcmp(first.digest, second.digest, 32) == 0,
		    rows[i].equal);
	}
	answer.rdata = digest;
	answer.nrdata = 1;
	(void)tlsa_read(&answer, "a.example", arena, &first);
	(void)tlsa_read(&answer, "b.example", arena, &second);
	assert_memory_not_equal(first.digest, second.digest, 32);
	/* The last octet of the data. */
	answer.rdata = &changed;
	(void)tlsa_read(&answer, "a.example", arena, &second);
	assert_int_equal(second.nused, 1);
	assert_memory_not_equal(first.digest, second.digest, 32);
	arena_free(&arena);
}

static void
owners_have_port_and_transport(void **state)
{
	static const struct {
		const char *rule, *base;
		uint16_t port;
		const char *owner; /* NULL: none */
	} rows[] = {
	    {"RFC 6698 3", BASE, 25, "_25._tcp." BASE},
	    {"RFC 7672 2.2.3: another port", BASE, 587, "_587._tcp." BASE},
	    {"RFC 6698 3: no leading zeros", "a", 1, "_1._tcp.a"},
	    {"the highest", "a", 65535, "_65535._tcp.a"},
	    {"no name", "a..b", 25, NULL},
	};
	char owner[TLSA_OWNER_SIZE];
	char longest[260] = "";

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		bool ok = tlsa_owner(rows[i].base, rows[i].port, owner);

		if (ok != (rows[i].owner != NULL) ||
		    (ok && strcmp(owner, rows[i].owner) != 0))
			fail_msg("%s", rows[i].rule);
	}
	/* 245 octets on the wire; with "_25._tcp." 254, with one more 256. */
	memset(longest, 'a', 243);
	for (size_t i = 60; i < 243; i += 61)
		longest[i] = '.';
	assert_true(tlsa_owner(longest, 25, owner));
	longest[243] = 'a';
	longest[244] = 'a';
	assert_false(tlsa_owner(longest, 25, owner));
}

static int
make_sample(void **state)
{
	static const struct shape shape = {.names = "DNS:" BASE};

	(void)state;
	sample = issue(&shape, NULL);
	return 0;
}

static int
free_sample(void **state)
{
	(void)state;
	issued_free(&sample);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_record_is_judged_by_itself),
	    cmocka_unit_test(digest_agility),
	    cmocka_unit_test(answers_by_their_trust_and_form),
	    cmocka_unit_test(an_answer_that_contradicts_itself_has_failed),
	    cmocka_unit_test(sets_have_limits),
	    cmocka_unit_test(equal_demands_have_equal_digests),
	    cmocka_unit_test(owners_have_port_and_transport),
	};

	return cmocka_run_group_tests(tests, make_sample, free_sample);
}
