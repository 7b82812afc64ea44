/* Where in the world is an address?  See address.h. */
#include <string.h>
#include <sys/socket.h>

#include "mta/net/address.h"

struct range {
	uint8_t ip[16];
	unsigned bits;
	const char *scope;
};

/* RFC 6890, RFC 5771, RFC 1112 4: the first one that fits counts. */
static const struct range ranges4[] = {
    {{0}, 8, "unspecified"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "private"}, /* RFC 6598 */
    {{127}, 8, "loopback"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "private"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "private"}, /* RFC 2544: of benchmarks */
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

static const struct range ranges6[] = {
    {{0}, 128, "unspecified"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "private"}, /* RFC 8215 */
    {{0x01, 0x00}, 64, "discarded"},                       /* RFC 6666 */
    {{0xfc}, 7, "unique-local"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"}, /* RFC 3879 */
    {{0xff}, 8, "multicast"},
};

/* IPv6 that leads to the IPv4 address behind so many octets. */
static const struct carrier {
	uint8_t ip[16];
	unsigned bits, at;
} carriers[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12}, /* RFC 4291 2.5.5.2 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12},       /* RFC 2765 */
    {{0}, 96, 12},                                        /* RFC 4291 2.5.5.1 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},                   /* RFC 6052 2.1 */
    {{0x20, 0x02}, 16, 2},                                /* RFC 3056 2 */
};

static bool
is_in(const uint8_t *ip, const uint8_t *range, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(ip, range, whole) == 0 &&
	       (rest == 0 || ((ip[whole] ^ range[whole]) & mask) == 0);
}

static const char *
scope_in(const uint8_t *ip, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(ip, ranges[i].ip, ranges[i].bits))
			return ranges[i].scope;
	return NULL;
}

static const char *
scope4(const uint8_t *ip)
{
	return scope_in(ip, ranges4, sizeof(ranges4) / sizeof(ranges4[0]));
}

static const char *
scope6(const uint8_t *ip)
{
	const char *scope = scope_in(
	    ip, ranges6, sizeof(ranges6) / sizeof(ranges6[0]));

	for (size_t i = 0;
	     scope == NULL && i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (is_in(ip, carriers[i].ip, carriers[i].bits))
			return scope4(ip + carriers[i].at);
	return scope;
}

const char *
net_address_scope(const struct net_address *address)
{
	if (address->family == AF_INET)
		return scope4(address->ip);
	if (address->family == AF_INET6)
		return scope6(address->ip);
	return "local"; /* a UNIX socket, or nothing at all */
}
