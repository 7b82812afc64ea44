/*
 * The store behind one worker thread: jobs are done in the order in which
 * they came, and the loop never waits for a disk.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "mta/sts/store.h"

struct loop;
struct sts_disk;
struct sts_disk_job;

/* On the worker.  0 or -1 with words in job->err. */
typedef int sts_disk_work(struct sts_store *store, struct sts_disk_job *job);
typedef void sts_disk_done(struct sts_disk_job *job);

/* Its owner's, and the disk's from sts_disk_run() until `done`. */
struct sts_disk_job {
	struct sts_disk_job *next;
	sts_disk_work *work;
	sts_disk_done *done; /* on the loop */
	int rc;
	struct err err;
};

/* The file is opened when it is needed first. */
struct sts_disk *sts_disk_new(
    struct loop *loop, const char *folder, unsigned wait_ms);
/*
 * Waits for what the worker does now; jobs behind it are never done.  The loop
 * runs meanwhile: who has callbacks there may still bring jobs.
 */
void sts_disk_free(struct sts_disk **disk);
void sts_disk_run(struct sts_disk *disk, struct sts_disk_job *job);
