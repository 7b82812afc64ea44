/* Private to mta/deliver/link*.c. */
#pragma once
#include "mta/deliver/link.h"
#include "mta/deliver/private.h"
#include "mta/net/conn.h"
#include "mta/net/tls.h"

#define BODY_CHUNK (32u << 10)

enum link_state {
	LINK_OPENING = 0,
	LINK_GREETING,
	LINK_SHAKING,
	LINK_READY,
	LINK_RESTING, /* waits for more mail in its destination */
	LINK_SENDING,
	LINK_FAILED,
	LINK_QUITTING, /* nobody's any more */
};

struct link {
	struct link *next; /* of those that are QUITTING */
	struct link **at;
	struct deliver *deliver;
	struct link_setup setup;
	char host[256];
	char key[LINK_KEY_SIZE];
	struct net_address from;
	struct conn *conn;
	struct client *client;
	enum link_state state;
	enum client_wait wait; /* what for */
	uint64_t since;        /* and since when; loop_now() */
	bool feeding;          /* a body waits for the peer to take more */
	bool asked;            /* STARTTLS has been said */
	bool done;             /* every recipient has its reply */
	bool answered; /* the peer has said something since link_send() */
	uint32_t uses;
	struct job *job;     /* being sent */
	struct timer *later; /* an event that came inside a call */
	const struct link_ops *ops;
	void *owner;
	struct tls_seen seen;
	struct tls_facts tls;
	struct net_address local; /* our end, once it is there */
};

/* link.c */
extern const struct conn_ops link_conn_ops;
void link_run(struct link *link);
void link_free(struct link *link);
void link_flush(struct link *link);
void link_set_deadline(struct link *link);

/* link_tls.c: what the plan demands, and what the peer has shown */
/* STARTTLS now? Then `asked` is set and nothing has been seen yet. */
void link_choose_tls(struct link *link);
void link_demand(struct link *link);
void link_see(struct link *link, const struct tls_facts *facts);
void link_see_broken(struct link *link, const struct err *why);
void link_say_insecure(const struct link *link, struct err *err);
void link_say_broken(
    const struct link *link, const char *failure, struct err *err);
/* RFC 8689 2: does it promise what this message needs, if any? */
bool link_keeps_promise(const struct link *link);
/* From here on the plan's names and records may go. */
void link_forget(struct link *link);
