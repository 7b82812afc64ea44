/* Text of a zone into TLSA records and back. */
#include <assert.h>
#include <string.h>

#include "dnssec/name.h"
#include "tlsa/zone.h"

#define RECORDS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is printed, and what is printed is read as the same. */
static void
check(const struct tlsa_entry *entry, struct arena *arena)
{
	struct span rdata = entry->rdata;
	struct tlsa_record record;
	struct tlsa_entry again;
	struct buf text;
	struct err err;
	size_t n;
	int rc;

	if (rdata.n <= 3)
		return;
	record = (struct tlsa_record){.usage = (uint8_t)rdata.p[0],
	    .selector = (uint8_t)rdata.p[1],
	    .matching = (uint8_t)rdata.p[2],
	    .data = span_from(rdata, 3)};
	buf_init(&text, 200000);
	if (tlsa_zone_print(entry->owner[0] == '\0' ? "x" : entry->owner,
		entry->ttl, &record, &text) == 0) {
		rc = tlsa_zone_read(
		    buf_span(&text), arena, &again, 1, &n, &err);
		assert(rc == 0 && n == 1 && span_eq(again.rdata, rdata));
	}
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(1000000);
	struct tlsa_entry entries[RECORDS_MAX];
	struct err err = {0};
	size_t n = 0;
	int rc = tlsa_zone_read((struct span){(const char *)data, size}, arena,
	    entries, RECORDS_MAX, &n, &err);

	assert(n <= RECORDS_MAX);
	assert((rc == 0) == (err.text[0] == '\0'));
	for (size_t i = 0; i < n; i++) {
		char normal[DNS_NAME_SIZE];

		assert(entries[i].owner[0] == '\0' ||
		       dns_name_normal(entries[i].owner, normal));
		check(&entries[i], arena);
	}
	arena_free(&arena);
	return 0;
}
