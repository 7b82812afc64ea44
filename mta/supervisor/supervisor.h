/*
 * The supervisor: configuration, sockets, keys, and the life of the roles.
 *
 * It does nothing else: no mail passes through it.  Root is used only here,
 * to bind ports and to read keys.
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "mta/bundle.h"
#include "mta/config.h"

/*
 * Run until told to stop; the exit status.  `path` is the configuration
 * file, already loaded once so that errors were shown at the terminal.
 * Takes config and bundle.  `syslog`: as in role_main(), for all roles.
 */
int supervisor_main(const char *path, struct config *config,
    struct bundle *bundle, bool syslog, int launcher);

/* What `launcher` (-1: nobody waits) hears when all roles run; else why not. */
#define LAUNCHED "+"
