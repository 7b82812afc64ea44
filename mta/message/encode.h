/*
 * Encodings of bounces: xtext, unitext, quoted-printable.  Pure.
 *
 * Everything is appended to a buffer; -1 when its limit is reached or, for
 * the decoders, when the text is malformed: then nothing was appended.
 */
#pragma once
#include "base/buf.h"
#include "base/span.h"

/* RFC 3461 4: "+" and two upper-case hexadecimal digits are an octet. */
int xtext_decode(struct span text, struct buf *out)
    __attribute__((warn_unused_result));

/* RFC 6533 3: \x{HEX} for what is not printable ASCII, and for \ + = */
int unitext_encode(struct span utf8, struct buf *out)
    __attribute__((warn_unused_result));
int unitext_decode(struct span text, struct buf *out)
    __attribute__((warn_unused_result));

/* RFC 2045 6.7, for text whose lines end in CRLF. */
int quoted_printable_encode(struct span text, struct buf *out)
    __attribute__((warn_unused_result));
