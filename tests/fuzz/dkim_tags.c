/*
 * A list of tags, as the value of a DKIM-Signature field and as a key record.
 */
#include "reporting/dkim_tags.h"

#include <assert.h>

#include "reporting/dkim_record.h"
#include "reporting/dkim_signature.h"

#define FIELD "DKIM-Signature:"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_inside(struct span part, struct span whole)
{
	return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void
check_tags(struct span text)
{
	struct dkim_tags tags;

	if (dkim_tags_read(text, &tags) != NULL)
		return;
	assert(tags.n > 0 && tags.n <= DKIM_TAGS_MAX);
	for (size_t i = 0; i < tags.n; i++) {
		assert(tags.list[i].name.n > 0);
		assert(is_inside(tags.list[i].name, text));
		assert(is_inside(tags.list[i].whole, text));
		assert(is_inside(tags.list[i].value, tags.list[i].whole));
		assert(memchr(tags.list[i].value.p, ';',
			   tags.list[i].value.n) == NULL);
		for (size_t j = 0; j < i; j++)
			assert(!span_eq(tags.list[i].name, tags.list[j].name));
	}
}

static void
check_record(struct span text)
{
	static const enum dkim_algorithm algorithms[] = {
	    DKIM_ALGORITHM_OTHER, DKIM_RSA_SHA256, DKIM_ED25519_SHA256};

	for (size_t i = 0; i < 3; i++) {
		struct dkim_record record;
		struct dkim_finding finding = dkim_record_read(
		    text, "tlsrpt", algorithms[i], &record);
		bool good = finding.verdict == DKIM_PASS;

		assert(good == (finding.why[0] == '\0'));
		assert(good == (record.nkey > 0));
		assert(record.nkey <= sizeof(record.key));
		assert(!good || i > 0);
		assert(!good || (record.flags & DKIM_FLAG_REVOKED) == 0);
	}
}

static void
check_signature(struct span field)
{
	struct dkim_signature signature;
	struct dkim_finding finding = dkim_signature_read(
	    field, 1700000000, &signature);
	struct dkim_list names = {.rest = signature.names};
	struct span name;
	size_t n = 0;

	assert((finding.verdict == DKIM_PASS) == (finding.why[0] == '\0'));
	assert(finding.verdict != DKIM_UNKNOWN);
	if (finding.verdict != DKIM_PASS)
		return;
	assert(signature.algorithm != DKIM_ALGORITHM_OTHER);
	assert(signature.domain[0] != '\0' && signature.selector[0] != '\0');
	assert(signature.identity[0] != '\0');
	assert(signature.nbytes > 0);
	assert(signature.nbytes <= sizeof(signature.bytes));
	assert(is_inside(signature.before_b, field));
	assert(is_inside(signature.after_b, field));
	assert(signature.before_b.p[signature.before_b.n - 1] == '=');
	while (dkim_list_next(&names, &name))
		n++;
	assert(n > 0 && n <= DKIM_NAMES_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char field[sizeof(FIELD) - 1 + DKIM_FIELD_MAX];
	struct span text = {(const char *)data, size};
	size_t n = size < DKIM_FIELD_MAX ? size : DKIM_FIELD_MAX;

	check_tags(text);
	check_record(text);
	memcpy(field, FIELD, sizeof(FIELD) - 1);
	if (n > 0)
		memcpy(field + sizeof(FIELD) - 1, data, n);
	check_signature((struct span){field, sizeof(FIELD) - 1 + n});
	return 0;
}
