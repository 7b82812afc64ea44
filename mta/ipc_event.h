/*
 * What a session came to under one policy, and what became of a report's mail,
 * from the process that delivers to the report role.  Reading is strict, as in
 * ipc.h.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mta/ipc.h"
#include "reporting/store.h"
#include "reporting/timetable.h"

/* Room for whatever ipc_take_event() takes. */
#define IPC_EVENT_ARENA ((size_t)4 << 20)

/* -1: it is larger than a message may be. */
int ipc_put_event(struct buf *out, const struct report_event *event)
    __attribute__((warn_unused_result));

/* Everything is copied into the arena, the value itself, too; NULL: refused. */
const struct report_event *ipc_take_event(
    struct span bytes, struct arena *arena);

/* Of one that is not taken: how many it tells of, one at least. */
uint64_t ipc_event_sessions(struct span bytes);

/* One attempt to deliver it. */
struct ipc_reported {
	char ticket[REPORT_TICKET_SIZE]; /* report_ticket_write() */
	enum ipc_outcome outcome;
	char why[REPORT_STORE_WORDS + 1]; /* or "" */
};
/* What is too long is cut. */
void ipc_put_reported(struct buf *out, const struct ipc_reported *word);
bool ipc_take_reported(struct span bytes, struct ipc_reported *ret);
