/*
 * Can the roles write to the Maildirs that the configuration names?  Blocking,
 * and where one of them is on a mount that hangs, for good: so no start and no
 * reload asks, which has other mail to take.
 */
#pragma once
#include "base/buf.h"
#include "mta/config.h"

/*
 * A line that begins with "warning: " for each that they cannot: what is the
 * same for every user is looked at.  Who runs this and is neither root nor the
 * account of the roles cannot know, and nothing is said.
 */
void mailboxes_check(const struct config *config, struct buf *problems);
