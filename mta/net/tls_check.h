/*
 * Is this certificate chain fit to be presented?  For check-config and for
 * the supervisor before it starts roles with it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/* Borrowed; zeroed is the default. */
struct tls_check_setup {
	struct span chain; /* PEM */
	struct span key;   /* PEM; empty: it is not looked at */
	/* Hosts it is presented for; each must be one of its DNS-IDs. */
	const char *const *names;
	size_t nnames;
	struct span root; /* PEM: authorities of the operator's own */
	/* PEM; NULL: none beside those of the system.  It says whom we believe,
	 * and others believe others: so both count here. */
	const char *ca_file;
	const char *system_file; /* PEM; NULL: TLS_WEB_CA_FILE */
};

/*
 * 0 when the pair can be used; warnings may still stand in *problems, one a
 * line.  -1 when it cannot: not PEM, more than TLS_CHAIN_MAX certificates, key
 * does not match, chain out of order, a certificate missing between it and an
 * authority, one expired or not yet valid, a key or signature that is too weak
 * (RFC 9325 4.5), a name that is not covered.
 *
 * A certificate that is signed by itself, or an authority that nobody knows,
 * is a warning: DANE can do with it (RFC 7672 3.1), WebPKI cannot.
 */
int tls_check_pair(const struct tls_check_setup *setup, struct buf *problems);

/* RFC 8461 4.1: is the host one of the DNS-IDs of the first certificate? */
bool tls_check_covers(struct span chain, const char *host);
