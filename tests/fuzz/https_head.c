/* The head of an HTTP answer, as libcurl hands it on: a line at a time. */
#include "mta/net/https_head.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {(const char *)data, size};
	struct https_head head = {0};
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
			assert(
			    was_over || (head.status == 200 && head.is_plain &&
					    !head.is_encoded &&
					    head.length < HTTPS_LENGTH_LARGE));
	}
	return 0;
}
