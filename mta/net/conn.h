/*
 * One stream connection, TCP or UNIX, plain or TLS.
 *
 * The callback contract, without exceptions:
 *  - callbacks come from the loop, never from inside a conn_*() call;
 *  - on_up once (not for accepted ones), then any number of on_data,
 *    on_drained, on_tls and on_deadline, then on_down exactly once;
 *  - after conn_close() none, and the pointer is gone: the connection frees
 *    itself when libuv has let go of its handles.
 *
 * Writing copies; what was written before conn_close() is still sent, within
 * a short linger, unless conn_abort() is used.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mta/net/address.h"

struct conn;
struct listener;
struct loop;
struct tls;
struct tls_client;
struct tls_demand;
struct tls_facts;
struct tls_server;

struct conn_ops {
	void (*on_up)(void *owner);
	/* The handshake ended; facts->up says how.  Lent for the call. */
	void (*on_tls)(void *owner, const struct tls_facts *facts);
	void (*on_data)(void *owner, struct span bytes);
	/* All that was written has been taken by the kernel. */
	void (*on_drained)(void *owner);
	/* conn_deadline() has passed. */
	void (*on_deadline)(void *owner);
	/* Closed by the peer or broken.  Only conn_close() is left to do. */
	void (*on_down)(void *owner, const struct err *err);
};

/* `from` may be NULL.  Failing at once, too, comes as on_down. */
struct conn *conn_connect(struct loop *loop, const struct net_address *to,
    const struct net_address *from, const struct conn_ops *ops, void *owner);

/* From on_accept: who owns it from now on, and is reading. */
void conn_adopt(struct conn *conn, const struct conn_ops *ops, void *owner);

/*
 * Begin a handshake; on_tls tells how it ended.  The server side must have
 * sent its 220 before (RFC 3207 4), the client side must have read the 220
 * and nothing behind it: that is the SMTP engine's check.
 */
void conn_tls_accept(struct conn *conn, struct tls_server *server);
void conn_tls_connect(struct conn *conn, struct tls_client *client,
    const struct tls_demand *demand);

void conn_write(struct conn *conn, struct span bytes);
/* Bytes written and not yet taken by the kernel. */
size_t conn_backlog(const struct conn *conn);
/* Stop and go on reading: back-pressure. */
void conn_read(struct conn *conn, bool on);
/* One deadline at a time; 0 clears it. */
void conn_deadline(struct conn *conn, uint32_t ms);
void conn_close(struct conn **conn);
void conn_abort(struct conn **conn);

const struct net_address *conn_peer(const struct conn *conn);
/* Our own end; from on_up on, and only where conn_connect() made it. */
const struct net_address *conn_local(const struct conn *conn);
bool conn_is_tls(const struct conn *conn);
/* NULL before conn_tls_*(): for tls_peer_chain() and the like. */
const struct tls *conn_tls(const struct conn *conn);

/* `conn` is yours: conn_adopt() it, or conn_close() it. */
typedef void accept_fn(void *owner, struct conn *conn);

/* Takes the descriptor, already listening; it has no name. */
struct listener *listener_new(
    struct loop *loop, int fd, accept_fn *on_accept, void *owner);
/*
 * Session tickets are bound to it.  Borrowed, and outlives the connections
 * that come from now on.
 */
void listener_name(struct listener *listener, const char *name);
void listener_close(struct listener **listener);
