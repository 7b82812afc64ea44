/*
 * TLS handshakes in memory for tests: a small authority, TLSA sets for what
 * it issues, and one handshake between a server and a demand.
 */
#pragma once
#include "mta/net/tls.h"
#include "tlsa/tlsa.h"

#include "tests/support/make_chain.h"

/* Root > intermediate > leaf; `other` is a stranger to all three. */
struct authority {
	struct issued root, inter, leaf, other;
};

/* `constraints` and `basic` are the root's; NULL: none, and any length. */
void authority_new(struct authority *authority, const struct shape *root,
    const struct shape *inter, const struct shape *leaf);
void authority_free(struct authority *authority);
/* 'L' leaf, 'I' intermediate, 'R' root, 'O' other. */
const struct issued *authority_pick(
    const struct authority *authority, char which);

/* One record: "3 1 1" of one of the four. */
struct record_of {
	uint8_t usage, selector, matching;
	char which; /* 0: the end of a list */
};

#define RECORDS_OF_MAX 6

/* As if a secure answer had held them; the set is in the arena. */
enum tlsa_state set_of(const struct authority *authority,
    const struct record_of records[RECORDS_OF_MAX], const char *base,
    struct arena *arena, struct tlsa_set *ret_set);

/* Keys for session tickets, an hour long; they stay. */
struct tls_tickets *tickets_of_tests(void);

/* A server that gives tickets and sends these, "LIR" being leaf, intermediate and root. */
struct tls_server *server_of(
    const struct authority *authority, const char *sends);

/* One handshake and the first bytes after it, from beginning to end. */
void shake(struct tls_client *client, struct tls *server,
    const struct tls_demand *demand, struct tls_facts *ret_facts);
/* The same, with the client's end kept: tls_free() it. */
struct tls *shake_and_keep(struct tls_client *client, struct tls *server,
    const struct tls_demand *demand);

/* The same of two ends that are there. */
void shake_ends(struct tls *client, struct tls *server);

/* A client whose authorities of WebPKI are the root, or nobody. */
struct tls_client *client_of(const struct issued *root);
