#include "mta/net/conn.h"

#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mta/net/conn_private.h"
#include "mta/net/tls.h"

#define UNASKED_MAX (512u << 10)
#define LINGER_MS   10000

static void
on_handle_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;

	if (--conn->handles > 0)
		return;
	tls_free(&conn->tls);
	mem_free(conn);
}

void
conn_release(struct conn *conn)
{
	conn->owner = NULL;
	conn->lingering = false;
	uv_close(&conn->uv.handle, on_handle_closed);
	uv_close((uv_handle_t *)&conn->deadline, on_handle_closed);
	uv_close((uv_handle_t *)&conn->later, on_handle_closed);
}

struct conn *
conn_new(struct loop *loop, int family)
{
	struct conn *conn = mem_new(sizeof(*conn));

	if (family == AF_UNIX)
		(void)uv_pipe_init(&loop->uv, &conn->uv.pipe, 0);
	else
		(void)uv_tcp_init(&loop->uv, &conn->uv.tcp);
	(void)uv_timer_init(&loop->uv, &conn->deadline);
	(void)uv_idle_init(&loop->uv, &conn->later);
	conn->handles = 3;
	conn->uv.handle.data = conn;
	conn->deadline.data = conn;
	conn->later.data = conn;
	return conn;
}

void
conn_down(struct conn *conn, const struct err *err)
{
	const struct conn_ops *ops = conn->ops;
	void *owner = conn->owner;

	if (conn->lingering) {
		conn_release(conn);
		return;
	}
	if (conn->down || owner == NULL)
		return;
	conn->down = true;
	(void)uv_timer_stop(&conn->deadline);
	(void)uv_read_stop(&conn->uv.stream);
	ops->on_down(owner, err);
}

/* The one before is forgotten: what is active would stay as it is. */
void
conn_later(struct conn *conn, uv_idle_cb fn)
{
	(void)uv_idle_stop(&conn->later);
	(void)uv_idle_start(&conn->later, fn);
}

static void
on_late(uv_idle_t *uv)
{
	struct conn *conn = uv->data;
	struct err err = conn->late;

	(void)uv_idle_stop(uv);
	conn_down(conn, &err);
}

void
conn_fail_later(struct conn *conn, const struct err *err)
{
	if (uv_is_closing(&conn->uv.handle))
		return;
	conn->late = *err;
	conn_later(conn, on_late);
}

void
conn_uv_err(struct err *err, const char *what, ssize_t status)
{
	(void)err_set(err, ERR_TEMP, "4.4.2", "%s: %s", what,
	    status == UV_EOF ? "closed by the peer" : uv_strerror((int)status));
}

static void
tell_tls(struct conn *conn, enum tls_state state)
{
	struct tls_facts facts;

	if (conn->tls_told || state == TLS_SHAKING || conn->owner == NULL)
		return;
	conn->tls_told = true;
	tls_facts(conn->tls, &facts);
	conn->ops->on_tls(conn->owner, &facts);
}

/*
 * TLS answers by itself to a KeyUpdate (RFC 8446 4.6.3) or a HelloRequest; no
 * owner sees those, so none stops reading when the answers are not read.  What
 * an owner sends does not count: it knows conn_backlog().
 */
static void
flush_answers(struct conn *conn)
{
	size_t before = conn->backlog;

	conn_flush_tls(conn);
	conn->unasked += conn->backlog - before;
}

/* NULL: it goes on. */
static const char *
why_down(const struct conn *conn, enum tls_state state, bool told)
{
	if (state == TLS_CLOSED)
		return "closed by the peer";
	if (state == TLS_FAILED && told)
		return "TLS session broken";
	if (conn->unasked > UNASKED_MAX)
		return "the peer does not read what it asks for";
	return NULL;
}

static void
conn_feed_tls(struct conn *conn, struct span bytes)
{
	struct buf plain;
	enum tls_state state;
	bool told = conn->tls_told;
	const char *why;
	struct err err;

	buf_init(&plain, BACKLOG_MAX);
	state = tls_feed(conn->tls, bytes, &plain);
	flush_answers(conn);
	why = why_down(conn, state, told);
	tell_tls(conn, state);
	if (plain.n > 0 && conn->owner != NULL && !conn->down)
		conn->ops->on_data(conn->owner, buf_span(&plain));
	buf_free(&plain);
	if (why != NULL) {
		(void)err_set(&err, ERR_TEMP, "4.4.2", "%s", why);
		conn_down(conn, &err);
	}
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *conn = stream->data;
	struct err err;

	if (n < 0) {
		conn_uv_err(&err, "connection", n);
		conn_down(conn, &err);
	} else if (n > 0 && conn->tls != NULL) {
		conn_feed_tls(conn, (struct span){buf->base, (size_t)n});
	} else if (n > 0 && conn->owner != NULL) {
		conn->ops->on_data(
		    conn->owner, (struct span){buf->base, (size_t)n});
	}
}

static void
take_local(struct conn *conn)
{
	struct sockaddr_storage ss;
	int n = sizeof(ss);

	if (conn->uv.handle.type == UV_TCP &&
	    uv_tcp_getsockname(&conn->uv.tcp, (struct sockaddr *)&ss, &n) == 0)
		net_address_from((const struct sockaddr *)&ss, &conn->local);
}

static void
on_connected(uv_connect_t *uv, int status)
{
	struct conn *conn = uv->data;
	struct err err;

	if (conn->owner == NULL)
		return;
	if (status < 0) {
		(void)err_set(&err, ERR_TEMP, "4.4.1", "connect: %s",
		    uv_strerror(status));
		conn_down(conn, &err);
		return;
	}
	take_local(conn);
	(void)uv_read_start(&conn->uv.stream, loop_alloc, on_read);
	conn->ops->on_up(conn->owner);
}

static int
conn_bind(struct conn *conn, const struct net_address *from)
{
	struct sockaddr_storage ss;

	if (from == NULL || from->family == AF_UNIX)
		return 0;
	(void)net_address_to(from, &ss);
	return uv_tcp_bind(&conn->uv.tcp, (const struct sockaddr *)&ss, 0);
}

struct conn *
conn_connect(struct loop *loop, const struct net_address *to,
    const struct net_address *from, const struct conn_ops *ops, void *owner)
{
	struct conn *conn = conn_new(loop, to->family);
	struct sockaddr_storage ss;
	int rc;

	conn->ops = ops;
	conn->owner = owner;
	conn->peer = *to;
	conn->connect.data = conn;
	if (to->family == AF_UNIX) {
		uv_pipe_connect(
		    &conn->connect, &conn->uv.pipe, to->path, on_connected);
		return conn;
	}
	(void)net_address_to(to, &ss);
	(void)uv_tcp_nodelay(&conn->uv.tcp, 1);
	rc = conn_bind(conn, from);
	if (rc == 0)
		rc = uv_tcp_connect(&conn->connect, &conn->uv.tcp,
		    (const struct sockaddr *)&ss, on_connected);
	if (rc < 0) {
		struct err err;

		(void)err_set(
		    &err, ERR_TEMP, "4.4.1", "connect: %s", uv_strerror(rc));
		conn_fail_later(conn, &err);
	}
	return conn;
}

void
conn_adopt(struct conn *conn, const struct conn_ops *ops, void *owner)
{
	conn->ops = ops;
	conn->owner = owner;
	(void)uv_read_start(&conn->uv.stream, loop_alloc, on_read);
}

void
conn_tls_accept(struct conn *conn, struct tls_server *server)
{
	conn->tls_told = false;
	conn->tls = tls_accept(server, conn->door);
}

static void
on_tls_failed_at_once(uv_idle_t *uv)
{
	struct conn *conn = uv->data;

	(void)uv_idle_stop(uv);
	tell_tls(conn, TLS_FAILED);
}

void
conn_tls_connect(struct conn *conn, struct tls_client *client,
    const struct tls_demand *demand)
{
	conn->tls_told = false;
	conn->tls = tls_connect(client, demand);
	if (tls_start(conn->tls) == TLS_FAILED)
		conn_later(conn, on_tls_failed_at_once);
	conn_flush_tls(conn);
}

size_t
conn_backlog(const struct conn *conn)
{
	return conn->backlog;
}

void
conn_read(struct conn *conn, bool on)
{
	if (conn->down)
		return;
	if (on)
		(void)uv_read_start(&conn->uv.stream, loop_alloc, on_read);
	else
		(void)uv_read_stop(&conn->uv.stream);
}

static void
on_deadline(uv_timer_t *uv)
{
	struct conn *conn = uv->data;

	if (conn->owner != NULL && !conn->down)
		conn->ops->on_deadline(conn->owner);
}

void
conn_deadline(struct conn *conn, uint32_t ms)
{
	if (conn->down)
		return;
	if (ms == 0)
		(void)uv_timer_stop(&conn->deadline);
	else
		(void)uv_timer_start(&conn->deadline, on_deadline, ms, 0);
}

static void
on_linger(uv_timer_t *uv)
{
	struct conn *conn = uv->data;

	conn_release(conn);
}

void
conn_close(struct conn **connp)
{
	struct conn *conn = *connp;

	*connp = NULL;
	if (conn == NULL)
		return;
	if (conn->tls != NULL && !conn->down && conn->tls_told) {
		tls_bye(conn->tls);
		conn_flush_tls(conn);
	}
	conn->owner = NULL;
	if (conn->down || conn->backlog == 0) {
		conn_release(conn);
		return;
	}
	conn->lingering = true;
	(void)uv_read_stop(&conn->uv.stream);
	(void)uv_idle_stop(&conn->later);
	(void)uv_timer_start(&conn->deadline, on_linger, LINGER_MS, 0);
}

void
conn_abort(struct conn **connp)
{
	struct conn *conn = *connp;

	*connp = NULL;
	if (conn != NULL)
		conn_release(conn);
}

const struct net_address *
conn_peer(const struct conn *conn)
{
	return &conn->peer;
}

const struct net_address *
conn_local(const struct conn *conn)
{
	return &conn->local;
}

const struct tls *
conn_tls(const struct conn *conn)
{
	return conn->tls;
}

bool
conn_is_tls(const struct conn *conn)
{
	return conn->tls != NULL;
}
