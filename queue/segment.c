#include "queue/segment.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/files.h"
#include "queue/record.h"
#include "queue/wal.h"

enum {
	ORDINAL_BITS = 32, /* an id is the segment's number, then these */
	CREATE_TRIES = 64, /* others may take the number we wanted */
};

struct segment {
	const struct spool *spool;
	struct file_header header;
	uint64_t ordinal; /* of the last id */
	struct wal wal;
	int fd;
};

/*
 * The name is durable now, the header with the first batch.  In this order:
 * while the header is not written nobody takes the file for a segment.
 */
static int
write_header(const struct spool *spool, int fd, struct file_header header,
    struct err *err)
{
	char block[SEGMENT_HEADER];
	char folder[SPOOL_FILE_MAX];

	header_store(block, FILE_SEGMENT, header);
	files_folder(spool, FILES_SEGMENT, folder);
	if (disk_sync_dir(&spool->disk, folder, err) < 0)
		return -1;
	return disk_write(&spool->disk, fd, block, sizeof(block), 0, err);
}

/*
 * As long as the disk is full there would be one more with every try.  One
 * that is not empty may be known to the queue role, as the highest: it goes at
 * the next start.
 */
static void
give_up(const struct spool *spool, uint64_t number, int *fd)
{
	struct disk_stat stat;
	char path[SPOOL_FILE_MAX];
	struct err err;

	files_path(spool, FILES_SEGMENT, number, path);
	if (disk_stat(&spool->disk, *fd, &stat, &err) == 0 && stat.size == 0)
		(void)disk_unlink(&spool->disk, path, &err);
	disk_close(&spool->disk, fd);
}

/* 1: *ret_fd is a new file, locked.  0: the number is taken. */
static int
create_file(
    const struct spool *spool, uint64_t number, int *ret_fd, struct err *err)
{
	char path[SPOOL_FILE_MAX];
	int fd = -1;
	int done;

	files_path(spool, FILES_SEGMENT, number, path);
	done = disk_create(&spool->disk, path, &fd, err);
	if (done <= 0)
		return done;
	done = files_own(spool, fd, err);
	if (done <= 0) {
		disk_close(&spool->disk, &fd);
		return done;
	}
	*ret_fd = fd;
	return 1;
}

/* The first number behind all others that nobody else gets. */
static int
create_next(const struct spool *spool, struct file_header *header, int *ret_fd,
    struct err *err)
{
	struct files files;
	uint64_t number;

	if (files_list(spool, FILES_SEGMENT, &files, err) < 0)
		return -1;
	number = files.n == 0 ? 0 : files.list[files.n - 1];
	files_free(&files);
	for (int i = 0; i < CREATE_TRIES && number < UINT32_MAX; i++) {
		int done = create_file(spool, ++number, ret_fd, err);

		if (done != 0) {
			header->number = number;
			return done < 0 ? -1 : 0;
		}
	}
	return err_set(err, ERR_TEMP, "4.3.0", "no free segment number");
}

int
segment_create(
    const struct spool *spool, struct segment **ret_segment, struct err *err)
{
	struct file_header header = {0};
	struct segment *segment;
	int fd = -1;

	if (disk_random(&spool->disk, &header.salt, sizeof(header.salt), err) <
		0 ||
	    create_next(spool, &header, &fd, err) < 0)
		return -1;
	if (write_header(spool, fd, header, err) < 0) {
		give_up(spool, header.number, &fd);
		return -1;
	}
	segment = mem_new(sizeof(*segment));
	segment->spool = spool;
	segment->header = header;
	segment->fd = fd;
	wal_init(&segment->wal, &spool->disk, fd, SEGMENT_HEADER,
	    spool->segment_size);
	*ret_segment = segment;
	return 0;
}

uint64_t
segment_number(const struct segment *segment)
{
	return segment->header.number;
}

uint64_t
segment_new_id(struct segment *segment)
{
	/* Ten thousand sessions a second that never finish: five days. */
	assert(segment->ordinal < UINT32_MAX);
	return segment->header.number << ORDINAL_BITS | ++segment->ordinal;
}

static uint64_t
bytes_needed(const struct envelope *envelope, size_t body)
{
	struct record record = {
	    .envelope_size = (uint32_t)envelope_size(envelope),
	    .body_size = body,
	};

	return record_length(&record);
}

enum segment_room
segment_room(const struct segment *segment, const struct envelope *envelope,
    size_t bytes)
{
	uint64_t need = bytes_needed(envelope, bytes);
	const struct wal *wal = &segment->wal;
	uint64_t end = wal->next + wal->collecting.n;

	if (wal->broken)
		return ROOM_NONE;
	/* No segment will ever hold it: segment_append() says so. */
	if (need > segment->spool->segment_size - SEGMENT_HEADER)
		return ROOM_NOW;
	if (need > segment->spool->segment_size - end)
		return ROOM_NONE;
	if (wal->collecting.n > 0 &&
	    wal->collecting.n + need > segment->spool->batch_max)
		return ROOM_LATER;
	return ROOM_NOW;
}

/* The record without its head's checksum; -1: over the buffer's limit. */
static int
put_record(struct buf *out, const struct segment_message *m, size_t aligned)
{
	char *head = buf_reserve(out, aligned);
	size_t start = out->n;

	if (head == NULL)
		return -1;
	memset(head, 0, aligned);
	out->n += RECORD_HEAD;
	if (envelope_encode(m->envelope, out) < 0 || buf_add(out, m->body) < 0)
		return -1;
	out->n = start + aligned;
	return 0;
}

int
segment_append(
    struct segment *segment, const struct segment_message *m, struct err *err)
{
	struct wal *wal = &segment->wal;
	struct buf *out = &wal->collecting;
	size_t start = out->n;
	size_t envelope = envelope_size(m->envelope);
	struct record record = {
	    .id = m->id,
	    .offset = (uint32_t)(wal->next + start),
	    .base = (uint32_t)wal->next,
	    .envelope_size = (uint32_t)envelope,
	    .body_size = m->large ? m->large_size : m->body.n,
	    .body_checksum = m->large ? m->large_checksum
	                              : checksum(m->body, segment->header.salt),
	    .large = m->large,
	};
	uint64_t length = record_length(&record);

	if (m->body.n > (m->large ? 0 : segment->spool->body_max))
		return err_set(
		    err, ERR_BUG, "4.3.0", "a body too big for a segment");
	if (length > segment->spool->segment_size - SEGMENT_HEADER)
		return err_set(err, ERR_PERM, "5.3.4",
		    "the envelope is too big: %zu octets", envelope);
	if (wal->broken ||
	    length > segment->spool->segment_size - wal->next - start)
		return err_set(err, ERR_TEMP, "4.3.1", "the segment is full");
	if (put_record(out, m, length) < 0) {
		out->n = start;
		return err_set(
		    err, ERR_BUG, "4.3.0", "the envelope cannot be encoded");
	}
	record_store(out->p + start, &record, segment->header,
	    (struct span){out->p + start + RECORD_HEAD, envelope});
	return 0;
}

struct batch *
segment_take(struct segment *segment)
{
	return wal_take(&segment->wal);
}

uint64_t
segment_committed(struct segment *segment, struct batch **batch, bool ok)
{
	wal_committed(&segment->wal, *batch, ok);
	*batch = NULL;
	return segment->wal.durable;
}

uint64_t
segment_end(const struct segment *segment)
{
	return segment->wal.next + segment->wal.collecting.n;
}

bool
segment_broken(const struct segment *segment)
{
	return segment->wal.broken;
}

bool
segment_collecting(const struct segment *segment)
{
	return segment->wal.collecting.n > 0;
}

void
segment_close(struct segment **segmentp)
{
	struct segment *segment = *segmentp;
	struct err err;

	*segmentp = NULL;
	if (segment == NULL)
		return;
	/* Saves space, and keeps what failed from being found; no more. */
	(void)disk_truncate(
	    &segment->spool->disk, segment->fd, segment->wal.durable, &err);
	disk_close(&segment->spool->disk, &segment->fd);
	wal_free(&segment->wal);
	mem_free(segment);
}
