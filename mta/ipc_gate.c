#include "mta/ipc_gate.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"

/* Our own payloads always fit: their buffers are as large as a frame. */
static void
must(int rc)
{
	assert(rc == 0);
	(void)rc;
}

static void
put_memory(struct buf *out, const struct renewal_memory *memory)
{
	must(put_u32(out, memory->absent_ttl));
	must(put_u32(out, memory->max_age));
	must(put_i64(out, memory->until));
}

static bool
take_memory(struct cursor *in, struct renewal_memory *ret)
{
	return take_u32(in, &ret->absent_ttl) && take_u32(in, &ret->max_age) &&
	       take_i64(in, &ret->until);
}

void
ipc_put_gate_memory(struct buf *out, const struct renewal_memory *memory)
{
	put_memory(out, memory);
}

bool
ipc_take_gate_memory(struct span bytes, struct renewal_memory *ret)
{
	struct cursor in = cursor_of(bytes);
	struct renewal_memory memory = {0};

	if (!take_memory(&in, &memory) || !cursor_done(&in))
		return false;
	*ret = memory;
	return true;
}

void
ipc_put_gate(struct buf *out, const struct ipc_gate *gate)
{
	const struct renewal_verdict *verdict = &gate->verdict;

	must(put_blob(out, span_of(gate->name)));
	must(put_u8(out, (uint8_t)verdict->step));
	must(put_u8(out, (uint8_t)verdict->rule));
	must(put_blob(out, span_of(verdict->reason)));
	must(put_blob(out, span_of(verdict->remedy)));
	must(put_blob(out, span_of(verdict->warning)));
	put_memory(out, &verdict->memory);
}

/* Words come from DNS and from who serves a policy. */
static bool
take_text(struct cursor *in, char *to, size_t size)
{
	struct span text;

	if (!take_chars(in, size - 1, &text))
		return false;
	(void)text_copy_span(to, size, text);
	text_make_printable(to);
	return true;
}

static bool
take_verdict(struct cursor *in, struct renewal_verdict *ret)
{
	uint8_t step = 0, rule = 0;

	if (!take_u8(in, &step) || !take_u8(in, &rule) || step > RENEWAL_LOAD ||
	    rule >= RENEWAL_RULES ||
	    !take_text(in, ret->reason, sizeof(ret->reason)) ||
	    !take_text(in, ret->remedy, sizeof(ret->remedy)) ||
	    !take_text(in, ret->warning, sizeof(ret->warning)))
		return false;
	ret->step = (enum renewal_step)step;
	ret->rule = (enum renewal_rule)rule;
	return take_memory(in, &ret->memory);
}

bool
ipc_take_gate(struct span bytes, struct ipc_gate *ret)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_gate gate = {.name = ""};
	struct span name;

	if (!take_chars(&in, sizeof(gate.name) - 1, &name) ||
	    !take_verdict(&in, &gate.verdict) || !cursor_done(&in))
		return false;
	(void)text_copy_span(gate.name, sizeof(gate.name), name);
	*ret = gate;
	return true;
}
