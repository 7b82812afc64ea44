/* Socket addresses as values: an IP with a port, or a UNIX socket's path. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sockaddr;
struct sockaddr_storage;

#define NET_ADDRESS_TEXT 128

struct net_address {
	int family; /* AF_INET, AF_INET6, AF_UNIX; 0: none */
	uint16_t port;
	uint8_t ip[16];
	char path[108];
};

/* `ip` without brackets; false when it is not an address. */
bool net_address_ip(const char *ip, uint16_t port, struct net_address *ret);
bool net_address_unix(const char *path, struct net_address *ret);
/* A host's address from DNS, with a port. */
struct host_address;
void net_address_of(
    const struct host_address *host, uint16_t port, struct net_address *ret);
void net_address_from(const struct sockaddr *from, struct net_address *ret);
/* The length to give to bind(2) and connect(2). */
unsigned net_address_to(
    const struct net_address *address, struct sockaddr_storage *to);

/* "192.0.2.1", "2001:db8::1" or the path; IPv4-mapped shown as IPv4. */
void net_address_host(
    const struct net_address *address, char to[NET_ADDRESS_TEXT]);
/* "192.0.2.1:25", "[2001:db8::1]:25" or the path. */
void net_address_text(
    const struct net_address *address, char to[NET_ADDRESS_TEXT]);
/*
 * "loopback", "private", "link-local": an address that is not one of the
 * internet's; NULL: it is.  IPv6 that carries IPv4 (mapped, translated, 6to4)
 * is what it carries.
 */
const char *net_address_scope(const struct net_address *address);
bool net_address_eq(const struct net_address *a, const struct net_address *b);

/* A bound, listening, close-on-exec socket; -1 with words in *err. */
int net_listen(const struct net_address *address, int backlog, struct err *err);
