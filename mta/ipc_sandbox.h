/*
 * What a process is confined by, as it says itself to the supervisor before it
 * is READY; see mta/sandbox/.  Reading is strict, as in ipc.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* Zero is what is worst: nothing is in force. */
enum ipc_seccomp {
	SECCOMP_NONE = 0,
	SECCOMP_LOGS, /* what would be refused stands in the kernel's log */
	SECCOMP_ENFORCES,
	SECCOMP_KINDS,
};

struct ipc_sandbox {
	bool no_new_privs;
	bool
	    not_dumpable; /* no core files, and nobody of its account traces it */
	enum ipc_seccomp seccomp;
	uint32_t landlock; /* the version of its interface; 0: not in force */
};

const char *ipc_seccomp_name(enum ipc_seccomp seccomp);

void ipc_put_sandbox(struct buf *out, const struct ipc_sandbox *sandbox);
bool ipc_take_sandbox(struct span in, struct ipc_sandbox *ret);
