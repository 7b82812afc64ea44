/*
 * A message, or a body, that filters have yet to judge: in memory as long as
 * it is short and there is memory for it, else in a file of the spool's
 * folder that has no name, so that whatever happens it leaves nothing behind.
 * It has not been acknowledged; nothing of it is synced.
 *
 * Bodies fill no more than half of limits.memory.  The other half is for what
 * cannot go to the disk: what collects for the next write to such a file, and
 * header sections, which filters get field by field.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct receive;

struct keep {
	struct receive *receive; /* counts what is in memory */
	struct buf memory;       /* of a file: its end, not yet written */
	int fd;                  /* -1: all is in memory */
	uint64_t size;
	uint64_t counted; /* octets, in receive->kept */
	bool cr;          /* keep_add_lines(): the last octet was CR */
};

/* Count so many octets that stay in memory; -1: there are too many. */
int keep_reserve(struct receive *receive, uint64_t octets, struct err *err);

void keep_init(struct keep *keep, struct receive *receive);
/* Empty it; it can be used again. */
void keep_clear(struct keep *keep);
int keep_add(struct keep *keep, struct span bytes, struct err *err);
/* The same; every line end becomes CRLF, then keep_end_lines(). */
int keep_add_lines(struct keep *keep, struct span bytes, struct err *err);
int keep_end_lines(struct keep *keep, struct err *err);
/* It is whole: it can be read, until something is added. */
int keep_flush(struct keep *keep, struct err *err);
/*
 * Up to `size` octets from `at` on; empty behind the end.  `room` has that
 * many octets and may be where they are.
 */
int keep_read(struct keep *keep, uint64_t at, char *room, size_t size,
    struct span *ret, struct err *err);
