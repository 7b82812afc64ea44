/*
 * A reader that fails costs one mail.  This program is its own reader: what it
 * does then stands in the mail.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/config.h"
#include "mta/report/inbox.h"
#include "mta/report/reader.h"
#include "mta/report_mails.h"

#include "tests/support/test.h"
#include "tests/support/tree.h"

#define NOBODY   65534
#define LIMIT_MS 20000

/* --- the reader ----------------------------------------------------------- */

static int
misbehave(void)
{
	char what[32] = "";

	if (read(READER_FD_MAIL, what, sizeof(what) - 1) < 0)
		return 1;
	if (strcmp(what, "abort") == 0)
		(void)raise(SIGABRT);
	if (strcmp(what, "cpu") == 0)
		(void)raise(SIGXCPU);
	if (strcmp(what, "killed") == 0)
		(void)raise(SIGKILL);
	if (strcmp(what, "garbage") == 0 &&
	    write(READER_FD_RESULT, "\x02garbage", 8) != 8)
		return 1;
	if (strcmp(what, "asks") == 0 &&
	    write(READER_FD_RESULT, "\x01\x03\0\0\0a..", 8) != 8)
		return 1;
	if (strcmp(what, "seccomp") == 0)
		(void)raise(SIGSYS);
	if (strcmp(what, "unconfined") == 0)
		return READER_UNCONFINED;
	return strcmp(what, "status") == 0 ? 7 : 0;
}

/* --- the role ------------------------------------------------------------- */

struct stage {
	char folder[64];
	struct config config;
	struct loop *loop;
	struct inbox *inbox;
	struct timer *limit;
	char trouble[128]; /* the last that was one */
};

static int
set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	(void)snprintf(
	    stage->folder, sizeof(stage->folder), "/tmp/danelaw-inbox-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	stage->config.state = stage->folder;
	stage->config.hostname = "mx.ours.example";
	stage->config.resolver.timeout_ms = 1000;
	stage->loop = loop_new();
	*state = stage;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *stage = *state;

	inbox_free(&stage->inbox);
	timer_free(&stage->limit);
	loop_free(&stage->loop);
	(void)tree_remove(stage->folder);
	free(stage);
	return 0;
}

static void
put(struct stage *stage, const char *name, const char *text)
{
	struct report_put *put;
	struct err err;

	assert_int_equal(report_put_begin(stage->folder, REPORTS_IN, name,
			     strlen(text), &put, &err),
	    0);
	assert_int_equal(report_put_write(put, span_of(text), &err), 0);
	assert_int_equal(report_put_commit(&put, &err), 0);
}

static size_t
count(const struct stage *stage, enum report_folder which)
{
	struct report_mails mails;
	struct err err;
	size_t n;

	assert_int_equal(
	    report_mails_list(stage->folder, which, &mails, &err), 0);
	n = mails.n;
	report_mails_free(&mails);
	return n;
}

static void
on_trouble(void *owner, const char *text)
{
	struct stage *stage = owner;

	if (text[0] != '\0')
		(void)snprintf(
		    stage->trouble, sizeof(stage->trouble), "%s", text);
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("nothing came of it for %d s", LIMIT_MS / 1000);
}

static void
start(struct stage *stage)
{
	const struct inbox_setup setup = {.loop = stage->loop,
	    .config = &stage->config,
	    .on_trouble = on_trouble,
	    .owner = stage};

	stage->inbox = inbox_new(&setup);
	stage->limit = timer_new(stage->loop, on_limit, NULL);
	timer_start(stage->limit, LIMIT_MS);
}

static void
each_is_set_aside_with_its_reason(void **state)
{
	static const struct {
		const char *mail, *why;
	} rows[] = {
	    {"abort", "who read it ended by signal 6"},
	    {"cpu", "reading it took too long"},
	    {"seccomp", "who read it wanted what it may not"},
	    {"status", "who read it ended with status 7"},
	    {"nothing", "who read it came to no result"},
	    {"garbage", "who read it came to no result"},
	    {"asks", "it asks for too much"},
	};
	struct stage *stage = *state;
	struct report_why why;

	for (size_t i = 0; i < ROWS(rows); i++)
		put(stage, rows[i].mail, rows[i].mail);
	start(stage);
	while (count(stage, REPORTS_ASIDE) < ROWS(rows))
		loop_run_once(stage->loop);
	for (size_t i = 0; i < ROWS(rows); i++) {
		report_mail_why(
		    stage->folder, REPORTS_ASIDE, rows[i].mail, &why);
		assert_string_equal(why.why, rows[i].why);
	}
	assert_int_equal(count(stage, REPORTS_IN), 0);
}

/* Somebody else's doing: it may do better; and it is in nobody's way. */
static void
one_that_was_killed_stays(void **state)
{
	struct stage *stage = *state;
	int fd;

	put(stage, "killed", "killed");
	start(stage);
	put(stage, "abort", "abort");
	while (count(stage, REPORTS_ASIDE) < 1)
		loop_run_once(stage->loop);
	/* What comes while it waits is noticed, and behind it by name. */
	put(stage, "nothing", "nothing");
	while (count(stage, REPORTS_ASIDE) < 2)
		loop_run_once(stage->loop);
	fd = report_mail_open(stage->folder, "killed");
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(count(stage, REPORTS_IN), 1);
}

/*
 * Without seccomp nothing is read, and the operator is told.  But who has read
 * a mail can say so, too: it alone waits.
 */
static void
who_is_not_confined_reads_nothing(void **state)
{
	struct stage *stage = *state;
	struct report_why why;

	put(stage, "a", "unconfined");
	start(stage);
	while (stage->trouble[0] == '\0')
		loop_run_once(stage->loop);
	put(stage, "b", "abort");
	while (count(stage, REPORTS_ASIDE) < 1)
		loop_run_once(stage->loop);
	assert_non_null(strstr(stage->trouble, "seccomp"));
	assert_int_equal(count(stage, REPORTS_IN), 1);
	report_mail_why(stage->folder, REPORTS_IN, "a", &why);
	assert_string_equal(why.why, stage->trouble);
}

/* A file that root has put there, say: the others are read all the same. */
static void
one_that_cannot_be_opened_waits(void **state)
{
	struct stage *stage = *state;
	char path[128];
	struct report_why why;
	bool root = geteuid() == 0;

	put(stage, "a", "abort");
	put(stage, "b", "abort");
	(void)snprintf(path, sizeof(path), "%s/reports-in/a", stage->folder);
	assert_int_equal(chmod(path, 0), 0);
	if (root) {
		(void)snprintf(
		    path, sizeof(path), "%s/reports-in", stage->folder);
		assert_int_equal(chown(stage->folder, NOBODY, NOBODY), 0);
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		(void)snprintf(
		    path, sizeof(path), "%s/reports-in/b", stage->folder);
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	start(stage);
	while (count(stage, REPORTS_ASIDE) < 1)
		loop_run_once(stage->loop);
	report_mail_why(stage->folder, REPORTS_IN, "a", &why);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(count(stage, REPORTS_IN), 1);
	assert_string_equal(why.why, "a: Permission denied");
	assert_string_equal(stage->trouble, "");
}

static void
one_that_waits_for_days_is_set_aside(void **state)
{
	struct stage *stage = *state;
	const struct timespec old[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	char path[128];
	struct report_why why;

	put(stage, "killed", "killed");
	(void)snprintf(
	    path, sizeof(path), "%s/reports-in/killed", stage->folder);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	start(stage);
	while (count(stage, REPORTS_ASIDE) < 1)
		loop_run_once(stage->loop);
	report_mail_why(stage->folder, REPORTS_ASIDE, "killed", &why);
	assert_string_equal(why.why, "who read it was killed");
}

/* --- its bounds ----------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define HAS_MEMORY_LIMIT false
#else
#define HAS_MEMORY_LIMIT true
#endif

/* 0, or the number of the bound that is none. */
static int
try_bounds(void)
{
	struct rlimit cpu, size, core;
	void *room;

	if (reader_limit() < 0)
		return 1;
	if (getrlimit(RLIMIT_CPU, &cpu) < 0 || cpu.rlim_max != READER_SECONDS)
		return 2;
	if (getrlimit(RLIMIT_FSIZE, &size) < 0 || size.rlim_max > (rlim_t)64
								      << 20)
		return 3;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return 4;
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EMFILE)
		return 5;
	if (!HAS_MEMORY_LIMIT)
		return 0;
	room = malloc((size_t)READER_MEMORY + (1u << 20));
	if (room != NULL)
		return 6;
	room = malloc((size_t)READER_MEMORY / 2);
	return room == NULL ? 7 : 0;
}

static void
a_reader_is_bounded(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_bounds());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    CASE(each_is_set_aside_with_its_reason),
	    CASE(one_that_was_killed_stays),
	    CASE(who_is_not_confined_reads_nothing),
	    CASE(one_that_cannot_be_opened_waits),
	    CASE(one_that_waits_for_days_is_set_aside),
	    cmocka_unit_test(a_reader_is_bounded),
	};

	if (argc > 1 && strcmp(argv[1], "--read-report") == 0)
		_exit(misbehave());
	return cmocka_run_group_tests_name("inbox_reader", tests, NULL, NULL);
}
