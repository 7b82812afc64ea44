/*
 * An answer of TXT records: an octet of length, then that much record data,
 * as often as there is input.
 */
#include "policy/sts_record.h"

#include <assert.h>

#include "base/text.h"

#define RECORDS_MAX 8
#define TEXT_MAX    2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct sts_record *record)
{
	size_t n = strlen(record->id);

	assert(record->state != STS_RECORD_UNKNOWN);
	assert((record->state == STS_RECORD_FOUND) == (n > 0));
	assert((record->state == STS_RECORD_FOUND) == (record->why[0] == '\0'));
	for (size_t i = 0; i < n; i++)
		assert(text_is_alnum(record->id[i]));
	assert(sts_record_state_name(record->state)[0] != '?');
}

static struct sts_record
ask(const struct span *rdata, size_t n)
{
	struct dns_answer answer = {.trust = DNS_INSECURE,
	    .exists = n > 0,
	    .rdata = rdata,
	    .nrdata = n};

	return sts_record_read(&answer);
}

/* A record in strings of one octet each says the same; n: of what fitted. */
static size_t
cut_up(struct span rdata, char to[2 * TEXT_MAX])
{
	size_t left = 0;
	size_t n = 0;

	for (size_t i = 0; i < rdata.n && n < TEXT_MAX; i++) {
		if (left == 0) {
			left = (unsigned char)rdata.p[i];
			continue;
		}
		to[2 * n] = 1;
		to[2 * n + 1] = rdata.p[i];
		n++;
		left--;
	}
	return 2 * n;
}

static void
check_cuts(struct span rdata)
{
	static char bytes[2 * TEXT_MAX];
	struct span cut = {bytes, cut_up(rdata, bytes)};
	struct sts_record whole = ask(&rdata, 1);
	struct sts_record pieces = ask(&cut, 1);

	if (whole.state == STS_RECORD_FAILED || cut.n == 0)
		return;
	assert(whole.state == pieces.state);
	assert(strcmp(whole.id, pieces.id) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rdata[RECORDS_MAX];
	struct span rest = {(const char *)data, size};
	struct sts_record record;
	size_t n = 0;

	while (rest.n > 0 && n < RECORDS_MAX) {
		size_t length = (unsigned char)rest.p[0];

		rest = span_from(rest, 1);
		rdata[n] = span_first(rest, length);
		rest = span_from(rest, rdata[n].n);
		n++;
	}
	record = ask(rdata, n);
	check(&record);
	for (size_t i = 0; i < n; i++)
		check_cuts(rdata[i]);
	return 0;
}
