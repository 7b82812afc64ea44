/* Record data to values. */
#include "dnssec/rdata.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"

/* One MX record while they are sorted. */
struct candidate {
	uint16_t preference;
	uint64_t lot; /* random, decides inside one preference */
	struct span exchange;
};

/* splitmix64: a good enough lot from a seed and a number. */
static uint64_t
draw_lot(uint64_t seed, uint64_t number)
{
	uint64_t z = seed + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* RFC 1035 3.3.9: a preference of 16 bits and a name, nothing behind it. */
static bool
take_mx(struct span rdata, struct candidate *ret, char name[DNS_NAME_SIZE])
{
	struct span rest = span_from(rdata, 2);

	if (rdata.n < 3)
		return false;
	ret->preference = (uint16_t)((unsigned char)rdata.p[0] << 8 |
				     (unsigned char)rdata.p[1]);
	ret->exchange = rest;
	return dns_name_read(&rest, name) && rest.n == 0;
}

static int
compare_candidates(const void *a, const void *b)
{
	const struct candidate *one = a;
	const struct candidate *two = b;

	if (one->preference != two->preference)
		return one->preference < two->preference ? -1 : 1;
	if (one->lot != two->lot)
		return one->lot < two->lot ? -1 : 1;
	return 0;
}

static bool
is_listed(const struct mx_host *hosts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(hosts[i].name, name) == 0)
			return true;
	return false;
}

/* The best candidates that name a host; false over the arena's limit. */
static bool
list_hosts(const struct candidate *sorted, size_t n, struct arena *arena,
    struct mx_list *ret_list)
{
	struct mx_host *hosts = arena_alloc(arena, MX_MAX * sizeof(*hosts));
	char name[DNS_NAME_SIZE];
	size_t count = 0;

	if (hosts == NULL)
		return false;
	for (size_t i = 0; i < n && count < MX_MAX; i++) {
		struct span exchange = sorted[i].exchange;

		if (!dns_name_read(&exchange, name) ||
		    !dns_name_is_host(name) || is_listed(hosts, count, name))
			continue;
		hosts[count].preference = sorted[i].preference;
		hosts[count].name = arena_strndup(arena, name, strlen(name));
		if (hosts[count].name == NULL)
			return false;
		count++;
	}
	*ret_list = (struct mx_list){hosts, count};
	return true;
}

static enum mx_state
sort_hosts(struct candidate *candidates, const struct dns_answer *answer,
    uint64_t seed, struct arena *arena, struct mx_list *ret_list)
{
	char name[DNS_NAME_SIZE];
	size_t roots = 0;

	for (size_t i = 0; i < answer->nrdata; i++) {
		if (!take_mx(answer->rdata[i], &candidates[i], name))
			return MX_FAILED;
		candidates[i].lot = draw_lot(seed, i);
		roots += strcmp(name, ".") == 0;
	}
	/* RFC 7505 3: the only record, and it names the root */
	if (roots == answer->nrdata)
		return MX_NULL;
	/* RFC 5321 5.1: by preference, equal ones in random order */
	qsort(candidates, answer->nrdata, sizeof(*candidates),
	    compare_candidates);
	if (!list_hosts(candidates, answer->nrdata, arena, ret_list))
		return MX_FAILED;
	return ret_list->n > 0 ? MX_HOSTS : MX_UNUSABLE;
}

enum mx_state
mx_read(const struct dns_answer *answer, uint64_t seed, struct arena *arena,
    struct mx_list *ret_list)
{
	struct candidate *candidates;
	enum mx_state state;

	*ret_list = (struct mx_list){0};
	if (answer->trust <= DNS_BOGUS)
		return MX_FAILED;
	if (!answer->exists || answer->nrdata == 0)
		return MX_NONE;
	candidates = mem_array(answer->nrdata, sizeof(*candidates));
	state = sort_hosts(candidates, answer, seed, arena, ret_list);
	mem_free(candidates);
	return state;
}

size_t
mx_better_than(const struct mx_list *list, const char *own)
{
	size_t n = 0;

	while (n < list->n &&
	       !span_eq_nocase(span_of(list->hosts[n].name), span_of(own)))
		n++;
	if (n == list->n)
		return n;
	while (
	    n > 0 && list->hosts[n - 1].preference == list->hosts[n].preference)
		n--;
	return n;
}

const char *
mx_state_name(enum mx_state state)
{
	switch (state) {
	case MX_FAILED:
		return "failed";
	case MX_NONE:
		return "none";
	case MX_NULL:
		return "null";
	case MX_UNUSABLE:
		return "unusable";
	case MX_HOSTS:
		return "hosts";
	}
	return "?";
}

static bool
is_ip4_host(const uint8_t bytes[4])
{
	/* RFC 1122 3.2.1.3: "this host"; RFC 5771 3, RFC 1112 4: class D, E */
	return bytes[0] != 0 && bytes[0] < 224;
}

static bool
is_ip6_host(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	/* RFC 4291 2.7 multicast, 2.5.5.2 IPv4-mapped, 2.5.2 unspecified */
	return bytes[0] != 0xff && memcmp(bytes, mapped, 12) != 0 &&
	       memcmp(bytes, &in6addr_any, 16) != 0;
}

bool
host_addresses_read(const struct dns_answer *answer, enum rr_type type,
    struct host_address *ret_addresses, size_t room, size_t *ret_n)
{
	/* RFC 1035 3.4.1, RFC 3596 2.2 */
	size_t length = type == RR_AAAA ? 16 : 4;
	size_t n = 0;

	*ret_n = 0;
	if (answer->trust <= DNS_BOGUS)
		return false;
	for (size_t i = 0; i < answer->nrdata; i++)
		if (answer->rdata[i].n != length)
			return false;
	for (size_t i = 0; i < answer->nrdata && n < room; i++) {
		struct host_address one = {
		    .family = type == RR_AAAA ? ADDRESS_IP6 : ADDRESS_IP4};

		memcpy(one.bytes, answer->rdata[i].p, length);
		if (type == RR_AAAA ? is_ip6_host(one.bytes)
				    : is_ip4_host(one.bytes))
			ret_addresses[n++] = one;
	}
	*ret_n = n;
	return true;
}

void
host_address_text(const struct host_address *address, char to[INET6_ADDRSTRLEN])
{
	int family = address->family == ADDRESS_IP6 ? AF_INET6 : AF_INET;

	to[0] = '\0';
	if (address->family != ADDRESS_NONE)
		(void)inet_ntop(family, address->bytes, to, INET6_ADDRSTRLEN);
}

bool
host_address_parse(const char *text, struct host_address *ret_address)
{
	struct host_address address = {0};

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = ADDRESS_IP4;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = ADDRESS_IP6;
	else
		return false;
	*ret_address = address;
	return true;
}

bool
host_address_is_loopback(const struct host_address *address)
{
	switch (address->family) {
	case ADDRESS_IP4:
		return address->bytes[0] == 127;
	case ADDRESS_IP6:
		return memcmp(address->bytes, &in6addr_loopback, 16) == 0;
	case ADDRESS_NONE:
		break;
	}
	return false;
}

bool
cname_read(const struct dns_answer *answer, char ret_target[DNS_NAME_SIZE])
{
	char target[DNS_NAME_SIZE];
	struct span rest;

	/* RFC 2181 10.1: an alias has one canonical name */
	if (answer->trust <= DNS_BOGUS || answer->nrdata != 1)
		return false;
	rest = answer->rdata[0];
	if (!dns_name_read(&rest, target) || rest.n != 0)
		return false;
	memcpy(ret_target, target, strlen(target) + 1);
	return true;
}
