/*
 * What a process that reads mails cannot do, whoever has taken it over: each
 * is tried in a process that is confined as the reader is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mta/report/reader.h"
#include "mta/report/reader_filter.h"

#include "tests/support/test.h"

#define PAGE 4096

static char victim[] = "/tmp/danelaw-victim-XXXXXX";
static pid_t parent;

/* --- what must not work: -1 and errno, or the end of the process ---------- */

static long
opens(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
removes(void)
{
	return unlink(victim);
}

static long
renames(void)
{
	return rename(victim, "/tmp/danelaw-renamed");
}

static long
cuts(void)
{
	return truncate(victim, 0);
}

static long
gives_away(void)
{
	return chmod(victim, 0777);
}

static long
looks(void)
{
	struct stat st;

	return stat(victim, &st);
}

static long
makes_a_process(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long
makes_code(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
makes_data_code(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : mprotect(p, PAGE, PROT_READ | PROT_EXEC);
}

static long
writes_elsewhere(void)
{
	return write(READER_FD_ANSWERS, "x", 1);
}

#if !defined(__SANITIZE_ADDRESS__)
/* Standard error is the daemon's log. */
static long
writes_to_the_log(void)
{
	return write(STDERR_FILENO, "x", 1);
}
#endif

static long
grows_the_result(void)
{
	return ftruncate(READER_FD_RESULT, 1 << 20);
}

static long
lifts_a_limit(void)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_NOFILE, &none);
}

static long
outlives(void)
{
	return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

/* Standard input and error may be a terminal. */
static long
reads_the_terminal(void)
{
	char byte;

	return read(STDERR_FILENO, &byte, 1);
}

static long
sleeps(void)
{
	const struct timespec short_time = {0, 1};

	return nanosleep(&short_time, NULL);
}

static long
waits(void)
{
	uint32_t word = 0;
	const struct timespec short_time = {0, 1};

	return syscall(
	    SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &short_time, NULL, 0);
}

static long
stops(void)
{
	return raise(SIGSTOP);
}

static long
aborts_another(void)
{
	return syscall(SYS_tgkill, parent, parent, SIGABRT);
}

static long
runs_a_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static long
signals(void)
{
	return kill(parent, 0);
}

static long
traces(void)
{
	return ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static long
reads_the_memory_of_another(void)
{
	char byte;
	const struct iovec mine = {&byte, 1}, its = {victim, 1};

	return process_vm_readv(parent, &mine, 1, &its, 1, 0);
}

static long
talks(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

struct attempt {
	const char *name;
	long (*run)(void);
	int signal; /* it ends the process; or 0: EPERM */
};

static const struct attempt attempts[] = {
    {"opens", opens, 0},
    {"removes", removes, 0},
    {"renames", renames, 0},
    {"cuts", cuts, 0},
    {"gives away", gives_away, 0},
    {"looks", looks, 0},
    {"makes a process", makes_a_process, 0},
    {"makes code", makes_code, 0},
    {"makes data code", makes_data_code, 0},
    {"writes elsewhere", writes_elsewhere, 0},
#if !defined(__SANITIZE_ADDRESS__)
    {"writes to the log", writes_to_the_log, 0},
#endif
    {"grows the result", grows_the_result, 0},
    {"lifts a limit", lifts_a_limit, 0},
    {"outlives", outlives, 0},
    {"reads the terminal", reads_the_terminal, 0},
    {"sleeps", sleeps, 0},
    {"waits", waits, 0},
    {"stops", stops, 0},
    {"aborts another", aborts_another, 0},
    {"runs a program", runs_a_program, SIGSYS},
    {"signals", signals, SIGSYS},
    {"traces", traces, SIGSYS},
    {"reads the memory of another", reads_the_memory_of_another, SIGSYS},
    {"talks", talks, SIGSYS},
};

/* --- what has to work ----------------------------------------------------- */

/* 0, or the number of what does not. */
static int
do_its_work(void)
{
	char byte = 0, *room;

	if (pread(READER_FD_MAIL, &byte, 1, 0) != 1 || byte != 'm')
		return 1;
	if (write(READER_FD_RESULT, "r", 1) != 1)
		return 2;
	room = malloc((size_t)16 << 20);
	if (room == NULL)
		return 3;
	memset(room, 1, (size_t)16 << 20);
	room = realloc(room, (size_t)32 << 20);
	if (room == NULL)
		return 4;
	free(room);
	return 0;
}

/* --- the process ---------------------------------------------------------- */

/* Files as the reader has them. */
static void
make_files(void)
{
	int files[3]; /* the mail, the answers, the result */

	for (int i = 0; i < 3; i++)
		files[i] = fcntl(memfd_create("file", 0), F_DUPFD, 20);
	if (write(files[0], "m", 1) != 1)
		_exit(90);
	for (int i = 0; i < 3; i++)
		if (dup2(files[i], READER_FD_MAIL + i) < 0)
			_exit(91);
}

/* Never back. */
static _Noreturn void
be_a_reader(long (*run)(void))
{
	long rc;

	make_files();
	(void)signal(SIGABRT, SIG_DFL);
	if (reader_limit() < 0 || reader_filter() < 0)
		_exit(READER_UNCONFINED);
	if (run == NULL)
		_exit(do_its_work());
	rc = run();
	_exit(rc == -1 && errno == EPERM ? 0 : 1);
}

static int
end_of(long (*run)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		be_a_reader(run);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFSTOPPED(status)) {
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	return status;
}

static void
nothing_else_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(attempts); i++) {
		const struct attempt *attempt = &attempts[i];
		int status = end_of(attempt->run);

		if (attempt->signal != 0 &&
		    (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS))
			fail_msg(
			    "%s: status %x", attempt->name, (unsigned)status);
		if (attempt->signal == 0 && status != 0)
			fail_msg(
			    "%s: status %x", attempt->name, (unsigned)status);
		assert_int_equal(access(victim, F_OK), 0);
	}
}

static void
its_work_does(void **state)
{
	(void)state;
	assert_int_equal(end_of(NULL), 0);
}

/* What reads mails is confined when it reads them: it stays so. */
static _Noreturn void
read_mail_and_remove(void)
{
	struct stat st;

	make_files();
	if (reader_main(0) != EXIT_SUCCESS)
		_exit(92);
	if (unlink(victim) == 0 || errno != EPERM)
		_exit(93);
	/* fstat(3) is what it may: is there a result? */
	_exit(fstat(READER_FD_RESULT, &st) == 0 && st.st_size > 0 ? 0 : 94);
}

static void
the_reader_is_confined(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		read_mail_and_remove();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A failed assertion is seen as one. */
static long
aborts(void)
{
	abort();
}

static void
it_may_abort(void **state)
{
	int status = end_of(aborts);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int
set_up(void **state)
{
	int fd = mkstemp(victim);

	(void)state;
	parent = getpid();
	/* One of the attempts, should it succeed. */
	(void)signal(SIGABRT, SIG_IGN);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(victim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_else_works),
	    cmocka_unit_test(its_work_does),
	    cmocka_unit_test(the_reader_is_confined),
	    cmocka_unit_test(it_may_abort),
	};

	return cmocka_run_group_tests_name(
	    "reader_filter", tests, set_up, tear_down);
}
