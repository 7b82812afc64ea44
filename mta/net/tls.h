/*
 * TLS over bytes: OpenSSL with memory on both sides, no socket in it.
 *
 * A struct tls_server holds every certificate chain and picks one by SNI
 * (exact name, then wildcard, else the first; never an alert: RFC 7672 8.1,
 * RFC 8461 7.1).  A struct tls_client holds what outbound sessions share.
 * A struct tls is one session; conn.c pumps it.
 *
 * mta/net/tls*.c are the only files of mta/ that include OpenSSL.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct tls;
struct tls_client;
struct tls_server;

/* PEM bytes; `name` is for messages only. */
struct tls_pair {
	const char *name;
	struct span chain;
	struct span key;
};

/* What a finished or failed handshake showed.  Strings are never NULL. */
struct tls_facts {
	bool up;
	char version[16];  /* "TLSv1.3" */
	char cipher[64];   /* "TLS_AES_256_GCM_SHA384" */
	char sni[256];     /* asked for (client) or received (server) */
	char failure[160]; /* why not up, for log and report */
};

/*
 * -1 when a pair does not load or does not match, with the words for the
 * operator in *err.  Copies what it needs.
 */
int tls_server_new(const struct tls_pair *pairs, size_t n,
    struct tls_server **ret, struct err *err);
void tls_server_free(struct tls_server **server);

/* Opportunistic sessions: the peer's certificate is not judged. */
int tls_client_new(struct tls_client **ret, struct err *err);
void tls_client_free(struct tls_client **client);

struct tls *tls_accept(struct tls_server *server);
/* `sni` "" sends none. */
struct tls *tls_connect(struct tls_client *client, const char *sni);
void tls_free(struct tls **tls);

enum tls_state {
	TLS_FAILED = 0,
	TLS_SHAKING,
	TLS_UP,
	TLS_CLOSED, /* the peer said close_notify */
};

/*
 * Encrypted bytes from the peer.  Plain text is appended to *plain, bytes
 * for the peer wait in tls_output().  TLS_FAILED: tls_facts() says why.
 */
enum tls_state tls_feed(struct tls *tls, struct span bytes, struct buf *plain);
/* Begin or go on with the handshake without input: the client's first. */
enum tls_state tls_start(struct tls *tls);
/* -1 when the session has failed. */
int tls_write(struct tls *tls, struct span plain);
/* Say close_notify. */
void tls_bye(struct tls *tls);
/* Move what must go to the peer into *out. */
int tls_output(struct tls *tls, struct buf *out);
void tls_facts(const struct tls *tls, struct tls_facts *ret);
/* Append the certificate the peer has shown; -1 when it has shown none. */
int tls_peer_pem(const struct tls *tls, struct buf *out);
