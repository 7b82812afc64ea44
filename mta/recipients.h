/*
 * Who exists in a domain: the text of a recipients file as a set.  Pure.
 *
 * One entry a line: "user", "user@domain", or "@domain" (everybody);
 * "user: other@example.org, third" is an alias.  "#" begins a comment.
 * Local parts compare without case (RFC 5321 2.4 leaves that to the host).
 */
#pragma once
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

struct recipients;

/* -1 with a line a problem ("FILE:3: ...") in *problems. */
int recipients_parse(struct span text, const char *file,
    struct recipients **ret, struct buf *problems);
void recipients_free(struct recipients **recipients);

enum recipient_answer {
	RECIPIENT_UNKNOWN = 0, /* 550 5.1.1 */
	RECIPIENT_KNOWN,
	RECIPIENT_ALIAS, /* *ret_targets names who gets it */
};

/* `address` is local@domain.  *ret_targets: NULL-terminated, borrowed. */
enum recipient_answer recipients_find(const struct recipients *recipients,
    const char *address, const char *const **ret_targets);
