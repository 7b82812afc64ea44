/*
 * Private to mta/sandbox/: which calls of the kernel a role may make.
 *
 * What is not on its list fails with EPERM, so a library that tries more goes
 * on without.  What no part of us tries, and who has taken a process over would
 * try first, ends it by SIGSYS, and the kernel logs that.
 *
 * Built with AddressSanitizer a role may also do what LeakSanitizer does at
 * its end: start a process that traces it.
 */
#pragma once
#include <stdbool.h>

#include "mta/ipc.h"
#include "mta/sandbox/done.h"

/*
 * For good.  `asks`: name servers, though the role connects to nobody else.
 * `logs`: nothing fails, what would is in the kernel's log.
 */
enum sandbox_done filter_enter(enum role_kind kind, bool asks, bool logs);
