/*
 * Connect to an SMTP server, say STARTTLS, see what it shows, and go.  No
 * mail is ever begun.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "mta/net/address.h"
#include "mta/net/tls.h"

/* Zeroed before reach(); buf_free() the chain. */
struct reached {
	struct tls_facts tls;
	struct buf chain; /* PEM, the server's own certificate first */
};

/* It takes longer than three seconds. */
typedef void reach_slow(const char *address);

/*
 * Waits, at most `timeout_ms` for each step of visit.h.  -1 when no TLS session
 * came about, with the reason; a certificate that is no good is no such reason.
 */
int reach(const struct net_address *to, struct tls_client *client,
    const struct tls_demand *demand, uint32_t timeout_ms, reach_slow *slow,
    struct reached *ret, struct err *err);
