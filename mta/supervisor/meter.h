/*
 * What is counted of all processes, those that have ended among them, and
 * what the supervisor knows by itself; private to mta/supervisor/.
 */
#pragma once
#include <stdint.h>

#include "mta/ipc.h"
#include "mta/metrics.h"

struct child;
struct supervisor;

struct meter {
	uint64_t gone[METRICS];          /* of processes that have ended */
	uint64_t restarts[ROLE_WEB + 1]; /* by role */
};

/* It has ended: its page goes, its counts stay. */
void meter_add_gone(struct meter *meter, struct child *child);

/* Lent for the call.  -1 ends it. */
typedef int meter_fn(const struct metric_sample *sample, void *arg);
/* All there is, in the order of the families; -1 as told. */
int meter_each(const struct supervisor *sup, meter_fn *fn, void *arg);

/* The web role asks; see mta/web_words.h. */
void meter_answer(struct child *child, const struct ipc_ask *ask);
