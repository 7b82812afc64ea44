/*
 * Is there a socket where the configuration says that others listen: servers
 * for LMTP, mail filters, lookups?  They may come later than we do, so a start
 * does not ask.
 */
#pragma once
#include "base/buf.h"
#include "mta/config.h"

/*
 * A line that begins with "warning: " for each UNIX socket that is not there.
 * Nobody is connected to; and where we may not look, nothing is said.
 */
void peers_check(const struct config *config, struct buf *problems);
