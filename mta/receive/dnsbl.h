/*
 * DNS block lists (RFC 5782): names to ask for, and what answers mean.  Pure.
 */
#pragma once
#include "base/span.h"
#include "mta/config.h"

#define DNSBL_NAME 256

/* RFC 5782 2.1, 2.4: the octets or nibbles of the address from behind, then
 * the zone.  False: no address, or the name would be too long. */
bool dnsbl_name(const char *client, const char *zone, char to[DNSBL_NAME]);

/* Is this A record a listing?  RFC 5782 2.1: it is in 127.0.0.0/8; those of
 * 127.255.255.0/24 tell of trouble with the query, by custom of Spamhaus. */
bool dnsbl_lists(struct span rdata);
/* By the same custom: the zone says that it does not serve us. */
bool dnsbl_denies(struct span rdata);

/* The text of a TXT record, printable, cut to fit. */
void dnsbl_reason(struct span rdata, char *to, size_t size);
