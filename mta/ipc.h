/*
 * What the processes say to each other: types, payloads, and the functions
 * that write and read them.  Pure.  Reading is strict: a payload with a byte
 * too few or too many is refused, and the channel with it.
 *
 *   supervisor -> role     PEER (+descriptor), PEERS_DONE, DRAIN, ASK
 *   role -> supervisor     SANDBOX, READY, ANSWER
 *   supervisor -> receive  TICKETS (+descriptor)
 *   web -> supervisor      ASK, which is answered by ANSWER
 *   supervisor -> deliver  DANE, STS
 *   deliver -> supervisor  DNSSEC, TROUBLE
 *   receive -> queue       SEGMENT
 *   queue -> deliver       JOB, SETTLED
 *   deliver -> queue       HELD, RESULT, DRAINING
 *   report -> queue        SEGMENT
 *   deliver -> report      EVENT, REPORTED
 *   receive -> report      INBOUND
 *   gate -> supervisor     GATE
 *
 * Leases.  A deliver process owns a job from JOB until SETTLED.  Whenever a
 * queue process appears, each deliver process first tells what it still
 * holds (HELD, one a job, with last set on the final one) and sends again
 * every RESULT that was not settled.  So a queue process may come and go
 * without a job being started twice.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "dnssec/health.h"

enum role_kind {
	ROLE_NONE = 0,
	ROLE_SUPERVISOR,
	ROLE_RECEIVE,
	ROLE_QUEUE,
	ROLE_DELIVER,
	ROLE_REPORT,
	ROLE_WEB,
	ROLE_GATE, /* of renewed certificates: short-lived, nobody's peer */
};

enum ipc_type {
	IPC_NONE = 0,
	IPC_PEER,
	IPC_PEERS_DONE,
	IPC_DRAIN,
	IPC_ASK,
	IPC_READY,
	IPC_ANSWER,
	IPC_SEGMENT,
	IPC_HELD,
	IPC_JOB,
	IPC_RESULT,
	IPC_SETTLED,
	IPC_DRAINING,
	IPC_DANE,
	IPC_DNSSEC,
	IPC_TROUBLE,  /* a line for the operator, or nothing: it is over */
	IPC_EVENT,    /* see ipc_event.h */
	IPC_REPORTED, /* the same */
	IPC_STS,      /* a domain in normal form, or nothing: all of them */
	IPC_INBOUND,  /* see ipc_inbound.h */
	IPC_TICKETS,  /* nothing; the descriptor is of mta/net/tls_ticket.h */
	IPC_REFUSALS, /* see refusal.h */
	IPC_GATE,     /* see ipc_gate.h */
	IPC_SANDBOX,  /* see ipc_sandbox.h */
};

#define IPC_RCPTS_MAX 1000
#define IPC_TEXT_MAX  4096
#define IPC_TLS_MAX   255

struct ipc_peer {
	enum role_kind kind;
	uint32_t index;
	uint32_t pid;
};

struct ipc_ask { /* and its answer */
	uint64_t id;
	bool last;
	struct span text; /* one JSON object */
};

/* The operator has turned DANE off; see danelaw(8). */
struct ipc_dane {
	struct clock_end until; /* 0 and 0: DANE is on */
};

/* What the resolver's test of itself has found. */
struct ipc_dnssec {
	enum dns_ability ability;
	struct span why; /* one line, or empty */
};

struct ipc_segment {
	uint64_t number;
	uint64_t end; /* durable up to here */
};

struct ipc_held {
	bool last;
	uint64_t message;
	/* All of the job: with other routes it may be several by now. */
	uint16_t rcpts[IPC_RCPTS_MAX];
	size_t nrcpts; /* 0: nothing held */
};

struct ipc_job {
	uint64_t message;
	uint64_t segment;
	uint32_t offset;
	uint32_t attempts; /* before this one */
	struct span target;
	uint16_t rcpts[IPC_RCPTS_MAX]; /* ordinals in the envelope */
	size_t nrcpts;
};

enum ipc_outcome {
	OUTCOME_RETRY = 0, /* zero keeps the message */
	OUTCOME_DELIVERED,
	/* Delivered, and the sender asked to be told (NOTIFY=SUCCESS): */
	OUTCOME_RELAYED, /* to a server that will not tell, RFC 3461 5.2.2 */
	OUTCOME_STORED,  /* into the mailbox, RFC 3461 5.2.1 */
	OUTCOME_FAILED,
	OUTCOME_UNTRIED, /* given back: no attempt was made */
};

struct ipc_rcpt_result {
	uint16_t ordinal;
	enum ipc_outcome outcome;
	struct err err;    /* for RETRY and FAILED */
	struct span reply; /* the peer's words, or empty */
};

/* How the destination was, as the attempt saw it; see queue_feedback(). */
enum ipc_health {
	IPC_HEALTH_UNKNOWN = 0,
	IPC_HEALTH_GOOD,
	IPC_HEALTH_BUSY,
	IPC_HEALTH_DEAD,
};

struct ipc_result {
	uint64_t message;
	enum ipc_health health;
	struct span remote; /* host that was last spoken to, or empty */
	/* The decision about TLS as WANTED/GOT/SOURCE/RULE, or empty. */
	struct span tls;
	struct ipc_rcpt_result rcpts[IPC_RCPTS_MAX];
	size_t nrcpts;
};

const char *role_kind_name(enum role_kind kind);
enum role_kind role_kind_find(const char *name);
const char *ipc_outcome_name(enum ipc_outcome outcome);

void ipc_put_peer(struct buf *out, const struct ipc_peer *peer);
bool ipc_take_peer(struct span in, struct ipc_peer *ret);
/* How long, in milliseconds, what runs may still take. */
void ipc_put_drain(struct buf *out, uint32_t ms);
bool ipc_take_drain(struct span in, uint32_t *ret_ms);
void ipc_put_ask(struct buf *out, const struct ipc_ask *ask);
bool ipc_take_ask(struct span in, struct ipc_ask *ret);
void ipc_put_dane(struct buf *out, const struct ipc_dane *dane);
bool ipc_take_dane(struct span in, struct ipc_dane *ret);
void ipc_put_dnssec(struct buf *out, const struct ipc_dnssec *dnssec);
bool ipc_take_dnssec(struct span in, struct ipc_dnssec *ret);
void ipc_put_segment(struct buf *out, const struct ipc_segment *segment);
bool ipc_take_segment(struct span in, struct ipc_segment *ret);
void ipc_put_held(struct buf *out, const struct ipc_held *held);
bool ipc_take_held(struct span in, struct ipc_held *ret);
void ipc_put_job(struct buf *out, const struct ipc_job *job);
bool ipc_take_job(struct span in, struct ipc_job *ret);
void ipc_put_result(struct buf *out, const struct ipc_result *result);
bool ipc_take_result(struct span in, struct ipc_result *ret);
/* SETTLED: the message and one recipient's ordinal name the job. */
void ipc_put_settled(struct buf *out, uint64_t message, uint16_t first);
bool ipc_take_settled(
    struct span in, uint64_t *ret_message, uint16_t *ret_first);
