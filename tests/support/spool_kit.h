/*
 * A spool to test with, on the real disk in a folder of its own or on any
 * other struct disk, and the handful of steps most tests are made of.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"
#include "queue/segment.h"

struct kit {
	struct spool spool;
	struct queue_setup setup;
	struct queue_found found;
	char folder[64]; /* on the real disk, or "" */
};

/* A new folder below $TMPDIR, small segments, routes by domain. */
void kit_open(struct kit *kit);
/* On another disk, below the path "spool". */
void kit_open_on(struct kit *kit, struct disk disk);
/* Removes the folder. */
void kit_close(struct kit *kit);

/* An envelope from a@client.example to these addresses, split at blanks. */
struct kit_envelope {
	struct envelope envelope;
	struct envelope_rcpt rcpts[64];
	char addresses[64][64];
};
const struct envelope *kit_envelope(
    struct kit_envelope *made, const char *rcpts, int64_t arrived);

/* Append one message; its id.  Fails the test when it cannot. */
uint64_t kit_append(struct segment *segment, const char *rcpts,
    const char *body, int64_t arrived);
/* Take, commit, give back: what is durable now, 0 when that failed. */
uint64_t kit_sync(struct segment *segment);
/* The same for the journal, until nothing is pending; false: failed. */
bool kit_journal(struct queue *queue);
/* All chores there are. */
void kit_chores(struct queue *queue);

/* All moves of survivors there are; false: one failed. */
bool kit_moves(struct queue *queue, int64_t now);

struct queue *kit_queue(struct kit *kit, int64_t now);

/* Lease the next job; its id, or 0. */
uint64_t kit_next(struct queue *queue, int64_t now, struct queue_job *ret_job);
/* The same result for all recipients of a job. */
enum fate kit_settle(struct queue *queue, const struct queue_job *job,
    enum settle settle, int64_t now);

/* Routes to the part after the "@". */
queue_route kit_route;
