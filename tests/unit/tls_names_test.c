/* Whose certificate it has to be: names for usage 2 and for WebPKI. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define NAMES_MAX 4
#define MX        "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};

/* NULL: not demanded. */
struct row {
	const char *rule;
	const char *cn, *san;        /* of the leaf */
	const char *base;            /* verify by 2 0 1 for this one */
	const char *more[NAMES_MAX]; /* and for these */
	const char *pkix[NAMES_MAX];
	const char *dane_type, *pkix_type; /* "" passes */
};

static size_t
count(const char *const names[NAMES_MAX])
{
	size_t n = 0;

	while (n < NAMES_MAX && names[n] != NULL)
		n++;
	return n;
}

static bool
is_proof(const struct tls_proof *proof, const char *type)
{
	if (type == NULL)
		return proof->check == TLS_UNCHECKED;
	if (type[0] == '\0')
		return proof->check == TLS_CHECK_PASSED;
	return proof->check == TLS_CHECK_FAILED &&
	       strcmp(proof->result_type, type) == 0;
}

static void
run_row(const struct row *row)
{
	const struct shape leaf = {.cn = row->cn, .names = row->san};
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {2, 0, 1, 'R'}};
	struct arena *arena = arena_new(100000);
	struct tls_demand demand = {.sni = MX,
	    .names = row->more,
	    .nnames = count(row->more),
	    .pkix_names = row->pkix,
	    .npkix_names = count(row->pkix)};
	struct tls_server *server;
	struct tls_client *client;
	struct authority authority;
	struct tls_facts facts;
	struct tlsa_set set;

	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LIR");
	client = client_of(&authority.root);
	if (row->base != NULL) {
		(void)set_of(&authority, records, row->base, arena, &set);
		demand.set = &set;
	}
	shake(client, tls_accept(server, ""), &demand, &facts);
	if (!facts.up || !is_proof(&facts.dane, row->dane_type) ||
	    !is_proof(&facts.pkix, row->pkix_type))
		fail_msg("%s: up %d; DANE %s, %s, %s; WebPKI %s, %s, %s",
		    row->rule, facts.up, tls_check_name(facts.dane.check),
		    facts.dane.result_type, facts.dane.why,
		    tls_check_name(facts.pkix.check), facts.pkix.result_type,
		    facts.pkix.why);
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
	arena_free(&arena);
}

#define MISMATCH "certificate-host-mismatch"

static void
reference_identifiers_of_usage_2(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 3.2.2: the base domain", .san = "DNS:" MX, .base = MX,
		.dane_type = ""},
	    {"RFC 7672 3.2.2: another's name", .san = "DNS:mx.example.net",
		.base = MX, .dane_type = MISMATCH},
	    {"RFC 7672 3.2.2: the next hop", .san = "DNS:example.org",
		.base = MX, .more = {"example.org"}, .dane_type = ""},
	    {"RFC 7672 3.2.2: the next hop's expanded name",
		.san = "DNS:example.net", .base = MX,
		.more = {"example.org", "example.net"}, .dane_type = ""},
	    {"RFC 7672 3.2.2: the base domain, named again", .san = "DNS:" MX,
		.base = MX, .more = {MX, "example.org"}, .dane_type = ""},
	    {"RFC 7672 3.2.2: the next hop, not demanded",
		.san = "DNS:example.org", .base = MX, .dane_type = MISMATCH},
	    {"a name below the next hop", .san = "DNS:www.example.org",
		.base = MX, .more = {"example.org"}, .dane_type = MISMATCH},
	    {"one of several names", .san = "DNS:a.example,DNS:" MX, .base = MX,
		.dane_type = ""},
	    {"names compare without case", .san = "DNS:MX.Example.ORG",
		.base = MX, .dane_type = ""},
	    {"an empty name is no wildcard", .san = "DNS:a.example", .base = MX,
		.more = {""}, .dane_type = "validation-failure"},
	    {"nor is an empty base", .san = "DNS:a.example", .base = "",
		.dane_type = "validation-failure"},
	    {"a suffix is no name", .san = "DNS:a.example.org", .base = MX,
		.more = {".example.org"}, .dane_type = "validation-failure"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		run_row(&rows[i]);
}

/* RFC 7672 3.2.3 for usage 2, RFC 8461 4.2 and RFC 9525 6.3 for WebPKI. */
static void
wildcards_and_common_names(void **state)
{
	static const struct row rows[] = {
	    {"RFC 7672 3.2.3: the whole first label",
		.san = "DNS:*.example.org", .base = MX, .dane_type = "",
		.pkix = {MX}, .pkix_type = ""},
	    {"RFC 7672 3.2.3: part of a label", .san = "DNS:m*.example.org",
		.base = MX, .dane_type = MISMATCH, .pkix = {MX},
		.pkix_type = MISMATCH},
	    {"RFC 7672 3.2.3: the end of a label", .san = "DNS:*x.example.org",
		.base = MX, .dane_type = MISMATCH, .pkix = {MX},
		.pkix_type = MISMATCH},
	    {"RFC 7672 3.2.3: two labels", .san = "DNS:*.org.example",
		.base = "a.mx.org.example", .dane_type = MISMATCH,
		.pkix = {"a.mx.org.example"}, .pkix_type = MISMATCH},
	    {"RFC 7672 3.2.3: not the first label",
		.san = "DNS:mx.*.org.example", .base = "mx.a.org.example",
		.dane_type = MISMATCH, .pkix = {"mx.a.org.example"},
		.pkix_type = MISMATCH},
	    {"no label", .san = "DNS:*.mx.example.org", .base = MX,
		.dane_type = MISMATCH, .pkix = {MX}, .pkix_type = MISMATCH},
	    {"RFC 7672 3.2.3: CN without a DNS-ID; RFC 9525 2: never for "
	     "WebPKI",
		.cn = MX, .base = MX, .dane_type = "", .pkix = {MX},
		.pkix_type = MISMATCH},
	    {"RFC 7672 3.2.3: CN beside a DNS-ID", .cn = MX,
		.san = "DNS:a.example", .base = MX, .dane_type = MISMATCH,
		.pkix = {MX}, .pkix_type = MISMATCH},
	    {"CN beside a name of another kind", .cn = MX,
		.san = "email:a@a.example", .base = MX, .dane_type = "",
		.pkix = {MX}, .pkix_type = MISMATCH},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		run_row(&rows[i]);
}

static void
webpki_by_itself_and_beside_dane(void **state)
{
	static const struct row rows[] = {
	    {"nothing demanded, nothing checked", .san = "DNS:" MX},
	    {"WebPKI alone", .san = "DNS:" MX, .pkix = {MX}, .pkix_type = ""},
	    {"any of its names", .san = "DNS:b.example",
		.pkix = {"a.example", "b.example"}, .pkix_type = ""},
	    {"none of its names", .san = "DNS:c.example",
		.pkix = {"a.example", "b.example"}, .pkix_type = MISMATCH},
	    {"below a suffix", .san = "DNS:" MX, .pkix = {".example.org"},
		.pkix_type = ""},
	    {"deep below a suffix", .san = "DNS:a." MX,
		.pkix = {".example.org"}, .pkix_type = ""},
	    {"the suffix itself", .san = "DNS:example.org",
		.pkix = {".example.org"}, .pkix_type = MISMATCH},
	    {"only the end of a label", .san = "DNS:myexample.org",
		.pkix = {".example.org"}, .pkix_type = MISMATCH},
	    {"an empty name is no wildcard", .san = "DNS:" MX, .pkix = {""},
		.pkix_type = "validation-failure"},
	    {"nor is a dot", .san = "DNS:" MX, .pkix = {"."},
		.pkix_type = "validation-failure"},
	    {"both pass", .san = "DNS:" MX, .base = MX, .dane_type = "",
		.pkix = {MX}, .pkix_type = ""},
	    {"DANE passes, WebPKI does not", .san = "DNS:" MX, .base = MX,
		.dane_type = "", .pkix = {"a.example"}, .pkix_type = MISMATCH},
	    {"RFC 8461 2: WebPKI passes, and DANE does not for that",
		.san = "DNS:a.example", .base = MX, .dane_type = MISMATCH,
		.pkix = {"a.example"}, .pkix_type = ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		run_row(&rows[i]);
}

/* RFC 7672 8.1, RFC 7671 10.2: the name that is asked for. */
static void
the_base_domain_is_the_server_name(void **state)
{
	static const struct {
		const char *sni, *base, *sent;
	} rows[] = {
	    {MX, MX, MX},
	    {NULL, MX, MX},
	    {"", MX, MX},
	    {"a.example", MX, "a.example"},
	    {"a.example", NULL, "a.example"},
	    {"", NULL, ""},
	    {NULL, NULL, ""},
	};
	static const struct shape leaf = {.names = "DNS:" MX};
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {3, 1, 1, 'L'}};
	struct authority authority;
	struct tls_server *server;
	struct tls_client *client;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LI");
	client = client_of(&authority.root);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_demand demand = {.sni = rows[i].sni};
		struct arena *arena = arena_new(10000);
		struct tls *at_server = tls_accept(server, ""), *tls;
		struct tls_facts facts;
		struct tlsa_set set;

		if (rows[i].base != NULL) {
			(void)set_of(
			    &authority, records, rows[i].base, arena, &set);
			demand.set = &set;
		}
		tls = shake_and_keep(client, at_server, &demand);
		tls_facts(at_server, &facts);
		assert_true(facts.up);
		assert_string_equal(facts.sni, rows[i].sent);
		tls_facts(tls, &facts);
		assert_string_equal(facts.sni, rows[i].sent);
		tls_free(&tls);
		tls_free(&at_server);
		arena_free(&arena);
	}
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
}

/* RFC 7672 3.2: with records, the authorities of WebPKI do not help. */
static void
known_authorities_do_not_complete_a_dane_chain(void **state)
{
	static const struct shape leaf = {.names = "DNS:" MX};
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {2, 0, 1, 'R'}};
	struct arena *arena = arena_new(10000);
	struct authority authority;
	struct tls_server *server;
	struct tls_client *client;
	struct tls_facts facts;
	struct tlsa_set set;
	const char *const name[] = {MX};
	struct tls_demand demand = {
	    .set = &set, .pkix_names = name, .npkix_names = 1};

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LI"); /* the anchor is not sent */
	client = client_of(&authority.root);
	(void)set_of(&authority, records, MX, arena, &set);
	shake(client, tls_accept(server, ""), &demand, &facts);
	assert_int_equal(facts.pkix.check, TLS_CHECK_PASSED);
	assert_int_equal(facts.dane.check, TLS_CHECK_FAILED);
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reference_identifiers_of_usage_2),
	    cmocka_unit_test(wildcards_and_common_names),
	    cmocka_unit_test(webpki_by_itself_and_beside_dane),
	    cmocka_unit_test(the_base_domain_is_the_server_name),
	    cmocka_unit_test(known_authorities_do_not_complete_a_dane_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
