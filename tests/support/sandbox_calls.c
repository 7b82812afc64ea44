#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/sandbox_try.h"

#define PAGE 4096

pid_t try_parent;

/* --- the network ---------------------------------------------------------- */

static long
talks_ipv4(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
talks_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static long
listens_to_packets(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long
asks_the_kernel(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long
with_port(uint16_t port, bool binds)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int rc;

	if (fd < 0)
		return -1;
	rc = binds ? bind(fd, (struct sockaddr *)&to, sizeof(to))
	           : connect(fd, (struct sockaddr *)&to, sizeof(to));
	return rc < 0 && errno == ECONNREFUSED ? 0 : rc;
}

static long
connects_to_its_port(void)
{
	return with_port(2, false);
}

static long
connects_to_a_route(void)
{
	return with_port(3, false);
}

static long
connects_to_a_name_server(void)
{
	return with_port(4, false);
}

static long
connects_elsewhere(void)
{
	return with_port(5, false);
}

static long
takes_any_port(void)
{
	return with_port(0, true);
}

static long
takes_a_port(void)
{
	return with_port(61234, true);
}

static long
serves(void)
{
	return listen(socket(AF_UNIX, SOCK_STREAM, 0), 1) < 0 && errno != EINVAL
	           ? -1
	           : 0;
}

/* --- processes and memory ------------------------------------------------- */

static long
runs_a_program(void)
{
	/* It ends with what says that it ran. */
	return execl("/bin/sh", "sh", "-c", "exit 2", NULL);
}

static long
starts_a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long
in_a_namespace(void)
{
	return syscall(
	    SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void *
nothing(void *arg)
{
	return arg;
}

static long
starts_a_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	return errno != 0 ? -1 : pthread_join(thread, NULL);
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
loads_a_library(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
signals_another(void)
{
	return kill(try_parent, 0);
}

static long
may_be_traced(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long
sets_a_limit(void)
{
	const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CORE, &none);
}

static long
reads_a_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit);
}

/* --- never ---------------------------------------------------------------- */

#if !SANITIZED
static long
traces(void)
{
	return ptrace(PTRACE_ATTACH, 0, NULL, NULL); /* nobody */
}

#endif

static long
loads_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
mounts(void)
{
	return syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}

static long
loads_a_kernel(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

static long
loads_a_module(void)
{
	return syscall(SYS_finit_module, -1, "", 0);
}

static long
reads_keys(void)
{
	return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static long
measures(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
}

static long
handles_faults(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static long
reads_memory(void)
{
	return syscall(SYS_process_vm_readv, try_parent, NULL, 0, NULL, 0, 0);
}

static long
leaves(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
changes_the_root(void)
{
	return chroot("/");
}

static long
becomes_another(void)
{
	return setuid(getuid());
}

static long
runs_a_descriptor(void)
{
	return syscall(SYS_execveat, -1, "", NULL, NULL, 0);
}

static long
uses_rings(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

const struct attempt sandbox_calls[] = {
    {"talks IPv4", talks_ipv4, {NO, NO, OK, OK, NO, UNTRIED, OK}, 0},
    {"talks UNIX", talks_unix, {OK, OK, OK, OK, OK, OK, OK}, 0},
    {"listens to packets", listens_to_packets, {NO, NO, NO, NO, NO, NO, NO}, 0},
    {"asks the kernel", asks_the_kernel, {NO, NO, NO, NO, NO, UNTRIED, NO}, 0},
    {"connects to its port", connects_to_its_port,
	{NO, NO, OK, OK, NO, UNTRIED, NO}, 4},
    {"connects to a route", connects_to_a_route,
	{NO, NO, OK, OK, NO, UNTRIED, NO}, 4},
    {"connects to a name server", connects_to_a_name_server,
	{NO, NO, OK, OK, NO, UNTRIED, OK}, 4},
    {"connects elsewhere", connects_elsewhere,
	{NO, NO, NO, OK, NO, UNTRIED, NO}, 4},
    {"takes any port", takes_any_port, {NO, NO, OK, OK, NO, UNTRIED, OK}, 4},
    {"takes a port", takes_a_port, {NO, NO, NO, NO, NO, OK, NO}, 4},
    {"serves", serves, {OK, NO, NO, NO, OK, UNTRIED, NO}, 0},
    {"runs a program", runs_a_program, {END, END, END, NO, END, OK, END}, 2},
    {"starts a process", starts_a_process,
	{NOT_SANITIZED(NO), NOT_SANITIZED(NO), NOT_SANITIZED(NO), OK,
	    NOT_SANITIZED(NO), OK, NOT_SANITIZED(NO)},
	0},
    {"in a namespace", in_a_namespace,
	{NOT_SANITIZED(NO), NOT_SANITIZED(NO), NOT_SANITIZED(NO),
	    NOT_SANITIZED(NO), NOT_SANITIZED(NO), UNTRIED, NOT_SANITIZED(NO)},
	0},
    {"starts a thread", starts_a_thread, {OK, OK, OK, OK, OK, UNTRIED, OK}, 0},
    {"makes code", makes_code, {NO, NO, NO, NO, NO, NO, NO}, 0},
    {"makes data code", makes_data_code, {NO, NO, NO, NO, NO, NO, NO}, 0},
    {"loads a library", loads_a_library, {NO, NO, NO, OK, NO, UNTRIED, NO}, 0},
    {"signals another", signals_another, {NO, NO, NO, NO, NO, UNTRIED, NO}, 6},
    {"may be traced", may_be_traced,
	{NOT_SANITIZED(NO), NOT_SANITIZED(NO), NOT_SANITIZED(NO),
	    NOT_SANITIZED(NO), NOT_SANITIZED(NO), NOT_SANITIZED(NO),
	    NOT_SANITIZED(NO)},
	0},
    {"sets a limit", sets_a_limit, {NO, NO, NO, OK, NO, UNTRIED, NO}, 0},
    {"reads a limit", reads_a_limit, {OK, OK, OK, OK, OK, UNTRIED, OK}, 0},

#if !defined(__SANITIZE_ADDRESS__)
    {"traces", traces, {END, END, END, END, END, UNTRIED, END}, 0},
#endif
    {"loads BPF", loads_bpf, {END, END, END, END, END, END, END}, 0},
    {"mounts", mounts, {END, END, END, END, END, END, END}, 0},
    {"loads a kernel", loads_a_kernel, {END, END, END, END, END, UNTRIED, END},
	0},
    {"loads a module", loads_a_module, {END, END, END, END, END, END, END}, 0},
    {"reads keys", reads_keys, {END, END, END, END, END, END, END}, 0},
    {"measures", measures, {END, END, END, END, END, UNTRIED, END}, 0},
    {"handles faults", handles_faults, {END, END, END, END, END, UNTRIED, END},
	0},
    {"reads memory", reads_memory, {END, END, END, END, END, END, END}, 0},
    {"leaves", leaves, {END, END, END, END, END, END, END}, 0},
    {"changes the root", changes_the_root, {END, END, END, END, END, END, END},
	0},
    {"becomes another", becomes_another, {END, END, END, END, END, OK, END}, 0},
    {"runs a descriptor", runs_a_descriptor,
	{END, END, END, END, END, UNTRIED, END}, 0},
    {"uses rings", uses_rings, {NO, NO, NO, NO, NO, UNTRIED, NO}, 0},
    {NULL, NULL, {NO}, 0},
};
