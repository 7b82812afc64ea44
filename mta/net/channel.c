#include "mta/net/channel.h"

#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wire.h"
#include "mta/net/uvloop.h"

#define HEADER       8
#define FLAG_FD      1
#define FDS_MAX      64
#define PENDING_READ (CHANNEL_MESSAGE_MAX + HEADER + LOOP_READ_SIZE)

struct channel {
	uv_pipe_t pipe;
	const struct channel_ops *ops;
	void *owner; /* NULL once channel_close() has been called */
	struct buf in;
	int fds[FDS_MAX];
	size_t nfds;
	struct buf out;     /* collected in this turn of the loop */
	uv_prepare_t flush; /* sends it before the loop sleeps */
	unsigned handles;
	unsigned depth;  /* inside on_message(): freed only outside */
	unsigned writes; /* under way */
	bool down;
	bool finishing; /* closed when they have ended */
};

struct channel_write {
	uv_write_t uv;
	struct channel *channel;
	struct buf bytes;
	uv_pipe_t *passed; /* the descriptor on its way, or NULL */
};

static void on_flush(uv_prepare_t *prepare);

static void
channel_release(struct channel *channel)
{
	if (channel->handles > 0 || channel->depth > 0)
		return;
	for (size_t i = 0; i < channel->nfds; i++)
		(void)close(channel->fds[i]);
	buf_free(&channel->in);
	buf_free(&channel->out);
	mem_free(channel);
}

static void
on_handle_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	channel->handles--;
	channel_release(channel);
}

static void
on_passed_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

static void
channel_down(struct channel *channel)
{
	const struct channel_ops *ops = channel->ops;
	void *owner = channel->owner;

	if (channel->down)
		return;
	channel->down = true;
	(void)uv_read_stop((uv_stream_t *)&channel->pipe);
	if (owner != NULL)
		ops->on_closed(owner);
}

/* The descriptor libuv has accepted, as a number of its own. */
static void
collect_fds(struct channel *channel)
{
	while (uv_pipe_pending_count(&channel->pipe) > 0) {
		uv_pipe_t *got = mem_new(sizeof(*got));
		uv_os_fd_t fd;

		(void)uv_pipe_init(channel->pipe.loop, got, 0);
		if (uv_accept((uv_stream_t *)&channel->pipe,
			(uv_stream_t *)got) == 0 &&
		    uv_fileno((uv_handle_t *)got, &fd) == 0 &&
		    channel->nfds < FDS_MAX) {
			int copy = dup(fd);

			if (copy >= 0)
				channel->fds[channel->nfds++] = copy;
		}
		uv_close((uv_handle_t *)got, on_passed_closed);
	}
}

static int
take_fd(struct channel *channel)
{
	int fd;

	if (channel->nfds == 0)
		return -1;
	fd = channel->fds[0];
	channel->nfds--;
	for (size_t i = 0; i < channel->nfds; i++)
		channel->fds[i] = channel->fds[i + 1];
	return fd;
}

/* One frame from the buffer: its length with header, 0: not whole, -1: bad. */
static ssize_t
take_frame(struct channel *channel, struct span bytes)
{
	struct cursor in = cursor_of(bytes);
	struct span payload;
	uint32_t n;
	uint16_t type, flags;
	int fd = -1;

	if (!take_u32(&in, &n) || !take_u16(&in, &type) ||
	    !take_u16(&in, &flags))
		return 0;
	if (n > CHANNEL_MESSAGE_MAX)
		return -1;
	if (!take_bytes(&in, n, &payload))
		return 0;
	if ((flags & FLAG_FD) != 0) {
		fd = take_fd(channel);
		if (fd < 0)
			return -1;
	}
	if (channel->owner != NULL)
		channel->ops->on_message(channel->owner, type, payload, fd);
	else if (fd >= 0)
		(void)close(fd);
	return (ssize_t)n + HEADER;
}

static void
take_frames(struct channel *channel)
{
	size_t done = 0;
	ssize_t n = 0;

	channel->depth++;
	while (channel->owner != NULL) {
		n = take_frame(
		    channel, span_from(buf_span(&channel->in), done));
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf_shift(&channel->in, done);
	if (n < 0)
		channel_down(channel);
	channel->depth--;
	channel_release(channel);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct channel *channel = stream->data;

	collect_fds(channel);
	if (n == 0)
		return;
	if (n < 0 ||
	    buf_add(&channel->in, (struct span){buf->base, (size_t)n}) < 0) {
		channel_down(channel);
		return;
	}
	take_frames(channel);
}

struct channel *
channel_new(
    struct loop *loop, int fd, const struct channel_ops *ops, void *owner)
{
	struct channel *channel = mem_new(sizeof(*channel));

	(void)uv_pipe_init(&loop->uv, &channel->pipe, 1);
	(void)uv_prepare_init(&loop->uv, &channel->flush);
	channel->pipe.data = channel;
	channel->flush.data = channel;
	channel->handles = 2;
	channel->ops = ops;
	channel->owner = owner;
	buf_init(&channel->in, PENDING_READ);
	buf_init(&channel->out, SIZE_MAX / 2);
	(void)uv_pipe_open(&channel->pipe, fd);
	(void)uv_read_start((uv_stream_t *)&channel->pipe, loop_alloc, on_read);
	return channel;
}

static void
close_pipe(struct channel *channel)
{
	if (!uv_is_closing((uv_handle_t *)&channel->pipe))
		uv_close((uv_handle_t *)&channel->pipe, on_handle_closed);
}

static void
on_written(uv_write_t *uv, int status)
{
	struct channel_write *w = uv->data;
	struct channel *channel = w->channel;

	(void)status; /* a lost peer shows as end of file, or in each write */
	if (w->passed != NULL)
		uv_close((uv_handle_t *)w->passed, on_passed_closed);
	buf_free(&w->bytes);
	mem_free(w);
	channel->writes--;
	if (channel->finishing && channel->writes == 0)
		close_pipe(channel);
}

static void
channel_write(struct channel *channel, struct buf bytes, uv_pipe_t *passed)
{
	struct channel_write *w = mem_new(sizeof(*w));
	uv_buf_t uv = uv_buf_init(bytes.p, (unsigned)bytes.n);

	w->uv.data = w;
	w->channel = channel;
	w->bytes = bytes;
	w->passed = passed;
	channel->writes++;
	if (uv_write2(&w->uv, (uv_stream_t *)&channel->pipe, &uv, 1,
		(uv_stream_t *)passed, on_written) < 0)
		on_written(&w->uv, UV_ECANCELED);
}

static void
channel_flush(struct channel *channel)
{
	struct buf bytes = channel->out;

	if (bytes.n == 0)
		return;
	buf_init(&channel->out, bytes.limit);
	channel_write(channel, bytes, NULL);
}

static void
on_flush(uv_prepare_t *prepare)
{
	struct channel *channel = prepare->data;

	(void)uv_prepare_stop(prepare);
	channel_flush(channel);
}

static void
add_frame(struct buf *out, uint16_t type, uint16_t flags, struct span payload)
{
	int rc = 0;

	assert(payload.n <= CHANNEL_MESSAGE_MAX);
	rc |= put_u32(out, (uint32_t)payload.n);
	rc |= put_u16(out, type);
	rc |= put_u16(out, flags);
	rc |= buf_add(out, payload);
	assert(rc == 0);
	(void)rc;
}

void
channel_send(struct channel *channel, uint16_t type, struct span payload)
{
	add_frame(&channel->out, type, 0, payload);
	if (channel->out.n >= LOOP_READ_SIZE)
		channel_flush(channel);
	else if (!uv_is_active((uv_handle_t *)&channel->flush))
		(void)uv_prepare_start(&channel->flush, on_flush);
}

void
channel_send_fd(
    struct channel *channel, uint16_t type, struct span payload, int fd)
{
	uv_pipe_t *passed = mem_new(sizeof(*passed));
	struct buf bytes;

	channel_flush(channel);
	(void)uv_pipe_init(channel->pipe.loop, passed, 0);
	(void)uv_pipe_open(passed, fd);
	buf_init(&bytes, CHANNEL_MESSAGE_MAX + HEADER);
	add_frame(&bytes, type, FLAG_FD, payload);
	channel_write(channel, bytes, passed);
}

size_t
channel_backlog(const struct channel *channel)
{
	return channel->out.n + uv_stream_get_write_queue_size(
				    (const uv_stream_t *)&channel->pipe);
}

void
channel_close(struct channel **channelp)
{
	struct channel *channel = *channelp;

	*channelp = NULL;
	if (channel == NULL)
		return;
	channel_flush(channel);
	channel->owner = NULL;
	close_pipe(channel);
	uv_close((uv_handle_t *)&channel->flush, on_handle_closed);
}

void
channel_finish(struct channel **channelp)
{
	struct channel *channel = *channelp;

	if (channel == NULL || channel->down) {
		channel_close(channelp);
		return;
	}
	*channelp = NULL;
	channel_flush(channel);
	channel->owner = NULL;
	channel->finishing = true;
	(void)uv_read_stop((uv_stream_t *)&channel->pipe);
	uv_close((uv_handle_t *)&channel->flush, on_handle_closed);
	if (channel->writes == 0)
		close_pipe(channel);
}

int
channel_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}
