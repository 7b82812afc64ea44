/* Address prefixes: "192.0.2.0/24", "[2001:db8::]/32", "127.0.0.1".  Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct cidr {
	int family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];
	unsigned bits;
};

#define CIDR_TEXT 64 /* with its end */

/* False when the text is not a prefix, or has bits set behind its length. */
bool cidr_parse(struct span text, struct cidr *ret);
/* "192.0.2.0/24", "[2001:db8::]/32", "127.0.0.1": what cidr_parse() reads. */
void cidr_text(const struct cidr *cidr, char to[CIDR_TEXT]);
/* So wide that it must be the world: no network of anybody is. */
bool cidr_is_public(const struct cidr *cidr);
/* `address` as text; an IPv4-mapped IPv6 address counts as IPv4. */
bool cidr_contains(const struct cidr *cidr, const char *address);
/*
 * What a client is counted with: an IPv4 address by itself, the /64 of an IPv6
 * one, whose owner has all of it.  False when the text is no address.
 */
bool cidr_network(const char *address, struct cidr *ret);
