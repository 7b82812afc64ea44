#include "tests/support/txt_answer.h"

#include <assert.h>

static struct span
make_rdata(struct span text, size_t most, char *to)
{
	size_t n = 0;

	do {
		struct span piece = span_first(text, most);

		assert(n + 1 + piece.n <= TXT_ANSWER_RDATA);
		to[n++] = (char)piece.n;
		memcpy(to + n, piece.p, piece.n);
		n += piece.n;
		text = span_from(text, piece.n);
	} while (text.n > 0);
	return (struct span){to, n};
}

struct dns_answer
txt_answer(const struct span *texts, size_t n, size_t most)
{
	static char bytes[TXT_ANSWER_RECORDS][TXT_ANSWER_RDATA];
	static struct span rdata[TXT_ANSWER_RECORDS];

	assert(n <= TXT_ANSWER_RECORDS && most <= 255);
	for (size_t i = 0; i < n; i++)
		rdata[i] = make_rdata(texts[i], most, bytes[i]);
	return (struct dns_answer){.trust = DNS_INSECURE,
	    .exists = n > 0,
	    .rdata = rdata,
	    .nrdata = n};
}
