/*
 * Verify a chain without a session: a file, or what a server once sent.
 *
 * The same code judges as in a session; only what a handshake alone can show
 * (ciphers, the key exchange) is left out.
 */
#pragma once
#include <stdint.h>

#include "mta/net/tls.h"

/*
 * `chain` is PEM, the server's own certificate first.  `at` is the time to
 * verify for, seconds since the epoch; 0 is now.  Of *ret_facts the proofs and
 * the match are set.  -1 when there is no certificate in it.
 */
int tls_verify_offline(struct tls_client *client, struct span chain,
    const struct tls_demand *demand, int64_t at, struct tls_facts *ret_facts,
    struct err *err);
