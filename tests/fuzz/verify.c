/* What an LMTP server says to who asks for recipients, three at most. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "mta/lookup/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_lookup by = {.name = "b.example"};
	void *engine = verify_engine.open(&by, "h.example");
	enum engine_step step = ENGINE_MORE;
	unsigned answers = 0;
	struct buf out;

	buf_init(&out, 4096);
	verify_engine.ask(engine, "a b\"@b.example", &out);
	for (size_t i = 0; i < size && step != ENGINE_BROKEN; i++) {
		struct said said = {.kind = ANSWER_FAILED};

		step = verify_engine.feed(engine,
		    (struct span){(const char *)data + i, 1}, &out, &said);
		if (step == ENGINE_BROKEN)
			assert(said.kind == ANSWER_FAILED &&
			       said.err.kind == ERR_TEMP);
		if (step == ENGINE_LAST ||
		    (step == ENGINE_ANSWERED && ++answers == 3))
			break;
		if (step == ENGINE_ANSWERED)
			verify_engine.ask(engine, "c@b.example", &out);
	}
	verify_engine.close(engine);
	buf_free(&out);
	return 0;
}
