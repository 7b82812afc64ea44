/*
 * The guard of port 25: who gets a session, how much of it, and how fast.
 * docs/DEFENCE.md tells the whole.  Decisions only: no socket, and the clock
 * is a parameter.
 *
 * Each receive process counts for itself.  Clients that may relay and those of
 * defence { allow } are exempt from all but the number of sessions.
 */
#pragma once
#include "mta/config.h"
#include "mta/receive/networks.h"
#include "mta/refusal.h"

struct guard;

struct guard_pass {              /* of one session */
	struct network *network; /* NULL: it is not counted */
	bool exempt;
};

struct guard *guard_new(const struct config *config, uint32_t sessions_max);
void guard_free(struct guard **guard);

/*
 * A session begins: always with guard_leave() at its end.  Not REFUSAL_NONE: it
 * is to be turned away with *err.
 */
enum refusal guard_enter(struct guard *guard, const char *client, uint64_t now,
    struct guard_pass *ret, struct err *err);
void guard_leave(struct guard *guard, struct guard_pass *pass);

/* MAIL comes: may it? */
enum refusal guard_message(struct guard *guard, const struct guard_pass *pass,
    uint64_t now, struct err *err);

/* It happened: one more. */
void guard_count(struct guard *guard, enum refusal kind);
/* What was counted since the last time; false: nothing. */
bool guard_tell(struct guard *guard, struct refusals *ret);

/*
 * How long we wait for the rest of something that has begun.  Each octet buys
 * time, at slow_octets a minute, and no more than slow_ms can be saved up.
 */
struct pace {
	uint64_t until; /* ms; 0: nothing has begun */
};

/* Octets came. */
void pace_credit(struct pace *pace, const struct config_defence *defence,
    size_t octets, uint64_t now);
/* Is something still amid? */
void pace_judge(struct pace *pace, const struct config_defence *defence,
    bool amid, uint64_t now);
bool pace_is_slow(const struct pace *pace, uint64_t now);
/* The wait until it will be too slow, at most `ms`, at least 1. */
uint32_t pace_wait(const struct pace *pace, uint32_t ms, uint64_t now);
