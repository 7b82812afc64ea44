/*
 * The disk, as far as this folder touches it: one table of functions, so
 * that a test can number the calls, fail one of them, tear a write, forget
 * what was never synced.
 *
 * A struct disk_ops is the bare system call: it returns what the call gives,
 * or -errno, and may be interrupted or write less than asked.  The functions
 * below it are what the folder uses: they go on after EINTR and short
 * transfers, return 0 or -1 and turn errno into a struct err (ENOSPC and
 * EDQUOT: 4.3.1, everything else: 4.3.0; always temporary).
 *
 * No state of its own; safe from several threads when the ops are.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* One name of a folder; false stops the listing. */
typedef bool disk_name(const char *name, void *arg);

struct disk_space {
	uint64_t total;
	uint64_t available; /* to us, without root's reserve */
};

struct disk_stat {
	uint64_t size;
	uint64_t links; /* 0: somebody removed the file */
};

/* Every call may block.  Descriptors are close-on-exec. */
struct disk_ops {
	int (*open)(void *state, const char *path, int flags);
	int (*close)(void *state, int fd);
	ssize_t (*pread)(
	    void *state, int fd, void *to, size_t n, uint64_t offset);
	ssize_t (*pwrite)(
	    void *state, int fd, const void *from, size_t n, uint64_t offset);
	int (*fdatasync)(void *state, int fd);
	int (*fsync_dir)(void *state, const char *path);
	int (*stat)(void *state, int fd, struct disk_stat *ret_stat);
	int (*truncate)(void *state, int fd, uint64_t size);
	int (*lock)(void *state, int fd); /* try; -EAGAIN: somebody has it */
	int (*unlink)(void *state, const char *path);
	int (*mkdir)(void *state, const char *path);
	int (*list)(
	    void *state, const char *path, disk_name *on_name, void *arg);
	int (*space)(
	    void *state, const char *path, struct disk_space *ret_space);
	int (*random)(void *state, void *to, size_t n);
};

struct disk {
	const struct disk_ops *ops;
	void *state;
};

/* The kernel's. */
struct disk disk_real(void);

/* An existing file, `flags` as open(2): 1; 0: there is none. */
int disk_open(const struct disk *disk, const char *path, int flags, int *ret_fd,
    struct err *err);
/* A new file, mode 0600, read and write: 1; 0: the name is taken. */
int disk_create(
    const struct disk *disk, const char *path, int *ret_fd, struct err *err);
/* Safe to repeat like a destructor: *fd becomes -1. */
void disk_close(const struct disk *disk, int *fd);

/* As much as is there, up to n; *ret_n < n only at the end of the file. */
int disk_read(const struct disk *disk, int fd, void *to, size_t n,
    uint64_t offset, size_t *ret_n, struct err *err);
/* All of it or -1; after an error nothing is known of the range. */
int disk_write(const struct disk *disk, int fd, const void *from, size_t n,
    uint64_t offset, struct err *err);
int disk_sync(const struct disk *disk, int fd, struct err *err);
int disk_sync_dir(const struct disk *disk, const char *path, struct err *err);
int disk_stat(const struct disk *disk, int fd, struct disk_stat *ret_stat,
    struct err *err);
int disk_truncate(
    const struct disk *disk, int fd, uint64_t size, struct err *err);

/* 1: ours now, until the descriptor is closed; 0: another has it. */
int disk_lock(const struct disk *disk, int fd, struct err *err);

/* A file that is not there is fine. */
int disk_unlink(const struct disk *disk, const char *path, struct err *err);
/* A folder that is there already is fine.  Its parent is synced. */
int disk_mkdir(const struct disk *disk, const char *path, const char *parent,
    struct err *err);
int disk_list(const struct disk *disk, const char *path, disk_name *on_name,
    void *arg, struct err *err);
int disk_space(const struct disk *disk, const char *path,
    struct disk_space *ret_space, struct err *err);
int disk_random(const struct disk *disk, void *to, size_t n, struct err *err);
