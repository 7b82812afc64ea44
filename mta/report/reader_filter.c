/* See reader_filter.h. */
#include "mta/report/reader_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mta/report/reader.h"

/* As they are; each is harmless whatever its arguments. */
static const int harmless[] = {
    SCMP_SYS(pread64),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigprocmask), /* abort(3) */
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Other processes, other programs, the network. */
static const int hostile[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
};

#if defined(__SANITIZE_ADDRESS__)
static const int of_sanitizer[] = {
    SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack)};
#define MAY_COMPLAIN true
#else
static const int of_sanitizer[] = {SCMP_SYS(exit_group)};
#define MAY_COMPLAIN false
#endif

/* Some machines do without some of them: EDOM. */
static int
add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add(filter, action, calls[i], 0);

		if (rc < 0 && rc != -EDOM)
			return -1;
	}
	return 0;
}

/* Only where that argument, the i-th from 0, has this under the mask. */
static int
add_if(
    scmp_filter_ctx filter, int call, unsigned i, uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
	    SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, mask, value));
}

/* The result alone: standard error is the daemon's log. */
static int
add_writing(scmp_filter_ctx filter)
{
	if (add_if(filter, SCMP_SYS(write), 0, UINT32_MAX, READER_FD_RESULT) <
	    0)
		return -1;
	return !MAY_COMPLAIN ? 0
	                     : add_if(filter, SCMP_SYS(write), 0, UINT32_MAX,
				   STDERR_FILENO);
}

/*
 * Memory, not to be run; fstat(3) of the C library; pthread_once(3), which wakes
 * those who wait; abort(3).  Nobody waits and nobody stops: others are to be
 * read.
 */
static int
add_narrow(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp aborting[] = {
	    SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)getpid()),
	    SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, UINT32_MAX, SIGABRT)};

	if (add_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0) < 0 ||
	    add_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) < 0 ||
	    add_if(filter, SCMP_SYS(newfstatat), 3, UINT32_MAX, AT_EMPTY_PATH) <
		0 ||
	    add_if(filter, SCMP_SYS(futex), 1, (uint32_t)FUTEX_CMD_MASK,
		FUTEX_WAKE) < 0)
		return -1;
	return seccomp_rule_add_array(
	    filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, aborting);
}

#define ALL(calls) (calls), sizeof(calls) / sizeof((calls)[0])

int
reader_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = -1;

	if (filter == NULL)
		return -1;
	if (add_all(filter, SCMP_ACT_ALLOW, ALL(harmless)) == 0 &&
	    add_all(filter, SCMP_ACT_ALLOW, ALL(of_sanitizer)) == 0 &&
	    add_all(filter, SCMP_ACT_KILL_PROCESS, ALL(hostile)) == 0 &&
	    add_writing(filter) == 0 && add_narrow(filter) == 0 &&
	    seccomp_load(filter) == 0)
		rc = 0;
	seccomp_release(filter);
	return rc;
}
