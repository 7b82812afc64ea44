/*
 * All that has to be asked about an address before mta/locals.h can say
 * what becomes of them: one question after the other, until none is left.
 */
#pragma once
#include "mta/locals.h"
#include "mta/lookup/askers.h"

struct asking;

typedef void asking_done(void *arg);

/*
 * NULL when there is nothing to ask: `answers` has it all, and `done` is not
 * called.  Otherwise `done` comes from the loop once, unless it is cancelled.
 * What fails is an answer, too.  The address lives until then.
 */
struct asking *asking_start(struct askers *askers, const struct locals *locals,
    struct answers *answers, const char *address, asking_done *done, void *arg);
void asking_cancel(struct asking **asking);
