/*
 * One run of the gate: the process that looks up what is published about us,
 * since root asks no stranger.  See mta/ipc_gate.h for what it is asked.
 */
#pragma once
#include "base/err.h"
#include "mta/ipc_gate.h"

struct bundle;
struct config;
struct gate_run;
struct supervisor;

struct gate_ops {
	void (*on_verdict)(void *owner, const struct ipc_gate *verdict);
	/* Nothing comes behind it; `why` it came to less than was asked, if
	 * it did.  Only gate_free() is left. */
	void (*on_end)(void *owner, const char *why);
};

/*
 * `bundle` has the questions; its keys are not handed on.  Callbacks come
 * from the loop.
 */
int gate_start(struct supervisor *sup, const struct config *config,
    const struct bundle *bundle, const struct gate_ops *ops, void *owner,
    struct gate_run **ret, struct err *err);
/* At any time; the process ends. */
void gate_free(struct gate_run **run);
