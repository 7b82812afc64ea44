/*
 * The files of the spool's folders by their numbers.  Private to this folder.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "queue/spool.h"

enum files_kind {
	FILES_SEGMENT = 0,
	FILES_JOURNAL,
	FILES_LARGE,
	FILES_HISTORY
};

struct files {
	uint64_t *list; /* rising */
	size_t n, size;
};

/* BLOCKING.  All there are; other names are not ours and left alone. */
int files_list(const struct spool *spool, enum files_kind kind,
    struct files *ret_files, struct err *err);
void files_free(struct files *files);
/* NULL when it is not in the list. */
const uint64_t *files_find(const struct files *files, uint64_t number);

/* SPOOL/segment and so on. */
void files_folder(
    const struct spool *spool, enum files_kind kind, char to[SPOOL_FILE_MAX]);
void files_path(const struct spool *spool, enum files_kind kind,
    uint64_t number, char to[SPOOL_FILE_MAX]);

/*
 * A file just made is ours once it is locked and still has its name: 1.
 * Between our open and our lock the queue role may have found it empty and
 * be about to remove it: 0, make another.
 */
int files_own(const struct spool *spool, int fd, struct err *err);
