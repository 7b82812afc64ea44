#include "queue/large.h"

#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/files.h"

enum {
	CREATE_TRIES = 3
};

struct large {
	const struct spool *spool;
	uint64_t id;
	uint64_t size;
	struct checksum *sum;
	int fd;
};

/* 1: *ret_fd is a new file, locked.  0: not ours after all. */
static int
create_file(
    const struct spool *spool, uint64_t id, int *ret_fd, struct err *err)
{
	char path[SPOOL_FILE_MAX];
	int fd = -1;
	int done;

	files_path(spool, FILES_LARGE, id, path);
	done = disk_create(&spool->disk, path, &fd, err);
	if (done > 0)
		done = files_own(spool, fd, err);
	if (done <= 0)
		disk_close(&spool->disk, &fd);
	*ret_fd = fd;
	return done;
}

int
large_begin(const struct spool *spool, uint64_t id, struct large **ret_large,
    struct err *err)
{
	struct large *large;
	int fd = -1;
	int done = 0;

	for (int i = 0; done == 0 && i < CREATE_TRIES; i++)
		done = create_file(spool, id, &fd, err);
	if (done < 0)
		return -1;
	if (done == 0)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "a large file has that name");
	large = mem_new(sizeof(*large));
	large->spool = spool;
	large->id = id;
	large->fd = fd;
	/* Seeded with the id: the checksum stays when the record is moved. */
	large->sum = checksum_new(id);
	*ret_large = large;
	return 0;
}

int
large_write(struct large *large, struct span bytes, struct err *err)
{
	if (disk_write(&large->spool->disk, large->fd, bytes.p, bytes.n,
		large->size, err) < 0)
		return -1;
	checksum_add(large->sum, bytes);
	large->size += bytes.n;
	return 0;
}

int
large_commit(struct large *large, struct err *err)
{
	char folder[SPOOL_FILE_MAX];

	files_folder(large->spool, FILES_LARGE, folder);
	if (disk_sync(&large->spool->disk, large->fd, err) < 0)
		return -1;
	return disk_sync_dir(&large->spool->disk, folder, err);
}

uint64_t
large_size(const struct large *large)
{
	return large->size;
}

uint64_t
large_checksum(const struct large *large)
{
	return checksum_value(large->sum);
}

void
large_close(struct large **largep)
{
	struct large *large = *largep;

	*largep = NULL;
	if (large == NULL)
		return;
	disk_close(&large->spool->disk, &large->fd);
	checksum_free(&large->sum);
	mem_free(large);
}

void
large_abort(struct large **largep)
{
	char path[SPOOL_FILE_MAX];
	struct err err;

	if (*largep == NULL)
		return;
	files_path((*largep)->spool, FILES_LARGE, (*largep)->id, path);
	(void)disk_unlink(&(*largep)->spool->disk, path, &err);
	large_close(largep);
}
