/* Private to mta/supervisor/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "mta/config.h"
#include "mta/ipc.h"
#include "mta/ipc_sandbox.h"
#include "mta/net/loop.h"
#include "mta/refusal.h"
#include "mta/supervisor/dane.h"
#include "mta/supervisor/expiry.h"
#include "mta/supervisor/generation.h"
#include "mta/supervisor/meter.h"
#include "mta/supervisor/tickets.h"

struct channel;
struct control;
struct net_address;
struct process;
struct renewal;
struct supervisor;

enum child_state {
	CHILD_WAITING = 0, /* for its restart */
	CHILD_STARTING,    /* started, not yet READY */
	CHILD_RUNNING,
	CHILD_DRAINING, /* told to finish */
};

struct child {
	struct child *next;
	struct supervisor *supervisor;
	struct generation *generation;
	enum role_kind kind;
	uint32_t index;
	enum child_state state;
	struct process *process;   /* NULL while WAITING */
	struct channel *channel;   /* NULL when it has none any more */
	struct metrics_page *page; /* that it counts on; NULL: it has not run */
	struct timer *timer; /* restart, or kill when it drains too long */
	uint64_t started;    /* loop_now() */
	uint32_t backoff;    /* milliseconds before the next restart */
	uint32_t restarts;
	enum dns_ability dnssec; /* as a deliver role says of its resolver */
	char dnssec_why[256];
	struct ipc_sandbox sandbox; /* as the role says it is confined */
	char trouble[400]; /* as a role says: somebody should look; or "" */
};

struct listening {
	struct listening *next;
	char text[64];
	int fd;
	bool wanted;
	enum role_kind kind; /* of the roles that listen there */
};

enum supervisor_phase {
	PHASE_STARTING = 0,
	PHASE_RUNNING,
	PHASE_STOP_RECEIVE, /* stopping, in order */
	PHASE_STOP_DELIVER,
	PHASE_STOP_QUEUE,
};

struct supervisor {
	const char *path;
	int launcher; /* who waits for the start; -1: nobody (any more) */
	bool syslog;  /* the roles log there whatever the configuration says */
	struct loop *loop;
	struct generation *current;
	struct generation *next; /* its roles are starting: a reload */
	struct timer *patience;  /* with them */
	bool again;              /* reload once more behind it, */
	bool again_forced;       /* whatever is published */
	struct child *children;
	struct listening *listening;
	struct control *control;
	struct ipc_sandbox sandbox; /* of this process */
	struct dane dane;
	struct expiry expiry;
	struct tickets tickets;
	struct meter meter;
	struct renewal *renewal;
	struct watch *signals[3];
	enum supervisor_phase phase;
	uint32_t generations;
	struct refusals refusals; /* since the start, of all receive roles */
	int64_t started;          /* wall */
	uint64_t began;           /* the same, as loop_now() has it */
	int64_t reloaded;
	char reload_problem[512]; /* why the last reload was refused, or "" */
};

/* sockets.c */
int sockets_open(
    struct supervisor *sup, const struct config *config, struct err *err);
/* Close those the new configuration has no more use for. */
void sockets_trim(struct supervisor *sup);
void sockets_close(struct supervisor *sup);
/* Is somebody there, or is it a socket a crash has left behind? */
bool socket_is_alive(const struct net_address *address);
int spool_make(const struct generation *generation, struct err *err);

/* children.c */
void child_start(struct supervisor *sup, struct generation *generation,
    enum role_kind kind, uint32_t index);
void child_drain(struct child *child, uint32_t ms);
void child_kill(struct child *child);
/* Of the configuration in force, if that has one just now; NULL: none. */
struct child *child_find(struct supervisor *sup, enum role_kind kind);
/* What sessions come to is the report role's from now on, also of those that
 * drain: they are introduced to it, and leave the one before. */
void child_take_counts(struct supervisor *sup);
void child_free(struct child *child);
const char *child_state_name(enum child_state state);

/* supervisor.c */
void supervisor_child_gone(struct supervisor *sup);
void supervisor_child_ready(struct supervisor *sup);
/* It does not start, however often: what asked for it is given up. */
void supervisor_child_hopeless(struct child *child);
bool supervisor_stopping(const struct supervisor *sup);
/* Is one of these that ends to be started again? */
bool supervisor_wants(const struct supervisor *sup, enum role_kind kind);
/* `force`: with chains that do not fit what is published about us, too. */
void supervisor_reload(struct supervisor *sup, bool force);
void supervisor_stop(struct supervisor *sup);

/* notify.c: sd_notify(3) without libsystemd; does nothing outside systemd. */
void notify_systemd(const char *state);
/* LAUNCHED, or why not, to who waits for the start (-1: nobody); once. */
void notify_launcher(int *fd, const char *words);
