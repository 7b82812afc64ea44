#include "queue/history.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "queue/checksum.h"
#include "queue/files.h"

enum {
	MAGIC = 0x41444c44, /* "DLDA" */
	HEAD = 16,          /* magic, length of the rest, its checksum */
	RECORD_MAX = 256 * 1024,
	PLACE_BITS = 32, /* the number of the file is above them */
};

static struct history_file *
last_file(struct history *history)
{
	return history->nfiles == 0 ? NULL
	                            : &history->files[history->nfiles - 1];
}

static void
add_bytes(struct history *history, uint64_t number, uint64_t bytes)
{
	struct history_file *last = last_file(history);

	history->bytes += bytes;
	if (last != NULL && last->number == number) {
		last->bytes += bytes;
		return;
	}
	if (history->files == NULL || history->nfiles == history->files_size) {
		size_t size = history->files_size == 0
		                  ? 16
		                  : 2 * history->files_size;

		history->files = mem_grow(history->files,
		    history->files_size * sizeof(history->files[0]),
		    size * sizeof(history->files[0]));
		history->files_size = size;
	}
	history->files[history->nfiles++] = (struct history_file){
	    number, bytes};
}

/* One that does not say is taken for a full one. */
static uint64_t
size_of(const struct spool *spool, uint64_t number)
{
	struct disk_stat stat = {.size = spool->journal_size};
	char path[SPOOL_FILE_MAX];
	struct err err;
	int fd = -1;

	files_path(spool, FILES_HISTORY, number, path);
	if (disk_open(&spool->disk, path, O_RDONLY, &fd, &err) == 1)
		(void)disk_stat(&spool->disk, fd, &stat, &err);
	disk_close(&spool->disk, &fd);
	return stat.size;
}

void
history_init(struct history *history, const struct spool *spool)
{
	struct files files = {0};
	struct err err;

	*history = (struct history){.spool = spool, .number = 1, .fd = -1};
	buf_init(&history->collecting, HISTORY_WAITS);
	buf_init(&history->flying, HISTORY_WAITS);
	/* Unlisted, a number that is taken is passed over later. */
	if (files_list(spool, FILES_HISTORY, &files, &err) < 0)
		return;
	for (size_t i = 0; i < files.n; i++)
		add_bytes(
		    history, files.list[i], size_of(spool, files.list[i]));
	if (files.n > 0)
		history->number = files.list[files.n - 1] + 1;
	files_free(&files);
}

void
history_free(struct history *history)
{
	if (history->spool != NULL)
		disk_close(&history->spool->disk, &history->fd);
	buf_free(&history->collecting);
	buf_free(&history->flying);
	mem_free(history->files);
	history->files = NULL;
}

/* --- Writing --------------------------------------------------------------- */

static int
put_attempt(struct buf *out, uint64_t id, uint64_t before,
    const struct attempt *attempt)
{
	if (put_u64(out, id) < 0 || put_u64(out, before) < 0 ||
	    put_i64(out, attempt->when) < 0 ||
	    put_u8(out, (uint8_t)attempt->fate) < 0 ||
	    put_blob(out, span_first(attempt->host, ATTEMPT_TEXT_MAX)) < 0 ||
	    put_blob(out, span_first(attempt->tls, ATTEMPT_TEXT_MAX)) < 0 ||
	    put_blob(out, span_first(attempt->reason, ATTEMPT_TEXT_MAX)) < 0 ||
	    put_blob(out, attempt->rcpts) < 0)
		return -1;
	return 0;
}

/* The next file, once nothing that collects has its place in this one. */
static void
next_file(struct history *history)
{
	history->number++;
	history->next = 0;
	buf_clear(&history->collecting);
}

uint64_t
history_put(struct history *history, uint64_t id, uint64_t before,
    const struct attempt *attempt)
{
	struct buf *out = &history->collecting;
	size_t start;
	uint64_t place;
	char *head;

	if (out->n == 0 && history->next >= history->spool->journal_size)
		next_file(history);
	start = out->n;
	place = history->number << PLACE_BITS | (history->next + start);
	head = buf_reserve(out, HEAD);
	if (head == NULL || history->next + start > UINT32_MAX - RECORD_MAX)
		return 0;
	out->n += HEAD;
	if (put_attempt(out, id, before, attempt) < 0 ||
	    out->n - start > RECORD_MAX) {
		out->n = start;
		return 0;
	}
	head = out->p + start;
	wire_store_u32(head, MAGIC);
	wire_store_u32(head + 4, (uint32_t)(out->n - start - HEAD));
	wire_store_u64(
	    head + 8, checksum(span_from(buf_span(out), start + HEAD), place));
	return place;
}

bool
history_take(struct history *history)
{
	struct buf empty = history->flying;

	if (history->flying.n > 0 || history->collecting.n == 0)
		return false;
	history->flying = history->collecting;
	history->flying_number = history->number;
	history->flying_offset = history->next;
	history->next += history->flying.n;
	history->collecting = empty;
	return true;
}

static int
open_file(struct history *history, struct err *err)
{
	const struct disk *disk = &history->spool->disk;
	char path[SPOOL_FILE_MAX];
	int made;

	if (history->fd >= 0 && history->fd_number == history->flying_number)
		return 0;
	disk_close(disk, &history->fd);
	files_path(history->spool, FILES_HISTORY, history->flying_number, path);
	made = disk_create(disk, path, &history->fd, err);
	if (made == 0)
		return err_set(err, ERR_TEMP, "4.3.0", "%s is there", path);
	history->fd_number = history->flying_number;
	return made < 0 ? -1 : 0;
}

/* As long as the disk is full there would be one more with every batch. */
static void
remove_empty(struct history *history)
{
	const struct disk *disk = &history->spool->disk;
	char path[SPOOL_FILE_MAX];
	struct err err;

	disk_close(disk, &history->fd);
	files_path(history->spool, FILES_HISTORY, history->flying_number, path);
	(void)disk_unlink(disk, path, &err);
}

void
history_write(void *arg)
{
	struct history *history = arg;
	struct err err;

	history->failed = true;
	if (open_file(history, &err) < 0)
		return;
	history->failed = disk_write(&history->spool->disk, history->fd,
			      history->flying.p, history->flying.n,
			      history->flying_offset, &err) < 0;
	if (history->failed && history->flying_offset == 0)
		remove_empty(history);
}

void
history_written(struct history *history)
{
	if (history->flying.n == 0)
		return;
	if (history->failed && history->flying_number == history->number)
		next_file(history);
	/* Of a write that failed behind others some may be there. */
	if (!history->failed || history->flying_offset > 0)
		add_bytes(history, history->flying_number, history->flying.n);
	buf_clear(&history->flying);
}

/* --- Reading --------------------------------------------------------------- */

/* What was not written yet, from `offset` on. */
static struct span
in_memory(const struct history *history, uint64_t number, uint64_t offset)
{
	if (history->collecting.n > 0 && number == history->number &&
	    offset >= history->next)
		return span_from(buf_span(&history->collecting),
		    (size_t)(offset - history->next));
	if (history->flying.n > 0 && number == history->flying_number &&
	    offset >= history->flying_offset)
		return span_from(buf_span(&history->flying),
		    (size_t)(offset - history->flying_offset));
	return (struct span){NULL, 0};
}

/* Up to `n` octets of the file behind `bytes`. */
static bool
read_some(const struct spool *spool, int fd, uint64_t offset, size_t n,
    struct buf *bytes)
{
	char *to = buf_reserve(bytes, n);
	struct err err;
	size_t got = 0;

	if (to == NULL ||
	    disk_read(&spool->disk, fd, to, n, offset, &got, &err) < 0)
		return false;
	bytes->n += got;
	return got == n;
}

static bool
read_record(const struct spool *spool, uint64_t number, uint64_t offset,
    struct buf *bytes)
{
	char path[SPOOL_FILE_MAX];
	struct err err;
	int fd = -1;
	bool good;

	files_path(spool, FILES_HISTORY, number, path);
	if (disk_open(&spool->disk, path, O_RDONLY, &fd, &err) != 1)
		return false;
	good = read_some(spool, fd, offset, HEAD, bytes) &&
	       wire_load_u32(bytes->p + 4) <= RECORD_MAX &&
	       read_some(spool, fd, offset + HEAD, wire_load_u32(bytes->p + 4),
		   bytes);
	disk_close(&spool->disk, &fd);
	return good;
}

static bool
take_attempt(struct cursor *in, uint64_t *ret_id, uint64_t *ret_before,
    struct attempt *attempt)
{
	uint8_t fate = 0;

	if (!take_u64(in, ret_id) || !take_u64(in, ret_before) ||
	    !take_i64(in, &attempt->when) || !take_u8(in, &fate) ||
	    !take_blob(in, ATTEMPT_TEXT_MAX, &attempt->host) ||
	    !take_blob(in, ATTEMPT_TEXT_MAX, &attempt->tls) ||
	    !take_blob(in, ATTEMPT_TEXT_MAX, &attempt->reason) ||
	    !take_blob(in, RECORD_MAX, &attempt->rcpts) ||
	    fate > FATE_EXPIRED || !cursor_done(in))
		return false;
	attempt->fate = (enum fate)fate;
	return true;
}

int
history_get(const struct history *history, uint64_t place, uint64_t id,
    struct buf *bytes, struct attempt *ret_attempt, uint64_t *ret_before)
{
	uint64_t number = place >> PLACE_BITS, offset = place & UINT32_MAX;
	struct span record = in_memory(history, number, offset);
	struct attempt attempt = {0};
	uint64_t found = 0, before = 0;
	struct cursor in;
	uint32_t n;

	buf_clear(bytes);
	if (record.n == 0 && read_record(history->spool, number, offset, bytes))
		record = buf_span(bytes);
	if (record.n < HEAD || wire_load_u32(record.p) != MAGIC)
		return 0;
	n = wire_load_u32(record.p + 4);
	if (n > record.n - HEAD)
		return 0;
	in = cursor_of(span_first(span_from(record, HEAD), n));
	if (checksum(in.rest, place) != wire_load_u64(record.p + 8) ||
	    !take_attempt(&in, &found, &before, &attempt) || found != id)
		return 0;
	*ret_attempt = attempt;
	*ret_before = before;
	return 1;
}

/* --- Removing -------------------------------------------------------------- */

uint64_t
history_excess(const struct history *history, uint64_t messages)
{
	uint64_t most = HISTORY_LEAST + HISTORY_EACH * messages;

	/* The newest is being written. */
	if (history->nfiles < 2 || history->bytes <= most)
		return 0;
	return history->files[0].number;
}

void
history_removed(struct history *history, uint64_t number)
{
	if (history->nfiles == 0 || history->files[0].number != number)
		return;
	history->bytes -= history->files[0].bytes;
	history->nfiles--;
	memmove(history->files, history->files + 1,
	    history->nfiles * sizeof(history->files[0]));
}
