#include "mta/ipc_inbound.h"

#include <assert.h>
#include <string.h>

#include "base/wire.h"

static int
put_seen(struct buf *out, const struct inbound_seen *seen)
{
	const struct span address = {
	    (const char *)seen->address, sizeof(seen->address)};

	if (put_i64(out, seen->day) < 0 || buf_add(out, address) < 0 ||
	    put_u8(out, (uint8_t)seen->outcome) < 0 ||
	    put_u8(out, seen->alert) < 0)
		return -1;
	return put_u32(out, seen->sessions);
}

void
ipc_put_inbound(struct buf *out, const struct ipc_inbound *inbound)
{
	bool fits = put_u64(out, inbound->untold) == 0 &&
	            put_u32(out, (uint32_t)inbound->n) == 0;

	for (size_t i = 0; fits && i < inbound->n; i++)
		fits = put_seen(out, &inbound->seen[i]) == 0;
	assert(fits);
}

static bool
take_seen(struct cursor *in, struct inbound_seen *ret)
{
	struct span address;
	uint8_t outcome = 0;

	if (!take_i64(in, &ret->day) ||
	    !take_bytes(in, sizeof(ret->address), &address) ||
	    !take_u8(in, &outcome) || !take_u8(in, &ret->alert) ||
	    !take_u32(in, &ret->sessions))
		return false;
	memcpy(ret->address, address.p, sizeof(ret->address));
	ret->outcome = (enum inbound_outcome)outcome;
	return ret->day >= 0 && outcome < INBOUND_OUTCOMES && ret->sessions > 0;
}

bool
ipc_take_inbound(struct span bytes, struct ipc_inbound *ret)
{
	struct cursor in = cursor_of(bytes);
	uint32_t n = 0;

	if (!take_u64(&in, &ret->untold) || !take_u32(&in, &n) ||
	    n > IPC_INBOUND_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!take_seen(&in, &ret->seen[i]))
			return false;
	ret->n = n;
	return cursor_done(&in);
}
