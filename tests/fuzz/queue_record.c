/* Headers, heads, blocks and entries, straight from the bytes of a file. */
#include <assert.h>
#include <stdint.h>

#include "queue/block.h"
#include "queue/entry.h"
#include "queue/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_entries(struct span bytes)
{
	struct cursor in = cursor_of(bytes);
	struct entry entry;

	while (entry_take(&in, &entry)) {
		struct cursor jobs = cursor_of(entry.jobs);
		struct entry_job job;
		unsigned n = 0;

		while (entry_take_job(&jobs, &job))
			n++;
		assert(n == entry.njobs);
		for (size_t i = 0; i < entry_nrcpts(&entry.job); i++)
			(void)entry_rcpt(&entry.job, i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	struct file_header header = {1, 2};
	struct span entries;
	struct record record;
	uint32_t flags;

	(void)header_load(bytes, FILE_SEGMENT, 1, &header);
	(void)header_load(bytes, FILE_JOURNAL, 1, &header);
	if (record_load(bytes, header, 8192, 8192 + size, &record)) {
		assert(record_length(&record) <= size);
		(void)record_check(span_first(bytes, RECORD_HEAD),
		    span_first(
			span_from(bytes, RECORD_HEAD), record.envelope_size),
		    header);
	}
	if (block_load(bytes, 8192, header.salt, &flags, &entries))
		assert(entries.n <= size);
	take_entries(bytes);
	return 0;
}
