/* Private to mta/sandbox/: the lists of calls. */
#pragma once
#include <stddef.h>

/* What a role is for. */
enum filter_group {
	FILTER_EVERYBODY = 0, /* memory, time, threads, descriptors, channels */
	FILTER_FILES,         /* opened and looked at by name */
	FILTER_WRITING,       /* made, synced, renamed, removed */
	FILTER_SERVING,       /* connections that others open */
	FILTER_STARTING,      /* processes */
	FILTER_LEADING,       /* accounts, owners, sockets to listen on */
	FILTER_NEVER,         /* nobody's: it ends the process */
	FILTER_NEVER_A_ROLES, /* the same, but the supervisor's children */
	FILTER_SANITIZERS,    /* of a build with AddressSanitizer */
	FILTER_GROUPS,
};

struct filter_calls {
	const int *calls; /* as SCMP_SYS() gives them */
	size_t n;
};

struct filter_calls filter_calls(enum filter_group group);
