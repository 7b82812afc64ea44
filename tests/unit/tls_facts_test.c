/* What a session tells of itself: failures in words, strength, the chain. */
#include <openssl/dh.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <time.h>

#include "mta/net/tls_offline.h"
#include "mta/net/tls_result.h"
#include "mta/net/tls_session.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {
    .cn = "A, B", .names = "DNS:" BASE ",DNS:*.a.example"};

/* The authority is unknown, the chain broken, a constraint hurt. */
static const int untrusted[] = {
    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
    X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
    X509_V_ERR_CERT_SIGNATURE_FAILURE,
    X509_V_ERR_CERT_CHAIN_TOO_LONG,
    X509_V_ERR_CERT_REVOKED,
    X509_V_ERR_CERT_UNTRUSTED,
    X509_V_ERR_CERT_REJECTED,
    X509_V_ERR_INVALID_CA,
    X509_V_ERR_INVALID_NON_CA,
    X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
    X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE,
    X509_V_ERR_AKID_SKID_MISMATCH,
    X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH,
    X509_V_ERR_SUBJECT_ISSUER_MISMATCH,
    X509_V_ERR_EXCLUDED_VIOLATION,
    X509_V_ERR_SUBTREE_MINMAX,
    X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE,
    X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
    X509_V_ERR_UNSUPPORTED_NAME_SYNTAX,
    X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
};

/* RFC 8460 4.3: a closed list; errors of every number fall into it. */
static void
verify_errors_have_result_types(void **state)
{
	static const struct {
		int error;
		const char *type;
	} rows[] = {
	    {X509_V_OK, ""},
	    {X509_V_ERR_HOSTNAME_MISMATCH, "certificate-host-mismatch"},
	    {X509_V_ERR_CERT_HAS_EXPIRED, "certificate-expired"},
	    {X509_V_ERR_CERT_NOT_YET_VALID, "validation-failure"},
	    {X509_V_ERR_DANE_NO_MATCH, "validation-failure"},
	    {X509_V_ERR_EE_KEY_TOO_SMALL, "validation-failure"},
	    {X509_V_ERR_CA_MD_TOO_WEAK, "validation-failure"},
	    {X509_V_ERR_UNSPECIFIED, "validation-failure"},
	    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate-not-trusted"},
	    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate-not-trusted"},
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
		"certificate-not-trusted"},
	    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "certificate-not-trusted"},
	    {X509_V_ERR_PERMITTED_VIOLATION, "certificate-not-trusted"},
	    {X509_V_ERR_INVALID_PURPOSE, "certificate-not-trusted"},
	    {-1, "validation-failure"},
	    {9999, "validation-failure"},
	};
	static const char *const list[] = {"certificate-host-mismatch",
	    "certificate-expired", "certificate-not-trusted",
	    "validation-failure"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (strcmp(tls_result_type(rows[i].error), rows[i].type) != 0)
			fail_msg("%d: %s", rows[i].error,
			    tls_result_type(rows[i].error));
	for (size_t i = 0; i < ROWS(untrusted); i++)
		if (strcmp(tls_result_type(untrusted[i]),
			"certificate-not-trusted") != 0)
			fail_msg("%d", untrusted[i]);
	for (int error = 1; error < 200; error++) {
		bool known = false;

		for (size_t i = 0; i < ROWS(list); i++)
			known |= strcmp(tls_result_type(error), list[i]) == 0;
		if (!known)
			fail_msg("%d", error);
	}
}

static enum tls_check
verify(const struct shape *leaf_shape, const struct shape *inter_shape,
    const struct record_of *records)
{
	const char *const names[] = {BASE};
	struct arena *arena = arena_new(100000);
	struct tls_demand demand = {0};
	struct tls_facts facts = {0};
	struct authority authority;
	struct tls_client *client;
	struct tlsa_set set;
	struct buf pem;
	struct err err;

	authority_new(&authority, &root, inter_shape, leaf_shape);
	client = client_of(&authority.root);
	if (records != NULL) {
		(void)set_of(&authority, records, BASE, arena, &set);
		demand.set = &set;
	} else {
		demand.pkix_names = names;
		demand.npkix_names = 1;
	}
	buf_init(&pem, 100000);
	add_cert_pem(&pem, &authority.leaf);
	add_cert_pem(&pem, &authority.inter);
	add_cert_pem(&pem, &authority.root);
	assert_int_equal(tls_verify_offline(
			     client, buf_span(&pem), &demand, 0, &facts, &err),
	    0);
	buf_free(&pem);
	tls_client_free(&client);
	authority_free(&authority);
	arena_free(&arena);
	return records != NULL ? facts.dane.check : facts.pkix.check;
}

/* RFC 9325 4.1: 112 bits, in whatever way a chain is verified. */
static void
weak_keys_and_digests_authenticate_nobody(void **state)
{
	static const struct {
		const char *rule;
		struct shape leaf, inter;
		enum tls_check check;
	} rows[] = {
	    {"RSA, 2048 bits", {.names = "DNS:" BASE, .rsa_bits = 2048},
		{.cn = "I", .basic = "critical,CA:TRUE"}, TLS_CHECK_PASSED},
	    {"RSA, 1024 bits", {.names = "DNS:" BASE, .rsa_bits = 1024},
		{.cn = "I", .basic = "critical,CA:TRUE"}, TLS_CHECK_FAILED},
	};
	static const struct shape sha1 = {
	    .names = "DNS:" BASE, .digest = "SHA1"};
	static const struct record_of ee[RECORDS_OF_MAX] = {{3, 1, 1, 'L'}};
	static const struct record_of ta[RECORDS_OF_MAX] = {{2, 0, 1, 'R'}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (verify(&rows[i].leaf, &rows[i].inter, NULL) !=
			rows[i].check ||
		    verify(&rows[i].leaf, &rows[i].inter, ta) !=
			rows[i].check ||
		    verify(&rows[i].leaf, &rows[i].inter, ee) != rows[i].check)
			fail_msg("%s", rows[i].rule);
	assert_int_equal(verify(&sha1, &inter, NULL), TLS_CHECK_FAILED);
	assert_int_equal(verify(&sha1, &inter, ta), TLS_CHECK_FAILED);
	/* RFC 7672 3.1.1: who signed the leaf, and how, does not matter. */
	assert_int_equal(verify(&sha1, &inter, ee), TLS_CHECK_PASSED);
}

/* A server of our own making: this group, these ciphers. */
static SSL_CTX *
old_server(const struct authority *authority, const char *ciphers)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	(void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_cipher_list(ctx, ciphers);
	(void)SSL_CTX_use_certificate(ctx, authority->leaf.cert);
	(void)SSL_CTX_use_PrivateKey(ctx, authority->leaf.key);
	return ctx;
}

/* Parameters of RFC 5114 2.1 (1024 bits). */
static EVP_PKEY *
dh_1024(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DHX", NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dhx_rfc5114(ctx, 1), 1);
	assert_int_equal(EVP_PKEY_paramgen(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/*
 * RFC 7435 3: the handshake goes through; RFC 9325 4.1: it proves nothing.
 */
static void
a_weak_key_exchange_encrypts_and_proves_nothing(void **state)
{
	static const struct shape rsa = {
	    .names = "DNS:" BASE, .rsa_bits = 2048};
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {3, 1, 1, 'L'}};
	struct arena *arena = arena_new(10000);
	struct tls_client_setup setup = {0};
	struct authority authority;
	struct tls_client *client;
	struct tls_facts facts;
	struct tlsa_set set;
	struct tls_demand demand = {.set = &set};
	SSL_CTX *ctx;
	struct err err;

	(void)state;
	authority_new(&authority, &root, &inter, &rsa);
	(void)set_of(&authority, records, BASE, arena, &set);
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	ctx = old_server(&authority, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0");
	(void)SSL_CTX_set0_tmp_dh_pkey(ctx, dh_1024());
	shake(client, tls_session_new(SSL_new(ctx), false), &demand, &facts);
	assert_true(facts.up);
	assert_string_equal(facts.group, "DH 1024 bits");
	assert_int_equal(facts.dane.check, TLS_CHECK_FAILED);
	assert_string_equal(facts.dane.result_type, "validation-failure");
	assert_string_equal(facts.matched, "");
	SSL_CTX_free(ctx);
	ctx = old_server(&authority, "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0");
	(void)SSL_CTX_set1_sigalgs_list(ctx, "RSA+SHA1");
	shake(client, tls_session_new(SSL_new(ctx), false), &demand, &facts);
	assert_true(facts.up);
	assert_int_equal(facts.dane.check, TLS_CHECK_FAILED);
	SSL_CTX_free(ctx);
	tls_client_free(&client);
	authority_free(&authority);
	arena_free(&arena);
}

/* RFC 7672 8.2: no suite without a certificate is offered. */
static void
anonymous_servers_get_no_session(void **state)
{
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {0};
	struct authority authority;
	struct tls_client *client;
	struct tls_facts facts;
	struct err err;
	SSL_CTX *ctx;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	ctx = old_server(&authority, "aNULL:@SECLEVEL=0");
	shake(client, tls_session_new(SSL_new(ctx), false), &demand, &facts);
	assert_false(facts.up);
	assert_int_equal(facts.dane.check, TLS_UNCHECKED);
	assert_string_equal(facts.dane.result_type, "");
	SSL_CTX_free(ctx);
	tls_client_free(&client);
	authority_free(&authority);
}

/* RFC 8996 4, RFC 8996 5, RFC 9325 3.1.1 */
static void
old_versions_get_no_session(void **state)
{
	static const struct {
		int version;
		bool up;
	} rows[] = {{TLS1_VERSION, false}, {TLS1_1_VERSION, false},
	    {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {0};
	struct authority authority;
	struct tls_client *client;
	struct err err;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		SSL_CTX *ctx = old_server(&authority, "ALL:@SECLEVEL=0");
		struct tls_facts facts;

		(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		(void)SSL_CTX_set_max_proto_version(ctx, rows[i].version);
		shake(client, tls_session_new(SSL_new(ctx), false), &demand,
		    &facts);
		assert_int_equal(facts.up, rows[i].up);
		assert_int_equal(facts.failure[0] == '\0', rows[i].up);
		SSL_CTX_free(ctx);
	}
	tls_client_free(&client);
	authority_free(&authority);
}

/* RFC 9325 3.1.1: the same of clients. */
static void
old_clients_get_no_session(void **state)
{
	static const struct {
		int version;
		bool up;
	} rows[] = {{TLS1_VERSION, false}, {TLS1_1_VERSION, false},
	    {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
	struct authority authority;
	struct tls_server *server;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LI");
	for (size_t i = 0; i < ROWS(rows); i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct tls *tls = tls_accept(server, "");
		struct tls *client;
		struct tls_facts facts;

		/* Ours is not to refuse for the weakness of its hashes. */
		SSL_set_security_level(tls->ssl, 0);
		SSL_CTX_set_security_level(ctx, 0);
		(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		(void)SSL_CTX_set_max_proto_version(ctx, rows[i].version);
		client = tls_session_new(SSL_new(ctx), true);
		shake_ends(client, tls);
		tls_facts(tls, &facts);
		assert_int_equal(facts.up, rows[i].up);
		tls_free(&client);
		tls_free(&tls);
		SSL_CTX_free(ctx);
	}
	tls_server_free(&server);
	authority_free(&authority);
}

static void
the_peers_chain_can_be_looked_at(void **state)
{
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {0};
	struct tls_cert certs[3] = {0};
	struct authority authority;
	struct tls_client *client;
	struct tls_server *server;
	struct tls *at_server, *tls;
	struct buf spki;
	struct err err;
	int64_t now = (int64_t)time(NULL);

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LI");
	at_server = tls_accept(server, "");
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	tls = shake_and_keep(client, at_server, &demand);
	assert_int_equal(tls_peer_chain(tls, certs, 1), 1);
	assert_string_equal(certs[1].subject, "");
	assert_int_equal(tls_peer_chain(tls, certs, 3), 2);
	assert_string_equal(certs[0].subject, "CN=A\\, B");
	assert_string_equal(certs[0].issuer, "CN=Inter");
	assert_string_equal(certs[0].names, BASE " *.a.example");
	assert_string_equal(certs[0].key, "EC prime256v1");
	assert_int_equal(certs[0].bits, 256);
	assert_in_range(certs[0].not_before, now - 86410, now - 86390);
	assert_in_range(
	    certs[0].not_after, now + 90 * 86400 - 10, now + 90 * 86400);
	assert_string_equal(certs[1].subject, "CN=Inter");
	assert_string_equal(certs[1].names, "");
	buf_init(&spki, 100);
	add_association(&spki, &authority.leaf, 1, 1);
	assert_memory_equal(certs[0].spki_sha256, spki.p, 32);
	buf_clear(&spki);
	add_association(&spki, &authority.leaf, 0, 1);
	assert_memory_equal(certs[0].sha256, spki.p, 32);
	buf_free(&spki);
	tls_free(&tls);
	tls_free(&at_server);
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
}

/* Names of a stranger: no control characters, and an end. */
static void
what_a_certificate_says_is_bounded(void **state)
{
	static char names[8000] = "DNS:a.example";
	struct shape shape = {.cn = "x\n\x1b[31m\xc3\xbc", .names = names};
	struct issued one;
	struct tls_cert cert;
	struct buf pem;
	struct err err;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)snprintf(names + strlen(names),
		    sizeof(names) - strlen(names), ",DNS:name%d.example", i);
	one = issue(&shape, NULL);
	buf_init(&pem, 100000);
	add_cert_pem(&pem, &one);
	assert_int_equal(tls_cert_read(buf_span(&pem), &cert, 1, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(strlen(cert.names), sizeof(cert.names) - 1);
	assert_string_equal(cert.names + sizeof(cert.names) - 4, "...");
	for (const char *c = cert.subject; *c != '\0'; c++)
		assert_in_range((unsigned char)*c, 0x20, 0x7e);
	buf_free(&pem);
	issued_free(&one);
	assert_int_equal(
	    tls_cert_read(SPAN("nothing"), &cert, 1, &n, &err), -1);
}

static void
authorities_that_cannot_be_read_are_refused(void **state)
{
	static const char *const files[] = {"/dev/null", "/nowhere"};

	(void)state;
	for (size_t i = 0; i < ROWS(files); i++) {
		struct tls_client_setup setup = {.ca_file = files[i]};
		struct tls_client *client = NULL;
		struct err err = {0};

		assert_int_equal(tls_client_new(&setup, &client, &err), -1);
		assert_int_equal(err.kind, ERR_PERM);
		assert_null(client);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verify_errors_have_result_types),
	    cmocka_unit_test(weak_keys_and_digests_authenticate_nobody),
	    cmocka_unit_test(a_weak_key_exchange_encrypts_and_proves_nothing),
	    cmocka_unit_test(anonymous_servers_get_no_session),
	    cmocka_unit_test(old_versions_get_no_session),
	    cmocka_unit_test(old_clients_get_no_session),
	    cmocka_unit_test(the_peers_chain_can_be_looked_at),
	    cmocka_unit_test(what_a_certificate_says_is_bounded),
	    cmocka_unit_test(authorities_that_cannot_be_read_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
