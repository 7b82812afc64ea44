/*
 * An answer of TXT records: an octet of length, then that much record data,
 * as often as there is input.  And all of it as one URI.
 */
#include <assert.h>

#include "base/text.h"
#include "reporting/https_uri.h"

#define RECORDS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a request could be made of without a second look. */
static void
check_uri(const struct https_uri *uri)
{
	size_t n = strlen(uri->path);
	char normal[DNS_NAME_SIZE];

	assert(dns_name_is_host(uri->host) && uri->port > 0);
	assert(dns_name_normal(uri->host, normal));
	assert(strcmp(uri->host, normal) == 0);
	assert(uri->path[0] == '/' && n < TLSRPT_URI_MAX);
	for (size_t i = 0; i < n; i++)
		assert(uri->path[i] > ' ' && uri->path[i] < 0x7f &&
		       uri->path[i] != '#');
}

/* And a mail. */
static void
check_place(const struct tlsrpt_rua *rua)
{
	size_t n = strlen(rua->to);
	struct https_uri uri;

	assert(n > 0 && n <= TLSRPT_URI_MAX);
	for (size_t i = 0; i < n; i++)
		assert(rua->to[i] > ' ' && rua->to[i] < 0x7f);
	if (rua->scheme == RUA_MAILTO) {
		assert(strcspn(rua->to, "<>()[]:;,\"\\") == n);
		assert(strchr(rua->to, '@') == strrchr(rua->to, '@'));
		assert(strchr(rua->to, '@') > rua->to);
		return;
	}
	assert(rua->scheme == RUA_HTTPS);
	/* One with an address is kept, to say that nothing is sent there. */
	assert(https_uri_read(span_of(rua->to), &uri) !=
	       https_uri_has_address(span_of(rua->to)));
	if (!https_uri_has_address(span_of(rua->to)))
		check_uri(&uri);
}

static void
check(const struct tlsrpt_record *record)
{
	bool found = record->state == TLSRPT_RECORD_FOUND;

	assert(record->state != TLSRPT_RECORD_UNKNOWN);
	assert(found == (record->nrua > 0));
	assert(found == (record->why[0] == '\0'));
	assert(record->nrua <= TLSRPT_RUA_MAX);
	for (size_t i = 0; i < record->nrua; i++) {
		check_place(&record->rua[i]);
		for (size_t k = 0; k < i; k++)
			assert(
			    strcmp(record->rua[i].to, record->rua[k].to) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rdata[RECORDS_MAX];
	struct span all = {(const char *)data, size};
	struct span rest = all;
	struct dns_answer answer = {.trust = DNS_INSECURE, .rdata = rdata};
	struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
	struct tlsrpt_record record;
	struct tlsrpt_rua rua;
	struct https_uri uri;

	while (rest.n > 0 && answer.nrdata < RECORDS_MAX) {
		size_t length = (unsigned char)rest.p[0];

		rest = span_from(rest, 1);
		rdata[answer.nrdata] = span_first(rest, length);
		rest = span_from(rest, rdata[answer.nrdata].n);
		answer.nrdata++;
	}
	answer.exists = answer.nrdata > 0;
	record = tlsrpt_record_read(&answer, arena);
	check(&record);
	if (tlsrpt_rua_read(all, arena, &rua))
		check_place(&rua);
	if (https_uri_read(all, &uri))
		check_uri(&uri);
	arena_free(&arena);
	return 0;
}
