/* Which chains TLSA records let through, handshake by handshake. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {.names = "DNS:" BASE};

struct row {
	const char *rule;
	struct shape root, inter, leaf; /* zeroed: the three above */
	const char *sends;
	struct record_of records[RECORDS_OF_MAX];
	const char *matched; /* NULL: not authenticated */
	int depth;
	const char *type; /* when not */
};

static bool
is_zero(const struct shape *shape)
{
	static const struct shape zero;

	return memcmp(shape, &zero, sizeof(zero)) == 0;
}

static const struct shape *
or_else(const struct shape *one, const struct shape *other)
{
	return is_zero(one) ? other : one;
}

static bool
as_expected(const struct row *row, const struct tls_facts *facts)
{
	if (!facts->up || facts->pkix.check != TLS_UNCHECKED)
		return false;
	if (row->matched == NULL)
		return facts->dane.check == TLS_CHECK_FAILED &&
		       facts->dane.why[0] != '\0' &&
		       facts->matched[0] == '\0' &&
		       strcmp(facts->dane.result_type, row->type) == 0;
	return facts->dane.check == TLS_CHECK_PASSED &&
	       facts->dane.why[0] == '\0' &&
	       facts->dane.result_type[0] == '\0' &&
	       strcmp(facts->matched, row->matched) == 0 &&
	       facts->depth == row->depth;
}

static void
run_row(const struct row *row)
{
	struct arena *arena = arena_new(100000);
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {.sni = BASE};
	struct tls_server *server;
	struct tls_client *client;
	struct authority authority;
	struct tls_facts facts;
	struct tlsa_set set;
	struct err err;

	authority_new(&authority, or_else(&row->root, &root),
	    or_else(&row->inter, &inter), or_else(&row->leaf, &leaf));
	assert_int_equal(
	    set_of(&authority, row->records, BASE, arena, &set), TLSA_USABLE);
	demand.set = &set;
	server = server_of(&authority, row->sends);
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	shake(client, tls_accept(server, ""), &demand, &facts);
	if (!as_expected(row, &facts))
		fail_msg("%s: up %d %s, %s, matched \"%s\" at %d, type %s: %s",
		    row->rule, facts.up, facts.failure,
		    tls_check_name(facts.dane.check), facts.matched,
		    facts.depth, facts.dane.result_type, facts.dane.why);
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
	arena_free(&arena);
}

static void
run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_row(&rows[i]);
}

/* RFC 6698 2.1.2, RFC 6698 2.1.3: every usable combination, right and wrong. */
static void
every_combination_matches_its_own(void **state)
{
	static const uint8_t usages[] = {2, 3};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (uint8_t selector = 0; selector < 2; selector++)
			for (uint8_t matching = 0; matching < 3; matching++) {
				uint8_t usage = usages[i];
				char text[12];
				struct row row = {.rule = text,
				    .sends = "LIR",
				    .records = {{usage, selector, matching,
					usage == 2 ? 'I' : 'L'}},
				    .matched = text,
				    .depth = usage == 2 ? 1 : 0,
				    .type = "validation-failure"};

				(void)snprintf(text, sizeof(text), "%u %u %u",
				    usage, selector, matching);
				run_row(&row);
				row.matched = NULL;
				row.records[0].which = 'O';
				run_row(&row);
			}
}

static void
dane_ee_looks_at_the_key_alone(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 3.1.1: expired",
		.leaf = {.names = "DNS:" BASE,
		    .from_day = -800,
		    .to_day = -730},
		.sends = "LI", .records = {{3, 1, 1, 'L'}}, .matched = "3 1 1"},
	    {"RFC 7672 3.1.1: not yet valid",
		.leaf = {.names = "DNS:" BASE, .from_day = 20, .to_day = 30},
		.sends = "LI", .records = {{3, 1, 1, 'L'}}, .matched = "3 1 1"},
	    {"RFC 7672 3.1.1, 3.2.1: another's name",
		.leaf = {.names = "DNS:wrong.example"}, .sends = "LI",
		.records = {{3, 1, 1, 'L'}}, .matched = "3 1 1"},
	    {"RFC 7672 3.2.1: no name at all",
		.leaf = {.purpose = "serverAuth"}, .sends = "LI",
		.records = {{3, 0, 1, 'L'}}, .matched = "3 0 1"},
	    {"RFC 7672 3.1.1: the issuer is not sent", .sends = "L",
		.records = {{3, 1, 1, 'L'}}, .matched = "3 1 1"},
	    {"RFC 6698 2.1.1: self-signed", .sends = "R",
		.records = {{3, 0, 1, 'R'}}, .matched = "3 0 1"},
	    {"for another purpose",
		.leaf = {.names = "DNS:" BASE, .purpose = "clientAuth"},
		.sends = "LI", .records = {{3, 1, 1, 'L'}}, .matched = "3 1 1"},
	    {"RFC 6698 6: SHA2-512 alone", .sends = "L",
		.records = {{3, 1, 2, 'L'}}, .matched = "3 1 2"},
	    {"another key", .sends = "LIR", .records = {{3, 1, 1, 'O'}},
		.type = "validation-failure"},
	    {"the key of its issuer", .sends = "LIR",
		.records = {{3, 1, 1, 'I'}}, .type = "validation-failure"},
	    {"RFC 7672 3.2: a chain of the right authority is no match",
		.sends = "LIR", .records = {{3, 0, 1, 'O'}},
		.type = "validation-failure"},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

static void
dane_ta_wants_a_whole_valid_chain(void **state)
{
	static const struct row rows[] = {
	    {"RFC 6698 2.1.1: the intermediate is the anchor", .sends = "LI",
		.records = {{2, 0, 1, 'I'}}, .matched = "2 0 1", .depth = 1},
	    {"the root is sent and is the anchor", .sends = "LIR",
		.records = {{2, 0, 1, 'R'}}, .matched = "2 0 1", .depth = 2},
	    {"its key is", .sends = "LIR", .records = {{2, 1, 1, 'R'}},
		.matched = "2 1 1", .depth = 2},
	    {"RFC 7672 3.1.2: the anchor is not sent", .sends = "LI",
		.records = {{2, 0, 1, 'R'}}, .type = "validation-failure"},
	    {"the intermediate is not sent", .sends = "LR",
		.records = {{2, 0, 1, 'R'}}, .type = "validation-failure"},
	    {"RFC 7671 5.2.2: 2 0 0, and the anchor is in DNS alone",
		.sends = "L", .records = {{2, 0, 0, 'I'}}, .matched = "2 0 0",
		.depth = 1},
	    {"RFC 7671 5.2.2: the root is in DNS alone", .sends = "LI",
		.records = {{2, 0, 0, 'R'}}, .matched = "2 0 0", .depth = 2},
	    {"RFC 7671 5.2.3: 2 1 0, and the key is in DNS alone", .sends = "L",
		.records = {{2, 1, 0, 'I'}}, .matched = "2 1 0"},
	    {"RFC 7671 5.2.3: a key that signed nothing of it", .sends = "L",
		.records = {{2, 1, 0, 'O'}}, .type = "validation-failure"},
	    {"RFC 6698 2.1.1: expired",
		.leaf = {.names = "DNS:" BASE,
		    .from_day = -800,
		    .to_day = -730},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-expired"},
	    {"not yet valid",
		.leaf = {.names = "DNS:" BASE, .from_day = 20, .to_day = 30},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "validation-failure"},
	    {"RFC 6698 2.1.1: the intermediate has expired",
		.inter = {.cn = "Inter",
		    .basic = "critical,CA:TRUE",
		    .from_day = -800,
		    .to_day = -730},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-expired"},
	    {"for another purpose",
		.leaf = {.names = "DNS:" BASE, .purpose = "clientAuth"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-not-trusted"},
	    {"signed by what is no authority",
		.inter = {.cn = "Inter", .basic = "critical,CA:FALSE"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-not-trusted"},
	    {"usage 2 with the leaf's own key is no anchor", .sends = "LIR",
		.records = {{2, 1, 1, 'L'}}, .type = "validation-failure"},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

static void
constraints_of_the_anchor_hold(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 3.1.2: a name outside of the anchor's constraints",
		.root = {.cn = "Root",
		    .basic = "critical,CA:TRUE",
		    .constraints = "permitted;DNS:example.net"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-not-trusted"},
	    {"RFC 7672 3.1.2: a name inside of them",
		.root = {.cn = "Root",
		    .basic = "critical,CA:TRUE",
		    .constraints = "permitted;DNS:example.org"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}}, .matched = "2 0 1",
		.depth = 2},
	    {"RFC 7672 3.1.2: a path longer than the anchor allows",
		.root = {.cn = "Root", .basic = "critical,CA:TRUE,pathlen:0"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}},
		.type = "certificate-not-trusted"},
	    {"RFC 7672 3.1.2: one as long as it allows",
		.root = {.cn = "Root", .basic = "critical,CA:TRUE,pathlen:1"},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}}, .matched = "2 0 1",
		.depth = 2},
	    {"an intermediate as anchor does not need the root's consent",
		.root = {.cn = "Root", .basic = "critical,CA:TRUE,pathlen:0"},
		.sends = "LIR", .records = {{2, 0, 1, 'I'}}, .matched = "2 0 1",
		.depth = 1},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

static void
sets_of_several_records(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7671 9: the weaker digest of the right key is not looked at",
		.sends = "LIR", .records = {{3, 1, 1, 'L'}, {3, 1, 2, 'O'}},
		.type = "validation-failure"},
	    {"RFC 7671 9: the stronger digest", .sends = "LIR",
		.records = {{3, 1, 1, 'O'}, {3, 1, 2, 'L'}},
		.matched = "3 1 2"},
	    {"RFC 7671 9: a full key beside a stronger digest", .sends = "LIR",
		.records = {{3, 1, 0, 'L'}, {3, 1, 2, 'O'}},
		.matched = "3 1 0"},
	    {"RFC 7671 9: agility is by usage and selector", .sends = "LIR",
		.records = {{3, 0, 2, 'O'}, {3, 1, 1, 'L'}},
		.matched = "3 1 1"},
	    {"RFC 7672 5: the old key beside the new one", .sends = "LI",
		.records = {{3, 1, 1, 'O'}, {3, 1, 1, 'L'}},
		.matched = "3 1 1"},
	    {"the leaf's record is enough, its anchor a stranger's",
		.leaf = {.names = "DNS:wrong.example"}, .sends = "LIR",
		.records = {{2, 0, 1, 'O'}, {3, 1, 1, 'L'}},
		.matched = "3 1 1"},
	    {"the anchor is enough, the leaf's record a stranger's",
		.sends = "LIR", .records = {{3, 1, 1, 'O'}, {2, 0, 1, 'R'}},
		.matched = "2 0 1", .depth = 2},
	    {"a leaf that its own record lets through needs no dates",
		.leaf = {.names = "DNS:" BASE,
		    .from_day = -800,
		    .to_day = -730},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}, {3, 1, 1, 'L'}},
		.matched = "3 1 1"},
	    {"one that only its anchor lets through needs them",
		.leaf = {.names = "DNS:" BASE,
		    .from_day = -800,
		    .to_day = -730},
		.sends = "LIR", .records = {{2, 0, 1, 'R'}, {3, 1, 1, 'O'}},
		.type = "certificate-expired"},
	    {"2 0 0 of the root beside a digest of the intermediate",
		.sends = "LI", .records = {{2, 0, 0, 'R'}, {2, 0, 1, 'O'}},
		.matched = "2 0 0", .depth = 2},
	    {"the first anchor met on the way up counts", .sends = "LIR",
		.records = {{2, 0, 1, 'R'}, {2, 0, 1, 'I'}}, .matched = "2 0 1",
		.depth = 1},
	    {"RFC 7672 3.1.3: usages 0 and 1 neither help", .sends = "LIR",
		.records = {{1, 1, 1, 'L'}, {0, 0, 1, 'R'}, {3, 1, 1, 'O'}},
		.type = "validation-failure"},
	    {"RFC 7672 3.1.3: nor harm", .sends = "LIR",
		.records = {{1, 1, 1, 'O'}, {0, 0, 1, 'O'}, {3, 1, 1, 'L'}},
		.matched = "3 1 1"},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination_matches_its_own),
	    cmocka_unit_test(dane_ee_looks_at_the_key_alone),
	    cmocka_unit_test(dane_ta_wants_a_whole_valid_chain),
	    cmocka_unit_test(constraints_of_the_anchor_hold),
	    cmocka_unit_test(sets_of_several_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
