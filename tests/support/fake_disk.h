/*
 * A disk in memory that remembers what was never synced.
 *
 * Reads see every write.  A crash keeps what fdatasync and fsync of the
 * folder covered, and of the rest what the tear says.  Calls are numbered
 * from 1; the world can be stopped at one of them, or one can fail.
 *
 * A failed fdatasync behaves like the kernel's: what was to be written is
 * forgotten as far as the disk goes, reads still see it, and the next
 * fdatasync says that all is well.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "queue/disk.h"

struct fake_disk;

enum fake_tear {
	FAKE_DROP = 0, /* nothing that was not synced */
	FAKE_KEEP,     /* all of it: only the processes died */
	FAKE_CUT,      /* in order, the first `seed` sectors of it */
	FAKE_MIX,      /* each sector and each name by chance of `seed` */
};

enum fake_fault {
	FAKE_EIO = 0,
	FAKE_ENOSPC,
	FAKE_EINTR,
	FAKE_SHORT, /* transfers: half of it; others: EIO */
};

struct fake_disk *fake_disk_new(void);
void fake_disk_free(struct fake_disk **fake);
/* Another one in the same state; descriptors are not copied. */
struct fake_disk *fake_disk_copy(const struct fake_disk *fake);
struct disk fake_disk_of(struct fake_disk *fake);

/* From call number `call` on nothing works any more; `after`: that call is
 * still done.  0: never. */
void fake_disk_stop_at(struct fake_disk *fake, unsigned call, bool after);
/* Call number `call` fails.  0: none. */
void fake_disk_fail_at(
    struct fake_disk *fake, unsigned call, enum fake_fault fault);
/* Calls made so far, and what the last one was. */
unsigned fake_disk_calls(const struct fake_disk *fake);
const char *fake_disk_last(const struct fake_disk *fake);
/* How many of them could have changed something. */
unsigned fake_disk_changes(const struct fake_disk *fake);
/* What the call was that was made to fail. */
const char *fake_disk_failed(const struct fake_disk *fake);
bool fake_disk_stopped(const struct fake_disk *fake);

/* Power off and on: descriptors and locks are gone, counting starts anew. */
void fake_disk_crash(
    struct fake_disk *fake, enum fake_tear tear, uint64_t seed);
/* Only the processes die: what was not synced can be read, and is still not
 * synced. */
void fake_disk_kill(struct fake_disk *fake);
/* Sectors and names that FAKE_CUT could tell apart. */
unsigned fake_disk_unsynced(const struct fake_disk *fake);

/* Bytes of all files, and how many there are. */
uint64_t fake_disk_bytes(const struct fake_disk *fake);
unsigned fake_disk_files(const struct fake_disk *fake);
/* Files in one folder. */
unsigned fake_disk_count(const struct fake_disk *fake, const char *folder);
/* What statvfs says and beyond which pwrite says ENOSPC. */
void fake_disk_set_free(struct fake_disk *fake, uint64_t bytes);

/* Flip one bit of a file, synced. */
void fake_disk_rot(struct fake_disk *fake, const char *path, uint64_t offset);
