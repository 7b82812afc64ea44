/* The text of an MTA-STS policy; what is read is printed and read again. */
#include "policy/sts_policy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
print(const struct sts_policy *policy, struct buf *to)
{
	int rc = buf_printf(to, "version: STSv1\r\nmode: %s\r\nmax_age: %u",
	    sts_mode_name(policy->mode), policy->max_age);

	for (size_t i = 0; i < policy->nmx; i++)
		rc |= buf_printf(to, "\r\nmx: %s", policy->mx[i]);
	assert(rc == 0);
}

static void
check_same(const struct sts_policy *a, const struct sts_policy *b)
{
	assert(a->mode == b->mode && a->max_age == b->max_age);
	assert(a->nmx == b->nmx);
	for (size_t i = 0; i < a->nmx; i++)
		assert(strcmp(a->mx[i], b->mx[i]) == 0);
}

/* RFC 8461 4.1: a pattern takes what it names, and "*" is one label. */
static void
check_match(const struct sts_policy *policy, const char *pattern)
{
	struct sts_policy one = {
	    .mode = STS_MODE_ENFORCE, .mx = &pattern, .nmx = 1};
	bool wild = pattern[0] == '*';
	char host[300];

	(void)snprintf(host, sizeof(host), "%s%s", wild ? "x" : "",
	    wild ? pattern + 1 : pattern);
	assert(sts_policy_allows_mx(policy, host));
	assert(sts_policy_state(&one, host) == STS_MATCH);
	(void)snprintf(host, sizeof(host), "y.x%s%s", wild ? "" : ".",
	    wild ? pattern + 1 : pattern);
	assert(sts_policy_state(&one, host) == STS_NO_MATCH);
	assert(!wild || sts_policy_state(&one, pattern + 2) == STS_NO_MATCH);
}

static void
check(const struct sts_policy *policy)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct sts_policy again;
	struct buf text;
	struct err err;

	assert(policy->mode > STS_MODE_UNKNOWN);
	assert(policy->mode <= STS_MODE_ENFORCE);
	assert(policy->max_age <= STS_MAX_AGE);
	assert(policy->mode == STS_MODE_NONE || policy->nmx > 0);
	assert(policy->nmx <= STS_MX_MAX);
	for (size_t i = 0; i < policy->nmx; i++)
		check_match(policy, policy->mx[i]);
	buf_init(&text, STS_POLICY_ARENA);
	print(policy, &text);
	if (text.n <= STS_POLICY_MAX) {
		int rc = sts_policy_read(buf_span(&text), arena, &again, &err);

		assert(rc == 0);
		check_same(policy, &again);
	}
	buf_free(&text);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct span body = {(const char *)data, size};
	struct sts_policy policy = {0};
	struct err err = {0};

	if (sts_policy_read(body, arena, &policy, &err) == 0) {
		assert(err.text[0] == '\0');
		assert(span_eq(policy.text, body));
		check(&policy);
	} else {
		assert(policy.mode == STS_MODE_UNKNOWN && policy.nmx == 0);
		assert(err.text[0] != '\0' && err.kind == ERR_TEMP);
		for (const char *p = err.text; *p != '\0'; p++)
			assert(*p >= ' ' && *p < 0x7f);
	}
	arena_free(&arena);
	return 0;
}
