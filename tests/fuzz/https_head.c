/* The head of an HTTP answer, as libcurl hands it on: a line at a time. */
#include "mta/net/https_head.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
would_do(const struct https_head *head)
{
	if (head->is_post)
		return head->status / 100 == 2;
	return head->status == 200 && head->is_plain && !head->is_encoded &&
	       head->length < HTTPS_LENGTH_LARGE;
}

static void
feed(struct span rest, bool is_post)
{
	struct https_head head = {.is_post = is_post};
	enum https_kind kind = HTTPS_FINE;

	while (rest.n > 0 && kind == HTTPS_FINE) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p) + 1;
		bool was_over = head.over;

		kind = https_head_add(&head, span_first(rest, n));
		rest = span_from(rest, n);
		assert(head.size <= HTTPS_HEAD_MAX && head.status <= 999);
		assert(memchr(head.type, 0, sizeof(head.type)) != NULL);
		if (kind == HTTPS_FINE && head.over)
			assert(was_over || would_do(&head));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	feed(text, false);
	feed(text, true);
	return 0;
}
