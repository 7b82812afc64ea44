/*
 * What a session came to under one policy, from the process that delivers to
 * the report role.  Reading is strict, as in ipc.h.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "reporting/store.h"

/* Room for whatever ipc_take_event() takes. */
#define IPC_EVENT_ARENA ((size_t)4 << 20)

/* -1: it is larger than a message may be. */
int ipc_put_event(struct buf *out, const struct report_event *event)
    __attribute__((warn_unused_result));

/* Everything is copied into the arena, the value itself, too; NULL: refused. */
const struct report_event *ipc_take_event(
    struct span bytes, struct arena *arena);
