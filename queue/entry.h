/*
 * What the journal says, entry by entry.  Pure.  Private to this folder;
 * danelaw-spool(5) has the layout.
 *
 * Every entry states what is the case, never a difference, so that reading
 * one twice does no harm.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/wire.h"
#include "queue/index.h"

enum entry_kind {
	ENTRY_ROUTE = 1, /* destinations were named by this version of routes */
	ENTRY_CURSOR,    /* records before it are in here or done */
	ENTRY_WHOLE,     /* a message and all its jobs */
	ENTRY_DONE,      /* these recipients are settled */
	ENTRY_FINISHED,  /* all of them are */
	ENTRY_RETRY,     /* these wait */
	ENTRY_HOLD,      /* held, or let go */
	ENTRY_PAST,      /* where its last attempt stands */
};

/* How a recipient was settled; for people who read the journal. */
enum entry_how {
	HOW_DELIVERED = 0,
	HOW_FAILED,
	HOW_REMOVED
};

/* Recipients are 2 bytes each in `rcpts`: entry_rcpt(). */
struct entry_job {
	struct span key;
	struct span reason;
	struct span rcpts;
	int64_t due;
	uint16_t attempts;
	uint8_t marks; /* JOB_WARNED */
};

struct entry {
	enum entry_kind kind;
	uint64_t id;     /* ROUTE: the version; CURSOR: the segment */
	uint64_t offset; /* CURSOR, WHOLE; PAST: the place */
	uint64_t segment;
	uint32_t length;
	int64_t arrived;
	uint64_t size;
	uint8_t marks; /* WHOLE: MESSAGE_*; DONE, FINISHED: how; HOLD: held */
	uint16_t njobs;
	struct span jobs;     /* WHOLE: for entry_take_job() */
	struct entry_job job; /* RETRY; DONE: its rcpts */
};

/* The next entry; false: the end, or in->failed. */
bool entry_take(struct cursor *in, struct entry *ret_entry);
bool entry_take_job(struct cursor *in, struct entry_job *ret_job);

static inline size_t
entry_nrcpts(const struct entry_job *job)
{
	return job->rcpts.n / 2;
}
uint16_t entry_rcpt(const struct entry_job *job, size_t i);

/* Appending; -1 over the buffer's limit. */
int entry_put_route(struct buf *out, uint64_t version);
int entry_put_cursor(struct buf *out, uint64_t segment, uint64_t offset);
int entry_put_whole(struct buf *out, struct message *message);
int entry_put_done(struct buf *out, uint64_t id, enum entry_how how,
    const uint16_t *rcpts, size_t n);
int entry_put_finished(struct buf *out, uint64_t id, enum entry_how how);
/* All the recipients the job has. */
int entry_put_retry(struct buf *out, struct job *job);
int entry_put_hold(struct buf *out, uint64_t id, bool held);
int entry_put_past(struct buf *out, uint64_t id, uint64_t place);
