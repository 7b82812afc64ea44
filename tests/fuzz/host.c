/*
 * What four lookups may answer, in any combination: for A, AAAA, CNAME and
 * DNAME an octet of trust and flags, an octet of length and that much data;
 * what follows is a validator's reason.
 */
#include "dnssec/host.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#include "tests/support/fake_dns.h"

#define NAME    "mx.sub.example"
#define ANSWERS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned calls;
	struct host_dns host;
};

static void
on_host(const struct host_dns *host, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->host = *host;
}

/* One record of the table; the rest of the input. */
static struct span
take_record(struct span in, struct fake_record *record, char text[130])
{
	static const char *const ends[] = {NULL, "end.example", "sub.example"};
	uint8_t flags = in.n > 0 ? (uint8_t)in.p[0] : 0;
	size_t n = in.n > 1 ? (uint8_t)in.p[1] % 64 : 0;

	in = span_from(in, 2);
	n = n < in.n ? n : in.n;
	text[0] = '#';
	text_hex(in.p, n, text + 1);
	record->trust = (enum dns_trust)(flags & 3);
	record->data = flags & 4 ? NULL : text;
	record->canonical = ends[(flags >> 3) % 3];
	return span_from(in, n);
}

/* RFC 7672 2.2.2: what must hold whatever was answered. */
static void
check(const struct host_dns *host)
{
	const char *bases[2];
	size_t n = 9;
	bool usable = host_tlsa_bases(host, bases, &n);

	assert(host->naddresses <= 2 * HOST_ADDRESSES_MAX);
	assert(host->trust > DNS_BOGUS || host->naddresses == 0);
	assert((host->trust > DNS_BOGUS) || host->why[0] != '\0');
	assert(usable || host->trust <= DNS_BOGUS || host->why[0] != '\0');
	assert(!usable || n <= 2);
	if (!usable)
		return;
	assert(n == 0 || host->naddresses > 0);
	assert(n == 0 || strcmp(bases[n - 1], NAME) == 0);
	assert(n < 2 || host->trust == DNS_SECURE);
	assert(n == 0 || host->trust == DNS_SECURE ||
	       host->alias_trust == DNS_SECURE);
	assert(n > 0 || host->naddresses == 0 || host->trust == DNS_INSECURE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[ANSWERS] = {
	    RR_A, RR_AAAA, RR_CNAME, RR_DNAME};
	struct fake_record records[ANSWERS];
	char texts[ANSWERS][130];
	struct span in = {(const char *)data, size};
	struct seen seen = {0};
	struct dns *dns;
	char *words;

	for (size_t i = 0; i < ANSWERS; i++) {
		records[i].name = types[i] == RR_DNAME ? "sub.example" : NAME;
		records[i].type = types[i];
		in = take_record(in, &records[i], texts[i]);
	}
	dns = fake_dns_new(records, ANSWERS);
	(void)host_find(dns, NAME, on_host, &seen);
	for (unsigned i = 0; i < 10 && seen.calls == 0; i++)
		dns_process(dns);
	assert(seen.calls == 1 && fake_dns_waiting(dns) == 0);
	check(&seen.host);
	dns_free(&dns);
	words = mem_strndup(in.n > 0 ? in.p : "", in.n);
	assert(dns_ede_name(dns_ede_of(words))[0] != '\0');
	mem_free(words);
	return 0;
}
