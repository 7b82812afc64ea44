/* The file in which libunbound follows a trust anchor. */
#include "dnssec/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/text.h"
#include "dnssec/conf.h"

#define ANCHOR_MAX (256u << 10)
/* Octets of the digest that stand in the name. */
#define DIGEST_SHOWN 8

static int
fail(struct err *err, const char *path)
{
	return err_set(err, ERR_TEMP, "4.3.0", "trust anchor %s: %s", path,
	    strerrordesc_np(errno));
}

/* All of a file; -1 also when it is too large. */
static int
read_whole(const char *path, struct buf *to, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 1;

	if (fd < 0)
		return fail(err, path);
	while (n > 0) {
		char *room = buf_reserve(to, 4096);

		if (room == NULL)
			errno = EFBIG;
		n = room == NULL ? -1 : read(fd, room, 4096);
		if (n > 0)
			to->n += (size_t)n;
	}
	if (n < 0)
		(void)fail(err, path);
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

static bool
has(const struct buf *text, const char *words)
{
	return text->n > 0 &&
	       memmem(text->p, text->n, words, strlen(words)) != NULL;
}

/*
 * Does it hold a key that is trusted?  RFC 5011 4.2: valid or missing; a copy
 * that was never used has no states yet.  libunbound would not start over one
 * without any, or would take the root for insecure (RFC 5011 5).
 */
static bool
is_usable(const char *path)
{
	struct buf text;
	struct err err;
	bool usable;

	buf_init(&text, ANCHOR_MAX);
	usable = read_whole(path, &text, &err) == 0 &&
	         (!has(&text, ";;state=") || has(&text, ";;state=2") ||
		     has(&text, ";;state=3")) &&
	         dns_check_anchor(path, &err) == 0;
	buf_free(&text);
	return usable;
}

static int
seed(const char *path, const struct buf *text, struct err *err)
{
	char fresh[1024];
	int n = snprintf(fresh, sizeof(fresh), "%s.new", path);
	int fd, rc;

	if (n < 0 || (size_t)n >= sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return fail(err, path);
	}
	(void)unlink(fresh);
	fd = open(
	    fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, fresh);
	rc = fd_write_all(fd, buf_span(text)) < 0 ? -1 : fsync(fd);
	if (close(fd) < 0 || rc < 0 || rename(fresh, path) < 0) {
		(void)fail(err, fresh);
		(void)unlink(fresh);
		return -1;
	}
	return 0;
}

static bool
make_path(const struct buf *text, const char *folder, const char *name,
    char *to, size_t size)
{
	uint8_t digest[LDNS_SHA256_DIGEST_LENGTH];
	char shown[2 * DIGEST_SHOWN + 1];
	int n;

	(void)ldns_sha256(
	    (unsigned char *)text->p, (unsigned int)text->n, digest);
	text_hex(digest, DIGEST_SHOWN, shown);
	n = snprintf(to, size, "%s/anchor-%s-%s.key", folder, shown, name);
	return n > 0 && (size_t)n < size;
}

static enum anchor_file
have_file(const struct buf *text, const char *path, struct err *err)
{
	bool there = access(path, F_OK) == 0;

	if (there && is_usable(path))
		return ANCHOR_KEPT;
	if (seed(path, text, err) < 0)
		return ANCHOR_NONE;
	return there ? ANCHOR_REPLACED : ANCHOR_SEEDED;
}

enum anchor_file
dns_anchor_open(const char *anchor, const char *folder, const char *name,
    char *ret_path, size_t size, struct err *err)
{
	enum anchor_file file = ANCHOR_NONE;
	char path[1000];
	struct buf text;

	buf_init(&text, ANCHOR_MAX);
	if (dns_check_anchor(anchor, err) == 0 &&
	    read_whole(anchor, &text, err) == 0) {
		if (make_path(&text, folder, name, path, sizeof(path)))
			file = have_file(&text, path, err);
		else
			(void)err_set(err, ERR_PERM, "5.3.5",
			    "%s: the name is too long", folder);
	}
	buf_free(&text);
	if (file != ANCHOR_NONE && !text_copy(ret_path, size, path)) {
		(void)err_set(
		    err, ERR_PERM, "5.3.5", "%s: the name is too long", folder);
		return ANCHOR_NONE;
	}
	return file;
}

bool
dns_anchor_find(const char *anchor, const char *folder, const char *name,
    char *ret_path, size_t size)
{
	struct buf text;
	struct err err;
	bool found;

	buf_init(&text, ANCHOR_MAX);
	found = read_whole(anchor, &text, &err) == 0 &&
	        make_path(&text, folder, name, ret_path, size) &&
	        is_usable(ret_path);
	buf_free(&text);
	return found;
}

int
dns_anchor_copy(const char *from, const char *to, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, ANCHOR_MAX);
	rc = read_whole(from, &text, err);
	if (rc == 0)
		rc = seed(to, &text, err);
	buf_free(&text);
	return rc;
}

const char *
anchor_file_name(enum anchor_file file)
{
	switch (file) {
	case ANCHOR_NONE:
		break;
	case ANCHOR_KEPT:
		return "kept";
	case ANCHOR_SEEDED:
		return "seeded";
	case ANCHOR_REPLACED:
		return "replaced";
	}
	return "none";
}
