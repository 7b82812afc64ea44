#include "queue/journal.h"

#include <assert.h>
#include <string.h>

#include "base/wire.h"
#include "queue/block.h"

/* Far more than ever collects; a file is given up for a new one before. */
#define FILE_MAX (1ull << 36)

void
journal_init(struct journal *journal, const struct spool *spool)
{
	*journal = (struct journal){.spool = spool};
	wal_init(&journal->wal, &spool->disk, -1, SEGMENT_HEADER, FILE_MAX);
	buf_init(&journal->again, FILE_MAX);
}

void
journal_free(struct journal *journal)
{
	disk_close(&journal->spool->disk, &journal->wal.fd);
	wal_free(&journal->wal);
	buf_free(&journal->again);
}

/* The entries of a block that was, or would have been, a batch. */
static void
keep(struct journal *journal, struct span block, size_t beginning)
{
	struct span entries = span_from(block, BLOCK_HEAD + beginning);

	/* The limits of all these buffers are out of reach. */
	if (buf_add(&journal->again, entries) < 0)
		assert(0 && "the journal's memory is full");
}

/*
 * The file goes, if it has no batch that went well: all that was to be in it
 * comes again, and as long as the disk fails there would be one more with
 * every try.
 */
static void
drop_useless(const struct journal *journal)
{
	const struct wal *wal = &journal->wal;
	char path[SPOOL_FILE_MAX];
	struct err err;

	if (wal->fd < 0 || wal->durable > SEGMENT_HEADER)
		return;
	files_path(journal->spool, FILES_JOURNAL, journal->header.number, path);
	(void)disk_unlink(&journal->spool->disk, path, &err);
}

int
journal_begin(struct journal *journal, uint64_t number, struct err *err)
{
	const struct disk *disk = &journal->spool->disk;
	uint64_t salt;

	assert(journal->wal.flying == NULL);
	if (disk_random(disk, &salt, sizeof(salt), err) < 0)
		return -1;
	keep(journal, buf_span(&journal->wal.collecting), journal->beginning);
	drop_useless(journal);
	disk_close(disk, &journal->wal.fd);
	wal_free(&journal->wal);
	wal_init(&journal->wal, disk, -1, SEGMENT_HEADER, FILE_MAX);
	if (journal->wal.ahead > journal->spool->journal_size)
		journal->wal.ahead = journal->spool->journal_size;
	journal->header = (struct file_header){number + 1, salt};
	journal->flags = 0;
	journal->beginning = 0;
	return 0;
}

void
journal_repeat(struct journal *journal)
{
	struct buf *out = journal_buf(journal);

	journal->beginning = out->n - BLOCK_HEAD;
	if (buf_add(out, buf_span(&journal->again)) < 0)
		assert(0 && "the journal's memory is full");
	buf_clear(&journal->again);
}

struct buf *
journal_buf(struct journal *journal)
{
	struct buf *out = &journal->wal.collecting;

	if (out->n == 0) {
		char *head = buf_reserve(out, BLOCK_HEAD);

		assert(head != NULL);
		memset(head, 0, BLOCK_HEAD);
		out->n = BLOCK_HEAD;
	}
	return out;
}

void
journal_set_complete(struct journal *journal)
{
	(void)journal_buf(journal);
	journal->flags |= BLOCK_COMPLETE;
}

bool
journal_sound(const struct journal *journal)
{
	return !journal->failing && !journal->wal.broken &&
	       journal->wal.fd >= 0;
}

bool
journal_pending(const struct journal *journal)
{
	return journal->wal.flying == NULL && !journal->wal.broken &&
	       journal->wal.collecting.n > 0;
}

/* The first batch of a file makes it.  On the worker. */
static int
make_file(struct batch *batch, void *arg, struct err *err)
{
	const struct journal *journal = arg;
	const struct spool *spool = journal->spool;
	char path[SPOOL_FILE_MAX];
	char folder[SPOOL_FILE_MAX];
	char block[SEGMENT_HEADER];
	int made;

	files_path(spool, FILES_JOURNAL, journal->header.number, path);
	files_folder(spool, FILES_JOURNAL, folder);
	header_store(block, FILE_JOURNAL, journal->header);
	made = disk_create(&spool->disk, path, &batch->fd, err);
	if (made == 0)
		return err_set(err, ERR_TEMP, "4.3.0", "%s is there", path);
	if (made < 0 || disk_write(&spool->disk, batch->fd, block,
			    sizeof(block), 0, err) < 0)
		return -1;
	/* The data of the file is synced with the batch. */
	return disk_sync_dir(&spool->disk, folder, err);
}

struct batch *
journal_take(struct journal *journal)
{
	struct wal *wal = &journal->wal;
	struct batch *batch;

	if (!journal_pending(journal))
		return NULL;
	block_close(
	    &wal->collecting, wal->next, journal->flags, journal->header.salt);
	batch = wal_take(wal);
	if (wal->fd < 0) {
		batch->prepare = make_file;
		batch->arg = journal;
	}
	journal->flying_flags = journal->flags;
	journal->flying_beginning = journal->beginning;
	journal->flags = 0;
	journal->beginning = 0;
	journal->taken++;
	return batch;
}

void
journal_committed(struct journal *journal, struct batch *batch, bool ok)
{
	struct span block = {batch->bytes.p, batch->bytes.n};

	journal->failing = !ok;
	journal->wal.fd = batch->fd;
	if (!ok)
		keep(journal, span_first(block, block_length(block)),
		    journal->flying_beginning);
	wal_committed(&journal->wal, batch, ok);
	if (!ok)
		return;
	journal->durable = journal->taken;
	if (journal->flying_flags & BLOCK_COMPLETE)
		journal->complete = journal->header.number;
}

uint64_t
journal_next_batch(const struct journal *journal)
{
	return journal->taken + 1;
}

uint64_t
journal_size(const struct journal *journal)
{
	return journal->wal.next - SEGMENT_HEADER + journal->wal.collecting.n;
}
