/* Chains with other kinds of keys beside one another, and who gets which. */
#include <openssl/ssl.h>

#include "mta/net/tls_session.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define PEM_MAX ((size_t)1 << 16)
#define NOBODY  SIZE_MAX

#define EC  "ECDSA+SHA256"
#define RSA "RSA-PSS+SHA256:RSA+SHA256"
#define ED  "ed25519"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape shapes[] = {
    {.names = "DNS:a.example,DNS:*.w.example"},
    {.names = "DNS:c.example,DNS:*.w.example,DNS:A.example", .rsa_bits = 2048},
    {.names = "DNS:b.example"},
    /* Never: there is one before it. */
    {.names = "DNS:a.example,DNS:*.w.example", .rsa_bits = 2048},
};

struct chains {
	struct authority authority;
	struct issued own[ROWS(shapes)];
	struct tls_server *server;
};

static void
chains_new(struct chains *chains)
{
	struct tls_pair pairs[ROWS(shapes)];
	struct buf pem[ROWS(shapes)], key[ROWS(shapes)];
	struct err err;

	authority_new(&chains->authority, &root, &inter, &shapes[0]);
	for (size_t i = 0; i < ROWS(shapes); i++) {
		chains->own[i] = issue(&shapes[i], &chains->authority.inter);
		buf_init(&pem[i], PEM_MAX);
		buf_init(&key[i], PEM_MAX);
		add_cert_pem(&pem[i], &chains->own[i]);
		add_cert_pem(&pem[i], &chains->authority.inter);
		add_key_pem(&key[i], &chains->own[i]);
		pairs[i] = (struct tls_pair){
		    "one", buf_span(&pem[i]), buf_span(&key[i])};
	}
	assert_int_equal(
	    tls_server_new(&(struct tls_server_setup){.pairs = pairs,
			       .npairs = ROWS(shapes)},
		&chains->server, &err),
	    0);
	for (size_t i = 0; i < ROWS(shapes); i++) {
		buf_free(&pem[i]);
		buf_free(&key[i]);
	}
}

static void
chains_free(struct chains *chains)
{
	tls_server_free(&chains->server);
	for (size_t i = 0; i < ROWS(shapes); i++)
		issued_free(&chains->own[i]);
	authority_free(&chains->authority);
}

/* Which of them a client has seen that can verify these signatures only. */
static size_t
shown_to(
    const struct chains *chains, const char *sni, const char *can, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct tls *server = tls_accept(chains->server, ""), *client;
	size_t which = NOBODY;
	X509 *shown;

	assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, can), 1);
	(void)SSL_CTX_set_max_proto_version(ctx, version);
	client = tls_session_new(SSL_new(ctx), true);
	if (sni[0] != '\0')
		(void)SSL_set_tlsext_host_name(client->ssl, sni);
	shake_ends(client, server);
	shown = SSL_get0_peer_certificate(client->ssl);
	for (size_t i = 0; i < ROWS(shapes) && shown != NULL; i++)
		if (X509_cmp(shown, chains->own[i].cert) == 0)
			which = i;
	if (which != NOBODY) /* the whole chain, whichever it is */
		assert_int_equal(
		    sk_X509_num(SSL_get_peer_cert_chain(client->ssl)), 2);
	tls_free(&client);
	tls_free(&server);
	SSL_CTX_free(ctx);
	return which;
}

/* RFC 8446 4.4.2.2, RFC 5246 7.4.2: one that the client can verify */
static void
the_client_gets_a_key_it_can_verify(void **state)
{
	static const struct {
		const char *sni, *can;
		size_t chain;
	} rows[] = {
	    {"a.example", EC, 0},
	    {"a.example", RSA, 1},
	    {"a.example", RSA ":" EC, 0},
	    {"A.EXAMPLE", RSA, 1},
	    {"x.w.example", EC, 0},
	    {"x.w.example", RSA, 1},
	    {"b.example", EC, 2},
	    {"b.example", RSA, NOBODY}, /* a name that the other has not */
	    {"c.example", RSA, 1},
	    {"c.example", EC, NOBODY},
	    {"", EC, 0},
	    {"", RSA, 1},
	    {"unknown.example", RSA, 1},
	    {"a.example", ED, NOBODY},
	};
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct chains chains;

	(void)state;
	chains_new(&chains);
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t v = 0; v < ROWS(versions); v++)
			if (shown_to(&chains, rows[i].sni, rows[i].can,
				versions[v]) != rows[i].chain)
				fail_msg("row %zu, version %x", i,
				    (unsigned)versions[v]);
	chains_free(&chains);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_client_gets_a_key_it_can_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
