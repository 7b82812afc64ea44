/* The calls of the disk in memory. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/fake_private.h"

static bool
changes_something(const char *name)
{
	static const char *const names[] = {"create", "pwrite", "fdatasync",
	    "fsync", "ftruncate", "unlink", "mkdir"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* -errno when this call is not to be done.  *ret_half: do half of it. */
static int
enter(struct fake_disk *fake, const char *name, bool *ret_half)
{
	bool transfer = ret_half != NULL;

	if (fake->stopped)
		return -EIO;
	fake->calls++;
	fake->last = name;
	if (fake->calls == fake->stop) {
		fake->stopped = true;
		if (!fake->stop_after)
			return -EIO;
	}
	fake->changes += changes_something(name);
	if (fake->calls != fake->fail)
		return 0;
	fake->failed = name;
	switch (fake->fault) {
	case FAKE_EIO:
		return -EIO;
	case FAKE_ENOSPC:
		return -ENOSPC;
	case FAKE_EINTR:
		return -EINTR;
	case FAKE_SHORT:
		if (!transfer)
			return -EIO;
		*ret_half = true;
		return 0;
	}
	return 0;
}

static struct inode *
inode_of(struct fake_disk *fake, int fd)
{
	assert(fd >= 0 && fd < DESCRIPTORS && fake->descriptors[fd] >= 0);
	return &fake->inodes[fake->descriptors[fd]];
}

static struct entry *
entry_new(struct fake_disk *fake, const char *path)
{
	struct entry *entry = entry_of(fake, path);

	/* One that nobody will ever ask for again will do. */
	for (unsigned i = 0; entry == NULL && i < fake->nentries; i++)
		if (fake->entries[i].now < 0 && fake->entries[i].synced < 0)
			entry = &fake->entries[i];
	if (entry == NULL) {
		assert(fake->nentries < FILES);
		entry = &fake->entries[fake->nentries++];
	}
	if (strcmp(entry->path, path) != 0) {
		assert(strlen(path) < PATH);
		*entry = (struct entry){.now = -1, .synced = -1};
		(void)snprintf(entry->path, sizeof(entry->path), "%s", path);
	}
	return entry;
}

static int
inode_new(struct fake_disk *fake)
{
	for (int i = 0; i < FILES; i++)
		if (!fake->inodes[i].used) {
			fake->inodes[i].used = true;
			fake->inodes[i].locker = -1;
			fake->inodes[i].links = 1;
			return i;
		}
	assert(0 && "too many files");
	return -1;
}

static int
fake_open(void *state, const char *path, int flags)
{
	struct fake_disk *fake = state;
	struct entry *entry = entry_of(fake, path);
	bool there = entry != NULL && entry->now >= 0;
	int fd = 0;
	int why = enter(fake, flags & O_CREAT ? "create" : "open", NULL);

	if (why < 0)
		return why;
	if (there && flags & O_EXCL)
		return -EEXIST;
	if (!there && (flags & O_CREAT) == 0)
		return -ENOENT;
	if (!there) {
		entry = entry_new(fake, path);
		entry->now = inode_new(fake);
	}
	while (fake->descriptors[fd] >= 0)
		assert(++fd < DESCRIPTORS);
	fake->descriptors[fd] = entry->now;
	fake->inodes[entry->now].descriptors++;
	return fd;
}

/* Not numbered: nothing depends on it, and it must work when stopped. */
static int
fake_close(void *state, int fd)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);

	fake->descriptors[fd] = -1;
	inode->descriptors--;
	if (inode->locker == fd)
		inode->locker = -1;
	forget_if_unused(inode, fake);
	return 0;
}

static ssize_t
fake_pread(void *state, int fd, void *to, size_t n, uint64_t offset)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);
	bool half = false;
	int why = enter(fake, "pread", &half);

	if (why < 0)
		return why;
	if (offset >= inode->now.n)
		return 0;
	if (n > inode->now.n - offset)
		n = inode->now.n - offset;
	if (half)
		n = (n + 1) / 2;
	memcpy(to, inode->now.p + offset, n);
	return (ssize_t)n;
}

static ssize_t
fake_pwrite(void *state, int fd, const void *from, size_t n, uint64_t offset)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);
	bool half = false;
	int why = enter(fake, "pwrite", &half);
	uint64_t grows;

	if (why < 0)
		return why;
	if (half)
		n = (n + 1) / 2;
	grows = offset + n > inode->now.n ? offset + n - inode->now.n : 0;
	if (grows > fake->free)
		return -ENOSPC;
	fake->free -= grows;
	image_write(&inode->now, offset, from, n);
	pending_add(inode, offset, from, n);
	return (ssize_t)n;
}

static int
fake_fdatasync(void *state, int fd)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);
	int why = enter(fake, "fdatasync", NULL);

	if (why < 0 && !fake->stopped)
		pending_forget(inode);
	if (why < 0)
		return why;
	pending_apply(inode);
	return 0;
}

bool
is_in(const char *path, const char *folder, const char **ret_name)
{
	size_t n = strlen(folder);

	if (strncmp(path, folder, n) != 0 || path[n] != '/' ||
	    strchr(path + n + 1, '/') != NULL)
		return false;
	*ret_name = path + n + 1;
	return true;
}

static void
entry_sync(struct fake_disk *fake, struct entry *entry)
{
	int old = entry->synced;

	entry->synced = entry->now;
	if (old >= 0 && old != entry->now)
		forget_if_unused(&fake->inodes[old], fake);
}

static int
fake_fsync_dir(void *state, const char *path)
{
	struct fake_disk *fake = state;
	int why = enter(fake, "fsync", NULL);
	const char *name;

	if (why < 0)
		return why;
	for (unsigned i = 0; i < fake->nentries; i++)
		if (is_in(fake->entries[i].path, path, &name))
			entry_sync(fake, &fake->entries[i]);
	return 0;
}

static int
fake_stat(void *state, int fd, struct disk_stat *ret_stat)
{
	struct fake_disk *fake = state;
	const struct inode *inode = inode_of(fake, fd);
	int why = enter(fake, "fstat", NULL);

	if (why < 0)
		return why;
	*ret_stat = (struct disk_stat){inode->now.n, inode->links};
	return 0;
}

static int
fake_truncate(void *state, int fd, uint64_t size)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);
	int why = enter(fake, "ftruncate", NULL);

	if (why < 0)
		return why;
	if (size < inode->now.n)
		fake->free += inode->now.n - size;
	image_resize(&inode->now, size);
	pending_add(inode, size, NULL, 0);
	return 0;
}

static int
fake_lock(void *state, int fd)
{
	struct fake_disk *fake = state;
	struct inode *inode = inode_of(fake, fd);
	int why = enter(fake, "lock", NULL);

	if (why < 0)
		return why;
	if (inode->locker >= 0 && inode->locker != fd)
		return -EAGAIN;
	inode->locker = fd;
	return 0;
}

static int
fake_unlink(void *state, const char *path)
{
	struct fake_disk *fake = state;
	struct entry *entry = entry_of(fake, path);
	int why = enter(fake, "unlink", NULL);
	struct inode *inode;

	if (why < 0)
		return why;
	if (entry == NULL || entry->now < 0)
		return -ENOENT;
	inode = &fake->inodes[entry->now];
	entry->now = -1;
	inode->links--;
	fake->free += inode->now.n;
	forget_if_unused(inode, fake);
	return 0;
}

static int
fake_mkdir(void *state, const char *path)
{
	(void)path;
	return enter(state, "mkdir", NULL);
}

static int
fake_list(void *state, const char *path, disk_name *on_name, void *arg)
{
	struct fake_disk *fake = state;
	int why = enter(fake, "list", NULL);
	const char *name;

	if (why < 0)
		return why;
	for (unsigned i = 0; i < fake->nentries; i++)
		if (fake->entries[i].now >= 0 &&
		    is_in(fake->entries[i].path, path, &name) &&
		    !on_name(name, arg))
			break;
	return 0;
}

static int
fake_space(void *state, const char *path, struct disk_space *ret_space)
{
	struct fake_disk *fake = state;
	int why = enter(fake, "statvfs", NULL);

	(void)path;
	if (why < 0)
		return why;
	*ret_space = (struct disk_space){fake->free, fake->free};
	return 0;
}

static int
fake_random(void *state, void *to, size_t n)
{
	struct fake_disk *fake = state;
	int why = enter(fake, "random", NULL);

	if (why < 0)
		return why;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)to)[i] = (unsigned char)(next_random(
							       &fake->random) >>
							   24);
	return 0;
}

struct disk
fake_disk_of(struct fake_disk *fake)
{
	static const struct disk_ops ops = {
	    .open = fake_open,
	    .close = fake_close,
	    .pread = fake_pread,
	    .pwrite = fake_pwrite,
	    .fdatasync = fake_fdatasync,
	    .fsync_dir = fake_fsync_dir,
	    .stat = fake_stat,
	    .truncate = fake_truncate,
	    .lock = fake_lock,
	    .unlink = fake_unlink,
	    .mkdir = fake_mkdir,
	    .list = fake_list,
	    .space = fake_space,
	    .random = fake_random,
	};

	return (struct disk){.ops = &ops, .state = fake};
}
