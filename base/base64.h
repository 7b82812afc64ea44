/* Base64 as mail has it (RFC 2045 6.8). */
#pragma once
#include "base/buf.h"

/*
 * Lines of 76 characters, CRLF at the end of each.  -1 over the limit of the
 * buffer: then nothing was appended.
 */
int base64_encode(struct span bytes, struct buf *out)
    __attribute__((warn_unused_result));
