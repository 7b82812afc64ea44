/*
 * Where an https URI leads to, of those that a record of TLS-RPT may name.
 *
 * RFC 9110 4.2.2: "https://reports.example.org:8443/v1/tlsrpt?x=1".  Input is
 * what a stranger's zone says.  Pure.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "dnssec/name.h"
#include "reporting/record.h"

struct https_uri {
	char host[DNS_NAME_SIZE]; /* a host's name in normal form */
	uint16_t port;            /* never 0 */
	/* From "/" on, with the query: printable ASCII, no blank, no "#". */
	char path[TLSRPT_URI_MAX];
};

/*
 * False: no URI of that kind, or none that we would send to.  Its host has to
 * be a DNS name, for which WebPKI can vouch: an address is none.
 */
bool https_uri_read(struct span text, struct https_uri *ret);
/*
 * One with an address in the place of a name, in brackets or with a last label
 * that begins with a digit: "https://192.0.2.1/", "https://[::1]/".
 */
bool https_uri_has_address(struct span text);
