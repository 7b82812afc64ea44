/* Mails that are there: listed, moved, let go of; see report_mails.h. */
#include "mta/report_mails.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define DAY      INT64_C(86400)
#define LIST_MAX ((size_t)4 * REPORT_IN_FILES)
#define WHY_END  ".why"
/* Its mtime: when what is old was looked for. */
#define SWEPT     ".swept"
#define PATH_SIZE 1024
/* Two lines, and one with a number. */
#define WHY_FILE_SIZE (REPORT_WHY_SIZE + REPORT_FROM_SIZE + 24)
#define FOLDER_HOW    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const folders[] = {[REPORTS_IN] = REPORTS_IN_NAME,
    [REPORTS_ASIDE] = REPORTS_ASIDE_NAME,
    [REPORTS_BOUNCED] = REPORTS_BOUNCED_NAME};

static int
fail(struct err *err, const char *what, int number)
{
	return err_set(
	    err, ERR_TEMP, "4.3.0", "%s: %s", what, strerrordesc_np(number));
}

static int
fail_in(struct err *err, const char *state, const char *name, int number)
{
	return err_set(err, ERR_TEMP, "4.3.0", "%s/%s: %s", state, name,
	    strerrordesc_np(number));
}

/* --- folders -------------------------------------------------------------- */

const char *
report_folder_name(enum report_folder folder)
{
	return folders[folder];
}

/* A new folder is there after a crash only when its parent is synced. */
int
report_folder_open(
    const char *state, enum report_folder folder, struct err *err)
{
	const char *name = folders[folder];
	int parent = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd, number;

	if (parent < 0)
		return fail(err, state, errno);
	fd = openat(parent, name, FOLDER_HOW);
	if (fd < 0 && errno == ENOENT &&
	    (mkdirat(parent, name, 0700) == 0 || errno == EEXIST) &&
	    fsync(parent) == 0)
		fd = openat(parent, name, FOLDER_HOW);
	number = errno;
	(void)close(parent);
	return fd < 0 ? fail_in(err, state, name, number) : fd;
}

/* -1: errno says why; it is not made. */
static int
look_into(const char *state, enum report_folder folder)
{
	char path[PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s", state, folders[folder]) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, FOLDER_HOW);
}

/* --- a list --------------------------------------------------------------- */

static bool
is_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!text_is_alnum(name[i]))
			return false;
	return n > 0 && n < REPORT_NAME_SIZE;
}

static int
by_age(const void *a, const void *b)
{
	const struct report_mail *x = a, *y = b;

	if (x->arrived != y->arrived)
		return x->arrived < y->arrived ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
add(struct report_mails *mails, const char *name, const struct stat *st)
{
	size_t size = sizeof(mails->list[0]);
	struct report_mail *mail;

	/* Room for 64 more, whenever 64 are full. */
	if (mails->n % 64 == 0)
		mails->list = mem_grow(
		    mails->list, mails->n * size, (mails->n + 64) * size);
	mail = &mails->list[mails->n++];
	(void)text_copy(mail->name, sizeof(mail->name), name);
	mail->arrived = st->st_mtime;
	mail->octets = (uint64_t)st->st_size;
	mails->octets += mail->octets;
}

int
report_mails_list(const char *state, enum report_folder folder,
    struct report_mails *ret, struct err *err)
{
	int fd = look_into(state, folder);
	DIR *pass = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;

	*ret = (struct report_mails){.list = NULL};
	if (pass == NULL)
		return errno == ENOENT
		           ? 0
		           : fail_in(err, state, folders[folder], errno);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (ret->n < LIST_MAX && (entry = readdir(pass)) != NULL)
		if (is_name(entry->d_name) &&
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			add(ret, entry->d_name, &st);
	(void)closedir(pass);
	if (ret->n > 0)
		qsort(ret->list, ret->n, sizeof(ret->list[0]), by_age);
	return 0;
}

void
report_mails_free(struct report_mails *mails)
{
	mem_free(mails->list);
	*mails = (struct report_mails){.list = NULL};
}

/* --- one ------------------------------------------------------------------ */

int
report_mail_open(const char *state, const char *name)
{
	int folder = look_into(state, REPORTS_IN);
	int fd, number;

	if (folder < 0)
		return -1;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	number = errno;
	(void)close(folder);
	errno = number;
	return fd;
}

/* --- aside ---------------------------------------------------------------- */

static void
why_name(const char *name, char to[REPORT_NAME_SIZE + 8])
{
	/* Hidden: who names all files of the folder means the mails. */
	(void)snprintf(to, REPORT_NAME_SIZE + 8, ".%s" WHY_END, name);
}

static void
drop_why(int folder, const char *name)
{
	char why[REPORT_NAME_SIZE + 8];

	why_name(name, why);
	(void)unlinkat(folder, why, 0);
}

static void
let_go(int folder, const char *name)
{
	(void)unlinkat(folder, name, 0);
	drop_why(folder, name);
}

int
report_mail_remove(const char *state, const char *name, struct err *err)
{
	int folder = look_into(state, REPORTS_IN);
	int number = 0;

	if (folder < 0)
		return fail_in(err, state, folders[REPORTS_IN], errno);
	/* Without a sync: one that comes back is read again, and known. */
	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
		number = errno;
	else
		drop_why(folder, name);
	(void)close(folder);
	return number == 0 ? 0 : fail(err, name, number);
}

/* The oldest, until there is room for one more; 0: no age is too old. */
static void
make_room(const char *state, int folder, int64_t then)
{
	struct report_mails mails;
	struct err err;

	if (report_mails_list(state, REPORTS_ASIDE, &mails, &err) < 0)
		return;
	for (size_t i = 0; i < mails.n; i++) {
		if (mails.n - i < REPORT_ASIDE_FILES &&
		    mails.octets < REPORT_ASIDE_OCTETS &&
		    then - mails.list[i].arrived < REPORT_ASIDE_DAYS * DAY)
			break;
		let_go(folder, mails.list[i].name);
		mails.octets -= mails.list[i].octets;
	}
	report_mails_free(&mails);
}

/* Who wrote the mail has a say in both: a line stays a line. */
static size_t
put_why(const char *why, const char *from, int64_t due, char to[WHY_FILE_SIZE])
{
	struct report_why said;

	(void)text_copy(said.why, sizeof(said.why), why);
	(void)text_copy(said.from, sizeof(said.from), from);
	text_make_printable(said.why);
	text_make_printable(said.from);
	(void)snprintf(to, WHY_FILE_SIZE, "%s\n%s\n%" PRId64 "\n", said.why,
	    said.from, due);
	return strlen(to);
}

static int
write_why(int folder, const char *name, const char *why, const char *from,
    int64_t due, struct err *err)
{
	char file[REPORT_NAME_SIZE + 8], text[WHY_FILE_SIZE];
	size_t n = put_why(why, from, due, text);
	bool good;
	int fd;

	why_name(name, file);
	fd = openat(folder, file,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, file, errno);
	/* Of one that waits another is written soon: no time for the disk. */
	good = write(fd, text, n) == (ssize_t)n && (due > 0 || fsync(fd) == 0);
	if (!good)
		(void)fail(err, file, errno);
	(void)close(fd);
	return good ? 0 : -1;
}

int
report_mail_set_aside(const char *state, const char *name, const char *why,
    const char *from, struct err *err)
{
	int to = report_folder_open(state, REPORTS_ASIDE, err);
	int in = to < 0 ? -1 : report_folder_open(state, REPORTS_IN, err);
	int rc = -1;

	if (in >= 0) {
		make_room(state, to, 0);
		rc = write_why(to, name, why, from, 0, err);
	}
	if (rc == 0 && (renameat(in, name, to, name) < 0 || fsync(to) < 0))
		rc = fail(err, name, errno);
	if (rc == 0)
		drop_why(in, name);
	if (in >= 0)
		(void)close(in);
	if (to >= 0)
		(void)close(to);
	return rc;
}

/* The line, and what is behind it. */
static char *
take_line(char *text, char *to, size_t size)
{
	char *end = strchrnul(text, '\n');
	char *behind = *end == '\0' ? end : end + 1;

	*end = '\0';
	(void)text_copy(to, size, text);
	text_make_printable(to);
	return behind;
}

void
report_mail_why(const char *state, enum report_folder which, const char *name,
    struct report_why *ret)
{
	char file[REPORT_NAME_SIZE + 8], text[WHY_FILE_SIZE] = "";
	char due[WHY_FILE_SIZE];
	int folder = look_into(state, which);
	uint64_t number;
	ssize_t n = -1;
	char *behind;
	int fd;

	*ret = (struct report_why){.why = ""};
	if (folder < 0)
		return;
	why_name(name, file);
	fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	(void)close(folder);
	text[n < 0 ? 0 : n] = '\0';
	behind = take_line(text, ret->why, sizeof(ret->why));
	behind = take_line(behind, ret->from, sizeof(ret->from));
	(void)take_line(behind, due, sizeof(due));
	if (text_parse_u64(span_of(due), &number) && number <= INT64_MAX)
		ret->due = (int64_t)number;
}

void
report_mail_waits(const char *state, const char *name, const char *why,
    const char *from, int64_t due)
{
	int folder = look_into(state, REPORTS_IN);
	struct err err;

	if (folder < 0)
		return;
	(void)write_why(folder, name, why, from, due, &err);
	(void)close(folder);
}

bool
report_mail_was_taken(
    const char *state, const char *name, const struct stat *read)
{
	int folder = look_into(state, REPORTS_ASIDE);
	struct stat st;
	bool is_it = folder >= 0 && is_name(name) &&
	             fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	             st.st_dev == read->st_dev && st.st_ino == read->st_ino;

	if (is_it)
		let_go(folder, name);
	if (folder >= 0)
		(void)close(folder);
	return is_it;
}

/* --- what nobody will miss ------------------------------------------------ */

/* Half written by who has died; or a reason whose mail has not come. */
static bool
is_rest(int folder, const char *name)
{
	size_t n = strlen(name), end = sizeof(WHY_END) - 1;
	char mail[REPORT_NAME_SIZE] = "";

	if (name[0] != '.' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strcmp(name, SWEPT) == 0)
		return false;
	if (n - 1 <= end || n - 1 - end >= sizeof(mail) ||
	    strcmp(name + n - end, WHY_END) != 0)
		return true;
	memcpy(mail, name + 1, n - 1 - end);
	return faccessat(folder, mail, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

static void
sweep(const char *state, enum report_folder which, int64_t now)
{
	int fd = look_into(state, which);
	DIR *pass = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;

	if (pass == NULL)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(pass)) != NULL)
		if (is_rest(fd, entry->d_name) &&
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - st.st_mtime > DAY)
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(pass);
}

static void
note_sweep(int folder, int64_t now)
{
	const struct timespec times[] = {{.tv_sec = now}, {.tv_sec = now}};
	int fd = openat(
	    folder, SWEPT, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	(void)futimens(fd, times);
	(void)close(fd);
}

/*
 * As db_sweep(): what is old goes by the time of the visit before, a day ago at
 * least, for the clock may be ahead.  0: nothing does.
 */
static int64_t
sweep_by(int folder, int64_t now)
{
	struct stat st = {.st_mtime = 0};

	(void)fstatat(folder, SWEPT, &st, AT_SYMLINK_NOFOLLOW);
	if (st.st_mtime <= now && now - st.st_mtime < DAY)
		return 0;
	note_sweep(folder, now);
	return st.st_mtime > now ? 0 : st.st_mtime;
}

void
report_mails_sweep(const char *state, int64_t now)
{
	int folder = look_into(state, REPORTS_ASIDE);
	int64_t then;

	sweep(state, REPORTS_IN, now);
	sweep(state, REPORTS_ASIDE, now);
	sweep(state, REPORTS_BOUNCED, now);
	if (folder < 0)
		return;
	then = sweep_by(folder, now);
	if (then > 0)
		make_room(state, folder, then);
	(void)close(folder);
}
