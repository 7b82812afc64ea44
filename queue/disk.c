#include "queue/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* `failure` is -errno. */
static int
disk_err(struct err *err, const char *what, const char *path, int failure)
{
	bool full = failure == -ENOSPC || failure == -EDQUOT;
	const char *why = strerrordesc_np(-failure);

	return err_set(err, ERR_TEMP, full ? "4.3.1" : "4.3.0", "%s%s%s: %s",
	    what, path == NULL ? "" : " ", path == NULL ? "" : path,
	    why == NULL ? "unknown error" : why);
}

int
disk_open(const struct disk *disk, const char *path, int flags, int *ret_fd,
    struct err *err)
{
	int fd;

	do {
		fd = disk->ops->open(disk->state, path, flags);
	} while (fd == -EINTR);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return disk_err(err, "open", path, fd);
	*ret_fd = fd;
	return 1;
}

int
disk_create(
    const struct disk *disk, const char *path, int *ret_fd, struct err *err)
{
	int fd;

	do {
		fd = disk->ops->open(
		    disk->state, path, O_RDWR | O_CREAT | O_EXCL);
	} while (fd == -EINTR);
	if (fd == -EEXIST)
		return 0;
	if (fd < 0)
		return disk_err(err, "create", path, fd);
	*ret_fd = fd;
	return 1;
}

void
disk_close(const struct disk *disk, int *fd)
{
	/* On Linux the descriptor is gone even after EINTR. */
	if (*fd >= 0)
		(void)disk->ops->close(disk->state, *fd);
	*fd = -1;
}

int
disk_read(const struct disk *disk, int fd, void *to, size_t n, uint64_t offset,
    size_t *ret_n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = disk->ops->pread(disk->state, fd,
		    (char *)to + done, n - done, offset + done);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return disk_err(err, "read", NULL, (int)got);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_n = done;
	return 0;
}

int
disk_write(const struct disk *disk, int fd, const void *from, size_t n,
    uint64_t offset, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = disk->ops->pwrite(disk->state, fd,
		    (const char *)from + done, n - done, offset + done);

		if (put == -EINTR)
			continue;
		if (put <= 0)
			return disk_err(
			    err, "write", NULL, put == 0 ? -EIO : (int)put);
		done += (size_t)put;
	}
	return 0;
}

/*
 * Not tried again after an error, not even EINTR: the kernel may have marked
 * the pages clean, and a second call would say 0 for bytes that are gone.
 */
int
disk_sync(const struct disk *disk, int fd, struct err *err)
{
	int done = disk->ops->fdatasync(disk->state, fd);

	return done < 0 ? disk_err(err, "fdatasync", NULL, done) : 0;
}

int
disk_sync_dir(const struct disk *disk, const char *path, struct err *err)
{
	int done = disk->ops->fsync_dir(disk->state, path);

	return done < 0 ? disk_err(err, "fsync", path, done) : 0;
}

int
disk_stat(const struct disk *disk, int fd, struct disk_stat *ret_stat,
    struct err *err)
{
	int done = disk->ops->stat(disk->state, fd, ret_stat);

	return done < 0 ? disk_err(err, "fstat", NULL, done) : 0;
}

int
disk_truncate(const struct disk *disk, int fd, uint64_t size, struct err *err)
{
	int done;

	do {
		done = disk->ops->truncate(disk->state, fd, size);
	} while (done == -EINTR);
	return done < 0 ? disk_err(err, "ftruncate", NULL, done) : 0;
}

int
disk_lock(const struct disk *disk, int fd, struct err *err)
{
	int done;

	do {
		done = disk->ops->lock(disk->state, fd);
	} while (done == -EINTR);
	if (done == -EAGAIN)
		return 0;
	return done < 0 ? disk_err(err, "lock", NULL, done) : 1;
}

int
disk_unlink(const struct disk *disk, const char *path, struct err *err)
{
	int done = disk->ops->unlink(disk->state, path);

	return done < 0 && done != -ENOENT ? disk_err(err, "unlink", path, done)
	                                   : 0;
}

int
disk_mkdir(const struct disk *disk, const char *path, const char *parent,
    struct err *err)
{
	int done = disk->ops->mkdir(disk->state, path);

	if (done < 0 && done != -EEXIST)
		return disk_err(err, "mkdir", path, done);
	return disk_sync_dir(disk, parent, err);
}

int
disk_list(const struct disk *disk, const char *path, disk_name *on_name,
    void *arg, struct err *err)
{
	int done = disk->ops->list(disk->state, path, on_name, arg);

	return done < 0 ? disk_err(err, "list", path, done) : 0;
}

int
disk_space(const struct disk *disk, const char *path,
    struct disk_space *ret_space, struct err *err)
{
	int done = disk->ops->space(disk->state, path, ret_space);

	return done < 0 ? disk_err(err, "statvfs", path, done) : 0;
}

int
disk_random(const struct disk *disk, void *to, size_t n, struct err *err)
{
	int done;

	do {
		done = disk->ops->random(disk->state, to, n);
	} while (done == -EINTR);
	return done < 0 ? disk_err(err, "random numbers", NULL, done) : 0;
}
