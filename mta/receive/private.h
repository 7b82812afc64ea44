/* Private to mta/receive/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/intake.h"
#include "mta/locals.h"
#include "mta/role.h"
#include "mta/smtp/session.h"

struct channel;
struct conn;
struct doors;
struct filters;
struct greylist;
struct guard;
struct inbound;
struct askers;
struct pickup;
struct receive_seen;
struct receive_tickets;
struct screen;
struct tls_server;

/* What may want somebody to look. */
enum receive_part {
	RECEIVE_ROOM = 0,
	RECEIVE_FILTERS,
	RECEIVE_DROP,
	RECEIVE_PARTS,
};

#define RECEIVE_TROUBLE 480

struct receive {
	struct role *role;
	const struct config *config;
	struct spool spool;
	struct intake *intake;
	struct tls_server *tls;          /* NULL: no certificate, no STARTTLS */
	struct receive_tickets *tickets; /* NULL: none are given */
	struct locals *locals;
	struct doors *doors;
	struct askers *askers;     /* NULL: nobody has to be asked */
	struct channel *queue;     /* NULL until it is introduced */
	struct pickup *pickup;     /* NULL but in the first process */
	struct receive_seen *seen; /* NULL: it is not counted */
	struct guard *guard;
	struct greylist *greylist; /* NULL: there is none */
	struct screen *screen;     /* NULL: no block lists */
	struct filters *filters;   /* NULL: none are configured */
	uint64_t kept;             /* octets that wait for filters in memory */
	struct inbound *sessions;
	uint32_t nsessions;
	uint64_t accepted;   /* messages, since start */
	unsigned complaints; /* about files of programs, in this pass */
	uint64_t ids;        /* session ids given out */
	bool full;           /* the spool, as it was told */
	bool draining;
	bool hurry; /* drain: do not wait for idle sessions */
	struct timer *drain;
	struct timer *tell; /* the supervisor what was refused */
	char trouble[RECEIVE_PARTS][RECEIVE_TROUBLE]; /* as told */
};

/* receive.c */
void receive_session_ended(struct receive *receive);

/* trouble.c: for `danelaw status`; "": it is over. */
void receive_tell_trouble(
    struct receive *receive, enum receive_part which, const char *text);

/* room.c: look at the spool, and tell when it is full, or no longer. */
void room_look(struct receive *receive);

/* doors.c: listening sockets */
struct doors *doors_open(struct receive *receive);
/* Take no further connection; those without a session are closed. */
void doors_shut(struct doors *doors);
void doors_free(struct doors **doors);

/* inbound.c: one session with a client of this address, of whom these octets
 * are here already. */
void inbound_start(struct receive *receive, struct conn *conn,
    const char *client, struct span early);
/* End it as soon as no message is half accepted; `now`: at once. */
void inbound_drain(struct inbound *inbound, bool now);
struct inbound *inbound_next(const struct inbound *inbound);

/* pickup.c: messages of local programs, see pickup.h */
struct pickup *pickup_new(struct receive *receive);
/* Take nothing new; what is with the disk comes to its end. */
void pickup_drain(struct pickup *pickup);
void pickup_free(struct pickup **pickup);

/* rules.c: who may send what to whom.  Pure apart from the free space. */
int rules_sender(const struct receive *receive, uint64_t size, struct err *err);
int rules_recipient(const struct receive *receive, struct inquiry *inquiry,
    const char *client, const char *address, struct err *err);
