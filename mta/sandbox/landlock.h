/*
 * Private to mta/sandbox/: the rules of Landlock, landlock(7), by the calls
 * themselves: the C library has no functions for them, and the header of
 * Debian 12 not all of the constants.
 */
#pragma once
#include <stdint.h>

#include "mta/sandbox/done.h"
#include "mta/sandbox/grants.h"

/*
 * For good.  Everything that the kernel's version can refuse is refused, but
 * for these grants.  *ret_version is written when it is DONE.
 */
enum sandbox_done landlock_enter(
    const struct grants *grants, uint32_t *ret_version);
