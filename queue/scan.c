#include "queue/scan.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/envelope.h"
#include "queue/files.h"

enum {
	WINDOW = 64 * 1024
};

struct scan {
	const struct spool *spool;
	struct file_header header;
	uint64_t size; /* of the file */
	uint64_t offset;
	uint64_t end;
	struct buf window;
	uint64_t window_offset;
	uint64_t strict; /* from here on with bodies */
	bool sealed;
	int fd;
};

/*
 * `n` bytes at `offset`, or fewer at the end of the file.  What the window
 * does not hold is read with what is likely to be asked for next.
 */
static int
look(struct scan *scan, uint64_t offset, size_t n, struct span *ret,
    struct err *err)
{
	struct buf *window = &scan->window;
	size_t want = n < WINDOW ? WINDOW : n;
	char *to;

	if (offset > scan->size)
		offset = scan->size;
	if (want > scan->size - offset)
		want = (size_t)(scan->size - offset);
	if (n > want)
		n = want;
	if (offset < scan->window_offset ||
	    offset + n > scan->window_offset + window->n) {
		buf_clear(window);
		to = buf_reserve(window, want);
		if (to == NULL)
			return err_set(
			    err, ERR_BUG, "4.3.0", "a record too long");
		if (disk_read(&scan->spool->disk, scan->fd, to, want, offset,
			&window->n, err) < 0)
			return -1;
		scan->window_offset = offset;
	}
	*ret = span_first(
	    span_from(buf_span(window), offset - scan->window_offset), n);
	return 0;
}

static int
identify(struct scan *scan, uint64_t number, enum scan_file *ret_file,
    struct err *err)
{
	struct span head = {0};

	if (scan_refresh(scan, true, err) < 0 ||
	    look(scan, 0, SEGMENT_HEADER, &head, err) < 0)
		return -1;
	if (!header_load(head, FILE_SEGMENT, number, &scan->header))
		*ret_file = SCAN_UNBORN;
	else
		*ret_file = scan->sealed ? SCAN_SEALED : SCAN_OPEN;
	return 0;
}

int
scan_open(const struct spool *spool, uint64_t number, enum scan_file *ret_file,
    struct scan **ret_scan, struct err *err)
{
	struct scan *scan = mem_new(sizeof(*scan));
	char path[SPOOL_FILE_MAX];
	int done;

	*ret_scan = NULL;
	scan->spool = spool;
	scan->fd = -1;
	buf_init(&scan->window, RECORD_HEAD + ENVELOPE_BYTES_MAX + WINDOW);
	files_path(spool, FILES_SEGMENT, number, path);
	*ret_file = SCAN_GONE;
	done = disk_open(&spool->disk, path, O_RDWR, &scan->fd, err);
	if (done > 0)
		done = identify(scan, number, ret_file, err);
	if (done < 0 || *ret_file < SCAN_OPEN) {
		scan_close(&scan);
		return done < 0 ? -1 : 0;
	}
	scan_seek(scan, SEGMENT_HEADER, 0, UINT64_MAX);
	*ret_scan = scan;
	return 0;
}

void
scan_close(struct scan **scanp)
{
	struct scan *scan = *scanp;

	*scanp = NULL;
	if (scan == NULL)
		return;
	disk_close(&scan->spool->disk, &scan->fd);
	buf_free(&scan->window);
	mem_free(scan);
}

uint64_t
scan_size(const struct scan *scan)
{
	return scan->size;
}

bool
scan_sealed(const struct scan *scan)
{
	return scan->sealed;
}

/* In this order: when the lock is ours the size will not change. */
int
scan_refresh(struct scan *scan, bool lock, struct err *err)
{
	const struct disk *disk = &scan->spool->disk;
	struct disk_stat stat;

	if (lock && !scan->sealed) {
		int locked = disk_lock(disk, scan->fd, err);

		if (locked < 0)
			return -1;
		scan->sealed = locked > 0;
	}
	if (disk_stat(disk, scan->fd, &stat, err) < 0)
		return -1;
	scan->size = stat.size;
	return 0;
}

void
scan_seek(struct scan *scan, uint64_t offset, uint64_t end, uint64_t strict)
{
	scan->end = end == 0 || end > scan->size ? scan->size : end;
	/* A writer whose batch failed may have cut the file. */
	scan->offset = offset < scan->end ? offset : scan->end;
	scan->strict = strict;
	/* The writer may have gone on: nothing old may be looked at. */
	buf_clear(&scan->window);
}

int
scan_sync(struct scan *scan, struct err *err)
{
	return disk_sync(&scan->spool->disk, scan->fd, err);
}

void
scan_return(struct scan *scan, uint64_t offset)
{
	scan->offset = offset;
}

/* The record at scan->offset, its head and envelope checked. */
static int
look_record(struct scan *scan, struct record *ret_record,
    struct span *ret_envelope, struct err *err)
{
	struct span bytes = {0};
	uint64_t offset = scan->offset;

	if (look(scan, offset, RECORD_HEAD, &bytes, err) < 0)
		return -1;
	if (!record_load(
		bytes, scan->header, (uint32_t)offset, scan->end, ret_record) ||
	    ret_record->envelope_size > ENVELOPE_BYTES_MAX)
		return 0;
	if (look(scan, offset, RECORD_HEAD + ret_record->envelope_size, &bytes,
		err) < 0)
		return -1;
	*ret_envelope = span_from(bytes, RECORD_HEAD);
	return record_check(
	    span_first(bytes, RECORD_HEAD), *ret_envelope, scan->header);
}

/* Is this record's body what was written? */
static int
check_body(struct scan *scan, const struct record *record, struct err *err)
{
	uint64_t at = record->offset + RECORD_HEAD + record->envelope_size;
	struct buf body;
	size_t got = 0;
	int done = -1;
	char *to;

	/* The file was synced before its record was written. */
	if (record->large)
		return 1;
	buf_init(&body, scan->size + 1);
	to = buf_reserve(&body, record->body_size);
	if (to == NULL)
		return 0;
	if (disk_read(&scan->spool->disk, scan->fd, to, record->body_size, at,
		&got, err) == 0)
		done = got == record->body_size &&
		       checksum((struct span){to, got}, scan->header.salt) ==
		           record->body_checksum;
	buf_free(&body);
	return done;
}

int
scan_next(struct scan *scan, struct record *ret_record,
    struct span *ret_envelope, struct err *err)
{
	struct record record;
	int done;

	if (scan->offset >= scan->end)
		return 0;
	done = look_record(scan, &record, ret_envelope, err);
	if (done > 0 && scan->offset >= scan->strict)
		done = check_body(scan, &record, err);
	if (done <= 0)
		return done;
	*ret_record = record;
	scan->offset += record_length(&record);
	return 1;
}

int
scan_resync(struct scan *scan, uint64_t *ret_base, struct err *err)
{
	struct record record;
	struct span envelope;
	int found = 0;

	while (found == 0 && scan->offset + RECORD_ALIGN < scan->end) {
		scan->offset += RECORD_ALIGN;
		found = look_record(scan, &record, &envelope, err);
	}
	if (found == 0)
		scan->offset = scan->end;
	if (found > 0)
		*ret_base = record.base;
	return found;
}

int
scan_last_batch(
    struct scan *scan, uint64_t offset, uint64_t *ret_base, struct err *err)
{
	struct record record = {.base = (uint32_t)offset};
	struct span envelope;
	int done;

	scan_seek(scan, offset, 0, UINT64_MAX);
	while ((done = scan_next(scan, &record, &envelope, err)) > 0)
		continue;
	*ret_base = record.base;
	return done;
}

uint64_t
scan_offset(const struct scan *scan)
{
	return scan->offset;
}

bool
scan_at_end(const struct scan *scan)
{
	return scan->offset >= scan->end;
}

int
scan_written(struct scan *scan, struct err *err)
{
	struct span bytes = {0};

	if (look(scan, scan->offset, RECORD_HEAD, &bytes, err) < 0)
		return -1;
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] != 0)
			return 1;
	return 0;
}
