/* Private to mta/sandbox/: what came of putting something into force. */
#pragma once

enum sandbox_done {
	SANDBOX_FAILED = 0, /* errno; the kernel has it, and refuses */
	SANDBOX_ABSENT,     /* the kernel does not have it */
	SANDBOX_DONE,
};
