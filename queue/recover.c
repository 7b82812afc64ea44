/* From files to a queue: what queue_open() does, in this order. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "queue/scan.h"
#include "queue/state.h"

/* The most an envelope takes in memory. */
enum {
	ARENA_MAX = 64 << 20,
	DESTINATION_MAX = 20
};

static void
init(struct queue *queue, const struct queue_setup *setup, uint64_t seed)
{
	uint32_t most = setup->destination_max;

	queue->setup = *setup;
	queue->spool = setup->spool;
	queue->lock_fd = -1;
	queue->random = seed | 1;
	queue->arena = arena_new(ARENA_MAX);
	schedule_defaults(&queue->setup.schedule);
	index_init(&queue->index, seed, most == 0 ? DESTINATION_MAX : most);
	journal_init(&queue->journal, setup->spool);
}

/* Two queue roles at one spool would be worse than none. */
static int
lock_spool(struct queue *queue, struct err *err)
{
	const struct disk *disk = &queue->spool->disk;
	char folder[SPOOL_FILE_MAX];
	char path[SPOOL_FILE_MAX + 8];
	int done;

	files_folder(queue->spool, FILES_JOURNAL, folder);
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	done = disk_open(disk, path, O_RDWR, &queue->lock_fd, err);
	if (done == 0)
		done = disk_create(disk, path, &queue->lock_fd, err);
	if (done > 0)
		done = disk_lock(disk, queue->lock_fd, err);
	if (done == 0)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "%s: another queue is at work here", path);
	return done < 0 ? -1 : 0;
}

/*
 * A large file whose writer is gone: 1.  One that is empty was never written
 * to, and goes at once, while we have its lock.
 */
static int
is_abandoned(struct queue *queue, uint64_t id, struct err *err)
{
	const struct disk *disk = &queue->spool->disk;
	struct disk_stat stat = {0};
	char path[SPOOL_FILE_MAX];
	int fd = -1;
	int done;

	files_path(queue->spool, FILES_LARGE, id, path);
	done = disk_open(disk, path, O_RDWR, &fd, err);
	if (done > 0)
		done = disk_lock(disk, fd, err);
	if (done > 0 && disk_stat(disk, fd, &stat, err) < 0)
		done = -1;
	if (done > 0 && stat.size == 0) {
		queue->found.orphans++;
		/* 0: no more to be done about it. */
		done = disk_unlink(disk, path, err);
	}
	disk_close(disk, &fd);
	return done;
}

/*
 * Before the segments are read: a file that is complete and unlocked now has
 * its record in a segment already, or never will.
 */
static int
list_abandoned(struct queue *queue, struct files *ret_files, struct err *err)
{
	struct files files;
	size_t kept = 0;

	if (files_list(queue->spool, FILES_LARGE, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.n; i++) {
		int done = is_abandoned(queue, files.list[i], err);

		if (done < 0) {
			files_free(&files);
			return -1;
		}
		if (done > 0)
			files.list[kept++] = files.list[i];
	}
	files.n = kept;
	*ret_files = files;
	return 0;
}

/*
 * Whose record was lost, or stands behind what cannot be read, looks like an
 * orphan, and may be all that is left of acknowledged mail.
 */
static int
remove_orphans(struct queue *queue, const struct files *files, struct err *err)
{
	if (queue->found.damaged > 0 || queue->unread)
		return 0;
	for (size_t i = 0; i < files->n; i++) {
		char path[SPOOL_FILE_MAX];

		if (index_find(&queue->index, files->list[i]) != NULL)
			continue;
		files_path(queue->spool, FILES_LARGE, files->list[i], path);
		if (disk_unlink(&queue->spool->disk, path, err) < 0)
			return -1;
		queue->found.orphans++;
	}
	return 0;
}

/* A file without a header is no segment; when it has nothing else either
 * its writer never got to write, and it goes while we have its lock. */
static int
remove_unborn(struct queue *queue, uint64_t number, struct err *err)
{
	const struct disk *disk = &queue->spool->disk;
	struct disk_stat stat = {0};
	char path[SPOOL_FILE_MAX];
	int fd = -1;
	int done;

	files_path(queue->spool, FILES_SEGMENT, number, path);
	done = disk_open(disk, path, O_RDWR, &fd, err);
	if (done > 0)
		done = disk_lock(disk, fd, err);
	if (done > 0 && disk_stat(disk, fd, &stat, err) < 0)
		done = -1;
	if (done > 0 && stat.size > SEGMENT_HEADER)
		queue->found.damaged++;
	if (done > 0 && stat.size <= SEGMENT_HEADER)
		done = disk_unlink(disk, path, err);
	disk_close(disk, &fd);
	return done < 0 ? -1 : 0;
}

static int
is_unborn(struct queue *queue, uint64_t number, struct err *err)
{
	enum scan_file file;
	struct scan *scan;

	if (scan_open(queue->spool, number, &file, &scan, err) < 0)
		return -1;
	scan_close(&scan);
	return file == SCAN_UNBORN;
}

/* The highest number stays, so that it is not given again. */
static int
find_places(struct queue *queue, struct err *err)
{
	struct files files;
	int done = 0;

	if (files_list(queue->spool, FILES_SEGMENT, &files, err) < 0)
		return -1;
	for (size_t i = 0; done == 0 && i < files.n; i++) {
		int unborn = is_unborn(queue, files.list[i], err);

		if (unborn < 0)
			done = -1;
		else if (!unborn)
			(void)places_take(&queue->places, files.list[i]);
		else if (i + 1 < files.n)
			done = remove_unborn(queue, files.list[i], err);
	}
	queue->found.segments = files.n;
	files_free(&files);
	return done;
}

/*
 * One that cannot be read keeps the queue from starting: what the journal
 * says of its messages would be forgotten.  danelaw-spool(5) has the remedy.
 */
static int
scan_places(struct queue *queue, struct err *err)
{
	for (size_t i = 0; i < queue->places.n; i++)
		if (queue_scan(queue, queue->places.list[i]->number, 0, err) <
		    0)
			return -1;
	return 0;
}

static void
drop_lost_of(struct queue *queue, struct message *message)
{
	while (message != NULL) {
		struct message *next = message->next;

		if (message->place->gone) {
			index_remove(&queue->index, message);
			queue->found.damaged++;
		}
		message = next;
	}
}

/* Messages the journal knows in segments that are not there. */
static void
drop_lost(struct queue *queue)
{
	struct places *places = &queue->places;

	for (size_t i = 0; i < queue->index.nbuckets; i++)
		drop_lost_of(queue, queue->index.buckets[i]);
	for (size_t i = places->n; i > 0; i--)
		if (places->list[i - 1]->gone)
			places_remove(places, places->list[i - 1]->number);
}

static int
read_files(struct queue *queue, const struct files *journals, struct err *err)
{
	struct replay replay;

	if (find_places(queue, err) < 0 ||
	    replay_plan(queue, journals, &replay, err) < 0 ||
	    scan_places(queue, err) < 0 ||
	    replay_apply(queue, &replay, err) < 0)
		return -1;
	drop_lost(queue);
	queue->found.journal_damaged = replay.damaged;
	return replay.same_version ? 0 : reroute(queue, err);
}

static int
sync_journal(struct queue *queue, uint64_t number, struct err *err)
{
	const struct disk *disk = &queue->spool->disk;
	char path[SPOOL_FILE_MAX];
	int fd = -1;
	int done;

	files_path(queue->spool, FILES_JOURNAL, number, path);
	done = disk_open(disk, path, O_RDONLY, &fd, err);
	if (done > 0)
		done = disk_sync(disk, fd, err);
	disk_close(disk, &fd);
	return done < 0 ? -1 : 0;
}

/*
 * What a queue that died had written can be read, synced or not.  It is acted
 * on from now on, so it has to outlast the power as well.
 */
static int
sync_journals(
    struct queue *queue, const struct files *journals, struct err *err)
{
	char folder[SPOOL_FILE_MAX];

	for (size_t i = 0; i < journals->n; i++)
		if (sync_journal(queue, journals->list[i], err) < 0)
			return -1;
	files_folder(queue->spool, FILES_JOURNAL, folder);
	return disk_sync_dir(&queue->spool->disk, folder, err);
}

static int
recover(struct queue *queue, struct err *err)
{
	struct files journals = {0}, large = {0};
	int done = -1;

	if (files_list(queue->spool, FILES_JOURNAL, &journals, err) == 0 &&
	    sync_journals(queue, &journals, err) == 0 &&
	    list_abandoned(queue, &large, err) == 0 &&
	    read_files(queue, &journals, err) == 0 &&
	    remove_orphans(queue, &large, err) == 0)
		done = 0;
	queue->oldest = journals.n == 0 ? 1 : journals.list[0];
	queue->journal.header.number = journals.n == 0
	                                   ? 0
	                                   : journals.list[journals.n - 1];
	files_free(&journals);
	files_free(&large);
	return done;
}

int
queue_open(const struct queue_setup *setup, int64_t now,
    struct queue **ret_queue, struct queue_found *ret_found, struct err *err)
{
	struct queue *queue;
	uint64_t seed;

	if (disk_random(&setup->spool->disk, &seed, sizeof(seed), err) < 0)
		return -1;
	queue = mem_new(sizeof(*queue));
	init(queue, setup, seed);
	queue->recovering = true;
	if (lock_spool(queue, err) < 0 || recover(queue, err) < 0 ||
	    checkpoint_begin(queue, err) < 0) {
		queue_close(&queue);
		return -1;
	}
	queue->recovering = false;
	history_init(&queue->history, queue->spool);
	mover_init(&queue->mover, queue->spool);
	setback_bound(queue, now);
	index_wake(&queue->index, now);
	queue->found.messages = queue->index.n;
	*ret_found = queue->found;
	*ret_queue = queue;
	return 0;
}

void
queue_close(struct queue **queuep)
{
	struct queue *queue = *queuep;

	*queuep = NULL;
	if (queue == NULL)
		return;
	index_free(&queue->index);
	places_free(&queue->places);
	journal_free(&queue->journal);
	history_free(&queue->history);
	mover_free(&queue->mover);
	arena_free(&queue->arena);
	disk_close(&queue->spool->disk, &queue->lock_fd);
	mem_free(queue->dead);
	mem_free(queue);
}
