#include "mta/ipc_sandbox.h"

#include <assert.h>

#include "base/wire.h"

const char *
ipc_seccomp_name(enum ipc_seccomp seccomp)
{
	switch (seccomp) {
	case SECCOMP_NONE:
		return "none";
	case SECCOMP_LOGS:
		return "logs";
	case SECCOMP_ENFORCES:
		return "enforces";
	case SECCOMP_KINDS:
		break;
	}
	return "unknown";
}

void
ipc_put_sandbox(struct buf *out, const struct ipc_sandbox *sandbox)
{
	bool fits = put_u8(out, sandbox->no_new_privs) == 0 &&
	            put_u8(out, sandbox->not_dumpable) == 0 &&
	            put_u8(out, (uint8_t)sandbox->seccomp) == 0 &&
	            put_u32(out, sandbox->landlock) == 0;

	assert(fits);
	(void)fits;
}

bool
ipc_take_sandbox(struct span in, struct ipc_sandbox *ret)
{
	struct cursor at = cursor_of(in);
	uint8_t privs, dumpable, seccomp;
	uint32_t landlock;

	if (!take_u8(&at, &privs) || !take_u8(&at, &dumpable) ||
	    !take_u8(&at, &seccomp) || !take_u32(&at, &landlock) ||
	    !cursor_done(&at) || privs > 1 || dumpable > 1 ||
	    seccomp >= SECCOMP_KINDS)
		return false;
	*ret = (struct ipc_sandbox){
	    privs == 1, dumpable == 1, (enum ipc_seccomp)seccomp, landlock};
	return true;
}
