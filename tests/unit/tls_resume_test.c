/* Resumed sessions: under which key, for how long, and what they prove. */
#include <openssl/lhash.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/clock.h"
#include "mta/net/tls_session.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {.names = "DNS:" BASE};

static struct {
	struct authority authority;
	struct arena *arena;
	struct tlsa_set right, wrong;
	SSL_CTX *tls12;
} world;

static int
world_new(void **state)
{
	static const struct record_of right[RECORDS_OF_MAX] = {{2, 0, 1, 'R'}};
	static const struct record_of wrong[RECORDS_OF_MAX] = {{3, 1, 1, 'O'}};
	struct authority *authority = &world.authority;

	(void)state;
	world.arena = arena_new(10000);
	authority_new(authority, &root, &inter, &leaf);
	(void)set_of(authority, right, BASE, world.arena, &world.right);
	(void)set_of(authority, wrong, BASE, world.arena, &world.wrong);
	world.tls12 = SSL_CTX_new(TLS_server_method());
	(void)SSL_CTX_set_max_proto_version(world.tls12, TLS1_2_VERSION);
	(void)SSL_CTX_use_certificate(world.tls12, authority->leaf.cert);
	(void)SSL_CTX_use_PrivateKey(world.tls12, authority->leaf.key);
	(void)SSL_CTX_add1_chain_cert(world.tls12, authority->inter.cert);
	(void)SSL_CTX_add1_chain_cert(world.tls12, authority->root.cert);
	return 0;
}

static int
world_free(void **state)
{
	(void)state;
	SSL_CTX_free(world.tls12);
	authority_free(&world.authority);
	arena_free(&world.arena);
	return 0;
}

/* One step: connect under a key with a demand. */
struct step {
	const char *key;
	const struct tlsa_set *set;
	const char *pkix;
	bool resumed;
	enum tls_check dane, pkix_check;
};

static void
run_steps(bool tls12, const char *rule, const struct step *steps, size_t n)
{
	struct tls_client *client = client_of(&world.authority.root);
	struct tls_server *server = server_of(&world.authority, "LIR");

	for (size_t i = 0; i < n; i++) {
		const char *const pkix[] = {steps[i].pkix};
		struct tls_demand demand = {.sni = BASE,
		    .set = steps[i].set,
		    .pkix_names = pkix,
		    .npkix_names = steps[i].pkix == NULL ? 0 : 1,
		    .session_key = steps[i].key};
		struct tls_facts facts;

		shake(client,
		    tls12 ? tls_session_new(SSL_new(world.tls12), false)
			  : tls_accept(server, ""),
		    &demand, &facts);
		if (!facts.up || facts.resumed != steps[i].resumed ||
		    facts.dane.check != steps[i].dane ||
		    facts.pkix.check != steps[i].pkix_check ||
		    strcmp(facts.version, tls12 ? "TLSv1.2" : "TLSv1.3") != 0)
			fail_msg("%s, step %zu: up %d, resumed %d, %s, %s, %s",
			    rule, i, facts.up, facts.resumed,
			    tls_check_name(facts.dane.check),
			    tls_check_name(facts.pkix.check), facts.version);
		if (facts.dane.check == TLS_CHECK_PASSED) {
			assert_string_equal(facts.matched, "2 0 1");
			assert_int_equal(facts.depth, 2);
		}
	}
	tls_client_free(&client);
	tls_server_free(&server);
}

#define PASSED TLS_CHECK_PASSED
#define FAILED TLS_CHECK_FAILED

static void
sessions_are_bound_to_their_key(void **state)
{
	const struct {
		const char *rule;
		struct step steps[4];
		size_t n;
	} rows[] = {
	    {"RFC 6698 8.2: the same key, and what it has proved",
		{{"a", &world.right, NULL, false, PASSED, 0},
		    {"a", &world.right, NULL, true, PASSED, 0},
		    {"a", &world.right, NULL, true, PASSED, 0}},
		3},
	    {"another key",
		{{"a", &world.right, NULL, false, PASSED, 0},
		    {"b", &world.right, NULL, false, PASSED, 0},
		    {"a", &world.right, NULL, true, PASSED, 0}},
		3},
	    {"nothing was demanded: nothing is proved by it later",
		{{"a", NULL, NULL, false, 0, 0},
		    {"b", &world.right, NULL, false, PASSED, 0},
		    {"a", NULL, NULL, true, 0, 0}},
		3},
	    {"no key, no session",
		{{NULL, &world.right, NULL, false, PASSED, 0},
		    {NULL, &world.right, NULL, false, PASSED, 0}},
		2},
	    {"what has failed is looked at again",
		{{"a", &world.wrong, NULL, false, FAILED, 0},
		    {"a", &world.wrong, NULL, false, FAILED, 0}},
		2},
	    {"half of it has failed",
		{{"a", &world.right, "a.example", false, PASSED, FAILED},
		    {"a", &world.right, "a.example", false, PASSED, FAILED}},
		2},
	    {"both proofs come back",
		{{"a", &world.right, BASE, false, PASSED, PASSED},
		    {"a", &world.right, BASE, true, PASSED, PASSED}},
		2},
	    {"a demand that cannot be met offers no session",
		{{"a", NULL, BASE, false, 0, PASSED},
		    {"a", NULL, "", false, 0, FAILED}},
		2},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		run_steps(false, rows[i].rule, rows[i].steps, rows[i].n);
		run_steps(true, rows[i].rule, rows[i].steps, rows[i].n);
	}
}

/* RFC 8461 4.2: the host's own name is a proof as the others are. */
static void
the_proof_of_the_hosts_name_comes_back(void **state)
{
	static const struct {
		const char *host;
		enum tls_check check;
	} rows[] = {{BASE, PASSED}, {"a.example", FAILED}, {".", FAILED}};
	struct tls_server *server = server_of(&world.authority, "LIR");

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_client *client = client_of(&world.authority.root);

		for (int again = 0; again < 2; again++) {
			struct tls_demand demand = {.sni = BASE,
			    .host = rows[i].host,
			    .session_key = "a"};
			struct tls_facts facts;

			shake(client, tls_accept(server, ""), &demand, &facts);
			assert_int_equal(facts.host.check, rows[i].check);
			assert_int_equal(facts.pkix.check, TLS_UNCHECKED);
			assert_int_equal(facts.resumed,
			    again == 1 && rows[i].check == PASSED);
		}
		tls_client_free(&client);
	}
	tls_server_free(&server);
}

/* A session of TLS 1.3 as the cache would get it. */
static SSL_SESSION *
session_of(int version)
{
	SSL_SESSION *session = SSL_SESSION_new();
	const unsigned char id[] = {1};

	(void)SSL_SESSION_set_protocol_version(session, version);
	(void)SSL_SESSION_set1_id(session, id, sizeof(id));
	(void)SSL_SESSION_set_timeout(session, 7200);
	return session;
}

static bool
put(struct tls_cache *cache, const char *key, int64_t since, int64_t now)
{
	struct tls_kept kept = {.since = since, .depth = 7};
	SSL_SESSION *session = session_of(TLS1_2_VERSION);

	if (tls_cache_put(cache, key, session, &kept, now))
		return true;
	SSL_SESSION_free(session);
	return false;
}

static bool
take(struct tls_cache *cache, const char *key, int64_t now)
{
	struct tls_kept kept = {0};
	SSL_SESSION *session = tls_cache_take(cache, key, now, &kept);
	bool found = session != NULL;

	assert_int_equal(kept.depth, found ? 7 : 0);
	SSL_SESSION_free(session);
	return found;
}

static void
sessions_last_an_hour_from_the_full_handshake(void **state)
{
	struct tls_cache *cache = tls_cache_new(10);

	(void)state;
	assert_true(put(cache, "a", 1000, 1000));
	assert_true(take(cache, "a", 1000));
	assert_true(take(cache, "a", 1000 + TLS_CACHE_LIFETIME - 1));
	assert_false(take(cache, "a", 1000 + TLS_CACHE_LIFETIME));
	assert_int_equal(tls_cache_count(cache), 0);
	/* Renewed when half is over: the hour goes on. */
	assert_true(put(cache, "a", 1000, 2800));
	assert_false(take(cache, "a", 1000 + TLS_CACHE_LIFETIME));
	assert_false(put(cache, "a", 1000, 1000 + TLS_CACHE_LIFETIME));
	/* The clock was set back. */
	assert_true(put(cache, "a", 5000, 5000));
	assert_false(take(cache, "a", 4999));
	tls_cache_free(&cache);
}

/* RFC 8446 4.6.1: 0 is "at once"; RFC 5077 3.3: 0 says nothing. */
static void
a_ticket_without_a_lifetime(void **state)
{
	struct tls_cache *cache = tls_cache_new(10);
	struct tls_kept kept = {.since = 1};
	SSL_SESSION *session = session_of(TLS1_3_VERSION);

	(void)state;
	assert_false(tls_cache_put(cache, "a", session, &kept, 1));
	SSL_SESSION_free(session);
	session = session_of(TLS1_2_VERSION);
	assert_true(tls_cache_put(cache, "a", session, &kept, 1));
	tls_cache_free(&cache);
}

static void
the_cache_is_bounded(void **state)
{
	struct tls_cache *cache = tls_cache_new(5);

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_true(put(cache, "same", 1, 1));
	assert_int_equal(tls_cache_count(cache), TLS_CACHE_PER_KEY);
	assert_true(put(cache, "a", 1, 1));
	assert_int_equal(tls_cache_count(cache), 5);
	/* The least lately used one goes. */
	assert_true(take(cache, "same", 1));
	assert_true(put(cache, "b", 1, 1));
	assert_true(put(cache, "c", 1, 1));
	assert_int_equal(tls_cache_count(cache), 5);
	assert_true(take(cache, "a", 1));
	assert_true(take(cache, "b", 1));
	assert_true(take(cache, "c", 1));
	assert_true(take(cache, "same", 1));
	assert_false(take(cache, "d", 1));
	tls_cache_free(&cache);
}

static void
the_least_lately_used_one_goes(void **state)
{
	struct tls_cache *cache = tls_cache_new(2);

	(void)state;
	assert_true(put(cache, "a", 1, 1));
	assert_true(put(cache, "b", 1, 1));
	assert_true(take(cache, "a", 1));
	assert_true(put(cache, "c", 1, 1));
	assert_true(take(cache, "a", 1));
	assert_false(take(cache, "b", 1));
	tls_cache_free(&cache);
}

/* Two keys of one hash are two keys. */
static void
a_session_is_found_by_all_of_its_key(void **state)
{
	struct tls_cache *cache = tls_cache_new(2);

	(void)state;
	assert_int_equal(
	    OPENSSL_LH_strhash("dgsw"), OPENSSL_LH_strhash("hibr"));
	assert_true(put(cache, "dgsw", 1, 1));
	assert_false(take(cache, "hibr", 1));
	assert_true(take(cache, "dgsw", 1));
	tls_cache_free(&cache);
}

/* Perhaps it failed because of what was offered in it. */
static void
a_handshake_that_fails_forgets_its_sessions(void **state)
{
	struct tls_client *client = client_of(&world.authority.root);
	struct tls_demand demand = {.session_key = "a"};
	struct tls_cache *cache;
	struct tls_facts facts;
	struct tls *tls;
	struct buf plain;

	(void)state;
	shake(client, tls_session_new(SSL_new(world.tls12), false), &demand,
	    &facts);
	assert_true(facts.up);
	tls = tls_connect(client, &demand);
	cache = tls_cache_hold(tls->cache);
	assert_int_equal(tls_start(tls), TLS_SHAKING);
	buf_init(&plain, 100);
	assert_int_equal(
	    tls_feed(tls, SPAN("454 no TLS\r\n"), &plain), TLS_FAILED);
	assert_int_equal(tls_cache_count(cache), 1);
	tls_free(&tls);
	assert_int_equal(tls_cache_count(cache), 0);
	tls_cache_free(&cache);
	buf_free(&plain);
	tls_client_free(&client);
}

/* RFC 8446 C.4 */
static void
tickets_are_used_once(void **state)
{
	struct tls_cache *cache = tls_cache_new(5);
	struct tls_kept kept = {.since = 1};
	struct tls_client *client = client_of(&world.authority.root);
	struct tls_server *server = server_of(&world.authority, "L");
	struct tls_demand demand = {.session_key = "a"};
	struct tls *at_server = tls_accept(server, ""), *tls;
	SSL_SESSION *session;

	(void)state;
	tls = shake_and_keep(client, at_server, &demand);
	/* The server gave one ticket. */
	assert_int_equal(tls_cache_count(tls->cache), 1);
	session = tls_cache_take(tls->cache, "a", clock_wall(), &kept);
	assert_non_null(session);
	assert_int_equal(tls_cache_count(tls->cache), 0);
	/* RFC 8446 4.2.10, RFC 9325 3.10: no early data was ever allowed. */
	assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
	SSL_SESSION_free(session);
	tls_free(&tls);
	tls_free(&at_server);
	tls_client_free(&client);
	tls_server_free(&server);
	tls_cache_free(&cache);
}

static int
add_to_ticket(SSL *ssl, void *arg)
{
	static const uint8_t data[20000];
	const size_t *n = arg;

	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, *n);
}

/* A peer that gives tickets of so much, behind a chain so long. */
static size_t
kept_of(size_t ticket, size_t nchain)
{
	const struct authority *authority = &world.authority;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_client *client = client_of(&authority->root);
	struct tls_demand demand = {.session_key = "a"};
	struct tls *at_server, *tls;
	size_t n;

	(void)SSL_CTX_use_certificate(ctx, authority->leaf.cert);
	(void)SSL_CTX_use_PrivateKey(ctx, authority->leaf.key);
	for (size_t i = 0; i < nchain; i++)
		(void)SSL_CTX_add1_chain_cert(ctx, authority->inter.cert);
	(void)SSL_CTX_set_session_ticket_cb(ctx, add_to_ticket, NULL, &ticket);
	at_server = tls_session_new(SSL_new(ctx), false);
	tls = shake_and_keep(client, at_server, &demand);
	n = tls_cache_count(tls->cache);
	tls_free(&tls);
	tls_free(&at_server);
	tls_client_free(&client);
	SSL_CTX_free(ctx);
	return n;
}

static void
what_a_peer_makes_large_is_not_kept(void **state)
{
	(void)state;
	assert_true(kept_of(1000, 2) > 0);
	assert_int_equal(kept_of(17000, 2), 0);
	assert_int_equal(kept_of(0, 60), 0);
}

/* Its sessions hold what they need of it. */
static void
a_client_may_go_before_its_sessions(void **state)
{
	struct tls_client *client = client_of(&world.authority.root);
	struct tls_server *server = server_of(&world.authority, "LI");
	const char *const names[] = {BASE};
	struct tls_demand demand = {
	    .pkix_names = names, .npkix_names = 1, .session_key = "a"};
	struct tls *at_server = tls_accept(server, ""), *tls;
	struct tls_facts facts;

	(void)state;
	tls = shake_and_keep(client, at_server, &demand);
	tls_client_free(&client);
	tls_facts(tls, &facts);
	assert_int_equal(facts.pkix.check, TLS_CHECK_PASSED);
	tls_bye(tls);
	tls_free(&tls);
	tls_free(&at_server);
	tls_server_free(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sessions_are_bound_to_their_key),
	    cmocka_unit_test(the_proof_of_the_hosts_name_comes_back),
	    cmocka_unit_test(sessions_last_an_hour_from_the_full_handshake),
	    cmocka_unit_test(a_ticket_without_a_lifetime),
	    cmocka_unit_test(the_cache_is_bounded),
	    cmocka_unit_test(the_least_lately_used_one_goes),
	    cmocka_unit_test(a_session_is_found_by_all_of_its_key),
	    cmocka_unit_test(a_handshake_that_fails_forgets_its_sessions),
	    cmocka_unit_test(tickets_are_used_once),
	    cmocka_unit_test(what_a_peer_makes_large_is_not_kept),
	    cmocka_unit_test(a_client_may_go_before_its_sessions),
	};

	return cmocka_run_group_tests(tests, world_new, world_free);
}
