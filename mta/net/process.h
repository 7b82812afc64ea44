/* Child processes of the supervisor. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct loop;
struct process;

struct process_ops {
	/* The child ended; `signum` is 0 unless a signal killed it. */
	void (*on_exit)(void *owner, int64_t status, int signum);
};

struct process_setup {
	const char *file;
	const char *const *argv; /* NULL-terminated */
	const int *fds; /* become 3, 4, ... in the child; stay yours here */
	size_t nfds;
	uid_t uid; /* 0: stay who we are */
	gid_t gid;
};

int process_start(struct loop *loop, const struct process_setup *setup,
    const struct process_ops *ops, void *owner, struct process **ret,
    struct err *err);
pid_t process_pid(const struct process *process);
void process_kill(struct process *process, int signum);
void process_free(struct process **process);
