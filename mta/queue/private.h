/* Private to mta/queue/: the queue role. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "mta/intake.h"
#include "mta/locals.h"
#include "mta/lookup/askers.h"
#include "mta/metrics.h"
#include "mta/role.h"
#include "queue/queue.h"
#include "queue/reader.h"

struct bounce;
struct channel;

/* Another process, introduced by the supervisor. */
struct peer {
	struct peer *next;
	struct queue_role *q;
	struct ipc_peer is;
	struct channel *channel;
	uint32_t owner; /* of its leases */
	bool told;      /* deliver: has said what it holds */
	bool fresh;     /* deliver: it was started after us */
	bool draining;  /* deliver: takes no more jobs */
	uint32_t jobs;  /* with it now */
	/* receive: durable up to here, as far as it has said */
	struct ipc_segment segment;
};

/* A SETTLED that waits for its journal record to be durable. */
struct ack {
	struct ack *next;
	uint32_t owner;
	uint64_t message;
	uint16_t first;
};

struct queue_role {
	struct role *role;
	const struct config *config;
	struct spool spool;
	struct queue *queue;
	struct intake *intake; /* for bounces */
	struct locals *locals; /* the same */
	struct askers *askers; /* NULL: nobody has to be asked */
	struct reader *reader;
	struct peer *peers;
	uint32_t owners;      /* numbers given out; 0 is ourselves */
	bool peers_done;      /* the supervisor has introduced everybody */
	struct batch *batch;  /* of the journal, on its way */
	struct err batch_err; /* ERR_NONE: it went well */
	struct ack *acks;     /* of what the journal collects */
	struct ack *flying;   /* of the batch on its way */
	struct ipc_segment segment; /* of bounces: durable up to here */
	unsigned scans;             /* of all segments, still to be made */
	struct chore *chore;
	struct err chore_err;   /* ERR_NONE: it went well */
	struct move *move;      /* of survivors, on its way */
	unsigned moves;         /* that may still begin in this tick */
	struct err move_err;    /* as the two before */
	struct timer *due;      /* the next job by time */
	struct timer *tend;     /* housekeeping */
	struct timer *patience; /* for deliver roles that do not tell */
	struct bounce *bounces; /* being made, or waiting for the disk */
	struct untold *untold;  /* reports removed while nobody sends them */
	unsigned nuntold;
	struct ipc_result *result; /* room for one that comes in: 288 KB */
	int lock;
	struct clock_watch watch;
	bool draining;
	bool settling; /* at the end: bounces_settle() is at work */
	bool stopped;  /* the loop makes its last turn: begin nothing */
	uint64_t delivered, failed, deferred; /* recipients, since start */
};

/* ask_removed.c: a report role is there, and hears what the one before missed;
 * or nobody will. */
void removed_tell(struct queue_role *q);
void removed_forget(struct queue_role *q);

/* dispatch.c: jobs out */
void dispatch(struct queue_role *q);
struct peer *peer_find(struct queue_role *q, uint32_t owner);

/* settle.c: results in, the journal, what is owed to senders */
void settle_result(
    struct queue_role *q, struct peer *peer, const struct ipc_result *result);
void settle_now(struct queue_role *q, const struct ipc_result *result);
/* Whom it is about. */
void result_rcpts(const struct ipc_result *result, uint16_t ret[IPC_RCPTS_MAX]);
/* The same result for each of its recipients. */
void settle_job(struct queue_role *q, const struct queue_job *job,
    const struct ipc_rcpt_result *all, struct span remote);
/* SETTLED goes to `owner` when what the journal collects is durable. */
void ack_later(
    struct queue_role *q, uint32_t owner, const struct ipc_result *result);
void journal_pump(struct queue_role *q);

/* bounce.c: DSNs into the queue */
struct bounce_rcpt {
	uint16_t ordinal;
	enum fate fate;
	struct err err;
	struct span reply;  /* the peer's words */
	struct span remote; /* who said them */
	int64_t until;      /* of a delay: how long we go on */
};
/*
 * One DSN for these recipients of one message.  When it is durable (or none
 * is owed) queue_bounced() is called for those that failed.
 */
void bounce_send(struct queue_role *q, uint64_t message,
    const struct bounce_rcpt *rcpts, size_t n);

/*
 * Recipients that were delivered and whose sender wants to know: first the
 * word about it becomes durable, then the result is settled and `owner` told.
 */
void success_send(
    struct queue_role *q, uint32_t owner, const struct ipc_result *result);
/*
 * At the end, with none on its way to the disk: of successes that nobody else
 * knows of no word is better than the mail twice.  True: some were settled.
 */
bool bounces_settle(struct queue_role *q);
/* At the end: those that waited are made again by the next queue role. */
void bounces_free(struct queue_role *q);

/* space.c */
void space_tend(struct queue_role *q);
bool space_busy(const struct queue_role *q);

/* ask.c: the operator */
void ask_answer(struct queue_role *q, const struct ipc_ask *ask);

/* open.c.  BLOCKING */
int queue_role_open(struct queue_role *q, struct err *err);

/* queue.c */
void log_trouble(const char *event, const struct err *err);
void queue_role_idle(struct queue_role *q);
