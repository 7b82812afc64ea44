#include "mta/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/wire.h"
#include "mta/sealed.h"

#define NAME_MAX_BYTES 400
#define SEALS          (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct entry {
	struct entry *next;
	char *name;
	char *bytes; /* NULL: they are sealed */
	size_t n;
	struct sealed *sealed;
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
	sealed_free(&entry->sealed);
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

static const struct entry *
find_named(const struct bundle *bundle, const char *kind, const char *name)
{
	char full[NAME_MAX_BYTES];

	(void)snprintf(full, sizeof(full), "%s:%s", kind, name);
	for (const struct entry *e = bundle->first; e != NULL; e = e->next)
		if (strcmp(e->name, full) == 0)
			return e;
	return NULL;
}

/* What is sealed is so in both. */
static void
add_like(struct bundle *bundle, const struct entry *like)
{
	struct entry *entry;

	if (like->sealed == NULL) {
		add_named(bundle, span_of(like->name),
		    (struct span){like->bytes, like->n});
		return;
	}
	entry = mem_new(sizeof(*entry));
	entry->name = mem_strdup(like->name);
	entry->n = like->n;
	entry->sealed = sealed_share(like->sealed);
	entry->next = bundle->first;
	bundle->first = entry;
}

struct bundle *
bundle_copy(const struct bundle *bundle)
{
	struct bundle *copy = bundle_new();

	for (const struct entry *e = bundle->first; e != NULL; e = e->next)
		add_like(copy, e);
	return copy;
}

void
bundle_take(struct bundle *to, const struct bundle *from, const char *kind,
    const char *name)
{
	const struct entry *entry = find_named(from, kind, name);

	bundle_replace(to, kind, name, (struct span){NULL, 0});
	if (entry != NULL)
		add_like(to, entry);
}

bool
bundle_same(const struct bundle *a, const struct bundle *b, const char *kind,
    const char *name)
{
	const struct entry *one = find_named(a, kind, name);
	const struct entry *other = find_named(b, kind, name);

	if (one == NULL || other == NULL)
		return one == other;
	if (one->sealed != NULL && other->sealed != NULL)
		return sealed_same(one->sealed, other->sealed);
	return one->sealed == other->sealed &&
	       span_eq((struct span){one->bytes, one->n},
		   (struct span){other->bytes, other->n});
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
	const struct entry *entry = find_named(bundle, kind, name);

	if (entry == NULL)
		return (struct span){NULL, 0};
	return (struct span){entry->bytes, entry->bytes == NULL ? 0 : entry->n};
}

static bool
is_of_kind(const struct entry *entry, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(entry->name, kind, n) == 0 && entry->name[n] == ':';
}

void
bundle_forget(struct bundle *bundle, const char *kind)
{
	struct entry **at = bundle == NULL ? NULL : &bundle->first;

	while (at != NULL && *at != NULL) {
		struct entry *entry = *at;

		if (!is_of_kind(entry, kind)) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		free_entry(entry);
	}
}

/* --- secrets -------------------------------------------------------------- */

/* Is this entry for who has these? */
static bool
is_for(const struct entry *entry, enum bundle_secrets secrets)
{
	if (is_of_kind(entry, "key"))
		return secrets == BUNDLE_TLS_KEYS;
	if (is_of_kind(entry, "dkim"))
		return secrets == BUNDLE_DKIM_KEYS;
	/* Who takes mail, and who sends it from there. */
	if (is_of_kind(entry, "reverse-path"))
		return secrets != BUNDLE_NO_SECRETS;
	return true;
}

static int
seal(struct entry *entry, struct err *err)
{
	entry->sealed = sealed_new((struct span){entry->bytes, entry->n}, err);
	if (entry->sealed == NULL)
		return -1;
	mem_wipe_free(entry->bytes, entry->n);
	entry->bytes = NULL;
	return 0;
}

int
bundle_seal(struct bundle *bundle, struct err *err)
{
	for (struct entry *e = bundle->first; e != NULL; e = e->next)
		if (e->sealed == NULL && !is_for(e, BUNDLE_NO_SECRETS) &&
		    seal(e, err) < 0)
			return -1;
	return 0;
}

/* --- handed on ------------------------------------------------------------ */

/* As put_blob() would: but what may be secret is in no other buffer. */
static int
write_entry(int fd, const struct entry *entry)
{
	struct buf head;
	int rc;

	buf_init(&head, NAME_MAX_BYTES + 2 * sizeof(uint32_t));
	rc = put_blob(&head, span_of(entry->name));
	if (rc == 0)
		rc = put_u32(&head, (uint32_t)entry->n);
	if (rc == 0)
		rc = fd_write_all(fd, buf_span(&head));
	buf_free(&head);
	if (rc < 0)
		return -1;
	if (entry->sealed != NULL)
		return sealed_copy(entry->sealed, fd);
	return fd_write_all(fd, (struct span){entry->bytes, entry->n});
}

static int
write_entries(int fd, const struct bundle *bundle, enum bundle_secrets secrets)
{
	size_t left = BUNDLE_MAX;

	for (const struct entry *e = bundle->first; e != NULL; e = e->next) {
		size_t head = strlen(e->name) + 2 * sizeof(uint32_t);

		if (!is_for(e, secrets))
			continue;
		if (e->n > BUNDLE_FILE_MAX || left < head + e->n) {
			errno = EFBIG;
			return -1;
		}
		left -= head + e->n;
		if (write_entry(fd, e) < 0)
			return -1;
	}
	return 0;
}

int
bundle_write(
    const struct bundle *bundle, enum bundle_secrets secrets, struct err *err)
{
	int fd = memfd_create("danelaw", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && write_entries(fd, bundle, secrets) == 0 &&
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	(void)err_set(err, ERR_TEMP, "4.3.0",
	    "cannot hand the configuration to the roles: %s",
	    strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
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
