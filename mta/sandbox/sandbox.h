/*
 * What a process may still do, by what it is there for.
 *
 *   harden > descriptors and the bundle > confine > whatever comes from others
 *
 * A role is confined when it has read its bundle, before it opens anything
 * else: no octet of a stranger's, no thread and no child is there yet.  What
 * it opens from then on, at once or later, it opens by the rules:
 *
 *   filter.c    which calls of the kernel, by seccomp
 *   grants.c    which folders, and for what; pure
 *   landlock.c  these folders as rules of Landlock
 *
 * The supervisor opens whatever the next configuration names, so it has no
 * rules for folders, and its calls are those of all roles and more: they
 * inherit its filter.
 */
#pragma once
#include "base/err.h"
#include "mta/config.h"
#include "mta/ipc.h"
#include "mta/ipc_sandbox.h"

/*
 * For every process of the daemon, first of all: no new privileges, no core
 * files, and no access to its memory for others of its account.
 */
void sandbox_harden(void);

/*
 * From now on, for good; by `sandbox` of danelaw.conf(5).  *ret: what is in
 * force.  What the kernel does not have is left out and logged, or with
 * `required` an error; what it has and refuses is an error.  The process must
 * have one thread.
 */
int sandbox_confine(enum role_kind kind, const struct config *config,
    struct ipc_sandbox *ret, struct err *err);
