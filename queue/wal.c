#include "queue/wal.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void
wal_init(struct wal *wal, const struct disk *disk, int fd, uint64_t start,
    uint64_t limit)
{
	*wal = (struct wal){
	    .disk = disk,
	    .fd = fd,
	    .durable = start,
	    .next = start,
	    .filled = start,
	    .ahead = WAL_AHEAD,
	    .limit = limit,
	};
	buf_init(&wal->collecting, limit);
}

static void
batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	buf_free(&batch->bytes);
	mem_free(batch);
}

void
wal_free(struct wal *wal)
{
	assert(wal->flying == NULL);
	buf_free(&wal->collecting);
	batch_free(wal->spare);
	wal->spare = NULL;
}

struct batch *
wal_take(struct wal *wal)
{
	struct batch *batch = wal->spare;
	struct buf empty;

	if (wal->broken || wal->flying != NULL || wal->collecting.n == 0)
		return NULL;
	if (batch == NULL) {
		batch = mem_new(sizeof(*batch));
		buf_init(&batch->bytes, wal->limit);
	}
	wal->spare = NULL;
	wal->flying = batch;
	empty = batch->bytes;
	batch->disk = wal->disk;
	batch->prepare = NULL;
	batch->aside = NULL;
	batch->bytes = wal->collecting;
	batch->offset = wal->next;
	batch->filled = wal->filled;
	batch->ahead = wal->ahead;
	batch->limit = wal->limit;
	batch->fd = wal->fd;
	wal->collecting = empty;
	buf_clear(&wal->collecting);
	wal->next += batch->bytes.n;
	return batch;
}

void
wal_committed(struct wal *wal, struct batch *batch, bool ok)
{
	assert(batch == wal->flying);
	wal->flying = NULL;
	wal->spare = batch;
	if (!ok) {
		wal->broken = true;
		return;
	}
	wal->durable = batch->offset + batch->bytes.n;
	wal->filled = batch->filled;
}

/* The first page boundary at or after n. */
static uint64_t
page_end(uint64_t n)
{
	return (n + WAL_PAGE - 1) / WAL_PAGE * WAL_PAGE;
}

static int
write_zeros(
    const struct batch *batch, uint64_t from, uint64_t to, struct err *err)
{
	static const char zeros[64 * 1024];

	while (from < to) {
		uint64_t n = to - from;

		if (n > sizeof(zeros))
			n = sizeof(zeros);
		if (disk_write(batch->disk, batch->fd, zeros, n, from, err) < 0)
			return -1;
		from += n;
	}
	return 0;
}

/* The batch itself, its last page filled up with zeros. */
static int
write_bytes(struct batch *batch, uint64_t end, struct err *err)
{
	size_t n = batch->bytes.n;
	size_t pad = (size_t)(end - batch->offset) - n;
	char *tail = buf_reserve(&batch->bytes, pad);

	if (tail == NULL)
		return err_set(
		    err, ERR_BUG, "4.3.0", "a batch passes its file's end");
	memset(tail, 0, pad);
	return disk_write(batch->disk, batch->fd, batch->bytes.p, n + pad,
	    batch->offset, err);
}

/* No room to fill ahead is no failure: the next sync is slower, that's all. */
static void
fill_ahead(struct batch *batch, uint64_t end)
{
	uint64_t to = end + batch->ahead;
	struct err err;

	if (to > batch->limit)
		to = batch->limit;
	batch->filled = end;
	if (write_zeros(batch, end, to, &err) == 0)
		batch->filled = to;
}

int
batch_commit(struct batch *batch, struct err *err)
{
	uint64_t end = page_end(batch->offset + batch->bytes.n);

	if (batch->aside != NULL)
		batch->aside(batch->aside_arg);
	if (batch->prepare != NULL &&
	    batch->prepare(batch, batch->arg, err) < 0)
		return -1;
	if (write_bytes(batch, end, err) < 0)
		return -1;
	if (end > batch->filled)
		fill_ahead(batch, end);
	return disk_sync(batch->disk, batch->fd, err);
}
