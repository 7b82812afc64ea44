/* Where a line of the log goes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#include "tests/support/test.h"

static int refusal; /* of connect(2); 0: it is heard */

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t n);

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t n)
{
	(void)fd;
	assert_int_equal(n >= sizeof(to->sa_family), 1);
	assert_int_equal(to->sa_family, AF_UNIX);
	errno = refusal;
	return refusal == 0 ? 0 : -1;
}

struct fixture {
	int from, stderr_before;
};

static void
set_up(struct fixture *f)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	f->from = fds[0];
	f->stderr_before = dup(STDERR_FILENO);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
}

/* What was written to stderr meanwhile. */
static void
tear_down(struct fixture *f, char *to, size_t size)
{
	ssize_t n;

	(void)dup2(f->stderr_before, STDERR_FILENO);
	(void)close(f->stderr_before);
	n = read(f->from, to, size - 1);
	(void)close(f->from);
	to[n < 0 ? 0 : n] = '\0';
}

static void
what_syslog_does_not_hear_is_on_stderr(void **state)
{
	static const int refusals[] = {ENOENT, ECONNREFUSED, EACCES};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ROWS(refusals); i++) {
		struct fixture f;
		const char *away, *one, *two;

		log_setup("test", LOG_LEVEL_INFO, false, true);
		set_up(&f);
		refusal = 0;
		log_event(LOG_LEVEL_INFO, "heard", NULL);
		refusal = refusals[i];
		log_event(LOG_LEVEL_DEBUG, "skipped", NULL);
		log_event(LOG_LEVEL_INFO, "one", NULL);
		log_event(LOG_LEVEL_INFO, "two", NULL);
		refusal = 0;
		log_event(LOG_LEVEL_INFO, "heard", NULL);
		tear_down(&f, text, sizeof(text));
		away = strstr(text, "event=syslog-away");
		one = strstr(text, "role=test event=one\n");
		two = strstr(text, "role=test event=two\n");
		assert_non_null(away);
		assert_non_null(strstr(text, strerrordesc_np(refusals[i])));
		assert_true(away < one && one < two);
		assert_null(strstr(one, "syslog-away"));
		assert_null(strstr(text, "heard"));
		assert_null(strstr(text, "syslog-back"));
		assert_int_equal(strncmp(text, "time=", 5), 0);
	}
}

/* An old one listens for streams; one out of descriptors cannot know. */
static void
what_it_hears_is_not(void **state)
{
	struct fixture f;
	char text[4096];

	(void)state;
	log_setup("test", LOG_LEVEL_INFO, true, true);
	set_up(&f);
	refusal = EPROTOTYPE;
	log_event(LOG_LEVEL_ERROR, "heard", "why");
	tear_down(&f, text, sizeof(text));
	assert_string_equal(text, "");
}

static void
stderr_asks_nobody(void **state)
{
	struct fixture f;
	char text[4096];

	(void)state;
	log_setup("test", LOG_LEVEL_INFO, true, false);
	set_up(&f);
	refusal = ENOENT;
	log_event(LOG_LEVEL_ERROR, "one", "why");
	tear_down(&f, text, sizeof(text));
	assert_null(strstr(text, "syslog"));
	assert_non_null(
	    strstr(text, "\"event\":\"one\",\"reason\":\"why\"}\n"));
}

/* Who says why a call failed begins a line first. */
static void
a_line_keeps_errno(void **state)
{
	static const int refusals[] = {0, ENOENT};
	struct log_line line;
	struct fixture f;
	char text[4096];

	(void)state;
	log_setup("test", LOG_LEVEL_INFO, false, true);
	set_up(&f);
	for (size_t i = 0; i < ROWS(refusals); i++) {
		refusal = refusals[i];
		errno = ELOOP;
		log_begin(&line, LOG_LEVEL_INFO, "one");
		assert_int_equal(errno, ELOOP);
	}
	tear_down(&f, text, sizeof(text));
	assert_non_null(strstr(text, "event=syslog-away"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_syslog_does_not_hear_is_on_stderr),
	    cmocka_unit_test(what_it_hears_is_not),
	    cmocka_unit_test(stderr_asks_nobody),
	    cmocka_unit_test(a_line_keeps_errno),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
