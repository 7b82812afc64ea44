/* Where TLSA records are looked for, and what is made of each answer. */
#include <string.h>

#include "tlsa/find.h"

#include "tests/support/fake_dns.h"
#include "tests/support/test.h"

#define DIGEST \
	"0000000000000000000000000000000000000000000000000000000000000000"
#define GOOD "030101" DIGEST
#define PKIX "010101" DIGEST

/* What host.c would say; see host_test.c for that. */
static struct {
	const char *bases[2];
	size_t n;
	bool failed;
} names;

bool
host_tlsa_bases(
    const struct host_dns *host, const char *ret_bases[2], size_t *ret_n)
{
	(void)host;
	if (names.failed)
		return false;
	ret_bases[0] = names.bases[0];
	ret_bases[1] = names.bases[1];
	*ret_n = names.n;
	return true;
}

struct seen {
	unsigned calls;
	struct tlsa_found found;
	struct tlsa_find **cancel; /* from the callback */
};

static void
on_found(const struct tlsa_found *found, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->found = *found;
	if (seen->cancel != NULL)
		tlsa_find_cancel(seen->cancel);
}

struct row {
	const char *rule;
	const char *bases[2];
	struct fake_record zone[3];
	enum dns_trust absent; /* of names that are not there */
	enum tlsa_state state;
	const char *base; /* NULL: none */
	size_t tries;
};

/* Was it a fault of our own? */
static bool
run_row(const struct row *row)
{
	struct dns *dns = fake_dns_new(row->zone, ROWS(row->zone));
	struct arena *arena = arena_new(10000);
	struct host_dns host = {.trust = DNS_SECURE};
	struct seen seen = {0};
	size_t n = 0;

	/* Rows of the table that are not used have no name. */
	while (n < ROWS(row->zone) && row->zone[n].name != NULL)
		n++;
	dns_free(&dns);
	dns = fake_dns_new(row->zone, n);
	fake_dns_absent(dns, row->absent);
	names.failed = false;
	names.n = 0;
	for (; names.n < 2 && row->bases[names.n] != NULL; names.n++)
		names.bases[names.n] = row->bases[names.n];
	(void)tlsa_find(dns, &host, 25, arena, on_found, &seen);
	assert_int_equal(seen.calls, 0);
	for (int i = 0; i < 4; i++)
		dns_process(dns);
	if (seen.calls != 1 || seen.found.state != row->state ||
	    seen.found.ntries != row->tries ||
	    strcmp(seen.found.set.base, row->base == NULL ? "" : row->base) !=
		0 ||
	    seen.found.why[0] == '\0')
		fail_msg("%s: %u calls, %s, base \"%s\", %zu tries, %s",
		    row->rule, seen.calls, tlsa_state_name(seen.found.state),
		    seen.found.set.base, seen.found.ntries, seen.found.why);
	dns_free(&dns);
	arena_free(&arena);
	return seen.found.not_asked;
}

#define AT(name) "_25._tcp." name
#define TLSA(name, trust, data)                      \
	{                                            \
		AT(name), RR_TLSA, trust, data, NULL \
	}

static void
the_names_are_tried_in_turn(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 2.2.3: the host's name", {"mx.example"},
		{TLSA("mx.example", DNS_SECURE, GOOD)}, DNS_SECURE, TLSA_USABLE,
		"mx.example", 1},
	    {"RFC 7672 2.2.3: the expanded name first",
		{"real.example", "mx.example"},
		{TLSA("real.example", DNS_SECURE, GOOD),
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_USABLE, "real.example", 1},
	    {"RFC 7672 2.2.3: then the original one",
		{"real.example", "mx.example"},
		{TLSA("mx.example", DNS_SECURE, GOOD)}, DNS_SECURE, TLSA_USABLE,
		"mx.example", 2},
	    {"RFC 7672 2.2.3: insecure records move on, too",
		{"real.example", "mx.example"},
		{TLSA("real.example", DNS_INSECURE, GOOD),
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_USABLE, "mx.example", 2},
	    {"RFC 7672 2.2.3: unusable ones do not",
		{"real.example", "mx.example"},
		{TLSA("real.example", DNS_SECURE, PKIX),
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_UNUSABLE, "real.example", 1},
	    {"RFC 7672 2.2.3: nowhere", {"real.example", "mx.example"}, {{0}},
		DNS_SECURE, TLSA_NONE, NULL, 2},
	    {"RFC 7672 2.1.1: insecure proof of absence", {"mx.example"}, {{0}},
		DNS_INSECURE, TLSA_NONE, NULL, 1},
	    {"RFC 7672 2.1.1: secure, and no data", {"mx.example"},
		{TLSA("mx.example", DNS_SECURE, NULL)}, DNS_SECURE, TLSA_NONE,
		NULL, 1},
	    {"RFC 7672 2.2.3: an alias at the TLSA name moves no base",
		{"mx.example"},
		{{AT("mx.example"), RR_TLSA, DNS_SECURE, GOOD,
		    "tlsa._dane.example.net"}},
		DNS_SECURE, TLSA_USABLE, "mx.example", 1},
	    {"RFC 7672 2.2.3: an alias that is not secure all the way",
		{"real.example", "mx.example"},
		{{AT("real.example"), RR_TLSA, DNS_INSECURE, GOOD,
		     "tlsa.unsigned.example"},
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_USABLE, "mx.example", 2},
	    {"RFC 7672 2.2.2: no secure address, no question", {NULL}, {{0}},
		DNS_SECURE, TLSA_NONE, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		(void)run_row(&rows[i]);
}

static void
a_lookup_that_fails_ends_the_search(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 2.1.2: a failed lookup ends it",
		{"real.example", "mx.example"},
		{TLSA("real.example", DNS_FAILED, NULL),
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_LOOKUP_FAILED, NULL, 1},
	    {"RFC 7672 2.1.2: a bogus one, too", {"real.example", "mx.example"},
		{TLSA("real.example", DNS_BOGUS, NULL),
		    TLSA("mx.example", DNS_SECURE, GOOD)},
		DNS_SECURE, TLSA_LOOKUP_FAILED, NULL, 1},
	    {"RFC 7672 2.1.2: at the second name as well",
		{"real.example", "mx.example"},
		{TLSA("mx.example", DNS_BOGUS, NULL)}, DNS_SECURE,
		TLSA_LOOKUP_FAILED, NULL, 2},
	    {"RFC 7672 2.1.1: a malformed answer, too", {"mx.example"},
		{TLSA("mx.example", DNS_SECURE, "0301")}, DNS_SECURE,
		TLSA_LOOKUP_FAILED, NULL, 1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		(void)run_row(&rows[i]);
}

/* Too many questions of ours say nothing of the host; zero is theirs. */
static void
what_was_not_asked_is_our_own_fault(void **state)
{
	static const struct {
		struct row row;
		bool ours;
	} rows[] = {
	    {{"nobody was asked", {"mx.example"},
		 {TLSA("mx.example", DNS_SECURE, "?")}, DNS_SECURE,
		 TLSA_LOOKUP_FAILED, NULL, 1},
		true},
	    {{"nobody was asked for the second name",
		 {"real.example", "mx.example"},
		 {TLSA("mx.example", DNS_SECURE, "?")}, DNS_SECURE,
		 TLSA_LOOKUP_FAILED, NULL, 2},
		true},
	    {{"who was asked has failed", {"mx.example"},
		 {TLSA("mx.example", DNS_FAILED, NULL)}, DNS_SECURE,
		 TLSA_LOOKUP_FAILED, NULL, 1},
		false},
	    {{"who was asked has lied", {"mx.example"},
		 {TLSA("mx.example", DNS_BOGUS, NULL)}, DNS_SECURE,
		 TLSA_LOOKUP_FAILED, NULL, 1},
		false},
	    {{"who was asked has answered", {"mx.example"},
		 {TLSA("mx.example", DNS_SECURE, GOOD)}, DNS_SECURE,
		 TLSA_USABLE, "mx.example", 1},
		false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (run_row(&rows[i].row) != rows[i].ours)
			fail_msg("%s", rows[i].row.rule);
}

static void
what_was_asked_is_told(void **state)
{
	static const struct fake_record zone[] = {
	    {"_587._tcp.real.example", RR_TLSA, DNS_SECURE, NULL, NULL},
	    {"_587._tcp.mx.example", RR_TLSA, DNS_SECURE, GOOD,
		"tlsa.example.net"},
	};
	struct dns *dns = fake_dns_new(zone, ROWS(zone));
	struct arena *arena = arena_new(10000);
	struct host_dns host = {.trust = DNS_SECURE};
	struct seen seen = {0};

	(void)state;
	names.bases[0] = "real.example";
	names.bases[1] = "mx.example";
	names.n = 2;
	names.failed = false;
	(void)tlsa_find(dns, &host, 587, arena, on_found, &seen);
	dns_process(dns);
	dns_process(dns);
	assert_int_equal(seen.found.ntries, 2);
	assert_string_equal(
	    seen.found.tries[0].owner, "_587._tcp.real.example");
	assert_false(seen.found.tries[0].exists);
	assert_int_equal(seen.found.tries[0].trust, DNS_SECURE);
	assert_string_equal(seen.found.tries[1].owner, "_587._tcp.mx.example");
	assert_true(seen.found.tries[1].exists);
	assert_string_equal(seen.found.tries[1].alias, "tlsa.example.net");
	assert_int_equal(seen.found.set.nused, 1);
	dns_free(&dns);
	arena_free(&arena);
}

static void
a_host_that_cannot_be_found_has_failed(void **state)
{
	struct dns *dns = fake_dns_new(NULL, 0);
	struct arena *arena = arena_new(10000);
	struct host_dns host = {0};
	struct seen seen = {0};

	(void)state;
	names.failed = true;
	(void)tlsa_find(dns, &host, 25, arena, on_found, &seen);
	dns_process(dns);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.found.state, TLSA_LOOKUP_FAILED);
	assert_int_equal(seen.found.ntries, 0);
	assert_false(seen.found.not_asked);
	host.not_asked = true;
	(void)tlsa_find(dns, &host, 25, arena, on_found, &seen);
	dns_process(dns);
	assert_true(seen.found.not_asked);
	dns_free(&dns);
	arena_free(&arena);
}

static void
cancelled_searches_say_nothing(void **state)
{
	static const struct fake_record zone[] = {
	    TLSA("mx.example", DNS_SECURE, GOOD)};
	struct dns *dns = fake_dns_new(zone, 1);
	struct arena *arena = arena_new(10000);
	struct host_dns host = {.trust = DNS_SECURE};
	struct seen seen = {0};
	struct tlsa_find *find, *none = NULL;

	(void)state;
	names.bases[0] = "mx.example";
	names.n = 1;
	names.failed = false;
	find = tlsa_find(dns, &host, 25, arena, on_found, &seen);
	tlsa_find_cancel(&find);
	assert_null(find);
	dns_process(dns);
	assert_int_equal(seen.calls, 0);
	/* Inside its own callback there is nothing left to cancel. */
	find = tlsa_find(dns, &host, 25, arena, on_found, &seen);
	seen.cancel = &find;
	dns_process(dns);
	assert_int_equal(seen.calls, 1);
	tlsa_find_cancel(&none);
	dns_free(&dns);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_names_are_tried_in_turn),
	    cmocka_unit_test(a_lookup_that_fails_ends_the_search),
	    cmocka_unit_test(what_was_not_asked_is_our_own_fault),
	    cmocka_unit_test(what_was_asked_is_told),
	    cmocka_unit_test(a_host_that_cannot_be_found_has_failed),
	    cmocka_unit_test(cancelled_searches_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
