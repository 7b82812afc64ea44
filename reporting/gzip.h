/* RFC 1952, of a report (RFC 8460 5.2).  Pure. */
#pragma once
#include "base/buf.h"

/*
 * The same octets for the same, without a name and a time.  -1: over the
 * limit of the buffer, or zlib has no memory; what is in it is of no use.
 */
int gzip_write(struct span bytes, struct buf *out)
    __attribute__((warn_unused_result));
