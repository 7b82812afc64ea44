/* Private to mta/net/: conn.c, conn_send.c and listener.c. */
#pragma once
#include "base/buf.h"
#include "mta/net/conn.h"
#include "mta/net/uvloop.h"

struct conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	uv_timer_t deadline;
	/* What must not be told at once.  No timer: all that are due are called
	 * before anything else, those too that were started meanwhile. */
	uv_idle_t later;
	uv_connect_t connect;
	const struct conn_ops *ops;
	void *owner; /* NULL once conn_close() has been called */
	struct net_address peer, local;
	const char *door; /* the name of the listener it came by, or "" */
	struct tls *tls;
	bool tls_told;  /* on_tls has been called for `tls` */
	bool down;      /* on_down has been called */
	bool lingering; /* closed by the owner, still sending */
	unsigned handles;
	size_t backlog;
	size_t unasked;  /* of it, answers of TLS by itself */
	struct err late; /* for `later` */
};

/* Of one piece of decrypted input, or of output. */
#define BACKLOG_MAX (64u << 20)

struct conn *conn_new(struct loop *loop, int family);
/* Let libuv close the handles; the memory goes with the last of them. */
void conn_release(struct conn *conn);
void conn_down(struct conn *conn, const struct err *err);
/* By the loop, once, when whatever else is ready has had its turn. */
void conn_later(struct conn *conn, uv_idle_cb fn);
/* Tell of a failure from the loop, not from inside the call that met it. */
void conn_fail_later(struct conn *conn, const struct err *err);
void conn_uv_err(struct err *err, const char *what, ssize_t status);
/* conn_send.c: what TLS has to say */
void conn_flush_tls(struct conn *conn);
