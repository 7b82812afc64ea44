/* The kernel's calls as a struct disk_ops: each returns -errno. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "queue/disk.h"

static int
result(int value)
{
	return value < 0 ? -errno : value;
}

static int
real_open(void *state, const char *path, int flags)
{
	(void)state;
	return result(open(path, flags | O_CLOEXEC, 0600));
}

static int
real_close(void *state, int fd)
{
	(void)state;
	return result(close(fd));
}

static ssize_t
real_pread(void *state, int fd, void *to, size_t n, uint64_t offset)
{
	ssize_t got = pread(fd, to, n, (off_t)offset);

	(void)state;
	return got < 0 ? -errno : got;
}

static ssize_t
real_pwrite(void *state, int fd, const void *from, size_t n, uint64_t offset)
{
	ssize_t put = pwrite(fd, from, n, (off_t)offset);

	(void)state;
	return put < 0 ? -errno : put;
}

static int
real_fdatasync(void *state, int fd)
{
	(void)state;
	return result(fdatasync(fd));
}

static int
real_fsync_dir(void *state, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int done;

	(void)state;
	if (fd < 0)
		return -errno;
	done = result(fsync(fd));
	(void)close(fd);
	return done;
}

static int
real_stat(void *state, int fd, struct disk_stat *ret_stat)
{
	struct stat st;

	(void)state;
	if (fstat(fd, &st) < 0)
		return -errno;
	ret_stat->size = (uint64_t)st.st_size;
	ret_stat->links = (uint64_t)st.st_nlink;
	return 0;
}

static int
real_truncate(void *state, int fd, uint64_t size)
{
	(void)state;
	return result(ftruncate(fd, (off_t)size));
}

/*
 * A lock of the open file description, not of the process: two descriptors
 * of one process exclude each other as well, and it goes with the last copy.
 */
static int
real_lock(void *state, int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	(void)state;
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static int
real_unlink(void *state, const char *path)
{
	(void)state;
	return result(unlink(path));
}

static int
real_mkdir(void *state, const char *path)
{
	(void)state;
	return result(mkdir(path, 0700));
}

static int
real_list(void *state, const char *path, disk_name *on_name, void *arg)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool more = true;

	(void)state;
	if (dir == NULL)
		return -errno;
	errno = 0;
	/* The stream is ours alone. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (more && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			more = on_name(entry->d_name, arg);
	if (more && errno != 0) {
		int why = errno;

		(void)closedir(dir);
		return -why;
	}
	(void)closedir(dir);
	return 0;
}

static int
real_space(void *state, const char *path, struct disk_space *ret_space)
{
	struct statvfs fs;

	(void)state;
	if (statvfs(path, &fs) < 0)
		return -errno;
	ret_space->total = (uint64_t)fs.f_blocks * fs.f_frsize;
	ret_space->available = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static int
real_random(void *state, void *to, size_t n)
{
	(void)state;
	/* Up to 256 bytes come whole or not at all: getrandom(2). */
	return getrandom(to, n, 0) == (ssize_t)n ? 0 : -errno;
}

struct disk
disk_real(void)
{
	static const struct disk_ops ops = {
	    .open = real_open,
	    .close = real_close,
	    .pread = real_pread,
	    .pwrite = real_pwrite,
	    .fdatasync = real_fdatasync,
	    .fsync_dir = real_fsync_dir,
	    .stat = real_stat,
	    .truncate = real_truncate,
	    .lock = real_lock,
	    .unlink = real_unlink,
	    .mkdir = real_mkdir,
	    .list = real_list,
	    .space = real_space,
	    .random = real_random,
	};

	return (struct disk){.ops = &ops};
}
