/*
 * A mail made harmless before a MIME library sees it.
 *
 * The library builds the whole tree, with every field of every header: a mail
 * of 10 MiB can be two million parts, or one message inside of another 300,000
 * deep.  And it converts what an encoded word says from whatever character set
 * that names, with code that is loaded from disk for the purpose.  A report
 * needs a dozen fields, three parts and US-ASCII.
 */
#pragma once
#include <stddef.h>

#include "base/err.h"

/* Lines of all headers, and octets. */
#define MIME_LINES_MAX  2000
#define MIME_OCTETS_MAX ((size_t)256 << 10)
/* Lines that may begin or end a part. */
#define MIME_BOUNDARIES_MAX 1000

/*
 * In place: in headers, "=?" and "*" (RFC 2047, RFC 2231) lose their meaning,
 * and octets that are no UTF-8 become "?".  -1 (ERR_PERM) for a mail with more
 * of something than the limits above.
 *
 * A header is taken to begin with the mail, behind a line that begins with
 * "--", and behind another with a Content-Type of message/ or of digest; it
 * ends at an empty line.  That may be more than what is a header, never less.
 */
int mime_tame(char *mail, size_t n, struct err *err);
