#include "queue/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const folders[] = {
    [FILES_SEGMENT] = "segment",
    [FILES_JOURNAL] = "journal",
    [FILES_LARGE] = "large",
    [FILES_HISTORY] = "history",
};

/* Of a number in hexadecimal; a large file is called like its message. */
static const char *const suffixes[] = {
    [FILES_SEGMENT] = ".seg",
    [FILES_JOURNAL] = ".jnl",
    [FILES_LARGE] = "",
    [FILES_HISTORY] = ".hst",
};

void
files_folder(
    const struct spool *spool, enum files_kind kind, char to[SPOOL_FILE_MAX])
{
	(void)snprintf(to, SPOOL_FILE_MAX, "%s/%s", spool->path, folders[kind]);
}

void
files_path(const struct spool *spool, enum files_kind kind, uint64_t number,
    char to[SPOOL_FILE_MAX])
{
	char name[32];

	if (kind == FILES_LARGE)
		queue_id_text(number, name);
	else
		(void)snprintf(name, sizeof(name), "%016" PRIx64 "%s", number,
		    suffixes[kind]);
	(void)snprintf(
	    to, SPOOL_FILE_MAX, "%s/%s/%s", spool->path, folders[kind], name);
}

static bool
parse_number(const char *name, const char *suffix, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (strlen(name) != 16 + strlen(suffix) ||
	    strcmp(name + 16, suffix) != 0)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int digit = text_hex_value(name[i]);

		/* as files_path() writes it, and no other way */
		if (digit < 0 || text_lower(name[i]) != name[i])
			return false;
		number = number << 4 | (uint64_t)digit;
	}
	/* An id has 32 bits for the number of its segment. */
	if (number == 0 || number > UINT32_MAX)
		return false;
	*ret_number = number;
	return true;
}

struct listing {
	enum files_kind kind;
	struct files files;
};

static void
add(struct files *files, uint64_t number)
{
	if (files->n == files->size) {
		size_t size = files->size == 0 ? 64 : files->size * 2;

		files->list = mem_grow(files->list,
		    files->size * sizeof(files->list[0]),
		    size * sizeof(files->list[0]));
		files->size = size;
	}
	files->list[files->n++] = number;
}

static bool
on_name(const char *name, void *arg)
{
	struct listing *listing = arg;
	uint64_t number;

	if (listing->kind == FILES_LARGE
		? queue_id_parse(name, &number)
		: parse_number(name, suffixes[listing->kind], &number))
		add(&listing->files, number);
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
files_list(const struct spool *spool, enum files_kind kind,
    struct files *ret_files, struct err *err)
{
	struct listing listing = {.kind = kind};
	char path[SPOOL_FILE_MAX];

	files_folder(spool, kind, path);
	if (disk_list(&spool->disk, path, on_name, &listing, err) < 0) {
		files_free(&listing.files);
		return -1;
	}
	if (listing.files.n > 0)
		qsort(listing.files.list, listing.files.n, sizeof(uint64_t),
		    compare);
	*ret_files = listing.files;
	return 0;
}

void
files_free(struct files *files)
{
	mem_free(files->list);
	*files = (struct files){0};
}

const uint64_t *
files_find(const struct files *files, uint64_t number)
{
	if (files->n == 0)
		return NULL;
	return bsearch(&number, files->list, files->n, sizeof(number), compare);
}

int
files_own(const struct spool *spool, int fd, struct err *err)
{
	struct disk_stat stat;
	int locked = disk_lock(&spool->disk, fd, err);

	if (locked <= 0)
		return locked;
	if (disk_stat(&spool->disk, fd, &stat, err) < 0)
		return -1;
	return stat.links > 0;
}
