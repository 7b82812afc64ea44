/*
 * Entries that a journal holds under a good checksum, whatever they say,
 * and envelopes under a good checksum in a segment: recovery must stand it.
 * The input is two lengths of a byte each (times 8) and then an envelope, a
 * second one, and entries.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "queue/block.h"
#include "queue/listing.h"
#include "queue/queue.h"
#include "queue/record.h"

#include "tests/support/fake_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct file_header header = {1, 7};

static void
route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	(void)arg;
	(void)envelope;
	(void)snprintf(key, QUEUE_KEY_MAX, "%s", address_domain(rcpt->address));
}

static void
write_file(const struct disk *disk, const char *path, enum file_kind kind,
    struct span bytes)
{
	char block[SEGMENT_HEADER];
	struct err err;
	int fd;

	header_store(block, kind, header);
	if (disk_create(disk, path, &fd, &err) != 1 ||
	    disk_write(disk, fd, block, sizeof(block), 0, &err) < 0 ||
	    disk_write(disk, fd, bytes.p, bytes.n, SEGMENT_HEADER, &err) < 0)
		assert(0 && "the disk in memory fails");
	disk_close(disk, &fd);
}

static void
put_record(struct buf *out, struct span envelope, uint64_t id)
{
	struct record record = {
	    .id = id,
	    .offset = (uint32_t)(SEGMENT_HEADER + out->n),
	    .base = (uint32_t)(SEGMENT_HEADER + out->n),
	    .envelope_size = (uint32_t)envelope.n,
	};
	char *to = buf_reserve(out, record_length(&record));

	assert(to != NULL);
	memset(to, 0, record_length(&record));
	record_store(to, &record, header, envelope);
	/* An empty body has the checksum of nothing; nobody reads it here. */
	if (envelope.n > 0)
		memcpy(to + RECORD_HEAD, envelope.p, envelope.n);
	out->n += record_length(&record);
}

static struct span
part(struct span *rest, size_t n)
{
	struct span head = span_first(*rest, n);

	*rest = span_from(*rest, n);
	return head;
}

static void
on_entry(void *arg, const struct queue_entry *entry)
{
	size_t *n = arg;

	*n += entry->job.nrcpts;
	for (size_t i = 0; i < entry->job.nrcpts; i++)
		*n += entry->job.rcpts[i];
	*n += strlen(entry->reason) + strlen(entry->job.destination);
}

static void
run(const struct spool *spool)
{
	struct queue_setup setup = {.spool = spool, .route = route};
	struct queue_found found;
	struct queue_job job;
	struct queue *queue;
	struct err err;
	uint64_t position = 0;
	int64_t when;
	size_t n = 0;

	if (queue_open(&setup, 1000, &queue, &found, &err) < 0)
		return;
	while (queue_list(queue, &position, on_entry, &n))
		continue;
	while (queue_next(queue, INT64_MAX / 2, &job, &when) == 1) {
		uint16_t rcpt = job.rcpts[0];

		queue_bounced(queue, job.id, &rcpt, 1, 1000);
		if (n++ > 10000)
			break;
	}
	queue_close(&queue);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_disk *fake = fake_disk_new();
	struct spool spool = {.disk = fake_disk_of(fake), .path = "spool"};
	struct span rest = {(const char *)data, size};
	struct buf segment, journal;

	spool_defaults(&spool);
	buf_init(&segment, 1 << 20);
	buf_init(&journal, (1 << 20) + size);
	if (size >= 2) {
		rest = span_from(rest, 2);
		put_record(&segment, part(&rest, 8 * (size_t)data[0]), 1);
		put_record(&segment, part(&rest, 8 * (size_t)data[1]), 2);
	}
	memset(buf_reserve(&journal, BLOCK_HEAD), 0, BLOCK_HEAD);
	journal.n = BLOCK_HEAD;
	if (buf_add(&journal, rest) < 0)
		assert(0 && "too small");
	block_close(&journal, SEGMENT_HEADER, BLOCK_COMPLETE, header.salt);
	write_file(&spool.disk, "spool/segment/0000000000000001.seg",
	    FILE_SEGMENT, buf_span(&segment));
	write_file(&spool.disk, "spool/journal/0000000000000001.jnl",
	    FILE_JOURNAL, buf_span(&journal));
	run(&spool);
	buf_free(&segment);
	buf_free(&journal);
	fake_disk_free(&fake);
	return 0;
}
