/*
 * https.h over a table: link fake_https.c in the place of mta/net/https.c.
 *
 *     static const struct fake_site sites[] = {
 *         {"mta-sts.a.test", HTTPS_FINE, "version: STSv1\n..."},
 *         {"mta-sts.b.test", HTTPS_STATUS, NULL},
 *     };
 *
 *     fake_https_serve(sites, ROWS(sites));
 *
 * A host in no row has HTTPS_NO_CONNECTION.  Answers come from the loop;
 * fake_https_hold() keeps all of them back.  There is one fake at a time.
 */
#pragma once
#include "mta/net/https.h"

struct fake_site {
	const char *host;
	enum https_kind kind;
	const char *body; /* with HTTPS_FINE */
};

/* What was asked, and where. */
struct fake_asked {
	size_t n;       /* so far */
	size_t waiting; /* of these, not answered yet */
	char host[256]; /* of the last one, as all below */
	char path[64];
	uint16_t port;
	char type[64];  /* of what a post brought; "": it was none */
	size_t brought; /* its octets */
	char to[512];   /* addresses and ports, by blanks */
};

/* The table is borrowed; nothing has been asked, and nothing is held. */
void fake_https_serve(const struct fake_site *sites, size_t n);
void fake_https_hold(bool held);
const struct fake_asked *fake_https_asked(void);
