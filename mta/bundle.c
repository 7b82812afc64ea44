#include "mta/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wire.h"

#define NAME_MAX_BYTES 400
#define SEALS          (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct entry {
	struct entry *next;
	char *name;
	char *bytes;
	size_t n;
};

struct bundle {
	struct entry *first;
};

struct bundle *
bundle_new(void)
{
	return mem_new(sizeof(struct bundle));
}

static void
free_entry(struct entry *entry)
{
	mem_free(entry->name);
	mem_wipe_free(entry->bytes, entry->n);
	mem_free(entry);
}

void
bundle_free(struct bundle **bundlep)
{
	struct bundle *bundle = *bundlep;

	*bundlep = NULL;
	if (bundle == NULL)
		return;
	while (bundle->first != NULL) {
		struct entry *entry = bundle->first;

		bundle->first = entry->next;
		free_entry(entry);
	}
	mem_free(bundle);
}

static void
add_named(struct bundle *bundle, struct span name, struct span bytes)
{
	struct entry *entry = mem_new(sizeof(*entry));

	entry->name = mem_strndup(name.p, name.n);
	entry->bytes = mem_new(bytes.n);
	entry->n = bytes.n;
	if (bytes.n > 0)
		memcpy(entry->bytes, bytes.p, bytes.n);
	entry->next = bundle->first;
	bundle->first = entry;
}

void
bundle_add(struct bundle *bundle, const char *kind, const char *name,
    struct span bytes)
{
	char full[NAME_MAX_BYTES];

	(void)snprintf(full, sizeof(full), "%s:%s", kind, name);
	add_named(bundle, span_of(full), bytes);
}

static void
remove_named(struct bundle *bundle, const char *name)
{
	struct entry **at = &bundle->first;

	while (*at != NULL) {
		struct entry *entry = *at;

		if (strcmp(entry->name, name) != 0) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		free_entry(entry);
	}
}

void
bundle_replace(struct bundle *bundle, const char *kind, const char *name,
    struct span bytes)
{
	char full[NAME_MAX_BYTES];

	(void)snprintf(full, sizeof(full), "%s:%s", kind, name);
	remove_named(bundle, full);
	if (bytes.p != NULL)
		add_named(bundle, span_of(full), bytes);
}

struct bundle *
bundle_copy(const struct bundle *bundle)
{
	struct bundle *copy = bundle_new();

	for (const struct entry *e = bundle->first; e != NULL; e = e->next)
		add_named(
		    copy, span_of(e->name), (struct span){e->bytes, e->n});
	return copy;
}

/* Roles share one open file: none may move its offset. */
static int
read_all(int fd, size_t n, char **ret)
{
	char *bytes = mem_new(n);
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, bytes + done, n - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			mem_wipe_free(bytes, n);
			return -1;
		}
		done += (size_t)got;
	}
	*ret = bytes;
	return 0;
}

/* The whole of a regular file of bounded size. */
static int
slurp(int fd, size_t most, char **ret, size_t *ret_n, struct err *err)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(
		    err, ERR_PERM, "4.3.5", "%s", strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size > most)
		return err_set(
		    err, ERR_PERM, "4.3.5", "not a file, or too large");
	if (read_all(fd, (size_t)st.st_size, ret) < 0)
		return err_set(err, ERR_TEMP, "4.3.0", "cannot be read");
	*ret_n = (size_t)st.st_size;
	return 0;
}

int
bundle_add_file(struct bundle *bundle, const char *kind, const char *name,
    const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *bytes = NULL;
	size_t n = 0;
	int rc = slurp(fd, BUNDLE_FILE_MAX, &bytes, &n, err);

	if (fd >= 0)
		(void)close(fd);
	if (rc < 0)
		return err_wrap(err, path);
	bundle_add(bundle, kind, name, (struct span){bytes, n});
	mem_wipe_free(bytes, n);
	return 0;
}

struct span
bundle_find(const struct bundle *bundle, const char *kind, const char *name)
{
	char full[NAME_MAX_BYTES];

	(void)snprintf(full, sizeof(full), "%s:%s", kind, name);
	for (const struct entry *e = bundle->first; e != NULL; e = e->next)
		if (strcmp(e->name, full) == 0)
			return (struct span){e->bytes, e->n};
	return (struct span){NULL, 0};
}

void
bundle_forget(struct bundle *bundle, const char *kind)
{
	size_t n = strlen(kind);
	struct entry **at = bundle == NULL ? NULL : &bundle->first;

	while (at != NULL && *at != NULL) {
		struct entry *entry = *at;

		if (strncmp(entry->name, kind, n) != 0 ||
		    entry->name[n] != ':') {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		free_entry(entry);
	}
}

static int
write_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

/* Is this entry for who has these? */
static bool
is_for(const struct entry *entry, enum bundle_secrets secrets)
{
	if (strncmp(entry->name, "key:", 4) == 0)
		return secrets == BUNDLE_TLS_KEYS;
	if (strncmp(entry->name, "dkim:", 5) == 0)
		return secrets == BUNDLE_DKIM_KEYS;
	/* Who takes mail, and who sends it from there. */
	if (strncmp(entry->name, "reverse-path:", 13) == 0)
		return secrets != BUNDLE_NO_SECRETS;
	return true;
}

static int
encode(
    const struct bundle *bundle, enum bundle_secrets secrets, struct buf *out)
{
	for (const struct entry *e = bundle->first; e != NULL; e = e->next) {
		if (!is_for(e, secrets))
			continue;
		if (put_blob(out, span_of(e->name)) < 0 ||
		    put_blob(out, (struct span){e->bytes, e->n}) < 0)
			return -1;
	}
	return 0;
}

int
bundle_write(
    const struct bundle *bundle, enum bundle_secrets secrets, struct err *err)
{
	int fd = memfd_create("danelaw", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct buf out;
	int rc;

	buf_init(&out, BUNDLE_MAX);
	rc = fd < 0 ? -1 : encode(bundle, secrets, &out);
	if (rc == 0)
		rc = write_all(fd, buf_span(&out));
	if (rc == 0)
		rc = fcntl(fd, F_ADD_SEALS, SEALS);
	if (out.p != NULL)
		explicit_bzero(out.p, out.n);
	buf_free(&out);
	if (rc == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return err_set(err, ERR_TEMP, "4.3.0",
	    "cannot hand the configuration to the roles: %s",
	    strerrordesc_np(errno));
}

int
bundle_read(int fd, struct bundle **ret, struct err *err)
{
	struct bundle *bundle;
	struct cursor in;
	struct span name, bytes;
	char *all = NULL;
	size_t n = 0;

	if (slurp(fd, BUNDLE_MAX, &all, &n, err) < 0)
		return err_set(
		    err, ERR_BUG, "4.3.0", "no bundle to start from");
	(void)close(fd);
	bundle = bundle_new();
	in = cursor_of((struct span){all, n});
	while (in.rest.n > 0 && take_blob(&in, NAME_MAX_BYTES, &name) &&
	       take_blob(&in, BUNDLE_FILE_MAX, &bytes))
		add_named(bundle, name, bytes);
	mem_wipe_free(all, n);
	if (!cursor_done(&in)) {
		bundle_free(&bundle);
		return err_set(err, ERR_BUG, "4.3.0", "the bundle is damaged");
	}
	*ret = bundle;
	return 0;
}
