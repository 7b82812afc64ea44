#include "queue/spool.h"

#include <inttypes.h>
#include <string.h>

#include "queue/files.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

enum {
	SEGMENT_ALIGN = 4096
};

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void
set_default(uint64_t *value, uint64_t normal)
{
	if (*value == 0)
		*value = normal;
}

static void
set_bounds(uint64_t *value, uint64_t least, uint64_t most)
{
	if (*value < least)
		*value = least;
	if (*value > most)
		*value = most;
}

void
spool_defaults(struct spool *spool)
{
	if (spool->disk.ops == NULL)
		spool->disk = disk_real();
	set_default(&spool->segment_size, 64 * MIB);
	set_default(&spool->body_max, 256 * KIB);
	set_default(&spool->batch_max, 8 * MIB);
	set_default(&spool->journal_size, 4 * MIB);
	set_default(&spool->reserve, 64 * MIB);
	/* Offsets are 32 bits wide, and a segment is a whole of pages. */
	set_bounds(&spool->segment_size, 64 * KIB, 1024 * MIB);
	spool->segment_size -= spool->segment_size % SEGMENT_ALIGN;
	set_bounds(&spool->body_max, 512, spool->segment_size / 4);
	set_bounds(&spool->body_max, 512, SPOOL_BODY_MAX);
	set_bounds(&spool->batch_max, 64 * KIB, 64 * MIB);
}

int
spool_prepare(const struct spool *spool, struct err *err)
{
	static const enum files_kind kinds[] = {
	    FILES_SEGMENT, FILES_LARGE, FILES_JOURNAL, FILES_HISTORY};
	char path[SPOOL_FILE_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		files_folder(spool, kinds[i], path);
		if (disk_mkdir(&spool->disk, path, spool->path, err) < 0)
			return err_wrap(err, "spool");
	}
	return 0;
}

int
queue_space(const struct spool *spool, uint64_t size, struct err *err)
{
	struct disk_space space;

	if (disk_space(&spool->disk, spool->path, &space, err) < 0)
		return -1;
	if (size > UINT64_MAX - spool->reserve ||
	    space.available < spool->reserve + size)
		return err_set(err, ERR_TEMP, "4.3.1",
		    "not enough free space in the spool: %" PRIu64
		    " MiB left, %" PRIu64 " MiB are kept in reserve",
		    space.available / MIB, spool->reserve / MIB);
	return 0;
}

void
queue_id_text(uint64_t id, char to[QUEUE_ID_SIZE])
{
	for (int i = QUEUE_ID_SIZE - 2; i >= 0; i--) {
		to[i] = digits[id & 31];
		id >>= 5;
	}
	to[QUEUE_ID_SIZE - 1] = '\0';
}

bool
queue_id_parse(const char *text, uint64_t *ret_id)
{
	uint64_t id = 0;

	if (strlen(text) != QUEUE_ID_SIZE - 1)
		return false;
	for (size_t i = 0; i < QUEUE_ID_SIZE - 1; i++) {
		const char *digit = strchr(digits, text[i]);

		/* The first digit has the four bits that 12 * 5 leave. */
		if (digit == NULL || (i == 0 && digit - digits > 15))
			return false;
		id = id << 5 | (uint64_t)(digit - digits);
	}
	*ret_id = id;
	return true;
}
