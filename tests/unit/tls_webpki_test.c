/* What WebPKI asks of a mail host's chain, and what DANE-EE does not. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mta/net/tls_offline.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define MX "mx.example.org"

/* NULL: as it should be. */
struct row {
	const char *rule;
	const struct shape *root, *inter, *leaf;
	const char *type;   /* of WebPKI; "" passes */
	const char *anchor; /* of 2 0 1, below the same chain */
};

#define CA        .basic = "critical,CA:TRUE"
#define UNTRUSTED "certificate-not-trusted"
#define MISMATCH  "certificate-host-mismatch"
#define INVALID   "validation-failure"

static const struct shape good_root = {.cn = "Root", CA};
static const struct shape good_inter = {.cn = "Inter", CA};
static const struct shape good_leaf = {.names = "DNS:" MX};

static const struct shape rsa_2048 = {.names = "DNS:" MX, .rsa_bits = 2048};
static const struct shape rsa_1024 = {.names = "DNS:" MX, .rsa_bits = 1024};
static const struct shape p224 = {.names = "DNS:" MX, .curve = "P-224"};
static const struct shape p192 = {.names = "DNS:" MX, .curve = "P-192"};
static const struct shape sha1_leaf = {.names = "DNS:" MX, .digest = "SHA1"};
static const struct shape sha1_inter = {.cn = "Inter", CA, .digest = "SHA1"};
static const struct shape sha1_root = {.cn = "Root", CA, .digest = "SHA1"};
static const struct shape small_inter = {.cn = "Inter", CA, .rsa_bits = 1024};
static const struct shape small_root = {.cn = "Root", CA, .rsa_bits = 1024};
static const struct shape server = {
    .names = "DNS:" MX, .purpose = "serverAuth"};
static const struct shape both = {
    .names = "DNS:" MX, .purpose = "clientAuth,serverAuth"};
static const struct shape client_only = {
    .names = "DNS:" MX, .purpose = "clientAuth"};
static const struct shape mail_only = {
    .names = "DNS:" MX, .purpose = "emailProtection"};
static const struct shape mail_inter = {
    .cn = "Inter", CA, .purpose = "emailProtection"};
static const struct shape common_name = {.cn = MX};
static const struct shape other_name = {.names = "DNS:mx.example.net"};
static const struct shape wildcard = {.names = "DNS:*.example.org"};
static const struct shape expired = {
    .names = "DNS:" MX, .from_day = -30, .to_day = -1};
static const struct shape to_come = {.names = "DNS:" MX, .from_day = 1};
static const struct shape no_authority = {.cn = "Inter"};

static const struct row rows[] = {
    {"as it should be", NULL, NULL, NULL, "", ""},
    {"RFC 9325 4.1 RSA of 2048 bits", NULL, NULL, &rsa_2048, "", ""},
    {"RFC 9325 4.1 RSA of 1024 bits", NULL, NULL, &rsa_1024, INVALID, INVALID},
    {"an intermediate of 1024 bits", NULL, &small_inter, NULL, INVALID,
	INVALID},
    {"a root of 1024 bits", &small_root, NULL, NULL, INVALID, INVALID},
    {"RFC 9325 4.1 a curve of 224 bits", NULL, NULL, &p224, "", ""},
    {"RFC 9325 4.1 a curve of 192 bits", NULL, NULL, &p192, INVALID, INVALID},
    {"RFC 9155 SHA-1 under the leaf", NULL, NULL, &sha1_leaf, INVALID, INVALID},
    {"RFC 9155 SHA-1 under an intermediate", NULL, &sha1_inter, NULL, INVALID,
	INVALID},
    {"SHA-1 under a root, which nobody looks at", &sha1_root, NULL, NULL, "",
	""},
    {"serverAuth", NULL, NULL, &server, "", ""},
    {"serverAuth among others", NULL, NULL, &both, "", ""},
    {"clientAuth alone", NULL, NULL, &client_only, UNTRUSTED, UNTRUSTED},
    {"emailProtection alone", NULL, NULL, &mail_only, UNTRUSTED, UNTRUSTED},
    {"an authority for emailProtection", NULL, &mail_inter, NULL, UNTRUSTED,
	UNTRUSTED},
    {"an intermediate that is no authority", NULL, &no_authority, NULL,
	UNTRUSTED, UNTRUSTED},
    {"RFC 8461 4.2 a common name is no DNS-ID", NULL, NULL, &common_name,
	MISMATCH, ""},
    {"RFC 8461 4.2 another's name", NULL, NULL, &other_name, MISMATCH,
	MISMATCH},
    {"RFC 9525 6.3 a wildcard", NULL, NULL, &wildcard, "", ""},
    {"RFC 8461 4.2 expired", NULL, NULL, &expired, "certificate-expired",
	"certificate-expired"},
    {"not yet valid", NULL, NULL, &to_come, INVALID, INVALID},
};

static const struct shape *
or_good(const struct shape *shape, const struct shape *good)
{
	return shape == NULL ? good : shape;
}

static void
expect(const struct row *row, const char *what, const struct tls_proof *proof,
    const char *type)
{
	enum tls_check check = type[0] == '\0' ? TLS_CHECK_PASSED
	                                       : TLS_CHECK_FAILED;

	if (proof->check != check || strcmp(proof->result_type, type) != 0)
		fail_msg("%s: %s %s, %s, %s", row->rule, what,
		    tls_check_name(proof->check), proof->result_type,
		    proof->why);
}

/* Our own server would not present all of these.  Takes the client. */
static void
verify_by(struct tls_client *client, const struct authority *authority,
    const struct tls_demand *demand, struct tls_facts *ret_facts)
{
	struct err err;
	struct buf pem;

	buf_init(&pem, 100000);
	add_cert_pem(&pem, &authority->leaf);
	add_cert_pem(&pem, &authority->inter);
	add_cert_pem(&pem, &authority->root);
	*ret_facts = (struct tls_facts){0};
	assert_int_equal(tls_verify_offline(client, buf_span(&pem), demand, 0,
			     ret_facts, &err),
	    0);
	buf_free(&pem);
	tls_client_free(&client);
}

static void
verify(const struct authority *authority, const struct tls_demand *demand,
    struct tls_facts *ret_facts)
{
	verify_by(client_of(&authority->root), authority, demand, ret_facts);
}

/* With WebPKI and the records of one usage. */
static void
run_row(const struct row *row, const struct record_of *record, bool by_name,
    struct tls_facts *ret_facts)
{
	static const char *const name[] = {MX};
	const struct record_of records[RECORDS_OF_MAX] = {*record};
	struct arena *arena = arena_new(100000);
	struct authority authority;
	struct tlsa_set set;
	struct tls_demand demand = {.sni = MX, .set = &set, .host = MX};

	if (by_name) {
		demand.pkix_names = name;
		demand.npkix_names = 1;
	}
	authority_new(&authority, or_good(row->root, &good_root),
	    or_good(row->inter, &good_inter), or_good(row->leaf, &good_leaf));
	assert_int_equal(
	    set_of(&authority, records, MX, arena, &set), TLSA_USABLE);
	verify(&authority, &demand, ret_facts);
	authority_free(&authority);
	arena_free(&arena);
}

static void
webpki_of_a_mail_host(void **state)
{
	static const struct record_of anchor = {2, 0, 1, 'R'};
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run_row(&rows[i], &anchor, true, &facts);
		expect(&rows[i], "WebPKI", &facts.pkix, rows[i].type);
		expect(&rows[i], "the host's name", &facts.host, rows[i].type);
		expect(&rows[i], "2 0 1", &facts.dane, rows[i].anchor);
	}
}

/* The name alone, apart from names that were not asked for. */
static void
the_name_is_a_proof_of_its_own(void **state)
{
	static const struct record_of anchor = {2, 0, 1, 'R'};
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run_row(&rows[i], &anchor, false, &facts);
		expect(&rows[i], "the host's name", &facts.host, rows[i].type);
		assert_int_equal(facts.pkix.check, TLS_UNCHECKED);
	}
}

/* RFC 7672 3.1.1: the key is what the record says, and nothing else counts. */
static void
usage_3_asks_for_nothing_of_it(void **state)
{
	static const struct record_of leaf = {3, 1, 1, 'L'};
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		bool small = rows[i].leaf == &rsa_1024 || rows[i].leaf == &p192;

		run_row(&rows[i], &leaf, true, &facts);
		/* But 112 bits, docs/decisions-tls.md. */
		expect(&rows[i], "3 1 1", &facts.dane, small ? INVALID : "");
		expect(&rows[i], "WebPKI", &facts.pkix, rows[i].type);
	}
}

static void
write_root(const struct authority *authority, int fd)
{
	struct buf pem;

	buf_init(&pem, 100000);
	add_cert_pem(&pem, &authority->root);
	assert_int_equal(write(fd, pem.p, pem.n), pem.n);
	assert_int_equal(close(fd), 0);
	buf_free(&pem);
}

/* Only what is configured, whatever OpenSSL would take from outside. */
static void
the_environment_trusts_nobody(void **state)
{
	char path[] = "/tmp/danelaw-test-env-XXXXXX";
	struct tls_client_setup setup = {.ca_file = NULL};
	struct tls_demand demand = {.host = MX};
	struct authority authority;
	struct tls_client *client;
	struct tls_facts facts;
	struct err err;

	(void)state;
	authority_new(&authority, &good_root, &good_inter, &good_leaf);
	write_root(&authority, mkstemp(path));
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
	for (int configured = 0; configured < 2; configured++) {
		setup.ca_file = configured == 1 ? path : NULL;
		assert_int_equal(tls_client_new(&setup, &client, &err), 0);
		verify_by(client, &authority, &demand, &facts);
		assert_int_equal(facts.host.check,
		    configured == 1 ? TLS_CHECK_PASSED : TLS_CHECK_FAILED);
	}
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	(void)unlink(path);
	authority_free(&authority);
}

/* RFC 8461 4.2 and an operator's `match`: neither answers for the other. */
static void
names_of_an_operator_beside_the_hosts(void **state)
{
	static const char *const match[] = {"a.example"};
	static const char *const any[] = {MX, "a.example"};
	static const struct {
		const char *san;
		const char *pkix, *host;
	} cases[] = {
	    {"DNS:a.example", "", MISMATCH},
	    {"DNS:" MX ",DNS:a.example", "", ""},
	    {"DNS:b.example", MISMATCH, MISMATCH},
	    {"DNS:" MX, MISMATCH, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct shape leaf = {.names = cases[i].san};
		struct row row = {.rule = cases[i].san, .leaf = &leaf};
		struct tls_demand demand = {.sni = MX,
		    .pkix_names = match,
		    .npkix_names = 1,
		    .host = MX};
		struct authority authority;
		struct tls_facts facts;

		authority_new(&authority, &good_root, &good_inter, &leaf);
		verify(&authority, &demand, &facts);
		expect(&row, "WebPKI", &facts.pkix, cases[i].pkix);
		expect(&row, "the host's name", &facts.host, cases[i].host);
		/* Two names are not one. */
		demand.pkix_names = any;
		demand.npkix_names = 2;
		verify(&authority, &demand, &facts);
		expect(&row, "the host's name", &facts.host, cases[i].host);
		/* A name that is none passes nowhere. */
		demand.host = ".example.org";
		verify(&authority, &demand, &facts);
		expect(&row, "a suffix", &facts.host, INVALID);
		authority_free(&authority);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(webpki_of_a_mail_host),
	    cmocka_unit_test(the_name_is_a_proof_of_its_own),
	    cmocka_unit_test(usage_3_asks_for_nothing_of_it),
	    cmocka_unit_test(names_of_an_operator_beside_the_hosts),
	    cmocka_unit_test(the_environment_trusts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
