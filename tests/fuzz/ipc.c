/*
 * Whatever a process that went mad may say to another: the first octet is
 * what it says it is (or, being none of that, all of it), the rest its
 * payload.  What is taken can be said again, in as many octets: no text is cut
 * at a NUL.  It is then taken for the same.
 */
#include "mta/ipc.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mta/ipc_event.h"
#include "mta/ipc_gate.h"
#include "mta/ipc_inbound.h"
#include "mta/ipc_sandbox.h"
#include "mta/refusal.h"
#include "reporting/timetable.h"

#define LIMIT ((size_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False: refused.  Else it is put out again. */
typedef bool say_again(struct span in, struct buf *out);

#define SAY_AGAIN(kind)                                           \
	static bool again_##kind(struct span in, struct buf *out) \
	{                                                         \
		static struct ipc_##kind said;                    \
                                                                  \
		if (!ipc_take_##kind(in, &said))                  \
			return false;                             \
		ipc_put_##kind(out, &said);                       \
		return true;                                      \
	}

SAY_AGAIN(peer)
SAY_AGAIN(ask)
SAY_AGAIN(dane)
SAY_AGAIN(dnssec)
SAY_AGAIN(segment)
SAY_AGAIN(held)
SAY_AGAIN(job)
SAY_AGAIN(result)
SAY_AGAIN(reported)
SAY_AGAIN(gate)
SAY_AGAIN(inbound)
SAY_AGAIN(sandbox)

static bool
again_drain(struct span in, struct buf *out)
{
	uint32_t ms = 0;

	if (!ipc_take_drain(in, &ms))
		return false;
	ipc_put_drain(out, ms);
	return true;
}

static bool
again_settled(struct span in, struct buf *out)
{
	uint64_t message = 0;
	uint16_t first = 0;

	if (!ipc_take_settled(in, &message, &first))
		return false;
	ipc_put_settled(out, message, first);
	return true;
}

static bool
again_refusals(struct span in, struct buf *out)
{
	static struct refusals refusals;

	if (!refusals_take(in, &refusals))
		return false;
	refusals_put(out, &refusals);
	return true;
}

static bool
again_gate_memory(struct span in, struct buf *out)
{
	struct renewal_memory memory;

	if (!ipc_take_gate_memory(in, &memory))
		return false;
	ipc_put_gate_memory(out, &memory);
	return true;
}

static bool
again_event(struct span in, struct buf *out)
{
	struct arena *arena = arena_new(IPC_EVENT_ARENA);
	const struct report_event *event = ipc_take_event(in, arena);
	bool taken = event != NULL && ipc_put_event(out, event) == 0;

	assert(event == NULL || taken);
	arena_free(&arena);
	return taken;
}

static say_again *const kinds[] = {again_peer, again_ask, again_dane,
    again_dnssec, again_segment, again_held, again_job, again_sandbox,
    again_drain, again_settled, again_refusals, again_gate_memory,
    again_inbound, again_result, again_reported, again_gate, again_event};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
take(say_again *kind, struct span payload)
{
	struct buf one, two;

	buf_init(&one, LIMIT);
	buf_init(&two, LIMIT);
	if (kind(payload, &one)) {
		assert(one.n == payload.n);
		assert(kind(buf_span(&one), &two));
		assert(span_eq(buf_span(&one), buf_span(&two)));
	}
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size};
	struct span payload = span_from(all, 1);
	struct ipc_reported word;
	struct report_ticket ticket;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < KINDS; i++)
		if (data[0] == i || data[0] >= KINDS)
			take(kinds[i], payload);
	if (ipc_take_reported(payload, &word))
		(void)report_ticket_read(word.ticket, &ticket);
	return 0;
}
