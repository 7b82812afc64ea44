/*
 * Walking through a segment file record by record: the same code for what a
 * running receive process has just made durable and for what a crash left.
 *
 * Private to this folder.  BLOCKING on the page cache most of the time.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/record.h"
#include "queue/spool.h"

struct scan;

/* What the file is, before any record. */
enum scan_file {
	SCAN_GONE = 0, /* no such file */
	SCAN_UNBORN,   /* no header: its writer has only begun, or died */
	SCAN_OPEN,     /* its writer may append */
	SCAN_SEALED,   /* its writer is gone: what is there is all */
};

/* With SCAN_OPEN and SCAN_SEALED *ret_scan is a scan, else NULL. */
int scan_open(const struct spool *spool, uint64_t number,
    enum scan_file *ret_file, struct scan **ret_scan, struct err *err);
void scan_close(struct scan **scan);

uint64_t scan_size(const struct scan *scan);
/* Its writer is gone, and we hold the lock until scan_close(). */
bool scan_sealed(const struct scan *scan);
/* Look again how big the file is and, with `lock`, whether it is sealed. */
int scan_refresh(struct scan *scan, bool lock, struct err *err);

/*
 * Read on at `offset`, no further than `end` (0: the end of the file).
 * Records at `strict` and behind it count only with their bodies checked.
 */
void scan_seek(
    struct scan *scan, uint64_t offset, uint64_t end, uint64_t strict);

/* What was read is on the disk now, not only in the page cache. */
int scan_sync(struct scan *scan, struct err *err);

/* Go to a record that was found before; what was read ahead still holds. */
void scan_return(struct scan *scan, uint64_t offset);

/*
 * The next record: 1, *ret_envelope is its encoded envelope, good until the
 * next call.  0: here no record begins.
 */
int scan_next(struct scan *scan, struct record *ret_record,
    struct span *ret_envelope, struct err *err);

/*
 * After a 0: go to the next record further on, 1 and *ret_base is its base;
 * 0: there is none, and the scan stands at its end.
 */
int scan_resync(struct scan *scan, uint64_t *ret_base, struct err *err);

/* Where the last batch from `offset` on begins: what may be torn. */
int scan_last_batch(
    struct scan *scan, uint64_t offset, uint64_t *ret_base, struct err *err);

/* Where the next record would begin. */
uint64_t scan_offset(const struct scan *scan);
bool scan_at_end(const struct scan *scan);
/* 1: something was written here, 0: all zero. */
int scan_written(struct scan *scan, struct err *err);
