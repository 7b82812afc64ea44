/* What a socketmap server says, in two parts: the first octet is the cut. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "mta/lookup/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum engine_step
feed(void *engine, struct span bytes, struct buf *out)
{
	struct said said = {.kind = ANSWER_FAILED};
	enum engine_step step = socketmap_engine.feed(
	    engine, bytes, out, &said);

	if (step == ENGINE_BROKEN)
		assert(said.kind == ANSWER_FAILED && said.err.kind == ERR_TEMP);
	if (said.kind == ANSWER_FOUND)
		assert(said.value.n <= ANSWER_VALUE_MAX);
	return step;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_lookup by = {.map = "m"};
	struct span all = {(const char *)data + 1, size == 0 ? 0 : size - 1};
	size_t cut = size == 0 || all.n == 0 ? 0 : data[0] % all.n;
	void *engine = socketmap_engine.open(&by, "h.example");
	struct buf out;

	if (size == 0)
		all = (struct span){NULL, 0};
	buf_init(&out, 4096);
	socketmap_engine.ask(engine, "a@b.example", &out);
	assert(span_eq(buf_span(&out), SPAN("13:m a@b.example,")));
	if (feed(engine, span_first(all, cut), &out) == ENGINE_MORE)
		(void)feed(engine, span_from(all, cut), &out);
	socketmap_engine.close(engine);
	buf_free(&out);
	return 0;
}
