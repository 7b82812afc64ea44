#include "queue/scan.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/envelope.h"

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
	bool strict;
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

/* A writer may have gone on since: nothing old may be looked at. */
static void
forget_window(struct scan *scan)
{
	buf_clear(&scan->window);
}

static int
identify(struct scan *scan, uint64_t number, enum scan_file *ret_file,
    struct err *err)
{
	struct disk_stat stat;
	struct span head;
	int locked;

	/* In this order: who holds the lock now may write what we then see. */
	locked = disk_lock(&scan->spool->disk, scan->fd, err);
	if (locked < 0 ||
	    disk_stat(&scan->spool->disk, scan->fd, &stat, err) < 0 ||
	    look(scan, 0, SEGMENT_HEADER, &head, err) < 0)
		return -1;
	scan->size = stat.size;
	if (!header_load(head, FILE_SEGMENT, number, &scan->header))
		*ret_file = SCAN_UNBORN;
	else
		*ret_file = locked ? SCAN_SEALED : SCAN_OPEN;
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
	spool_segment_path(spool, number, path);
	*ret_file = SCAN_GONE;
	done = disk_open(&spool->disk, path, O_RDWR, &scan->fd, err);
	if (done > 0)
		done = identify(scan, number, ret_file, err);
	if (done < 0 || *ret_file < SCAN_OPEN) {
		scan_close(&scan);
		return done < 0 ? -1 : 0;
	}
	scan_seek(scan, SEGMENT_HEADER, 0, false);
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

void
scan_seek(struct scan *scan, uint64_t offset, uint64_t end, bool strict)
{
	scan->offset = offset;
	scan->end = end == 0 || end > scan->size ? scan->size : end;
	scan->strict = strict;
	forget_window(scan);
}

/* The record at scan->offset, its head and envelope checked. */
static int
look_record(struct scan *scan, struct record *ret_record,
    struct span *ret_envelope, struct err *err)
{
	struct span bytes;
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

int
scan_body(struct scan *scan, const struct record *record, struct err *err)
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
	if (done > 0 && scan->strict)
		done = scan_body(scan, &record, err);
	if (done <= 0)
		return done;
	*ret_record = record;
	scan->offset += record_length(&record);
	return 1;
}

int
scan_resync(struct scan *scan, struct err *err)
{
	struct record record;
	struct span envelope;
	int found = 0;

	while (found == 0 && scan->offset + RECORD_ALIGN < scan->end) {
		scan->offset += RECORD_ALIGN;
		found = look_record(scan, &record, &envelope, err);
	}
	return found;
}

uint64_t
scan_offset(const struct scan *scan)
{
	return scan->offset;
}

uint64_t
scan_size(const struct scan *scan)
{
	return scan->size;
}
