/*
 * dnssec.h over a table: link fake_dns.c in the place of dnssec/resolver.c.
 *
 *     static const struct fake_record zone[] = {
 *         {"example.org", RR_MX, DNS_SECURE, "10 mx.example.org", NULL},
 *         {"mx.example.org", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
 *         {"bad.example", RR_MX, DNS_BOGUS, NULL, NULL},
 *         {"www.example", RR_A, DNS_SECURE, "192.0.2.2", "host.example"},
 *     };
 *
 *     dns = fake_dns_new(zone, ROWS(zone));
 *
 * Rows of one name and type make one answer, in their order, with the trust
 * of the first.  Data: MX "10 host", A and AAAA addresses, CNAME, DNAME and
 * NS a name, any other type hexadecimal; NULL is an answer without records.  Data
 * of any type that begin with "#" are hexadecimal: for what is malformed.  A
 * name in no row is NXDOMAIN, one in rows of other types has no data, both
 * with the trust given to fake_dns_absent() (DNS_INSECURE before).  The data
 * "!" are an NXDOMAIN for this type alone, as a forked alias may end in one;
 * "?" are a lookup that was not asked, and failed.
 * Answers are good for a minute, or what fake_dns_ttl() says of their type.
 *
 * Answers come from dns_process(), oldest question first; dns_fd() is
 * readable while there is one.  fake_dns_hold() keeps a name unanswered.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "dnssec/dnssec.h"

struct fake_record {
	const char *name;
	uint16_t type;
	enum dns_trust trust;
	const char *data;
	const char *canonical; /* where aliases led; NULL: nowhere */
};

/* The table is borrowed and may change between questions. */
struct dns *fake_dns_new(const struct fake_record *records, size_t n);
void fake_dns_absent(struct dns *dns, enum dns_trust trust);
void fake_dns_ttl(struct dns *dns, uint16_t type, uint32_t ttl);
/* NULL: answer everything again. */
void fake_dns_hold(struct dns *dns, const char *name);

/* How many questions were asked, and how many wait. */
size_t fake_dns_asked(const struct dns *dns);
size_t fake_dns_waiting(const struct dns *dns);
