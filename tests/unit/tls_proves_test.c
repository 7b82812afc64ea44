/* Which suites may authenticate a server, and which do no more than encrypt. */
#include <string.h>

#include "mta/net/tls_session.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {.names = "DNS:" BASE, .rsa_bits = 2048};

static struct {
	struct authority authority;
	struct arena *arena;
	struct tlsa_set set;
	struct tls_client *client;
} world;

static int
world_new(void **state)
{
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {3, 1, 1, 'L'}};

	(void)state;
	world.arena = arena_new(10000);
	authority_new(&world.authority, &root, &inter, &leaf);
	(void)set_of(&world.authority, records, BASE, world.arena, &world.set);
	world.client = client_of(&world.authority.root);
	return 0;
}

static int
world_free(void **state)
{
	(void)state;
	tls_client_free(&world.client);
	authority_free(&world.authority);
	arena_free(&world.arena);
	return 0;
}

/* A server that has these suites of TLS 1.2, in its own order. */
static SSL *
server_with(const char *suites)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	(void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_dh_auto(ctx, 1);
	(void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, suites), 1);
	(void)SSL_CTX_use_certificate(ctx, world.authority.leaf.cert);
	(void)SSL_CTX_use_PrivateKey(ctx, world.authority.leaf.key);
	(void)SSL_CTX_add1_chain_cert(ctx, world.authority.inter.cert);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	return ssl;
}

#define GCM  "ECDHE-RSA-AES128-GCM-SHA256"
#define CBC  "ECDHE-RSA-AES128-SHA256"
#define NOFS "AES128-GCM-SHA256"

static const struct {
	const char *rule;
	const char *suites;
	const char *suite; /* or NULL: no session */
	const char *lacks; /* or NULL: it proves */
	bool demanded, authenticated;
} rows[] = {
    {"RFC 9325 4.2: forward secrecy and AEAD", GCM, GCM, NULL, true, true},
    {"finite fields do, too", "DHE-RSA-AES128-GCM-SHA256",
	"DHE-RSA-AES128-GCM-SHA256", NULL, true, true},
    {"ChaCha20", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
	NULL, true, true},
    {"RFC 9325 4.2: what the server likes better is not offered",
	CBC ":" NOFS ":" GCM, GCM, NULL, true, true},
    {"CBC alone", CBC, NULL, "", true, true},
    {"RFC 9325 4.1: no forward secrecy", NOFS, NULL, "", true, true},
    {"in audit: CBC encrypts", CBC, CBC, "the cipher is no AEAD", true, false},
    {"in audit: the server's own order", CBC ":" GCM, CBC,
	"the cipher is no AEAD", true, false},
    {"in audit: no forward secrecy", NOFS, NOFS,
	"the key exchange has no forward secrecy", true, false},
    {"RFC 7435 3: anything encrypts", CBC, CBC, NULL, false, false},
    {"RFC 7435 3: without forward secrecy, too", NOFS, NOFS, NULL, false,
	false},
};

static void
check_proof(size_t i, const struct tls_proof *proof)
{
	const char *lacks = rows[i].lacks == NULL ? "" : rows[i].lacks;
	enum tls_check wanted = !rows[i].demanded || rows[i].suite == NULL
	                            ? TLS_UNCHECKED
	                        : rows[i].lacks == NULL ? TLS_CHECK_PASSED
	                                                : TLS_CHECK_FAILED;

	if (proof->check != wanted || strcmp(proof->why, lacks) != 0)
		fail_msg("%s: %s: %s", rows[i].rule,
		    tls_check_name(proof->check), proof->why);
}

static void
only_modern_suites_authenticate(void **state)
{
	static const char *const names[] = {BASE};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_demand demand = {.sni = BASE,
		    .set = rows[i].demanded ? &world.set : NULL,
		    .pkix_names = names,
		    .npkix_names = rows[i].demanded ? 1 : 0,
		    .authenticated = rows[i].authenticated};
		struct tls_facts facts;

		shake(world.client,
		    tls_session_new(server_with(rows[i].suites), false),
		    &demand, &facts);
		if (facts.up != (rows[i].suite != NULL) ||
		    (facts.up && strcmp(facts.cipher, rows[i].suite) != 0))
			fail_msg("%s: up %d, %s", rows[i].rule, facts.up,
			    facts.cipher);
		/* RFC 8460 4.4: whoever reads the report is told why. */
		if (!facts.up)
			assert_non_null(strstr(facts.failure,
			    "only forward secrecy and AEAD were offered"));
		check_proof(i, &facts.dane);
		check_proof(i, &facts.pkix);
	}
}

/* What is enforced is not offered what it could not accept. */
static void
a_plan_that_enforces_says_so(void **state)
{
	static const struct {
		enum tls_need need, wanted;
		bool authenticated;
	} plans[] = {
	    {TLS_MAY, TLS_MAY, false},
	    {TLS_ENCRYPT, TLS_ENCRYPT, false},
	    {TLS_AUTH_DANE, TLS_AUTH_DANE, true},
	    {TLS_AUTH_PKIX, TLS_AUTH_PKIX, true},
	    {TLS_AUTH_BOTH, TLS_AUTH_BOTH, true},
	    {TLS_MAY, TLS_AUTH_DANE, false},
	    {TLS_MAY, TLS_AUTH_PKIX, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(plans); i++) {
		struct tls_plan plan = {.need = plans[i].need,
		    .wanted = plans[i].wanted,
		    .one = BASE,
		    .host = ""};
		struct pkix_room room;

		assert_int_equal(tls_demand_of(&plan, &room).authenticated,
		    plans[i].authenticated);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_modern_suites_authenticate),
	    cmocka_unit_test(a_plan_that_enforces_says_so),
	};

	return cmocka_run_group_tests(tests, world_new, world_free);
}
