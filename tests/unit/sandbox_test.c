/*
 * What a role cannot do, whoever has taken it over, and what it can: each is
 * tried in a process that is confined as that role is, by the same function.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "mta/sandbox/sandbox.h"

#include "tests/support/config.h"
#include "tests/support/sandbox_try.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

static const enum role_kind kinds[TRY_ROLES] = {[TRY_RECEIVE] = ROLE_RECEIVE,
    [TRY_QUEUE] = ROLE_QUEUE,
    [TRY_DELIVER] = ROLE_DELIVER,
    [TRY_REPORT] = ROLE_REPORT,
    [TRY_WEB] = ROLE_WEB,
    [TRY_SUPERVISOR] = ROLE_SUPERVISOR,
    [TRY_GATE] = ROLE_GATE};

static uint32_t landlock; /* that the kernel has */

/* --- a process ------------------------------------------------------------ */

static struct config *
configure(const char *sandbox)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    HOST LISTEN
	    "spool = \"%s/spool\"\n"
	    "sandbox = %s\n"
	    "mx_port = 2\n"
	    "ca_file = \"%s/ca/ca.pem\"\n"
	    "domain \"a.example\" { deliver = \"maildir:%s/mail/%%u\" }\n"
	    "domain \"b.example\" { deliver = \"maildir:%s/later/mail/%%u\" }\n"
	    "route \"c.example\" { via = \"smtp:[127.0.0.1]:3\" }\n"
	    "certificate \"x\" { chain = \"%s/etc/c.pem\""
	    " key = \"%s/etc/key.pem\" }\n"
	    "resolver { trust_anchor = \"%s/anchor/root.key\"\n"
	    " forward \".\" { server = \"127.0.0.1:4\" } }\n",
	    try_root, sandbox, try_root, try_root, try_root, try_root, try_root,
	    try_root);
	return parse_good(text);
}

/* Never back.  `go` has a byte when the parent has done its part. */
static _Noreturn void
be(enum role_kind kind, const struct config *config, long (*run)(void), int go)
{
	struct ipc_sandbox sandbox;
	struct err err;
	char byte = 0;
	long rc;

	(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	sandbox_harden();
	if (sandbox_confine(kind, config, &sandbox, &err) < 0)
		_exit(90);
	if (write(go, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(91);
	rc = run();
	if (rc >= 0)
		_exit(OK);
	_exit(errno == EPERM || errno == EACCES ? NO : 92);
}

static int
end_of(enum role_kind kind, const struct config *config, long (*run)(void))
{
	int status = -1, fds[2];
	char byte = 0;
	pid_t pid;

	try_make_files();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (pid == 0)
		be(kind, config, run, fds[1]);
	(void)close(fds[1]);
	/* Confined; and a file of the system's is replaced. */
	if (read(fds[0], &byte, 1) == 1) {
		try_replace_file();
		assert_int_equal(write(fds[0], &byte, 1), 1);
	}
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? END : 93;
	return WEXITSTATUS(status);
}

static void
expect(enum role_kind kind, const struct config *config,
    const struct attempt *attempt, enum outcome want)
{
	int end = end_of(kind, config, attempt->run);

	if (end != (int)want)
		fail_msg("%s %s: %d, not %d", role_kind_name(kind),
		    attempt->name, end, (int)want);
}

static void
try_all(const struct attempt *attempts)
{
	struct config *config = configure("on");

	for (const struct attempt *a = attempts; a->name != NULL; a++) {
		if (a->landlock > landlock)
			continue; /* this kernel cannot */
		for (size_t r = 0; r < TRY_ROLES; r++)
			if (a->want[r] != UNTRIED)
				expect(kinds[r], config, a, a->want[r]);
	}
	config_free(&config);
}

static void
roles_open_what_they_are_for(void **state)
{
	(void)state;
	try_all(sandbox_files);
}

static void
roles_do_what_they_are_for(void **state)
{
	(void)state;
	try_all(sandbox_calls);
}

/* --- what is said of it --------------------------------------------------- */

static void
put_line(int fd, const struct ipc_sandbox *sandbox)
{
	dprintf(fd, "%d %d %s %s", sandbox->no_new_privs, sandbox->not_dumpable,
	    ipc_seccomp_name(sandbox->seccomp),
	    sandbox->landlock > 0 ? "landlock" : "-");
}

/* What a process of that kind says, with `before` run first, or "failed". */
static void
confined_as(const char *sandbox, enum role_kind kind, void (*before)(void),
    char said[64])
{
	struct config *config = configure(sandbox);
	int fds[2];
	ssize_t n;
	pid_t pid;

	try_make_files();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct ipc_sandbox in_force;
		struct err err;

		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		sandbox_harden();
		if (before != NULL)
			before();
		if (sandbox_confine(kind, config, &in_force, &err) < 0)
			dprintf(fds[1], "failed");
		else
			put_line(fds[1], &in_force);
		_exit(0);
	}
	(void)close(fds[1]);
	n = read(fds[0], said, 63);
	said[n < 0 ? 0 : n] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	config_free(&config);
}

/* A kernel without, or one that refuses. */
static void
without(int call, unsigned number)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(number), call, 0) < 0 ||
	    seccomp_load(filter) < 0)
		_exit(93);
	seccomp_release(filter);
}

static void
without_landlock(void)
{
	without(SCMP_SYS(landlock_create_ruleset), ENOSYS);
}

static void
landlock_refused(void)
{
	without(SCMP_SYS(landlock_restrict_self), E2BIG);
}

static void
seccomp_refused(void)
{
	without(SCMP_SYS(seccomp), ENOMEM);
}

static void
dumpable(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void
what_is_in_force_is_said(void **state)
{
	static const struct {
		const char *sandbox;
		enum role_kind kind;
		void (*before)(void);
		const char *said;
		bool with_landlock;
	} rows[] = {
	    {"on", ROLE_QUEUE, NULL, "1 1 enforces landlock", true},
	    {"required", ROLE_QUEUE, NULL, "1 1 enforces landlock", true},
	    {"on", ROLE_SUPERVISOR, NULL, "1 1 enforces -", false},
	    {"log", ROLE_QUEUE, NULL, "1 1 logs -", false},
	    {"off", ROLE_QUEUE, NULL, "1 1 none -", false},
	    {"on", ROLE_QUEUE, without_landlock, "1 1 enforces -", false},
	    {"required", ROLE_QUEUE, without_landlock, "failed", false},
	    {"on", ROLE_QUEUE, landlock_refused, "failed", true},
	    {"on", ROLE_QUEUE, seccomp_refused, "failed", false},
	    {"on", ROLE_QUEUE, dumpable, "1 0 enforces landlock", true},
	};
	char said[64];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		if (rows[i].with_landlock && landlock == 0)
			continue;
		confined_as(
		    rows[i].sandbox, rows[i].kind, rows[i].before, said);
		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%zu: %s, not %s", i, said, rows[i].said);
	}
}

static const struct attempt *
find_in(const struct attempt *a, const char *name)
{
	while (a->name != NULL && strcmp(a->name, name) != 0)
		a++;
	return a;
}

static const struct attempt *
find(const char *name)
{
	const struct attempt *a = find_in(sandbox_files, name);

	if (a->name == NULL)
		a = find_in(sandbox_calls, name);
	assert_non_null(a->name);
	return a;
}

static void
logging_refuses_nothing(void **state)
{
	static const char *const go[] = {
	    "reads accounts", "makes a journal", "talks IPv4", "makes code"};
	struct config *config = configure("log");

	(void)state;
	for (const struct attempt *a = sandbox_calls; a->name != NULL; a++)
		assert_int_not_equal(end_of(ROLE_RECEIVE, config, a->run), END);
	for (size_t i = 0; i < ROWS(go); i++)
		assert_int_equal(
		    end_of(ROLE_RECEIVE, config, find(go[i])->run), OK);
	config_free(&config);
}

static void
no_core_is_left(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct rlimit core;

		sandbox_harden();
		_exit(getrlimit(RLIMIT_CORE, &core) == 0 &&
			      core.rlim_max == 0 && core.rlim_cur == 0 &&
			      prctl(PR_GET_DUMPABLE) == 0 &&
			      prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
set_up(void **state)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	(void)state;
	try_parent = getpid();
	landlock = version < 2 ? 0 : (uint32_t)version;
	log_setup("test", LOG_LEVEL_ERROR, false, false);
	return mkdtemp(try_root) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return tree_remove(try_root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roles_open_what_they_are_for),
	    cmocka_unit_test(roles_do_what_they_are_for),
	    cmocka_unit_test(what_is_in_force_is_said),
	    cmocka_unit_test(logging_refuses_nothing),
	    cmocka_unit_test(no_core_is_left),
	};

	return cmocka_run_group_tests_name("sandbox", tests, set_up, tear_down);
}
