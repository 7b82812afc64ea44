/*
 * Delivery into a Maildir.
 *
 *     maildir_begin()    a file in tmp/, its first two fields written
 *     maildir_write()    the message in pieces, CRLF becomes LF
 *     maildir_commit()   fsync, into new/, fsync of new/: it is delivered
 *
 * Blocking: for a worker thread.  Nothing is shared, so any number of letters
 * can be under way at once.  A crash before the commit leaves a file in tmp/;
 * by convention whoever reads the Maildir removes those after 36 hours.
 *
 * Failures are ERR_TEMP: what stands in the way is the operator's to remove.
 * Their text names no folder, since the sender may be told it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct maildir;

struct maildir_letter {
	const char *path;     /* of the Maildir, not of its parent */
	const char *hostname; /* of this machine, becomes part of the name */
	const char *sender;   /* "" is the null reverse-path */
	const char *recipient;
	uint64_t serial; /* a number this process gives only once */
};

/*
 * A Maildir that is missing is made (tmp, new, cur; 0700) when its parent
 * folder exists.  Nothing of the letter is kept by reference.
 */
int maildir_begin(const struct maildir_letter *letter,
    struct maildir **ret_maildir, struct err *err);

int maildir_write(struct maildir *maildir, struct span bytes, struct err *err);

/* Frees it, delivered or not; on failure nothing of the letter is left. */
int maildir_commit(struct maildir **maildir, struct err *err);

/* Removes what was written. */
void maildir_abort(struct maildir **maildir);

/*
 * The path of a recipient: %u is the local part, %d the domain, %% a "%".
 *
 * The local part is a stranger's text.  Quotes are removed, ASCII letters
 * folded; what could leave its folder or hide there is refused (ERR_PERM,
 * 5.1.3): nothing at all, "/", a dot in front, control characters, octets
 * that are not UTF-8.  A domain is letters, digits, "-", "_" and single
 * inner dots.  -1 (ERR_PERM, 5.3.5) for another % or a path that does not fit.
 */
int maildir_path(const char *template, struct span local, struct span domain,
    char *to, size_t size, struct err *err) __attribute__((warn_unused_result));
