/*
 * The spool as a place: where it is, how big its parts are, how its files
 * and messages are called.  danelaw-spool(5) is the description of it.
 *
 *     SPOOL/segment/NUMBER.seg   messages, in the order they were accepted
 *     SPOOL/large/ID             bodies too big for a segment
 *     SPOOL/journal/NUMBER.jnl   what became of them, recipient by recipient
 *     SPOOL/history/NUMBER.hst   what was tried, for people
 *
 * A struct spool is filled in once at the start of a process, completed by
 * spool_defaults(), and then passed to everything of this folder, which
 * borrows it.  It knows nothing that changes, so threads may share it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "queue/disk.h"

#define SPOOL_PATH_MAX 512
#define SPOOL_FILE_MAX (SPOOL_PATH_MAX + 48)
/* No setting lets a body in a segment be longer: readers take it whole. */
#define SPOOL_BODY_MAX (1u << 20)

struct spool {
	struct disk disk;
	char path[SPOOL_PATH_MAX];
	/* Zero in any of these means the default named beside it. */
	uint64_t segment_size; /* bytes of a segment file: 64 MiB */
	uint64_t body_max;     /* a longer body gets its own file: 256 KiB */
	uint64_t batch_max;    /* bytes collected for one sync: 8 MiB */
	uint64_t journal_size; /* a journal file is at least: 4 MiB */
	uint64_t reserve;      /* free bytes left alone: 64 MiB */
};

/* Replace zeros and settings that cannot work; the real disk when none. */
void spool_defaults(struct spool *spool);

/* BLOCKING.  Make the folders that are missing. */
int spool_prepare(const struct spool *spool, struct err *err);

/*
 * BLOCKING, but for microseconds.  Is there room for a message of `size`
 * octets (0: not known) beside the reserve?  -1 with 4.3.1 when not: the
 * answer to MAIL, before anything was accepted.
 */
int queue_space(const struct spool *spool, uint64_t size, struct err *err);

/*
 * Where a message is.  The id is for ever; the place may change once, when a
 * survivor of an old segment is moved.
 */
struct location {
	uint64_t segment;
	uint32_t offset;
};

/*
 * The text form of an id, in the log, in Received and on the command line:
 * 13 digits of lower-case base 32 without i, l, o, u.
 */
#define QUEUE_ID_SIZE 14
void queue_id_text(uint64_t id, char to[QUEUE_ID_SIZE]);
bool queue_id_parse(const char *text, uint64_t *ret_id);
