/*
 * The queue: what was promised and is not yet done.
 *
 * One process, the queue role, owns a struct queue.  It learns of messages
 * by reading the segments the others write, hands out jobs (a message for
 * one destination), takes in their results, and keeps in a journal what
 * became of each recipient.  All of it is rebuilt from segments and journal
 * when the role starts again: what it was told by others are hints.
 *
 * The states of a recipient are in danelaw-spool(5).  A function per edge:
 *
 *     queue_scan        accepted   a durable record was found
 *     queue_next        leased     a job goes to a deliver process
 *     queue_settle      delivered, waiting, or failed but not yet bounced
 *     queue_bounced     failed     its bounce is durable in a segment
 *     queue_warned      (waiting)  the word about its delay is
 *     queue_hold, queue_remove     what the operator says
 *     queue_release     due again  the deliver process died
 *
 * Order that keeps the promise: a result is acknowledged to the deliver
 * process after the journal batch that holds it was committed; a bounce is
 * durable before queue_bounced() is called.  A crash anywhere may deliver or
 * bounce a second time, never zero times.
 *
 * The journal is committed like a segment: queue_journal_take(),
 * batch_commit() on a worker, queue_journal_committed().  A batch that failed
 * is kept and written to a new journal file by the next take (wait a little
 * before it: the disk may be full); until then queue_next() hands out
 * nothing.
 *
 * Ownership: strings and arrays handed out are the queue's and good until
 * the next call that takes a non-const queue.  Times are wall seconds.
 * Threads: one, apart from what says BLOCKING and worker.  Space comes back
 * through chore.h and move.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/batch.h"
#include "queue/envelope.h"
#include "queue/schedule.h"
#include "queue/spool.h"

struct queue;

/*
 * Where does this recipient go?  Write the key of the destination
 * ("example.org", "lmtp:unix:/run/lmtp") to `key`, NUL-terminated; what does
 * not fit is cut.  Recipients of a message with equal keys make one job.
 */
#define QUEUE_KEY_MAX 320
typedef void queue_route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX]);

struct queue_setup {
	const struct spool *spool; /* borrowed for the life of the queue */
	queue_route *route;
	void *route_arg;
	uint64_t route_version; /* changes when route() would answer anew */
	struct schedule schedule;
	uint32_t destination_max; /* jobs under way to one; 0: 20 */
	/* Before survivors move, seconds; 0: see move.h; -1: none. */
	int64_t patience;
};

/* What recovery found; numbers of messages if not said otherwise. */
struct queue_found {
	uint64_t messages; /* queued now */
	uint64_t segments; /* files */
	uint64_t torn;     /* tails cut short by a crash, never acknowledged */
	uint64_t damaged;  /* records lost to the disk: tell the operator */
	uint64_t orphans;  /* large files removed */
	bool journal_damaged; /* mail may be delivered a second time */
};

/* BLOCKING.  Opens, recovers, begins a new journal file. */
int queue_open(const struct queue_setup *setup, int64_t now,
    struct queue **ret_queue, struct queue_found *ret_found, struct err *err);
void queue_close(struct queue **queue);

/*
 * Segment `number` is durable up to `end`; with end 0: read what is there if
 * its writer is gone.  Takes in every new record.  -1: the disk does not
 * answer; nothing is lost, call again.
 */
int queue_scan(
    struct queue *queue, uint64_t number, uint64_t end, struct err *err);
/* The same with end 0 for every segment file there is: a writer died. */
int queue_scan_all(struct queue *queue, struct err *err);

struct queue_job {
	uint64_t id;
	struct location at;
	uint64_t size; /* octets of the message */
	int64_t arrived;
	int64_t ends; /* when it is given up */
	const char *destination;
	uint32_t lane;         /* a number made from the destination alone */
	uint32_t attempts;     /* made so far */
	uint32_t deaths;       /* of processes that had it, 3: or more */
	const uint16_t *rcpts; /* which of the envelope's, in order */
	size_t nrcpts;
};

/*
 * The next job that is due, destinations in turn: 1, and it is leased to
 * owner 0, the queue role itself.  0: none now; *ret_when is when the next
 * will be due by time (INT64_MAX: none waits), a result or a scan may come
 * sooner.
 *
 * Owner 0 has what is between queue_next() and queue_lease(), what failed
 * until its bounce is durable, and what was delivered until the word about
 * that is (queue_lease() again, to 0).  Those two are not under way to their
 * destination any more, and it gets others meanwhile.
 */
int queue_next(struct queue *queue, int64_t now, struct queue_job *ret_job,
    int64_t *ret_when);

/*
 * These recipients are with `owner` (a deliver process): after queue_next()
 * to say whom the job went to, after a restart to take over what a deliver
 * process still works on.  False: no such message or nothing left of them.
 */
bool queue_lease(struct queue *queue, uint64_t id, const uint16_t *rcpts,
    size_t n, uint32_t owner);
/* This owner is gone: its jobs are due now.  How many there were. */
size_t queue_release(struct queue *queue, uint32_t owner);
/*
 * The same, and it died of something: one of its jobs may be why.  The first
 * time a job is due at once, as if nothing had been; after that each death is
 * an attempt that failed, until a deliver process says how one ended.
 */
size_t queue_died(struct queue *queue, uint32_t owner, int64_t now);

/*
 * `owner` has not begun with these recipients and gives them back: due now,
 * and it was no attempt.  What is another's by now stays with that one.
 */
void queue_return(struct queue *queue, uint64_t id, const uint16_t *rcpts,
    size_t n, uint32_t owner);

/* How the destination was; zero says nothing. */
enum health {
	HEALTH_UNKNOWN = 0, /* nobody was asked, or it was our own trouble */
	HEALTH_GOOD,        /* it took mail, or refused it for good */
	HEALTH_BUSY,        /* it is there, and it was too much */
	HEALTH_DEAD,        /* no host of it could be used */
};

/*
 * Before queue_settle(): what the attempt for this recipient's job tells of
 * its destination.  Good ones get more at a time, busy ones less; a dead one
 * is left alone for a time that doubles, and then tried with one job.
 */
void queue_feedback(struct queue *queue, uint64_t id, uint16_t rcpt,
    enum health health, int64_t now);

/*
 * After a dead one: the next job for it whose lifetime is over, or whose
 * sender is owed a word about the delay, without a try of its own.  1: it is
 * leased to owner 0, settle it as a retry for the destination's reason.
 */
int queue_doomed(struct queue *queue, int64_t now, struct queue_job *ret_job);

/* What a deliver process says of one recipient; zero keeps the mail. */
enum settle {
	SETTLE_RETRY = 0,
	SETTLE_DELIVERED,
	SETTLE_FAILED,
};

/* What becomes of it. */
enum fate {
	FATE_UNKNOWN = 0, /* no such recipient queued: ignored */
	FATE_DELIVERED,
	FATE_WAITS,   /* next attempt at `until` */
	FATE_LATE,    /* the same, and the sender should be told: see below */
	FATE_FAILED,  /* bounce, then queue_bounced() */
	FATE_EXPIRED, /* the same: temporary errors for the whole lifetime */
};

struct queue_result {
	uint16_t rcpt;
	enum settle settle;
	const struct err *why; /* NULL when delivered; borrowed for the call */
	struct span said;      /* when delivered: the peer's words, or empty */
	enum fate fate;        /* out */
	int64_t until;         /* out: FATE_WAITS, FATE_LATE */
};

/*
 * Take in the results of a job and fill in the fates.  Recipients of the job
 * that have no result are retried.  Those that failed stay leased to owner 0
 * until queue_bounced().  FATE_LATE comes once a job, and again in the next life
 * of the queue when queue_warned() was not called.
 */
void queue_settle(struct queue *queue, uint64_t id,
    struct queue_result *results, size_t n, int64_t now);

/* Their bounces are durable, or none is owed (RFC 3461 4.1 NEVER, <>). */
void queue_bounced(struct queue *queue, uint64_t id, const uint16_t *rcpts,
    size_t n, int64_t now);

/* Theirs about the delay is, or none is owed. */
void queue_warned(
    struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n);

/* The journal's group commit; see the head of segment.h. */
struct batch *queue_journal_take(struct queue *queue);
/* Frees the batch. */
void queue_journal_committed(
    struct queue *queue, struct batch **batch, bool ok);
/* Would queue_journal_take() give one? */
bool queue_journal_pending(const struct queue *queue);

/* The operator's.  False: no such message. */
bool queue_hold(struct queue *queue, uint64_t id, bool hold);
/*
 * What is not under way just now is dropped without a bounce; so is what has
 * failed and still waits for one.
 */
bool queue_remove(struct queue *queue, uint64_t id, int64_t now);
/*
 * The wall clock was set back by so much: what would have been due in a minute
 * still is.
 */
void queue_set_back(struct queue *queue, int64_t seconds);
/* Everything that waits is due now; `destination` NULL: of all. */
size_t queue_flush(struct queue *queue, const char *destination, int64_t now);
/*
 * The same with these recipients, those of a job one behind the other.  A job
 * that waits for its bounce goes as a whole or not at all.  How many there were.
 */
size_t queue_remove_rcpts(
    struct queue *queue, uint64_t id, const uint16_t *rcpts, size_t n);
/* As if it had just come, but for its lifetime: due now, no attempts yet. */
bool queue_requeue(struct queue *queue, uint64_t id, int64_t now);
/* What waits of this message is due now.  False: no such message. */
bool queue_flush_message(struct queue *queue, uint64_t id, int64_t now);
