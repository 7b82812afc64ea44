/*
 * What every role has in common: how it starts, what the supervisor says to
 * it, how it ends.
 *
 * A role is this binary started again as `danelawd --role KIND INDEX NFDS`,
 * and `syslog` behind it when the log must go there, with descriptor 3 the
 * channel to the supervisor, 4 the bundle, 5 the page to count on (metrics.h),
 * and from 6 on NFDS listening sockets.  When the supervisor is gone the role drains and ends, as if it had
 * been told to.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "mta/ipc.h"
#include "mta/ipc_sandbox.h"
#include "mta/net/loop.h"

/* Listening sockets a role can be given. */
#define ROLE_LISTEN_MAX 46

struct channel;
struct role;

struct role_ops {
	/* A channel to another process; the descriptor is yours.  NULL: it
	 * has to do with none. */
	void (*on_peer)(void *owner, const struct ipc_peer *peer, int fd);
	/* All peers there are at the moment have been told. */
	void (*on_peers_done)(void *owner);
	/* Finish what runs within `ms`, take nothing new, loop_stop().  May
	 * come again: a stop is more urgent than a reload. */
	void (*on_drain)(void *owner, uint32_t ms);
	/* The operator asks; role_answer() at least once, `last` at the end.
	 * NULL: there is nothing to ask it. */
	void (*on_ask)(void *owner, const struct ipc_ask *ask);
	/* DANE was turned off or on; NULL: it is nothing to the role. */
	void (*on_dane)(void *owner, const struct ipc_dane *dane);
	/* The seed of session tickets; the descriptor is yours.  Or NULL. */
	void (*on_tickets)(void *owner, int fd);
	/* What the cache of policies on disk says of it has changed; ipc.h. */
	void (*on_sts)(void *owner, struct span domain);
	/* The supervisor answers what the role has asked it. */
	void (*on_answer)(void *owner, const struct ipc_ask *answer);
};

struct role {
	enum role_kind kind;
	uint32_t index;
	struct loop *loop;
	struct config *config;
	struct bundle *bundle;
	const int *fds; /* listening sockets */
	size_t nfds;
	struct channel *supervisor; /* NULL: it has gone */
	struct ipc_sandbox sandbox; /* that is in force */
	const struct role_ops *ops;
	void *owner;
};

/* The whole life of a role process; its exit status.  `syslog`: the log goes
 * there whatever the configuration says. */
int role_main(enum role_kind kind, uint32_t index, size_t nfds, bool syslog);

/* From inside a role: begin to listen to the supervisor. */
void role_ready(struct role *role, const struct role_ops *ops, void *owner);
void role_tell_dnssec(struct role *role, const struct ipc_dnssec *dnssec);
struct refusals;
/* So many more were refused. */
void role_tell_refusals(struct role *role, const struct refusals *refusals);
/* What keeps mail from going out and wants somebody to look; "": it is over. */
void role_tell_trouble(struct role *role, const char *text);
void role_answer(struct role *role, uint64_t id, struct span text, bool last);

struct spool;
/* The spool as the configuration describes it. */
void role_spool(const struct role *role, struct spool *ret_spool);

/* The roles; each returns when its loop has been stopped. */
int receive_main(struct role *role);
int queue_main(struct role *role);
int deliver_main(struct role *role);
int report_main(struct role *role);
int web_main(struct role *role);
int gate_main(struct role *role);
