/* What the files of the intake share; nobody else includes this. */
#pragma once
#include "base/buf.h"
#include "mta/intake.h"
#include "queue/large.h"
#include "queue/segment.h"

/*
 *   commit > [large file synced] > WAITING > appended to the segment
 *          > COLLECTED > batch taken > FLYING > sync done > told
 */
struct intake_message {
	struct intake_message *next;
	struct intake *intake;
	uint64_t id;
	struct buf body;     /* for a large file: its end, not yet written */
	struct large *large; /* NULL: all is in `body` */
	uint64_t size;
	uint64_t counted; /* octets, in intake->memory */
	const struct envelope *envelope;
	intake_done *done;
	void *arg;
	struct err err; /* of the worker */
	bool failed;
};

struct intake_list {
	struct intake_message *first;
	struct intake_message **last;
};

struct intake {
	struct intake_setup setup;
	struct segment *segment;
	struct intake_list waiting;
	struct intake_list collected;
	struct intake_list flying;
	struct batch *batch;     /* on its way */
	struct segment *opened;  /* of the worker that switches segments */
	struct segment *closing; /* the one before */
	bool switching;
	bool worker_failed;
	struct err worker_err;
	uint64_t memory;     /* octets of bodies */
	uint64_t durable;    /* of the segment */
	unsigned workers;    /* messages that are with a worker */
	unsigned untold;     /* of a batch: durable or not, and still to hear */
	struct timer *retry; /* after no segment could be opened */
};

/* intake_body.c */
/* BLOCKING, shortly, on any one thread: write what a large file lacks. */
int intake_flush(struct intake_message *message, struct err *err);
void intake_message_free(struct intake_message *message);
