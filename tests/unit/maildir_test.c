#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/deliver/maildir.h"

#include "tests/support/maildir_kit.h"
#include "tests/support/test.h"

static size_t
read_new(const char *maildir, char *to, size_t size)
{
	char name[300];
	char path[1024];
	FILE *f;
	size_t n;

	assert_int_equal(maildir_kit_count(maildir, "new", name), 1);
	(void)snprintf(path, sizeof(path), "%s/new/%s", maildir, name);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	(void)fclose(f);
	(void)unlink(path);
	return n;
}

#define FIELDS                           \
	"Return-Path: <a@example.org>\n" \
	"Delivered-To: b@example.net\n"

/* Deliver it in pieces of this many bytes. */
static void
deliver(const struct maildir_letter *letter, struct span body, size_t piece)
{
	struct maildir *maildir;
	struct err err = {0};

	if (maildir_begin(letter, &maildir, &err) < 0)
		fail_msg("%s", err.text);
	while (body.n > 0) {
		assert_int_equal(
		    maildir_write(maildir, span_first(body, piece), &err), 0);
		body = span_from(body, piece);
	}
	if (maildir_commit(&maildir, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(maildir);
}

static void
line_ends_are_converted(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
	    {"", ""},
	    {"a: b\r\n\r\nc\r\n", "a: b\n\nc\n"},
	    {"no end", "no end"},
	    {"lone\rcr\r\n", "lone\rcr\n"},
	    {"\r\r\n\r", "\r\n\r"},
	    {"\n\r\n", "\n\n"},
	    {"\r\n\r\n\r\n", "\n\n\n"},
	};
	char path[256];
	char got[512];
	char expected[512];

	maildir_kit_path(*state, "box", path);
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 12; piece++) {
			struct maildir_letter letter = maildir_kit_letter(path);

			deliver(&letter, span_of(rows[i].in), piece);
			(void)read_new(path, got, sizeof(got));
			(void)snprintf(expected, sizeof(expected), "%s%s",
			    FIELDS, rows[i].out);
			assert_string_equal(got, expected);
			assert_int_equal(
			    maildir_kit_count(path, "tmp", NULL), 0);
		}
}

static void
names_and_modes_are_conventional(void **state)
{
	struct maildir_letter letter;
	struct stat st;
	char path[256];
	char file[1024];
	char name[300];
	char pattern[200];
	uint64_t seconds = 0;

	letter = maildir_kit_letter(maildir_kit_path(*state, "box", path));
	letter.hostname = "a/b:c.example";
	deliver(&letter, SPAN("x\r\n"), 99);
	assert_int_equal(maildir_kit_count(path, "new", name), 1);
	(void)snprintf(pattern, sizeof(pattern),
	    "[0-9]*.M[0-9][0-9][0-9][0-9][0-9][0-9]P%ldQ7."
	    "a\\057b\\072c.example",
	    (long)getpid());
	if (fnmatch(pattern, name, FNM_NOESCAPE) != 0)
		fail_msg("%s", name);
	assert_true(text_parse_u64(
	    span_first(span_of(name), strcspn(name, ".")), &seconds));
	assert_in_range(seconds, clock_wall() - 10, clock_wall());
	(void)snprintf(file, sizeof(file), "%s/new/%s", path, name);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	(void)snprintf(file, sizeof(file), "%s/cur", path);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void
big_letters_pass_whole(void **state)
{
	size_t n = 300000;
	char *body = malloc(n);
	char *got = malloc(n + 1000);
	char path[256];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	size_t at = strlen(FIELDS);
	size_t length;

	for (size_t i = 0; i < n; i++)
		body[i] = i % 77 == 75 ? '\r' : i % 77 == 76 ? '\n' : 'x';
	deliver(&letter, (struct span){body, n}, 4099);
	length = read_new(path, got, n + 1000);
	for (size_t i = 0; i < n; i++)
		if (body[i] != '\r')
			assert_int_equal(got[at++], body[i]);
	assert_int_equal(length, at);
	free(body);
	free(got);
}

/* RFC 5321 4.4 */
static void
addresses_stay_on_their_line(void **state)
{
	char path[256];
	char got[512];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));

	letter.sender = "";
	letter.recipient = "b\r\nX: y\t@example.net";
	deliver(&letter, SPAN(""), 1);
	(void)read_new(path, got, sizeof(got));
	assert_string_equal(
	    got, "Return-Path: <>\nDelivered-To: b??X: y?@example.net\n");
}

static void
abort_leaves_nothing(void **state)
{
	char path[256];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	struct maildir *maildir;
	struct err err;

	assert_int_equal(maildir_begin(&letter, &maildir, &err), 0);
	assert_int_equal(maildir_kit_count(path, "tmp", NULL), 1);
	assert_int_equal(maildir_write(maildir, SPAN("x"), &err), 0);
	maildir_abort(&maildir);
	assert_null(maildir);
	maildir_abort(&maildir);
	assert_int_equal(maildir_kit_count(path, "tmp", NULL), 0);
	assert_int_equal(maildir_kit_count(path, "new", NULL), 0);
}

/* Two letters with one serial at the same time: both arrive. */
static void
names_do_not_collide(void **state)
{
	char path[256];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	struct maildir *maildirs[50];
	struct err err;

	for (size_t i = 0; i < ROWS(maildirs); i++)
		assert_int_equal(maildir_begin(&letter, &maildirs[i], &err), 0);
	for (size_t i = 0; i < ROWS(maildirs); i++)
		assert_int_equal(maildir_commit(&maildirs[i], &err), 0);
	assert_int_equal(maildir_kit_count(path, "new", NULL), ROWS(maildirs));
}

/* A file of that name is there already: it stays, and ours gets another. */
static void
nothing_is_overwritten(void **state)
{
	char path[256];
	char name[300];
	char file[1024];
	struct maildir_letter letter = maildir_kit_letter(
	    maildir_kit_path(*state, "box", path));
	struct maildir *maildir;
	struct stat st;
	struct err err;

	assert_int_equal(maildir_begin(&letter, &maildir, &err), 0);
	assert_int_equal(maildir_kit_count(path, "tmp", name), 1);
	(void)snprintf(file, sizeof(file), "%s/new/%s", path, name);
	(void)close(open(file, O_CREAT | O_RDWR, 0600));
	assert_int_equal(maildir_commit(&maildir, &err), 0);
	assert_int_equal(maildir_kit_count(path, "new", NULL), 2);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void
obstacles_are_temporary(void **state)
{
	static const struct {
		const char *path;
		const char *says;
	} rows[] = {
	    {"missing/box", "parent folder: No such file"},
	    {"file", "Not a directory"},
	    {"file/box", "Not a directory"},
	    {"badtmp", "tmp: Not a directory"},
	};
	char path[256];

	(void)close(open(
	    maildir_kit_path(*state, "file", path), O_CREAT | O_RDWR, 0600));
	assert_int_equal(
	    mkdir(maildir_kit_path(*state, "badtmp", path), 0700), 0);
	(void)close(open(maildir_kit_path(*state, "badtmp/tmp", path),
	    O_CREAT | O_RDWR, 0600));
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct maildir_letter letter = maildir_kit_letter(
		    maildir_kit_path(*state, rows[i].path, path));
		struct maildir *maildir = NULL;
		struct err err = {0};

		assert_int_equal(maildir_begin(&letter, &maildir, &err), -1);
		assert_null(maildir);
		assert_int_equal(err.kind, ERR_TEMP);
		assert_string_equal(err.enhanced, "4.3.0");
		if (strstr(err.text, rows[i].says) == NULL ||
		    strchr(err.text, '/') != NULL)
			fail_msg("%s: %s", rows[i].path, err.text);
	}
}

/* --- file systems that refuse, each in a process of its own --------------- */

enum {
	CHILD_OK = 0,
	CHILD_SKIP = 77
};

/* Deliver 1 MiB there; 0 when it fails with this code and leaves nothing. */
static int
expect_failure(const char *path, const char *enhanced, bool at_begin)
{
	static char mib[1 << 20];
	struct maildir_letter letter = maildir_kit_letter(path);
	struct maildir *maildir;
	struct err err = {0};
	int result;

	result = maildir_begin(&letter, &maildir, &err);
	if ((result < 0) != at_begin)
		return 1;
	if (result == 0)
		result = maildir_write(
		    maildir, (struct span){mib, sizeof(mib)}, &err);
	if (result == 0)
		result = maildir_commit(&maildir, &err);
	else if (!at_begin)
		maildir_abort(&maildir);
	if (result == 0 || strcmp(err.enhanced, enhanced) != 0 ||
	    err.kind != ERR_TEMP || strchr(err.text, '/') != NULL) {
		print_error("%d %s\n", result, err.text);
		return 2;
	}
	return maildir_kit_count(path, "tmp", NULL) +
	                   maildir_kit_count(path, "new", NULL) >
	               0
	           ? 3
	           : 0;
}

/* A file system of our own in a name space of our own. */
static bool
mount_small(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return mount("tmpfs", folder, "tmpfs", 0, "size=256k,mode=0777") == 0;
}

static int
child_full(const char *folder)
{
	char path[256];

	if (!mount_small(folder))
		return CHILD_SKIP;
	return expect_failure(
	    maildir_kit_path(folder, "box", path), "4.3.1", false);
}

static int
child_readonly(const char *folder)
{
	char path[256];

	if (!mount_small(folder) ||
	    mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return CHILD_SKIP;
	return expect_failure(
	    maildir_kit_path(folder, "box", path), "4.3.0", true);
}

static int
child_forbidden(const char *folder)
{
	char path[256];

	if (chmod(folder, 0500) < 0 ||
	    (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0))
		return CHILD_SKIP;
	return expect_failure(
	    maildir_kit_path(folder, "box", path), "4.3.0", true);
}

static void
in_child(const char *folder, int (*run)(const char *folder))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(run(folder));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_SKIP) {
		print_message("this file system cannot be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

/* RFC 3463 3.3 */
static void
a_full_disk_is_temporary(void **state)
{
	in_child(*state, child_full);
}

static void
a_readonly_disk_is_temporary(void **state)
{
	in_child(*state, child_readonly);
}

static void
a_forbidden_folder_is_temporary(void **state)
{
	in_child(*state, child_forbidden);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    MAILDIR_KIT_TEST(line_ends_are_converted),
	    MAILDIR_KIT_TEST(names_and_modes_are_conventional),
	    MAILDIR_KIT_TEST(big_letters_pass_whole),
	    MAILDIR_KIT_TEST(addresses_stay_on_their_line),
	    MAILDIR_KIT_TEST(abort_leaves_nothing),
	    MAILDIR_KIT_TEST(names_do_not_collide),
	    MAILDIR_KIT_TEST(nothing_is_overwritten),
	    MAILDIR_KIT_TEST(obstacles_are_temporary),
	    MAILDIR_KIT_TEST(a_full_disk_is_temporary),
	    MAILDIR_KIT_TEST(a_readonly_disk_is_temporary),
	    MAILDIR_KIT_TEST(a_forbidden_folder_is_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
