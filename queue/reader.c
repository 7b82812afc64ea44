#include "queue/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/files.h"
#include "queue/record.h"

enum {
	KEPT = 4,
	PEEK = 1024, /* head and envelope, most often */
};

struct kept {
	struct file_header header;
	uint64_t used; /* the newest has the highest */
	int fd;        /* -1: empty */
};

struct reader {
	const struct spool *spool;
	uint64_t clock;
	struct kept kept[KEPT];
};

struct message_in {
	const struct disk *disk;
	struct envelope envelope;
	struct record record;
	uint64_t read;        /* octets handed out */
	char *whole;          /* a body out of a segment, checked */
	struct checksum *sum; /* of a large one so far */
	int fd;               /* of a large one, or -1 */
};

struct reader *
reader_new(const struct spool *spool)
{
	struct reader *reader = mem_new(sizeof(*reader));

	reader->spool = spool;
	for (size_t i = 0; i < KEPT; i++)
		reader->kept[i].fd = -1;
	return reader;
}

void
reader_free(struct reader **readerp)
{
	struct reader *reader = *readerp;

	*readerp = NULL;
	if (reader == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		disk_close(&reader->spool->disk, &reader->kept[i].fd);
	mem_free(reader);
}

static int
open_segment(const struct spool *spool, uint64_t number, struct kept *kept,
    struct err *err)
{
	char path[SPOOL_FILE_MAX];
	char block[SEGMENT_HEADER];
	size_t got = 0;
	int done;

	files_path(spool, FILES_SEGMENT, number, path);
	done = disk_open(&spool->disk, path, O_RDONLY, &kept->fd, err);
	if (done < 0)
		return -1;
	if (done == 0)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "segment %" PRIx64 " is gone", number);
	done = disk_read(
	    &spool->disk, kept->fd, block, sizeof(block), 0, &got, err);
	if (done == 0 && !header_load((struct span){block, got}, FILE_SEGMENT,
			     number, &kept->header))
		done = err_set(err, ERR_BUG, "4.3.0",
		    "segment %" PRIx64 " has no valid header", number);
	if (done < 0)
		disk_close(&spool->disk, &kept->fd);
	return done;
}

static struct kept *
oldest(struct reader *reader)
{
	struct kept *found = &reader->kept[0];

	for (size_t i = 1; i < KEPT; i++)
		if (reader->kept[i].used < found->used)
			found = &reader->kept[i];
	return found;
}

/* What was removed meanwhile takes space as long as we hold it. */
void
reader_tend(struct reader *reader)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct kept *kept = &reader->kept[i];
		struct disk_stat stat = {0};
		struct err err;

		if (kept->fd < 0 || (disk_stat(&reader->spool->disk, kept->fd,
					 &stat, &err) == 0 &&
					stat.links > 0))
			continue;
		disk_close(&reader->spool->disk, &kept->fd);
		kept->used = 0;
	}
}

static struct kept *
find_segment(struct reader *reader, uint64_t number, struct err *err)
{
	struct kept *kept;

	reader->clock++;
	for (size_t i = 0; i < KEPT; i++) {
		kept = &reader->kept[i];
		if (kept->fd >= 0 && kept->header.number == number) {
			kept->used = reader->clock;
			return kept;
		}
	}
	reader_tend(reader);
	kept = oldest(reader);
	disk_close(&reader->spool->disk, &kept->fd);
	kept->used = 0;
	if (open_segment(reader->spool, number, kept, err) < 0)
		return NULL;
	kept->used = reader->clock;
	return kept;
}

static int
not_what_was_written(struct err *err)
{
	return err_set(err, ERR_BUG, "4.3.0",
	    "the spool does not hold what was accepted: checksum differs");
}

/* Exactly n bytes into new memory. */
static int
read_exactly(const struct disk *disk, int fd, uint64_t offset, size_t n,
    char **ret, struct err *err)
{
	char *bytes = mem_new(n);
	size_t got = 0;
	int done = disk_read(disk, fd, bytes, n, offset, &got, err);

	if (done == 0 && got < n)
		done = not_what_was_written(err);
	if (done < 0) {
		mem_free(bytes);
		return -1;
	}
	*ret = bytes;
	return 0;
}

/* What does not come with the first read; NULL: it cannot be had. */
static const char *
read_rest(const struct disk *disk, int fd, const struct record *record,
    char **ret_own, struct err *err)
{
	if (read_exactly(disk, fd, (uint64_t)record->offset + RECORD_HEAD,
		record->envelope_size, ret_own, err) < 0)
		return NULL;
	return *ret_own;
}

/* The head of this message's record, and its envelope. */
static int
peek(struct reader *reader, uint64_t id, struct location at,
    struct arena *arena, struct record *ret_record,
    struct envelope *ret_envelope, struct err *err)
{
	const struct disk *disk = &reader->spool->disk;
	const struct kept *kept = find_segment(reader, at.segment, err);
	char window[PEEK], *own = NULL;
	const char *envelope = window + RECORD_HEAD;
	struct span fixed = {window, RECORD_HEAD}, bytes;
	size_t got = 0;
	int done = -1;

	if (kept == NULL || disk_read(disk, kept->fd, window, sizeof(window),
				at.offset, &got, err) < 0)
		return -1;
	if (got < RECORD_HEAD ||
	    !record_load(
		fixed, kept->header, at.offset, UINT32_MAX, ret_record) ||
	    ret_record->envelope_size > ENVELOPE_BYTES_MAX)
		return not_what_was_written(err);
	if (ret_record->envelope_size > got - RECORD_HEAD)
		envelope = read_rest(disk, kept->fd, ret_record, &own, err);
	bytes = (struct span){envelope, ret_record->envelope_size};
	if (envelope != NULL && !record_check(fixed, bytes, kept->header))
		done = not_what_was_written(err);
	else if (envelope != NULL && ret_record->id != id)
		done = err_set(err, ERR_BUG, "4.3.0",
		    "another message is where this one should be");
	else if (envelope != NULL)
		done = envelope_decode(bytes, arena, ret_envelope, err);
	mem_free(own);
	return done;
}

static int
read_small(struct message_in *m, const struct kept *kept, struct err *err)
{
	const struct record *r = &m->record;
	struct span body;

	if (r->body_size > SPOOL_BODY_MAX)
		return not_what_was_written(err);
	if (read_exactly(m->disk, kept->fd,
		(uint64_t)r->offset + RECORD_HEAD + r->envelope_size,
		r->body_size, &m->whole, err) < 0)
		return -1;
	body = (struct span){m->whole, r->body_size};
	return checksum(body, kept->header.salt) == r->body_checksum
	           ? 0
	           : not_what_was_written(err);
}

static int
open_large(struct message_in *m, const struct spool *spool, struct err *err)
{
	char path[SPOOL_FILE_MAX];
	int done;

	files_path(spool, FILES_LARGE, m->record.id, path);
	done = disk_open(m->disk, path, O_RDONLY, &m->fd, err);
	if (done == 0)
		return err_set(err, ERR_BUG, "4.3.0", "%s is gone", path);
	m->sum = checksum_new(m->record.id);
	return done < 0 ? -1 : 0;
}

static int
read_record(struct message_in *m, struct reader *reader, uint64_t id,
    struct location at, struct arena *arena, struct err *err)
{
	const struct kept *kept;

	if (peek(reader, id, at, arena, &m->record, &m->envelope, err) < 0)
		return -1;
	if (m->record.large)
		return open_large(m, reader->spool, err);
	kept = find_segment(reader, at.segment, err);
	return kept == NULL ? -1 : read_small(m, kept, err);
}

int
message_open(struct reader *reader, uint64_t id, struct location at,
    struct arena *arena, struct message_in **ret_message, struct err *err)
{
	struct message_in *m = mem_new(sizeof(*m));

	m->disk = &reader->spool->disk;
	m->fd = -1;
	if (read_record(m, reader, id, at, arena, err) < 0) {
		message_close(&m);
		return -1;
	}
	*ret_message = m;
	return 0;
}

int
message_peek(struct reader *reader, uint64_t id, struct location at,
    struct arena *arena, struct envelope *ret_envelope, struct err *err)
{
	struct record record;

	return peek(reader, id, at, arena, &record, ret_envelope, err);
}

const struct envelope *
message_envelope(const struct message_in *m)
{
	return &m->envelope;
}

uint64_t
message_size(const struct message_in *m)
{
	return m->record.body_size;
}

struct span
message_body(const struct message_in *m)
{
	return (struct span){
	    m->whole, m->whole == NULL ? 0 : m->record.body_size};
}

bool
message_is_large(const struct message_in *m)
{
	return m->record.large;
}

uint64_t
message_checksum(const struct message_in *m)
{
	return m->record.body_checksum;
}

static int
read_large(
    struct message_in *m, char *to, size_t n, size_t *ret_n, struct err *err)
{
	size_t got = 0;

	if (disk_read(m->disk, m->fd, to, n, m->read, &got, err) < 0)
		return -1;
	checksum_add(m->sum, (struct span){to, got});
	*ret_n = got;
	return 0;
}

int
message_read(
    struct message_in *m, char *to, size_t n, size_t *ret_n, struct err *err)
{
	uint64_t left = m->record.body_size - m->read;

	if (n > left)
		n = (size_t)left;
	if (m->whole != NULL)
		memcpy(to, m->whole + m->read, n);
	else if (n > 0 && read_large(m, to, n, &n, err) < 0)
		return -1;
	/* All there is was read: less than there should be, or else changed. */
	if (n == 0 && m->whole == NULL &&
	    (left > 0 || checksum_value(m->sum) != m->record.body_checksum))
		return not_what_was_written(err);
	m->read += n;
	*ret_n = n;
	return 0;
}

void
message_rewind(struct message_in *m)
{
	m->read = 0;
	if (m->sum != NULL)
		checksum_reset(m->sum, m->record.id);
}

void
message_close(struct message_in **messagep)
{
	struct message_in *m = *messagep;

	*messagep = NULL;
	if (m == NULL)
		return;
	disk_close(m->disk, &m->fd);
	mem_free(m->whole);
	checksum_free(&m->sum);
	mem_free(m);
}
