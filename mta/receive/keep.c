/* See keep.h. */
#include "mta/receive/keep.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mta/receive/private.h"

#define ROOM 8192u
/* Of a file, to be written at once. */
#define COLLECT 16384u

int
keep_reserve(struct receive *receive, uint64_t octets, struct err *err)
{
	if (octets > receive->config->limits.memory ||
	    receive->kept > receive->config->limits.memory - octets)
		return err_set(err, ERR_TEMP, "4.3.1",
		    "too many messages in hand just now");
	receive->kept += octets;
	return 0;
}

void
keep_init(struct keep *keep, struct receive *receive)
{
	*keep = (struct keep){.receive = receive, .fd = -1};
	buf_init(&keep->memory, receive->config->limits.inline_message);
}

static void
count(struct keep *keep, uint64_t octets)
{
	keep->receive->kept += octets - keep->counted;
	keep->counted = octets;
}

void
keep_clear(struct keep *keep)
{
	struct receive *receive = keep->receive;

	count(keep, 0);
	buf_free(&keep->memory);
	if (keep->fd >= 0)
		(void)close(keep->fd);
	keep_init(keep, receive);
}

static int
disk_err(struct err *err, int number)
{
	return err_set(err, ERR_TEMP, number == ENOSPC ? "4.3.1" : "4.3.0",
	    "a message cannot be kept for the filters: %s",
	    strerrordesc_np(number));
}

static int
write_all(struct keep *keep, struct span bytes, struct err *err)
{
	if (queue_space(&keep->receive->spool, bytes.n, err) < 0)
		return -1;
	while (bytes.n > 0) {
		ssize_t n = write(keep->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_err(err, errno);
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

/* What was in memory begins the file. */
static int
go_to_disk(struct keep *keep, struct err *err)
{
	char folder[PATH_MAX];
	int n = snprintf(
	    folder, sizeof(folder), "%s/large", keep->receive->spool.path);

	if (n < 0 || (size_t)n >= sizeof(folder))
		return disk_err(err, ENAMETOOLONG);
	keep->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (keep->fd < 0)
		return disk_err(err, errno);
	if (write_all(keep, buf_span(&keep->memory), err) < 0)
		return -1;
	count(keep, 0);
	buf_free(&keep->memory);
	if (keep_reserve(keep->receive, COLLECT, err) < 0)
		return -1;
	keep->counted = COLLECT;
	buf_init(&keep->memory, COLLECT);
	return 0;
}

int
keep_flush(struct keep *keep, struct err *err)
{
	if (keep->fd < 0 || keep->memory.n == 0)
		return 0;
	if (write_all(keep, buf_span(&keep->memory), err) < 0)
		return -1;
	buf_clear(&keep->memory);
	return 0;
}

/* As in the intake: the client decides how short the pieces are. */
static int
add_to_file(struct keep *keep, struct span bytes, struct err *err)
{
	if (buf_add(&keep->memory, bytes) == 0)
		return 0;
	if (keep_flush(keep, err) < 0)
		return -1;
	return buf_add(&keep->memory, bytes) == 0 ? 0
	                                          : write_all(keep, bytes, err);
}

int
keep_add(struct keep *keep, struct span bytes, struct err *err)
{
	struct receive *receive = keep->receive;
	uint64_t most = receive->config->limits.message;

	/* What filters write instead may be somewhat longer. */
	if (most > 0 && keep->size + bytes.n > most + 65536)
		return err_set(err, ERR_PERM, "5.3.4", "message too large");
	if (keep->fd < 0 &&
	    receive->kept + bytes.n <= receive->config->limits.memory / 2 &&
	    buf_add(&keep->memory, bytes) == 0) {
		count(keep, keep->memory.n);
		keep->size += bytes.n;
		return 0;
	}
	if (keep->fd < 0 && go_to_disk(keep, err) < 0)
		return -1;
	keep->size += bytes.n;
	return add_to_file(keep, bytes, err);
}

struct lines {
	struct keep *keep;
	char room[ROOM];
	size_t n;
	struct err *err;
	int rc;
};

static void
put(struct lines *lines, char c)
{
	lines->room[lines->n++] = c;
	if (lines->n < sizeof(lines->room))
		return;
	lines->rc |= keep_add(
	    lines->keep, (struct span){lines->room, lines->n}, lines->err);
	lines->n = 0;
}

/* RFC 5321 2.3.8: CR and LF only together. */
int
keep_add_lines(struct keep *keep, struct span bytes, struct err *err)
{
	struct lines lines = {.keep = keep, .err = err};

	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];

		if (keep->cr && c != '\n')
			put(&lines, '\n');
		if (c == '\n' && !keep->cr)
			put(&lines, '\r');
		put(&lines, c);
		keep->cr = c == '\r';
	}
	if (lines.n > 0)
		lines.rc |= keep_add(
		    keep, (struct span){lines.room, lines.n}, err);
	return lines.rc;
}

int
keep_end_lines(struct keep *keep, struct err *err)
{
	char last[1];
	struct span end = {0};
	int rc = 0;

	if (keep->size == 0)
		return 0;
	if (keep_flush(keep, err) < 0 ||
	    keep_read(keep, keep->size - 1, last, 1, &end, err) < 0)
		return -1;
	if (keep->cr)
		rc = keep_add(keep, SPAN("\n"), err);
	else if (end.n != 1 || end.p[0] != '\n')
		rc = keep_add(keep, SPAN("\r\n"), err);
	return rc < 0 ? rc : keep_flush(keep, err);
}

int
keep_read(struct keep *keep, uint64_t at, char *room, size_t size,
    struct span *ret, struct err *err)
{
	ssize_t n;

	if (keep->fd < 0) {
		struct span all = buf_span(&keep->memory);

		*ret = at >= all.n
		           ? (struct span){0}
		           : span_first(span_from(all, (size_t)at), size);
		return 0;
	}
	assert(keep->memory.n == 0);
	do
		n = pread(keep->fd, room, size, (off_t)at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return disk_err(err, errno);
	*ret = (struct span){room, (size_t)n};
	return 0;
}
