/*
 * What roles try under their sandbox.  An attempt returns -1 with errno when
 * it was refused, and what is not negative when it went.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Of a build with AddressSanitizer, where LeakSanitizer needs it. */
#define NOT_SANITIZED(outcome) (SANITIZED ? OK : (outcome))

enum outcome {
	UNTRIED = 0,
	NO, /* EPERM or EACCES */
	OK,
	END, /* SIGSYS */
};

enum {
	TRY_RECEIVE = 0,
	TRY_QUEUE,
	TRY_DELIVER,
	TRY_REPORT,
	TRY_WEB,
	TRY_SUPERVISOR,
	TRY_GATE,
	TRY_ROLES,
};

struct attempt {
	const char *name;
	long (*run)(void);
	enum outcome want[TRY_ROLES];
	uint32_t landlock; /* the least that refuses it; 0: seccomp does */
};

/* End with one that has no name. */
extern const struct attempt sandbox_files[];
extern const struct attempt sandbox_calls[];

/* The folder of the test, and whom it must not reach. */
extern char try_root[];
extern pid_t try_parent;

/* A path in it, until the next call. */
const char *try_at(const char *name);

/* As before each attempt: what others have made is gone. */
void try_make_files(void);
/* A file of the system's that is replaced while the role is at work. */
void try_replace_file(void);
