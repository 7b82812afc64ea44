/*
 * The report role on a stage: a test plays supervisor and deliver, and stands
 * between the role, its store and the clock.  Link with --wrap for what
 * report_stage.c wraps.
 */
#pragma once
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/net/loop.h"
#include "mta/role.h"

#include "tests/support/report_place.h"

#define LOOK_MS  20u
#define SENT_DAY ((REPORT_DAY + 2) * REPORT_DAY_S)

/* What a role is told and how its store behaves. */
struct stage {
	struct role role;
	struct config config;
	struct channel *deliver; /* our end; NULL: not yet, or closed */
	struct timer *timer;
	unsigned faults;       /* this many calls to forget still fail */
	unsigned write_faults; /* and to add */
	bool told;
	enum ipc_outcome outcome; /* of the word */
	struct report_place *place;
	unsigned look_ms;   /* the first look */
	bool store_is_held; /* by another, when the role begins */
};

extern int64_t stage_wall;      /* 0: as it is */
extern uint64_t stage_ahead_ms; /* of the clock as it is */
extern unsigned stage_plans;    /* that were made */
extern unsigned stage_sweeps;   /* calls to forget that did not fail */
extern uint64_t stage_lost;     /* "sessions" of the log */

/* By a process that delivers; takes the message. */
void stage_say(struct stage *stage, enum ipc_type type, struct buf *message);
/* Sessions that came to the same; of a domain, or of none that is taken. */
void stage_tell_of(struct stage *stage, const char *domain, uint64_t sessions);
/* One session. */
void stage_tell(struct stage *stage);
/* The role from its beginning to its end; `look` ends it. */
void stage_play(struct stage *stage, loop_fn *look);
