/*
 * One connection to an SMTP server that ends before any mail: greeting, EHLO,
 * STARTTLS, a look at what is shown, QUIT.  `danelaw probe` and `danelaw tlsa`
 * make such visits.
 *
 * The callback comes from the loop, once; then only visit_free() is left.
 */
#pragma once
#include "mta/net/address.h"
#include "mta/net/tls.h"
#include "policy/policy.h"

struct loop;
struct visit;

/* What it points to lives until the callback. */
struct visit_setup {
	struct loop *loop;
	const struct net_address *to;
	const struct net_address *from; /* or NULL */
	const char *helo;
	struct tls_client *tls;
	const struct tls_demand *demand; /* NULL: without STARTTLS */
	const struct tls_plan *plan;     /* NULL: nothing is wanted of it */
	/* The most to wait: for the connection, for all that is said before
	 * the handshake and again for all behind it, for the handshake. */
	uint32_t connect_ms, talk_ms, tls_ms;
};

struct visit_seen {
	struct tls_seen seen;
	struct tls_facts tls;
	bool ready;        /* MAIL might have followed */
	unsigned offers;   /* OFFER_* of its last EHLO, when ready */
	char problem[256]; /* what went wrong, or "" */
};

typedef void visit_done(const struct visit_seen *seen, void *arg);

struct visit *visit_new(
    const struct visit_setup *setup, visit_done *done, void *arg);
/* From the callback: the session, for tls_peer_chain(); NULL without one. */
const struct tls *visit_tls(const struct visit *visit);
void visit_free(struct visit **visit);
