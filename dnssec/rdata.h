/*
 * Record data to values: MX, A, AAAA, CNAME.
 *
 * Input is what a stranger's zone says.  Lengths are checked first and every
 * record must be exactly as long as it says; one that is not makes the whole
 * answer a failed one (RFC 7672 2.1.1: a malformed answer is a lookup error).
 * Pure; results are copied out of the lent answer.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "dnssec/dnssec.h"
#include "dnssec/name.h"

enum rr_type {
	RR_A = 1,
	RR_CNAME = 5,
	RR_SOA = 6,
	RR_MX = 15,
	RR_TXT = 16,
	RR_AAAA = 28,
	RR_DNAME = 39,
	RR_TLSA = 52,
};

/* Of the hosts of a domain, the best this many are kept. */
#define MX_MAX 50

/* What an MX answer says about a domain. */
enum mx_state {
	MX_FAILED = 0, /* not obtained, bogus or malformed: defer */
	MX_NONE,       /* no MX: the domain is its own host, RFC 5321 5.1 */
	MX_NULL,       /* RFC 7505: the domain takes no mail */
	MX_UNUSABLE,   /* MX records, and none that names a host */
	MX_HOSTS,
};

struct mx_host {
	const char *name; /* normal form, see dnssec/name.h */
	uint16_t preference;
};

struct mx_list {
	const struct mx_host *hosts; /* in the order they are to be tried */
	size_t n;
};

/*
 * Hosts sorted by preference and, inside one preference, in an order that
 * depends on `seed` alone (RFC 5321 5.1 wants it random).  A host named twice
 * stays where it is better.  The list is in the arena; over the arena's limit
 * is MX_FAILED.  *ret_list is empty for every other state than MX_HOSTS.
 */
enum mx_state mx_read(const struct dns_answer *answer, uint64_t seed,
    struct arena *arena, struct mx_list *ret_list);

/*
 * RFC 5321 5.1: how many hosts, from the first, are better than `own`; all
 * when it is none of them.  Those of its preference and worse would only
 * bring the mail back to us.
 */
size_t mx_better_than(const struct mx_list *list, const char *own);

const char *mx_state_name(enum mx_state state);

enum address_family {
	ADDRESS_NONE = 0,
	ADDRESS_IP4,
	ADDRESS_IP6,
};

struct host_address {
	enum address_family family;
	uint8_t bytes[16]; /* network order; IPv4: the first four */
};

/*
 * The addresses of an A or AAAA answer, at most `room`.  Those no host can
 * have (unspecified, multicast, broadcast, IPv4 dressed as IPv6) are left
 * out; loopback is not.  False: failed, bogus or malformed.
 */
bool host_addresses_read(const struct dns_answer *answer, enum rr_type type,
    struct host_address *ret_addresses, size_t room, size_t *ret_n);

/* "192.0.2.1", "2001:db8::1"; the inverse is false for any other text. */
void host_address_text(
    const struct host_address *address, char to[INET6_ADDRSTRLEN]);
bool host_address_parse(const char *text, struct host_address *ret_address);
bool host_address_is_loopback(const struct host_address *address);

/* The target of a lone CNAME record; false: none, or malformed. */
bool cname_read(
    const struct dns_answer *answer, char ret_target[DNS_NAME_SIZE]);
