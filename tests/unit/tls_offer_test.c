/* What clients may talk to us in: versions, suites, groups. */
#include <openssl/ssl.h>
#include <string.h>

#include "mta/net/tls_offer.h"
#include "mta/net/tls_session.h"

#include "tests/support/test.h"
#include "tests/support/tls_guest.h"
#include "tests/support/tls_kit.h"

#define ALERT_PROTOCOL_VERSION 70 /* RFC 8446 6.2 */

enum rules {
	MODERN,
	WIDE,
	ONLY_13,
	RULES
};

static struct {
	struct issued rsa, ec;
	struct tls_server *servers[RULES];
} world;

static void
serve(enum rules rules, const struct tls_pair *pairs)
{
	struct tls_server_setup setup = {.pairs = pairs,
	    .npairs = 2,
	    .wide = rules == WIDE,
	    .only_13 = rules == ONLY_13};
	struct err err;

	assert_int_equal(
	    tls_server_new(&setup, &world.servers[rules], &err), 0);
}

static int
world_new(void **state)
{
	static const struct shape rsa = {
	    .names = "DNS:mx.example", .rsa_bits = 2048};
	static const struct shape ec = {.names = "DNS:mx.example"};
	const struct issued *certs[] = {&world.rsa, &world.ec};
	struct tls_pair pairs[2];
	struct buf pem[4];

	(void)state;
	world.rsa = issue(&rsa, NULL);
	world.ec = issue(&ec, NULL);
	for (size_t i = 0; i < 4; i++)
		buf_init(&pem[i], 100000);
	for (size_t i = 0; i < 2; i++) {
		add_cert_pem(&pem[2 * i], certs[i]);
		add_key_pem(&pem[2 * i + 1], certs[i]);
		pairs[i] = (struct tls_pair){
		    "one", buf_span(&pem[2 * i]), buf_span(&pem[2 * i + 1])};
	}
	for (unsigned rules = 0; rules < RULES; rules++)
		serve((enum rules)rules, pairs);
	for (size_t i = 0; i < 4; i++)
		buf_free(&pem[i]);
	return 0;
}

static int
world_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < RULES; i++)
		tls_server_free(&world.servers[i]);
	issued_free(&world.rsa);
	issued_free(&world.ec);
	return 0;
}

/* A suite that comes of it, or NULL: no session. */
static const struct {
	const char *rule;
	enum rules rules;
	struct guest_wish wish;
	const char *version, *suite;
} rows[] = {
    {"RFC 9325 3.1.1: 1.3 is preferred", MODERN, {.least = TLS1_2_VERSION},
	"TLSv1.3", "TLS_AES_256_GCM_SHA384"},
    {"1.2", MODERN, {.most = TLS1_2_VERSION}, "TLSv1.2",
	"ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"RFC 8996 4", MODERN, {.least = TLS1_VERSION, .most = TLS1_VERSION}, NULL,
	NULL},
    {"RFC 8996 5", MODERN, {.least = TLS1_1_VERSION, .most = TLS1_1_VERSION},
	NULL, NULL},
    {"RFC 8996 4, wide", WIDE, {.least = TLS1_VERSION, .most = TLS1_VERSION},
	NULL, NULL},
    {"RFC 8996 5, wide", WIDE,
	{.least = TLS1_1_VERSION, .most = TLS1_1_VERSION}, NULL, NULL},
    {"RFC 9325 3.1.1: SSL 3", WIDE,
	{.least = SSL3_VERSION, .most = SSL3_VERSION}, NULL, NULL},
    {"only 1.3", ONLY_13, {.least = TLS1_2_VERSION}, "TLSv1.3",
	"TLS_AES_256_GCM_SHA384"},
    {"only 1.3: 1.2 is not", ONLY_13, {.most = TLS1_2_VERSION}, NULL, NULL},
    {"RFC 7672 8.2: anonymous suites first", MODERN,
	{.most = TLS1_2_VERSION,
	    .suites = "ADH-AES256-GCM-SHA384:AECDH-AES256-SHA:"
		      "ECDHE-RSA-AES128-GCM-SHA256"},
	"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"RFC 9325 4.1: nothing but anonymous ones", WIDE,
	{.most = TLS1_2_VERSION, .suites = "aNULL"}, NULL, NULL},
    {"RFC 9325 4.1: no encryption", WIDE,
	{.most = TLS1_2_VERSION, .suites = "eNULL"}, NULL, NULL},
    {"RFC 9325 4.1: the server chooses forward secrecy", WIDE,
	{.most = TLS1_2_VERSION,
	    .suites = "AES128-SHA:AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA"},
	"TLSv1.2", "ECDHE-RSA-AES128-SHA"},
    {"RFC 9325 4.2: AEAD before CBC", WIDE,
	{.most = TLS1_2_VERSION,
	    .suites = "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256"},
	"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"CBC", MODERN,
	{.most = TLS1_2_VERSION,
	    .suites = "ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA"},
	NULL, NULL},
    {"CBC, wide", WIDE,
	{.most = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-SHA"}, "TLSv1.2",
	"ECDHE-ECDSA-AES128-SHA"},
    {"RFC 9325 4.1: RSA key transport", MODERN,
	{.most = TLS1_2_VERSION, .suites = "kRSA"}, NULL, NULL},
    {"RSA key transport, wide", WIDE,
	{.most = TLS1_2_VERSION, .suites = "AES128-SHA"}, "TLSv1.2",
	"AES128-SHA"},
    {"a short tag, wide", WIDE,
	{.most = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-CCM8"}, NULL,
	NULL},
    {"finite fields", WIDE, {.most = TLS1_2_VERSION, .suites = "kDHE"}, NULL,
	NULL},
    {"finite fields of TLS 1.3", MODERN,
	{.least = TLS1_3_VERSION, .groups = "ffdhe2048"}, NULL, NULL},
    {"RFC 8446 9.1: P-256", MODERN,
	{.least = TLS1_3_VERSION, .groups = "P-256"}, "TLSv1.3",
	"TLS_AES_256_GCM_SHA384"},
};

static void
what_clients_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct guest_seen seen;

		guest_visit(
		    world.servers[rows[i].rules], "mx", &rows[i].wish, &seen);
		SSL_SESSION_free(seen.ticket);
		if (seen.up != (rows[i].suite != NULL))
			fail_msg("%s: up %d", rows[i].rule, seen.up);
		if (!seen.up)
			continue;
		if (strcmp(seen.cipher, rows[i].suite) != 0 ||
		    strcmp(seen.version, rows[i].version) != 0)
			fail_msg("%s: %s, %s", rows[i].rule, seen.version,
			    seen.cipher);
	}
}

/* RFC 8996 5, RFC 5246 E.1: the client is told what it is about. */
static void
old_versions_are_told_so(void **state)
{
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};

	(void)state;
	for (size_t i = 0; i < ROWS(old); i++) {
		struct guest_wish wish = {.least = old[i], .most = old[i]};
		struct guest_seen seen;

		guest_visit(world.servers[MODERN], "mx", &wish, &seen);
		assert_false(seen.up);
		assert_int_equal(seen.broken, TLS_BREAK_ALERT);
		assert_int_equal(seen.alert, ALERT_PROTOCOL_VERSION);
	}
}

/* RFC 8996 4, 5: "{03,XX}" of a ClientHello's record is not looked at. */
static void
the_version_of_the_record_does_not_matter(void **state)
{
	static const char versions[] = {0, 1, 2, 3, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(versions); i++) {
		struct guest_wish wish = {.sni = "mx.example"};
		struct guest_seen seen = {0};
		struct tls *client = guest_new(&wish, &seen);
		struct tls *server = tls_accept(world.servers[MODERN], "mx");
		struct buf wire, plain;

		buf_init(&wire, 100000);
		buf_init(&plain, 100000);
		assert_int_equal(tls_start(client), TLS_SHAKING);
		assert_int_equal(tls_output(client, &wire), 0);
		assert_true(wire.n > 5);
		wire.p[2] = versions[i];
		assert_int_equal(
		    tls_feed(server, buf_span(&wire), &plain), TLS_SHAKING);
		shake_ends(client, server);
		assert_int_equal(tls_feed(client, SPAN(""), &plain), TLS_UP);
		assert_int_equal(tls_feed(server, SPAN(""), &plain), TLS_UP);
		buf_free(&wire);
		buf_free(&plain);
		tls_free(&client);
		tls_free(&server);
		SSL_SESSION_free(seen.ticket);
	}
}

/* RFC 9325 3.5: a client that asks for it gets no other handshake. */
static void
nobody_renegotiates(void **state)
{
	struct guest_wish wish = {.most = TLS1_2_VERSION};
	struct guest_seen seen = {0};
	struct tls *client = guest_new(&wish, &seen);
	struct tls *server = tls_accept(world.servers[WIDE], "mx");

	(void)state;
	shake_ends(client, server);
	assert_int_equal(SSL_get_secure_renegotiation_support(client->ssl), 1);
	assert_int_equal(SSL_get_extms_support(client->ssl), 1);
	assert_int_equal(SSL_renegotiate(client->ssl), 1);
	(void)SSL_do_handshake(client->ssl);
	shake_ends(client, server);
	assert_int_equal(SSL_num_renegotiations(server->ssl), 0);
	assert_int_not_equal(SSL_do_handshake(client->ssl), 1);
	tls_free(&client);
	tls_free(&server);
	SSL_SESSION_free(seen.ticket);
}

/* RFC 9325 3.3: a client that would compress is not met. */
static void
nobody_compresses(void **state)
{
	struct guest_wish wish = {.most = TLS1_2_VERSION};
	struct guest_seen seen = {0};
	struct tls *client = guest_new(&wish, &seen);
	struct tls *server = tls_accept(world.servers[WIDE], "mx");

	(void)state;
	(void)SSL_clear_options(client->ssl, SSL_OP_NO_COMPRESSION);
	shake_ends(client, server);
	assert_null(SSL_get_current_compression(server->ssl));
	assert_true(SSL_get_options(server->ssl) & SSL_OP_NO_COMPRESSION);
	assert_int_equal(SSL_get_max_early_data(server->ssl), 0);
	tls_free(&client);
	tls_free(&server);
	SSL_SESSION_free(seen.ticket);
}

/* What OpenSSL does not have is passed over. */
static void
groups_are_what_there_is(void **state)
{
	static const char *const lists[] = {
	    "no-such-group:P-256", "P-384:P-256", "X25519"};
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	(void)state;
	assert_ptr_equal(offer_groups(ctx, lists, 3), lists[1]);
	assert_ptr_equal(offer_groups(ctx, lists + 2, 1), lists[2]);
	assert_null(offer_groups(ctx, lists, 1));
	SSL_CTX_free(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_clients_get),
	    cmocka_unit_test(old_versions_are_told_so),
	    cmocka_unit_test(the_version_of_the_record_does_not_matter),
	    cmocka_unit_test(nobody_renegotiates),
	    cmocka_unit_test(nobody_compresses),
	    cmocka_unit_test(groups_are_what_there_is),
	};

	return cmocka_run_group_tests(tests, world_new, world_free);
}
