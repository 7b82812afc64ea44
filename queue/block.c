#include "queue/block.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "queue/checksum.h"
#include "queue/files.h"

enum {
	MAGIC = 0x424d4c44, /* "DLMB" */
	STEP = 256 * 1024,  /* read at least so much at once */
};

/* Bytes before the checksum. */
enum {
	CHECKED = BLOCK_HEAD - 8
};

struct journal_in {
	const struct spool *spool;
	struct file_header header;
	uint64_t size;
	uint64_t offset;
	struct buf window;
	uint64_t window_offset;
	int fd;
};

static uint64_t
block_checksum(const char *head, struct span entries, uint64_t salt)
{
	struct span fixed = {head, CHECKED};

	return checksum(entries, checksum(fixed, salt));
}

void
block_close(struct buf *block, uint64_t offset, uint32_t flags, uint64_t salt)
{
	size_t n = block->n - BLOCK_HEAD;
	size_t pad = -block->n & (RECORD_ALIGN - 1);
	char *tail = buf_reserve(block, pad);
	char *head = block->p;

	assert(tail != NULL);
	memset(tail, 0, pad);
	block->n += pad;
	wire_store_u32(head, MAGIC);
	wire_store_u32(head + 4, flags);
	wire_store_u32(head + 8, (uint32_t)n);
	wire_store_u32(head + 12, 0);
	wire_store_u64(head + 16, offset);
	wire_store_u64(head + CHECKED,
	    block_checksum(head, (struct span){head + BLOCK_HEAD, n}, salt));
}

size_t
block_length(struct span block)
{
	return BLOCK_HEAD + wire_load_u32(block.p + 8);
}

/* The head alone looks like one: *ret_n is what it says of its length. */
static bool
load_head(struct span bytes, uint64_t offset, uint32_t *ret_n)
{
	if (bytes.n < BLOCK_HEAD || wire_load_u32(bytes.p) != MAGIC ||
	    wire_load_u32(bytes.p + 4) > BLOCK_COMPLETE ||
	    wire_load_u32(bytes.p + 12) != 0 ||
	    wire_load_u64(bytes.p + 16) != offset)
		return false;
	*ret_n = wire_load_u32(bytes.p + 8);
	return true;
}

bool
block_load(struct span bytes, uint64_t offset, uint64_t salt,
    uint32_t *ret_flags, struct span *ret_entries)
{
	struct span entries = span_from(bytes, BLOCK_HEAD);
	uint32_t n;

	if (!load_head(bytes, offset, &n) || n > entries.n)
		return false;
	entries = span_first(entries, n);
	if (wire_load_u64(bytes.p + CHECKED) !=
	    block_checksum(bytes.p, entries, salt))
		return false;
	*ret_flags = wire_load_u32(bytes.p + 4);
	*ret_entries = entries;
	return true;
}

/* As in scan.c: `n` bytes at `offset`, fewer at the end. */
static int
look(struct journal_in *in, uint64_t offset, size_t n, struct span *ret,
    struct err *err)
{
	struct buf *window = &in->window;
	size_t want = n < STEP ? STEP : n;
	char *to;

	if (want > in->size - offset)
		want = (size_t)(in->size - offset);
	if (n > want)
		n = want;
	if (offset < in->window_offset ||
	    offset + n > in->window_offset + window->n) {
		buf_clear(window);
		to = buf_reserve(window, want);
		if (to == NULL)
			return err_set(
			    err, ERR_BUG, "4.3.0", "a block too long");
		if (disk_read(&in->spool->disk, in->fd, to, want, offset,
			&window->n, err) < 0)
			return -1;
		in->window_offset = offset;
	}
	*ret = span_first(
	    span_from(buf_span(window), offset - in->window_offset), n);
	return 0;
}

static int
identify(struct journal_in *in, uint64_t number, struct err *err)
{
	struct disk_stat stat;
	struct span head = {0};

	if (disk_stat(&in->spool->disk, in->fd, &stat, err) < 0)
		return -1;
	in->size = stat.size;
	buf_init(&in->window, in->size + STEP);
	if (look(in, 0, SEGMENT_HEADER, &head, err) < 0)
		return -1;
	in->offset = SEGMENT_HEADER;
	return header_load(head, FILE_JOURNAL, number, &in->header);
}

int
journal_in_open(const struct spool *spool, uint64_t number,
    struct journal_in **ret_in, struct err *err)
{
	struct journal_in *in = mem_new(sizeof(*in));
	char path[SPOOL_FILE_MAX];
	int done;

	in->spool = spool;
	in->fd = -1;
	files_path(spool, FILES_JOURNAL, number, path);
	done = disk_open(&spool->disk, path, O_RDONLY, &in->fd, err);
	if (done > 0)
		done = identify(in, number, err);
	if (done <= 0)
		journal_in_close(&in);
	*ret_in = in;
	return done;
}

void
journal_in_close(struct journal_in **inp)
{
	struct journal_in *in = *inp;

	*inp = NULL;
	if (in == NULL)
		return;
	disk_close(&in->spool->disk, &in->fd);
	buf_free(&in->window);
	mem_free(in);
}

/* The block at in->offset: 1, 0 when none begins there. */
static int
look_block(struct journal_in *in, uint32_t *ret_flags, struct span *ret_entries,
    struct err *err)
{
	struct span bytes = {0};
	uint32_t n;

	if (look(in, in->offset, BLOCK_HEAD, &bytes, err) < 0)
		return -1;
	if (!load_head(bytes, in->offset, &n) ||
	    n > in->size - in->offset - BLOCK_HEAD)
		return 0;
	if (look(in, in->offset, BLOCK_HEAD + (size_t)n, &bytes, err) < 0)
		return -1;
	return block_load(
	    bytes, in->offset, in->header.salt, ret_flags, ret_entries);
}

int
journal_in_next(struct journal_in *in, uint32_t *ret_flags,
    struct span *ret_entries, bool *damaged, struct err *err)
{
	uint64_t start = in->offset;

	for (; in->offset + BLOCK_HEAD <= in->size;
	     in->offset += RECORD_ALIGN) {
		int done = look_block(in, ret_flags, ret_entries, err);

		if (done == 0)
			continue;
		if (done > 0) {
			*damaged |= in->offset != start;
			in->offset += (BLOCK_HEAD + ret_entries->n +
					  RECORD_ALIGN - 1) /
			              RECORD_ALIGN * RECORD_ALIGN;
		}
		return done;
	}
	return 0;
}
