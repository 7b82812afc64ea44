/*
 * Everybody who can be asked, in one process: databases on the thread pool,
 * servers over connections that are kept, answers remembered for as long as
 * the configuration says.
 */
#pragma once
#include "mta/config.h"
#include "mta/lookup/said.h"

struct loop;
struct askers;
struct askers_ask;

/* Borrows both. */
struct askers *askers_new(struct loop *loop, const struct config *config);
/* No question may be open any more. */
void askers_free(struct askers **askers);

/* What is remembered; false: it has to be asked. */
bool askers_recall(
    struct askers *askers, const struct question *question, struct said *ret);
/* `done` comes from the loop, once, unless it is cancelled. */
struct askers_ask *askers_ask(struct askers *askers,
    const struct question *question, said_fn *done, void *arg);
void askers_cancel(struct askers_ask *ask);
