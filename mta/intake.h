/*
 * The way of a message onto the disk, for a process with a loop: queue/
 * knows segments and batches, this drives them on the thread pool.
 *
 *   intake_begin      an id; the body collects in memory, or in a file of
 *                     its own once it is long
 *   intake_add        bytes of the message, trace header first
 *   intake_commit     `done` is called when one fdatasync has covered the
 *                     message, or when that has failed
 *
 * While a sync runs the next batch collects: many sessions share one sync.
 * After a failed one the segment is given up and another opened.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"
#include "queue/spool.h"

/* Of a message with a file of its own, to be written at once; this much of
 * `memory` is its as long as it is under way. */
#define INTAKE_COLLECT 16384u

struct intake;
struct intake_message;
struct loop;

/* err NULL: durable.  Called from the loop, never inside intake_commit(). */
typedef void intake_done(void *arg, uint64_t id, const struct err *err);
/* A segment is durable up to `end`. */
typedef void intake_synced(void *arg, uint64_t segment, uint64_t end);

struct intake_setup {
	struct loop *loop;
	const struct spool *spool; /* borrowed */
	uint64_t memory;           /* most octets of bodies in memory, of all */
	uint64_t message_max;
	bool into_reserve; /* large bodies may take limits.space as well */
	intake_synced *on_synced;
	void *arg;
};

/* BLOCKING: creates the first segment. */
int intake_new(
    const struct intake_setup *setup, struct intake **ret, struct err *err);
/* Nothing may be under way: see intake_busy(). */
void intake_free(struct intake **intake);
bool intake_busy(const struct intake *intake);
/* Say on_synced for the segment in use again: a new queue role listens. */
void intake_announce(struct intake *intake);

int intake_begin(
    struct intake *intake, struct intake_message **ret, struct err *err);
uint64_t intake_id(const struct intake_message *message);
/* After an error nothing but intake_abort() is left. */
int intake_add(
    struct intake_message *message, struct span bytes, struct err *err);
uint64_t intake_size(const struct intake_message *message);
void intake_abort(struct intake_message **message);
/* Takes the message.  The envelope must live until `done`. */
void intake_commit(struct intake_message **message,
    const struct envelope *envelope, intake_done *done, void *arg);
