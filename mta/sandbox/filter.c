/* See filter.h. */
#include "mta/sandbox/filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/sandbox/filter_calls.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZES true
#else
#define SANITIZES false
#endif

/* Where clone(2) has its flags. */
#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define NAMESPACES                                                     \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | \
	    CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)

struct part {
	bool serves;
	bool connects; /* to other machines, and asks name servers */
	bool starts;   /* processes */
	bool leads;
};

static const struct part parts[] = {
    [ROLE_NONE] = {0},
    [ROLE_SUPERVISOR] = {true, true, true, true},
    [ROLE_RECEIVE] = {.serves = true},
    [ROLE_QUEUE] = {0},
    [ROLE_DELIVER] = {.connects = true},
    [ROLE_REPORT] = {.connects = true, .starts = true},
    [ROLE_WEB] = {.serves = true},
    [ROLE_GATE] = {.connects = true},
};

/* --- rules ---------------------------------------------------------------- */

/* Some machines do without some calls, and old libraries do not know all. */
static int
checked(int rc)
{
	if (rc >= 0 || rc == -EDOM)
		return 0;
	errno = -rc;
	return -1;
}

static int
add_group(scmp_filter_ctx filter, uint32_t action, enum filter_group group)
{
	struct filter_calls list = filter_calls(group);

	for (size_t i = 0; i < list.n; i++)
		if (checked(
			seccomp_rule_add(filter, action, list.calls[i], 0)) < 0)
			return -1;
	return 0;
}

/* Only where that argument, the i-th from 0, has this under the mask. */
static int
add_if(
    scmp_filter_ctx filter, int call, unsigned i, uint64_t mask, uint64_t value)
{
	return checked(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
	    SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, mask, value)));
}

/* Memory is written or run.  A program that is started is mapped. */
static int
add_memory(scmp_filter_ctx filter, const struct part *part)
{
	if (add_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0) < 0 ||
	    add_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) < 0)
		return -1;
	return !part->starts ? 0
	                     : add_if(filter, SCMP_SYS(mmap), 2,
				   PROT_EXEC | PROT_WRITE, PROT_EXEC);
}

/* Threads; and, for who starts some, processes, though in no namespace. */
static int
add_clone(scmp_filter_ctx filter, const struct part *part)
{
	int rc = 0;

	/* Its flags cannot be seen; the C library goes on with clone(2). */
	if (checked(seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)) < 0)
		return -1;
	if (SANITIZES)
		return 0;
	rc = part->starts
	         ? add_if(filter, SCMP_SYS(clone), CLONE_FLAGS, NAMESPACES, 0)
	         : add_if(filter, SCMP_SYS(clone), CLONE_FLAGS,
		       NAMESPACES | CLONE_THREAD, CLONE_THREAD);
	return rc;
}

static int
add_options(scmp_filter_ctx filter, const int *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (add_if(filter, SCMP_SYS(prctl), 0, UINT32_MAX,
			(uint32_t)options[i]) < 0)
			return -1;
	return 0;
}

/* Its name, what is in force, and more of it; memory is shown to nobody. */
static int
add_prctl(scmp_filter_ctx filter, const struct part *part)
{
	static const int everybody[] = {PR_SET_NAME, PR_GET_NAME,
	    PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP};
	static const int starting[] = {
	    PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP};
	const struct scmp_arg_cmp hiding[] = {
	    SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, PR_SET_DUMPABLE),
	    SCMP_CMP64(1, SCMP_CMP_EQ, 0, 0)};

	if (SANITIZES)
		return 0; /* all of it; see filter_calls.c */
	if (checked(seccomp_rule_add_array(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2, hiding)) < 0 ||
	    add_options(filter, everybody,
		sizeof(everybody) / sizeof(everybody[0])) < 0)
		return -1;
	return !part->starts ? 0
	                     : add_options(filter, starting,
				   sizeof(starting) / sizeof(starting[0]));
}

/* Limits are read, not lifted; abort(3). */
static int
add_self(scmp_filter_ctx filter, const struct part *part)
{
	if (add_prctl(filter, part) < 0)
		return -1;
	if (part->starts)
		return 0;
	if (add_if(filter, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0) < 0)
		return -1;
	return add_if(
	    filter, SCMP_SYS(tgkill), 0, UINT32_MAX, (uint32_t)getpid());
}

/* syslog(3), LMTP over a socket; other machines for who connects to them. */
static int
add_sockets(scmp_filter_ctx filter, const struct part *part)
{
	if (add_if(filter, SCMP_SYS(socket), 0, UINT32_MAX, AF_UNIX) < 0)
		return -1;
	if (!part->connects)
		return 0;
	if (add_if(filter, SCMP_SYS(socket), 0, UINT32_MAX, AF_INET) < 0 ||
	    add_if(filter, SCMP_SYS(socket), 0, UINT32_MAX, AF_INET6) < 0)
		return -1;
	/* Of a socket that asks or connects: where it comes from. */
	return part->leads ? 0
	                   : checked(seccomp_rule_add(
				 filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0));
}

static int
add_groups(scmp_filter_ctx filter, const struct part *part, bool logs)
{
	if (add_group(filter, SCMP_ACT_ALLOW, FILTER_EVERYBODY) < 0 ||
	    add_group(filter, SCMP_ACT_ALLOW, FILTER_FILES) < 0 ||
	    add_group(filter, SCMP_ACT_ALLOW, FILTER_WRITING) < 0 ||
	    (SANITIZES &&
		add_group(filter, SCMP_ACT_ALLOW, FILTER_SANITIZERS) < 0) ||
	    (part->serves &&
		add_group(filter, SCMP_ACT_ALLOW, FILTER_SERVING) < 0) ||
	    (part->starts &&
		add_group(filter, SCMP_ACT_ALLOW, FILTER_STARTING) < 0) ||
	    (part->leads &&
		add_group(filter, SCMP_ACT_ALLOW, FILTER_LEADING) < 0))
		return -1;
	if (logs)
		return 0;
	if (!part->leads &&
	    add_group(filter, SCMP_ACT_KILL_PROCESS, FILTER_NEVER_A_ROLES) < 0)
		return -1;
	if (!part->starts &&
	    checked(seccomp_rule_add(
		filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0)) < 0)
		return -1;
	return add_group(filter, SCMP_ACT_KILL_PROCESS, FILTER_NEVER);
}

/* --- the filter ----------------------------------------------------------- */

static int
add_all(scmp_filter_ctx filter, const struct part *part, bool logs)
{
	/* Calls of another machine's numbering are nobody's. */
	if (checked(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
		logs ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS)) < 0)
		return -1;
	/* Many calls, looked for one by one, would be slow. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (add_groups(filter, part, logs) < 0 ||
	    add_memory(filter, part) < 0 || add_clone(filter, part) < 0 ||
	    add_self(filter, part) < 0 || add_sockets(filter, part) < 0)
		return -1;
	return checked(seccomp_load(filter));
}

/* prctl(2) fails with EINVAL where the kernel was built without. */
static bool
is_there(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

enum sandbox_done
filter_enter(enum role_kind kind, bool asks, bool logs)
{
	struct part part = parts[kind];
	scmp_filter_ctx filter;
	int rc;

	if (!is_there())
		return SANDBOX_ABSENT;
	filter = seccomp_init(logs ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL) {
		errno = ENOMEM;
		return SANDBOX_FAILED;
	}
	part.connects |= asks;
	rc = add_all(filter, &part, logs);
	seccomp_release(filter);
	return rc < 0 ? SANDBOX_FAILED : SANDBOX_DONE;
}
