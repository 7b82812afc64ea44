/* TLS over memory: both ends in one process, no socket. */
#include <string.h>

#include "mta/net/tls.h"
#include "mta/net/tls_check.h"

#include "tests/support/make_cert.h"
#include "tests/support/test.h"

#define WIRE_MAX 1000000

struct pair {
	struct tls *server, *client;
	enum tls_state server_state, client_state;
	struct buf at_server, at_client; /* plain text */
};

static void
pair_free(struct pair *p)
{
	tls_free(&p->server);
	tls_free(&p->client);
	buf_free(&p->at_server);
	buf_free(&p->at_client);
}

/* Carry what waits on one side to the other; true when there was some. */
static bool
carry(
    struct tls *from, struct tls *to, enum tls_state *state, struct buf *plain)
{
	struct buf wire;
	bool any;

	buf_init(&wire, WIRE_MAX);
	assert_int_equal(tls_output(from, &wire), 0);
	any = wire.n > 0;
	if (any)
		*state = tls_feed(to, buf_span(&wire), plain);
	buf_free(&wire);
	return any;
}

static void
pump(struct pair *p)
{
	bool any = true;

	for (int i = 0; any && i < 20; i++) {
		any = carry(
		    p->client, p->server, &p->server_state, &p->at_server);
		any |= carry(
		    p->server, p->client, &p->client_state, &p->at_client);
	}
}

static struct pair
connect_pair(struct tls_server *server, const char *sni)
{
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {.sni = sni};
	struct tls_client *client;
	struct pair p = {0};
	struct err err;

	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	buf_init(&p.at_server, WIRE_MAX);
	buf_init(&p.at_client, WIRE_MAX);
	p.server = tls_accept(server, "");
	p.client = tls_connect(client, &demand);
	assert_int_equal(tls_start(p.client), TLS_SHAKING);
	pump(&p);
	tls_client_free(&client);
	return p;
}

static struct tls_pair
as_pair(const char *name, const struct made_cert *cert)
{
	return (struct tls_pair){
	    name, span_of(cert->chain), span_of(cert->key)};
}

static void
bytes_go_both_ways(void **state)
{
	struct made_cert cert = make_cert("DNS:mx.example", 30);
	struct tls_pair pairs[] = {as_pair("one", &cert)};
	struct tls_server *server;
	struct tls_facts facts;
	struct err err;
	struct pair p;

	(void)state;
	assert_int_equal(
	    tls_server_new(
		&(struct tls_server_setup){.pairs = pairs, .npairs = 1},
		&server, &err),
	    0);
	p = connect_pair(server, "mx.example");
	assert_int_equal(p.server_state, TLS_UP);
	assert_int_equal(p.client_state, TLS_UP);
	assert_int_equal(tls_write(p.client, SPAN("EHLO x\r\n")), 0);
	assert_int_equal(tls_write(p.server, SPAN("250 hi\r\n")), 0);
	pump(&p);
	assert_true(span_eq(buf_span(&p.at_server), SPAN("EHLO x\r\n")));
	assert_true(span_eq(buf_span(&p.at_client), SPAN("250 hi\r\n")));
	tls_facts(p.server, &facts);
	assert_true(facts.up);
	assert_string_equal(facts.version, "TLSv1.3");
	assert_string_equal(facts.sni, "mx.example");
	tls_bye(p.client);
	pump(&p);
	assert_int_equal(p.server_state, TLS_CLOSED);
	pair_free(&p);
	tls_server_free(&server);
	made_cert_free(&cert);
}

/* The certificate the client was shown, by its first name. */
static void
the_name_asked_for_chooses_the_chain(void **state)
{
	static const struct {
		const char *rule;
		const char *sni;
		size_t chain;
	} rows[] = {
	    {"exact name", "b.example", 1},
	    {"exact before wildcard", "x.c.example", 3},
	    {"wildcard", "y.c.example", 2},
	    {"a wildcard covers one label", "y.z.c.example", 0},
	    {"RFC 7672 8.1: an unknown name gets the default, no alert",
		"unknown.example", 0},
	    {"RFC 7672 8.1: no name gets the default", "", 0},
	    {"names compare without case", "B.Example", 1},
	};
	struct made_cert certs[] = {make_cert("DNS:a.example", 30),
	    make_cert("DNS:b.example", 30), make_cert("DNS:*.c.example", 30),
	    make_cert("DNS:x.c.example", 30)};
	struct tls_pair pairs[4];
	struct tls_server *server;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		pairs[i] = as_pair("one", &certs[i]);
	assert_int_equal(
	    tls_server_new(
		&(struct tls_server_setup){.pairs = pairs, .npairs = 4},
		&server, &err),
	    0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pair p = connect_pair(server, rows[i].sni);
		struct buf pem;

		buf_init(&pem, 10000);
		assert_int_equal(p.client_state, TLS_UP);
		assert_int_equal(tls_peer_pem(p.client, &pem), 0);
		if (!span_eq(buf_span(&pem), pairs[rows[i].chain].chain))
			fail_msg("%s", rows[i].rule);
		buf_free(&pem);
		pair_free(&p);
	}
	tls_server_free(&server);
	for (size_t i = 0; i < 4; i++)
		made_cert_free(&certs[i]);
}

static void
garbage_fails_with_words(void **state)
{
	struct made_cert cert = make_cert("DNS:mx.example", 30);
	struct tls_pair pairs[] = {as_pair("one", &cert)};
	struct tls_server *server;
	struct tls_facts facts;
	struct tls *tls;
	struct buf plain;
	struct err err;

	(void)state;
	assert_int_equal(
	    tls_server_new(
		&(struct tls_server_setup){.pairs = pairs, .npairs = 1},
		&server, &err),
	    0);
	buf_init(&plain, WIRE_MAX);
	tls = tls_accept(server, "");
	assert_int_equal(
	    tls_feed(tls, SPAN("MAIL FROM:<a@b>\r\n"), &plain), TLS_FAILED);
	tls_facts(tls, &facts);
	assert_false(facts.up);
	assert_true(facts.failure[0] != '\0');
	assert_int_equal(tls_write(tls, SPAN("x")), -1);
	assert_int_equal(plain.n, 0);
	tls_free(&tls);
	buf_free(&plain);
	tls_server_free(&server);
	made_cert_free(&cert);
}

static void
pairs_that_cannot_be_used_are_refused(void **state)
{
	struct made_cert good = make_cert("DNS:mx.example", 30);
	struct made_cert other = make_cert("DNS:mx.example", 30);
	struct made_cert old = make_cert("DNS:mx.example", -1);
	const struct {
		const char *why;
		const char *chain, *key;
		int check, use;
	} rows[] = {
	    {"good", good.chain, good.key, 0, 0},
	    {"the key of another", good.chain, other.key, -1, -1},
	    {"expired", old.chain, old.key, -1, 0},
	    {"no certificate", good.key, good.key, -1, -1},
	    {"no key", good.chain, good.chain, -1, -1},
	    {"empty", "", "", -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_pair pair = {
		    "it", span_of(rows[i].chain), span_of(rows[i].key)};
		struct tls_check_setup setup = {.nnames = 0};
		struct tls_server *server = NULL;
		struct buf problems;
		struct err err;

		buf_init(&problems, 10000);
		setup.chain = pair.chain;
		setup.key = pair.key;
		if (tls_check_pair(&setup, &problems) != rows[i].check ||
		    tls_server_new(
			&(struct tls_server_setup){.pairs = &pair, .npairs = 1},
			&server, &err) != rows[i].use)
			fail_msg("%s", rows[i].why);
		if (rows[i].check < 0)
			assert_true(problems.n > 0);
		buf_free(&problems);
		tls_server_free(&server);
	}
	made_cert_free(&good);
	made_cert_free(&other);
	made_cert_free(&old);
}

/* A warning alert: close_notify, in the clear (RFC 8446 6.1, RFC 5246 7.2.1). */
static const char close_notify[] = {0x15, 3, 3, 0, 2, 1, 0};

/* Half a handshake proves nothing, whatever certificate came with it. */
static void
close_notify_within_a_handshake_is_a_failure(void **state)
{
	struct tls_client_setup setup = {0};
	struct tls_demand demand = {.sni = "mx.example"};
	struct tls_client *client;
	struct tls_facts facts;
	struct tls *tls;
	struct buf plain;
	struct err err;

	(void)state;
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	tls = tls_connect(client, &demand);
	buf_init(&plain, WIRE_MAX);
	assert_int_equal(tls_start(tls), TLS_SHAKING);
	assert_int_equal(
	    tls_feed(
		tls, (struct span){close_notify, sizeof(close_notify)}, &plain),
	    TLS_FAILED);
	tls_facts(tls, &facts);
	assert_false(facts.up);
	assert_true(facts.failure[0] != '\0');
	assert_int_equal(tls_write(tls, SPAN("MAIL")), -1);
	tls_free(&tls);
	tls_client_free(&client);
	buf_free(&plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_go_both_ways),
	    cmocka_unit_test(the_name_asked_for_chooses_the_chain),
	    cmocka_unit_test(garbage_fails_with_words),
	    cmocka_unit_test(close_notify_within_a_handshake_is_a_failure),
	    cmocka_unit_test(pairs_that_cannot_be_used_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
