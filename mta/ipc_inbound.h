/*
 * Sessions of others with us, from a receive process to the report role, as
 * many as there are at a time.  Reading is strict, as in ipc.h.
 */
#pragma once
#include "base/buf.h"
#include "reporting/inbound.h"

#define IPC_INBOUND_MAX 2048

struct ipc_inbound {
	uint64_t untold; /* sessions that came too fast to be told of */
	struct inbound_seen seen[IPC_INBOUND_MAX];
	size_t n;
};

/* It fits into a message. */
void ipc_put_inbound(struct buf *out, const struct ipc_inbound *inbound);
bool ipc_take_inbound(struct span bytes, struct ipc_inbound *ret);
