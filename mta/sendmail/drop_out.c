/* See drop_out.h. */
#include "mta/sendmail/drop_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/config.h"
#include "mta/drop.h"
#include "mta/smtp/scan.h"
#include "queue/checksum.h"

#define PATH_SIZE 4096

struct drop_out {
	const struct config *config;
	struct checksum *sum;
	struct scan scan;
	struct buf out; /* not yet written */
	int fd;
	char name[DROP_NAME_SIZE];
	char path[PATH_SIZE]; /* of the temporary file */
};

#define OUT_MAX (128u << 10)

static int
failed(const struct drop_out *drop, struct err *err)
{
	return err_set(err, ERR_TEMP, "4.3.0", "%s: %s", drop->config->drop,
	    strerrordesc_np(errno));
}

const char *
drop_name(const struct drop_out *drop)
{
	return drop->name;
}

static void
drop_free(struct drop_out **dropp)
{
	struct drop_out *drop = *dropp;

	*dropp = NULL;
	if (drop->fd >= 0)
		(void)close(drop->fd);
	checksum_free(&drop->sum);
	buf_free(&drop->out);
	mem_free(drop);
}

void
drop_abort(struct drop_out **drop)
{
	if (*drop == NULL)
		return;
	if ((*drop)->fd >= 0)
		(void)unlink((*drop)->path);
	drop_free(drop);
}

static int
make_name(struct drop_out *drop, struct err *err)
{
	uint8_t random[(DROP_NAME_SIZE - 1) / 2];
	int n;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_TEMP, "4.3.0", "no random numbers: %s",
		    strerrordesc_np(errno));
	text_hex(random, sizeof(random), drop->name);
	n = snprintf(drop->path, sizeof(drop->path), "%s/" DROP_TEMPORARY "%s",
	    drop->config->drop, drop->name);
	if (n > 0 && (size_t)n < sizeof(drop->path))
		return 0;
	return err_set(
	    err, ERR_PERM, "5.3.5", "%s: too long", drop->config->drop);
}

/* The folder's group is the daemon's: it may read, nobody else. */
static int
make_file(struct drop_out *drop, struct err *err)
{
	static const char nothing[DROP_HEADER];

	drop->fd = open(drop->path,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (drop->fd < 0 || fchmod(drop->fd, 0640) < 0)
		return failed(drop, err);
	return buf_add(&drop->out, (struct span){nothing, sizeof(nothing)});
}

int
drop_begin(const struct config *config, struct drop_out **ret, struct err *err)
{
	struct drop_out *drop = mem_new(sizeof(*drop));

	drop->config = config;
	drop->fd = -1;
	drop->sum = checksum_new(DROP_SEED);
	drop->scan = (struct scan){
	    .size_max = config->limits.message,
	    .line_max = config->limits.text_line,
	    .hops_max = config->limits.hops,
	};
	buf_init(&drop->out, OUT_MAX);
	if (make_name(drop, err) < 0 || make_file(drop, err) < 0) {
		drop_abort(&drop);
		return -1;
	}
	*ret = drop;
	return 0;
}

static int
write_all(const struct drop_out *drop, struct span bytes, struct err *err)
{
	return fd_write_all(drop->fd, bytes) < 0 ? failed(drop, err) : 0;
}

static int
flush(struct drop_out *drop, struct err *err)
{
	int rc = write_all(drop, buf_span(&drop->out), err);

	buf_clear(&drop->out);
	return rc;
}

static int
check(const struct drop_out *drop, struct err *err)
{
	switch (drop->scan.fault) {
	case SCAN_CLEAN:
		return 0;
	case SCAN_HOPS:
		return err_set(err, ERR_PERM, "5.4.6",
		    "too many Received fields: the message goes in circles");
	case SCAN_LINE:
		return err_set(err, ERR_PERM, "5.6.0", "a line is too long");
	case SCAN_SIZE:
		return err_set(
		    err, ERR_PERM, "5.3.4", "the message is too large");
	case SCAN_BARE_LF:
	case SCAN_BARE_CR:
		break;
	}
	return err_set(err, ERR_PERM, "5.6.0", "a bare CR or LF");
}

int
drop_add(struct drop_out *drop, struct span bytes, struct err *err)
{
	checksum_add(drop->sum, bytes);
	scan_bytes(&drop->scan, bytes);
	if (check(drop, err) < 0)
		return -1;
	if (buf_add(&drop->out, bytes) == 0)
		return 0;
	if (flush(drop, err) < 0)
		return -1;
	return write_all(drop, bytes, err);
}

/* The envelope behind the message, the header in front of it. */
static int
complete(
    struct drop_out *drop, const struct envelope *envelope, struct err *err)
{
	struct drop_header header = {
	    .message = drop->scan.size,
	    .sum = checksum_value(drop->sum),
	};
	uint8_t front[DROP_HEADER];
	struct buf bytes;
	int rc;

	buf_init(&bytes, DROP_ENVELOPE_MAX);
	rc = envelope_encode(envelope, &bytes);
	if (rc < 0)
		(void)err_set(err, ERR_PERM, "5.5.3", "too many recipients");
	if (rc == 0) {
		drop_put_header(&header, buf_span(&bytes), front);
		rc = flush(drop, err);
	}
	if (rc == 0)
		rc = write_all(drop, buf_span(&bytes), err);
	buf_free(&bytes);
	if (rc == 0 &&
	    pwrite(drop->fd, front, sizeof(front), 0) != (ssize_t)sizeof(front))
		rc = failed(drop, err);
	return rc;
}

/*
 * The new name, too, must be on the disk.  Who may not list the folder cannot
 * open it either, and so cannot sync it alone.
 */
static int
sync_name(const struct drop_out *drop, struct err *err)
{
	int fd = open(drop->config->drop, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? syncfs(drop->fd) : fsync(fd);

	if (rc < 0)
		rc = failed(drop, err);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
publish(struct drop_out *drop, struct err *err)
{
	char path[PATH_SIZE + 8];

	(void)snprintf(
	    path, sizeof(path), "%s/%s", drop->config->drop, drop->name);
	if (fsync(drop->fd) < 0 || rename(drop->path, path) < 0)
		return failed(drop, err);
	if (sync_name(drop, err) == 0)
		return 0;
	(void)unlink(path);
	return -1;
}

int
drop_commit(
    struct drop_out **dropp, const struct envelope *envelope, struct err *err)
{
	struct drop_out *drop = *dropp;

	*dropp = NULL;
	scan_finish(&drop->scan);
	if (check(drop, err) < 0 || complete(drop, envelope, err) < 0 ||
	    publish(drop, err) < 0) {
		drop_abort(&drop);
		return -1;
	}
	drop_free(&drop);
	return 0;
}
