/*
 * LD_PRELOAD: one process of a daemon is killed at its N-th call to the disk
 * or to somebody else, before the call is made.
 *
 *     DANELAW_STOP=/path/of/plan LD_PRELOAD=.../libstop_at.so danelawd ...
 *
 * The plan is a file of 64 octets: the role, then N (0: count only), the calls
 * so far, and whether somebody was killed.  It is killed once: who is started
 * after it lives, and is not counted.
 */
/* Each name by itself: what is called is open64() as well as open(). */
#undef _FILE_OFFSET_BITS
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define OFFSET_HIGH 32

struct plan {
	char role[40];
	uint64_t at;
	_Atomic uint64_t calls;
	_Atomic uint64_t killed;
};

_Static_assert(sizeof(struct plan) == 64, "as test_report_crash.py has it");

static struct plan *plan;

/* danelawd --role NAME ... */
static bool
is_role(const char *role)
{
	char words[256];
	ssize_t n;
	const char *word = words;
	int fd = (int)syscall(
	    SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = read(fd, words, sizeof(words) - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	words[n] = '\0';
	for (int i = 0; i < 2 && word < words + n; i++)
		word += strlen(word) + 1;
	return word < words + n && strcmp(word, role) == 0;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("DANELAW_STOP");
	struct plan *found;
	int fd = path == NULL ? -1
	                      : (int)syscall(SYS_openat, AT_FDCWD, path,
				    O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	found = mmap(
	    NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (found != MAP_FAILED && is_role(found->role) &&
	    atomic_load(&found->killed) == 0)
		plan = found;
}

static void
call(void)
{
	uint64_t n;

	if (plan == NULL)
		return;
	n = atomic_fetch_add(&plan->calls, 1) + 1;
	if (plan->at == 0 || n != plan->at)
		return;
	atomic_store(&plan->killed, 1);
	(void)raise(SIGKILL); /* kill(2) is not on its list */
	for (;;)
		(void)pause();
}

/* --- to others, and to what is open --------------------------------------- */

ssize_t
write(int fd, const void *p, size_t n)
{
	call();
	return syscall(SYS_write, fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	call();
	return syscall(SYS_writev, fd, iov, n);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	call();
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	call();
	return syscall(SYS_pwritev, fd, iov, n, at, at >> OFFSET_HIGH);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	call();
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t
sendto(int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to,
    socklen_t size)
{
	call();
	return syscall(SYS_sendto, fd, p, n, flags, to.__sockaddr__, size);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	call();
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

/* --- the disk ------------------------------------------------------------- */

int
fsync(int fd)
{
	call();
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	call();
	return (int)syscall(SYS_fdatasync, fd);
}

int
ftruncate64(int fd, off64_t n)
{
	call();
	return (int)syscall(SYS_ftruncate, fd, n);
}

int
ftruncate(int fd, off_t n)
{
	return ftruncate64(fd, n);
}

int
renameat(int from, const char *a, int to, const char *b)
{
	call();
	return (int)syscall(SYS_renameat, from, a, to, b);
}

int
rename(const char *a, const char *b)
{
	return renameat(AT_FDCWD, a, AT_FDCWD, b);
}

int
linkat(int from, const char *a, int to, const char *b, int flags)
{
	call();
	return (int)syscall(SYS_linkat, from, a, to, b, flags);
}

int
link(const char *a, const char *b)
{
	return linkat(AT_FDCWD, a, AT_FDCWD, b, 0);
}

int
unlinkat(int folder, const char *name, int flags)
{
	call();
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

/* Those that may make a file. */
static int
opened(int folder, const char *name, int flags, va_list more)
{
	mode_t mode = 0;

	if ((flags & O_CREAT) != 0) {
		mode = va_arg(more, mode_t);
		call();
	}
	return (int)syscall(SYS_openat, folder, name, flags, mode);
}

int
openat(int folder, const char *name, int flags, ...)
{
	va_list more;
	int fd;

	va_start(more, flags);
	fd = opened(folder, name, flags, more);
	va_end(more);
	return fd;
}

int
openat64(int folder, const char *name, int flags, ...)
{
	va_list more;
	int fd;

	va_start(more, flags);
	fd = opened(folder, name, flags, more);
	va_end(more);
	return fd;
}

int
open(const char *name, int flags, ...)
{
	va_list more;
	int fd;

	va_start(more, flags);
	fd = opened(AT_FDCWD, name, flags, more);
	va_end(more);
	return fd;
}

int
open64(const char *name, int flags, ...)
{
	va_list more;
	int fd;

	va_start(more, flags);
	fd = opened(AT_FDCWD, name, flags, more);
	va_end(more);
	return fd;
}
