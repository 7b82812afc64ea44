/* Delivery into a Maildir: tmp, fsync, rename, fsync of the folder. */
#include "mta/deliver/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define FLUSH_SIZE 65536u
#define NAME_SIZE  256
#define NAME_TRIES 10

struct maildir {
	int folder;
	int file;
	uint64_t serial;
	bool after_cr; /* a CR was seen, its LF may come in the next piece */
	struct buf out;
	char host[128];
	char name[NAME_SIZE]; /* in tmp/ and in new/ */
};

/*
 * RFC 3463 3.3 and 3.4: the mailbox is full, or the system, or neither.  The
 * sender may be told this, so it names no path; the log has it in `target`.
 */
static int
fail(struct err *err, const char *what, int number)
{
	const char *enhanced = number == EDQUOT   ? "4.2.2"
	                       : number == ENOSPC ? "4.3.1"
	                                          : "4.3.0";

	return err_set(err, ERR_TEMP, enhanced, "Maildir: %s: %s", what,
	    strerrordesc_np(number));
}

/* --- begin ---------------------------------------------------------------- */

/* Hosts in file names: "/" and ":" as the Maildir convention writes them. */
static void
copy_host(char *to, size_t size, const char *hostname)
{
	size_t n = 0;

	for (; *hostname != '\0' && n + 5 < size; hostname++) {
		bool odd = *hostname == '/' || *hostname == ':';

		if (odd)
			n += (size_t)snprintf(to + n, 5, "\\%03o",
			    (unsigned)(unsigned char)*hostname);
		else
			to[n++] = *hostname;
	}
	to[n] = '\0';
}

static void
new_name(struct maildir *maildir)
{
	int64_t now = clock_wall_us();

	(void)snprintf(maildir->name, sizeof(maildir->name),
	    "%" PRId64 ".M%06" PRId64 "P%ldQ%" PRIu64 ".%s", now / 1000000,
	    now % 1000000, (long)getpid(), maildir->serial, maildir->host);
}

/* The folder a path stands in, opened so that it can be synced. */
static int
open_parent(const char *path)
{
	char parent[512];
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	(void)snprintf(
	    parent, sizeof(parent), "%.*s", (int)n, n == 0 ? "." : path);
	return open(n == 0 ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A new folder is there after a crash only when its parent is synced. */
static int
make_folder(const char *path, struct err *err)
{
	int parent = open_parent(path);
	int number;

	if (parent < 0)
		return fail(err, "its parent folder", errno);
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		number = errno;
		(void)close(parent);
		return fail(err, "cannot make it", number);
	}
	number = fsync(parent) < 0 ? errno : 0;
	(void)close(parent);
	return number == 0 ? 0 : fail(err, "sync", number);
}

/* Of a folder that another delivery may have made just now.  One whose parent
 * we may not read was made by none of ours. */
static int
sync_parent(const char *path, struct err *err)
{
	int parent = open_parent(path);
	int number = parent < 0 || fsync(parent) < 0 ? errno : 0;

	if (parent < 0 && number == EACCES)
		return 0;
	if (parent >= 0)
		(void)close(parent);
	return number == 0 ? 0 : fail(err, "its parent folder", number);
}

static int
open_folder(const char *path, int *ret_fd, struct err *err)
{
	int how = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = open(path, how);

	if (fd < 0 && errno == ENOENT) {
		if (make_folder(path, err) < 0)
			return -1;
		fd = open(path, how);
	}
	if (fd < 0)
		return fail(err, "cannot open it", errno);
	*ret_fd = fd;
	return 0;
}

static int
make_part(const struct maildir *maildir, const char *part, struct err *err)
{
	if (mkdirat(maildir->folder, part, 0700) == 0 || errno == EEXIST)
		return 0;
	return fail(err, part, errno);
}

/*
 * tmp/ comes last: other deliveries into this Maildir begin there, and where
 * it is the rest is, too, and stays after a crash.
 */
static int
make_parts(const struct maildir *maildir, const char *path, struct err *err)
{
	if (make_part(maildir, "new", err) < 0 ||
	    make_part(maildir, "cur", err) < 0)
		return -1;
	if (fsync(maildir->folder) < 0)
		return fail(err, "sync", errno);
	return sync_parent(path, err) < 0 ? -1 : make_part(maildir, "tmp", err);
}

static int
create_file(struct maildir *maildir)
{
	char path[NAME_SIZE + 8];

	(void)snprintf(path, sizeof(path), "tmp/%s", maildir->name);
	return openat(maildir->folder, path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static int
open_file(struct maildir *maildir, const char *path, struct err *err)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		new_name(maildir);
		maildir->file = create_file(maildir);
		if (maildir->file < 0 && errno == ENOENT) {
			if (make_parts(maildir, path, err) < 0)
				return -1;
			maildir->file = create_file(maildir);
		}
		if (maildir->file >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	maildir->name[0] = '\0'; /* nothing to remove */
	return fail(err, "cannot make a file in tmp", errno);
}

/* An address stands alone on its line, whatever is in it. */
static int
add_field(struct maildir *maildir, const char *name, const char *open,
    const char *address, const char *close)
{
	size_t from;

	if (buf_printf(&maildir->out, "%s: %s", name, open) < 0)
		return -1;
	from = maildir->out.n;
	if (buf_add_str(&maildir->out, address) < 0)
		return -1;
	for (size_t i = from; i < maildir->out.n; i++)
		if ((unsigned char)maildir->out.p[i] < ' ' ||
		    maildir->out.p[i] == 0x7f)
			maildir->out.p[i] = '?';
	return buf_printf(&maildir->out, "%s\n", close);
}

int
maildir_begin(const struct maildir_letter *letter, struct maildir **ret_maildir,
    struct err *err)
{
	struct maildir *maildir = mem_new(sizeof(*maildir));

	maildir->folder = -1;
	maildir->file = -1;
	maildir->serial = letter->serial;
	buf_init(&maildir->out, FLUSH_SIZE);
	copy_host(maildir->host, sizeof(maildir->host), letter->hostname);
	if (open_folder(letter->path, &maildir->folder, err) < 0 ||
	    open_file(maildir, letter->path, err) < 0) {
		maildir_abort(&maildir);
		return -1;
	}
	/* RFC 5321 4.4: the last MTA writes down the reverse-path */
	if (add_field(maildir, "Return-Path", "<", letter->sender, ">") < 0 ||
	    add_field(maildir, "Delivered-To", "", letter->recipient, "") < 0) {
		maildir_abort(&maildir);
		return err_set(
		    err, ERR_BUG, "4.3.0", "Maildir: addresses are too long");
	}
	*ret_maildir = maildir;
	return 0;
}

/* --- write ---------------------------------------------------------------- */

static int
flush(struct maildir *maildir, struct err *err)
{
	struct span rest = buf_span(&maildir->out);

	while (rest.n > 0) {
		ssize_t n = write(maildir->file, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "write", errno);
		rest = span_from(rest, (size_t)n);
	}
	buf_clear(&maildir->out);
	return 0;
}

/* Bytes as they are; there is always room after a flush. */
static int
put(struct maildir *maildir, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		struct span part = span_first(
		    bytes, FLUSH_SIZE - maildir->out.n);

		if (buf_add(&maildir->out, part) < 0)
			return err_set(
			    err, ERR_BUG, "4.3.0", "Maildir: buffer");
		bytes = span_from(bytes, part.n);
		if (maildir->out.n == FLUSH_SIZE && flush(maildir, err) < 0)
			return -1;
	}
	return 0;
}

int
maildir_write(struct maildir *maildir, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		const char *cr = memchr(bytes.p, '\r', bytes.n);
		size_t n = cr == NULL ? bytes.n : (size_t)(cr - bytes.p);

		/* A CR without its LF is data. */
		if (maildir->after_cr && bytes.p[0] != '\n' &&
		    put(maildir, SPAN("\r"), err) < 0)
			return -1;
		maildir->after_cr = cr != NULL;
		if (put(maildir, span_first(bytes, n), err) < 0)
			return -1;
		bytes = span_from(bytes, cr == NULL ? n : n + 1);
	}
	return 0;
}

/* --- end ------------------------------------------------------------------ */

static void
remove_from(const struct maildir *maildir, const char *part)
{
	char path[NAME_SIZE + 8];

	(void)snprintf(path, sizeof(path), "%s/%s", part, maildir->name);
	(void)unlinkat(maildir->folder, path, 0);
}

static void
maildir_free(struct maildir **maildir)
{
	struct maildir *gone = *maildir;

	*maildir = NULL;
	if (gone->file >= 0)
		(void)close(gone->file);
	if (gone->folder >= 0)
		(void)close(gone->folder);
	buf_free(&gone->out);
	mem_free(gone);
}

void
maildir_abort(struct maildir **maildir)
{
	if (*maildir == NULL)
		return;
	if ((*maildir)->name[0] != '\0')
		remove_from(*maildir, "tmp");
	maildir_free(maildir);
}

/* Not every file system can rename without replacing. */
static int
move_file(const struct maildir *maildir, const char *from, const char *to)
{
	if (renameat2(maildir->folder, from, maildir->folder, to,
		RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(maildir->folder, from, maildir->folder, to, 0) < 0)
		return -1;
	return unlinkat(maildir->folder, from, 0);
}

/* Somebody may have taken it away, and left tmp/. */
static bool
make_new(const struct maildir *maildir)
{
	if (mkdirat(maildir->folder, "new", 0700) < 0 && errno != EEXIST)
		return false;
	return fsync(maildir->folder) == 0;
}

/* Into new/, under another name when this one is taken. */
static int
move_to_new(struct maildir *maildir, struct err *err)
{
	char from[NAME_SIZE + 8];
	char to[NAME_SIZE + 8];

	(void)snprintf(from, sizeof(from), "tmp/%s", maildir->name);
	for (int i = 0; i < NAME_TRIES; i++) {
		(void)snprintf(to, sizeof(to), "new/%s", maildir->name);
		if (move_file(maildir, from, to) == 0)
			return 0;
		if (errno == ENOENT && make_new(maildir))
			continue;
		if (errno != EEXIST)
			break;
		new_name(maildir);
	}
	(void)unlinkat(maildir->folder, from, 0);
	return fail(err, "cannot move the file to new", errno);
}

static int
sync_new(const struct maildir *maildir, struct err *err)
{
	int fd = openat(
	    maildir->folder, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int number = fd < 0 || fsync(fd) < 0 ? errno : 0;

	if (fd >= 0)
		(void)close(fd);
	return number == 0 ? 0 : fail(err, "sync new", number);
}

static int
finish_file(struct maildir *maildir, struct err *err)
{
	int fd = maildir->file;

	if (maildir->after_cr && put(maildir, SPAN("\r"), err) < 0)
		return -1;
	if (flush(maildir, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return fail(err, "sync", errno);
	maildir->file = -1;
	return close(fd) < 0 ? fail(err, "close", errno) : 0;
}

int
maildir_commit(struct maildir **maildir, struct err *err)
{
	struct maildir *letter = *maildir;

	if (finish_file(letter, err) < 0) {
		maildir_abort(maildir);
		return -1;
	}
	if (move_to_new(letter, err) < 0) {
		maildir_free(maildir);
		return -1;
	}
	if (sync_new(letter, err) < 0) {
		/* It will be tried again, and should not be there twice. */
		remove_from(letter, "new");
		maildir_free(maildir);
		return -1;
	}
	maildir_free(maildir);
	return 0;
}
