/* See daemon.h. */
#include "mta/ctl/daemon.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

struct daemon {
	int fd;
	unsigned wait; /* seconds */
	struct buf in;
	size_t taken; /* octets of `in` that the last line was */
	json_t *line;
};

static int
fail(struct err *err, const char *path, int number)
{
	if (number == ENOENT || number == ECONNREFUSED) {
		(void)err_set(err, ERR_TEMP, "4.3.0",
		    "the daemon is not running (%s at %s)",
		    number == ENOENT ? "no socket" : "nobody listens", path);
		return DAEMON_AWAY;
	}
	if (number == EACCES)
		return err_set(err, ERR_PERM, "5.7.0",
		    "%s: no permission; become root or the daemon's user",
		    path);
	return err_set(
	    err, ERR_TEMP, "4.3.0", "%s: %s", path, strerrordesc_np(number));
}

static int
set_wait(int fd, unsigned seconds)
{
	const struct timeval wait = {.tv_sec = seconds};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

static int
connect_to(int fd, const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval wait = {.tv_sec = DAEMON_WAIT_S};

	if (!text_copy(address.sun_path, sizeof(address.sun_path), path))
		return fail(err, path, ENAMETOOLONG);
	if (set_wait(fd, DAEMON_WAIT_S) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail(err, path, errno);
	return 0;
}

int
daemon_open(const char *path, struct daemon **ret, struct err *err)
{
	int rc, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(err, path, errno);
	rc = connect_to(fd, path, err);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	*ret = mem_new(sizeof(**ret));
	(*ret)->fd = fd;
	(*ret)->wait = DAEMON_WAIT_S;
	buf_init(&(*ret)->in, CONTROL_LINE_MAX);
	return 0;
}

void
daemon_patience(struct daemon *daemon, unsigned seconds)
{
	if (set_wait(daemon->fd, seconds) == 0)
		daemon->wait = seconds;
}

void
daemon_close(struct daemon **daemon)
{
	if (*daemon == NULL)
		return;
	(void)close((*daemon)->fd);
	json_decref((*daemon)->line);
	buf_free(&(*daemon)->in);
	mem_free(*daemon);
	*daemon = NULL;
}

static int
lost(const struct daemon *daemon, struct err *err)
{
	if (errno == EAGAIN)
		return err_set(err, ERR_TEMP, "4.4.2",
		    "the daemon has not answered for %u seconds", daemon->wait);
	return err_set(err, ERR_TEMP, "4.4.2",
	    "the connection to the daemon broke: %s", strerrordesc_np(errno));
}

static int
send_all(const struct daemon *daemon, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		ssize_t n = send(daemon->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost(daemon, err);
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

int
daemon_ask(struct daemon *daemon, const struct control_request *request,
    struct err *err)
{
	struct buf out;
	int rc;

	buf_init(&out, CONTROL_LINE_MAX);
	if (control_write_request(request, &out) < 0)
		rc = err_set(err, ERR_PERM, "5.5.4", "the request is too long");
	else
		rc = send_all(daemon, buf_span(&out), err);
	buf_free(&out);
	return rc;
}

/* More bytes into the buffer. */
static int
receive(struct daemon *daemon, struct err *err)
{
	struct buf *in = &daemon->in;
	size_t room = in->limit - in->n < 4096 ? in->limit - in->n : 4096;
	char *to = buf_reserve(in, room);
	ssize_t n;

	if (room == 0 || to == NULL)
		return err_set(err, ERR_BUG, "5.5.4",
		    "the daemon sent a line of more than %u octets",
		    CONTROL_LINE_MAX);
	do
		n = recv(daemon->fd, to, room, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return lost(daemon, err);
	if (n == 0)
		return err_set(
		    err, ERR_TEMP, "4.4.2", "the daemon ended the connection");
	in->n += (size_t)n;
	return 0;
}

/* The next line without its end. */
static int
read_line(struct daemon *daemon, struct span *ret, struct err *err)
{
	struct buf *in = &daemon->in;
	const char *end;

	buf_shift(in, daemon->taken);
	daemon->taken = 0;
	while ((end = in->n == 0 ? NULL : memchr(in->p, '\n', in->n)) == NULL)
		if (receive(daemon, err) < 0)
			return -1;
	*ret = (struct span){in->p, (size_t)(end - in->p)};
	daemon->taken = ret->n + 1;
	return 0;
}

static enum daemon_line
judge(json_t *line, json_t **ret, struct err *err)
{
	json_t *item = json_object_get(line, "item");
	const char *why = json_string_value(json_object_get(line, "error"));

	if (json_is_object(item)) {
		*ret = item;
		return DAEMON_ITEM;
	}
	if (json_is_true(json_object_get(line, "ok"))) {
		*ret = line;
		return DAEMON_DONE;
	}
	(void)err_set(err, ERR_PERM, "5.5.4", "%s",
	    why == NULL ? "the daemon's answer makes no sense" : why);
	return DAEMON_FAILED;
}

enum daemon_line
daemon_answer(struct daemon *daemon, json_t **ret, struct err *err)
{
	struct span text;

	if (read_line(daemon, &text, err) < 0)
		return DAEMON_FAILED;
	json_decref(daemon->line);
	daemon->line = json_loadb(text.p, text.n, 0, NULL);
	return judge(daemon->line, ret, err);
}

int
daemon_do(struct daemon *daemon, const struct control_request *request,
    struct err *err)
{
	enum daemon_line line;
	struct json_t *said;

	if (daemon_ask(daemon, request, err) < 0)
		return -1;
	do
		line = daemon_answer(daemon, &said, err);
	while (line == DAEMON_ITEM);
	return line == DAEMON_DONE ? 0 : -1;
}
