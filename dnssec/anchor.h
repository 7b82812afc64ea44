/*
 * RFC 5011: the trust anchor as it changes, kept in a file.
 *
 * libunbound reads and writes that file, whole and by rename, whenever it has
 * validated the keys of the root.  One file has one writer, so each resolver
 * of each process has its own.  The name of the file holds a digest of the
 * static anchor file: when that one is replaced, by a package or by hand, what
 * was learnt from the old one is no more asked, and nobody has to compare
 * dates.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum anchor_file {
	ANCHOR_NONE = 0,
	ANCHOR_KEPT,     /* it was there, and makes sense */
	ANCHOR_SEEDED,   /* made anew from the static file */
	ANCHOR_REPLACED, /* so, because what was there made no sense */
};

/*
 * Have FOLDER/anchor-DIGEST-NAME.key ready.  ANCHOR_NONE with *err when the
 * static file cannot be read or the folder not be written to.
 */
enum anchor_file dns_anchor_open(const char *anchor, const char *folder,
    const char *name, char *ret_path, size_t size, struct err *err);

/* Such a file, if it is there already and makes sense; nothing is made. */
bool dns_anchor_find(const char *anchor, const char *folder, const char *name,
    char *ret_path, size_t size);

/* What one resolver has learnt, for another one that starts. */
int dns_anchor_copy(const char *from, const char *to, struct err *err);

/* "kept", "seeded", "replaced" */
const char *anchor_file_name(enum anchor_file file);
