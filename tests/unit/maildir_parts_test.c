/* tmp, new and cur: who makes them, and when. */
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/maildir_kit.h"
#include "tests/support/test.h"

static void
deliver(const struct maildir_letter *letter)
{
	struct maildir *maildir;
	struct err err;

	assert_int_equal(maildir_begin(letter, &maildir, &err), 0);
	assert_int_equal(maildir_commit(&maildir, &err), 0);
}

/* Another delivery that finds tmp/ finds the rest. */
static void
where_letters_begin_is_made_last(void **state)
{
	char path[256];
	char events[4096] __attribute__((aligned(8)));
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	int watch = inotify_init1(IN_NONBLOCK);
	struct maildir *maildir;
	struct err err;
	ssize_t n, at = 0;
	unsigned count = 0;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(inotify_add_watch(watch, path, IN_CREATE) >= 0);
	assert_int_equal(maildir_begin(&letter, &maildir, &err), 0);
	n = read(watch, events, sizeof(events));
	while (at < n) {
		const struct inotify_event *event = (void *)(events + at);

		assert_int_equal(strcmp(event->name, "tmp") == 0, ++count == 3);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	assert_int_equal(count, 3);
	(void)close(watch);
	maildir_abort(&maildir);
}

static void
new_is_made_where_it_has_gone(void **state)
{
	char path[256];
	char part[300];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	struct maildir *maildir;
	struct err err;

	assert_int_equal(maildir_begin(&letter, &maildir, &err), 0);
	(void)snprintf(part, sizeof(part), "%s/new", path);
	assert_int_equal(rmdir(part), 0);
	assert_int_equal(maildir_commit(&maildir, &err), 0);
	assert_int_equal(maildir_kit_count(path, "new", NULL), 1);
	assert_int_equal(maildir_kit_count(path, "tmp", NULL), 0);
}

static void
half_made_maildirs_are_completed(void **state)
{
	char path[256];
	char part[300];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));

	assert_int_equal(mkdir(path, 0750), 0);
	(void)snprintf(part, sizeof(part), "%s/new", path);
	assert_int_equal(mkdir(part, 0750), 0);
	letter.path = part;
	part[strlen(part) - 4] = '/'; /* "box//" is the same folder */
	part[strlen(part) - 3] = '\0';
	deliver(&letter);
	assert_int_equal(maildir_kit_count(path, "new", NULL), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    MAILDIR_KIT_TEST(where_letters_begin_is_made_last),
	    MAILDIR_KIT_TEST(new_is_made_where_it_has_gone),
	    MAILDIR_KIT_TEST(half_made_maildirs_are_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
