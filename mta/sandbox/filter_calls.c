/* See filter.h.  Each is harmless whatever its arguments, for who has it. */
#include "mta/sandbox/filter_calls.h"

#include <seccomp.h>

static const int everybody[] = {
    /* memory; mmap(2) and mprotect(2) have conditions */
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(membarrier),
    /* time and chance */
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep),
    SCMP_SYS(time),
    SCMP_SYS(times),
    /* threads; clone(2) has conditions */
    SCMP_SYS(futex),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(getcpu),
    /* who we are, and the end */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getresgid),
    SCMP_SYS(getresuid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(umask),
    /* signals */
    SCMP_SYS(pause),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    /* descriptors that are open */
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(flock),
    SCMP_SYS(fstat),
    SCMP_SYS(ioctl),
    SCMP_SYS(lseek),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(memfd_create),
    /* waiting */
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_gettime),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pselect6),
    SCMP_SYS(select),
    /* channels, and syslog(3); socket(2) has conditions */
    SCMP_SYS(connect),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(socketpair),
};

static const int files[] = {
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_rm_watch),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
};

static const int writing[] = {
    SCMP_SYS(fallocate),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchown),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(rmdir),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(utimensat),
};

static const int serving[] = {
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(listen),
};

/* And what the program that is started does until it confines itself. */
static const int starting[] = {
    SCMP_SYS(arch_prctl),
    SCMP_SYS(chdir),
    SCMP_SYS(execve),
    SCMP_SYS(fork),
    SCMP_SYS(getpgid),
    SCMP_SYS(kill),
    SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
    SCMP_SYS(prlimit64),
    SCMP_SYS(seccomp),
    SCMP_SYS(setrlimit),
    SCMP_SYS(setsid),
    SCMP_SYS(tgkill),
    SCMP_SYS(tkill),
    SCMP_SYS(vfork),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
};

static const int leading[] = {
    SCMP_SYS(bind),
    SCMP_SYS(chmod),
    SCMP_SYS(chown),
    SCMP_SYS(fchmodat),
    SCMP_SYS(fchownat),
    SCMP_SYS(lchown),
    SCMP_SYS(setfsgid),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(getgroups),
    SCMP_SYS(setregid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setuid),
};

static const int never[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(delete_module),
    SCMP_SYS(execveat),
    SCMP_SYS(finit_module),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fspick),
    SCMP_SYS(init_module),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kcmp),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(open_tree),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
#if !defined(__SANITIZE_ADDRESS__)
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(quotactl),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(setns),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
};

static const int never_a_roles[] = {
    SCMP_SYS(setgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(setregid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setuid),
};

static const int sanitizers[] = {
#if defined(__SANITIZE_ADDRESS__)
    SCMP_SYS(clone),
    SCMP_SYS(prctl),
    SCMP_SYS(ptrace),
    SCMP_SYS(wait4),
#else
    SCMP_SYS(exit_group), /* a list is not empty */
#endif
};

#define LIST(calls)                                         \
	{                                                   \
		(calls), sizeof(calls) / sizeof((calls)[0]) \
	}

struct filter_calls
filter_calls(enum filter_group group)
{
	static const struct filter_calls lists[FILTER_GROUPS] = {
	    [FILTER_EVERYBODY] = LIST(everybody),
	    [FILTER_FILES] = LIST(files),
	    [FILTER_WRITING] = LIST(writing),
	    [FILTER_SERVING] = LIST(serving),
	    [FILTER_STARTING] = LIST(starting),
	    [FILTER_LEADING] = LIST(leading),
	    [FILTER_NEVER] = LIST(never),
	    [FILTER_NEVER_A_ROLES] = LIST(never_a_roles),
	    [FILTER_SANITIZERS] = LIST(sanitizers),
	};

	return lists[group];
}
