#include "mta/sts/disk.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "mta/net/loop.h"

struct sts_disk {
	struct loop *loop;
	char *folder;
	unsigned wait_ms;
	struct sts_store *store;      /* the worker's while there is a batch */
	struct sts_disk_job *batch;   /* what the worker does */
	struct sts_disk_job *waiting; /* for the next batch */
	struct sts_disk_job **end;
	atomic_bool closing; /* the worker looks at it, too */
};

static loop_fn work_batch, on_batch;

struct sts_disk *
sts_disk_new(struct loop *loop, const char *folder, unsigned wait_ms)
{
	struct sts_disk *disk = mem_new(sizeof(*disk));

	disk->loop = loop;
	disk->folder = mem_strdup(folder);
	disk->wait_ms = wait_ms;
	disk->end = &disk->waiting;
	return disk;
}

static void
begin_batch(struct sts_disk *disk)
{
	disk->batch = disk->waiting;
	disk->waiting = NULL;
	disk->end = &disk->waiting;
	work_run(disk->loop, work_batch, on_batch, disk);
}

void
sts_disk_run(struct sts_disk *disk, struct sts_disk_job *job)
{
	job->next = NULL;
	*disk->end = job;
	disk->end = &job->next;
	if (disk->batch == NULL)
		begin_batch(disk);
}

static int
run_one(struct sts_disk *disk, struct sts_disk_job *job)
{
	if (atomic_load(&disk->closing))
		return err_set(&job->err, ERR_TEMP, "4.3.0", "it is closing");
	if (disk->store == NULL && sts_store_open(disk->folder, disk->wait_ms,
				       &disk->store, &job->err) < 0)
		return -1;
	return job->work(disk->store, job);
}

static void
work_batch(void *arg)
{
	struct sts_disk *disk = arg;

	for (struct sts_disk_job *job = disk->batch; job != NULL;
	     job = job->next)
		job->rc = run_one(disk, job);
}

static void
on_batch(void *arg)
{
	struct sts_disk *disk = arg;
	struct sts_disk_job *job = disk->batch;

	/* A callback may bring the next job. */
	while (job != NULL && !atomic_load(&disk->closing)) {
		struct sts_disk_job *next = job->next;

		job->done(job);
		job = next;
	}
	disk->batch = NULL;
	if (disk->waiting != NULL && !atomic_load(&disk->closing))
		begin_batch(disk);
}

void
sts_disk_free(struct sts_disk **diskp)
{
	struct sts_disk *disk = *diskp;

	if (disk == NULL)
		return;
	atomic_store(&disk->closing, true);
	/* Other callbacks come from the loop as well, and may have jobs. */
	while (disk->batch != NULL)
		loop_run_once(disk->loop);
	*diskp = NULL;
	sts_store_close(&disk->store);
	mem_free(disk->folder);
	mem_free(disk);
}
