/*
 * Looking into the queue: counts for `status`, entries for `danelaw queue`.
 * Nothing here touches the disk; sender and recipients are in the envelope
 * (message_open()).
 */
#pragma once
#include "queue/queue.h"

enum job_state {
	JOB_WAITING = 0, /* for its time */
	JOB_READY,       /* for its turn */
	JOB_LEASED,      /* under way */
	JOB_HELD,        /* for the operator */
};

struct queue_counts {
	uint64_t messages;
	uint64_t waiting, ready, leased, held; /* jobs */
	uint64_t destinations;
	uint64_t segments;      /* files */
	uint64_t segment_bytes; /* in them, of queued messages */
	uint64_t journal_bytes; /* of the newest file */
	uint64_t memory;        /* bytes of the index, estimated */
};

void queue_count(const struct queue *queue, struct queue_counts *ret_counts);

struct queue_entry {
	struct queue_job job;
	enum job_state state;
	int64_t due;
	/* of the last attempt: "4.4.1 text", cut to 99 octets, or "" */
	const char *reason;
};

typedef void queue_on_entry(void *arg, const struct queue_entry *entry);

/*
 * A part of the queue, in no order: call with *position 0, again while it
 * returns true.  What is queued all the time in between comes at least once.
 */
bool queue_list(struct queue *queue, uint64_t *position,
    queue_on_entry *on_entry, void *arg);

/* The jobs of one message; false: no such message. */
bool queue_show(
    struct queue *queue, uint64_t id, queue_on_entry *on_entry, void *arg);

const char *job_state_name(enum job_state state);
