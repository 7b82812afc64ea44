/*
 * A TLS client for tests that asks for what ours would not: any version, any
 * suites, any ticket.  Verifies nothing.
 */
#pragma once
#include <openssl/ssl.h>

#include "mta/net/tls.h"

/* Zeroed: what OpenSSL offers, TLS 1.2 and 1.3. */
struct guest_wish {
	int least, most;     /* TLS1_2_VERSION; 0: 1.2, and whatever there is */
	const char *suites;  /* of TLS 1.2 and older */
	const char *groups;  /* "ffdhe2048" */
	const char *sni;     /* NULL: none */
	SSL_SESSION *ticket; /* offered; NULL: none */
};

struct guest_seen {
	bool up; /* both ends */
	bool resumed;
	bool renewed; /* there is another ticket than was offered */
	char version[16], cipher[64];
	unsigned tickets; /* of them one is kept: */
	SSL_SESSION *ticket;
	enum tls_break broken; /* the client's end */
	uint8_t alert;
};

/* The guest's end, not begun; its context goes with it. */
struct tls *guest_new(const struct guest_wish *wish, struct guest_seen *seen);
/* One visit from beginning to end; SSL_SESSION_free() what it brought. */
void guest_visit(struct tls_server *server, const char *listener,
    const struct guest_wish *wish, struct guest_seen *ret);
