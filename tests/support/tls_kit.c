#include "tests/support/tls_kit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/net/tls_ticket.h"

#define WIRE_MAX 1000000
#define PEM_MAX  100000

void
authority_new(struct authority *authority, const struct shape *root,
    const struct shape *inter, const struct shape *leaf)
{
	static const struct shape other = {
	    .cn = "Other", .basic = "critical,CA:TRUE"};

	authority->root = issue(root, NULL);
	authority->inter = issue(inter, &authority->root);
	authority->leaf = issue(leaf, &authority->inter);
	authority->other = issue(&other, NULL);
}

void
authority_free(struct authority *authority)
{
	issued_free(&authority->root);
	issued_free(&authority->inter);
	issued_free(&authority->leaf);
	issued_free(&authority->other);
}

const struct issued *
authority_pick(const struct authority *authority, char which)
{
	switch (which) {
	case 'L':
		return &authority->leaf;
	case 'I':
		return &authority->inter;
	case 'R':
		return &authority->root;
	default:
		return &authority->other;
	}
}

enum tlsa_state
set_of(const struct authority *authority,
    const struct record_of records[RECORDS_OF_MAX], const char *base,
    struct arena *arena, struct tlsa_set *ret_set)
{
	struct dns_answer answer = {
	    .trust = DNS_SECURE, .exists = true, .ttl = 60};
	struct span rdata[RECORDS_OF_MAX];
	struct buf bytes[RECORDS_OF_MAX];
	enum tlsa_state state;
	size_t n = 0;

	for (; n < RECORDS_OF_MAX && records[n].which != 0; n++) {
		const char head[] = {(char)records[n].usage,
		    (char)records[n].selector, (char)records[n].matching};
		int rc;

		buf_init(&bytes[n], PEM_MAX);
		rc = buf_add(&bytes[n], (struct span){head, 3});
		assert(rc == 0);
		add_association(&bytes[n],
		    authority_pick(authority, records[n].which),
		    records[n].selector, records[n].matching);
		rdata[n] = buf_span(&bytes[n]);
	}
	answer.rdata = rdata;
	answer.nrdata = n;
	state = tlsa_read(&answer, base, arena, ret_set);
	while (n > 0)
		buf_free(&bytes[--n]);
	return state;
}

struct tls_tickets *
tickets_of_tests(void)
{
	static struct tls_tickets *tickets;
	struct tls_ticket_seed seed;
	int rc;

	if (tickets != NULL)
		return tickets;
	tickets = tls_tickets_new(3600, NULL);
	rc = tls_ticket_seed_new(&seed, clock_mono_ms() / 1000);
	assert(rc == 0);
	tls_tickets_seed(tickets, &seed);
	return tickets;
}

struct tls_server *
server_of(const struct authority *authority, const char *sends)
{
	struct tls_server *server;
	struct tls_pair pair = {.name = sends};
	struct tls_server_setup setup = {
	    .pairs = &pair, .npairs = 1, .tickets = tickets_of_tests()};
	struct buf chain, key;
	struct err err;
	int rc;

	buf_init(&chain, PEM_MAX);
	buf_init(&key, PEM_MAX);
	for (const char *c = sends; *c != '\0'; c++)
		add_cert_pem(&chain, authority_pick(authority, *c));
	add_key_pem(&key, authority_pick(authority, sends[0]));
	pair.chain = buf_span(&chain);
	pair.key = buf_span(&key);
	rc = tls_server_new(&setup, &server, &err);
	assert(rc == 0);
	buf_free(&chain);
	buf_free(&key);
	return server;
}

/* Carry what waits on one side to the other; true when there was some. */
static bool
carry(struct tls *from, struct tls *to, struct buf *plain)
{
	struct buf wire;
	bool any;
	int rc;

	buf_init(&wire, WIRE_MAX);
	rc = tls_output(from, &wire);
	assert(rc == 0);
	any = wire.n > 0;
	if (any)
		(void)tls_feed(to, buf_span(&wire), plain);
	buf_free(&wire);
	return any;
}

void
shake_ends(struct tls *client, struct tls *server)
{
	struct buf plain;
	bool any = true;

	buf_init(&plain, WIRE_MAX);
	(void)tls_start(client);
	for (int i = 0; any && i < 20; i++) {
		any = carry(client, server, &plain);
		any |= carry(server, client, &plain);
	}
	buf_free(&plain);
}

struct tls *
shake_and_keep(struct tls_client *client, struct tls *server,
    const struct tls_demand *demand)
{
	struct tls *tls = tls_connect(client, demand);

	shake_ends(tls, server);
	return tls;
}

void
shake(struct tls_client *client, struct tls *server,
    const struct tls_demand *demand, struct tls_facts *ret_facts)
{
	struct tls *tls = shake_and_keep(client, server, demand);

	tls_facts(tls, ret_facts);
	tls_free(&tls);
	tls_free(&server);
}

struct tls_client *
client_of(const struct issued *root)
{
	char path[] = "/tmp/danelaw-test-ca-XXXXXX";
	int fd = mkstemp(path);
	struct tls_client_setup setup = {.ca_file = path};
	struct tls_client *client;
	struct buf pem;
	struct err err;
	ssize_t n;
	int rc;

	buf_init(&pem, PEM_MAX);
	add_cert_pem(&pem, root);
	n = write(fd, pem.p, pem.n);
	assert(n == (ssize_t)pem.n);
	(void)close(fd);
	rc = tls_client_new(&setup, &client, &err);
	assert(rc == 0);
	(void)unlink(path);
	buf_free(&pem);
	return client;
}
