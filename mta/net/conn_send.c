/* What a connection sends: at once, behind what waits, or through TLS. */
#include "base/buf.h"
#include "base/mem.h"
#include "mta/net/conn_private.h"
#include "mta/net/tls.h"

struct conn_write {
	uv_write_t uv;
	struct conn *conn;
	struct buf bytes;
};

static void
conn_drained(struct conn *conn)
{
	if (conn->lingering)
		conn_release(conn);
	else if (conn->owner != NULL && !conn->down &&
		 conn->ops->on_drained != NULL)
		conn->ops->on_drained(conn->owner);
}

static void
on_written(uv_write_t *uv, int status)
{
	struct conn_write *w = uv->data;
	struct conn *conn = w->conn;
	struct err err;

	conn->backlog -= w->bytes.n;
	if (conn->backlog == 0)
		conn->unasked = 0;
	buf_free(&w->bytes);
	mem_free(w);
	if (uv_is_closing(&conn->uv.handle))
		return;
	if (status < 0) {
		conn_uv_err(&err, "write", status);
		conn_down(conn, &err);
	} else if (conn->backlog == 0) {
		conn_drained(conn);
	}
}

static void
on_all_written(uv_idle_t *uv)
{
	struct conn *conn = uv->data;

	(void)uv_idle_stop(uv);
	if (conn->backlog == 0)
		conn_drained(conn);
}

/*
 * How much the kernel takes at once; mostly that is all.  Why it took none is
 * told by the uv_write() that follows.
 */
static size_t
conn_try(struct conn *conn, struct span bytes)
{
	uv_buf_t uv = uv_buf_init(
	    (char *)(uintptr_t)bytes.p, (unsigned)bytes.n);
	int n;

	/* Behind what waits it takes none. */
	n = uv_try_write(&conn->uv.stream, &uv, 1);
	if (n == (int)bytes.n && conn->ops->on_drained != NULL &&
	    !uv_is_active((const uv_handle_t *)&conn->later))
		conn_later(conn, on_all_written);
	return n < 0 ? 0 : (size_t)n;
}

/* Takes the bytes. */
static void
conn_send_raw(struct conn *conn, struct buf *bytes)
{
	struct conn_write *w;
	uv_buf_t uv;
	int rc;

	if (bytes->n > 0 && !conn->down)
		buf_shift(bytes, conn_try(conn, buf_span(bytes)));
	if (bytes->n == 0 || conn->down) {
		buf_free(bytes);
		return;
	}
	w = mem_new(sizeof(*w));
	w->uv.data = w;
	w->conn = conn;
	w->bytes = *bytes;
	buf_init(bytes, bytes->limit);
	conn->backlog += w->bytes.n;
	uv = uv_buf_init(w->bytes.p, (unsigned)w->bytes.n);
	rc = uv_write(&w->uv, &conn->uv.stream, &uv, 1, on_written);
	if (rc < 0) {
		struct err err;

		conn->backlog -= w->bytes.n;
		buf_free(&w->bytes);
		mem_free(w);
		conn_uv_err(&err, "write", rc);
		conn_fail_later(conn, &err);
	}
}

void
conn_flush_tls(struct conn *conn)
{
	struct buf out;

	buf_init(&out, BACKLOG_MAX);
	if (tls_output(conn->tls, &out) < 0) {
		struct err err;

		(void)err_set(&err, ERR_TEMP, "4.4.2", "output grew too large");
		conn_fail_later(conn, &err);
	}
	conn_send_raw(conn, &out);
}

void
conn_write(struct conn *conn, struct span bytes)
{
	struct buf raw;
	struct err err;

	if (conn->down || bytes.n == 0)
		return;
	if (conn->tls != NULL) {
		if (tls_write(conn->tls, bytes) == 0) {
			conn_flush_tls(conn);
			return;
		}
		(void)err_set(&err, ERR_TEMP, "4.4.2", "TLS session broken");
		conn_fail_later(conn, &err);
		return;
	}
	buf_init(&raw, BACKLOG_MAX);
	bytes = span_from(bytes, conn_try(conn, bytes));
	if (buf_add(&raw, bytes) < 0) {
		(void)err_set(&err, ERR_TEMP, "4.4.2", "output grew too large");
		conn_fail_later(conn, &err);
	}
	conn_send_raw(conn, &raw);
}
