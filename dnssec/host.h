/*
 * From the name of a host to its addresses, with the status of each link on
 * the way (RFC 7672 2.1.3, 2.2.2).
 *
 * host_find() asks for A and AAAA together.  Only when the name turns out to
 * be an alias whose final answer is not secure does it ask for the CNAME
 * record itself: an insecure end says nothing of who was insecure.
 *
 * Ownership: a struct host_find belongs to its caller until its callback has
 * returned or host_find_cancel() has been called.  The result is lent for the
 * length of the callback; it has no pointers and may be copied.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "dnssec/dnssec.h"
#include "dnssec/name.h"
#include "dnssec/rdata.h"

/* Of each family; more are left out. */
#define HOST_ADDRESSES_MAX 16

struct host_find;

struct host_dns {
	char name[DNS_NAME_SIZE];     /* as asked, normal form */
	char expanded[DNS_NAME_SIZE]; /* where aliases led; equal: no alias */
	/*
	 * Of both answers when one of them failed: the lesser.  Else of the
	 * addresses below and of every link of the way to them.  When A and
	 * AAAA differ in status or in where they end, the addresses are those
	 * of one of them: the proven one, or the IPv4 ones.
	 */
	enum dns_trust trust;
	/*
	 * Of the first link, when the name is an alias and has addresses.
	 * DNS_FAILED or DNS_BOGUS: it could not be learnt.
	 */
	enum dns_trust alias_trust;
	bool alias;
	bool nxdomain;  /* in both answers */
	bool not_asked; /* what failed of it, by a fault of our own */
	struct host_address addresses[2 * HOST_ADDRESSES_MAX]; /* IPv6 first */
	size_t naddresses;
	uint32_t ttl;  /* seconds: the least of all that was answered */
	char why[200]; /* one printable line when either trust is <= BOGUS */
};

typedef void host_done(const struct host_dns *host, void *arg);

/*
 * Never NULL; the callback comes from dns_process(), not from in here, and
 * may cancel.  It takes two lookups, with an insecure alias three, and
 * some more when that one is made of a DNAME.
 */
struct host_find *host_find(
    struct dns *dns, const char *name, host_done *done, void *arg);
void host_find_cancel(struct host_find **find);

/*
 * The names at which TLSA records may stand, the one to ask first first
 * (RFC 7672 2.2.2, 2.2.3).  Pointers into `host`.  False: a lookup on which
 * the answer depends has failed, so the host must not be used.  True with
 * *ret_n zero: DANE does not apply to this host.
 */
bool host_tlsa_bases(
    const struct host_dns *host, const char *ret_bases[2], size_t *ret_n);
