/*
 * The queue in memory: messages, their jobs, where each job stands.  Private
 * to this folder; knows neither disk nor clock.
 *
 * A message has its jobs and its recipients' numbers in one block of memory,
 * about 130 bytes for one recipient.  A recipient is open as long as a job
 * lists it.  A job stands in exactly one place, as its state says:
 *
 *     WAITING   the heap, by time
 *     READY     the list of its destination, first come first served
 *     LEASED    the list of jobs under way, or done but for a word about it
 *     HELD      nowhere
 *
 * Destinations that have a ready job and are below their limit stand in a
 * ring, which index_pick() walks.  One that is left alone stands outside as
 * long as one of its jobs waits: the first that is due after its time lets it
 * in again.  One of them at least is due no later than that, whatever becomes
 * of whom: see index_relay().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "queue/listing.h"
#include "queue/names.h"
#include "queue/place.h"
#include "queue/throttle.h"

struct job;

struct job_list {
	struct job *first, *last;
};

struct destination {
	struct name name;         /* first: see names.h */
	struct destination *next; /* in the ring; NULL: not in it */
	struct destination *prev;
	struct job_list ready;
	uint32_t lane;
	uint32_t running; /* jobs under way to it */
	uint32_t waiting; /* jobs of it in the heap */
	struct throttle throttle;
	int64_t until;  /* left alone till then; 0: it is not */
	uint64_t stamp; /* of the message that is being grouped */
	uint16_t group; /* its job for us */
};

struct job {
	struct job *next; /* in the list of its state */
	struct job *prev;
	struct destination *to;
	struct name *reason; /* of the last attempt, or NULL */
	int64_t due;
	uint32_t slot;  /* WAITING: in the heap; LEASED: the owner */
	uint32_t first; /* of its recipients in message_rcpts() */
	uint16_t nrcpts;
	uint16_t number; /* among the message's jobs */
	uint16_t attempts;
	uint8_t state; /* enum job_state */
	uint8_t marks; /* JOB_* below */
};

enum {
	JOB_WARNED = 1,   /* the sender knows of the delay: in the journal */
	JOB_TOUCHED = 2,  /* by the call that is running */
	JOB_BOUNCING = 4, /* the same; some of it has failed */
	/* How many deliver processes have died with it; 3: that many or more. */
	JOB_DEATH = 8,
	JOB_DEATHS = 8 | 16,
	JOB_AWAITS = 32,     /* LEASED, but nobody is on the way any more */
	JOB_FOUND_DEAD = 64, /* its destination, by the call that is running */
	JOB_WARNING = 128,   /* somebody is about to make it JOB_WARNED */
};

struct message {
	struct message *next; /* of its bucket */
	uint64_t id;
	struct place *place;
	int64_t arrived;
	uint64_t size;   /* octets */
	uint64_t past;   /* its last attempt: history.h; 0: none */
	uint32_t offset; /* in its segment */
	uint32_t length; /* of its record there */
	uint16_t slots;  /* recipients there were when it was made */
	uint16_t njobs;
	uint16_t open; /* jobs that have recipients */
	uint8_t marks; /* MESSAGE_* below */
	struct job jobs[];
	/* then uint16_t rcpts[] */
};

enum {
	MESSAGE_HELD = 1,
	MESSAGE_LARGE = 2,
	MESSAGE_ROUND = 4, /* which round of checkpoints has seen it */
	MESSAGE_BRIEF = 8, /* it is of no use to anybody after a day */
	/* What the journal keeps. */
	MESSAGE_KEPT = MESSAGE_HELD | MESSAGE_LARGE | MESSAGE_BRIEF,
};

struct index {
	struct message **buckets;
	size_t nbuckets;
	size_t n;
	struct names destinations;
	struct names reasons;
	struct job **heap;
	size_t nheap, heap_size;
	struct job_list leased;
	struct destination *ring;   /* whose turn it is */
	struct destination *doomed; /* see queue_doomed() */
	uint32_t destination_max;
	uint64_t stamp;
	uint64_t nready, nleased, nheld;
	size_t bytes; /* of messages */
};

void index_init(struct index *index, uint64_t seed, uint32_t destination_max);
void index_free(struct index *index);

struct destination *index_destination(struct index *index, struct span key);

/* What a new message is made of; arrays have n entries. */
struct message_spec {
	uint64_t id;
	struct place *place;
	uint32_t offset;
	uint32_t length;
	int64_t arrived;
	uint64_t size;
	uint8_t marks;
	const uint16_t *rcpts;
	struct destination *const *to; /* of index_destination(): taken over */
	size_t n;
};

struct message *index_find(const struct index *index, uint64_t id);
/* No other has its id.  All jobs HELD, due 0: then job_ready() and so on. */
struct message *index_add(struct index *index, const struct message_spec *spec);
void index_remove(struct index *index, struct message *message);
struct message *job_message(struct job *job);
uint16_t *job_rcpts(struct job *job);

/* Move a job; each takes it from wherever it stands. */
void job_wait(struct index *index, struct job *job, int64_t due);
void job_ready(struct index *index, struct job *job);
void job_lease(struct index *index, struct job *job, uint32_t owner);
/* To owner 0, until a word to its sender is out: its destination has no part in
 * that, and others may be on their way to it. */
void job_await(struct index *index, struct job *job);
void job_hold(struct index *index, struct job *job);
/* It has no recipients left: it stands nowhere and counts no more. */
void job_done(struct index *index, struct job *job);

void job_set_reason(struct index *index, struct job *job, struct span reason);

/* Its limit or its block has changed: may it have a turn? */
void index_check(struct index *index, struct destination *to);
/*
 * Who was to be tried when its time is over will not be: one that is ready
 * waits for that instead.  There is none: then it is left alone no more, and
 * the next that comes is tried.
 */
void index_relay(struct index *index, struct destination *to);

/*
 * Everything due by `now` becomes ready, but for what goes to a destination
 * that is left alone: that is due when its time is over.
 */
void index_wake(struct index *index, int64_t now);
/* The next due time, or INT64_MAX. */
int64_t index_when(const struct index *index);
/* A ready job of the destination whose turn it is, or NULL; it moves on. */
struct job *index_pick(struct index *index);
