/*
 * A message, or a body, that filters have yet to judge: in memory as long as
 * it is short and there is memory for it, else in a file of the spool's
 * folder that has no name, so that whatever happens it leaves nothing behind.
 * It has not been acknowledged; nothing of it is synced.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct receive;

struct keep {
	struct receive *receive; /* counts what is in memory */
	struct buf memory;
	int fd; /* -1: all is in memory */
	uint64_t size;
	bool cr; /* keep_add_lines(): the last octet was CR */
};

void keep_init(struct keep *keep, struct receive *receive);
/* Empty it; it can be used again. */
void keep_clear(struct keep *keep);
int keep_add(struct keep *keep, struct span bytes, struct err *err);
/* The same; every line end becomes CRLF, then keep_end_lines(). */
int keep_add_lines(struct keep *keep, struct span bytes, struct err *err);
int keep_end_lines(struct keep *keep, struct err *err);
/*
 * Up to `size` octets from `at` on; empty behind the end.  `room` has that
 * many octets and may be where they are.
 */
int keep_read(struct keep *keep, uint64_t at, char *room, size_t size,
    struct span *ret, struct err *err);
