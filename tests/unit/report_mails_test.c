/* Mails that may be reports: put, listed, set aside, within bounds. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"
#include "mta/report_mails.h"

#include "tests/support/test.h"
#include "tests/support/tree.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static int
set_up(void **state)
{
	char *folder = strdup("/tmp/danelaw-mails-XXXXXX");

	*state = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	char *folder = *state;

	(void)tree_remove(folder);
	free(folder);
	return 0;
}

static const char *
path_of(const char *folder, const char *rest)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, rest);
	return path;
}

/* A file that came at that time. */
static void
make(const char *folder, const char *rest, int64_t when, off_t size)
{
	const struct timespec times[] = {
	    {.tv_sec = (time_t)when}, {.tv_sec = (time_t)when}};
	int fd = open(path_of(folder, rest), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
}

static void
make_folders(const char *folder)
{
	assert_int_equal(mkdir(path_of(folder, "reports-in"), 0700), 0);
	assert_int_equal(mkdir(path_of(folder, "reports-aside"), 0700), 0);
}

static bool
is_there(const char *folder, const char *rest)
{
	return access(path_of(folder, rest), F_OK) == 0;
}

/* The names, one behind the other. */
static const char *
list(const char *folder, enum report_folder which)
{
	static char text[512];
	struct report_mails mails;
	struct err err;
	size_t at = 0;

	assert_int_equal(report_mails_list(folder, which, &mails, &err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < mails.n && at < sizeof(text) - 40; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
		    i == 0 ? "" : " ", mails.list[i].name);
	report_mails_free(&mails);
	return text;
}

static int
put(const char *folder, const char *name, const char *text, struct err *err)
{
	struct report_put *put;

	if (report_put_begin(
		folder, REPORTS_IN, name, strlen(text), &put, err) < 0)
		return -1;
	assert_string_equal(list(folder, REPORTS_IN), "");
	assert_int_equal(report_put_write(put, span_of(text), err), 0);
	assert_string_equal(list(folder, REPORTS_IN), "");
	return report_put_commit(&put, err);
}

static void
one_is_there_when_it_is_whole(void **state)
{
	char text[16] = "";
	struct stat st;
	struct err err;
	int fd;

	assert_string_equal(list(*state, REPORTS_IN), "");
	assert_int_equal(put(*state, "A1", "mail", &err), 0);
	assert_string_equal(list(*state, REPORTS_IN), "A1");
	assert_int_equal(stat(path_of(*state, "reports-in/A1"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = report_mail_open(*state, "A1");
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	(void)close(fd);
	assert_string_equal(text, "mail");
	assert_int_equal(report_mail_remove(*state, "A1", &err), 0);
	/* Somebody else has. */
	assert_int_equal(report_mail_remove(*state, "A1", &err), 0);
	assert_true(report_mail_open(*state, "A1") < 0);
	assert_string_equal(list(*state, REPORTS_IN), "");
}

static void
what_is_given_up_leaves_nothing(void **state)
{
	struct report_put *put;
	struct err err;

	assert_int_equal(
	    report_put_begin(*state, REPORTS_IN, "A1", 4, &put, &err), 0);
	assert_int_equal(report_put_write(put, SPAN("ma"), &err), 0);
	report_put_abort(&put);
	/* An empty folder can be removed. */
	assert_int_equal(rmdir(path_of(*state, "reports-in")), 0);
}

static const char *
text_of(const char *folder, const char *name)
{
	static char text[64];
	int fd = report_mail_open(folder, name);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}

/* A message for two of our domains is two jobs, of one process. */
static void
jobs_of_one_message_are_in_nobody_s_way(void **state)
{
	struct report_put *one, *two, *three;
	struct err err;

	assert_int_equal(
	    report_put_begin(*state, REPORTS_IN, "A1", 6, &one, &err), 0);
	assert_int_equal(report_put_write(one, SPAN("who"), &err), 0);
	assert_int_equal(
	    report_put_begin(*state, REPORTS_IN, "A1", 6, &two, &err), 0);
	assert_int_equal(report_put_write(two, SPAN("w"), &err), 0);
	assert_int_equal(report_put_write(one, SPAN("le"), &err), 0);
	assert_int_equal(report_put_commit(&one, &err), 0);
	assert_string_equal(text_of(*state, "A1"), "whole");
	/* The name that is free by now is given away. */
	assert_int_equal(
	    report_put_begin(*state, REPORTS_IN, "A1", 6, &three, &err), 0);
	assert_int_equal(report_put_write(two, SPAN("hole"), &err), 0);
	assert_int_equal(report_put_commit(&two, &err), 0);
	assert_string_equal(text_of(*state, "A1"), "whole");
	assert_int_equal(report_put_write(three, SPAN("whole"), &err), 0);
	assert_int_equal(report_put_commit(&three, &err), 0);
	assert_string_equal(text_of(*state, "A1"), "whole");
	assert_string_equal(list(*state, REPORTS_IN), "A1");
	assert_int_equal(report_mail_remove(*state, "A1", &err), 0);
	assert_int_equal(rmdir(path_of(*state, "reports-in")), 0);
}

struct putter {
	const char *folder;
	int failed;
	pthread_t thread;
};

static void *
put_often(void *arg)
{
	struct putter *putter = arg;

	for (int i = 0; i < 200; i++) {
		struct report_put *put;
		struct err err;

		if (report_put_begin(
			putter->folder, REPORTS_IN, "A1", 5, &put, &err) < 0 ||
		    report_put_write(put, SPAN("whole"), &err) < 0 ||
		    report_put_commit(&put, &err) < 0)
			putter->failed++;
	}
	return NULL;
}

/* The worker's threads. */
static void
jobs_at_the_same_time_all_succeed(void **state)
{
	struct putter putters[4] = {{.folder = NULL}};

	for (size_t i = 0; i < ROWS(putters); i++) {
		putters[i].folder = *state;
		assert_int_equal(pthread_create(&putters[i].thread, NULL,
				     put_often, &putters[i]),
		    0);
	}
	for (size_t i = 0; i < ROWS(putters); i++)
		assert_int_equal(pthread_join(putters[i].thread, NULL), 0);
	for (size_t i = 0; i < ROWS(putters); i++)
		assert_int_equal(putters[i].failed, 0);
	assert_string_equal(text_of(*state, "A1"), "whole");
}

/* What another is writing is not removed by who finds no name. */
static void
who_finds_no_name_leaves_the_others_theirs(void **state)
{
	struct report_put *puts[65], *more;
	size_t n = 0;
	struct err err;

	while (n < ROWS(puts) && report_put_begin(*state, REPORTS_IN, "A1", 1,
				     &puts[n], &err) == 0)
		n++;
	assert_int_equal(n, 64);
	assert_true(
	    report_put_begin(*state, REPORTS_IN, "A1", 1, &more, &err) < 0);
	assert_int_equal(err.kind, ERR_TEMP);
	while (n-- > 0)
		assert_int_equal(report_put_commit(&puts[n], &err), 0);
}

static void
the_oldest_is_first(void **state)
{
	make_folders(*state);
	make(*state, "reports-in/B", NOW - 1, 1);
	make(*state, "reports-in/C", NOW - 3, 1);
	make(*state, "reports-in/A", NOW - 1, 1);
	make(*state, "reports-in/.D.77", NOW - 9, 1);
	make(*state, "reports-in/no-name", NOW - 9, 1);
	assert_int_equal(symlink("A", path_of(*state, "reports-in/E")), 0);
	assert_string_equal(list(*state, REPORTS_IN), "C A B");
}

static void
a_full_folder_takes_nothing(void **state)
{
	char name[64];
	struct report_put *put;
	struct err err;

	make_folders(*state);
	make(*state, "reports-in/large", NOW, (off_t)REPORT_IN_OCTETS - 10);
	assert_true(
	    report_put_begin(*state, REPORTS_IN, "A", 11, &put, &err) < 0);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(
	    report_put_begin(*state, REPORTS_IN, "A", 10, &put, &err), 0);
	report_put_abort(&put);
	for (int i = 1; i < REPORT_IN_FILES; i++) {
		assert_int_equal(
		    report_put_begin(*state, REPORTS_IN, "A", 0, &put, &err),
		    0);
		report_put_abort(&put);
		(void)snprintf(name, sizeof(name), "reports-in/%d", i);
		make(*state, name, NOW, 0);
	}
	assert_true(
	    report_put_begin(*state, REPORTS_IN, "A", 0, &put, &err) < 0);
	assert_string_equal(err.text, "too many wait in reports-in to be read");
}

static void
one_lies_aside_with_its_reason(void **state)
{
	struct report_why got;
	struct err err;

	make_folders(*state);
	make(*state, "reports-in/A", NOW - DAY, 7);
	assert_int_equal(report_mail_set_aside(*state, "A",
			     "it is\033 no\nreport", "a.\nexample", &err),
	    0);
	assert_string_equal(list(*state, REPORTS_IN), "");
	assert_string_equal(list(*state, REPORTS_ASIDE), "A");
	report_mail_why(*state, REPORTS_ASIDE, "A", &got);
	assert_string_equal(got.why, "it is? no?report");
	assert_string_equal(got.from, "a.?example");
	report_mail_why(*state, REPORTS_ASIDE, "B", &got);
	assert_string_equal(got.why, "");
	assert_string_equal(got.from, "");
	assert_true(report_mail_set_aside(*state, "B", "gone", "", &err) < 0);
}

/* Both as long as they may be, and longer. */
static void
a_long_reason_is_cut(void **state)
{
	char why[REPORT_WHY_SIZE + 9], from[REPORT_FROM_SIZE + 9];
	struct report_why got;
	struct err err;

	make_folders(*state);
	make(*state, "reports-in/A", NOW, 7);
	memset(why, 'w', sizeof(why) - 1);
	memset(from, 'f', sizeof(from) - 1);
	why[sizeof(why) - 1] = from[sizeof(from) - 1] = '\0';
	assert_int_equal(
	    report_mail_set_aside(*state, "A", why, from, &err), 0);
	report_mail_why(*state, REPORTS_ASIDE, "A", &got);
	assert_int_equal(strspn(got.why, "w"), REPORT_WHY_SIZE - 1);
	assert_int_equal(strlen(got.why), REPORT_WHY_SIZE - 1);
	assert_int_equal(strspn(got.from, "f"), REPORT_FROM_SIZE - 1);
	assert_int_equal(strlen(got.from), REPORT_FROM_SIZE - 1);
}

static void
aside_the_old_makes_room(void **state)
{
	char name[64];
	struct err err;

	make_folders(*state);
	for (int i = 0; i < REPORT_ASIDE_FILES; i++) {
		(void)snprintf(name, sizeof(name), "reports-aside/M%d", i);
		make(*state, name, NOW - DAY + i, 0);
	}
	make(*state, "reports-aside/.M0.why", NOW, 0);
	make(*state, "reports-in/A", NOW, 1);
	assert_int_equal(
	    report_mail_set_aside(*state, "A", "why", "", &err), 0);
	assert_false(is_there(*state, "reports-aside/M0"));
	assert_false(is_there(*state, "reports-aside/.M0.why"));
	assert_true(is_there(*state, "reports-aside/M1"));
	assert_true(is_there(*state, "reports-aside/A"));
}

static void
aside_the_large_makes_room(void **state)
{
	struct err err;

	make_folders(*state);
	make(*state, "reports-aside/old", NOW - 3, 1);
	make(
	    *state, "reports-aside/large", NOW - 2, (off_t)REPORT_ASIDE_OCTETS);
	make(*state, "reports-aside/new", NOW - 1, 1);
	make(*state, "reports-in/A", NOW, 1);
	assert_int_equal(
	    report_mail_set_aside(*state, "A", "why", "", &err), 0);
	assert_string_equal(list(*state, REPORTS_ASIDE), "new A");
}

static void
one_that_waits_says_why_until_it_goes(void **state)
{
	struct report_why got;
	struct err err;

	make_folders(*state);
	make(*state, "reports-in/A", NOW, 1);
	make(*state, "reports-in/B", NOW, 1);
	report_mail_why(*state, REPORTS_IN, "A", &got);
	assert_string_equal(got.why, "");
	assert_int_equal(got.due, 0);
	report_mail_waits(*state, "A", "no key", "a.example", NOW + 5);
	report_mail_waits(*state, "A", "no key yet", "a.example", NOW + 9);
	report_mail_waits(*state, "B", "no key", "b.example", NOW + 7);
	report_mail_why(*state, REPORTS_IN, "A", &got);
	assert_string_equal(got.why, "no key yet");
	assert_string_equal(got.from, "a.example");
	assert_int_equal(got.due, NOW + 9);
	assert_string_equal(list(*state, REPORTS_IN), "A B");
	report_mails_sweep(*state, NOW + 2 * DAY);
	assert_true(is_there(*state, "reports-in/.A.why"));
	assert_int_equal(
	    report_mail_set_aside(*state, "A", "old", "", &err), 0);
	assert_false(is_there(*state, "reports-in/.A.why"));
	report_mail_why(*state, REPORTS_ASIDE, "A", &got);
	assert_string_equal(got.why, "old");
	assert_int_equal(got.due, 0);
	assert_int_equal(report_mail_remove(*state, "B", &err), 0);
	assert_false(is_there(*state, "reports-in/.B.why"));
	assert_string_equal(list(*state, REPORTS_IN), "");
}

/* By hand; another file of the same name stays where it is. */
static void
one_that_counts_after_all_leaves(void **state)
{
	char path[128];
	struct stat st;
	struct err err;

	make_folders(*state);
	make(*state, "reports-in/A", NOW, 1);
	(void)snprintf(path, sizeof(path), "%s/reports-in/A", (char *)*state);
	assert_int_equal(stat(path, &st), 0);
	assert_false(report_mail_was_taken(*state, "A", &st));
	assert_int_equal(
	    report_mail_set_aside(*state, "A", "why", "", &err), 0);
	make(*state, "reports-aside/B", NOW, 1);
	assert_false(report_mail_was_taken(*state, "B", &st));
	assert_false(report_mail_was_taken(*state, ".A.why", &st));
	assert_false(report_mail_was_taken(*state, "", &st));
	assert_string_equal(list(*state, REPORTS_ASIDE), "A B");
	assert_true(is_there(*state, "reports-aside/.A.why"));
	assert_true(report_mail_was_taken(*state, "A", &st));
	assert_string_equal(list(*state, REPORTS_ASIDE), "B");
	assert_false(is_there(*state, "reports-aside/.A.why"));
}

static void
what_nobody_will_miss_is_swept(void **state)
{
	make_folders(*state);
	make(*state, "reports-in/.A.1", NOW - DAY - 1, 1);
	make(*state, "reports-in/.B.1", NOW - DAY + 9, 1);
	make(*state, "reports-in/C", NOW - 99 * DAY, 1);
	make(*state, "reports-aside/.D.why", NOW - DAY - 1, 1);
	make(*state, "reports-aside/.E.why", NOW - DAY - 1, 1);
	make(*state, "reports-aside/E", NOW - DAY, 1);
	make(*state, "reports-aside/.why", NOW - DAY - 1, 1);
	make(*state, "reports-aside/F", NOW - REPORT_ASIDE_DAYS * DAY, 1);
	make(*state, "reports-aside/.F.why", NOW, 1);
	report_mails_sweep(*state, NOW);
	assert_false(is_there(*state, "reports-in/.A.1"));
	assert_true(is_there(*state, "reports-in/.B.1"));
	assert_true(is_there(*state, "reports-in/C"));
	assert_false(is_there(*state, "reports-aside/.D.why"));
	assert_true(is_there(*state, "reports-aside/.E.why"));
	assert_false(is_there(*state, "reports-aside/.why"));
	assert_true(is_there(*state, "reports-aside/F"));
	report_mails_sweep(*state, NOW + DAY);
	assert_true(is_there(*state, "reports-aside/E"));
	assert_false(is_there(*state, "reports-aside/F"));
	assert_false(is_there(*state, "reports-aside/.F.why"));
}

/* For hours, in which one more is set aside; whatever it says then. */
static void
a_clock_that_is_ahead_takes_nothing(void **state)
{
	static const int64_t hours[] = {0, 2400, 2401, 2423, 1, 4800, 3, 20};
	struct err err;

	make_folders(*state);
	make(*state, "reports-aside/A", NOW - (REPORT_ASIDE_DAYS - 1) * DAY, 1);
	for (size_t i = 0; i < ROWS(hours); i++) {
		report_mails_sweep(*state, NOW + hours[i] * 3600);
		make(*state, "reports-in/B", NOW, 1);
		assert_int_equal(
		    report_mail_set_aside(*state, "B", "why", "", &err), 0);
	}
	assert_string_equal(list(*state, REPORTS_ASIDE), "A B");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_is_there_when_it_is_whole),
	    TEST(what_is_given_up_leaves_nothing),
	    TEST(jobs_of_one_message_are_in_nobody_s_way),
	    TEST(jobs_at_the_same_time_all_succeed),
	    TEST(who_finds_no_name_leaves_the_others_theirs),
	    TEST(the_oldest_is_first),
	    TEST(a_full_folder_takes_nothing),
	    TEST(one_lies_aside_with_its_reason),
	    TEST(a_long_reason_is_cut),
	    TEST(aside_the_old_makes_room),
	    TEST(aside_the_large_makes_room),
	    TEST(one_that_waits_says_why_until_it_goes),
	    TEST(one_that_counts_after_all_leaves),
	    TEST(what_nobody_will_miss_is_swept),
	    TEST(a_clock_that_is_ahead_takes_nothing),
	};

	return cmocka_run_group_tests_name("report_mails", tests, NULL, NULL);
}
