/*
 * Renewed certificates on their way into use; private to mta/supervisor/.
 *
 *   files settle, or a timer > files read anew > changed? > gate > verdicts
 *   reload > configuration read anew           > changed? > gate > verdicts
 *
 * A chain that is refused stays out: what comes into use has the old one in
 * its place.  Why is kept in a case, tried again by itself, and shown by
 * status until it is over.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/ipc_gate.h"

struct bundle;
struct config;
struct control_item;
struct renewal_files;
struct gate_run;
struct supervisor;
struct timer;

/* Why there is a candidate. */
enum renewal_cause {
	RENEWAL_OF_USE = 0, /* there is none: what is in use is looked at */
	RENEWAL_OF_FILES,   /* certificates were written anew */
	RENEWAL_OF_RELOAD,
	RENEWAL_FORCED, /* a reload that the operator wants in any case */
};

/* One certificate { } about which something is to be said. */
struct renewal_case {
	struct renewal_case *next;
	char name[GATE_NAME_SIZE];
	uint8_t sha256[32]; /* of the chain's own certificate */
	bool in_use;        /* it is, though it should not be */
	bool is_heard;      /* in this run */
	int64_t since;      /* seconds */
	struct renewal_verdict verdict;
};

/* What is counted, for metrics: as the log has it. */
struct renewal_counts {
	int64_t taken;
	int64_t refused;
	int64_t waited; /* for others to know the records */
};

#define RENEWAL_BUSY_MS 1000 /* later, when something else is under way */

struct renewal {
	struct supervisor *supervisor;
	struct renewal_files *files; /* NULL: nobody looks at them */
	struct renewal_case *cases;
	struct timer *timer; /* the next try */
	uint32_t backoff;    /* ms before it; 0: the first */
	bool check_use;      /* what is in use was not judged yet */
	bool look_again;     /* files have changed meanwhile */
	struct renewal_counts counts;
	/* Of the candidate that is at the gate: */
	struct gate_run *run;
	enum renewal_cause cause;
	struct config *config; /* NULL: that in use */
	struct bundle *bundle;
	struct renewal_case *heard; /* the verdicts so far */
};

/* --- renewal.c ------------------------------------------------------------ */

/*
 * May this come into use?  Takes config and bundle; supervisor_take() follows,
 * perhaps with older certificates, or reload_refused, or nothing.
 */
void renewal_admit(struct supervisor *sup, struct config *config,
    struct bundle *bundle, enum renewal_cause cause);
void renewal_drop_candidate(struct renewal *renewal);
/* What nobody spoke of this time is over. */
void renewal_forget_the_rest(struct renewal *renewal);
/* The timer, as long as there is a case: each time twice as long. */
void renewal_plan_next(struct renewal *renewal);

/* --- supervisor.c --------------------------------------------------------- */

/* Have it come into use; takes config and bundle. */
void supervisor_take(struct supervisor *sup, struct config *config,
    struct bundle *bundle, bool is_renewal);
/* It does not come into use. */
void supervisor_refuse(struct supervisor *sup, const char *why);

/* --- renewal_look.c ------------------------------------------------------- */

void renewal_start(struct supervisor *sup);
void renewal_end(struct supervisor *sup);
/* A reload is waiting for verdicts. */
bool renewal_holds_reload(const struct renewal *renewal);
/* Read the files of certificates anew; later, if something is under way. */
void renewal_look(struct supervisor *sup);
/* What is in use has come into use, in the place of that; NULL: of nothing. */
void renewal_taken(struct supervisor *sup, const struct bundle *old);

/* --- renewal_case.c ------------------------------------------------------- */

struct renewal_case *renewal_case_find(
    struct renewal_case *cases, const char *name);
/* There was none: it is new, and nothing is known. */
struct renewal_case *renewal_case_get(
    struct renewal_case **cases, const char *name);
void renewal_case_drop(struct renewal_case **cases, const char *name);
void renewal_cases_free(struct renewal_case **cases);
/* Somebody should look. */
bool renewal_case_alarms(const struct renewal_case *one);
/* "refused", "waits", "in use" */
const char *renewal_case_state(const struct renewal_case *one);
/* What has become of it, in the log and in the counts. */
void renewal_case_tell(
    const struct renewal_case *one, struct renewal_counts *counts);
void renewal_case_put(
    const struct renewal_case *one, struct control_item *item);

/* For status and metrics; of that certificate { }, or with NULL of any. */
bool renewal_alarms(const struct renewal *renewal, const char *name);
void renewal_put(const struct renewal *renewal, struct control_item *more);
