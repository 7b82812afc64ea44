/*
 * What a struct queue is made of, and what its parts do for one another.
 * Private to this folder; queue.h tells the story.
 *
 *     recover.c     queue_open(): files first, then replay.c, then reroute.c
 *     intake.c      segments -> index
 *     work.c        jobs out, leases
 *     settle.c      results in
 *     checkpoint.c  index -> journal, the journal's commit
 *     attempt.c     what was tried, for people
 *     chore.c       files nobody needs
 *     move.c        what lives in mostly finished segments
 *     operator.c, listing.c
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "queue/entry.h"
#include "queue/files.h"
#include "queue/history.h"
#include "queue/index.h"
#include "queue/journal.h"
#include "queue/mover.h"
#include "queue/place.h"
#include "queue/queue.h"

/* A large file to remove once that batch of the journal is durable. */
struct dead {
	uint64_t id;
	uint64_t batch;
};

/* Writing all that is queued into the journal, a part with each batch. */
struct round {
	bool active;
	size_t bucket;  /* the next to write */
	uint64_t bytes; /* written so far */
	uint64_t last;  /* written by the last one that came to its end */
};

struct queue {
	const struct spool *spool;
	struct queue_setup setup;
	struct index index;
	struct places places;
	struct journal journal;
	struct history history;
	struct mover mover;
	struct arena *arena; /* of one envelope at a time */
	struct round round;
	uint64_t scanned; /* bytes of segments since the journal file began */
	uint64_t oldest;  /* journal file that may still be there */
	struct dead *dead;
	size_t ndead, dead_size;
	struct queue_found found;
	uint64_t random;
	int lock_fd;
	bool recovering;
	bool unread; /* records may be there that recovery did not get to */
	bool chore;  /* one is under way */
};

/* Take in one record, but for a copy of a message that is there already. */
void intake(struct queue *queue, struct place *place,
    const struct record *record, struct span encoded);
/* The destination of a recipient, counted once. */
struct destination *intake_route(struct queue *queue,
    const struct envelope *envelope, const struct envelope_rcpt *rcpt);

/* The jobs of these recipients, found one after the other. */
struct picked {
	struct job *job; /* NULL: this recipient is not open */
	uint16_t *rcpt;  /* in the job's list */
};
struct picked pick(struct message *message, uint16_t rcpt, struct job *hint);
/* In job_rcpts(): gone with the next settle_compact(). */
#define RCPT_GONE 0xffffu
/* All of it put off for this reason: an attempt. */
void settle_again(
    struct queue *queue, struct job *job, const struct err *why, int64_t now);
/* Drop what is marked so; a job left empty is done. */
void settle_compact(struct queue *queue, struct job *job);
/* Take these recipients out of their jobs and write that down. */
void settle_drop(struct queue *queue, struct message *message,
    const uint16_t *rcpts, size_t n, enum entry_how how);
/* No recipient is left: forget the message, and its files later. */
void settle_finish(struct queue *queue, struct message *message);

/* Put a job where it belongs when nobody works on it. */
void work_rest(struct queue *queue, struct job *job, int64_t due);
/* When one like this is tried, and for how long. */
struct schedule work_schedule(
    const struct queue *queue, const struct message *message);
void work_describe(
    const struct queue *queue, struct job *job, struct queue_job *ret_job);

/*
 * setback.c: no job waits longer than the schedule ever has one wait, whatever
 * the clock said when that was written.
 */
void setback_bound(struct queue *queue, int64_t now);

/* Begin a new journal file and a new round. */
int checkpoint_begin(struct queue *queue, struct err *err);

/* What the journal files say: first how, then what. */
struct replay {
	const struct files *files;
	uint64_t start;    /* the newest complete file, 0: none, all count */
	bool damaged;      /* somewhere a synced block cannot be read */
	uint64_t version;  /* of the routes that named the destinations */
	bool same_version; /* all of them */
};
/* Read them all, remember the cursors in the queue's places. */
int replay_plan(struct queue *queue, const struct files *files,
    struct replay *ret_replay, struct err *err);
/* After the segments were scanned: apply every entry. */
int replay_apply(
    struct queue *queue, const struct replay *replay, struct err *err);

/* Name all destinations anew. */
int reroute(struct queue *queue, struct err *err);

/* This part of the least size of a file goes with one batch: 256 KiB. */
enum {
	CHECKPOINT_STEPS = 16
};
