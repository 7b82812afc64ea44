/*
 * Places by HTTPS, and whether a report may go there.
 *
 * Who publishes a record chooses where we connect to.  So a place leads out,
 * to port 443 of addresses of the internet; inside it would be our network
 * that is asked, by us.  reporting { private_places = yes } allows that, and
 * other ports.  Pure.
 */
#pragma once
#include "dnssec/host.h"
#include "mta/config.h"
#include "mta/net/address.h"
#include "reporting/https_uri.h"

/* Is it a URI?  Otherwise it is an address, for mail. */
bool place_is_post(const char *rua);

/* By its text.  -1 (ERR_PERM): nothing is sent there, and why. */
int place_read(const struct config *config, const char *rua,
    struct https_uri *ret, struct err *err);

/*
 * Those of the host's addresses that may be connected to, with the port of the
 * URI.  -1: there are none (ERR_TEMP), or none that may be (ERR_PERM).
 */
#define PLACE_ADDRESSES_MAX (2 * HOST_ADDRESSES_MAX)
int place_addresses(const struct config *config, const struct https_uri *uri,
    const struct host_dns *host, struct net_address to[PLACE_ADDRESSES_MAX],
    size_t *ret_n, struct err *err);
