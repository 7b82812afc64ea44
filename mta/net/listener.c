/* Sockets that connections come from. */
#include <sys/socket.h>

#include "base/mem.h"
#include "mta/net/conn_private.h"

struct listener {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	int family;
	const char *name;
	accept_fn *on_accept;
	void *owner;
};

static void
find_peer(struct conn *conn, int family)
{
	struct sockaddr_storage ss = {0};
	int n = sizeof(ss);

	conn->peer.family = family;
	if (family == AF_UNIX)
		return;
	if (uv_tcp_getpeername(&conn->uv.tcp, (struct sockaddr *)&ss, &n) == 0)
		net_address_from((const struct sockaddr *)&ss, &conn->peer);
}

static void
on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	struct loop *loop = stream->loop->data;
	struct conn *conn;

	if (status < 0)
		return;
	conn = conn_new(loop, listener->family);
	if (uv_accept(stream, &conn->uv.stream) < 0) {
		conn_release(conn);
		return;
	}
	conn->door = listener->name;
	find_peer(conn, listener->family);
	listener->on_accept(listener->owner, conn);
}

static int
socket_family(int fd)
{
	int family = AF_UNIX;
	socklen_t n = sizeof(family);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n);
	return family;
}

struct listener *
listener_new(struct loop *loop, int fd, accept_fn *on_accept, void *owner)
{
	struct listener *listener = mem_new(sizeof(*listener));

	listener->family = socket_family(fd);
	listener->name = "";
	listener->on_accept = on_accept;
	listener->owner = owner;
	if (listener->family == AF_UNIX) {
		(void)uv_pipe_init(&loop->uv, &listener->uv.pipe, 0);
		(void)uv_pipe_open(&listener->uv.pipe, fd);
	} else {
		(void)uv_tcp_init(&loop->uv, &listener->uv.tcp);
		(void)uv_tcp_open(&listener->uv.tcp, fd);
		/* What is accepted inherits it: tcp(7). */
		(void)uv_tcp_nodelay(&listener->uv.tcp, 1);
	}
	listener->uv.handle.data = listener;
	(void)uv_listen(&listener->uv.stream, 1024, on_connection);
	return listener;
}

static void
on_listener_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

void
listener_name(struct listener *listener, const char *name)
{
	listener->name = name;
}

void
listener_close(struct listener **listenerp)
{
	struct listener *listener = *listenerp;

	*listenerp = NULL;
	if (listener != NULL)
		uv_close(&listener->uv.handle, on_listener_closed);
}
